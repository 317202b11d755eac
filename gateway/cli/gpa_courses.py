"""Where the courses of a ``gpa`` command come from: a course file, a table of levels, or pulled transcripts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.gpa_inputs import NO_COURSES, Inputs

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.policy import Policy


@contextmanager
def course_file(inputs: Inputs, policies: Sequence[Policy]) -> Iterator[tuple[Path, list[str]]]:
    """The course file itself, or one that is made of levels or of transcripts; and what is to be said of it."""
    if inputs.transcripts is None and inputs.levels is None:
        if inputs.courses is None:
            raise click.UsageError(NO_COURSES)
        yield inputs.courses, []
        return
    if inputs.transcripts is not None and inputs.courses is not None:
        raise click.UsageError("Name either --courses or --transcripts.")
    with tempfile.TemporaryDirectory(prefix="gpa-") as folder:
        path = Path(folder) / "courses.parquet"
        if inputs.levels is None:
            yield path, _of_transcripts(inputs, path)
        else:
            courses, match = inputs.courses_or_levels(policies)
            courses.write_parquet(path, compression="lz4")
            yield path, match.report() if match else []


def _of_transcripts(inputs: Inputs, path: Path) -> list[str]:
    from gateway.sync.transcripts import write_transcript_courses

    with inputs.pulled_transcripts() as snapshot:
        return write_transcript_courses(snapshot, path)


def students_with_schools(inputs: Inputs, facts: pl.DataFrame | None) -> pl.DataFrame | None:
    """The table of students if it names schools; else, of transcripts, the school of each student."""
    from gateway.sync.transcripts import schools_of

    if inputs.transcripts is None or (facts is not None and "school_id" in facts.columns):
        return facts
    with inputs.pulled_transcripts() as snapshot:
        return schools_of(snapshot)
