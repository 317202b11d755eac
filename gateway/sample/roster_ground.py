"""What a gradebook needs of an existing roster: its school year, and its classes and memberships by school."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from gateway.core.errors import DataError, Place
from gateway.sample.calendar import Calendar, Session
from gateway.sample.roster import Roster, keys_of
from gateway.sample.targets import subjects_of

_USUAL_GRADE = 6
"""For classes whose grade nothing tells."""


def calendar_of(roster: Roster, as_of: date | None) -> Calendar:
    """The roster's school year that holds ``as_of``, else its last one; its longest session if none is a year."""
    sessions = [
        Session(row["sourcedId"], row["title"], row["type"] or "", start, end)
        for row in roster.files["academicSessions"].iter_rows(named=True)
        if (start := _date(row["startDate"])) and (end := _date(row["endDate"])) and start < end
    ]
    if not sessions:
        raise DataError(
            "The roster has no academic session with a start and an end.",
            hint="Dates must be written as 2026-08-15, and the end must be after the start.",
            code="sample.roster",
            place=Place("academicSessions.csv"),
        )
    years = [session for session in sessions if session.type.lower() == "schoolyear"]
    if not years:
        years = [max(sessions, key=lambda session: session.end - session.start)]
    current = [year for year in years if as_of is not None and year.start <= as_of < year.end]
    year = max(current or years, key=lambda session: session.start)
    inside = [each for each in sessions if each is not year and each.start < year.end and each.end > year.start]
    return Calendar((year, *inside), str(year.end.year))


def _date(cell: str | None) -> date | None:
    try:
        return date.fromisoformat((cell or "")[:10])
    except ValueError:
        return None


def classes_of(roster: Roster, memberships: pl.DataFrame, kinds: Sequence[int]) -> pl.DataFrame:
    """The classes of the subjects ``kinds``, as :meth:`gateway.sample.gradebook.Gradebook.write_school` takes them."""
    classes = _classes(roster, memberships).filter(pl.col("kind").is_in(kinds))
    if classes.is_empty():
        raise DataError(
            "No class of the roster tells that it teaches a subject of the framework.",
            hint="Classes or their courses need subjects or titles such as Mathematics, English, Science or History.",
            code="sample.roster",
            place=Place("classes.csv"),
        )
    return classes


def schools_of(classes: pl.DataFrame, memberships: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, int]]:
    """School after school: its classes, the memberships in them, and the number of students not met before."""
    met: set[int] = set()
    for of_school in classes.partition_by("school_id", maintain_order=True):
        here = memberships.join(of_school.select("class_id", "class", "kind"), on="class_id", maintain_order="left")
        students = set(here["student_key"]) - met
        met |= students
        yield of_school, here.select("class", "kind", "student_key", "student_id", "begin", "end"), len(students)


def _active(frame: pl.DataFrame) -> pl.DataFrame:
    """Without what is deleted, and each id once."""
    if "status" in frame.columns:
        frame = frame.filter(~pl.col("status").str.to_lowercase().is_in(["tobedeleted", "inactive"]).fill_null(False))
    return frame.unique("sourcedId", keep="first", maintain_order=True)


def _with_columns(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns)


def memberships_of(roster: Roster, calendar: Calendar) -> pl.DataFrame:
    """Students in classes, with the day numbers of their enrollment; blank dates mean the whole year."""
    rows = _with_columns(_active(roster.files["enrollments"]), "beginDate", "endDate")
    rows = rows.filter(pl.col("role").str.to_lowercase() == "student")
    rows = rows.unique(["classSourcedId", "userSourcedId"], keep="first", maintain_order=True)
    return rows.select(
        class_id="classSourcedId",
        student_id="userSourcedId",
        student_key=keys_of(rows["userSourcedId"]),
        begin=_day(calendar, "beginDate").fill_null(0).clip(0, calendar.days),
        end=_day(calendar, "endDate").fill_null(calendar.days).clip(0, calendar.days),
    )


def _day(calendar: Calendar, column: str) -> pl.Expr:
    day = pl.col(column).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return (day - pl.lit(calendar.start)).dt.total_days()


def _classes(roster: Roster, memberships: pl.DataFrame) -> pl.DataFrame:
    """Every class with ``kind``, its subject, and its ``grade``: its own, its course's or that of its students."""
    classes = _with_columns(_active(roster.files["classes"]), "grades", "subjects", "courseSourcedId")
    frame = classes.join(_courses(roster), on="courseSourcedId", how="left", maintain_order="left")
    grades = _grade_of_students(roster, memberships)
    frame = frame.join(grades, left_on="sourcedId", right_on="class_id", how="left", maintain_order="left")
    grade = pl.coalesce(_grade("grades"), _grade("course_grades"), "student_grade", pl.lit(_USUAL_GRADE))
    words = frame.select("subjects", "title", "course_subjects", "course_title").iter_rows()
    return frame.select(
        class_id="sourcedId",
        school_id="schoolSourcedId",
        kind=pl.Series([_kind(row) for row in words], dtype=pl.Int64),
        grade=grade.cast(pl.Int64),
        letters=pl.lit(False),
        own=pl.lit(True),
        **{"class": keys_of(frame["sourcedId"])},
    )


def _courses(roster: Roster) -> pl.DataFrame:
    empty = pl.DataFrame(schema=dict.fromkeys(("sourcedId", "title"), pl.String))
    courses = _with_columns(_active(roster.files.get("courses", empty)), "grades", "subjects")
    return courses.select(
        courseSourcedId="sourcedId", course_title="title", course_grades="grades", course_subjects="subjects"
    )


def _kind(words: tuple[str | None, ...]) -> int | None:
    """The first subject that the words name, the class's own first."""
    return next((kinds[0] for text in words if (kinds := subjects_of(text or ""))), None)


def _grade(column: str) -> pl.Expr:
    """The first grade of a list as a number; kindergarten is 0."""
    number = pl.col(column).str.extract(r"^\D{0,12}?(\d{1,2})", 1).cast(pl.Int64, strict=False)
    young = pl.col(column).str.to_uppercase().str.contains(r"^(?:KG|K|PK|TK)\b")
    return pl.when(young).then(0).otherwise(number.clip(0, 12))


def _grade_of_students(roster: Roster, memberships: pl.DataFrame) -> pl.DataFrame:
    users = _with_columns(_active(roster.files["users"]), "grades").select(
        student_id="sourcedId", grade=_grade("grades")
    )
    known = memberships.join(users, on="student_id", maintain_order="left").drop_nulls("grade")
    return known.group_by("class_id", maintain_order=True).agg(student_grade=pl.col("grade").min())
