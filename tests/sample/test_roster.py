"""A gradebook grown over an existing roster."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gateway.core.errors import DataError, GatewayError, MappingError
from tests.sample.conftest import Grow, Sample
from tests.sample.integrity import dangling

PUBLIC = "oneroster/gospelnerd-1.1/district-medium"
UNCHANGED = ("academicSessions", "orgs", "courses", "classes", "enrollments", "demographics")


@pytest.fixture
def public(shared_data: Path) -> Path:
    return shared_data / PUBLIC


def test_the_roster_is_carried_over_unchanged(grow: Grow, public: Path) -> None:
    grown = grow("grown", roster=public, results_per_student=20)
    for name in UNCHANGED:
        assert grown.read(name).equals(pl.read_csv(public / f"{name}.csv", infer_schema=False)), name
    given = pl.read_csv(public / "users.csv", infer_schema=False)
    users, roles = grown.read("users"), grown.read("roles")
    kept = [column for column in given.columns if column in users.columns]
    assert len(kept) == len(given.columns) - 2
    assert users.select(kept).equals(given.select(kept))
    assert roles.select("userSourcedId", "orgSourcedId").rows() == given.select("sourcedId", "orgSourcedIds").rows()


def test_roles_of_1_1_become_those_of_1_2(grow: Grow, public: Path) -> None:
    roles = grow("grown", roster=public, results_per_student=5).read("roles")
    counts = dict(roles.group_by("role").len().iter_rows())
    assert counts["student"] == 778
    assert counts["teacher"] == 50
    assert counts["siteAdministrator"] + counts.get("districtAdministrator", 0) == 9
    assert set(roles["roleType"]) == {"primary"}


def test_its_students_get_results_in_their_classes_while_they_are_in_them(grow: Grow, public: Path) -> None:
    grown = grow("grown", roster=public)
    assert grown.summary.students == 778
    assert 98 <= grown.summary.rows["results"] / 778 <= 106
    assert grown.summary.as_of == date(2027, 6, 9)
    bad = {record.id for record in grown.summary.bad if record.kind == "unknown_line_item"}
    found = dangling(grown.read, grown.summary.rows)
    assert {key: set(ids) for key, ids in found.items()} == {"results.lineItemSourcedId": bad}
    pairs = grown.read("enrollments").select("classSourcedId", studentSourcedId="userSourcedId")
    results = grown.read("results")
    assert results.join(pairs, on=["classSourcedId", "studentSourcedId"], how="anti").is_empty()


def test_an_existing_framework_takes_the_place_of_our_own(grow: Grow, shared_data: Path) -> None:
    package = shared_data / "case/opensalt/Ordering.json"
    grown = grow("math", roster=shared_data / PUBLIC, framework=package, results_per_student=20)
    assert (grown.folder / "framework.json").read_bytes() == package.read_bytes()
    assert grown.summary.framework == "a33fc64e-5c40-11e7-82c4-3d54268aa9ee"
    items = grown.read("lineItems").join(grown.read("classes"), left_on="classSourcedId", right_on="sourcedId")
    assert set(items["subjects"]) == {"Mathematics"}
    objectives = set(grown.read("lineItemLearningObjectiveIds")["learningObjectiveId"])
    crosswalk = pl.read_csv(grown.folder / "crosswalk.csv", infer_schema=False)
    assert 5 < len(objectives) <= crosswalk.height
    assert 18 <= grown.summary.rows["results"] / 778 <= 23


def test_notes_in_a_framework_are_not_assessed(grow: Grow, shared_data: Path) -> None:
    package = shared_data / "case/smarterbalanced/mockPT__mockPT.json"
    grown = grow("ela", students=100, framework=package, results_per_student=10)
    assert pl.read_csv(grown.folder / "crosswalk.csv", infer_schema=False).height == 30
    items = grown.read("lineItems").join(grown.read("classes"), left_on="classSourcedId", right_on="sourcedId")
    assert set(items["subjects"]) == {"Language Arts"}


# A roster as districts make them -------------------------------------------------------------------------------------

FILES = {
    "academicSessions": "SourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
    "y1,,,Last year,schoolYear,2024-08-01,2025-06-01,,2025\n"
    "y2,,,This year,schoolYear,2025-08-01,2026-06-01,,2026\n"
    "t1,,,Fall,semester,2025-08-01,2026-01-01,y2,2026\n",
    "orgs": "sourcedId,name,type\nd,District,district\ns,School,school\nv,Village School,school\n",
    "classes": "sourcedId,status,title,grades,courseSourcedId,classType,schoolSourcedId,termSourcedIds\n"
    "c1,,Algebra for all,,k1,scheduled,s,y2\n"
    "c2,tobedeleted,Old Biology,09,,scheduled,s,y2\n"
    "c3,,Choir,05,,scheduled,s,y2\n"
    "c4,,Reading group,,,scheduled,v,y2\n",
    "users": "sourcedId,enabledUser,orgSourcedIds,role,username,givenName,familyName,grades\n"
    'u1,true,"s,v",student,one,One,A,07\n'
    "u2,true,s,Student,two,Two,B,07\n"
    "u3,true,d,administrator,three,Three,C,\n"
    "u4,true,s,teacher,four,Four,D,\n",
    "enrollments": "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,endDate\n"
    "e1,c1,s,u1,student,,\n"
    "e2,c1,s,u2,STUDENT,2025-11-03,2026-02-02\n"
    "e3,c1,s,u1,student,,\n"
    "e4,c4,v,u1,student,2025-08-01T00:00:00Z,\n"
    "e5,c2,s,u2,student,,\n"
    "e6,c1,s,u4,teacher,,\n",
}


@pytest.fixture
def village(tmp_path: Path) -> Path:
    folder = tmp_path / "village"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.CSV").write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8")
    return folder


@pytest.fixture
def grown(grow: Grow, village: Path) -> Sample:
    return grow("grown", roster=village, results_per_student=40)


def test_odd_headers_and_roles_are_read(grown: Sample) -> None:
    assert grown.summary.students == 2
    assert 44 <= grown.summary.rows["results"] <= 56
    assert grown.summary.school_year == "2026"
    roles = grown.read("roles").select("userSourcedId", "orgSourcedId", "role", "roleType").rows()
    assert ("u3", "d", "districtAdministrator", "primary") in roles
    assert [row for row in roles if row[0] == "u1"] == [
        ("u1", "s", "student", "primary"),
        ("u1", "v", "student", "secondary"),
    ]


def test_a_gradebook_can_be_grown_in_place(grow: Grow, grown: Sample) -> None:
    users = grown.read("users")
    again = grow("grown", roster=grown.folder / "oneroster", results_per_student=40)
    assert again.read("users").equals(users)
    assert again.summary == grown.summary


def test_only_active_classes_with_a_subject_get_a_gradebook(grown: Sample) -> None:
    assert set(grown.read("lineItems")["classSourcedId"]) == {"c1", "c4"}


def test_results_fall_into_the_time_of_the_enrollment(grown: Sample) -> None:
    items = grown.read("lineItems").select("sourcedId", "dueDate", "academicSessionSourcedId")
    results = grown.read("results").join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    late_comer = results.filter(pl.col("studentSourcedId") == "u2")
    assert late_comer.height > 0
    assert late_comer["dueDate"].is_between(pl.lit("2025-11-03"), pl.lit("2026-02-02"), closed="left").all()
    assert results.filter(pl.col("studentSourcedId") == "u1", pl.col("classSourcedId") == "c1").height > 15
    assert set(items.filter(pl.col("dueDate") < "2026-01-01")["academicSessionSourcedId"]) == {"t1"}


def test_the_day_chooses_the_school_year(grow: Grow, village: Path) -> None:
    earlier = grow("earlier", roster=village, as_of=date(2025, 1, 15), results_per_student=40)
    assert earlier.summary.school_year == "2025"
    assert str(earlier.read("lineItems")["dueDate"].max()) < "2025-06-01"
    assert str(earlier.read("results")["scoreDate"].max()) <= "2025-01-15"


def without(name: str, village: Path) -> None:
    (village / f"{name}.CSV").unlink()


def overwrite(name: str, text: str, village: Path) -> None:
    (village / f"{name}.CSV").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: without("users", folder), "no users.csv"),
        (lambda folder: overwrite("classes", "", folder), "cannot be read as CSV"),
        (lambda folder: overwrite("classes", "id,title\nc1,Algebra\n", folder), "no column sourcedId"),
        (lambda folder: overwrite("classes", FILES["classes"].split("c1")[0], folder), "teaches a subject"),
        (lambda folder: overwrite("academicSessions", "sourcedId,title,type,startDate,endDate\n", folder), "no acad"),
        (lambda folder: overwrite("enrollments", "sourcedId,role\ne1,student\n", folder), "no column classSourcedId"),
    ],
)  # fmt: skip
def test_a_roster_that_cannot_be_used_is_refused_with_the_reason(
    grow: Grow, village: Path, damage: object, said: str
) -> None:
    damage(village)  # type: ignore[operator]
    with pytest.raises(DataError, match=said) as caught:
        grow("refused", roster=village)
    assert caught.value.code == "sample.roster"
    assert caught.value.hint
    assert not (village.parent / "refused" / "oneroster" / "manifest.csv").exists()


@pytest.mark.parametrize("text", ["not json", "{}", '{"CFDocument": {"identifier": "x", "title": "Empty"}}'])
def test_a_framework_that_cannot_be_used_is_refused(grow: Grow, tmp_path: Path, text: str) -> None:
    (tmp_path / "framework.json").write_text(text)
    with pytest.raises((MappingError, DataError)):
        grow("refused", students=100, framework=tmp_path / "framework.json")


def test_students_and_a_roster_exclude_each_other(grow: Grow, village: Path) -> None:
    with pytest.raises(GatewayError) as caught:
        grow("refused", students=100, roster=village)
    assert caught.value.code == "sample.students-and-roster"
