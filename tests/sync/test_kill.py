"""kill -9 at 24 points of a run, then the next start: nothing lost, nothing doubled, one effect per record.

Each case runs the program twice in a process of its own, against a platform served over loopback: once with
``GW_CRASH_AT`` set, which kills it with SIGKILL at the point, and once without. Afterwards the platform must hold
exactly what one undisturbed run brings, and every record must have taken effect exactly once.
"""

from __future__ import annotations

import signal

import pytest

from gateway.testing.fake_oneroster import FakeOneRoster
from gateway.testing.wsgi import serve
from tests.sync.program import start
from tests.sync.stand import held, make_platform, write_district

POINTS = [
    # F1-F3, F4-F6, F7-F9: a page has come, is being staged, has been staged; pages 1, 3, 5
    *(f"{point}:{n}" for point in ("pull.after-page", "stage.in-transaction", "stage.after-commit") for n in (1, 3, 5)),
    # F10-F12: the plan is being saved, is saved; the run is about to be marked done
    "plan.in-transaction", "plan.after-save", "run.before-done",
    # F13-F15, F16-F18: before a record is sent, after it was answered; first, middle, last
    *(f"{point}:{n}" for point in ("push.before-send", "push.after-answer") for n in ("first", "middle", "last")),
    # F19-F21, F22-F24: a batch's answers are being marked, have been marked; first, middle, last
    *(f"{point}:{n}" for point in ("mark.in-transaction", "mark.after-commit") for n in ("first", "middle", "last")),
]  # fmt: skip

BATCH = 100


def effects(platform: FakeOneRoster) -> int:
    return sum(platform.effects.values())


@pytest.fixture(scope="module")
def undisturbed(sample, tmp_path_factory):
    """What one run brings, and how many records that are."""
    platform = make_platform(sample)
    with serve(platform) as address:
        assert start(write_district(tmp_path_factory.mktemp("undisturbed") / "d", sample, address=address)) in (0, 3)
    assert set(platform.effects.values()) == {1}
    assert effects(platform) > 3 * BATCH
    return held(platform), effects(platform)


def numbered(point: str, records: int) -> str:
    """``first``, ``middle``, ``last`` as a count of records, or of batches."""
    name, _, number = point.partition(":")
    last = -(-records // BATCH) if name.startswith("mark.") else records
    return f"{name}:{ {'first': 1, 'middle': (last + 1) // 2, 'last': last}.get(number, number or 1) }"


def test_there_are_at_least_24_points():
    assert len(set(POINTS)) >= 24


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_and_started_again(point, undisturbed, sample, tmp_path):
    expected, records = undisturbed
    platform = make_platform(sample)
    with serve(platform) as address:
        file = write_district(tmp_path / "d", sample, address=address)
        assert start(file, crash_at=numbered(point, records)) == -signal.SIGKILL
        assert start(file) in (0, 3)
        assert held(platform) == expected
        assert set(platform.effects.values()) == {1}
        if point.endswith("last"):  # the night after has nothing to do
            before = platform.writes
            assert start(file) in (0, 3)
            assert platform.writes == before
