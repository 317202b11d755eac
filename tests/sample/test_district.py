"""The made-up district: complete, plausible, and as messy as was asked for."""

from __future__ import annotations

import csv
import json
from datetime import date

import polars as pl
import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.oneroster import CSV_FILES, MANIFEST_HEADER
from gateway.sample import CLEAN, Mess
from gateway.sample.mess import BAD
from tests.sample.conftest import Grow, Sample
from tests.sample.integrity import dangling

EXPECTED_FILES = {
    "academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments", "demographics", "categories",
    "lineItems", "results", "scoreScales", "lineItemLearningObjectiveIds", "lineItemScoreScales",
    "resultLearningObjectiveIds", "resultScoreScales",
}  # fmt: skip
FOUR_POINT = {"0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4"}


def of_kind(sample: Sample, kind: str) -> set[str]:
    return {record.id for record in sample.summary.bad if record.kind == kind}


def every_bad(sample: Sample) -> list[str]:
    return [record.id for record in sample.summary.bad]


def good_results(sample: Sample) -> pl.DataFrame:
    return sample.read("results").filter(~pl.col("sourcedId").is_in(every_bad(sample)))


# The bundle ----------------------------------------------------------------------------------------------------------


def test_the_bundle_has_all_files_with_the_headers_of_the_binding(district: Sample) -> None:
    folder = district.folder / "oneroster"
    assert {path.stem for path in folder.iterdir()} == EXPECTED_FILES | {"manifest"}
    for name in EXPECTED_FILES:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert tuple(next(csv.reader(file))) == CSV_FILES["1.2"][name].header


