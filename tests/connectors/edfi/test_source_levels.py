"""Levels that others told of competencies are evidence; ours are not. Scales say what a level is worth."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from gateway.core.check import read_rows
from gateway.core.exchange import PullMode
from gateway.core.mapping import gather_evidence
from gateway.core.model import TABLES
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.people import SECTION
from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, uri
from tests.connectors.edfi.source_stand import SourceStand, ids
from tests.connectors.edfi.target_stand import Stand, change, line_item, make_host, result

LEVELS = "studentCompetencyObjectives"
STUDENT = "student:604800"


def evidence(pulled: dict[str, pl.DataFrame]) -> list[dict[str, object]]:
    """What a mapping sees of the levels told of competencies."""
    typed = {name: read_rows(frame, TABLES[name]).rows for name, frame in pulled.items() if name in TABLES}
    return gather_evidence(typed).filter(pl.col("category") == "Competency levels").rows(named=True)


@pytest.mark.parametrize("version", ["6.1", "7.3"])
def test_a_level_is_a_result_with_its_objective(version: str, tmp_path: Path) -> None:
    remote = furnished(FakeEdFi(version), students=1)
    rows = evidence(SourceStand(remote, tmp_path).pull())
    told = {str(row["standard"]): (row["score_text"], row["score"], row["score_scale"]) for row in rows}
    expected = {f"objective:{LEA}:Ninth grade:Solve linear equations": ("Proficient", None, "CompetencyLevel")}
    if version == "6.1":
        expected["objective:uri%3A//example.org/Lakeside:LO-1"] = ("Basic", None, "CompetencyLevel")
    assert told == expected
    assert {row["class_title"] for row in rows} == {f"Assessments {YEAR}"}
    first = next(row for row in rows if row["score_text"] == "Proficient")
    named = {"6.1": "First Nine Weeks", "7.3": "Q1"}[version]
    assert first["line_item_title"] == f"Solve linear equations, {named}"


@pytest.mark.parametrize(("told", "day"), [("2026-09-30", "2026-09-30"), ("2026-11-22", "2026-10-16")])
def test_a_level_is_of_the_day_on_which_it_was_told_and_at_latest_of_the_end_of_its_period(
    told: str, day: str, tmp_path: Path
) -> None:
    remote = furnished(FakeEdFi("7.3", now=lambda: datetime.fromisoformat(told).replace(tzinfo=UTC)), students=1)
    pulled = SourceStand(remote, tmp_path, streams=["gradebook"]).pull()
    assert pulled["results"].filter(pl.col("id").str.starts_with("level:"))["score_date"].to_list() == [day]


def test_a_level_that_names_a_section_belongs_to_its_class(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, level), = remote.items(LEVELS).items()  # fmt: skip
    enrolment = {**SECTION, "studentUniqueId": "604800", "beginDate": "2026-08-24"}
    remote.replace(LEVELS, id_, {
        **level, "studentSectionAssociations": [{"studentSectionAssociationReference": enrolment}],
    })  # fmt: skip
    (row,) = evidence(SourceStand(remote, tmp_path).pull())
    assert (row["class_title"], row["scorer_id"]) == ("Period 1", "staff:207001")


def test_an_objective_that_has_an_identifier_is_known_by_it(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, objective), = remote.items("competencyObjectives").items()  # fmt: skip
    remote.replace("competencyObjectives", id_, {**objective, "competencyObjectiveId": "0bb3f5d6"})
    (row,) = evidence(SourceStand(remote, tmp_path).pull())
    assert row["standard"] == "0bb3f5d6"


def test_the_settings_say_what_a_level_is_worth(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    words = {"competencyLevel": {"Basic": "2", "Proficient": "3", "Advanced": "4", "Below Basic": "1"}}
    stand = SourceStand(remote, tmp_path, words=words)
    pulled = stand.pull()
    (row,) = evidence(pulled)
    assert row["score_scale_value"] == Decimal(3)
    values = pulled["score_scale_values"].sort(pl.col("position").cast(pl.Int64))
    assert values["rhs"].to_list()[:4] == ["Below Basic", "Basic", "Proficient", "Advanced"]
    assert any("Well Below Basic" in warning for warning in stand.warnings)


def test_a_test_says_from_which_score_on_a_level_is_reached(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, assessment), = remote.items("assessments").items()  # fmt: skip
    method = uri("assessmentReportingMethod", "Proficiency level")
    remote.replace("assessments", id_, {
        **assessment,
        "performanceLevels": [
            {"assessmentReportingMethodDescriptor": method, "performanceLevelDescriptor": uri("performanceLevel", name),
             "minimumScore": low, **({"maximumScore": high} if high else {})}
            for name, low, high in (("Basic", "180", "219"), ("Proficient", "220", ""))
        ],
    })  # fmt: skip
    pulled = SourceStand(remote, tmp_path).pull()
    scale = "scale:uri%3A//example.org/Lakeside:MAP-F:Proficiency level"
    values = pulled["score_scale_values"].filter(score_scale_id=scale)
    assert list(values.select("lhs", "rhs").iter_rows()) == [("180-219", "Basic"), ("220", "Proficient")]
    (link,) = pulled["line_item_score_scales"].filter(score_scale_id=scale).rows(named=True)
    assert link["line_item_id"] in ids(pulled, "line_items")


def test_what_the_gateway_wrote_is_not_pulled_back_as_evidence(tmp_path: Path) -> None:
    writes = ["gradebook", "competencies", "grades", "assessments"]
    stand = Stand(make_host(), tmp_path / "out", *writes)
    before = SourceStand(stand.host, tmp_path / "before", streams=["gradebook"]).pull()
    stand.push(change("line_items", line_item()), change("results", result("604800", "r-1")))
    assert len(stand.host.rows(LEVELS)) == 8
    mine = {"write": writes, "target": stand.settings["target"]}
    after = SourceStand(stand.host, tmp_path / "after", streams=["gradebook"], **mine).pull()
    for table in ("categories", "line_items", "results"):
        assert ids(after, table) == ids(before, table)
    kept = ["result_id", "learning_objective_id"]
    told = [pulled["result_learning_objectives"].select(kept).sort(kept) for pulled in (before, after)]
    assert told[0].equals(told[1])
    foreign = SourceStand(stand.host, tmp_path / "foreign", streams=["gradebook"]).pull()
    assert ids(foreign, "line_items") > ids(before, "line_items"), "another connection takes our entries for others'"


def test_a_level_that_is_gone_is_told_by_the_third_night(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=2)
    stand = SourceStand(remote, tmp_path, streams=["gradebook"], delta=True)
    _, first = stand.night()
    _, second = stand.night(first)
    id_, gone = next(iter(remote.items(LEVELS).items()))
    remote.remove(LEVELS, id_)
    pulled, _ = stand.night(second)
    assert stand.modes == {"gradebook": PullMode.DELTA}
    (row,) = pulled["results"].rows(named=True)
    assert row["status"] == "tobedeleted"
    assert row["id"] == (
        f"level:{SCHOOL}:{YEAR}:First Nine Weeks:Q1:{LEA}:Ninth grade:Solve linear equations:"
        f"{gone['studentReference']['studentUniqueId']}"
    )


def test_a_host_that_hides_its_levels_gives_results_without_a_scale(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    pulled = SourceStand(remote, tmp_path, exclude=["competencyLevelDescriptors"]).pull()
    (row,) = evidence(pulled)
    assert (row["score_text"], row["score_scale"]) == ("Proficient", None)
    assert pulled["line_item_score_scales"].is_empty()
    assert remote.reads("competencyLevelDescriptors") == 0
