"""The mappings that come with the program, and loading mappings from disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from gateway.core.errors import ConfigurationError, MappingError
from gateway.core.mapping import compile_mapping
from gateway.mappings import load_framework, load_mapping, named_files, run_examples
from gateway.table_file import read_table
from gateway.transport.yaml_file import parse_document, read_document

MAPPINGS = Path(__file__).parent.parent / "mappings"
SCHOOLS = sorted((MAPPINGS / "schools").glob("*.yaml"))


@pytest.mark.parametrize("path", SCHOOLS, ids=lambda path: path.stem)
def test_the_examples_of_every_school_come_true(path: Path) -> None:
    mapping = load_mapping(path)
    assert len(mapping.examples) >= 2
    assert [str(failure) for failure in run_examples(mapping)] == []


RULES = ("evidence", "align", "summarize", "roll_up", "credits", "states", "continuum", "portfolio")


def without_one_rule(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mapping once for each of its rules, without that rule."""
    for part in RULES:
        rules = data.get(part)
        if part in ("continuum", "portfolio") and rules:
            yield part, {key: value for key, value in data.items() if key != part}
        elif isinstance(rules, dict):
            for key in rules:
                yield f"{part}.{key}", {**data, part: {name: rule for name, rule in rules.items() if name != key}}
        else:
            for n in range(len(rules or ())):
                yield f"{part}.{n}", {**data, part: [rule for m, rule in enumerate(rules) if m != n]}


@pytest.mark.parametrize("path", [path for path in SCHOOLS if path.stem != "lakeside"], ids=lambda path: path.stem)
def test_the_examples_of_a_school_miss_every_rule_that_is_taken_away(path: Path) -> None:
    document = read_document(path)
    framework = load_framework(path.parent / document.data["framework"])
    names = [name for where, name in named_files(document) if where != ("framework",)]
    tables = {name: read_table(path.parent / name) for name in names}
    unnoticed = []
    for rule, data in without_one_rule(document.data):
        changed = parse_document(json.dumps(data, default=float), path.name)
        with suppress(MappingError):
            if not run_examples(compile_mapping(changed, framework=framework, crosswalks=tables)):
                unnoticed.append(rule)
    assert unnoticed == []


@pytest.mark.parametrize("path", SCHOOLS, ids=lambda path: path.stem)
def test_every_school_says_what_is_published_and_what_is_ours(path: Path) -> None:
    comment = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    words = " ".join(comment)
    assert "Published" in words or "ours" in words or "made up" in words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the mappings that a test may break."""
    shutil.copytree(MAPPINGS, tmp_path / "mappings")
    return tmp_path / "mappings"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_failing_example_says_where_and_what(folder: Path) -> None:
    path = folder / "schools" / "state-standards.yaml"
    change(path, "expect: {ST.MA.6.1: 3.35}", "expect: {ST.MA.6.1: 3.53}")
    (failure,) = run_examples(load_mapping(path))
    assert failure.message == "ST.MA.6.1: expected 3.53, found 3.35."
    assert failure.place.line == path.read_text(encoding="utf-8").splitlines().index(
        "    expect: {ST.MA.6.1: 3.53}          # 4 · 0.35 + 3 · 0.65"
    ) + 1  # fmt: skip


def test_a_missing_crosswalk_and_a_missing_framework_are_told_together_with_their_lines(folder: Path) -> None:
    path = folder / "schools" / "singapore-american.yaml"
    (folder / "crosswalks" / "singapore-american.csv").unlink()
    change(path, "frameworks/singapore-american.csv", "frameworks/nowhere.csv")
    with pytest.raises(ConfigurationError) as refused:
        load_mapping(path)
    assert len(refused.value.problems) == 2
    assert all(problem.place and problem.place.line for problem in refused.value.problems)


def test_a_misspelt_word_is_told_beside_a_missing_file(folder: Path) -> None:
    path = folder / "schools" / "state-standards.yaml"
    change(path, "frameworks/state-standards.csv", "frameworks/nowhere.csv")
    change(path, "summarize:", "sumarize:")
    with pytest.raises(ConfigurationError) as refused:
        load_mapping(path)
    told = " ".join(str(problem) for problem in refused.value.problems)
    assert "nowhere.csv does not exist" in told
    assert 'Did you mean "summarize"?' in told


def test_a_fault_in_a_crosswalk_has_the_line_of_the_table(folder: Path) -> None:
    table = folder / "crosswalks" / "singapore-american.csv"
    change(table, "COLL.1", "COLL.9")
    with pytest.raises(ConfigurationError, match=r'singapore-american.csv:3: "COLL.9" is no competency'):
        load_mapping(folder / "schools" / "singapore-american.yaml")


def test_a_crosswalk_can_be_a_workbook(folder: Path) -> None:
    path = folder / "schools" / "singapore-american.yaml"
    rows = (folder / "crosswalks" / "singapore-american.csv").read_text(encoding="utf-8").splitlines()
    with xlsxwriter.Workbook(folder / "crosswalks" / "local.xlsx") as book:
        sheet = book.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row.split(","))
    change(path, "crosswalks/singapore-american.csv", "crosswalks/local.xlsx")
    assert run_examples(load_mapping(path)) == []


def test_a_framework_can_be_a_package_or_a_table() -> None:
    assert len(load_framework(MAPPINGS / "frameworks" / "lakeside.json").competencies) == 833
    assert load_framework(MAPPINGS / "frameworks" / "tilton.csv").find("COM") is not None


def test_a_framework_that_is_no_package_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "framework.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_framework(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError):
        load_framework(path.rename(tmp_path / "framework.csv"))


def test_a_mapping_without_a_framework_takes_one_that_is_pulled_and_no_other_way(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text(
        "mapping: plain\nversion: '1'\nscale: whole\nscales: {whole: {numeric: {from: 1, to: 4, step: 1}}}\n"
        "evidence: [{name: all, scale: whole}]\nalign: [{codes: standard}]\n"
        "summarize: {default: {method: most_recent}}\n",
        encoding="utf-8",
    )
    pulled = load_framework(MAPPINGS / "frameworks" / "tilton.csv")
    assert load_mapping(path, framework=pulled).framework is pulled
    with pytest.raises(MappingError, match="names no framework") as caught:
        load_mapping(path)
    assert caught.value.code == "mapping.framework"


def test_grades_leave_champlain_valley_in_three_weeks_only() -> None:
    import datetime

    mapping = load_mapping(MAPPINGS / "schools" / "champlain-valley.yaml")
    days = [datetime.date(2026, 11, 8), datetime.date(2026, 11, 9), datetime.date(2027, 6, 11)]
    assert [mapping.reports_on(day) for day in days] == [False, True, True]