def test_the_manifest_names_what_is_there(district: Sample) -> None:
    with (district.folder / "oneroster/manifest.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    values = dict(rows)
    assert tuple(header) == MANIFEST_HEADER
    assert values["oneroster.version"] == "1.2"
    assert {key[5:] for key, value in values.items() if value == "bulk"} == EXPECTED_FILES


def test_the_summary_counts_the_rows_of_every_file(district: Sample) -> None:
    written = json.loads((district.folder / "summary.json").read_text())
    assert written == district.summary.as_dict()
    assert district.summary.rows == {name: district.read(name).height for name in sorted(EXPECTED_FILES)}
    assert district.summary.students == 700
    assert district.read("users").filter(pl.col("grades").is_not_null()).height == 700


def test_ids_are_unique_but_for_planted_duplicates(district: Sample) -> None:
    for name in EXPECTED_FILES:
        ids = district.read(name)["sourcedId"]
        doubled = set(ids.filter(ids.is_duplicated()))
        planted = of_kind(district, "duplicate_same") | of_kind(district, "duplicate_changed")
        assert doubled == (planted if name == "results" else set())


def test_only_planted_records_refer_to_nowhere(district: Sample) -> None:
    found = dangling(district.read, district.summary.rows)
    assert {key: set(ids) for key, ids in found.items()} == {
        "results.lineItemSourcedId": of_kind(district, "unknown_line_item")
    }


def test_bulk_rows_have_neither_status_nor_date(district: Sample) -> None:
    for name in EXPECTED_FILES:
        assert district.read(name).select("status", "dateLastModified").null_count().row(0) == (
            district.summary.rows[name],
        ) * 2  # fmt: skip


# The roster ----------------------------------------------------------------------------------------------------------


def test_sessions_tile_the_school_year_with_exclusive_ends(district: Sample) -> None:
    sessions = district.read("academicSessions")
    year = sessions.filter(pl.col("type") == "schoolYear").row(0, named=True)
    assert set(sessions["schoolYear"]) == {year["endDate"][:4]} == {"2026"}
    for kind in ("term", "gradingPeriod"):
        parts = sessions.filter(pl.col("type") == kind).sort("startDate")
        edges = [*parts["startDate"], year["endDate"]]
        assert edges[0] == year["startDate"]
        assert parts["endDate"].to_list() == edges[1:]


def test_classes_are_of_plausible_size_and_mostly_full_year(district: Sample) -> None:
    classes = district.read("classes").filter(pl.col("termSourcedIds").is_not_null())
    sizes = (
        district.read("enrollments")
        .filter(pl.col("role") == "student")
        .join(classes, left_on="classSourcedId", right_on="sourcedId", how="semi")
        .group_by("classSourcedId")
        .len()["len"]
    )
    assert len(sizes) == classes.height
    assert int(sizes.max() or 0) <= 32
    assert float(sizes.mean() or 0) > 12
    assert classes["termSourcedIds"].str.contains(",").mean() == pytest.approx(5 / 6)
    assert set(classes["classType"]) == {"homeroom", "scheduled"}


def test_enrollments_lie_within_the_terms_of_their_class(district: Sample) -> None:
    terms = district.read("academicSessions").select("sourcedId", "startDate", "endDate")
    classes = (
        district.read("classes")
        .select("sourcedId", term=pl.col("termSourcedIds").str.split(","))
        .explode("term")
        .join(terms, left_on="term", right_on="sourcedId")
        .group_by("sourcedId")
        .agg(pl.col("startDate").min(), pl.col("endDate").max())
    )
    rows = district.read("enrollments").join(classes, left_on="classSourcedId", right_on="sourcedId", suffix="_term")
    assert (rows["beginDate"] >= rows["startDate"]).all()
    assert (rows["endDate"] <= rows["endDate_term"]).all()
    assert (rows["beginDate"] < rows["endDate"]).all()
    assert rows["endDate"].n_unique() > 3


def test_schools_have_a_principal_a_counselor_and_a_teacher_for_every_class(district: Sample) -> None:
    roles, orgs = district.read("roles"), district.read("orgs")
    schools = orgs.filter(pl.col("type") == "school")
    assert schools.height == 4
    for role in ("principal", "counselor"):
        assert set(roles.filter(pl.col("role") == role)["orgSourcedId"]) == set(schools["sourcedId"])
    primary = district.read("enrollments").filter(pl.col("primary") == "true")
    classes = district.read("classes").filter(pl.col("termSourcedIds").is_not_null())
    assert sorted(primary["classSourcedId"]) == sorted(classes["sourcedId"])


def test_everyone_has_a_role_and_every_student_demographics(district: Sample) -> None:
    users, roles = district.read("users"), district.read("roles")
    assert set(roles["userSourcedId"]) == set(users["sourcedId"])
    students = roles.filter(pl.col("role") == "student")["userSourcedId"]
    assert set(district.read("demographics")["sourcedId"]) == set(students)
    assert users["username"].is_unique().all()
    assert users["email"].str.contains(r"^[a-z0-9.-]+@lakeside\.example$").all()


def test_movers_leave_one_school_on_the_day_they_enter_the_other(district: Sample) -> None:
    roles = district.read("roles").filter(pl.col("role") == "student")
    left = roles.filter(pl.col("endDate").is_not_null())
    entered = roles.filter(pl.col("beginDate").is_not_null())
    assert left.height == entered.height == district.summary.planted["mover"] > 0
    both = left.join(entered, on="userSourcedId")
    assert (both["endDate"] == both["beginDate_right"]).all()
    assert (both["orgSourcedId"] != both["orgSourcedId_right"]).all()
    results = good_results(district).join(both.select("userSourcedId", day="endDate"),
                                          left_on="studentSourcedId", right_on="userSourcedId")  # fmt: skip
    items = district.read("lineItems").select("sourcedId", "dueDate", "schoolSourcedId")
    results = results.join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    results = results.join(both.select("userSourcedId", old="orgSourcedId"), left_on="studentSourcedId",
                           right_on="userSourcedId")  # fmt: skip
    before = results["schoolSourcedId"] == results["old"]
    assert before.any() and not before.all()
    assert (before == (results["dueDate"] < results["day"])).all()


# The gradebook -------------------------------------------------------------------------------------------------------


def test_results_are_about_as_many_as_asked_for(year: Sample, district: Sample) -> None:
    assert 100 <= year.summary.rows["results"] / 150 <= 106
    assert 29 <= district.summary.rows["results"] / 700 <= 33


def test_scores_are_on_the_scale_of_their_line_item(year: Sample) -> None:
    items = year.read("lineItems").select("sourcedId", "resultValueMin", "resultValueMax", "title")
    results = good_results(year).join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    four = results.filter(pl.col("resultValueMax") == "4")["score"].drop_nulls()
    assert set(four) == FOUR_POINT
    percent = results.filter(pl.col("resultValueMax") == "100")["score"].drop_nulls().cast(pl.Int64)
    assert 40 <= int(str(percent.min())) < int(str(percent.max())) <= 100
    letters = results.filter(pl.col("resultValueMax").is_null(), pl.col("scoreStatus") == "fully graded")
    assert letters["score"].null_count() == letters.height > 0
    scales = year.read("scoreScales")["scoreScaleValue"]
    assert all(f"{{{letter}:" in scales[0] for letter in set(letters["textScore"]))
    assert set(year.read("resultScoreScales")["resultSourcedId"]) == set(letters["sourcedId"])


def test_line_items_are_due_in_their_session_and_scored_after(year: Sample) -> None:
    sessions = year.read("academicSessions").select("sourcedId", "startDate", "endDate", "type")
    items = year.read("lineItems").join(sessions, left_on="academicSessionSourcedId", right_on="sourcedId")
    assert set(items["type"]) == {"gradingPeriod"}
    assert ((items["startDate"] <= items["dueDate"]) & (items["dueDate"] < items["endDate"])).all()
    assert (items["assignDate"] <= items["dueDate"]).all()
    assert (items["dueDate"].str.to_date().dt.weekday() <= 5).all()
    results = good_results(year).join(items.select("sourcedId", "dueDate"), left_on="lineItemSourcedId",
                                      right_on="sourcedId")  # fmt: skip
    assert (results["scoreDate"] >= results["dueDate"]).all()
    assert str(results["scoreDate"].max()) <= "2026-06-05"


def test_four_line_items_in_five_name_targets_and_the_others_a_local_code(year: Sample) -> None:
    items = year.read("lineItems").select("sourcedId", "title")
    links = year.read("lineItemLearningObjectiveIds")
    linked = items.join(links, left_on="sourcedId", right_on="lineItemSourcedId", how="semi")
    coded = items.join(links, left_on="sourcedId", right_on="lineItemSourcedId", how="anti")
    assert 0.75 < linked.height / items.height < 0.88
    assert set(links.group_by("lineItemSourcedId").len()["len"]) == {1, 2, 3}
    assert not linked["title"].str.contains("[", literal=True).any()
    crosswalk = pl.read_csv(year.folder / "crosswalk.csv", infer_schema=False)
    codes = coded.select(pl.col("title").str.extract(r"\[(.+)\]$"))
    assert codes.join(crosswalk, left_on="title", right_on="standard", how="anti").is_empty()


def test_targets_are_items_of_the_framework(year: Sample) -> None:
    package = json.loads((year.folder / "framework.json").read_text())
    items = {f"urn:uuid:{item['identifier']}": item["humanCodingScheme"] for item in package["CFItems"]}
    for name in ("lineItemLearningObjectiveIds", "resultLearningObjectiveIds"):
        links = year.read(name)
        assert set(links["learningObjectiveId"]) <= set(items)
        assert set(links["source"]) == {"case"}
    crosswalk = pl.read_csv(year.folder / "crosswalk.csv", infer_schema=False)
    assert crosswalk.columns == ["standard", "competency", "weight"]
    assert set(crosswalk["competency"]) <= set(items.values())


def test_tasks_are_scored_on_each_of_their_targets(year: Sample) -> None:
    scores = year.read("resultLearningObjectiveIds")
    assert set(scores["score"]) <= FOUR_POINT
    assert scores.group_by("resultSourcedId").len()["len"].min() == 3
    wanted = year.read("lineItemLearningObjectiveIds").select("lineItemSourcedId", "learningObjectiveId")
    results = year.read("results").select(resultSourcedId="sourcedId", lineItemSourcedId="lineItemSourcedId")
    given = scores.join(results, on="resultSourcedId").select("lineItemSourcedId", "learningObjectiveId")
    assert given.join(wanted, on=["lineItemSourcedId", "learningObjectiveId"], how="anti").is_empty()


def test_students_grow_over_the_year_and_differ_in_level(year: Sample) -> None:
    items = year.read("lineItems").filter(pl.col("resultValueMax") == "4").select("sourcedId", "dueDate")
    results = good_results(year).join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    results = results.with_columns(pl.col("score").cast(pl.Float64), half=pl.col("dueDate") < "2026-01-15")
    first, second = (results.filter(half)["score"].mean() for half in (pl.col("half"), ~pl.col("half")))
    assert float(str(second)) - float(str(first)) > 0.3
    means = results.group_by("studentSourcedId").agg(pl.col("score").mean())["score"]
    assert float(str(means.max())) - float(str(means.min())) > 1


# The mess ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", ["district", "year"])
def test_planted_counts_are_what_is_in_the_files(sample: str, request: pytest.FixtureRequest) -> None:
    found: Sample = request.getfixturevalue(sample)
    results = found.read("results").unique("sourcedId")
    items = found.read("lineItems").select("sourcedId", "title")
    titled = results.join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    enrollments = found.read("enrollments").filter(pl.col("role") == "student")
    club = of_kind(found, "class_without_term")
    enrollments = enrollments.filter(~pl.col("classSourcedId").is_in(list(club)))
    teachers = found.read("enrollments").filter(pl.col("role") == "teacher")
    counted = {
        "late": results.filter(pl.col("late") == "true").height,
        "excused": results.filter(pl.col("scoreStatus") == "exempt").height,
        "missing": results.filter(pl.col("missing") == "true").height,
        "ungraded": results.filter(pl.col("scoreStatus") == "submitted").height,
        "retake": titled.filter(pl.col("title").str.contains("(re-take)", literal=True)).height,
        "co_taught": teachers.filter(pl.col("primary") == "false")["classSourcedId"].n_unique(),
        "mover": found.read("roles").filter(pl.col("endDate").is_not_null()).height,
        "blank_begin": enrollments["beginDate"].null_count(),
        "blank_end": enrollments["endDate"].null_count(),
    }
    assert counted == {kind: found.summary.planted[kind] for kind in counted}
    for kind in ("late", "excused", "missing", "retake", "co_taught", "blank_begin", "blank_end"):
        assert counted[kind] > 0


def test_work_without_a_score_has_none_and_says_why(year: Sample) -> None:
    results = good_results(year)
    for status in ("exempt", "not submitted", "submitted"):
        rows = results.filter(pl.col("scoreStatus") == status)
        assert rows.height > 0
        assert rows["score"].null_count() == rows["textScore"].null_count() == rows.height
    assert (results.filter(pl.col("late") == "true")["scoreStatus"] == "fully graded").all()
    assert (results.filter(pl.col("missing") == "true")["scoreStatus"] == "not submitted").all()


def test_a_retake_comes_after_a_low_score_for_the_same_targets(grow: Grow) -> None:
    sample = grow("retakes", students=100, mess=Mess(**dict.fromkeys(BAD, 0)))
    items = sample.read("lineItems").select("sourcedId", "title", "dueDate", "classSourcedId")
    results = sample.read("results").select("lineItemSourcedId", "studentSourcedId", "score")
    titled = results.join(items, left_on="lineItemSourcedId", right_on="sourcedId")
    again = titled.filter(pl.col("title").str.contains("(re-take)", literal=True))
    again = again.with_columns(pl.col("title").str.replace(" (re-take)", "", literal=True))
    first = titled.join(again, on=["title", "classSourcedId", "studentSourcedId"], suffix="_again")
    assert first.height == again.height > 0
    assert (first["dueDate"] < first["dueDate_again"]).all()
    assert (first["score"].drop_nulls().cast(pl.Float64) < 3).all()


def test_bad_records_are_what_their_kind_says(year: Sample) -> None:
    results = year.read("results")
    bad = {kind: results.filter(pl.col("sourcedId").is_in(list(of_kind(year, kind)))) for kind in year.summary.planted}
    assert set(bad["above_maximum"]["score"]) == {"40"}
    assert set(bad["text_score"]["score"]) == {"three"}
    assert set(bad["unknown_status"]["scoreStatus"]) == {"almost graded"}
    assert bad["day_month_date"]["scoreDate"].str.contains(r"^\d\d/\d\d/\d{4}$").all()
    assert (bad["duplicate_same"].height, bad["duplicate_same"].unique().height) == (6, 3)
    changed = bad["duplicate_changed"]
    assert (changed.unique().height, changed.n_unique("sourcedId")) == (6, 3)
    clubs = year.read("classes").filter(pl.col("termSourcedIds").is_null())
    assert set(clubs["sourcedId"]) == of_kind(year, "class_without_term")
    waiting = year.read("enrollments").filter(pl.col("classSourcedId").is_in(clubs["sourcedId"].to_list()))
    assert waiting.height == 3


def test_every_kind_of_mess_can_be_switched_off(grow: Grow) -> None:
    clean = grow("clean", students=300, mess=CLEAN, results_per_student=20)
    assert set(clean.summary.planted.values()) == {0}
    assert clean.summary.bad == ()
    assert dangling(clean.read, clean.summary.rows) == {}
    assert clean.read("results")["scoreStatus"].unique().to_list() == ["fully graded"]


def test_the_counts_of_bad_records_can_be_chosen(grow: Grow) -> None:
    sample = grow("more", students=100, mess=Mess(above_maximum=9, class_without_term=2), results_per_student=20)
    assert len(of_kind(sample, "above_maximum")) == 9
    assert len(of_kind(sample, "class_without_term")) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"students": 99}, "sample.students"),
        ({"students": 1_000_001}, "sample.students"),
        ({"students": 100, "results_per_student": 0}, "sample.results"),
    ],
)
def test_sizes_out_of_range_are_refused(grow: Grow, arguments: dict[str, int], code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        grow("refused", **arguments)
    assert caught.value.code == code


@pytest.mark.parametrize("wrong", [{"late": 1.5}, {"missing": -0.1}, {"text_score": -1}])
def test_a_rate_or_count_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Mess(**wrong)  # type: ignore[arg-type]
    assert caught.value.code == "sample.mess"


def test_a_summer_day_counts_to_the_year_that_begins(grow: Grow) -> None:
    sample = grow("summer", students=100, as_of=date(2026, 7, 10), results_per_student=10)
    assert sample.summary.school_year == "2027"
    assert sample.summary.rows["results"] == 0
