"""What a district's webhooks are told of nights: how each ended, and that levels changed where they did."""

from __future__ import annotations

from gateway.store import webhooks
from gateway.store.runs import RunState
from gateway.store.webhooks import Event, Webhook
from gateway.sync import apply_plan, decide
from tests.sync.stand import setting

EVERY = (Event.RUN_FINISHED, Event.RUN_HELD, Event.LEVELS_CHANGED)


def test_nights_tell_how_they_end_and_when_levels_changed(nights):
    store = nights.open()
    hook = Webhook("lakeside", "hook_1", "client_1", "https://hook.example", EVERY, 1, nights.now(), None)
    webhooks.create(store, hook)

    def told():
        """What was told since the last look, by event."""
        found = webhooks.log(store, hook, after=None, limit=99)
        webhooks.remove(store, hook)
        webhooks.create(store, hook)
        return {each.event: each.payload["data"] for each in found}

    first = nights.run()
    events = told()
    assert set(events) == {Event.RUN_FINISHED, Event.LEVELS_CHANGED}
    assert events[Event.RUN_FINISHED] == {
        "district": "lakeside", "sync": "nightly", "run": first.run.run_id, "state": "done", "code": None,
    }  # fmt: skip
    assert events[Event.LEVELS_CHANGED]["records"] == len(nights.platform.effects)

    nights.run()
    assert set(told()) == {Event.RUN_FINISHED}, "nothing changed"

    nights.edit("results.csv", setting({}, score="4"))
    third = nights.run()
    assert third.state is RunState.HELD
    assert told()[Event.RUN_HELD] == {
        "district": "lakeside", "sync": "nightly", "run": third.run.run_id, "state": "held", "code": None,
    }  # fmt: skip
    decide(store, nights.district, third.run.plan_id, "approve", by="Kim", reason="A test", now=nights.now)
    apply_plan(nights.district, third.run.plan_id, store=store, now=nights.now, adapters=nights.platform.adapters)
    assert set(told()) == {Event.RUN_FINISHED, Event.LEVELS_CHANGED}
    store.close()
