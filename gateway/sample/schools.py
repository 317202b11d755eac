"""How a district of any size is laid out: feeders of four schools, filled one after the other.

A *feeder* is two elementary schools, a middle and a high school with 120 students in each grade from kindergarten to
12. Student number ``n`` always has the same feeder, grade and section, so that a larger district is the smaller one
with more students. Every other number derives from these: a class is ``school``, ``grade``, section and kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gateway.sample.draws import Draws
from gateway.sample.words import FAMILY_STARTS, PLACE_ENDS

GRADES = 13
PER_GRADE = 120
FEEDER = GRADES * PER_GRADE
PLACES = 4
"""Schools of a feeder: two elementary, one middle, one high."""
LEVELS = ("Elementary", "Elementary", "Middle", "High")
ELEMENTARY_SECTION = 20
SECTION = 24

KINDS = ("HOW", "MATH", "ELA", "SCI", "SOC", "")
"""Classes of every section: the homeroom, four subjects, an elective without a gradebook."""
HOMEROOM, ELECTIVE = 0, 5

_CLASSES_OF_SCHOOL = 1024
_CLASSES_OF_GRADE = 64
_CLASSES_OF_SECTION = 8


@dataclass(frozen=True, slots=True)
class School:
    """One school. ``number`` counts over the district, ``place`` within the feeder."""

    number: int
    id: str
    name: str

    @property
    def place(self) -> int:
        return self.number % PLACES

    @property
    def is_elementary(self) -> bool:
        return self.place < 2


def make_school(draws: Draws, number: int) -> School:
    start = FAMILY_STARTS[draws.number_below(len(FAMILY_STARTS), "school/start", number)]
    end = PLACE_ENDS[draws.number_below(len(PLACE_ENDS), "school/end", number)]
    name = f"{start} {end} {LEVELS[number % PLACES]} School"
    return School(number, draws.uuid_of("orgs", number), name)


def grade_code(grade: pl.Expr) -> pl.Expr:
    """The CEDS code: ``KG``, ``01`` … ``12``."""
    return pl.when(grade == 0).then(pl.lit("KG")).otherwise(grade.cast(pl.String).str.zfill(2))


def class_number(school: pl.Expr, grade: pl.Expr, section: pl.Expr, kind: pl.Expr) -> pl.Expr:
    """The number of a class over the whole district."""
    within = grade * _CLASSES_OF_GRADE + section * _CLASSES_OF_SECTION + kind
    return (school * _CLASSES_OF_SCHOOL + within).cast(pl.UInt64)


def students_of_feeder(feeder: int, total: int) -> pl.DataFrame:
    """Students by number with ``school``, ``grade`` (0 is kindergarten) and ``section``."""
    first, last = feeder * FEEDER, min(total, (feeder + 1) * FEEDER)
    grade = (pl.col("student") % FEEDER % GRADES).alias("grade")
    slot = (pl.col("student") % FEEDER // GRADES).alias("slot")
    frame = pl.select(student=pl.int_range(first, last, dtype=pl.Int64)).with_columns(grade, slot)
    elementary = pl.col("grade") < 6
    block = pl.col("slot") // ELEMENTARY_SECTION
    place = pl.when(elementary).then(block % 2).when(pl.col("grade") < 9).then(2).otherwise(3)
    section = pl.when(elementary).then(block // 2).otherwise(pl.col("slot") // SECTION)
    return frame.select("student", "grade", (place + feeder * PLACES).alias("school"), section.alias("section"))


def former_school(school: pl.Expr) -> pl.Expr:
    """The school of the same level from which movers came, or null where there is none."""
    other = pl.when(school % PLACES == 1).then(school - 1).otherwise(school - PLACES)
    return pl.when(other >= 0).then(other)


def classes_of(sections: pl.DataFrame) -> pl.DataFrame:
    """The six classes of each distinct ``school``, ``grade`` and ``section``, with ``class`` and ``kind``."""
    distinct = sections.select("school", "grade", "section").unique(maintain_order=True)
    distinct = distinct.sort("school", "grade", "section")
    kinds = pl.DataFrame({"kind": range(len(KINDS))}, schema={"kind": pl.Int64})
    number = class_number(pl.col("school"), pl.col("grade"), pl.col("section"), pl.col("kind"))
    return distinct.join(kinds, how="cross", maintain_order="left_right").with_columns(number.alias("class"))


# Staff: numbers within the school that no class uses -----------------------------------------------------------------

PRINCIPAL, COUNSELOR, SUPPORT, ELECTIVE_TEACHER = 1000, 1001, 1002, 1003


def staff_number(school: pl.Expr, post: pl.Expr | int) -> pl.Expr:
    return (school * _CLASSES_OF_SCHOOL + post).cast(pl.UInt64)


def teacher_number(school: School) -> pl.Expr:
    """The teacher of a class: of the section in elementary schools, of grade and subject in the others, whose homerooms
    go round among them; one elective teacher a school."""
    base, grade = pl.lit(school.number), pl.col("grade")
    elective = staff_number(base, ELECTIVE_TEACHER)
    if school.is_elementary:
        own = class_number(base, grade, pl.col("section"), pl.lit(HOMEROOM))
    else:
        subject = pl.when(pl.col("kind") == HOMEROOM).then(pl.col("section") % 4 + 1).otherwise(pl.col("kind"))
        own = class_number(base, grade, pl.lit(0), subject)
    return pl.when(pl.col("kind") == ELECTIVE).then(elective).otherwise(own)
