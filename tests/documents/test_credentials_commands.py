"""``documents pesc``, ``credentials``, ``key`` and ``verify`` on the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from gateway.core.errors import EXIT_ERROR, EXIT_OK, EXIT_WARNINGS

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "mappings" / "schools" / "lakeside.yaml"
DISTRICT = """
district: lakeside
name: Lakeside School District
time_zone: America/New_York
school: {name: Lakeside High School, ceeb: "460000"}
connections: {}
"""
SIGNING = 'credentials: {key: "${file:secrets/key.pem}"}\n'
COURSES = """student_id,course_code,title,subject,level,credit,grade,school_year,term,grade_level,status,core
1001,ENG9,English 9,english,regular,0.5,B,2024-25,S1,9,,yes
1001,ALG1,Algebra 1,mathematics,regular,0.5,C,2024-25,S1,9,,yes
1001,ALG1,Algebra 1,mathematics,regular,0.5,A,2024-25,S2,9,,yes
1001,PE,PE,physical_education,regular,0.5,F,2024-25,S2,9,,yes
1001,ART,Art,arts,regular,0.5,,2025-26,S1,10,in_progress,yes
1002,ENG9,English 9,english,regular,0.5,A,2024-25,S1,9,,yes
"""
LEVELS = """student_id,competency,level,proficient,last_scored_at,course_code
1001,MATH.1.NQ,3.48,true,2025-05-01T10:00:00Z,ALG1
1001,MATH.1.PS,2.50,false,2025-05-01T10:00:00Z,ALG1
1002,MATH.1.PS,4.00,true,2025-05-01T10:00:00Z,ALG1
"""
RELEASE = ("--to", "State University", "--purpose", "admission", "--by", "R. Martinez", "--out", "out")
PEOPLE = ("--students", "students.csv", "--student", "1001")


@pytest.fixture
def folder(call, tmp_path):
    (tmp_path / "gateway.yaml").write_text(DISTRICT)
    (tmp_path / "courses.csv").write_text(COURSES)
    (tmp_path / "levels.csv").write_text(LEVELS)
    (tmp_path / "students.csv").write_text("student_id,given_name,family_name\n1001,Ada,Lovelace\n1002,Bo,Li\n")
    return tmp_path


@pytest.fixture
def signing(folder, call):
    assert call("documents", "key", "new", "secrets/key.pem").code == EXIT_OK
    (folder / "gateway.yaml").write_text(DISTRICT + SIGNING)
    return folder


def issued(folder, ending):
    (path,) = (folder / "out").glob(f"*.{ending}")
    return path


def credentials(call, *more):
    return call("documents", "credentials", *more, *PEOPLE, *RELEASE)


COMPETENCIES = ("--competencies", "levels.csv", "--mapping", MAPPING)


def test_a_transcript_is_valid_recorded_and_verified(folder, call, shared_data):
    answer = call("documents", "pesc", "school-unweighted", "--courses", "courses.csv", *PEOPLE, *RELEASE,
                  "--to-code", "OPEID:00123400", "--schema", shared_data / "pesc")  # fmt: skip
    assert answer.code == EXIT_OK, answer
    assert "Checked against the schema" in answer.out
    path = issued(folder, "xml")
    assert call("documents", "verify", path).code == EXIT_OK
    path.write_bytes(path.read_bytes().replace(b">2.250<", b">4.000<").replace(b">B<", b">A<"))
    changed = call("documents", "verify", path)
    assert changed.code == EXIT_ERROR
    assert "NOT VERIFIED" in changed.out


def test_a_transcript_says_that_the_schema_was_not_checked(folder, call):
    answer = call("documents", "pesc", "school-unweighted", "--courses", "courses.csv", *PEOPLE, *RELEASE,
                  "--to-code", "OPEID:00123400")  # fmt: skip
    assert (answer.code, "but not the schema" in answer.out) == (EXIT_OK, True)


def test_an_unusable_schema_is_told_before_anything_is_made(folder, call):
    answer = call("documents", "pesc", "school-unweighted", "--courses", "courses.csv", *PEOPLE, *RELEASE,
                  "--to-code", "OPEID:00123400", "--schema", folder)  # fmt: skip
    assert (answer.code, "no file declares" in answer.err) == (EXIT_ERROR, True)


def test_where_the_school_aggregates_no_gpa_none_is_issued(folder, call):
    for command in (("pesc", "--to-code", "ATP:123456"), ("credentials",)):
        answer = call("documents", *command, "tilton", "--courses", "courses.csv", *PEOPLE, *RELEASE)
        assert answer.code == EXIT_ERROR
        assert not (folder / "out").exists()


def test_a_learner_record_holds_what_is_mastered_passed_and_computed(signing, call):
    answer = credentials(call, "school-unweighted", "ncaa-d1", "--courses", "courses.csv", *COMPETENCIES)
    assert answer.code == EXIT_OK, answer
    record = json.loads(issued(signing, "json").read_text())
    inside = [
        badge["credentialSubject"]["achievement"] for badge in record["credentialSubject"]["verifiableCredential"]
    ]
    kinds = [(each["achievementType"], each.get("humanCode", each["name"])) for each in inside]
    assert kinds == [
        ("Competency", "MATH.1.NQ"), ("Course", "ENG9"), ("Course", "ALG1"), ("Course", "ALG1"),
        ("Achievement", "Unweighted grade point average"), ("Achievement", "NCAA Division I core-course GPA"),
    ]  # fmt: skip
    assert record["partial"] is True
    assert len(record["credentialSubject"]["association"]) == 2
    assert "1001" not in issued(signing, "json").read_text().replace(record["name"], "")
    assert call("documents", "verify", issued(signing, "json")).code == EXIT_OK


def test_competencies_alone_bring_no_grade_and_no_gpa(signing, call):
    assert credentials(call, *COMPETENCIES).code == EXIT_OK
    text = issued(signing, "json").read_text()
    assert "GradePointAverage" not in text
    assert "LetterGrade" not in text
    assert '"MATH.1.NQ"' in text
    assert "MATH.1.PS" not in text


def test_each_badge_by_itself_as_a_token(signing, call):
    answer = credentials(call, "school-unweighted", "--courses", "courses.csv", "--separate", "--token")
    assert answer.code == EXIT_OK, answer
    paths = sorted((signing / "out").glob("*.jwt"))
    assert len(paths) == 4
    assert call("documents", "verify", *paths).code == EXIT_OK


def test_a_preview_is_not_signed(signing, call):
    assert credentials(call, *COMPETENCIES, "--preview").code == EXIT_OK
    answer = call("documents", "verify", issued(signing, "json"))
    assert answer.code == EXIT_ERROR
    assert "unsigned" in answer.out


def test_to_others_the_issuer_is_known_by_its_key_document(signing, call, tmp_path_factory, monkeypatch):
    credentials(call, *COMPETENCIES)
    assert call("documents", "key", "show", "--out", "did.json").code == EXIT_OK
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    path = issued(signing, "json")
    alone = call("documents", "verify", path)
    assert (alone.code, "who signed it is not known here" in alone.out) == (EXIT_WARNINGS, True)
    told = call("documents", "verify", "--keys", signing / "did.json", path, "--json")
    assert told.code == EXIT_OK
    assert told.data["files"][0]["verdict"] == "verified"
    path.write_text(path.read_text().replace('"3.48"', '"3.99"'))
    assert call("documents", "verify", "--keys", signing / "did.json", path).code == EXIT_ERROR


def test_after_a_new_key_old_credentials_verify_as_long_as_the_old_key_is_named(signing, call):
    credentials(call, *COMPETENCIES)
    old = call("documents", "key", "show", "--json").data["keys"][0]
    call("documents", "key", "new", "secrets/new.pem")
    changed = DISTRICT + 'credentials: {key: "${file:secrets/new.pem}", former_keys: [%s]}\n'
    (signing / "gateway.yaml").write_text(changed % "")
    assert call("documents", "verify", issued(signing, "json")).code == EXIT_WARNINGS
    (signing / "gateway.yaml").write_text(changed % old)
    assert call("documents", "verify", issued(signing, "json")).code == EXIT_OK


def test_a_school_with_an_address_publishes_its_keys_there(signing, call):
    (signing / "gateway.yaml").write_text(
        DISTRICT + 'credentials: {key: "${file:secrets/key.pem}", issuer: "did:web:lakeside.example.org"}\n'
    )
    answer = call("documents", "key", "show", "--out", "did.json")
    assert "https://lakeside.example.org/.well-known/did.json" in answer.out
    credentials(call, *COMPETENCIES)
    assert call("documents", "verify", "--keys", "did.json", issued(signing, "json")).code == EXIT_OK


def test_a_key_is_private_and_its_absence_is_told(folder, call):
    assert "documents key new" in credentials(call, *COMPETENCIES).err
    call("documents", "key", "new", "key.pem")
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert "never overwritten" in call("documents", "key", "new", "key.pem").err
    assert call("documents", "key", "show").code == EXIT_ERROR


def test_a_key_in_plain_text_is_refused(folder, call):
    (folder / "gateway.yaml").write_text(DISTRICT + "credentials: {key: MC4CAQAwBQYDK2VwBCIEIA}\n")
    answer = call("documents", "key", "show")
    assert answer.code == EXIT_ERROR
    assert "plain text" in answer.err
    assert "MC4CAQ" not in answer.err


def test_one_bad_file_does_not_hide_the_others(signing, call):
    credentials(call, *COMPETENCIES)
    (signing / "bad.json").write_text('{"a": 1, "a": 2}')
    (signing / "letter.pdf").write_bytes(b"%PDF-1.7")
    answer = call("documents", "verify", "bad.json", "letter.pdf", issued(signing, "json"))
    assert answer.code == EXIT_ERROR
    assert [line for line in answer.out.splitlines() if "VERIFIED" in line and not line.startswith(" ")][2].endswith(
        "VERIFIED: unchanged, and signed by an issuer that is known here."
    )
