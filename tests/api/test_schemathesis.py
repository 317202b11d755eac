"""What the contract says, the server does: schemathesis over every operation, seeded, with few examples of each.

By hand with more of them, against a running server: ``schemathesis run http://127.0.0.1:8080/v1/openapi.json
-H "Authorization: Bearer …" -n 200 --phases coverage,fuzzing``.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from gateway.api.app import create_app
from gateway.api.idempotency import LONGEST
from gateway.api.roles import ALLOWED, Role
from gateway.api.server import make_server, stop_server
from gateway.api.sites import Sites
from gateway.store.clients import create_client, create_key
from tests.api.conftest import FIRST, Clock

EXAMPLES = 3
SETTINGS = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": EXAMPLES, "database": "none"},
    "phases": {"examples": {"enabled": False}, "stateful": {"enabled": False}},
    "operations": [
        {"include-path-regex": "/(what-if|compare|explain)$", "phases": {"coverage": {"enabled": False}}},
        {"include-path-regex": "^/v1/mappings/", "parameters": {"path.name": "lakeside"}},
        {"include-path-regex": "^/v1/policies/", "parameters": {"path.name": "school-weighted"}},
    ],
}
"""Real names, so that requests come as far as the calculations. The rows of three operations are covered by others."""


KEY = re.compile(rf"[!-~]{{1,{LONGEST}}}")


@pytest.fixture
def fresh_keys() -> Iterator[None]:
    """Sound idempotency keys are made unlike each other: one that comes with another request is rightly refused."""

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        key = (case.headers or {}).get("Idempotency-Key")
        if isinstance(key, str) and KEY.fullmatch(key):
            case.headers["Idempotency-Key"] = f"{key}{uuid.uuid4()}"[-LONGEST:]

    schemathesis.hook(before_call)
    yield
    schemathesis.hooks.unregister(before_call)


@pytest.fixture
def credential(sites: Sites) -> str:
    """The key of a vendor that may do all that vendors can."""
    store, now = sites.by_id[FIRST].store, Clock()()
    scopes = sorted(ALLOWED[Role.VENDOR])
    client = create_client(store, FIRST, name="contract", role=Role.VENDOR, scopes=scopes, now=now)
    return create_key(store, client, now=now)


@pytest.fixture
def address(sites: Sites) -> Iterator[str]:
    """Where a server over the districts listens."""
    app = create_app(sites, now=Clock(), per_minute=1_000_000)
    server = make_server(app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    stop_server(server)
    thread.join()


def test_every_operation_keeps_the_contract(address: str, credential: str, fresh_keys: None) -> None:
    config = schemathesis.Config.from_dict({**SETTINGS, "headers": {"Authorization": f"Bearer {credential}"}})
    contract = schemathesis.openapi.from_url(f"{address}/v1/openapi.json", config=config)
    tested, cases, failures = set(), 0, []
    for event in from_schema(contract).execute():
        assert not isinstance(event, FatalError | NonFatalError), event
        if isinstance(event, ScenarioFinished):
            tested.add(event.label)
            cases += len(event.recorder.cases)
            checks = [check for found in event.recorder.checks.values() for check in found]
            failures += [
                f"{event.label}: {check.failure_info.failure}" for check in checks if check.failure_info is not None
            ]
    assert not failures, "\n\n".join(failures)
    assert len(tested) == sum(1 for _ in contract.get_all_operations())
    assert cases > 20 * len(tested)
