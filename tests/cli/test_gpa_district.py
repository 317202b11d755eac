"""GPAs within a district: courses from a pull, grades from its mapping's levels, and decisions that are kept."""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.store import open_store
from gateway.store.gpa_overrides import kept_overrides
from tests.cli.conftest import Call

DAY = ("--as-of", "2026-07-01")


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gateway.sample import CLEAN, write_sample_district

    out = tmp_path_factory.mktemp("sample")
    write_sample_district(out, seed=3, students=100, mess=CLEAN)
    return out / "oneroster"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def final_grades(folder: Path) -> None:
    """What a gradebook holds at the end of a term: a final line item a class, of a category of its own."""
    rows = {name: rows_of(folder / f"{name}.csv") for name in
            ("categories", "lineItems", "results", "classes", "enrollments", "courses")}  # fmt: skip
    rows["categories"].append({**rows["categories"][0], "sourcedId": "final", "title": "Final Grade"})
    maths = {row["sourcedId"] for row in rows["courses"] if row["courseCode"].startswith("MATH")}
    classes = [row["sourcedId"] for row in rows["classes"] if row["courseSourcedId"] in maths]
    item, result = rows["lineItems"][0], rows["results"][0]
    for number, klass in enumerate(classes):
        rows["lineItems"].append(
            {**item, "sourcedId": f"f{number}", "classSourcedId": klass, "categorySourcedId": "final"}
        )
    students = [row for row in rows["enrollments"] if row["role"] == "student" and row["classSourcedId"] in classes]
    for number, row in enumerate(students[1:]):
        rows["results"].append({
            **dict.fromkeys(result, ""), "sourcedId": f"r{number}", "scoreStatus": "fully graded",
            "lineItemSourcedId": f"f{classes.index(row['classSourcedId'])}", "textScore": "B+",
            "studentSourcedId": row["userSourcedId"], "scoreDate": "2026-06-01",
        })  # fmt: skip
    for name in ("categories", "lineItems", "results"):
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[name][0].keys(), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows[name])


