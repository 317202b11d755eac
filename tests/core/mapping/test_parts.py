"""The tables have the same bytes however the students are cut into parts, and in whatever order the rows come."""

from __future__ import annotations

import random
from io import BytesIO

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping import Mapped, merge_mapped
from gateway.core.partition import part_of
from tests.core.mapping.conftest import BASE, compiled

MAPPING = compiled(
    BASE.replace("most_recent", "decaying_average, newest: 0.65")
    + "roll_up:\n  - {to: top_level, of: children, method: mean}\ncontinuum: {domains: [MATH, ELA]}\n"
)
CODES = ("MATH.7.PS", "MATH.7.RE", "MATH.8.PS", "ELA.7.R", "NOTHING")


def evidence(seed: int) -> pl.DataFrame:
    """Results with many ties: of the same hour, some without an id, some without a time, some of them twice."""
    chance = random.Random(seed)
    rows = [
        {
            "student_id": f"s{chance.randrange(14):02}",
            "standard": chance.choice(CODES),
            "score": chance.choice([None, "1", "1.5", "2", "3", "4", "17"]),
            "scored_at": chance.choice([None, "2026-09-01", "2026-09-01T10:00:00Z", "2026-10-02"]),
            "result_id": chance.choice([None, f"r{n % 40}"]),
            "line_item_id": chance.choice([None, "l1", "l2"]),
            "grade": chance.choice([None, "07", "08"]),
        }
        for n in range(500)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def written(mapped: Mapped) -> list[bytes]:
    tables = []
    for name in ("levels", "continuum", "credits", "unmatched", "placement"):
        file = BytesIO()
        getattr(mapped, name).write_parquet(file)
        tables.append(file.getvalue())
    return [*tables, repr((mapped.evidence, mapped.used, sorted(mapped.set_aside.items()))).encode()]


@given(seed=st.integers(0, 10**6), parts=st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_neither_the_cut_nor_the_order_changes_a_byte(seed: int, parts: int) -> None:
    rows = evidence(seed)
    at_once = MAPPING.apply(rows)
    assert at_once.levels["level"].count() > 30
    whole = written(merge_mapped([at_once]))
    shuffled = rows.sample(fraction=1, shuffle=True, seed=seed)
    part = part_of(shuffled["student_id"], parts)
    cut = [MAPPING.apply(shuffled.filter(part == number)) for number in range(parts)]
    random.Random(seed).shuffle(cut)
    assert written(merge_mapped(cut)) == whole
