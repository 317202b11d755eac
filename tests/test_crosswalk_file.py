"""The crosswalk as a workbook: written, edited by people, read back."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gateway.crosswalk_file import crosswalk_table, write_crosswalk
from gateway.table_file import read_table
from tests.core.mapping.conftest import BASE, compiled, evidence

TABLE = pl.DataFrame(
    {"standard": ["L.1", "L.2"], "competency": ["MATH.7.PS", None], "weight": ["1", "0.5"], "note": ["seen", None]}
)
TEXT = BASE.replace("  - codes: standard", "  - crosswalk: local.xlsx")
ROWS = [{"standard": "l.1", "score": 3}, {"standard": "L.1", "score": 3, "student_id": "S2"}]
ROWS += [{"standard": "L.11", "score": 2}] * 2


def mapping(table: pl.DataFrame = TABLE):  # type: ignore[no-untyped-def]
    return compiled(TEXT, crosswalks={"local.xlsx": table})


def test_a_line_says_what_helps_to_decide_and_unmatched_codes_are_added() -> None:
    table = crosswalk_table(mapping(), "local.xlsx", [evidence(ROWS)])
    assert table.select("standard", "competency", "domain", "results", "students", "suggestion", "review").rows() == [
        ("L.1", "MATH.7.PS", "MATH", 2, 2, None, "agreed"),
        ("L.2", None, None, None, None, None, "open"),
        ("L.11", None, None, 2, 1, 'Did you mean "L.1"?', "open"),
    ]
    assert table["note"].to_list() == ["seen", None, None]


def test_an_edited_workbook_is_a_crosswalk(tmp_path: Path) -> None:
    path = tmp_path / "local.xlsx"
    table = crosswalk_table(mapping(), "local.xlsx", [evidence(ROWS)])
    edited = table.with_columns(
        pl.when(pl.col("standard") == "L.11").then(pl.lit("ELA.7.R")).otherwise("competency").alias("competency")
    )
    write_crosswalk(edited, path)
    levels = mapping(read_table(path)).apply(evidence(ROWS)).levels
    assert levels.select("student_id", "competency", "level").rows() == [
        ("S1", "ELA.7.R", 2),
        ("S1", "MATH.7.PS", 3),
        ("S2", "MATH.7.PS", 3),
    ]


def test_writing_and_reading_back_changes_nothing(tmp_path: Path) -> None:
    table = crosswalk_table(mapping(), "local.xlsx", [evidence(ROWS)])
    for name in ("one.xlsx", "two.xlsx"):
        write_crosswalk(table, tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    again = read_table(tmp_path / "one.xlsx").drop("_line")
    assert again.equals(table.with_columns(pl.col("results", "students").cast(pl.String)))


def test_codes_are_counted_wherever_the_mapping_looks_for_them_and_over_parts() -> None:
    way = "  - crosswalk: local.xlsx"
    text = TEXT.replace(way, f"{way}\n    from: {{column: line_item_title, after: '[', before: ']'}}\n{way}")
    rows = [{"line_item_title": "Quiz [l.1]", "score": 3}, {"line_item_title": "Quiz", "standard": "L.1", "score": 2}]
    parts = [evidence([{**row, "student_id": student} for row in rows]) for student in ("S1", "S2", "S3")]
    table = crosswalk_table(compiled(text, crosswalks={"local.xlsx": TABLE}), "local.xlsx", parts)
    assert table.select("standard", "results", "students").rows() == [("L.1", 6, 3), ("L.2", None, None)]
