"""The standings of many students as columns say what the standing of each one says."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping.stages import Domain, Stage
from gateway.core.mapping.standings import COLUMNS, WORD, standings


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """Some stages, also with more competencies than a piece and than a machine word has bits for."""
    stages = []
    for n in range(draw(st.integers(1, 5))):
        size = draw(st.sampled_from([1, 2, 3, 4, 9, 11, 23, 70]))
        after = tuple(
            tuple(m for m in draw(st.lists(st.integers(0, size - 1), max_size=2)) if m < here) for here in range(size)
        )
        name = draw(st.sampled_from([f"{n + 1:02}", f"Stage {n + 1}", "K", f"Level {'ABCDE'[n]}"]))
        codes = tuple(f"C{n}.{m}" for m in range(size))
        stages.append(Stage(name, (n + 1) * 1_000_000, codes, draw(st.integers(1, size)), after))
    return Domain("D", tuple(stages), draw(st.booleans()), draw(st.integers(1, 4)))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_columns_and_single_students_agree(data: st.DataObject) -> None:
    domain = data.draw(domains())
    full = (1 << domain.size) - 1
    masks = st.integers(0, full) | st.sampled_from([full, full >> 1, 1, 1 << (domain.size - 1)])
    rows = data.draw(st.lists(st.tuples(masks.filter(bool), masks), min_size=1, max_size=8))
    words = range(-(-domain.size // WORD))
    sets = pl.DataFrame(
        {
            f"{name}{n}": pl.Series([row[at] >> (WORD * n) & ((1 << WORD) - 1) for row in rows], dtype=pl.Int64)
            for at, name in enumerate(("evidence", "complete"))
            for n in words
        }
    )
    expected = [domain.stand(*row) for row in rows]
    found = standings(domain, sets)
    assert found.schema == pl.Schema(COLUMNS)
    assert found.rows() == [tuple(getattr(each, name) for name in COLUMNS) for each in expected]
