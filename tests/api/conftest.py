"""A server over two districts in one process, with clients of every role."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.api.app import create_app
from gateway.api.roles import ALLOWED, Role
from gateway.api.sites import Site, Sites, open_sites
from gateway.sample import CLEAN, write_sample_district
from gateway.shipped import shipped
from gateway.store.clients import Client, create_client, create_key
from gateway.store.runs import RunState
from gateway.sync import run_sync

FIRST, SECOND = "lakeside", "hillside"


@dataclass
class Clock:
    """Stands still unless it is moved."""

    at: datetime = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, span: timedelta) -> None:
        self.at += span


def district_folder(folder: Path, id: str, api: Sequence[str] = ("inbox",)) -> Path:
    """A district with the shipped mapping and policies, no data yet, and what ``api`` allows."""
    shutil.copytree(shipped("mappings"), folder / "mappings")
    for other in (folder / "mappings" / "schools").glob("*.yaml"):
        if other.stem not in ("lakeside", "state-standards"):
            other.unlink()
    starter = (shipped("config") / "starter" / "gateway.yaml").read_text(encoding="utf-8")
    path = folder / "gateway.yaml"
    lines = [f"district: {id}" if line.startswith("district:") else line for line in starter.splitlines()]
    lines += ["api:", *(f"  {name}: true" for name in api)] if api else []
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def filled_district(folder: Path, id: str, results_per_student: int) -> Sites:
    """A district that pulled a sample of 100 students and pushed what it made of it."""
    path = district_folder(folder, id)
    write_sample_district(folder / "sample", seed=5, students=100, results_per_student=results_per_student, mess=CLEAN)
    (folder / "sample" / "oneroster").rename(folder / "incoming")
    opened = open_sites([path])
    site = opened.by_id[id]
    report = run_sync(site.district, None, store=site.store, now=Clock())
    assert report.state is RunState.DONE, report.run.report
    return opened


@pytest.fixture(scope="module")
def district_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [district_folder(tmp_path_factory.mktemp(id), id) for id in (FIRST, SECOND)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sites(district_files: list[Path]) -> Iterator[Sites]:
    sites = open_sites(district_files)
    yield sites
    sites.close()


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites.by_id[FIRST]


@pytest.fixture
def app(sites: Sites, clock: Clock) -> Flask:
    return create_app(sites, now=clock, per_minute=100_000)


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


NewKey = Callable[..., str]


@pytest.fixture
def new_client(sites: Sites, clock: Clock, request: pytest.FixtureRequest) -> Callable[..., tuple[Client, str]]:
    """A new client of a district and role with a key; all scopes of the role unless some are named."""
    numbers = iter(range(1000))

    def make(role: Role = Role.VENDOR, scopes: Any = None, district: str = FIRST) -> tuple[Client, str]:
        store = sites.by_id[district].store
        name = f"{request.node.name}-{next(numbers)}-{id(numbers)}"
        chosen = sorted(ALLOWED[role]) if scopes is None else sorted(scopes)
        client = create_client(store, district, name=name[-255:], role=role, scopes=chosen, now=clock())
        return client, create_key(store, client, now=clock())

    return make


@pytest.fixture
def bearer(new_client: Callable[..., tuple[Client, str]]) -> Callable[..., dict[str, str]]:
    """The headers of a new client."""

    def make(*args: Any, **more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {new_client(*args, **more)[1]}"}

    return make
