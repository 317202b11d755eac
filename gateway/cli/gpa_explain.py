"""``gpa explain`` and ``gpa what-if``: one student's GPA opened to its lines, and tried with other courses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.core.errors import EXIT_WARNINGS, DataError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.changes import Change
    from gateway.core.gpa.compute import GpaResult

_FILES = ("courses", "transcripts", "catalogue", "levels", "convert_by", "students", "calendar")
_student = click.option("--student", metavar="ID", required=True, help="The student's id in the course file.")
_approximate = click.option(
    "--approximate", is_flag=True, help="Make the approximation where a school aggregates no GPA; never stored."
)


@click.command(cls=Command)
@click.argument("policy_name", metavar="POLICY")
@input_options(*_FILES)
@_student
@_approximate
def explain(inputs: Inputs, *, policy_name: str, student: str, approximate: bool) -> int:
    """Show how one student's GPA by POLICY comes about: a line a course, its clause, the sum, version and digest."""
    from gateway.core.gpa.compute import compute_gpa
    from gateway.core.gpa.explain import explain_result
    from gateway.core.gpa.overrides import note_course_overrides, override_courses, override_gpas

    policy = inputs.policy(policy_name)
    overrides = [each for each in inputs.overrides() if each.student_id == student]
    courses = override_courses(_courses_of(inputs, policy_name, student), overrides)
    result = compute_gpa(
        policy, courses, as_of=inputs.as_of, trace=True, students=inputs.student_facts(), calendar=inputs.days(),
        approximate=approximate,
    )  # fmt: skip
    result = note_course_overrides(override_gpas(result, overrides), overrides)
    inputs.invocation.answer(_told(result), explain_result(result))
    return _exit_code(result)


def _courses_of(inputs: Inputs, policy_name: str, student: str) -> pl.DataFrame:
    """The student's rows of the course file, or of the transcripts."""
    import polars as pl

    courses, _ = inputs.read_courses([inputs.policy(policy_name)], student)
    mine = courses.filter(pl.col("student_id").cast(pl.String).str.strip_chars() == student)
    if mine.is_empty():
        raise DataError("There is no course of this student.", hint="Check --student.", code="gpa.student")
    return mine


def _told(result: GpaResult) -> dict[str, Any]:
    policy = result.policy
    return {
        "policy": policy.name, "version": policy.version, "digest": policy.digest, "title": policy.title,
        "source": {"name": policy.source.name, "year": policy.source.year, "url": policy.source.url},
        "label": policy.label, "open_questions": policy.open_questions, "chosen_by_us": policy.chosen_by_us,
        "storable": result.storable, "gpas": _gpas(result), "problems": result.problems.to_dicts(),
        "trace": [] if result.trace is None else result.trace.to_dicts(),
    }  # fmt: skip


def _gpas(result: GpaResult) -> list[dict[str, Any]]:
    from gateway.core.gpa.explain import gpa_text

    return [
        {**row, "gpa": gpa_text(result.policy, row["gpa"]) or None} for row in result.gpas.iter_rows(named=True)
    ]  # fmt: skip


def _exit_code(result: GpaResult) -> int:
    return EXIT_WARNINGS if {"pending", "refused"} & set(result.gpas["state"]) else 0


@click.command(cls=Command)
@click.argument("policy_name", metavar="POLICY")
@input_options(*_FILES)
@_student
@click.option("--add", "added", metavar="COLUMN=VALUE,…", multiple=True, help="One more course.")
@click.option("--change", "changed", metavar="COURSE:COLUMN=VALUE,…", multiple=True, help="Other values for a course.")
@click.option("--repeat", "repeated", metavar="COURSE:COLUMN=VALUE,…", multiple=True, help="A course once more.")
@click.option("--remove", "removed", metavar="COURSE", multiple=True, help="Without a course.")
@_approximate
def what_if(
    inputs: Inputs,
    *,
    policy_name: str,
    student: str,
    added: tuple[str, ...],
    changed: tuple[str, ...],
    repeated: tuple[str, ...],
    removed: tuple[str, ...],
    approximate: bool,
) -> int:
    """Show one student's GPA by POLICY before and after some changes, and the courses that then count otherwise.

    COURSE is a course code, or the line in the file. Nothing is kept.
    """
    from gateway.core.gpa.changes import AddCourse, ChangeCourse, RemoveCourse, RepeatCourse
    from gateway.core.gpa.changes import what_if as try_changes
    from gateway.core.gpa.explain import explain_what_if, trace_changes
    from gateway.core.gpa.overrides import override_courses

    policy = inputs.policy(policy_name)
    overrides = [each for each in inputs.overrides() if each.student_id == student]
    courses = override_courses(_courses_of(inputs, policy_name, student), overrides)
    changes: list[Change] = [AddCourse(_values(text)) for text in added]
    changes += [ChangeCourse(*_course_and_values(courses, text)) for text in changed]
    changes += [RepeatCourse(*_course_and_values(courses, text)) for text in repeated]
    changes += [RemoveCourse(_line(courses, text)) for text in removed]
    if not changes:
        raise click.UsageError("Say what to change: --add, --change, --repeat or --remove.")
    tried = try_changes(
        policy, courses, student, changes, as_of=inputs.as_of, students=inputs.student_facts(),
        calendar=inputs.days(), approximate=approximate,
    )  # fmt: skip
    told = {
        "before": _told(tried.before), "after": _told(tried.after), "difference": tried.difference,
        "changed_courses": trace_changes(tried),
    }  # fmt: skip
    inputs.invocation.answer(told, explain_what_if(tried))
    return _exit_code(tried.after)


def _course_and_values(courses: pl.DataFrame, text: str) -> tuple[int, Mapping[str, str | None]]:
    course, colon, values = text.partition(":")
    if not colon:
        raise click.UsageError(f"Write COURSE:COLUMN=VALUE instead of {text!r}.")
    return _line(courses, course), _values(values)


def _line(courses: pl.DataFrame, course: str) -> int:
    """The line of a course that is named by its code or its line."""
    from gateway.core.model import LINE

    lines = courses[LINE].cast(int).to_list()
    codes = [str(code).strip() for code in courses["course_code"]]
    found = [line for line, code in zip(lines, codes, strict=True) if code == course.strip()]
    if not found and course.strip().isdigit():
        return int(course)
    if len(found) != 1:
        what = f"has no course {course}" if not found else f"has {course} on the lines {', '.join(map(str, found))}"
        raise DataError(f"The student {what}.", hint="Name the course by its line in the file.", code="gpa.line")
    return int(found[0])


def _values(text: str) -> Mapping[str, str | None]:
    """``grade=A,credit=0.5`` by column; columns are matched as in a course file, ``grade=`` empties one."""
    from gateway.core.gpa.columns import match_columns

    values: dict[str, str | None] = {}
    for part in text.split(","):
        column, equals, value = part.partition("=")
        if not equals:
            raise click.UsageError(f"Write COLUMN=VALUE instead of {part!r}.")
        known = match_columns([column.strip()], "the change", required=()).matched
        values[known.get(column.strip(), column.strip())] = value.strip() or None
    return values
