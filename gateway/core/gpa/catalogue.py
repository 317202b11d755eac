"""The course catalogue: what a school's courses are, beside what students earned in them."""

from __future__ import annotations

import polars as pl

from gateway.core.errors import DataError

FILLED = ("title", "subject", "level", "credit", "core", "ag")
"""What a catalogue can fill in."""


def apply_catalogue(courses: pl.DataFrame, catalogue: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """``courses`` with the empty cells of :data:`FILLED` filled in by ``course_code`` (and ``school_id``, if the
    catalogue has it), and the codes that the catalogue does not know.

    What stands in a transcript stays. Raises :class:`DataError` (``gpa.catalogue``) for a course with two rows.
    """
    keys = [key for key in ("course_code", "school_id") if key in catalogue.columns]
    if "course_code" not in keys:
        raise DataError("The catalogue has no course_code.", hint="Add it.", code="gpa.catalogue")
    texts = catalogue.select(pl.col(name).cast(pl.String) for name in (*keys, *FILLED) if name in catalogue.columns)
    twice = texts.filter(texts.select(keys).is_duplicated())
    if not twice.is_empty():
        raise DataError(
            f"The catalogue has the course {twice['course_code'][0]} twice.", hint="Keep one row.", code="gpa.catalogue"
        )
    known = texts.rename({name: f"_{name}" for name in FILLED if name in texts.columns})
    missing = [pl.lit(None, pl.String).alias(key) for key in keys if key not in courses.columns]
    given = courses.with_columns(*missing, *(pl.col(key).cast(pl.String) for key in keys if key in courses.columns))
    joined = given.join(known.with_columns(pl.lit(True).alias("_known")), on=keys, how="left", maintain_order="left")
    filled = [_filled(name, courses).alias(name) for name in FILLED if name in texts.columns]
    unknown = joined.filter(pl.col("_known").is_null())["course_code"].drop_nulls().unique().sort().to_list()
    return joined.with_columns(filled).drop("_known", *(name for name in known.columns if name not in keys)), unknown


def _filled(name: str, courses: pl.DataFrame) -> pl.Expr:
    if name not in courses.columns:
        return pl.col(f"_{name}")
    own = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.coalesce(pl.when(own != "").then(own), pl.col(f"_{name}"))
