"""The sandbox: ready for a vendor's program, faults for the one who switched them on, and all anew when asked."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.api.app import create_app
from gateway.api.roles import ALLOWED, Role
from gateway.api.sandbox.faults import Switches
from gateway.api.server import make_server, stop_server
from gateway.api.sites import Site, Sites, open_sites
from gateway.cli.main import main
from gateway.store import audit, inbox
from gateway.store.clients import create_client, create_key
from tests.api.conftest import district_folder

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
G, R = "/ims/oneroster/gradebook/v1p2", "/ims/oneroster/rostering/v1p2"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A sandbox as the command makes it: its file, and the key that it printed."""
    folder = tmp_path_factory.mktemp("sandbox") / "here"
    with redirect_stdout(StringIO()) as said:
        assert main(["--json", "sandbox", "create", str(folder), "--students", "100"]) == 0
    return folder / "gateway.yaml", json.loads(said.getvalue())["key"]


@pytest.fixture(scope="module")
def sites(made: tuple[Path, str]) -> Iterator[Sites]:
    opened = open_sites([made[0]])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(sites: Sites) -> Site:
    return sites.by_id["sandbox"]


@pytest.fixture
def waits(app: Any) -> list[float]:
    """The seconds for which slow answers would have waited."""
    waited: list[float] = []
    app.extensions["gateway-faults"] = Switches(sleep=waited.append)
    return waited


@pytest.fixture
def app(sites: Sites) -> Any:
    return create_app(sites, now=lambda: datetime.now(UTC), per_minute=100_000)


@pytest.fixture
def client(app: Any, made: tuple[Path, str]) -> Any:
    found = app.test_client()
    found.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made[1]}"
    return found


def switch(client: Any, *faults: dict[str, Any]) -> None:
    answer = client.put("/v1/sandbox/faults", json={"faults": list(faults)})
    assert answer.status_code == 200, answer.text


def test_the_printed_key_opens_what_a_product_needs(client):
    assert int(client.get(f"{R}/students?limit=1").headers["X-Total-Count"]) == 100
    assert client.get(f"{G}/results?limit=1").json["results"]
    assert client.get("/v1/mappings").json
    assert client.get("/v1/sandbox/faults").json == {"faults": []}
    assert client.put(f"{G}/categories/c", json={"title": "Work"}).status_code in (200, 201)


@pytest.mark.parametrize(
    ("kind", "status", "header"),
    [
        ("too-many-requests", 429, ("Retry-After", "7")),
        ("unavailable", 503, ("Retry-After", "7")),
        ("internal", 500, ("X-Sandbox-Fault", "internal")),
        ("expired-token", 401, ("WWW-Authenticate", 'Bearer realm="mastery-gateway", error="invalid_token"')),
    ],
)
def test_a_fault_strikes_and_can_be_told_from_a_real_one(client, kind, status, header):
    switch(client, {"kind": kind, "path": "/v1/mapp", "retry_after": 7})
    answer = client.get("/v1/mappings")
    assert (answer.status_code, answer.headers[header[0]]) == (status, header[1])
    assert answer.headers["X-Sandbox-Fault"] == kind
    assert answer.json["code"]
    assert client.get("/v1/policies").status_code == 200, "another address"
    assert client.delete("/v1/sandbox/faults").status_code == 204
    assert client.get("/v1/mappings").status_code == 200


def test_a_fault_on_the_standards_addresses_speaks_the_standards_form(client):
    switch(client, {"kind": "too-many-requests", "path": "/ims/"})
    answer = client.get(f"{R}/orgs")
    assert answer.status_code == 429
    assert answer.json["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "server_busy"
    assert client.get("/v1/mappings").status_code == 200


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [500, 500, 500, 500]),
        ({"every": 2}, [200, 500, 200, 500]),
        ({"next": 2}, [500, 500, 200, 200]),
        ({"every": 2, "next": 3}, [200, 500, 200, 200]),
    ],
)
def test_every_so_many_th_or_the_next_so_many(client, more, expected):
    switch(client, {"kind": "internal", **more})
    assert [client.get("/v1/mappings").status_code for _ in expected] == expected
    (fault,) = client.get("/v1/sandbox/faults").json["faults"]
    assert fault["struck"] == expected.count(500)


def test_a_slow_answer_waits_and_comes(client, waits):
    switch(client, {"kind": "slow", "seconds": 3})
    assert client.get("/v1/mappings").status_code == 200
    assert waits == [3]


