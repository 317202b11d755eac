"""Where a host is, and what is said when it is not there, or not for us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.edfi.discovery import read_host
from connectors.edfi.settings import SettingsSchema
from gateway.core.errors import ConfigurationError
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.source_stand import SourceStand

BASE = "https://ods.example/api"


def described(version: str = "7.3", model: str = "5.2.0", **urls: str) -> bytes:
    usual = {"dataManagementApi": f"{BASE}/data/v3/", "oauth": f"{BASE}/oauth/token"}
    return json.dumps({
        "version": version, "dataModels": [{"name": "TPDM", "version": "1.1.0"}, {"name": "Ed-Fi", "version": model}],
        "urls": {**usual, **urls},
    }).encode()  # fmt: skip


def settings(**more: Any) -> Mapping[str, Any]:
    loaded: Any = SettingsSchema().load(
        {"base_url": BASE, "auth": {"client_id": "k", "client_secret": "s"}, **more}
    )  # fmt: skip
    return dict(loaded)


@pytest.mark.parametrize(
    ("version", "told", "more", "data"),
    [
        ("7.1", f"{BASE}/{{tenantIdentifier}}/{{schoolYearFromRoute}}/data/v3", {"tenant": "t", "school_year": 2027},
         f"{BASE}/t/2027/data/v3"),
        ("7.1", f"{BASE}/%7BtenantIdentifier%7D/data/v3", {"tenant": "t"}, f"{BASE}/t/data/v3"),
        ("7.1", f"{BASE}/2026/data/v3", {"school_year": 2027}, f"{BASE}/2027/data/v3"),
        ("7.1", f"{BASE}/t/2026/data/v3", {"tenant": "t", "school_year": 2027}, f"{BASE}/t/2027/data/v3"),
        ("7.1", f"{BASE}/data/v3", {"tenant": "t", "school_year": 2027}, f"{BASE}/t/2027/data/v3"),
        ("6.1", f"{BASE}/data/v3", {"instance": "i", "school_year": 2027}, f"{BASE}/data/v3/i/2027"),
        ("6.1", f"{BASE}/data/v3/2026/", {"school_year": 2027}, f"{BASE}/data/v3/2027"),
        ("5.3", f"{BASE}/data/v3/i/2026", {"instance": "i", "school_year": 2027}, f"{BASE}/data/v3/i/2027"),
        ("8.0", f"{BASE}/data/", {"school_year": 2027}, f"{BASE}/2027/data"),
        ("7.3", "http://ods.example/api/data/v3", {}, f"{BASE}/data/v3"),
        ("7.3", "https://data.example/data/v3", {"trusted_hosts": ["data.example"]}, "https://data.example/data/v3"),
    ],
)  # fmt: skip
def test_tenant_instance_and_year_stand_where_the_version_wants_them(
    version: str, told: str, more: Mapping[str, Any], data: str
) -> None:
    assert read_host(described(version, dataManagementApi=told), BASE, settings(**more)).data == data


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (b'{"version": "1"}', {}, "edfi.discovery"),
        (described("seven"), {}, "edfi.version"),
        (described(model="2.0.0"), {}, "edfi.version"),
        (described(model="7.0.0"), {}, "edfi.version"),
        (described(dataManagementApi="https://elsewhere.example/data/v3"), {}, "edfi.other-host"),
        (described(oauth="https://elsewhere.example/oauth/token"), {}, "edfi.other-host"),
        (described(dataManagementApi=f"{BASE}/{{tenantIdentifier}}/data/v3"), {}, "edfi.context"),
        (described(dataManagementApi=f"{BASE}/{{schoolYearFromRoute}}/data/v3"), {}, "edfi.context"),
        (described(dataManagementApi=f"{BASE}/{{somethingElse}}/data/v3"), {}, "edfi.context"),
        (described(), {"instance": "i"}, "edfi.context"),
        (described("6.1", "4.0.0"), {"tenant": "t"}, "edfi.context"),
        (described(dataManagementApi=f"{BASE}/rows"), {}, "edfi.discovery"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_named_with_what_to_do(body: bytes, more: Mapping[str, Any], code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_host(body, BASE, settings(**more))
    assert caught.value.code == code
    assert caught.value.hint


def test_a_declared_data_standard_goes_before_the_host_s_word() -> None:
    assert read_host(described(), BASE, settings(data_standard="4.0")).standard == (4, 0)


@pytest.mark.parametrize(
    ("version", "place"),
    [
        ("7.1", {"tenant": "district", "years": (2026, 2027)}),
        ("6.1", {"instance": "one", "years": (2026, 2027)}),
        ("5.3", {"years": (2026, 2027)}),
        ("8.0", {"tenant": "district", "years": (2026, 2027)}),
        ("5.0", {"path": "/WebApi"}),
    ],
)
def test_a_host_of_any_form_is_pulled_from(version: str, place: dict[str, Any], tmp_path: Path) -> None:
    remote = furnished(FakeEdFi(version, **place), students=3)
    chosen = {name: place[name] for name in ("tenant", "instance") if name in place}
    chosen |= {"school_year": 2026} if "years" in place else {}
    stand = SourceStand(remote, tmp_path, **chosen)
    assert [item for item in stand.connector().check() if not item.ok] == []
    assert stand.pull()["users"].height == 4


@pytest.mark.parametrize(
    ("claims", "more", "what", "words"),
    [
        (Claims(denied=frozenset({("grades", "Read")})), {}, "grades", "claim set"),
        (Claims(denied=frozenset({("sections", "*")})), {}, "sections", "claim set"),
        (Claims(), {"school_year": 1999}, "localEducationAgencies", "school_year"),
        (Claims(), {"tenant": "nobody"}, "localEducationAgencies", "tenant"),
    ],
)  # fmt: skip
def test_the_connection_test_says_what_to_mend(
    claims: Claims, more: dict[str, Any], what: str, words: str, tmp_path: Path
) -> None:
    remote = furnished(FakeEdFi("7.3", gate=EdFiGate(claims=claims)), students=1)
    failed = [item for item in SourceStand(remote, tmp_path, **more).connector().check() if not item.ok]
    assert next(item.what for item in failed) == what
    assert words in failed[0].hint


def test_a_host_that_is_somewhere_else_is_told_so(tmp_path: Path) -> None:
    stand = SourceStand(furnished(FakeEdFi("7.3", path="/WebApi"), students=1), tmp_path)
    stand.settings["base_url"] = "https://ods.example/elsewhere"
    (item,) = stand.connector().check()
    assert not item.ok
    assert "base_url" in item.hint


def test_one_token_serves_the_whole_pull(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=3)
    stand = SourceStand(remote, tmp_path)
    remote.inject(Fault(FaultKind.EXPIRED_TOKEN, path="ed-fi/grades", method="GET", after=1))
    stand.pull()
    assert remote.gate.tokens_given == 2
