"""The sample district as a whole: the arguments, the order of work, and the summary.

Everything is drawn from ``seed`` and the numbers of students and classes, school by school, so that memory does not
grow with the district, equal arguments give equal bytes on every machine, and a larger district contains the smaller.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.sample.bad_records import BadRecord
from gateway.sample.bundle import BundleWriter
from gateway.sample.calendar import Calendar, lakeside_calendar
from gateway.sample.district import District
from gateway.sample.draws import Draws
from gateway.sample.framework import document_id, lakeside_package
from gateway.sample.gradebook import Gradebook
from gateway.sample.mess import BAD, RATES, Mess
from gateway.sample.pacing import make_pacing
from gateway.sample.results import Scoring
from gateway.sample.roster import Roster, copy_roster, read_roster
from gateway.sample.roster_ground import calendar_of, classes_of, memberships_of, schools_of
from gateway.sample.targets import TargetPool, lakeside_pool, read_pool

DEFAULT_STUDENTS = 1_000
DEFAULT_AS_OF = date(2026, 6, 5)
DEFAULT_MESS = Mess()
FEWEST, MOST = 100, 1_000_000
RESULTS_PER_STUDENT = 100
MOST_RESULTS = 1_000

Progress: TypeAlias = Callable[[int, int | None], None]
"""Takes the students done and, if known, how many there are."""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written. ``rows`` by file of the bundle; ``planted`` by the fields of :class:`Mess`, rates as the number
    of results, classes, students or enrollments concerned; ``bad`` names each bad record."""

    students: int
    seed: int
    as_of: date
    school_year: str
    framework: str
    rows: Mapping[str, int]
    planted: Mapping[str, int]
    bad: tuple[BadRecord, ...]

    def as_dict(self) -> dict[str, object]:
        """The summary as ``summary.json`` has it."""
        return {
            "students": self.students,
            "seed": self.seed,
            "as_of": self.as_of.isoformat(),
            "school_year": self.school_year,
            "framework": self.framework,
            "rows": dict(self.rows),
            "planted": dict(self.planted),
            "bad": [{"kind": each.kind, "file": each.file, "id": each.id} for each in self.bad],
        }


def write_sample_district(
    out: Path,
    *,
    seed: int,
    students: int | None = None,
    roster: Path | None = None,
    framework: Path | None = None,
    mess: Mess = DEFAULT_MESS,
    as_of: date | None = None,
    results_per_student: int = RESULTS_PER_STUDENT,
    progress: Progress | None = None,
) -> SampleSummary:
    """Write a district into ``out``: ``oneroster/``, ``framework.json``, ``crosswalk.csv``, ``summary.json``.

    Without ``roster``, ``students`` (100 to 1,000,000; 1,000 if not said) are made up; with ``roster``, the folder of a
    OneRoster 1.1 or 1.2 bundle, its students get a gradebook. ``framework``, a CASE package, takes the place of ours.
    Scores are known up to ``as_of``: the last school day of 2025–26, or of the roster's year. ``results_per_student``
    counts a whole year. ``progress`` is told the students done and, if known, their total.
    Raises :class:`ConfigurationError` or :class:`~gateway.core.errors.DataError`.
    """
    _check_arguments(students, roster, results_per_student)
    draws = Draws(seed)
    pool, package, framework_id = _framework(framework)
    given = None if roster is None else read_roster(roster)
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.json").unlink(missing_ok=True)
    (out / "framework.json").write_bytes(package)
    pool.crosswalk().write_csv(out / "crosswalk.csv")
    with BundleWriter(out / "oneroster") as writer:
        if given is None:
            ground = _made_up(writer, draws, pool, mess, as_of or DEFAULT_AS_OF, students or DEFAULT_STUDENTS)
        else:
            ground = _from_roster(writer, draws, pool, given, as_of)
        pacing = make_pacing(ground.kinds, ground.calendar, results_per_student=results_per_student)
        scoring = Scoring(draws, mess, ground.calendar, pool, ground.calendar.day_number(ground.as_of))
        gradebook = Gradebook(writer, scoring, pacing)
        done = _write_gradebook(gradebook, ground, progress)
    bad = (*ground.bad, *gradebook.bad)
    planted = ground.planted + gradebook.planted
    summary = SampleSummary(
        students=done,
        seed=seed,
        as_of=ground.as_of,
        school_year=ground.calendar.year,
        framework=framework_id,
        rows=dict(sorted(writer.rows.items())),
        planted={**{kind: planted[kind] for kind in RATES}, **{kind: sum(b.kind == kind for b in bad) for kind in BAD}},
        bad=bad,
    )
    (out / "summary.json").write_text(json.dumps(summary.as_dict(), indent=2) + "\n", encoding="utf-8")
    return summary


def _check_arguments(students: int | None, roster: Path | None, results_per_student: int) -> None:
    if students is not None and roster is not None:
        raise ConfigurationError(
            "A sample district has either a number of students or a roster that brings its own.",
            hint="Leave one of the two out.",
            code="sample.students-and-roster",
        )
    if students is not None and not FEWEST <= students <= MOST:
        raise ConfigurationError(
            f"A sample district cannot have {students:,} students.",
            hint=f"Choose from {FEWEST:,} to {MOST:,}.",
            code="sample.students",
        )
    if not 1 <= results_per_student <= MOST_RESULTS:
        raise ConfigurationError(
            f"A sample district cannot have {results_per_student:,} results a student.",
            hint=f"Choose from 1 to {MOST_RESULTS:,}.",
            code="sample.results",
        )


def _framework(path: Path | None) -> tuple[TargetPool, bytes, str]:
    """What to align to, the package as bytes, and the framework's id."""
    if path is None:
        package = json.dumps(lakeside_package(), ensure_ascii=False, indent=1) + "\n"
        return lakeside_pool(), package.encode(), document_id()
    pool, id = read_pool(path)
    return pool, path.read_bytes(), id


@dataclass(slots=True)
class _Ground:
    """The roster that a gradebook grows on, and the subjects that have one. ``planted`` and ``bad`` are complete when
    ``schools`` has ended."""

    calendar: Calendar
    as_of: date
    total: int | None
    kinds: tuple[int, ...]
    schools: Iterator[tuple[pl.DataFrame, pl.DataFrame, int]]
    planted: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)


def _made_up(writer: BundleWriter, draws: Draws, pool: TargetPool, mess: Mess, as_of: date, students: int) -> _Ground:
    district = District(writer, draws, mess, lakeside_calendar(draws, as_of), students)
    district.write_frame()
    schools = district.write_schools()
    return _Ground(district.calendar, as_of, students, pool.kinds, schools, district.planted, district.bad)


def _from_roster(writer: BundleWriter, draws: Draws, pool: TargetPool, roster: Roster, as_of: date | None) -> _Ground:
    calendar = calendar_of(roster, as_of)
    memberships = memberships_of(roster, calendar)
    classes = classes_of(roster, memberships, pool.kinds)
    copy_roster(draws, roster, writer)
    kinds = tuple(classes["kind"].unique().sort())
    last_day = calendar.end - timedelta(days=1)
    return _Ground(calendar, as_of or last_day, None, kinds, schools_of(classes, memberships))


def _write_gradebook(gradebook: Gradebook, ground: _Ground, progress: Progress | None) -> int:
    """Write it school by school; the number of students."""
    gradebook.write_categories()
    done = 0
    for classes, memberships, students in ground.schools:
        gradebook.write_school(classes, memberships)
        done += students
        if progress is not None:
            progress(done, ground.total)
    return done
