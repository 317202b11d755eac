"""The crosswalk as a workbook that people review: edit it, save it, and read it back, or name it in the mapping in the
CSV's place.

Each line is a local code, the competency that it stands for, and what helps to decide: the competency's statement, how
many results and students carry the code, the nearest known code. A line whose ``competency`` is empty is still under
review and is passed over. Columns after ``weight`` are for people and are not read by a mapping.

The workbook knows by itself what it was made of: its sheet ``competencies`` lists the framework's codes, and the hidden
sheet ``before`` the lines as they were written, so that :mod:`gateway.crosswalk_review` can check and compare.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.result import UNMATCHED, sum_unmatched

REVIEW = ("open", "agreed", "ask", "wrong")
CROSSWALK, COMPETENCIES, BEFORE = "crosswalk", "competencies", "before"
"""The sheets of the workbook."""
_ROOM = 1000
"""Lines below the last one in which the lists of words are offered, too."""
_COUNTS = {"_code": pl.String, "results": pl.UInt32, "students": pl.UInt32}
_PEOPLE = ("statement", "domain", "results", "students", "suggestion", "review", "note")
_WIDTHS = {"competency": 22, "weight": 8, "statement": 60, "domain": 14, "suggestion": 34, "review": 10, "note": 40}


def crosswalk_table(
    mapping: CompiledMapping, name: str, evidence: Iterable[pl.DataFrame] | None = None
) -> pl.DataFrame:
    """The crosswalk ``name`` of a mapping with the columns for people; with ``evidence``, in parts by student, how
    often each code occurs, and codes that match nothing, without a competency, the most frequent first."""
    table = mapping.tables[name]
    keys = [column for column in table.columns if column not in ("competency", "weight", *_PEOPLE) and column[0] != "_"]
    found = {str(word): mapping.framework.find(str(word)) for word in table["competency"].drop_nulls().unique()}
    statements = {word: item.statement for word, item in found.items() if item}
    domains = {word: _domain(mapping, item.id) for word, item in found.items() if item}
    weight = pl.col("weight").cast(pl.String) if "weight" in table.columns else pl.lit("1")
    kept = [pl.col(name).cast(pl.String) for name in ("review", "note") if name in table.columns]
    rows = table.select(
        *(pl.col(key).cast(pl.String) for key in keys),
        pl.col("competency").cast(pl.String),
        weight.fill_null("1").alias("weight"),
        pl.col("competency").replace_strict(statements, default=None, return_dtype=pl.String).alias("statement"),
        pl.col("competency").replace_strict(domains, default=None, return_dtype=pl.String).alias("domain"),
        *kept,
    )
    if evidence is not None and len(keys) == 1:
        rows = _with_evidence(rows, keys[0], mapping, name, evidence)
    for column in _PEOPLE:
        if column not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(column))
    state = pl.when(pl.col("competency").is_null()).then(pl.lit("open")).otherwise(pl.lit("agreed"))
    rows = rows.with_columns(pl.coalesce("review", state).alias("review"))
    return rows.select(*keys, "competency", "weight", *_PEOPLE)


def competency_table(mapping: CompiledMapping) -> pl.DataFrame:
    """What a line may name: ``competency`` and ``statement`` of every item of the framework, in its order."""
    items = mapping.framework.competencies.values()
    return pl.DataFrame(
        {"competency": [mapping.label(item.id) for item in items], "statement": [item.statement for item in items]},
        schema={"competency": pl.String, "statement": pl.String},
    )


def write_crosswalk(table: pl.DataFrame, path: Path, competencies: pl.DataFrame | None = None) -> None:
    """Write ``table`` as a workbook with a fixed header, a filter, and lists of words for the review and of the
    framework's codes."""
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # equal tables are equal files
        text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "bottom": 1})
        sheet = _write_sheet(book, CROSSWALK, table, text, head)
        below = max(table.height, 1) + _ROOM
        column = table.columns.index("review")
        sheet.data_validation(1, column, below, column, {"validate": "list", "source": list(REVIEW)})
        if competencies is not None:
            _write_sheet(book, COMPETENCIES, competencies, text, head)
            column = table.columns.index("competency")
            source = f"={COMPETENCIES}!$A$2:$A${competencies.height + 1}"
            rule = {"validate": "list", "source": source, "error_type": "warning",
                    "error_title": "Competency", "error_message": "The framework has no such code."}  # fmt: skip
            sheet.data_validation(1, column, below, column, rule)
        _write_sheet(book, BEFORE, table, text, head).hide()


