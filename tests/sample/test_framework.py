"""The Lakeside framework is a sound CASE 1.1 package."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from jsonschema import Draft201909Validator, FormatChecker

from gateway.core.case import check_packages, read_packages
from gateway.core.framework import Framework
from gateway.sample.framework import document_id, item_id, lakeside_package
from gateway.sample.targets import lakeside_pool


@pytest.fixture(scope="module")
def framework() -> Framework:
    checked = check_packages(read_packages(lakeside_package(), source="framework.json").frames)
    assert checked.quarantine.is_empty()
    return Framework.from_tables(checked.tables)


def test_the_package_is_valid_by_the_official_schema(shared_data: Path) -> None:
    schema = json.loads((shared_data / "case/schema/case-v1p1-cfpackage-official.json").read_text())
    errors = list(Draft201909Validator(schema, format_checker=FormatChecker()).iter_errors(lakeside_package()))
    assert errors == []


def test_the_gateway_finds_no_fault_in_it(framework: Framework) -> None:
    assert framework.problems() == []
    assert framework.id == document_id()


def test_domains_levels_competencies_and_targets_nest(framework: Framework) -> None:
    target = framework.find("MATH.8.PS.2")
    assert target is not None
    assert target.id == item_id("MATH.8.PS.2")
    codes = [framework.competencies[id].code for id in framework.ancestors(target.id)]
    assert codes == ["MATH.8.PS", "MATH.8", "MATH"]
    assert target.education_levels == ("08",)
    assert [framework.competencies[id].code for id in framework.top_level] == ["MATH", "ELA", "SCI", "SOC", "HOW"]
    kinds = Counter(item.item_type for item in framework.competencies.values())
    assert kinds == {"Domain": 5, "Performance Level": 48, "Competency": 195, "Target": 585}


def test_performance_levels_and_their_competencies_follow_one_another(framework: Framework) -> None:
    for before, after in (("MATH.8", "MATH.9"), ("MATH.8.PS", "MATH.9.PS")):
        assert framework.successors(item_id(before)) == (item_id(after),)
    assert framework.successors(item_id("MATH.12")) == ()
    assert framework.predecessors(item_id("MATH.1")) == ()
    assert framework.successors(item_id("HOW.EN")) == ()


def test_every_competency_has_a_four_point_rubric(framework: Framework) -> None:
    competencies = [item for item in framework.competencies.values() if item.item_type == "Competency"]
    for item in competencies:
        (criterion,) = framework.rubrics[item.id]
        assert [level.score for level in criterion.levels] == [1, 2, 3, 4]
        assert criterion.levels[2].quality == "Proficient"


SHIPPED = Path(__file__).resolve().parents[2] / "mappings"


def test_the_shipped_mapping_speaks_of_the_same_items() -> None:
    shipped = json.loads((SHIPPED / "frameworks/lakeside.json").read_text(encoding="utf-8"))["CFItems"]
    written = lakeside_package()["CFItems"]
    assert isinstance(written, list)
    keys = ("identifier", "humanCodingScheme", "fullStatement", "CFItemType", "educationLevel")
    assert [[item[key] for key in keys] for item in shipped] == [[item[key] for key in keys] for item in written]


def test_the_shipped_crosswalk_is_that_of_the_sample() -> None:
    shipped = pl.read_csv(SHIPPED / "crosswalks/lakeside.csv", infer_schema=False)
    assert shipped.equals(lakeside_pool().crosswalk())
