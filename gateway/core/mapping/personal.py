"""What a mapping says about single students: scales that were modified for them, and levels set by a named person.

Both come from tables beside the mapping (columns ``student_id``, ``competency``, ``by``, ``reason`` and ``scale`` or
``level`` and ``on``), because names of students do not belong into a mapping file.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import Place, did_you_mean
from gateway.core.framework import Framework
from gateway.core.mapping.choice import find_at
from gateway.core.mapping.coding import Codes, Combined
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import from_micros, to_micros
from gateway.core.mapping.rules import CODE, Reason, Rules, Verdict
from gateway.core.mapping.scales import Scale, plain, read_number
from gateway.core.mapping.summary import Summaries

Path: TypeAlias = tuple[str | int, ...]

_ONE = "Delete one of the lines."
_PAIR = {"student_id": pl.String, "competency": pl.Int64}
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class ModifiedScales:
    """``pairs``: ``student_id``, ``competency`` (number) and ``modified`` (position in ``scales``)."""

    pairs: pl.DataFrame
    scales: Sequence[Scale]

    def judge(
        self, pairs: pl.DataFrame, students: pl.Series, codes: Codes, names: Sequence[str], rules: Rules
    ) -> pl.DataFrame:
        """``pairs`` with the verdicts of the modified scales where they hold; ``modified`` is the place of each.

        ``pairs`` has the number of its row of the evidence as ``row``.
        """
        known = pl.DataFrame({"student_id": students, "student": pl.int_range(len(students), eager=True)})
        mine = self.pairs.join(known, on="student_id").drop("student_id")
        pairs = pairs.join(mine, on=["student", "competency"], how="left", maintain_order="left")
        judged = pl.col("outcome").is_in([CODE[reason] for reason in _JUDGED])
        concerned = pairs.with_row_index("place").filter(pl.col("modified").is_not_null() & judged)
        if concerned.is_empty():
            return pairs
        own = codes.rows(concerned["row"])
        own.add("modified", range(len(self.scales)), pl.lit(concerned["modified"]))
        combined = Combined(own, ("modified", *names))
        verdicts = [self._judge(row, names, rules) for row in combined.rows]
        found = own.frame.with_columns(concerned["place"]).select(
            "place",
            combined.answer([each.level for each in verdicts], pl.Int64).alias("level"),
            combined.answer([CODE[each.reason] for each in verdicts], pl.UInt8).alias("outcome"),
        )
        return pairs.with_columns(
            pairs["level"].scatter(found["place"], found["level"]),
            pairs["outcome"].scatter(found["place"], found["outcome"]),
        )

    def _judge(self, row: tuple[object, ...], names: Sequence[str], rules: Rules) -> Verdict:
        number = row[0]
        assert isinstance(number, int), "the scale's place in the list"  # noqa: S101
        return rules.judge(self.scales[number], dict(zip(names, row[1:], strict=True)))

    def of(self, student_id: str, competency: int) -> Scale | None:
        """The scale that was modified for one student and competency."""
        mine = self.pairs.filter((pl.col("student_id") == student_id) & (pl.col("competency") == competency))
        return None if mine.is_empty() else self.scales[mine["modified"][0]]


_JUDGED = (
    Reason.OTHER_SCALE, Reason.USED, Reason.UNREADABLE, Reason.MISSING, Reason.EXCUSED, Reason.NOT_ASSESSED,
    Reason.INCOMPLETE, Reason.PENDING, Reason.BLOCKED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Override:
    """One level set by a person."""

    student_id: str
    competency: int
    level: int
    time: int
    by: str
    reason: str


def compile_modified(
    name: str,
    table: pl.DataFrame,
    path: Path,
    reader: Reader,
    framework: Framework,
    numbers: Mapping[str, int],
    scales: Mapping[str, Scale],
    report_of: Sequence[str],
) -> ModifiedScales:
    """The table of modified scales; a line without a competency holds for all whose levels lie on the same scale."""
    found: dict[tuple[str, int], int] = {}
    used = list(scales)
    for row, place in lines(name, table, ("student_id", "scale", "by", "reason"), path, reader):
        if row["scale"] not in scales:
            hint = did_you_mean(row["scale"], scales) or f"There are: {', '.join(scales)}."
            reader.note_at(place, f'"{row["scale"]}" is not a known scale.', hint, "unknown-scale")
            continue
        report = scales[row["scale"]].report
        named = competencies(row.get("competency"), place, reader, framework)
        ids = [id for id in named if report_of[numbers[id]] == report]
        if named and not ids:
            message = f'"{row["scale"]}" gives no levels on the scale of this competency.'
            reader.note_at(place, message, "Name a scale that lies `onto` it.", "modified-scale")
        for id in ids:
            if found.setdefault((row["student_id"], numbers[id]), used.index(row["scale"])) != used.index(row["scale"]):
                reader.note_at(place, "This student has two scales for one competency.", _ONE, "modified-scale")
    rows = [(student, competency, scale) for (student, competency), scale in found.items()]
    pairs = pl.DataFrame(rows, schema={**_PAIR, "modified": pl.UInt32}, orient="row")
    return ModifiedScales(pairs, list(scales.values()))


def compile_overrides(
    name: str,
    table: pl.DataFrame,
    path: Path,
    reader: Reader,
    framework: Framework,
    numbers: Mapping[str, int],
    summaries: Summaries,
) -> list[Override]:
    """The table of levels set by persons, each a level that the competency can have."""
    found = []
    for row, place in lines(name, table, ("student_id", "competency", "level", "by", "reason", "on"), path, reader):
        level = read_number(row["level"])
        day = _day(row["on"])
        ids = competencies(row["competency"], place, reader, framework, below=False)
        if level is None:
            reader.note_at(place, f'"{row["level"]}" is not a level.', "Write a number such as 3.5.", "override")
        elif day is None:
            reader.note_at(place, f'"{row["on"]}" is not a date.', "Write it as 2026-08-15.", "override")
        else:
            said = (to_micros(level), day, row["by"], row["reason"])
            found += [Override(row["student_id"], numbers[id], *said) for id in ids]
            for id in ids:
                _check_level(to_micros(level), summaries, id, place, reader)
    return found


def _check_level(level: int, summaries: Summaries, id: str, place: Place, reader: Reader) -> None:
    """Note a level that lies beyond the scale of its competency, or between two levels that are published."""
    scale, rounding = summaries.scale_of[id], summaries.of(id).rounding
    said = plain(from_micros(level))
    if not scale.lowest <= level <= scale.highest:
        message = f"The level {said} is beyond the scale {scale.spoken}."
        reader.note_at(place, message, "Correct it.", "level-beyond-scale")
    elif rounding.exactly(Fraction(level)) != level:
        message = f"The level {said} would be rounded to {rounding.words}."
        reader.note_at(place, message, "Write a level that is published.", "override")


def lines(
    name: str, table: pl.DataFrame, needed: Sequence[str], path: Path, reader: Reader
) -> list[tuple[dict[str, Any], Place]]:
    """The rows that have all that is needed, each with its place."""
    missing = [column for column in needed if column not in table.columns]
    if missing:
        message = f'The table "{name}" has no column {", ".join(missing)}.'
        reader.note(path, message, "Its first line must name the columns.", "table")
        return []
    lines = []
    for n, row in enumerate(table.rows(named=True)):
        place = Place(name, row.get("_line") or n + 2)
        empty = [column for column in needed if not row[column]]
        if empty:
            reader.note_at(place, f"There is no {' and no '.join(empty)}.", "Fill it in, or delete the line.", "table")
        else:
            lines.append((row, place))
    return lines


def competencies(
    word: str | None, place: Place, reader: Reader, framework: Framework, *, below: bool = True
) -> Sequence[str]:
    """The ids that a cell of a table names, perhaps with all below it; all for an empty one."""
    if not word:
        return list(framework.competencies)
    found = find_at(word, place, reader, framework)
    if found is None:
        return ()
    return (found.id, *framework.descendants(found.id)) if below else (found.id,)


def _day(text: str) -> int | None:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return (day - datetime.date(1970, 1, 1)).days * _DAY


def overridden(overrides: Sequence[Override], students: pl.Series, number: int, until: int | None) -> pl.DataFrame:
    """``key``, ``level`` and ``time`` of the overrides of these students, up to a time."""
    known = pl.DataFrame({"student_id": students, "student": pl.int_range(len(students), eager=True)})
    rows = [(o.student_id, o.competency, o.level, o.time) for o in overrides if until is None or o.time < until]
    table = pl.DataFrame(rows, schema={**_PAIR, "level": pl.Int64, "time": pl.Int64}, orient="row")
    joined = table.join(known, on="student_id")
    return joined.select((pl.col("student") * number + pl.col("competency")).alias("key"), "level", "time")