def test_faults_of_one_client_leave_others_alone(client, app, site):
    other = create_client(site.store, site.id, name="other", role=Role.VENDOR, scopes=sorted(ALLOWED[Role.VENDOR]),
                          now=NOW)  # fmt: skip
    key = create_key(site.store, other, now=datetime.now(UTC))
    switch(client, {"kind": "internal"})
    headers = {"Authorization": f"Bearer {key}"}
    assert app.test_client().get("/v1/mappings", headers=headers).status_code == 200
    assert app.test_client().get("/v1/sandbox/faults", headers=headers).json == {"faults": []}


def test_a_cut_off_answer_is_cut_off_on_the_wire_and_takes_effect(app, client, site, made):
    server = make_server(app, host="127.0.0.1", port=0, threads=2)
    threading.Thread(target=server.run, daemon=True).start()
    switch(client, {"kind": "cut-off", "path": f"{G}/categories"})
    wire = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=20)
    try:
        headers = {"Authorization": f"Bearer {made[1]}", "Content-Type": "application/json"}
        wire.request("PUT", f"{G}/categories/cut", body=b'{"title": "Cut"}', headers=headers)
        answer = wire.getresponse()
        assert answer.status == 201
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    finally:
        wire.close()
        stop_server(server)
    kept = inbox.listed(site.store, site.id, entity="categories")
    assert "cut" in [item.record_id for item in kept]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "fire"},
        {"kind": "slow", "seconds": 21},
        {"kind": "slow", "seconds": 1.5},
        {"kind": "internal", "every": 0},
        {"kind": "internal", "path": "v1"},
        {"kind": "internal", "colour": "red"},
        {},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_nothing_switched(client, fault):
    assert client.put("/v1/sandbox/faults", json={"faults": [fault]}).status_code == 422
    assert client.get("/v1/sandbox/faults").json == {"faults": []}


def test_a_reset_makes_all_anew(client, app, site, made):
    before = client.get(f"{R}/students?limit=100").json
    results = int(client.get(f"{G}/results?limit=1").headers["X-Total-Count"])
    client.put(f"{G}/categories/mine", json={"title": "Mine"})
    upload = {"data": b"a,b\n1,2\n", "content_type": "text/csv"}
    job = client.post("/v1/mapping-jobs?mapping=lakeside", **upload)
    assert job.status_code == 202, job.text
    (made[0].parent / "sis" / "oneroster" / "users.csv").unlink()
    switch(client, {"kind": "internal", "path": "/v1/mappings"})
    answer = client.post("/v1/sandbox/reset", headers={"Idempotency-Key": "first"})
    assert answer.status_code == 200, answer.text
    assert answer.json["students"] == 100
    assert answer.json["removed"]["jobs"] == 1
    assert answer.json["removed"]["inbox"] >= 1
    assert client.get("/v1/mappings").status_code == 200
    assert client.get(f"{G}/categories/mine").status_code == 404
    assert client.get(f"/v1/jobs/{job.json['id']}").status_code == 404
    assert client.get("/v1/webhooks").json == {"webhooks": []}
    after = client.get(f"{R}/students?limit=100").json
    assert _ids(after) == _ids(before)
    assert int(client.get(f"{G}/results?limit=1").headers["X-Total-Count"]) == results
    assert "sandbox.reset" in [row["action"] for row in audit.read(site.store, site.id)]
    assert client.post("/v1/sandbox/reset", headers={"Idempotency-Key": "first"}).headers["Idempotent-Replayed"]


def _ids(page: dict[str, Any]) -> list[str]:
    return [user["sourcedId"] for user in page["users"]]


def test_only_a_sandbox_has_these_addresses_and_only_one_of_our_making_is_reset(tmp_path: Path):
    for number, (api, status) in enumerate([((), 404), (("sandbox",), 409)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "sis").mkdir()
        opened = open_sites([district_folder(folder, "real", api=api)])
        try:
            site = opened.by_id["real"]
            client = create_client(site.store, site.id, name="v", role=Role.VENDOR, scopes=["sandbox.control"], now=NOW)
            headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW, life=timedelta(days=1))}"}
            http = create_app(opened, now=lambda: NOW).test_client()
            assert http.post("/v1/sandbox/reset", headers=headers).status_code == status
            assert (folder / "sis").is_dir()
            if status == 404:
                assert http.put("/v1/sandbox/faults", data="x", headers=headers).status_code == 404
                assert http.get("/v1/sandbox/faults", headers=headers).status_code == 404
        finally:
            opened.close()


def test_create_refuses_a_folder_with_something_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["sandbox", "create", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["sandbox", "create", str(tmp_path / "new"), "--id", "No Good!"]) == 1
    assert not (tmp_path / "new").exists()
