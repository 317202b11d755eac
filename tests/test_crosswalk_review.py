"""A crosswalk given out as a workbook, edited by a reviewer, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from gateway.core.errors import ConfigurationError
from gateway.core.mapping import CompiledMapping
from gateway.crosswalk_file import BEFORE, COMPETENCIES, competency_table, crosswalk_table, write_crosswalk
from gateway.crosswalk_review import Review, read_review, write_crosswalk_csv
from gateway.table_file import read_table, read_workbook
from tests.core.mapping.conftest import BASE, compiled, evidence

TABLE = pl.DataFrame({"standard": ["L.1", "L.2", "L.3"], "competency": ["MATH.7.PS", None, "MATH.7.RE"]})
TEXT = BASE.replace("  - codes: standard", "  - crosswalk: local.csv")
ROWS = [{"standard": "L.1", "score": 3}, {"standard": "L.9", "score": 2}]


def mapping(table: pl.DataFrame = TABLE) -> CompiledMapping:
    return compiled(TEXT, crosswalks={"local.csv": table})


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "review.xlsx"
    found = mapping()
    write_crosswalk(crosswalk_table(found, "local.csv", [evidence(ROWS)]), path, competency_table(found))
    return path


def edit(path: Path, lines: Sequence[dict[str, str | None]]) -> Path:
    """What a reviewer does: other lines on the first sheet, everything else as it was."""
    sheets = {name: pl.concat(list(read_workbook(path, sheet=name))).drop("_line") for name in (COMPETENCIES, BEFORE)}
    first = pl.DataFrame(lines, schema=dict.fromkeys(("standard", "competency", "weight", "review", "note"), pl.String))
    with xlsxwriter.Workbook(path) as book:
        for name, table in {"crosswalk": first, **sheets}.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, table.columns)
            for n, row in enumerate(table.rows(), start=1):
                sheet.write_row(n, 0, row)
    return path


def lines(*changed: tuple[int, dict[str, str | None]]) -> list[dict[str, str | None]]:
    """The lines as they were given out, with changes by number."""
    given: list[dict[str, str | None]] = [
        {"standard": "L.1", "competency": "MATH.7.PS", "weight": "1", "review": "agreed", "note": None},
        {"standard": "L.2", "competency": None, "weight": "1", "review": "open", "note": None},
        {"standard": "L.3", "competency": "MATH.7.RE", "weight": "1", "review": "agreed", "note": None},
        {"standard": "L.9", "competency": None, "weight": "1", "review": "open", "note": None},
    ]
    for n, cells in changed:
        given[n] = {**given[n], **cells}
    return given


def said(review: Review) -> list[str]:
    return [str(change) for change in review.changes or ()]


def test_a_workbook_that_nobody_edited_changes_nothing(workbook: Path) -> None:
    review = read_review(workbook)
    assert (review.changes, review.withdrawn) == ([], 0)
    assert review.counts == {"open": 2, "agreed": 2, "ask": 0, "wrong": 0}
    assert said(read_review(edit(workbook, lines()))) == []


def test_the_summary_says_line_by_line_what_the_review_changed(workbook: Path) -> None:
    edited = lines(
        (0, {"note": "seen"}), (1, {"competency": "ELA.7.R"}), (2, {"review": "wrong"}), (3, {"weight": "0.5"})
    )
    edited.append({"standard": "L.1", "competency": "MATH.8.PS"})
    review = read_review(edit(workbook, edited))
    assert said(review) == [
        "L.1: note (none) → seen",
        "L.1: added, MATH.8.PS",
        "L.2: competency (none) → ELA.7.R",
        "L.2: review open → agreed",
        "L.3: review agreed → wrong",
        "L.9: weight 1 → 0.5",
    ]
    assert review.changes is not None
    assert [change.line for change in review.changes] == [2, 6, 3, 3, 4, 5]
    assert said(read_review(edit(workbook, lines()[1:])))[0] == "L.1: removed, MATH.7.PS"


def test_what_is_wrong_is_open_again_and_the_rest_maps(workbook: Path, tmp_path: Path) -> None:
    review = read_review(edit(workbook, lines((2, {"review": "Wrong"}), (3, {"competency": "ELA.7.R"}))))
    assert review.withdrawn == 1
    write_crosswalk_csv(review.table, tmp_path / "deep" / "local.csv")
    again = read_table(tmp_path / "deep" / "local.csv")
    assert again.select("standard", "competency", "review").rows() == [
        ("L.1", "MATH.7.PS", "agreed"),
        ("L.2", None, "open"),
        ("L.3", None, "wrong"),
        ("L.9", "ELA.7.R", "agreed"),
    ]
    levels = mapping(again).apply(evidence([*ROWS, {"standard": "L.3", "score": 4}])).levels
    assert sorted(levels["competency"]) == ["ELA.7.R", "MATH.7.PS"]


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        ((1, {"competency": "MATH.7.SP"}), 3, 'Did you mean "MATH.7.'),
        ((0, {"weight": "0"}), 2, 'The weight "0" is not a positive number.'),
        ((0, {"weight": "half"}), 2, 'The weight "half" is not a positive number.'),
        ((3, {"review": "perhaps"}), 5, "Use one of open, agreed, ask, wrong."),
        ((1, {"standard": "l.1", "competency": "math.7.ps"}), 3, "twice, here and in line 2"),
        ((2, {"standard": None}), 4, "The line names no code."),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(
    workbook: Path, change: tuple[int, dict[str, str | None]], line: int, words: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_review(edit(workbook, lines(change)))
    assert refused.value.place is not None
    assert refused.value.place.line == line
    assert words in str(refused.value)


def test_all_wrong_lines_are_told_at_once(workbook: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_review(edit(workbook, lines((0, {"weight": "0"}), (1, {"competency": "NOWHERE"}))))
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("text", ["standard,level\nL.1,3\n", "competency\nMATH.7.PS\n"])
def test_a_file_that_is_no_crosswalk_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "local.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"local\.csv has no column"):
        read_review(path)


def test_a_csv_does_not_know_what_it_was_made_of(tmp_path: Path) -> None:
    path = tmp_path / "local.csv"
    path.write_text("standard,competency\nL.1,ANYTHING\n", encoding="utf-8")
    assert read_review(path).changes is None
