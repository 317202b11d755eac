"""Few course attempts as plain values, for those who ask them one by one; of a large file only tables are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from gateway.core.gpa.cells import READ, UNREADABLE

Texts: TypeAlias = "Mapping[str, Sequence[str | None]]"
"""The columns of a course file as texts without surrounding space; an empty cell is nothing."""


class Attempt(NamedTuple):
    """One row of a course file whose own cells are in order: it names its student and course, its numbers are numbers,
    it stands in no other row's slot and says no repeat. ``shared``: the student has another row of this code."""

    line: int
    student_id: str
    course_code: str
    title: str | None
    subject: str | None
    level: str | None
    grade: str | None
    term: str | None
    status: str | None
    school_id: str | None
    credit: int | None
    score: int | None
    core: int | None
    ag: int | None
    year: int | None
    grade_level: int | None
    completed: date | None
    shared: bool


_TEXTS = ("student_id", "course_code", "title", "subject", "level", "grade", "term", "status", "school_id")


def read_attempts(texts: Texts, lines: Sequence[int], notes: Sequence[Sequence[object]]) -> tuple[Attempt, ...] | None:
    """The rows as attempts; nothing if any of them is not in order, or if one of ``notes`` (columns that say what is
    wrong) is filled: then only tables tell who waits, and why."""
    if any(note is not None for column in notes for note in column) or any(texts["repeat_of"]):
        return None
    values = [_read_all(texts[name], read) for name, _, read, _ in READ]
    names = list(zip(texts["student_id"], texts["course_code"], strict=True))
    counts = Counter(names)
    columns = (lines, *(texts[name] for name in _TEXTS), *values, [counts[name] > 1 for name in names])
    attempts = tuple(map(Attempt._make, zip(*columns, strict=True)))
    sound = all(
        each.student_id and each.course_code and _sound(each.credit) and _sound(each.score) for each in attempts
    )
    return attempts if sound and not _same_slot(attempts) else None


def _read_all(texts: Sequence[str | None], read: Any) -> list[Any]:
    known = {text: None if text is None else read(text) for text in set(texts)}
    return [known[text] for text in texts]


def _sound(number: int | None) -> bool:
    return number is None or (number >= 0 and number != UNREADABLE)


def _same_slot(attempts: Sequence[Attempt]) -> bool:
    """Whether two rows say the same course in the same (known) year and term."""
    slots = [
        (each.student_id, each.course_code, each.year, each.term, each.school_id)
        for each in attempts
        if each.shared and each.year is not None and each.term is not None
    ]
    return len(set(slots)) < len(slots)
