"""The canonical model holds together."""

from __future__ import annotations

import pytest

from gateway.core.model import TABLES, empty


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_reference_and_key_names_something_declared(table):
    assert set(table.key) <= set(table.names)
    for column in table.columns:
        assert column.references is None or column.references in TABLES
    assert table.part_of is None or (table.part_of[0] in TABLES and table.part_of[1] in table.names)


def test_parents_stand_before_the_tables_that_need_them():
    seen: set[str] = set()
    for table in TABLES.values():
        seen.add(table.name)
        needed = {c.references for c in table.columns if c.references and c.hard}
        assert needed <= seen, table.name


def test_an_empty_frame_has_the_declared_columns():
    assert empty("results").schema["score"].is_decimal()
    assert "_line" in empty("results", raw=True).columns
