"""A district's file as frozen values: connections, syncs, guards, retention.

``load_district`` reads and checks everything that needs no network and no secret, and reports all faults at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema

from gateway.core.document import Document
from gateway.core.document import Path as KeyPath
from gateway.core.errors import ConfigurationError, did_you_mean, raise_problems
from gateway.core.exchange import Source, Target
from gateway.core.guard import Guards, Limits
from gateway.core.validation import validate
from gateway.core.values import DateOrder
from gateway.engine import EngineName
from gateway.registry import load_connector
from gateway.settings.references import check_references
from gateway.settings.schema import (
    NAME,
    NAME_WORDS,
    ConnectionSchema,
    CredentialsSchema,
    DistrictSchema,
    SyncSchema,
)
from gateway.settings.secrets import parse_reference
from gateway.transport.yaml_file import read_document

DATABASE_FILE = "gateway.db"


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One configured connector. ``settings`` are as written: secrets still are references. ``dates`` and
    ``extra_credit`` say how what it delivers is checked."""

    name: str
    connector: str
    settings: Mapping[str, Any]
    dates: DateOrder | None = None
    extra_credit: bool = False


@dataclass(frozen=True, slots=True)
class PushSettings:
    """What travels back to the target."""

    category: str
    inactivate: bool


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """One nightly job. ``schedule`` is checked cron text, ``None`` for a sync that only people start."""

    name: str
    source: str
    framework: str | None
    mapping: Path
    target: str
    push: PushSettings
    schedule: str | None
    grace: timedelta
    overlap: timedelta
    missing_pulls: int
    read_back: int
    guards: Guards
    engine: EngineName = EngineName.LOCAL
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How many complete pulls are kept."""

    snapshots: int


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom readers of a document can ask; empty text for what is not stated."""

    name: str
    title: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class SchoolSettings:
    """What stands at the head and foot of documents. ``logo`` is the path of a PNG or SVG file."""

    name: str
    address: tuple[str, ...]
    contact: Contact | None
    ceeb: str
    logo: Path | None
    footer: str


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """Who signs credentials. ``key`` is a reference to a private key, ``issuer`` a ``did:web`` address, ``former_keys``
    public keys that signed before, ``contexts`` a folder."""

    key: str | None
    issuer: str | None
    former_keys: tuple[str, ...]
    contexts: Path | None


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the HTTP API of the district allows. ``inbox_records``: how many each client may keep. ``sandbox``: it is a
    made-up district for vendors."""

    inbox: bool
    inbox_records: int
    private_webhooks: bool
    sandbox: bool


@dataclass(frozen=True, slots=True)
class District:
    """One tenant. ``folder`` (absolute) is where relative paths of the settings start; ``database`` is a URL or a
    reference to one (see :func:`gateway.settings.database_url`)."""

    id: str
    name: str
    time_zone: ZoneInfo
    data: Path
    folder: Path
    database: str
    policies: Path
    school: SchoolSettings
    api: ApiSettings
    credentials: CredentialSettings
    connections: Mapping[str, ConnectionSettings]
    syncs: Mapping[str, SyncSettings]
    retention: Retention
    document: Document

    @property
    def file(self) -> Path:
        return Path(self.document.name)

    def sync(self, name: str | None = None) -> SyncSettings:
        """The sync called ``name``, or the only one. Raises :class:`ConfigurationError` (``sync.unknown``)."""
        if name is None and len(self.syncs) == 1:
            return next(iter(self.syncs.values()))
        if name is not None and name in self.syncs:
            return self.syncs[name]
        what = f'There is no sync called "{name}".{did_you_mean(name, self.syncs)}' if name else "Which sync?"
        names = ", ".join(self.syncs) or "none yet; add one under syncs"
        raise ConfigurationError(what, hint=f"Syncs in {self.file}: {names}.", code="sync.unknown")

    def connection(self, name: str) -> ConnectionSettings:
        """The connection called ``name``. Raises :class:`ConfigurationError` (``connection.unknown``)."""
        if name in self.connections:
            return self.connections[name]
        raise ConfigurationError(
            f'There is no connection called "{name}".{did_you_mean(name, self.connections)}',
            hint=f"Connections in {self.file}: {', '.join(self.connections)}.",
            code="connection.unknown",
        )


def load_district(path: Path) -> District:
    """Read the district's file at ``path``.

    Raises :class:`ConfigurationError` with file and line of every fault.
    """
    document = read_document(path)
    loaded, problems = validate(DistrictSchema(), document)
    problems += _unsafe_database(document)
    if isinstance(document.data.get("credentials"), dict):
        problems += check_references(CredentialsSchema(), document, ("credentials",))
    connections = _connections(document, problems)
    syncs = _sync_data(document, connections, problems)
    raise_problems(sorted(problems, key=lambda problem: problem.place.line or 0 if problem.place else 0))
    folder = path.absolute().parent
    data = folder / loaded["data"]
    return District(
        id=loaded["district"],
        name=loaded["name"],
        time_zone=loaded["time_zone"],
        data=data,
        folder=folder,
        database=loaded["database"] or f"sqlite:///{data / DATABASE_FILE}",
        policies=folder / loaded["policies"],
        school=_school(loaded["school"], loaded["name"], folder),
        api=ApiSettings(**loaded["api"]),
        credentials=_credentials(loaded["credentials"], folder),
        connections=connections,
        syncs={name: _sync(name, found, folder, loaded["guards"]) for name, found in syncs.items()},
        retention=Retention(**loaded["retention"]),
        document=document,
    )


def _school(loaded: Mapping[str, Any], district: str, folder: Path) -> SchoolSettings:
    return SchoolSettings(
        name=loaded["name"] or district,
        address=tuple(loaded["address"]),
        contact=Contact(**loaded["contact"]) if loaded["contact"] else None,
        ceeb=loaded["ceeb"],
        logo=folder / loaded["logo"] if loaded["logo"] else None,
        footer=loaded["footer"],
    )


def _credentials(loaded: Mapping[str, Any], folder: Path) -> CredentialSettings:
    return CredentialSettings(
        key=loaded["key"],
        issuer=loaded["issuer"],
        former_keys=tuple(loaded["former_keys"]),
        contexts=folder / loaded["contexts"] if loaded["contexts"] else None,
    )


def _named_parts(document: Document, key: str) -> Mapping[str, Any]:
    parts = document.data.get(key)
    return parts if isinstance(parts, dict) else {}


def _part(schema: Schema, document: Document, path: KeyPath, problems: list[ConfigurationError]) -> Any:
    """The checked part at ``path``, or ``None`` with its faults noted."""
    loaded, found = validate(schema, document, path)
    if not NAME.fullmatch(str(path[-1])):
        found.append(_problem(document, path, "This name cannot be used.", NAME_WORDS, "name"))
    problems += found
    return None if found else loaded


def _problem(document: Document, path: KeyPath, message: str, hint: str, code: str) -> ConfigurationError:
    return ConfigurationError(message, hint=hint, code=f"configuration.{code}", place=document.place(*path))


def _connections(document: Document, problems: list[ConfigurationError]) -> dict[str, ConnectionSettings]:
    found: dict[str, ConnectionSettings] = {}
    for name in _named_parts(document, "connections"):
        path: KeyPath = ("connections", name)
        loaded = _part(ConnectionSchema(), document, path, problems)
        if loaded is None:
            continue
        found[name] = ConnectionSettings(name, **loaded)
        try:
            schema = load_connector(loaded["connector"]).Settings()
        except ConfigurationError as error:
            error.place = document.place(*path, "connector")
            problems.append(error)
            continue
        path = (*path, "settings")
        problems += validate(schema, document, path)[1] + check_references(schema, document, path)
    return found


def _sync_data(
    document: Document, connections: Mapping[str, ConnectionSettings], problems: list[ConfigurationError]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in _named_parts(document, "syncs"):
        path: KeyPath = ("syncs", name)
        for role, kind in (("source", Source), ("framework", Source), ("target", Target)):
            problems += _role_problem(document, (*path, role), kind, connections)
        loaded = _part(SyncSchema(), document, path, problems)
        if loaded is not None:
            found[name] = loaded
    return found


def _role_problem(
    document: Document,
    path: KeyPath,
    kind: type[Source] | type[Target],
    connections: Mapping[str, ConnectionSettings],
) -> list[ConfigurationError]:
    """Is there such a connection, and can it be pulled from, or pushed to?"""
    declared = _named_parts(document, "connections")
    name = document.value(*path)
    if not isinstance(name, str):
        return []
    if name not in declared:
        message = f'There is no connection called "{name}".{did_you_mean(name, declared)}'
        return [_problem(document, path, message, f"Connections: {', '.join(declared) or 'none yet'}.", "connection")]
    if name not in connections:
        return []
    try:
        connector = load_connector(connections[name].connector)
    except ConfigurationError:
        return []
    if issubclass(connector, kind):
        return []
    role = "pulled from" if kind is Source else "pushed to"
    message = f'The connection "{name}" cannot be {role}: its connector {connector.name} does not offer it.'
    return [_problem(document, path, message, "Name another connection.", "role")]


def _unsafe_database(document: Document) -> list[ConfigurationError]:
    url = document.data.get("database")
    if not isinstance(url, str) or parse_reference(url):
        return []
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        message = "This is not a database URL."
        hint = "Use sqlite:///file.db, postgresql://host/name or a reference such as ${env:GATEWAY_DATABASE}."
        return [_problem(document, ("database",), message, hint, "database")]
    if "@" in url and ":" in url.partition("://")[2].rpartition("@")[0]:
        message = "A password stands in the database's URL."
        hint = "Put the URL into an environment variable and write ${env:NAME} here."
        return [_problem(document, ("database",), message, hint, "secret")]
    return []


def _sync(name: str, loaded: Mapping[str, Any], folder: Path, district_guards: Mapping[str, Any]) -> SyncSettings:
    return SyncSettings(
        **{
            **loaded,
            "name": name,
            "mapping": folder / loaded["mapping"],
            "engine": EngineName(loaded["engine"]),
            "push": PushSettings(**loaded["push"]),
            "guards": _guards(district_guards, loaded["guards"]),
        }
    )


def _guards(district: Mapping[str, Any], sync: Mapping[str, Any]) -> Guards:
    """The sync's limits over the district's over the defaults; a table's own over both."""
    common = _limits(district) | _limits(sync)
    tables = {**district.get("tables", {}), **sync.get("tables", {})}
    own = {
        table: Limits(
            **common
            | _limits(district.get("tables", {}).get(table, {}))
            | _limits(sync.get("tables", {}).get(table, {}))
        )
        for table in tables
    }
    return Guards(Limits(**common), own)


def _limits(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name.endswith("_percent"):
            found[name.replace("_percent", "_share")] = None if value is None else Decimal(value) / 100
        elif name != "tables":
            found[name] = value
    return found
