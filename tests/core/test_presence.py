"""Who is there and who is gone, over nights."""

from __future__ import annotations

import polars as pl
import pytest

from gateway.core.exchange import PullMode
from gateway.core.model import LINE, SOURCE, TABLES
from gateway.core.presence import MISSING, Pulled, merge, merge_links, present

CATEGORIES = TABLES["categories"]
NONE = pl.Series("id", [], pl.String)


def rows(*titles, table=CATEGORIES):
    frame = pl.DataFrame([{"id": t[0], "status": "active", "title": t} for t in titles] or None, schema=None)
    frame = frame if frame.width else pl.DataFrame(schema={"id": pl.String, "status": pl.String, "title": pl.String})
    missing = [pl.lit(None, d).alias(n) for n, d in table.schema.items() if n not in frame.columns]
    return frame.with_columns(missing).select(
        *[pl.col(n).cast(d) for n, d in table.schema.items()],
        pl.lit("f").alias(SOURCE), pl.lit(1, pl.UInt32).alias(LINE),
    )  # fmt: skip


def night(previous, *titles, deleted=(), bad=(), mode=PullMode.FULL, counts=True, gone_after=2):
    delivered = pl.Series("id", [*deleted, *bad], pl.String)
    pulled = Pulled(rows(*titles), pl.Series("id", list(deleted), pl.String), delivered, mode, counts)
    return merge(previous, pulled, CATEGORIES, gone_after=gone_after)


def there(snapshot, gone_after=2):
    return present(snapshot, gone_after=gone_after).collect()["id"].sort().to_list()


def test_a_row_is_gone_only_after_two_complete_pulls_without_it():
    first, _ = night(None, "a", "b")
    second, churn = night(first, "a")
    assert (there(second), churn.gone) == (["a", "b"], 1)
    third, churn = night(second, "a")
    assert (there(third), churn.gone) == (["a"], 0)


def test_a_row_that_comes_back_is_counted_from_the_start():
    first, _ = night(None, "a", "b")
    second, _ = night(first, "a")
    third, churn = night(second, "a", "b")
    assert (there(third), churn.returned, churn.added) == (["a", "b"], 1, 0)
    fourth, _ = night(third, "a")
    assert there(fourth) == ["a", "b"]


def test_a_record_in_quarantine_keeps_its_last_good_version():
    first, _ = night(None, "a old", "b old")
    second, churn = night(first, "a new", bad=["b"])
    third, _ = night(second, "a new", bad=["b"])
    assert third.filter(pl.col("id") == "b").select("title", MISSING).row(0) == ("b old", 0)
    assert churn.gone == 0


def test_rows_called_tobedeleted_have_the_same_grace():
    first, _ = night(None, "a", "b")
    second, churn = night(first, "a", deleted=["b"])
    assert (there(second), churn.gone) == (["a", "b"], 1)
    third, _ = night(second, "a", deleted=["b"])
    assert there(third) == ["a"]


def test_an_unreadable_row_might_be_anyone_so_nobody_is_missing():
    first, _ = night(None, "a", "b")
    second, churn = night(first, "a", counts=False)
    assert (second.filter(pl.col("id") == "b")[MISSING].to_list(), churn.gone) == ([0], 0)


def test_in_a_delta_silence_means_nothing():
    first, _ = night(None, "a", "b", "c")
    second, churn = night(first, "a new", mode=PullMode.DELTA)
    assert (there(second), churn.updated, churn.gone) == (["a", "b", "c"], 1, 0)


def test_a_deletion_in_a_delta_ripens_with_the_next_delta():
    first, _ = night(None, "a", "b")
    second, _ = night(first, deleted=["b"], mode=PullMode.DELTA)
    assert there(second) == ["a", "b"]
    third, _ = night(second, mode=PullMode.DELTA)
    assert there(third) == ["a"]


def test_an_unchanged_night_has_no_churn():
    first, _ = night(None, "a", "b")
    second, churn = night(first, "a", "b")
    assert (churn.added, churn.updated, churn.gone, churn.rekeyed) == (0, 0, 0, 0)
    assert second.sort("id").equals(first.sort("id"))


def test_a_forgotten_row_comes_back_as_new():
    snapshot, _ = night(None, "a", "b")
    for _ in range(4):
        snapshot, _ = night(snapshot, "a")
    assert snapshot["id"].to_list() == ["a"]
    snapshot, churn = night(snapshot, "a", "b")
    assert (there(snapshot), churn.added) == (["a", "b"], 1)


LINKS = TABLES["result_learning_objectives"]


def links(*pairs):
    frame = pl.DataFrame(
        [{"result_id": p[0], "source": "case", "learning_objective_id": p[1:]} for p in pairs],
        schema={"result_id": pl.String, "source": pl.String, "learning_objective_id": pl.String},
    )
    missing = [pl.lit(None, d).alias(n) for n, d in LINKS.schema.items() if n not in frame.columns]
    return frame.with_columns(missing).select(*LINKS.names, pl.lit("f").alias(SOURCE), pl.lit(1, pl.UInt32).alias(LINE))


@pytest.mark.parametrize(
    ("with_parents", "mode", "fresh", "delivered", "expected"),
    [
        (True, PullMode.DELTA, ["a"], ["ay"], ["ay", "bx"]),  # REST: a's links came with a, b was not touched
        (True, PullMode.DELTA, ["a"], [], ["bx"]),  # REST: a came without links
        (False, PullMode.DELTA, ["a"], ["ay"], ["ax", "ay", "bx"]),  # CSV delta: one link more
        (False, PullMode.FULL, ["a", "b"], ["ay"], ["ay"]),  # CSV bulk: what is there, is there
        (False, PullMode.FULL, ["a"], ["ay"], ["ay", "bx"]),  # … but b is only kept, and keeps its links
    ],
)
def test_links_follow_their_parents(with_parents, mode, fresh, delivered, expected):
    parents = pl.DataFrame({"id": ["a", "b"]}).with_columns(pl.col("id").is_in(fresh).alias("_fresh"))
    before = links("ax", "bx").drop(SOURCE, LINE)
    pulled = Pulled(links(*delivered), NONE, NONE, mode, absence_counts=True)
    merged, _ = merge_links(before, pulled, LINKS, parents=parents, with_parents=with_parents)
    got = sorted(merged.select(pl.concat_str("result_id", "learning_objective_id")).to_series().to_list())
    assert got == expected
