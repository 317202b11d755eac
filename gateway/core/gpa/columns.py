"""The columns of a course file, found by name however a school spells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.core.errors import DataError
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.words import folded

REQUIRED = ("student_id", "course_code", "credit", "grade")

FURTHER = ("competency", "weight_as", "residency", "top_half", "act", "sat", "seventh_semester_on", "graduated_on",
           "policy", "gpa", "person", "reason", "column", "value", "on", "date")  # fmt: skip
"""Columns of the small tables beside a course file, by their own names only, but for the spelling."""

_ALSO: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "student_id": ("student", "student number", "student no", "pupil", "pupil id", "sis id", "learner id", "id"),
    "course_code": ("course", "code", "course number", "course no", "course id", "class code"),
    "title": ("course title", "course name", "name", "description", "class"),
    "subject": ("subject area", "department", "dept", "area", "core area"),
    "level": ("course level", "difficulty", "course type", "weight level"),
    "credit": ("credits", "units", "credit value", "credits attempted", "attempted", "credit attempted"),
    "grade": ("final grade", "mark", "final mark", "letter grade", "letter"),
    "school_year": ("year", "academic year", "yr"),
    "term": ("semester", "marking period", "session", "store code"),
    "grade_level": ("grade year", "year level", "student grade", "gr", "grade lvl"),
    "score": ("percent", "percentage", "average", "numeric grade", "final score"),
    "core": ("ncaa", "ncaa core", "core course", "is core", "ncaa approved"),
    "ag": ("a-g", "uc a-g", "ag subject", "uc", "a to g", "ag area"),
    "repeat_of": ("repeats", "repeat", "retake of", "repeated course"),
    "status": ("course status", "state"),
    "school_id": ("school", "school code", "school number"),
    "completed_on": ("completed", "completion date", "date completed", "end date", "posted on"),
    "competency": ("standard", "learning target", "skill"),
})  # fmt: skip

_EXACT = {folded(column): column for column in (*COURSE_COLUMNS, *FURTHER)}
_ALSO_FOLDED = {folded(also): column for column, names in _ALSO.items() for also in names}


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """Which column of a file is taken as which; ``unused`` are not read, ``missing`` are not there."""

    matched: Mapping[str, str]
    unused: tuple[str, ...]
    missing: tuple[str, ...]

    def report(self) -> list[str]:
        """Plain lines for people: every column that was understood under another name, ignored or missing."""
        lines = [f'"{name}" is read as {column}' for name, column in self.matched.items() if name != column]
        lines += [f'"{name}" is not used' for name in self.unused]
        if self.missing:
            lines.append("not in the file: " + ", ".join(self.missing))
        return lines


def match_columns(
    names: Iterable[str],
    place: str = "the course file",
    *,
    columns: Sequence[str] = COURSE_COLUMNS,
    required: Sequence[str] = REQUIRED,
) -> ColumnMatch:
    """Find the documented ``columns`` among ``names``; exact names come first. ``score`` can stand for ``grade``.

    Raises :class:`DataError` (``gpa.columns``) when a required one is missing, or when two columns claim one meaning.
    """
    header = [name for name in names if not name.startswith("_")]
    matched: dict[str, str] = {}
    for known in (_EXACT, _ALSO_FOLDED):
        for name in header:
            column = known.get(folded(name))
            if name in matched or column is None or column not in columns:
                continue
            taken = next((other for other, taken in matched.items() if taken == column), None)
            if taken is None:
                matched[name] = column
            elif known is _EXACT:
                raise DataError(
                    f'Two columns of {place} can be the {column}: "{taken}" and "{name}".',
                    hint="Rename or remove one of the two.",
                    code="gpa.columns",
                )
    missing = tuple(column for column in columns if column not in matched.values())
    needed = [column for column in required if column in missing and not (column == "grade" and "score" not in missing)]
    if needed:
        raise DataError(
            f"No column of {place} is the {' or the '.join(needed)}.",
            hint=f"Name it so. Found: {', '.join(header)}.",
            code="gpa.columns",
        )
    return ColumnMatch(matched, tuple(name for name in header if name not in matched), missing)
