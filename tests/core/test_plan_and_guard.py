"""The plan as a comparison of two tables, and what stops it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.digest import content_digests
from gateway.core.exchange import Action
from gateway.core.guard import Churn, Guards, Limits, judge_plan, judge_pull
from gateway.core.model import SCORE
from gateway.core.plan import KNOWN_SCHEMA, compare, count_actions, plan_digest


def known(*rows):
    return pl.DataFrame(
        [{"id": i, "state": s, "digest": d, "accepted_digest": a, "remote_id": None} for i, s, d, a in rows],
        schema=dict(KNOWN_SCHEMA),
    )


def desired(**digests):
    return pl.DataFrame(
        {"id": list(digests), "digest": list(digests.values())}, schema={"id": pl.String, "digest": pl.String}
    )


@pytest.mark.parametrize(
    ("wanted", "ledger", "action", "attempted"),
    [
        ("d1", None, "create", False),
        ("d1", ("accepted", "d1", "d1"), "keep", False),
        ("d2", ("accepted", "d1", "d1"), "update", False),
        ("d1", ("sending", "d1", None), "create", True),
        ("d2", ("sending", "d1", None), "create", False),
        ("d2", ("sending", "d2", "d1"), "update", True),
        ("d1", ("rejected", "d1", None), "create", False),
        ("d2", ("rejected", "d2", "d1"), "update", False),
        ("d1", ("failed", "d2", "d1"), "update", False),
        ("d1", ("inactive", None, None), "create", False),
        (None, ("accepted", "d1", "d1"), "inactivate", False),
        (None, ("sending", "d1", None), "inactivate", False),
        (None, ("sending", None, "d1"), "inactivate", True),
        (None, ("rejected", "d1", None), None, False),
        (None, ("inactive", None, None), None, False),
    ],
)
def test_what_is_planned_for_one_record(wanted, ledger, action, attempted):
    rows = [("x", *ledger)] if ledger else []
    changes = compare(desired(**({"x": wanted} if wanted else {})), known(*rows), prefix="d/t/results")
    if action is None:
        assert changes.is_empty()
        return
    assert changes.select("action", "attempted").rows() == [(action, attempted)]
    assert changes["key"].to_list() == [f"d/t/results/x/{wanted or 'gone'}"]


def test_a_plan_is_identified_by_what_it_does():
    one = {"results": compare(desired(a="1", b="2"), known(), prefix="p")}
    same = {"results": compare(desired(b="2", a="1"), known(), prefix="p")}
    other = {"results": compare(desired(a="1", b="3"), known(), prefix="p")}
    assert plan_digest(one) == plan_digest(same) != plan_digest(other)
    assert count_actions(one["results"]) == {Action.CREATE: 2}


def objectives(*pairs):
    return [{"source": "case", "learning_objective_id": i, "score": Decimal(s)} for i, s in pairs]


def records(score, parts, modified=None):
    inner = pl.Struct({"source": pl.String, "learning_objective_id": pl.String, "score": SCORE})
    return pl.DataFrame(
        {
            "id": ["r"],
            "score": [Decimal(score)],
            "date_last_modified": [modified],
            "result_learning_objectives": [parts],
        },
        schema={
            "id": pl.String,
            "score": SCORE,
            "date_last_modified": pl.String,
            "result_learning_objectives": pl.List(inner),
        },
    )


def test_a_digest_is_about_content_only():
    base = content_digests(records("3.5", objectives(("a", "3"))), "results")
    assert base.equals(content_digests(records("3.500", objectives(("a", "3.0")), "now"), "results"))
    assert not base.equals(content_digests(records("3.5", objectives(("a", "2"))), "results"))


def test_a_digest_never_changes_between_versions_of_anything():
    digests = content_digests(records("3.5", objectives(("a", "3"))), "results")
    assert digests.to_list() == ["36e5b91c372ed9d34f2ad411b7701d03"]


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=5)), min_size=2, max_size=2, unique=True))
def test_different_text_has_different_digests(pairs):
    frame = pl.DataFrame({"id": [i for i, _ in pairs], "title": [t for _, t in pairs]})
    assert content_digests(frame, "categories").n_unique() == 2


GUARDS = Guards()


@pytest.mark.parametrize(
    ("churn", "codes"),
    [
        (Churn(before=1000, delivered=1000), []),
        (Churn(before=1000, delivered=901, gone=100), []),
        (Churn(before=1000, delivered=899, gone=101), ["guard.gone"]),
        (Churn(before=20, delivered=15, gone=5), []),
        (Churn(before=20, delivered=14, gone=6), ["guard.gone"]),
        (Churn(before=100_000, delivered=99_400, gone=501), ["guard.gone"]),
        (Churn(before=1000, delivered=1000, updated=750), []),
        (Churn(before=1000, delivered=1000, updated=751), ["guard.updated"]),
        (Churn(before=1000, delivered=1000, rekeyed=11), ["guard.rekeyed"]),
        (Churn(before=1000, delivered=1000, quarantined=21), ["guard.quarantine"]),
        (Churn(before=0, delivered=1000, quarantined=1000), ["guard.quarantine"]),
        (Churn(before=1000, delivered=0, gone=1000), ["guard.gone", "guard.empty"]),
        (Churn(before=0, delivered=0), []),
    ],
)
def test_guards_on_a_pull(churn, codes):
    assert [reason.code for reason in judge_pull({"users": churn}, GUARDS)] == codes


def test_a_guard_says_figure_limit_and_what_to_look_at():
    (reason,) = judge_pull({"line_items": Churn(before=200, delivered=120, gone=80)}, GUARDS)
    assert reason.message == "80 of 200 line items are missing from this pull (40.0 %); the limit is 10 %."
    assert reason.hint


def test_guards_on_a_plan_count_what_the_target_holds():
    counts = {"results": {Action.CREATE: 5000, Action.UPDATE: 10, Action.KEEP: 80, Action.INACTIVATE: 30}}
    assert [r.code for r in judge_plan(counts, GUARDS)] == ["guard.gone"]
    own = Guards(tables={"results": Limits(gone_share=None, gone_rows=None)})
    assert judge_plan(counts, own) == []
