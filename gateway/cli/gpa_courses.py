"""Where a ``gpa`` command takes its courses from: a course file, levels, a pull's transcripts or its gradebook."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.gpa_inputs import NO_COURSES, Inputs

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.policy import Policy
    from gateway.gpa_batch import Options


Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The gradebook of a sync's newest pull as the source of courses: with the final grades of a category of line
    items, or with grades from the levels of the sync's mapping. Without a ``sync`` it is not asked for."""

    sync: str | None = None
    final_grades: str | None = None
    from_levels: bool = False


_GRADEBOOK = (
    click.option(
        "--sync", "sync_name", metavar="NAME", help="Take the courses of the gradebook of this sync's newest pull."
    ),
    click.option(
        "--final-grades", metavar="CATEGORY", help="With --sync: the category of line items that hold final grades."
    ),
    click.option(
        "--from-levels", is_flag=True, help="With --sync: grades from the levels of its mapping, course by course."
    ),
)


def gradebook_options(command: Function) -> Function:
    """``--sync``, ``--final-grades`` and ``--from-levels``; the command gets them as ``gradebook``."""

    @functools.wraps(command)
    def call(
        inputs: Inputs, *, sync_name: str | None, final_grades: str | None, from_levels: bool, **given: Any
    ) -> Any:
        return command(inputs, gradebook=Gradebook(sync_name, final_grades, from_levels), **given)

    decorated: Function = call
    for option in reversed(_GRADEBOOK):
        decorated = option(decorated)
    return decorated


@contextmanager
def course_file(
    inputs: Inputs, policies: Sequence[Policy], gradebook: Gradebook | None = None
) -> Iterator[tuple[Path, list[str]]]:
    """The course file itself, or one that is made of levels, of transcripts or of a gradebook; and what is to be said
    of it."""
    sync = gradebook.sync if gradebook else None
    if sync is not None and inputs.transcripts is not None:
        raise click.UsageError("Name either --sync or --transcripts.")
    if inputs.transcripts is not None and inputs.courses is not None:
        raise click.UsageError("Name either --courses or --transcripts.")
    if sync is None and inputs.transcripts is None and inputs.levels is None:
        if inputs.courses is None:
            raise click.UsageError(NO_COURSES)
        yield inputs.courses, []
        return
    with tempfile.TemporaryDirectory(prefix="gpa-") as folder:
        path = Path(folder) / "courses.parquet"
        if gradebook is not None and sync is not None:
            yield path, _of_gradebook(inputs, policies, gradebook, path)
        elif inputs.levels is None:
            yield path, _of_transcripts(inputs, path)
        else:
            courses, match = inputs.courses_or_levels(policies)
            courses.write_parquet(path, compression="lz4")
            yield path, match.report() if match else []


def _of_gradebook(inputs: Inputs, policies: Sequence[Policy], gradebook: Gradebook, path: Path) -> list[str]:
    """Write the courses of the newest pull; returns what is to be said of them."""
    from gateway.mappings import load_mapping
    from gateway.sync.course_attempts import write_attempts
    from gateway.sync.frameworks import last_framework

    if (gradebook.final_grades is None) == (not gradebook.from_levels):
        raise click.UsageError("With --sync, say either --final-grades CATEGORY or --from-levels.")
    district = inputs.invocation.load()
    sync = district.sync(gradebook.sync)
    levels = gradebook.from_levels
    mapping = load_mapping(sync.mapping, framework=last_framework(district, sync)) if levels else None
    with inputs.invocation.store(district) as store:
        return write_attempts(
            store, district, sync, path, category=gradebook.final_grades, mapping=mapping,
            converter=inputs.converter(policies) if levels else None, as_of=inputs.as_of,
        )  # fmt: skip


def _of_transcripts(inputs: Inputs, path: Path) -> list[str]:
    from gateway.sync.transcripts import write_transcript_courses

    with inputs.pulled_transcripts() as snapshot:
        return write_transcript_courses(snapshot, path)


def students_with_schools(inputs: Inputs, options: Options, courses: Path, school: str | None) -> pl.DataFrame | None:
    """The table of students if it names schools; else the school of each student in transcripts; else, unless one
    ``school`` is named for all, that of the student's newest course."""
    from gateway.gpa_rank import student_groups
    from gateway.sync.transcripts import schools_of

    facts = options.students
    if facts is not None and "school_id" in facts.columns:
        return facts
    if inputs.transcripts is not None:
        with inputs.pulled_transcripts() as snapshot:
            return schools_of(snapshot)
    return facts if school is not None else student_groups(options, courses, ("school_id",))
