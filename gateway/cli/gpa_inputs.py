"""What the ``gpa`` commands share: options, and the policies, tables and course files that they name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.invocation import DEFAULT_DISTRICT, Invocation, now
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.columns import ColumnMatch
    from gateway.core.gpa.grades import Calendar
    from gateway.core.gpa.overrides import Override
    from gateway.core.gpa.policy import Policy
    from gateway.settings import District
    from gateway.store.snapshots import Snapshot

Function = Callable[..., Any]

IN_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
OUT_FILE = click.Path(path_type=Path, dir_okay=False)
NO_COURSES = (
    "Name a course file (--courses), a table of levels (--levels), or a sync whose pull has transcripts "
    "(--transcripts)."
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the shared options name. ``as_of`` is today unless said otherwise."""

    invocation: Invocation
    district: District | None
    as_of: date
    folders: tuple[Path, ...]
    courses: Path | None = None
    catalogue: Path | None = None
    levels: Path | None = None
    convert_by: str | None = None
    students: Path | None = None
    calendar: Path | None = None
    transcripts: str | None = None

    def policy(self, name: str) -> Policy:
        """The version of a policy that holds; of a file that is named by its path, whatever it holds."""
        from gateway.policies import find_policy

        return find_policy(name, self.folders, self.as_of)

    def student_facts(self) -> pl.DataFrame | None:
        from gateway.gpa_tables import read_student_facts

        return read_student_facts(self.students) if self.students else None

    def days(self) -> Calendar | None:
        from gateway.gpa_tables import read_calendar

        return read_calendar(self.calendar) if self.calendar else None

    def read_catalogue(self) -> pl.DataFrame | None:
        from gateway.gpa_tables import read_catalogue

        return read_catalogue(self.catalogue) if self.catalogue else None

    def overrides(self) -> tuple[Override, ...]:
        """The overrides that the district keeps; none without a district."""
        from gateway.store.gpa_overrides import kept_overrides

        if self.district is None:
            return ()
        with self.invocation.store(self.district) as store:
            return tuple(each.override for each in kept_overrides(store, self.district.id))

    def read_courses(
        self, policies: Sequence[Policy], student: str | None = None
    ) -> tuple[pl.DataFrame, ColumnMatch | None]:
        """All rows of the course file, with what the table of levels and the catalogue say; small files only.

        Of transcripts only the rows of ``student`` are read, if one is named."""
        courses, match = self.courses_or_levels(policies, student)
        return self.completed(courses), match

    def completed(self, courses: pl.DataFrame) -> pl.DataFrame:
        """The courses with what the catalogue says of them."""
        from gateway.core.gpa.catalogue import apply_catalogue

        catalogue = self.read_catalogue()
        return courses if catalogue is None else apply_catalogue(courses, catalogue)[0]

    @contextmanager
    def pulled_transcripts(self) -> Iterator[Snapshot]:
        """The newest pull that has the transcripts that ``--transcripts`` names."""
        from gateway.sync.transcripts import transcript_snapshot

        district = self.invocation.load()
        with self.invocation.store(district) as store:
            yield transcript_snapshot(store, district, self.transcripts or "")

    def courses_or_levels(
        self, policies: Sequence[Policy], student: str | None = None
    ) -> tuple[pl.DataFrame, ColumnMatch | None]:
        """All rows of the course file or of transcripts, or those that a table of levels makes, with grades from the
        levels."""
        from gateway.core.gpa.conversion import convert_levels, courses_of_levels
        from gateway.course_files import open_courses, read_courses
        from gateway.gpa_tables import read_levels

        match = open_courses(self.courses) if self.courses else None
        courses = read_courses(self.courses, match) if self.courses and match else None
        if self.transcripts is not None:
            if courses is not None:
                raise click.UsageError("Name either --courses or --transcripts.")
            courses = self._transcript_courses(student)
        if self.levels is None:
            if courses is None:
                raise click.UsageError(NO_COURSES)
            return courses, match
        levels = read_levels(self.levels)
        courses = courses_of_levels(levels) if courses is None else courses
        return convert_levels(self.converter(policies), courses, levels), match

    def _transcript_courses(self, student: str | None) -> pl.DataFrame:
        from gateway.sync.transcripts import transcript_courses

        with self.pulled_transcripts() as snapshot:
            return transcript_courses(snapshot, student)

    def converter(self, policies: Sequence[Policy]) -> Policy:
        """The policy that turns levels into grades: the one that is named, or the first that can."""
        if self.convert_by is not None:
            return self.policy(self.convert_by)
        found = next((policy for policy in policies if policy.conversion is not None), None)
        if found is None:
            raise ConfigurationError(
                "None of these policies turns competency levels into grades.",
                hint="Name the school's policy that does (with `from_levels`): --convert-by POLICY.",
                code="gpa.levels",
            )
        return found


def in_district(invocation: Invocation) -> bool:
    """Whether there is a district's file: a named one, or the one of this folder."""
    return invocation.district != DEFAULT_DISTRICT or Path(DEFAULT_DISTRICT).is_file()


_OPTIONS: dict[str, Function] = {
    "courses": click.option("--courses", type=IN_FILE, help="The course file: CSV, XLSX or Parquet, a row an attempt."),
    "transcripts": click.option(
        "--transcripts", metavar="NAME", help="Take the courses from the newest pull of this sync or connection."
    ),
    "catalogue": click.option("--catalogue", type=IN_FILE, help="The course catalogue; it fills empty cells."),
    "levels": click.option("--levels", type=IN_FILE, help="Competency levels, from which courses get their grades."),
    "convert_by": click.option("--convert-by", metavar="POLICY", help="The policy that turns levels into grades."),
    "students": click.option("--students", type=IN_FILE, help="Facts of students: residency, tests, groups for ranks."),
    "calendar": click.option("--calendar", type=IN_FILE, help="Days without school (date), for deadlines."),
}  # fmt: skip


def input_options(*names: str) -> Callable[[Function], Function]:
    """The shared options ``names``, with ``--as-of`` and ``--policies``; the command gets them as ``inputs``."""

    def decorate(command: Function) -> Function:
        @functools.wraps(command)
        def call(
            invocation: Invocation, /, *, as_of: datetime | None, policies_folder: Path | None, **given: Any
        ) -> Any:
            from gateway.policies import policy_folders

            own = {name: given.pop(name) for name in names}
            district = invocation.load() if in_district(invocation) else None
            day = as_of.date() if as_of else _today(district)
            folders = (policies_folder,) if policies_folder else policy_folders(district.policies if district else None)
            return command(Inputs(invocation, district, day, folders, **own), **given)

        decorated: Function = click.pass_obj(call)
        decorated = click.option(
            "--policies", "policies_folder", type=click.Path(path_type=Path, file_okay=False, exists=True),
            metavar="FOLDER", help="Where the policies are (default: the district's, then those that came with it).",
        )(decorated)  # fmt: skip
        decorated = click.option(
            "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day that decides on versions and deadlines (today)."
        )(decorated)
        for name in reversed(names):
            decorated = _OPTIONS[name](decorated)
        return decorated

    return decorate


def _today(district: District | None) -> date:
    """Today in the district's time zone, or here."""
    return (now().astimezone(district.time_zone) if district else now().astimezone()).date()
