"""Who is where: rows of users, roles and enrollments of one school of our own district."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gateway.sample.calendar import Calendar
from gateway.sample.draws import Draws
from gateway.sample.mess import Mess
from gateway.sample.people import with_users
from gateway.sample.schools import (
    COUNSELOR,
    ELECTIVE,
    HOMEROOM,
    KINDS,
    PRINCIPAL,
    SUPPORT,
    School,
    class_number,
    former_school,
    grade_code,
    staff_number,
    teacher_number,
)

_POSTS: Mapping[str, int] = {"principal": PRINCIPAL, "counselor": COUNSELOR}


def students_of(draws: Draws, mess: Mess, calendar: Calendar, school: School, students: pl.DataFrame) -> pl.DataFrame:
    """Users with ``moved``, ``former`` (a school's number), ``former_id`` and ``moving_day`` of those who came during
    the year from another school."""
    person = pl.col("person")
    people = students.select(
        "grade",
        "section",
        "school",
        former=former_school(pl.col("school")),
        person=pl.col("student").cast(pl.UInt64),
        org=pl.lit(school.id),
        grades=grade_code(pl.col("grade")),
    )
    people = with_users(draws, people, kind="student")
    people = draws.with_uuid(people, "former_id", "orgs", pl.col("former").fill_null(0))
    day = draws.below(calendar.days // 2, "moving day", person) + calendar.days // 4
    return people.with_columns(
        moved=draws.chance(mess.mover, "mover", person) & pl.col("former").is_not_null(),
        moving_day=calendar.school_days(day),
    )


def student_roles(draws: Draws, calendar: Calendar, students: pl.DataFrame) -> pl.DataFrame:
    """``roles.csv``: one row a student, and one more for the school that a mover left."""
    day = calendar.dates(pl.col("moving_day"))
    now = students.select(
        "person",
        number=pl.lit(0, pl.UInt64),
        userSourcedId="sourcedId",
        orgSourcedId="org",
        beginDate=pl.when("moved").then(day),
        endDate=pl.lit(None, pl.Date),
    )
    before = students.filter("moved").select(
        "person",
        number=pl.lit(1, pl.UInt64),
        userSourcedId="sourcedId",
        orgSourcedId="former_id",
        beginDate=pl.lit(None, pl.Date),
        endDate=day,
    )
    rows = draws.with_uuid(pl.concat([now, before]), "sourcedId", "roles/student", pl.col("person"), pl.col("number"))
    return rows.drop("person", "number").with_columns(role=pl.lit("student"), roleType=pl.lit("primary"))


def memberships_of(students: pl.DataFrame, days: int) -> pl.DataFrame:
    """One row for each student and class: ``begin`` and ``end`` as day numbers, the end exclusive."""
    kinds = pl.DataFrame({"kind": range(len(KINDS))}, schema={"kind": pl.Int64})
    grade, day = pl.col("grade"), pl.col("moving_day")
    now = students.select(
        *("grade", "person", "sourcedId", "moved", "school", "section"),
        begin=pl.when("moved").then(day).otherwise(0),
        end=pl.lit(days, pl.Int64),
    )
    before = students.filter("moved").select(
        *("grade", "person", "sourcedId", "moved"),
        school="former",
        section=pl.lit(0, pl.Int64),
        begin=pl.lit(0, pl.Int64),
        end=day,
    )
    rows = pl.concat([now, before]).join(kinds, how="cross", maintain_order="left_right")
    number = class_number(pl.col("school"), grade, pl.col("section"), pl.col("kind"))
    return rows.select(
        "kind", "begin", "end", "moved", student_key="person", student_id="sourcedId", **{"class": number}
    )


def student_enrollments(
    draws: Draws, mess: Mess, calendar: Calendar, memberships: pl.DataFrame, classes: pl.DataFrame
) -> pl.DataFrame:
    """``enrollments.csv`` of students; a blank date means that of the class's term. Movers' dates are never blank."""
    keys = (pl.col("class"), pl.col("student_key"))
    known = classes.select("class", "class_id", "school_id", "section")
    rows = memberships.join(known, on="class", how="left", maintain_order="left")
    rows = _within_terms(calendar, rows)
    rows = draws.with_uuid(rows, "sourcedId", "enrollments", *keys)
    no_begin = draws.chance(mess.blank_begin, "blank begin", *keys) & ~pl.col("moved")
    no_end = draws.chance(mess.blank_end, "blank end", *keys) & ~pl.col("moved")
    return rows.select(
        "sourcedId",
        classSourcedId="class_id",
        schoolSourcedId="school_id",
        userSourcedId="student_id",
        role=pl.lit("student"),
        beginDate=pl.when(~no_begin).then(calendar.dates(pl.col("begin"))),
        endDate=pl.when(~no_end).then(calendar.dates(pl.col("end"))),
    )


def _within_terms(calendar: Calendar, rows: pl.DataFrame) -> pl.DataFrame:
    """Electives are taken in one term, by turns of the sections; who is not there in that term is not enrolled."""
    middle = calendar.day_number(calendar.terms[1].start)
    elective, second = pl.col("kind") == ELECTIVE, pl.col("section") % 2 == 1
    begin = pl.when(elective & second).then(pl.col("begin").clip(middle)).otherwise("begin")
    end = pl.when(elective & ~second).then(pl.col("end").clip(None, middle)).otherwise("end")
    return rows.with_columns(begin=begin, end=end).filter(pl.col("begin") < pl.col("end"))


# Staff ---------------------------------------------------------------------------------------------------------------


def with_teachers(draws: Draws, mess: Mess, school: School, classes: pl.DataFrame) -> pl.DataFrame:
    """``classes`` with ``teacher``, a number, and ``co_teacher`` where two teach."""
    taught_by_two = draws.chance(mess.co_taught, "co-taught", pl.col("class"))
    subject = ~pl.col("kind").is_in([HOMEROOM, ELECTIVE])
    return classes.with_columns(
        teacher=teacher_number(school),
        co_teacher=pl.when(taught_by_two & subject).then(staff_number(pl.lit(school.number), SUPPORT)),
    )


def staff_of(draws: Draws, school: School, classes: pl.DataFrame) -> pl.DataFrame:
    """Users with ``role``: principal, counselor and everyone who teaches."""
    posts = pl.DataFrame({"role": list(_POSTS), "post": list(_POSTS.values())}, schema_overrides={"post": pl.Int64})
    leaders = posts.select("role", person=staff_number(pl.lit(school.number), pl.col("post")))
    numbers = pl.concat([classes["teacher"], classes["co_teacher"].drop_nulls()]).unique().sort()
    teachers = pl.DataFrame({"role": "teacher", "person": numbers})
    return staff_users(draws, pl.concat([leaders, teachers]).with_columns(org=pl.lit(school.id)))


def staff_users(draws: Draws, staff: pl.DataFrame) -> pl.DataFrame:
    """``staff`` (``role``, ``person``, ``org``) as users."""
    return with_users(draws, staff.with_columns(grades=pl.lit(None, pl.String)), kind="staff")


def staff_roles(draws: Draws, staff: pl.DataFrame) -> pl.DataFrame:
    rows = staff.select("role", "person", userSourcedId="sourcedId", orgSourcedId="org", roleType=pl.lit("primary"))
    return draws.with_uuid(rows, "sourcedId", "roles/staff", pl.col("person")).drop("person")


def staff_enrollments(draws: Draws, classes: pl.DataFrame, staff: pl.DataFrame) -> pl.DataFrame:
    """Teachers' rows of ``enrollments.csv``, without dates; the second teacher of a class is not its primary one."""
    users = staff.select("person", userSourcedId="sourcedId")
    parts = [
        classes.drop_nulls(who).select("class", "class_id", "school_id", person=who, primary=pl.lit(primary))
        for who, primary in (("teacher", "true"), ("co_teacher", "false"))
    ]
    rows = pl.concat(parts).join(users, on="person", how="left", maintain_order="left")
    rows = draws.with_uuid(rows, "sourcedId", "enrollments/staff", pl.col("class"), pl.col("person"))
    return rows.select(
        "sourcedId", "userSourcedId", "primary", classSourcedId="class_id", schoolSourcedId="school_id",
        role=pl.lit("teacher"),
    )  # fmt: skip