def _write_sheet(book: xlsxwriter.Workbook, name: str, table: pl.DataFrame, text: Format, head: Format) -> Worksheet:
    sheet: Worksheet = book.add_worksheet(name)
    for n, column in enumerate(table.columns):
        sheet.set_column(n, n, _WIDTHS.get(column, 18), text)
        sheet.write_string(0, n, column, head)
    for line, row in enumerate(table.rows(), start=1):
        for n, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(line, n, cell)
            elif cell is not None:
                sheet.write_string(line, n, str(cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(table.height, 1), table.width - 1)
    return sheet


def _domain(mapping: CompiledMapping, id: str) -> str | None:
    if mapping.continuum is not None:
        return mapping.continuum.domain_of[mapping.collector.numbers[id]]
    above = (id, *mapping.framework.ancestors(id))[-1]
    return mapping.label(above)


def _with_evidence(
    rows: pl.DataFrame, key: str, mapping: CompiledMapping, name: str, evidence: Iterable[pl.DataFrame]
) -> pl.DataFrame:
    """Counts for each code, and the codes that match nothing at the end."""
    counts, unmatched = pl.DataFrame(schema=_COUNTS), pl.DataFrame(schema=dict(UNMATCHED))
    for part in evidence:
        both = pl.concat([counts, _occurrences(mapping, name, part)])
        counts = both.group_by("_code").agg(pl.col("results", "students").sum())
        unmatched = sum_unmatched(pl.concat([unmatched, mapping.apply(part).unmatched]))
    folded = pl.col(key).str.to_lowercase().alias("_code")
    counted = rows.with_columns(folded).join(counts, on="_code", how="left", maintain_order="left").drop("_code")
    known = rows.select(folded)["_code"].drop_nulls()
    missing = unmatched.filter(
        pl.col("kind") == "code",
        pl.col("value").is_not_null(),
        ~pl.col("value").str.to_lowercase().is_in(known.implode()),
    )
    added = missing.select(
        pl.col("value").alias(key),
        pl.lit("1").alias("weight"),
        pl.col("rows").alias("results"),
        "students",
        "suggestion",
    )
    return pl.concat([counted, added], how="diagonal")


def _occurrences(mapping: CompiledMapping, name: str, part: pl.DataFrame) -> pl.DataFrame:
    """How many results and students carry each code, wherever the ways that use the crosswalk look for it."""
    ways = [way.codes[0] for way in mapping.collector.alignment.ways if way.table == name and len(way.codes) == 1]
    found = []
    for code in ways:
        if code.column in part.columns:
            texts = part[code.column].cast(pl.String).unique().drop_nulls().to_list()
            read = [code.read({code.column: text}) for text in texts]
            lower = pl.Series(read, dtype=pl.String).str.to_lowercase()
            column = pl.col(code.column).cast(pl.String)
            found.append(column.replace_strict(texts, lower, default=None, return_dtype=pl.String))
    if not found:
        return pl.DataFrame(schema=_COUNTS)
    carried = part.select(pl.coalesce(found).alias("_code"), pl.col("student_id")).drop_nulls("_code")
    students = pl.col("student_id").n_unique()
    return carried.group_by("_code").agg(pl.len().alias("results"), students.alias("students"))
