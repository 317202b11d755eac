"""Class ranks of a whole course file: its GPAs are computed part by part, and then compared all at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gateway.core.gpa.policy import Policy
from gateway.core.gpa.rank import class_rank, no_rank
from gateway.core.model import SCORE
from gateway.course_files import check_ending, course_batches, open_courses, write_table
from gateway.gpa_batch import Computed, Options, compute_file

_NEWEST = ("school_year", "grade_level")


@dataclass(frozen=True, slots=True)
class Ranked:
    """How many students there are, how many are ranked in how many groups, and why the others are not."""

    students: int
    ranked: int
    groups: int
    unranked: Mapping[str, int]
    computed: Computed

    def lines(self, policy: Policy) -> Iterator[str]:
        """For people."""
        yield f"{policy.title} ({policy.name} {policy.version}): {self.ranked:,} of {self.students:,} ranked in "\
              f"{self.groups:,} group{'' if self.groups == 1 else 's'}"  # fmt: skip
        for note, count in self.unranked.items():
            yield f"  {count:>9,}  {note}"


def rank_file(options: Options, courses: Path, out: Path, *, workers: int = 1) -> Ranked:
    """Rank the students of ``courses`` by the only policy of ``options`` and write the table to ``out``.

    The columns are those of a result, the policy's groups, and :data:`~gateway.core.gpa.rank.RANK`. Raises
    :class:`MappingError` (``policy.no-rank``).
    """
    (policy,) = options.policies
    if policy.rank is None:
        raise no_rank(policy)
    check_ending(out)
    groups = student_groups(options, courses, policy.rank.group)
    with tempfile.TemporaryDirectory(prefix="gpa-") as folder:
        results = Path(folder) / "gpas.parquet"
        computed = compute_file(options, courses, results, workers=workers)
        gpas = pl.read_parquet(results).with_columns(pl.col("gpa").cast(SCORE))
    places = pl.Decimal(18, policy.round_gpa.places)
    ranked = class_rank(policy, gpas, groups).with_columns(pl.col("gpa").cast(places).cast(pl.String))
    write_table(ranked, out, title="Rank")
    notes = ranked.drop_nulls("rank_note").group_by("rank_note").len().sort("rank_note")
    return Ranked(
        students=ranked.height,
        ranked=ranked.height - ranked["rank"].null_count(),
        groups=ranked.drop_nulls("rank").select(policy.rank.group).n_unique(),
        unranked=dict(notes.rows()),
        computed=computed,
    )


def student_groups(options: Options, courses: Path, keys: tuple[str, ...]) -> pl.DataFrame:
    """``student_id`` and the group of each student: from the table of students, else from the newest courses."""
    given = options.students
    if given is not None and set(keys) <= set(given.columns):
        return given.select("student_id", *keys)
    match = open_courses(courses)
    newest = pl.DataFrame(schema=dict.fromkeys(("student_id", *_NEWEST, "school_id"), pl.String))
    for batch in course_batches(courses, match):
        texts = [
            (pl.col(name).cast(pl.String).str.strip_chars() if name in batch.columns else pl.lit(None, pl.String))
            .alias(name)
            for name in newest.columns
        ]  # fmt: skip
        newest = pl.concat([newest, batch.select(texts)])
        number = pl.col("grade_level").str.extract(r"(\d+)").cast(pl.Int32)
        newest = newest.sort("student_id", "school_year", number, maintain_order=True, nulls_last=False)
        newest = newest.unique("student_id", keep="last", maintain_order=True)
    return newest.select("student_id", *keys)
