"""What all connectors promise, whatever their role. See :mod:`gateway.testing.contracts`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import requests
from marshmallow import Schema, ValidationError, fields
from requests.adapters import BaseAdapter

from gateway.core.connector import Connector, Context
from gateway.core.errors import AuthorizationError, GatewayError, TransientError
from gateway.core.exchange import (
    Source,
    Target,
)
from gateway.registry import load_connector
from gateway.testing.clock import FakeClock
from gateway.testing.fake_service import FakeService
from gateway.testing.faults import Fault, FaultKind

ABSURD = str(7 * 24 * 3600)


class _NoNetwork(BaseAdapter):
    """Fails a connector that declared itself one of files and sends a request nevertheless."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        raise AssertionError("a connector of files sent a request: it must inherit the HTTP contract")

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Stand:
    """A connector under test and what is around it."""

    connector: type[Connector]
    settings: Mapping[str, Any]
    context: Context
    clock: FakeClock

    def make(self) -> Connector:
        """A new connector, as a later process would make it."""
        return self.connector(
            cast(Mapping[str, Any], self.connector.Settings().load(dict(self.settings))), self.context
        )

    def source(self) -> Source:
        made = self.make()
        assert isinstance(made, Source)
        return made

    def target(self) -> Target:
        made = self.make()
        assert isinstance(made, Target)
        return made


class Contract:
    """What all connectors promise."""

    __test__ = False
    connector: ClassVar[str]
    over_http: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__test__ = hasattr(cls, "connector")

    def make_remote(self, folder: Path) -> FakeService | None:
        """Put something at the other side: files into ``folder`` (the answer is ``None``), or a fake provider."""
        raise NotImplementedError

    def make_settings(self, remote: Any) -> Mapping[str, Any]:
        """Settings with which the connector reaches it, as a district's file would hold them, secrets resolved."""
        raise NotImplementedError

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "folder").mkdir()
        return tmp_path / "folder"

    @pytest.fixture
    def remote(self, folder: Path) -> FakeService | None:
        return self.make_remote(folder)

    @pytest.fixture
    def stand(self, remote: FakeService | None, folder: Path, tmp_path: Path) -> Stand:
        work = tmp_path / "work"
        work.mkdir()
        return self.make_stand(remote, folder, work)

    def make_stand(self, remote: FakeService | None, folder: Path, work: Path) -> Stand:
        """The connector with its settings, and everything around it."""
        clock = FakeClock()
        adapters = remote.adapters if remote is not None else {"http://": _NoNetwork(), "https://": _NoNetwork()}
        context = Context("lakeside", "under-test", folder, work, clock.now, adapters, clock.sleep)
        return Stand(load_connector(self.connector), self.make_settings(remote), context, clock)

    def test_the_declaration_of_http_is_true(self, remote: FakeService | None) -> None:
        assert (remote is not None) == self.over_http

    def test_the_connector_bears_its_name(self, stand: Stand) -> None:
        assert stand.connector.name == self.connector
        assert stand.connector.title

    def test_unknown_settings_are_refused(self, stand: Stand) -> None:
        with pytest.raises(ValidationError):
            stand.connector.Settings().load({**stand.settings, "surprise": "1"})

    def test_every_setting_is_described(self, stand: Stand) -> None:
        assert [
            path for path, field in _fields(stand.connector.Settings()) if not _metadata(field, "description")
        ] == []

    def test_check_is_content_and_changes_nothing(self, stand: Stand, remote: FakeService | None) -> None:
        items = cast("Source | Target", stand.make()).check()
        assert items
        assert [item for item in items if not item.ok] == []
        assert remote is None or remote.writes == 0


class HttpContract(Contract):
    """What everything over HTTP promises."""

    over_http: ClassVar[bool] = True

    def _act(self, stand: Stand) -> None:
        """Do what the connector is for, to its end or to its error."""
        raise NotImplementedError

    def test_settings_mark_the_secrets(self, stand: Stand, remote: FakeService) -> None:
        given = [(path, value) for path, value in _leaves(stand.settings) if value in remote.secrets]
        assert given, "the settings of the test hold none of the fake's secrets"
        secret = {path for path, field in _fields(stand.connector.Settings()) if _metadata(field, "secret")}
        assert {path for path, _ in given} <= secret

    def test_wrong_credentials_fail_the_check_with_a_hint(self, stand: Stand, remote: FakeService) -> None:
        remote.gate.change_locks()
        failed = [item for item in cast("Source | Target", stand.make()).check() if not item.ok]
        assert failed
        assert all(item.message and item.hint for item in failed)

    def test_wrong_credentials_are_an_authorization_error(self, stand: Stand, remote: FakeService) -> None:
        remote.gate.change_locks()
        with pytest.raises(AuthorizationError) as caught:
            self._act(stand)
        assert caught.value.hint

    def test_a_long_wait_is_left_to_the_next_run(self, stand: Stand, remote: FakeService) -> None:
        remote.inject(Fault(FaultKind.THROTTLED, ABSURD, times=None))
        with pytest.raises(TransientError) as caught:
            self._act(stand)
        assert caught.value.code == "http.retry-after"
        assert sum(stand.clock.waits) == 0

    def test_secrets_are_never_told(self, stand: Stand, remote: FakeService, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        secrets = tuple(remote.secrets)
        told = [repr(stand.make()), str(stand.make())]
        told += [str(item) for item in cast("Source | Target", stand.make()).check()]
        told += _error_texts(lambda: self._act(stand))
        for fault in (
            Fault(FaultKind.ERROR, "500", times=None),
            Fault(FaultKind.HANG_UP, times=None),
            Fault(FaultKind.ERROR, "401", times=None),
            Fault(FaultKind.LOGIN_PAGE, times=None),
        ):
            remote.faults.clear()
            remote.inject(fault)
            told += _error_texts(lambda: self._act(stand))
        remote.faults.clear()
        remote.gate.change_locks()
        told += _error_texts(lambda: self._act(stand))
        told += [f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records]
        assert [secret for secret in secrets if any(secret in text for text in told)] == []


def _error_texts(act: Callable[[], None]) -> list[str]:
    """All that an error tells anybody; none if there is no error."""
    try:
        act()
    except GatewayError as error:
        trace = "".join(traceback.format_exception(error))
        return [str(error), repr(error), str(error.as_dict()), error.detail, trace]
    return []


def _leaves(settings: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif not isinstance(value, list):
            yield (*path, name), value


def _fields(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], fields.Field[Any]]]:
    for name, field in schema.fields.items():
        place = (*path, field.data_key or name)
        yield place, field
        if isinstance(field, fields.Nested):
            yield from _fields(field.schema, place)


def _metadata(field: fields.Field[Any], name: str) -> object:
    return field.metadata.get(name)


def fault_name(value: object) -> str | None:
    return f"{value.kind} {value.value}".strip() if isinstance(value, Fault) else None
