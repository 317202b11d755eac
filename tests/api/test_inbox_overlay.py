"""Pages cut from the district's records and a client's over them are those of both written together."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.inbox import overlay
from gateway.api.oneroster.tables import Rows

IDS = st.sets(st.text("aZé9", min_size=1, max_size=3), max_size=25)


@given(IDS, st.dictionaries(st.text("aZé9", min_size=1, max_size=3), st.booleans(), max_size=12), st.booleans())
def test_every_page_is_that_of_both_together(theirs, mine, withdrawn):
    base = pl.DataFrame({"id": sorted(theirs)}, schema={"id": pl.String}).with_columns(of=pl.lit("them"))
    status = {id: "tobedeleted" if gone else "active" for id, gone in sorted(mine.items())}
    own = pl.DataFrame(list(status.items()), schema={"id": pl.String, "status": pl.String}, orient="row")
    rows = Rows(Path(), base.lazy(), base.height)
    laid = overlay.laid_over(rows, own)
    both = dict.fromkeys(theirs) | status
    expected = [(id, both[id]) for id in sorted(both) if withdrawn or both[id] != "tobedeleted"]
    merged = laid.over(base.with_columns(status=pl.lit(None, pl.String)).lazy(), withdrawn=withdrawn).collect()
    assert merged.select("id", "status").rows() == expected
    for limit in (1, 3, 40):
        found = []
        for offset in range(0, len(expected) + 2 * limit, limit):
            page, total = laid.page(rows, offset, limit, withdrawn=withdrawn)
            assert total == len(expected)
            statuses = page["status"].to_list() if "status" in page.columns else [None] * page.height
            assert page.height <= limit
            found += zip(page["id"].to_list(), statuses, strict=True)
        assert found == expected


def test_places_are_counted_across_portions_of_ids(monkeypatch):
    monkeypatch.setattr(overlay, "IDS_AT_ONCE", 2)
    base = pl.DataFrame({"id": ["b", "d", "f", "h", "j"]})
    mine = pl.DataFrame({"id": ["a", "d", "g", "j", "k"], "status": ["active"] * 5})
    laid = overlay.laid_over(Rows(Path(), base.lazy(), base.height), mine)
    assert laid.before.to_list() == [0, 1, 3, 4, 5]
    assert laid.hides.to_list() == [False, True, False, True, False]
