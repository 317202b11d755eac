"""Computed GPAs on their way back: the rows of the canonical table ``gpas``. How they travel: :mod:`.telling`."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.gpa.cells import read_year
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.result import Period, State
from gateway.core.gpa.scale_range import gpa_range
from gateway.core.gpa.words import folded
from gateway.core.model import SCORE, TABLES
from gateway.core.records import NAMESPACE

ENTITY = "gpas"
_TOLD = (State.COMPUTED.value, State.OVERRIDDEN.value)
"""The states of a GPA that may be told to another system: whole ones."""
_OF_TERM = ".term"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where the values belong: school year and term of the academic record, and the school of students for whom the
    table of students names none."""

    school_year: str
    term: str
    as_of: date
    school_id: str | None = None


def desired_gpas(
    results: pl.DataFrame,
    students: pl.DataFrame | None,
    policies: Sequence[Policy],
    place: RecordPlace,
    *,
    district: str,
) -> pl.DataFrame:
    """The rows of ``gpas`` for the cumulative ``results``, and for those of the place's own year and term. Values of a
    policy whose school aggregates no GPA are none.

    Raises :class:`ConfigurationError` (``gpa.no-school``) when the school of a student is not known.
    """
    kept = {each.name: str(gpa_range(each)[1]) for each in policies if each.aggregate == "always"}
    points = pl.col("quality_points") if "quality_points" in results.columns else pl.lit(None)
    of_term = _is_of_term(results["period"], place)
    rows = results.filter(
        pl.col("state").is_in(_TOLD)
        & ((pl.col("period") == Period.CUMULATIVE.value) | of_term)
        & pl.col("policy").is_in(list(kept))
    ).select(
        "student_id", "policy", "version", pl.col("gpa").alias("value"), points.cast(SCORE).alias("points"),
        (pl.col("period") == Period.CUMULATIVE.value).alias("cumulative"),
    )  # fmt: skip
    rows = _with_schools(rows, students, place).with_columns(
        pl.lit("active").alias("status"),
        pl.lit(place.school_year).alias("school_year"),
        pl.lit(place.term).alias("term"),
        pl.col("policy").alias("type"),
        pl.col("policy").replace_strict(kept, return_dtype=pl.String).alias("maximum"),
        pl.lit(place.as_of).alias("as_of"),
    )
    about = [
        str(uuid.uuid5(NAMESPACE, "/".join((district, "gpa", student, school, place.school_year, place.term))))
        for student, school in rows.select("student_id", "school_id").iter_rows()
    ]
    kind = pl.when("cumulative").then(pl.lit("")).otherwise(pl.lit(_OF_TERM))
    rows = rows.with_columns(
        pl.format("{}.{}{}", pl.Series(about, dtype=pl.String), pl.col("policy"), kind).alias("id")
    )
    declared = TABLES[ENTITY].schema
    return rows.select(
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in declared.items()
    ).sort("id")


def kept_back(results: pl.DataFrame, policies: Sequence[Policy]) -> Mapping[str, int]:
    """How many cumulative GPAs are not whole, and so not told, by the title of their policy."""
    partial = results.filter(~pl.col("state").is_in(_TOLD) & (pl.col("period") == Period.CUMULATIVE.value))
    counts = Counter(partial["policy"].to_list())
    return {each.title: counts[each.name] for each in policies if counts[each.name] and each.aggregate == "always"}


def _is_of_term(periods: pl.Series, place: RecordPlace) -> pl.Series:
    """Whether a period, ``2027 Fall Semester``, is the place's year and term."""
    year = read_year(place.school_year)
    wanted = folded(f"{year if year is not None else place.school_year} {place.term}")
    fitting = [period for period in periods.unique() if folded(period or "") == wanted]
    return periods.is_in(fitting)


def with_schools(rows: pl.DataFrame, students: pl.DataFrame | None, school_id: str | None) -> pl.DataFrame:
    """The rows with ``school_id``: that of the table of students, else the one that is named for all."""
    own = pl.lit(school_id, pl.String)
    if students is not None and "school_id" in students.columns:
        schools = students.select("student_id", pl.col("school_id").cast(pl.String)).unique("student_id")
        return rows.join(schools, on="student_id", how="left").with_columns(pl.col("school_id").fill_null(own))
    return rows.with_columns(own.alias("school_id"))


def _with_schools(rows: pl.DataFrame, students: pl.DataFrame | None, place: RecordPlace) -> pl.DataFrame:
    rows = with_schools(rows, students, place.school_id)
    lacking = rows["school_id"].null_count()
    if lacking:
        raise ConfigurationError(
            f"The school of {lacking:,} GPAs is not known.",
            hint="Give a table of students with school_id (--students), or one school for all (--school).",
            code="gpa.no-school",
        )
    return rows
