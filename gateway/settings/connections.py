"""Opens what a district's file names: connectors with their secrets, and the database's URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from datetime import datetime
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from gateway.core.connector import Connector, Context
from gateway.core.document import Path as KeyPath
from gateway.core.errors import ConfigurationError, raise_problems
from gateway.core.validation import problems
from gateway.registry import load_connector
from gateway.settings.district import District
from gateway.settings.references import leaves, replaced
from gateway.settings.secrets import parse_reference, resolve


def open_connection(
    district: District, name: str, *, now: Callable[[], datetime], adapters: Mapping[str, Any] | None = None
) -> Connector:
    """The connector of the connection ``name``, with its secrets. It does not talk to the other system yet.

    Raises :class:`ConfigurationError` for an unknown connection, a missing secret, or one of the wrong form.
    """
    connection = district.connection(name)
    kind = load_connector(connection.connector)
    work = district.data / "connections" / name
    work.mkdir(parents=True, exist_ok=True)
    context = Context(district.id, name, district.folder, work, now, adapters or {})
    return kind(_with_secrets(district, name), context)


def _with_secrets(district: District, name: str) -> Mapping[str, Any]:
    connection = district.connection(name)
    schema = load_connector(connection.connector).Settings()
    path: KeyPath = ("connections", name, "settings")
    secrets: set[str | None] = set()

    def reveal(at: KeyPath, value: Any) -> Any:
        reference = parse_reference(value)
        if reference is None:
            return value
        place = district.document.place(*path, *at)
        secrets.add(place.field)
        return resolve(reference, district.folder, place=place).reveal()

    try:
        loaded: Mapping[str, Any] = schema.load(replaced(connection.settings, reveal))
    except ValidationError as invalid:
        found = problems(invalid, schema, district.document, path)
        raise_problems([_without_secret(problem, secrets) for problem in found])
        raise
    return loaded


def _without_secret(problem: ConfigurationError, secrets: Set[str | None]) -> ConfigurationError:
    """A connector's own words about a secret might quote it."""
    if problem.place is None or problem.place.field not in secrets:
        return problem
    message = "This secret does not have the form that the connector expects."
    return ConfigurationError(message, hint="Compare it with what was issued.", code=problem.code, place=problem.place)


def secret_problems(district: District) -> Iterator[ConfigurationError]:
    """Each secret that the file refers to and that cannot be read here and now."""
    for at, value, _ in leaves(None, district.document.data):
        reference = parse_reference(value)
        if reference:
            try:
                resolve(reference, district.folder, place=district.document.place(*at))
            except ConfigurationError as error:
                yield error


def secret_files(district: District) -> Iterator[Path]:
    """The files that the district's file takes secrets from."""
    for _, value, _ in leaves(None, district.document.data):
        reference = parse_reference(value)
        if reference and reference.kind == "file":
            yield district.folder / reference.name


def credential_key(district: District) -> str | None:
    """The private key that signs credentials, as the text of its file; ``None`` if the settings name none.

    Raises :class:`ConfigurationError` (``secret.missing``).
    """
    reference = parse_reference(district.credentials.key)
    if reference is None:
        return None
    return resolve(reference, district.folder, place=district.document.place("credentials", "key")).reveal()


def database_url(district: District) -> str:
    """The URL of the district's database, with its secret. A relative SQLite path starts at the district's file."""
    reference = parse_reference(district.database)
    url = district.database
    if reference:
        url = resolve(reference, district.folder, place=district.document.place("database")).reveal()
    prefix = "sqlite:///"
    return f"{prefix}{district.folder / url.removeprefix(prefix)}" if url.startswith(prefix) else url
