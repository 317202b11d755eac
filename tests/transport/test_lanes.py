"""Threads that send: order in a lane, results while others run, and what stops them."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest

from gateway.core.errors import GatewayError, TransientError
from gateway.transport.lanes import AHEAD, Lanes


def test_jobs_of_one_lane_keep_their_order_and_all_bring_results() -> None:
    seen: dict[int, list[int]] = defaultdict(list)

    def work(job: int) -> int:
        seen[job % 5].append(job)
        return job * 2

    found = []
    with Lanes(3, work, name="test", ordered=True) as lanes:
        for job in range(200):
            found += lanes.give(job, f"lane {job % 5}")
        found += lanes.rest()
    assert sorted(found) == [job * 2 for job in range(200)]
    assert all(jobs == sorted(jobs) for jobs in seen.values())


@pytest.mark.parametrize("ordered", [True, False])
def test_no_more_are_under_way_than_are_given_ahead(ordered: bool) -> None:
    gate = threading.Event()
    with Lanes(2, lambda job: gate.wait() and job, name="test", ordered=ordered) as lanes:
        for job in range(2 * AHEAD):
            assert list(lanes.give(job, str(job))) == []
        waiting = lanes.give(2 * AHEAD)
        gate.set()
        assert next(waiting) is not None
        assert len(list(waiting)) + len(list(lanes.rest())) == 2 * AHEAD


def test_without_lanes_a_slow_job_holds_up_no_other() -> None:
    gate = threading.Event()

    def work(job: int) -> int:
        if job == 0:
            gate.wait()
        return job

    with Lanes(2, work, name="test") as lanes:
        found = [each for job in range(2 * AHEAD) for each in lanes.give(job)]
        more = lanes.rest()
        found += [next(more) for _ in range(2 * AHEAD - 1 - len(found))]
        assert sorted(found) == list(range(1, 2 * AHEAD))
        gate.set()
        assert list(more) == [0]


def test_an_error_of_ours_stops_what_has_not_begun_and_is_kept() -> None:
    begun = []

    def work(job: int) -> int:
        begun.append(job)
        if job == 2:
            raise TransientError("The host is away.", hint="Wait.", code="http.circuit-open")
        return job

    with Lanes(1, work, name="test", ordered=True) as lanes:
        found = [each for job in range(AHEAD) for each in lanes.give(job)] + list(lanes.rest())
        assert isinstance(lanes.error, GatewayError)
        assert list(lanes.give(9)) + list(lanes.rest()) == []
    assert (sorted(found), begun) == ([0, 1], [0, 1, 2])


def test_any_other_error_is_raised_and_the_threads_end() -> None:
    with pytest.raises(ZeroDivisionError), Lanes(2, lambda job: 1 // job, name="quick") as lanes:
        list(lanes.give(0))
        list(lanes.rest())
    assert not [each for each in threading.enumerate() if each.name.startswith("quick")]


def test_leaving_early_drops_what_has_not_begun() -> None:
    begun = []
    gate = threading.Event()

    def work(job: int) -> int:
        begun.append(job)
        gate.wait()
        return job

    with Lanes(1, work, name="test", ordered=True) as lanes:
        for job in range(AHEAD):
            list(lanes.give(job))
        lanes.stop()
        gate.set()
    assert begun in ([0], [])
