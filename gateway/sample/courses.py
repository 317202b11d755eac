"""Courses of the district, and what stands in ``courses.csv`` and ``classes.csv``."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gateway.sample.draws import Draws, texts
from gateway.sample.framework_words import DOMAINS
from gateway.sample.schools import ELECTIVE, GRADES, HOMEROOM, KINDS, grade_code
from gateway.sample.words import ELECTIVES, HIGH_SCHOOL_TITLES, SECTION_LETTERS

CLUB = 99
"""The grade under which the course of clubs is numbered."""
_SUBJECTS = ("Homeroom", *(domain.title for domain in DOMAINS[:4]), "Arts and Physical Education")
_SUBJECT_CODES = ("22", "02", "01", "03", "04", "05")
"""Subject areas of the School Courses for the Exchange of Data, in the order of ``KINDS``."""
_CODES = ("HR", "MATH", "ELA", "SCI", "SOC", "EL")


def course_title(kind: int, grade: int) -> str:
    if kind == ELECTIVE:
        return ELECTIVES[grade % len(ELECTIVES)]
    high = HIGH_SCHOOL_TITLES.get((KINDS[kind], grade))
    return high or f"{_SUBJECTS[kind]} {grade or 'K'}"


def course_rows(draws: Draws, year_id: str, district_id: str) -> pl.DataFrame:
    """``courses.csv``: one course for each grade and kind of class, and one for clubs."""
    pairs = [(grade, kind) for grade in range(GRADES) for kind in range(len(KINDS))]
    frame = pl.DataFrame([*pairs, (CLUB, ELECTIVE)], schema={"grade": pl.Int64, "kind": pl.Int64}, orient="row")
    titles = [*(course_title(kind, grade) for grade, kind in pairs), "Clubs"]
    frame = draws.with_uuid(frame, "sourcedId", "courses", pl.col("grade"), pl.col("kind"))
    return frame.select(
        "sourcedId",
        schoolYearSourcedId=pl.lit(year_id),
        title=pl.Series(titles),
        courseCode=texts(_CODES, pl.col("kind")) + pl.col("grade").cast(pl.String).str.zfill(2),
        grades=pl.when(pl.col("grade") < GRADES).then(grade_code(pl.col("grade"))),
        orgSourcedId=pl.lit(district_id),
        subjects=texts(_SUBJECTS, pl.col("kind")),
        subjectCodes=texts(_SUBJECT_CODES, pl.col("kind")),
    )


def class_rows(classes: pl.DataFrame, terms: Sequence[str]) -> pl.DataFrame:
    """``classes.csv``: subjects run all year, electives in one term."""
    grade, kind, section = pl.col("grade"), pl.col("kind"), pl.col("section")
    titles = [course_title(k, g) for g in range(GRADES) for k in range(len(KINDS))]
    letter = texts(SECTION_LETTERS, section)
    one_term = texts(tuple(terms), section % len(terms))
    return classes.select(
        sourcedId="class_id",
        title=pl.format("{}, section {}", texts(titles, grade * len(KINDS) + kind), letter),
        grades=grade_code(grade),
        courseSourcedId="course_id",
        classCode=pl.format("{}{}-{}", texts(_CODES, kind), grade.cast(pl.String).str.zfill(2), letter),
        classType=pl.when(kind == HOMEROOM).then(pl.lit("homeroom")).otherwise(pl.lit("scheduled")),
        location=pl.format("Room {}", grade * 10 + section + 100),
        schoolSourcedId="school_id",
        termSourcedIds=pl.when(kind == ELECTIVE).then(one_term).otherwise(pl.lit(",".join(terms))),
        subjects=texts(_SUBJECTS, kind),
        subjectCodes=texts(_SUBJECT_CODES, kind),
        periods=(kind + 1).cast(pl.String),
    )
