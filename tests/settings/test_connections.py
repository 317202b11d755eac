"""Secrets are read when used, from where the file says, and show themselves to nobody else."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.settings import database_url, load_district, open_connection, secret_files, secret_problems
from gateway.settings.secrets import MAX_SECRET_BYTES, Reference, Secret, parse_reference, resolve

Write = Callable[..., Path]


def now() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


def test_a_connector_gets_its_secret_and_its_surroundings(
    district_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIS_SECRET", "hunter2")
    district = load_district(district_file())
    connector = open_connection(district, "sis", now=now, adapters={"https://": "an adapter"})
    assert connector.settings["auth"]["client_secret"] == "hunter2"
    assert connector.settings["page_size"] == 1000
    context = connector.context
    assert (context.district, context.connection, context.folder) == ("lakeside", "sis", district.folder)
    assert context.work.is_dir()
    assert context.work.is_relative_to(district.data)
    assert context.now() == now()
    assert context.adapters == {"https://": "an adapter"}


def test_checking_needs_no_secret_but_opening_does(district_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIS_SECRET", raising=False)
    path = district_file()
    district = load_district(path)
    assert [str(problem.place) for problem in secret_problems(district)] == [
        f"{path}:11 (connections.sis.settings.auth.client_secret)"
    ]
    with pytest.raises(ConfigurationError, match="SIS_SECRET is not set"):
        open_connection(district, "sis", now=now)


def test_a_secret_of_the_wrong_form_is_not_shown(district_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIS_SECRET", "abc")
    with pytest.raises(ConfigurationError) as caught:
        open_connection(load_district(district_file()), "sis", now=now)
    assert caught.value.place is not None
    assert caught.value.place.line == 11
    assert "form that the connector expects" in caught.value.message
    assert "abc" not in str(caught.value)


def test_a_file_holds_a_secret_next_to_the_districts_file(district_file: Write) -> None:
    path = district_file(("${env:SIS_SECRET}", "${file:secrets/sis key}"))
    (path.parent / "secrets").mkdir()
    (path.parent / "secrets/sis key").write_bytes(b" hunter2 \r\n")
    district = load_district(path)
    assert open_connection(district, "sis", now=now).settings["auth"]["client_secret"] == " hunter2 "
    assert list(secret_files(district)) == [path.parent / "secrets/sis key"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_SECRET_BYTES + 1), None])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        resolve(Reference("file", "key"), tmp_path)
    assert caught.value.code == "secret.missing"
    assert "${file:key}" in caught.value.message


@pytest.mark.parametrize("text", ["${env:A}", "${file:a/b c}"])
def test_references_are_written_back_as_they_were(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize("text", ["", "env:A", "${env:}", "${ENV:A}", "x${env:A}", "${env:A}x", "${env: A}", 7, None])
def test_other_text_is_no_reference(text: object) -> None:
    assert parse_reference(text) is None


def test_a_secret_hides_itself() -> None:
    secret = Secret("hunter2")
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {secret:}" + "%s" % secret  # noqa: UP031
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            store(secret)


def test_the_database_is_in_the_data_folder_unless_said_otherwise(
    district_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "name: Lakeside School District"
    path = district_file()
    assert database_url(load_district(path)) == f"sqlite:///{path.parent}/data/gateway.db"
    district_file((name, f"{name}\ndatabase: sqlite:///state/x.db"))
    assert database_url(load_district(path)) == f"sqlite:///{path.parent}/state/x.db"
    monkeypatch.setenv("GATEWAY_DATABASE", "postgresql://u:p@host/x")
    district_file((name, f"{name}\ndatabase: ${{env:GATEWAY_DATABASE}}"))
    assert database_url(load_district(path)) == "postgresql://u:p@host/x"
