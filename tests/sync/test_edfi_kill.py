"""kill -9 in the middle of a push to an Ed-Fi host, then the next start: what was accepted is not sent again.

Pull, mapping and plan are made once; each case applies a copy of the plan to a host of its own, is killed, and goes on
with the next start. The host then has seen as many writes as one undisturbed push makes, and each had one effect.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.roster import furnished_from
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import serve
from tests.sync.edfi_stand import effects, write_forth
from tests.sync.program import start

POINTS = ["push.before-send:300", "push.after-answer:150", "push.after-answer:505", "mark.in-transaction:2"]


class Hosts:
    """One address, behind which stands a new host for each case."""

    def __init__(self, sample: Path) -> None:
        self._sample = sample
        self.host = self.replace()

    def replace(self) -> FakeEdFi:
        self.host = furnished_from(FakeEdFi("7.3"), self._sample / "oneroster", self._sample / "framework.json")
        return self.host

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return self.host(environ, start_response)


@pytest.fixture(scope="module")
def hosts(sample: Path) -> Iterator[tuple[Hosts, str]]:
    served = Hosts(sample)
    with serve(served) as address:
        yield served, address


@pytest.fixture(scope="module")
def planned(sample: Path, hosts: tuple[Hosts, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district with a saved plan; nothing of it is pushed yet."""
    served, address = hosts
    file = write_forth(tmp_path_factory.mktemp("planned") / "district", sample, address)
    gate = served.host.gate
    text = file.read_text(encoding="utf-8")
    for name, secret in (("EDFI_KEY", gate.key), ("EDFI_SECRET", gate.secret)):
        (file.parent / name).write_text(secret, encoding="utf-8")
        text = text.replace(f"env:{name}", f"file:{name}")
    file.write_text(text, encoding="utf-8")
    assert start(file, words=("plan",)) == 0
    return file.parent


@pytest.fixture
def district(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "district")) / "gateway.yaml"


def apply(file: Path, **how: str) -> int:
    (plan,) = (file.parent / "data" / "runs").iterdir()
    return start(file, words=("apply", plan.name), **how)


@pytest.fixture(scope="module")
def undisturbed(planned: Path, hosts: tuple[Hosts, str], tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes one push makes."""
    host = hosts[0].replace()
    copy = shutil.copytree(planned, tmp_path_factory.mktemp("undisturbed") / "district")
    assert apply(Path(copy) / "gateway.yaml") == 0
    assert host.writes > 500
    return host.writes


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_and_started_again(point: str, undisturbed: int, hosts: tuple[Hosts, str], district: Path) -> None:
    host = hosts[0].replace()
    assert apply(district, crash_at=point) == -signal.SIGKILL
    assert start(district) == 0
    assert {count for counts in effects(host).values() for count in counts} == {1}
    assert host.writes == undisturbed


def test_a_push_that_the_host_broke_off_goes_on(hosts: tuple[Hosts, str], district: Path) -> None:
    host = hosts[0].replace()
    host.inject(
        Fault(FaultKind.THROTTLED, "86400", path="studentGradebookEntries", method="POST", after=40, times=None)
    )
    assert apply(district) != 0
    host.faults.clear()
    assert start(district) == 0
    assert {count for counts in effects(host).values() for count in counts} == {1}