@pytest.fixture(scope="module")
def pulled(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district with one pull, and a catalogue."""
    from gateway.cli.main import main

    folder = tmp_path_factory.mktemp("district")
    assert main(["init", str(folder), "--id", "lakeside"]) == 0
    incoming = folder / "incoming"
    incoming.mkdir(exist_ok=True)
    for path in delivered.iterdir():
        (incoming / path.name).write_bytes(path.read_bytes())
    final_grades(incoming)
    assert main(["--district", str(folder / "gateway.yaml"), "pull"]) in (0, 3)
    codes = sorted({row["courseCode"] for row in rows_of(incoming / "courses.csv")})
    (folder / "catalogue.csv").write_text("course_code,credit\n" + "".join(f"{code},1\n" for code in codes))
    return folder


@pytest.fixture
def gpa(call: Call, pulled: Path) -> Any:
    """Runs a ``gpa`` command in the district."""
    return lambda *words: call("--district", pulled / "gateway.yaml", "gpa", *words)


def read(path: str) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def test_levels_of_the_mapping_become_grades(gpa: Any, call: Call, pulled: Path) -> None:
    line = ("--sync", "nightly", "--from-levels", "--catalogue", pulled / "catalogue.csv", "--out", "g.csv", "--trace")
    answer = gpa("compute", "school-unweighted", "--convert-by", "champlain-valley", *line, *DAY)
    assert answer.code in (0, 3), answer.err
    assert "course attempts from the pull" in answer.out
    trace = read("g.trace.csv")
    mapping = pulled / "mappings/schools/lakeside.yaml"
    call("--district", pulled / "gateway.yaml", "map", "apply", mapping, "--out", "levels", *DAY)
    levels = read("levels/levels.csv").drop_nulls("level")
    maths = levels.filter(pl.col("competency").str.starts_with("MATH")).group_by("student_id").agg("level")
    graded = trace.filter(pl.col("course_code").str.starts_with("MATH"), pl.col("grade").is_not_null())
    assert graded.height > 20
    for row in graded.join(maths, on="student_id").iter_rows(named=True):
        known = [Decimal(level) for level in row["level_right"]]
        mean = (sum(known) / len(known)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        bands = [("3.5", "A"), ("3.25", "A-"), ("3", "B+"), ("2.75", "B"), ("2.5", "B-"), ("2", "C"), ("1.5", "D")]
        assert row["grade"] == next((grade for least, grade in bands if mean >= Decimal(least)), "NC")
    assert not any(code.startswith("HR") for code in trace["course_code"])


def test_final_grades_of_the_gradebook_become_a_gpa(gpa: Any, pulled: Path) -> None:
    line = ("compute", "plus-minus-4.33", "--sync", "nightly", "--final-grades", "final grade", "--out", "g.csv")
    answer = gpa(*line, "--catalogue", pulled / "catalogue.csv", *DAY)
    found = read("g.csv")
    assert answer.code == 3
    assert found["state"].value_counts(sort=True)["state"].to_list() == ["computed", "pending"]
    assert found.filter(state="computed")["gpa"].unique().to_list() == ["3.33"]
    assert read("g.problems.csv")["code"].to_list() == ["grade-missing"]
    early = gpa(*line, "--catalogue", pulled / "catalogue.csv", "--as-of", "2026-02-01")
    assert early.code == 0
    assert read("g.csv")["state"].to_list().count("no_courses") == 1
    wrong = gpa(*line[:5], "Exams", "--out", "g.csv")
    assert (wrong.code, "Final Grade" in wrong.err) == (1, True)
    assert gpa(*line[:4], "--out", "g.csv").code == 2


def test_decisions_are_kept_shown_and_withdrawn(gpa: Any, tmp_path: Path, pulled: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "student_id,course_code,grade,credit,school_year\na,ENG,F,1,2025-2026\nb,ENG,B,1,2026\nc,ART,C,1,2026\n"
    )
    (tmp_path / "o.csv").write_text(
        "student_id,policy,gpa,course_code,school_year,column,value,person,reason,on\n"
        "a,,,ENG,2026,grade,A,R. Registrar,wrong scan,2026-06-01\n"
        "b,school-unweighted,3.9,,,,,R. Registrar,transfer record,2026-06-02\n"
        "c,,,MUS,,grade,A,R. Registrar,wrong scan,\n"
    )
    assert gpa("override", "record", "o.csv").code == 0
    assert gpa("override", "record", "o.csv", "--json").data["numbers"] == [1, 2, 3]
    line = ("compute", "school-unweighted", "tilton", "--courses", "c.csv", "--out", "g.csv", "--approximate", *DAY)
    assert gpa(*line).code == 3
    shown = ("gpa", "state", "reason")
    found = read("g.csv").filter(policy="school-unweighted").select(shown).rows()
    assert found[0] == ("4.000", "computed", "ENG 2026 overridden by R. Registrar on 2026-06-01: wrong scan")
    assert found[1] == ("3.900", "overridden", "overridden by R. Registrar on 2026-06-02: transfer record (computed: "
                                               "3.000)")  # fmt: skip
    assert found[2][:2] == (None, "pending")
    assert "An override names MUS, which fits 0 courses" in str(found[2][2])
    assert read("g.csv").filter(policy="tilton", student_id="b").select("gpa", "state").row(0) == (
        "3.0", "approximation")  # fmt: skip
    explained = gpa("explain", "school-unweighted", "--courses", "c.csv", "--student", "a", *DAY).out
    assert "[overridden by R. Registrar on 2026-06-01: wrong scan (grade was F)]" in explained
    assert gpa("override", "withdraw", "2", "--by", "H. Head", "--reason", "error").code == 0
    gpa(*line)
    assert read("g.csv").filter(student_id="b")["state"].to_list() == ["computed", "approximation"]
    assert "withdrawn by H. Head: error" in gpa("override", "list", "--all").out
    assert "withdrawn" not in gpa("override", "list").out
    assert gpa("override", "withdraw", "2", "--by", "H. Head", "--reason", "error").code == 1
    store = open_store(f"sqlite:///{pulled / 'data' / 'gateway.db'}")
    assert [each.number for each in kept_overrides(store, "lakeside")] == [1, 3]
    store.close()


@pytest.mark.parametrize(("policy", "said"), [("tilton", "aggregates no GPA"), ("tiltn", 'Did you mean "tilton"?')])
def test_a_gpa_that_is_never_stored_is_not_decided_upon(gpa: Any, tmp_path: Path, policy: str, said: str) -> None:
    before = gpa("override", "list", "--json").data
    (tmp_path / "o.csv").write_text(
        f"student_id,policy,gpa,person,reason\nb,school-unweighted,3.9,R. R.,because\nb,{policy},4.0,R. R.,please\n"
    )
    answer = gpa("override", "record", "o.csv")
    assert (answer.code, said in answer.err) == (1, True), answer.err
    assert gpa("override", "list", "--json").data == before


def test_a_mastery_transcript_is_made_from_a_pull(call: Call, tmp_path: Path, pulled: Path) -> None:
    district, mapping = ("--district", pulled / "gateway.yaml"), pulled / "mappings/schools/lakeside.yaml"
    call(*district, "map", "apply", mapping, "--out", "levels")
    student = read("levels/levels.csv")["student_id"][0]
    release = ("--preview", "--to", "U", "--purpose", "p", "--by", "R. R.")
    line = (*district, "documents", "mastery-transcript", mapping, "--student", student, *release)
    answer = call(*line, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert len(list((tmp_path / "out").glob("*.pdf"))) == 1


EDFI = """\
connections:
  ods:
    connector: edfi
    settings:
      base_url: http://127.0.0.1:9
      auth: {client_id: "${file:nobody}", client_secret: "${file:nobody}"}
      target:
        gpa: {types: {champlain-valley: Weighted}}
        transcripts: {write: true}
"""


def test_courses_of_the_levels_of_a_mapping_can_be_sent(call: Call, pulled: Path) -> None:
    text = (pulled / "gateway.yaml").read_text(encoding="utf-8")
    (pulled / "edfi.yaml").write_text(text.replace("connections:\n", EDFI, 1), encoding="utf-8")
    (pulled / "nobody").write_text("nobody", encoding="utf-8")
    (pulled / "nobody").chmod(0o600)
    line = ("champlain-valley", "--sync", "nightly", "--from-levels", "--catalogue", pulled / "catalogue.csv",
            "--target", "ods", "--school", "255901001", "--dry-run", *DAY)  # fmt: skip
    district = ("--district", pulled / "edfi.yaml", "gpa")
    attempts = call(*district, "push-transcripts", *line, "--json")
    assert attempts.code == 0, attempts.err
    assert attempts.data["plan"]["counts"]["course_attempts"]["create"] > 100
    gpas = call(*district, "push", *line, "--school-year", "2026", "--term", "Spring", "--json")
    assert gpas.code == 0, gpas.err
    assert gpas.data["plan"]["counts"]["gpas"]["create"] > 50
    assert "takes no transcripts" in call(*district, "push-transcripts", *line[:5], *line[7:], "--target", "sis",
                                          "--catalogue", pulled / "catalogue.csv").err  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,school-unweighted,3.9,,,, ,because", "needs a person and a reason"),
        ("a,,3.9,,,,R. R.,because", "names no policy"),
        ("a,school-unweighted,high,,,,R. R.,because", "cannot be read"),
        ("a,school-unweighted,3.9,ENG,grade,A,R. R.,because", "either the GPA"),
        ("a,,,ENG,colour,red,R. R.,because", "no column colour"),
        (",school-unweighted,3.9,,,,R. R.,because", "names no student"),
    ],
)
def test_no_decision_without_person_and_reason(gpa: Any, tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "o.csv").write_text(f"student_id,policy,gpa,course_code,column,value,person,reason\n{row}\n")
    answer = gpa("override", "record", "o.csv")
    assert (answer.code, "o.csv:2:" in answer.err, said in answer.err) == (1, True, True), answer.err
