"""PESC transcripts: valid against the published schema whatever stands in them, in order, with nothing invented."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.core.errors import ConfigurationError, DataError
from gateway.core.gpa.compute import Period, compute_gpa, prepare_courses
from gateway.documents.pesc.document import make_transcript, person_of, ranks_of, read_organization
from gateway.documents.pesc.order import NAMESPACE, ORDER, order_problems
from gateway.documents.pesc.record import build_record
from gateway.documents.pesc.schema import check_against, load_schema, schema_faults
from gateway.documents.pesc.transcript import (
    ID_LENGTHS,
    Course,
    Organization,
    Person,
    Proficiency,
    Session,
    Summary,
    Transcript,
)
from gateway.documents.pesc.words import BASIS, CREDIT_UNITS, GRADES, LEVELS, STATUSES, session_of
from gateway.documents.pesc.write import clean, parser, write_transcript
from tests.documents.conftest import AS_OF, computed, frame, policy, transcript

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCHOOL = Organization("ATP", "460000", "Lakeside High School")
COLLEGE = Organization("OPEID", "00123400", "State University")
KINDS = ("NonWeighted", "Weighted", "UserDefined")
REPEATS = ("", "RepeatCounted", "RepeatNotCounted", "ReplacementCounted", "ReplacedNotCounted")


@pytest.fixture(scope="module")
def schema(shared_data):
    return load_schema(shared_data / "pesc")


texts = st.text(max_size=90)
notes = st.lists(st.text(max_size=200), max_size=2).map(tuple)
days = st.none() | st.dates(date(1990, 1, 1), date(2040, 1, 1))
numbers = st.decimals(0, 999, places=3).map(lambda number: f"{number:f}")
maybe_numbers = st.just("") | numbers
organizations = st.sampled_from(sorted(ID_LENGTHS.items())).flatmap(
    lambda kind: st.builds(
        Organization, st.just(kind[0]), st.text("0123456789", min_size=kind[1][0], max_size=kind[1][1]),
        st.text("abc ü&<>", min_size=1, max_size=90).filter(str.strip),
    )
)  # fmt: skip
people = st.builds(Person, texts, texts, texts, texts, texts, texts, days)
summaries = st.builds(
    Summary, st.sampled_from(KINDS), numbers, numbers, numbers, numbers, maybe_numbers, maybe_numbers,
    st.none() | st.integers(1, 9999), st.none() | st.integers(1, 9999), notes,
)  # fmt: skip
proficiencies = st.builds(Proficiency, texts, texts, st.none() | st.booleans(), days, notes)
courses = st.builds(
    Course, st.sampled_from(["Regular", "HighSchoolTransferCredit", *BASIS.values()]), st.sampled_from(CREDIT_UNITS),
    maybe_numbers, maybe_numbers, texts, st.sampled_from(["", "TransferNoGrade", *STATUSES.values()]),
    st.sampled_from(REPEATS), maybe_numbers, st.sampled_from(["", *LEVELS.values()]),
    st.sampled_from(["", "Applicable", "Weighted", "NotApplicable"]), texts, texts, days,
    st.lists(proficiencies, max_size=2).map(tuple), notes,
)  # fmt: skip
levels = st.sampled_from(["", *GRADES.values()])
years = st.integers(1995, 2035)
words = st.sampled_from(["", "S1", "Fall", "Spring", "Q3", "T2", "Summer", "Block Ä", "winter term"])


@st.composite
def sessions(draw):
    year, term = draw(years), draw(words)
    kind, designator = session_of(year, term)
    taken, summed = draw(st.lists(courses, max_size=3)), draw(st.lists(summaries, max_size=1))
    named = term or "Full year"
    return Session(designator, named, kind, f"{year - 1}-{year}", draw(levels), tuple(taken), tuple(summed))


transcripts = st.builds(
    Transcript, st.text("0123456789ABCDEF", min_size=1, max_size=35), st.just(NOON), organizations, organizations,
    people, levels, st.lists(summaries, max_size=3).map(tuple), st.lists(sessions(), max_size=3).map(tuple),
    st.lists(courses, max_size=2).map(tuple), st.booleans(), st.booleans(), notes,
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(transcripts)
def test_every_transcript_is_valid_by_the_published_schema(schema, made):
    content = write_transcript(made)
    assert not content.startswith(b"\xef\xbb\xbf")
    assert schema_faults(schema, content) == []


def words_of(root):
    """All text of a document, notes joined; cut texts stand in them in full."""
    return " ".join(" ".join(root.itertext()).split())


@settings(max_examples=40)
@given(courses, people)
def test_no_text_is_lost(course, person):
    made = Transcript("D1", NOON, SCHOOL, COLLEGE, person, "", (), (), (course,))
    said = words_of(etree.fromstring(write_transcript(made), parser()))
    kept = [course.grade, course.title, course.number, person.student_id, person.first, person.last, person.suffix]
    for text in kept:
        assert "".join(clean(text).split()).upper().rstrip(".") in "".join(said.split()).upper()


def small(**changes):
    """A transcript with a bit of everything."""
    reads = Proficiency("ELA.1", "Reads", True, date(2026, 4, 1), ("Level 4",))
    course = Course("Regular", "Units", "1", "1", "A", "Completed", "", "4", "Honors", "Weighted", "ENG9", "English 9",
                    date(2026, 5, 1), (reads,))  # fmt: skip
    summary = Summary("Weighted", "4.500", "0.000", "5.000", "1", "1", "4.5", 1, 20, ("Rule x",))
    session = Session("2025-08", "S1", "Semester", "2025-2026", "NinthGrade", (course,), (summary,))
    given = {"summaries": (summary,), "sessions": (session,), "courses": (course,), "notes": ("Note",)} | changes
    return Transcript("D1", NOON, SCHOOL, COLLEGE, Person("1", "Ada", "", "Lovelace"), "NinthGrade", **given)


def root_of(made):
    return etree.fromstring(write_transcript(made), parser())


def test_only_the_root_is_qualified_and_nothing_has_an_attribute():
    root = root_of(small())
    assert root.tag == f"{{{NAMESPACE}}}HighSchoolTranscript"
    for element in root.iterdescendants():
        assert "{" not in element.tag
        assert not element.attrib


def test_the_social_security_number_has_no_place():
    names = {entry.split()[0] for children in ORDER.values() for entry in children}
    assert not {"SSN", "PartialSSN", "Gender", "RaceEthnicity"} & names


def swapped(root):
    person = root.find("Student/Person")
    person.append(person[0])


def emptied(root):
    root.find("Student/Person/Name/FirstName").text = " "


def with_exponent(root):
    root.find(".//GPA/GradePointAverage").text = "4E+0"


def qualified(root):
    root.find("Student").tag = f"{{{NAMESPACE}}}Student"


def without_range(root):
    gpa = root.find(".//GPA")
    gpa.remove(gpa.find("GPARangeMaximum"))


def with_number(root):
    etree.SubElement(root.find("Student/Person"), "SSN").text = "123456789"


def twice(root):
    detail = root.find(".//AcademicSessionDetail")
    detail.insert(0, copy.deepcopy(detail[0]))


def without_offset(root):
    root.find("TransmissionData/CreatedDateTime").text = "2026-06-01T12:00:00"


def with_comment(root):
    root.append(etree.Comment("x"))


@pytest.mark.parametrize(
    "spoil",
    [swapped, emptied, with_exponent, qualified, without_range, with_number, twice, without_offset, with_comment],
)
def test_our_own_check_finds_what_breaks_the_standard(spoil):
    root = root_of(small())
    assert order_problems(root) == []
    spoil(root)
    assert order_problems(root)


def test_our_order_is_that_of_the_schema(schema):
    """Each element alone and all of them together are valid where our table has them."""
    content = write_transcript(small())
    assert schema_faults(schema, content) == []
    root = etree.fromstring(content, parser())
    session = root.find(".//AcademicSession")
    session.insert(0, session[-1])
    broken = etree.tostring(root)
    assert schema_faults(schema, broken)
    assert order_problems(etree.fromstring(broken, parser()))


def test_an_invalid_transcript_is_told_by_line_and_rule_never_by_value(schema):
    content = write_transcript(small()).replace(b"<FirstName>Ada<", b"<FirstName>" + b"Adalbert" * 9 + b"<")
    with pytest.raises(DataError) as caught:
        check_against(schema, content)
    assert caught.value.code == "pesc.invalid"
    assert "line " in caught.value.message
    assert "FirstName" in caught.value.message
    assert "Adalbert" not in str(caught.value) + caught.value.detail


@pytest.mark.parametrize("text", ["", "<xs", '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'])
def test_a_folder_without_the_schema_is_told(tmp_path, text):
    if text:
        (tmp_path / "a.xsd").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_schema(tmp_path)
    assert caught.value.code == "pesc.schema"


ROWS = [
    ("ENG9", "English 9", "1", "B", "2024", "S1", "9", "", "", "regular"),
    ("ALG1", "Algebra 1", "1", "D", "2024", "S1", "9", "", "", "honors"),
    ("ALG1", "Algebra 1", "1", "A", "2025", "S1", "10", "", "", "honors"),
    ("ART", "Art", "1", "A", "2024", "S2", "9", "", "", "regular"),
    ("ART", "Art", "1", "C", "2025", "S2", "10", "", "", "regular"),
    ("PE", "PE", "0.5", "F", "2025", "S2", "10", "", "", "regular"),
    ("CALC", "Calculus", "1", "", "2026", "", "11", "in_progress", "", "ap"),
    ("FR2", "French 2", "1", "B", "2026", "", "11", "transfer", "", "regular"),
]
COLUMNS = (
    "course_code",
    "title",
    "credit",
    "grade",
    "school_year",
    "term",
    "grade_level",
    "status",
    "repeat_of",
    "level",
)


def record_of(names=("school-weighted", "ncaa-d1"), rows=ROWS, **options):
    frame_ = pl.DataFrame(
        [dict(zip(COLUMNS, row, strict=True)) for row in rows], schema=dict.fromkeys(COLUMNS, pl.String)
    )
    frame_ = frame_.with_columns(pl.lit("s").alias("student_id"), pl.lit("ENG").alias("subject"),
                                 pl.lit("yes").alias("core"))  # fmt: skip
    prepared = prepare_courses(frame_)
    terms = [compute_gpa(policy(name), prepared, as_of=AS_OF, periods=(Period.TERM,)) for name in names[:1]]
    return build_record(computed(names, frame_), prepared, "s", terms=terms, **options), frame_


def courses_of(record):
    return [course for session in record.sessions for course in session.courses]


def test_repeats_credit_and_applicability_are_what_the_first_policy_says():
    record, frame_ = record_of()
    found = [(c.number, c.grade, c.repeat, c.earned, c.applicability) for c in courses_of(record)]
    assert found == [
        ("ENG9", "B", "", "1", "Applicable"),
        ("ALG1", "D", "ReplacedNotCounted", "0", "NotApplicable"),
        ("ART", "A", "", "1", "Applicable"),
        ("ALG1", "A", "ReplacementCounted", "1", "Weighted"),
        ("ART", "C", "RepeatNotCounted", "0", "NotApplicable"),
        ("PE", "F", "", "0", "Applicable"),
        ("CALC", "", "", "", "NotApplicable"),
        ("FR2", "B", "", "1", "Applicable"),
    ]
    (result,) = computed(["school-weighted"], frame_)
    earned = sum(Decimal(course.earned or 0) for course in courses_of(record))
    assert earned == result.gpas["credits_earned"][0]


@pytest.mark.parametrize(
    ("grade", "status", "said", "earned"),
    [
        ("W", "", "Withdrawn", ""),
        ("I", "", "Incomplete", ""),
        ("W", "withdrawn", "Withdrawn", ""),
        ("P", "", "Completed", "1"),
        ("F", "", "Completed", "0"),
        ("B", "audit", "AuditedCourse", ""),
        ("", "in_progress", "InProgress", ""),
    ],
)
def test_what_is_no_grade_is_not_called_completed(grade, status, said, earned):
    row = ("X", "X", "1", grade, "2024", "S2", "9", status, "", "regular")
    policies = () if grade == "I" else ("school-weighted",)  # under which an incomplete waits
    record, _ = record_of(policies, [*ROWS[:1], row])
    assert (courses_of(record)[1].status, courses_of(record)[1].earned) == (said, earned)


def test_class_rank_stands_where_the_policy_ranks_and_the_group_is_large_enough():
    rows = pl.concat([transcript(8, student=f"S{number}") for number in range(12)])
    results = computed(["school-weighted", "ncaa-d1"], rows)
    everybody = [f"S{number}" for number in range(12)]
    groups = pl.DataFrame({"student_id": everybody, "school_id": "HS", "grade_level": "11"})
    assert ranks_of(results, groups, "S3") == {"school-weighted": (1, 12)}
    assert ranks_of(results, groups.head(9), "S3") == {}
    assert ranks_of(results, groups.drop("school_id"), "S3") == {}
    assert ranks_of(results, None, "S3") == {}


def test_each_gpa_has_its_type_its_range_and_its_rule():
    record, _ = record_of(("school-unweighted", "school-weighted", "ncaa-d1"))
    unweighted, weighted, ncaa = record.summaries
    assert [each.kind for each in record.summaries] == list(KINDS)
    assert (unweighted.lowest, unweighted.highest, weighted.highest) == ("0.000", "4.000", "5.000")
    assert weighted.notes[1] == f"Rule school-weighted, version 2026.1, digest {policy('school-weighted').digest[:12]}"
    assert "Estimate: only the NCAA Eligibility Center certifies." in ncaa.notes
    assert any(note.startswith("So far") for note in ncaa.notes)


def test_gpas_are_written_with_the_places_of_their_policy():
    record, frame_ = record_of(("percent",), [("A1", "A", "1", "93.456", "2024", "S1", "9", "", "", "")])
    (result,) = computed(["percent"], frame_)
    assert record.summaries[0].gpa == "93.46" == str(result.gpas["gpa"][0])[:5]
    assert (record.summaries[0].lowest, record.summaries[0].highest) == ("0.00", "100.00")


def test_terms_become_sessions_in_order_with_the_schools_own_gpas():
    record, _ = record_of()
    assert [(s.designator, s.kind, s.school_year, s.student_level, len(s.summaries)) for s in record.sessions] == [
        ("2023-08", "Semester", "2023-2024", "NinthGrade", 1),
        ("2024-01", "Semester", "2023-2024", "NinthGrade", 1),
        ("2024-08", "Semester", "2024-2025", "TenthGrade", 1),
        ("2025-01", "Semester", "2024-2025", "TenthGrade", 1),
        ("2025-08", "FullYear", "2025-2026", "EleventhGrade", 0),
    ]
    assert {each.kind for session in record.sessions for each in session.summaries} == {"Weighted"}
    assert record.student_level == "EleventhGrade"


def test_a_course_of_no_known_year_stands_in_the_record_itself():
    record, _ = record_of(("school-weighted",), [*ROWS, ("MUS", "Music", "1", "A", "", "", "", "", "", "regular")])
    assert [course.number for course in record.courses] == ["MUS"]


def test_without_a_policy_there_is_no_gpa_and_nothing_is_judged():
    record, _ = record_of(())
    assert record.summaries == ()
    assert {(c.earned, c.applicability, c.quality_points) for c in courses_of(record)} == {("", "", "")}


def test_a_gpa_that_waits_is_not_written():
    with pytest.raises(DataError) as caught:
        record_of(rows=[*ROWS, ("BIO", "Biology", "1", "Z", "2025", "S1", "10", "", "", "regular")])
    assert caught.value.code == "documents.pending"
    assert "line 9" in caught.value.message


def test_competencies_become_proficiencies_of_their_course():
    levels = pl.DataFrame({"student_id": ["s", "s", "t"], "course_code": ["ENG9", "ENG9", "ENG9"],
                           "competency": ["ELA.1", "ELA.2", "ELA.3"], "level": ["3.5", None, "4"],
                           "proficient": ["true", "false", "true"],
                           "last_scored_at": ["2024-05-01T10:00:00Z"] * 3})  # fmt: skip
    record, _ = record_of(levels=levels)
    (found,) = courses_of(record)[0].proficiencies
    assert found == Proficiency("ELA.1", "", True, date(2024, 5, 1), ("Level 3.5",))
    with pytest.raises(DataError) as caught:
        record_of(levels=levels.with_columns(pl.lit("NONE").alias("course_code")))
    assert caught.value.code == "pesc.levels"


@pytest.mark.parametrize("code", [frame().code, None])
def test_a_document_carries_its_code_and_a_preview_says_what_it_is(schema, code):
    record, _ = record_of()
    content = {"record": record, "person": Person("s", "Ada", "", "Lovelace"), "source": SCHOOL,
               "destination": COLLEGE, "schema": None}  # fmt: skip
    made = make_transcript(frame(code=code, replaces="AAAA-AAAA-AAAA-AAAA"), content)
    assert schema_faults(schema, made) == []
    data = etree.fromstring(made, parser()).find("TransmissionData")
    told = [data.findtext(name) for name in ("DocumentID", "DocumentProcessCode", "DocumentOfficialCode")]
    if code:
        assert told == [code.replace("-", ""), "PRODUCTION", "Official"]
        assert f"Verification code {code}".encode() in made
    else:
        assert told == ["PREVIEW-20261122T120000", "TEST", "Unofficial"]
    assert data.findtext("CreatedDateTime") == "2026-11-22T12:00:00+00:00"


def test_large_transcripts_are_valid_too(schema):
    names = ("school-weighted", "plus-minus-4.0", "ncaa-d2", "naia")
    rows = transcript(48)
    record = build_record(computed(names, rows), prepare_courses(rows), "S100")
    made = write_transcript(
        Transcript("D", NOON, SCHOOL, COLLEGE, Person("S100", "Ada"), record.student_level, record.summaries,
                   record.sessions, record.courses)
    )  # fmt: skip
    assert schema_faults(schema, made) == []
    assert made.count(b"<Course>") == 48


@pytest.mark.parametrize("text", ["", "ATP", "ATP:12345", "ATP:12345678", "SSN:123456", "ATP:12-456", "CCD:123456"])
def test_a_code_that_the_standard_does_not_know_is_refused(text):
    with pytest.raises(ConfigurationError) as caught:
        read_organization(text, "State University")
    assert caught.value.code == "pesc.organization"


def test_a_name_is_needed_and_a_date_of_birth_only_when_asked_for():
    facts = {"given_name": "Ada", "family_name": "Lovelace", "birth_date": "2008-05-31"}
    assert person_of("1", "Ada Lovelace", facts, birth_date=False).birth is None
    assert person_of("1", "Ada Lovelace", facts, birth_date=True).birth == date(2008, 5, 31)
    assert person_of("1", "Ada", {}, birth_date=False).full == "Ada"
    for name, wrong in (("", {}), ("Ada", {"birth_date": "31.5.2008"})):
        with pytest.raises(DataError) as caught:
            person_of("1", name, wrong, birth_date=True)
        assert caught.value.code == "pesc.person"
        assert "2008" not in caught.value.message.replace("2008-05-31", "")
