"""Who may call the API: clients with a role and scopes, their keys, and the tokens handed out for keys.

A key is ``gw_live_<key id>_<43 characters>``. Only the SHA-256 of its random part is kept: it has 256 bits, so a slow
hash would protect nothing. A client has at most two live keys, so that one can be replaced while the other still works.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.core.errors import ConfigurationError
from gateway.store.api_schema import api_clients, api_keys, api_tokens
from gateway.store.database import Store

LIVE_KEYS = 2
TOKEN_LIFE = timedelta(hours=1)
KEY_LIFE = timedelta(days=365)
USED_EVERY = timedelta(minutes=1)
"""Last use is kept to the minute: a write for each call would cost more than the call."""

_KEY = re.compile(r"gw_live_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_TOKEN = re.compile(r"gw_token_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Client:
    """A program that may call, for one district, as one role."""

    district: str
    client_id: str
    name: str
    role: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a client; its secret part is known to its holder only."""

    key_id: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def live(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a credential belongs to, and what it allows. ``key_id`` is none for a token."""

    client: Client
    scopes: frozenset[str]
    key_id: str | None = None


def create_client(store: Store, district: str, *, name: str, role: str, scopes: Sequence[str], now: datetime) -> Client:
    """A new client, without a key yet. Raises :class:`ConfigurationError` (``client.name``) if the name is taken."""
    client = Client(district, f"client_{secrets.token_hex(8)}", name, role, tuple(sorted(set(scopes))), now)
    if any(each.name == name and each.revoked_at is None for each in listed(store, district)):
        raise ConfigurationError(
            "There is a client of this name already.",
            hint="Choose another name, or rotate its key.",
            code="client.name",
        )
    with store.begin() as connection:
        connection.execute(
            api_clients.insert().values(
                district=district, client_id=client.client_id, name=name, role=role, scopes=list(client.scopes),
                created_at=now,
            )
        )  # fmt: skip
    return client


def listed(store: Store, district: str) -> list[Client]:
    """All clients of a district, revoked ones included, by name."""
    query = sa.select(api_clients).where(api_clients.c.district == district).order_by(api_clients.c.name)
    return [_client(row) for row in store.rows(query)]


def find(store: Store, district: str, word: str) -> Client:
    """The client with this id, or the live one of this name.

    Raises :class:`ConfigurationError` (``client.unknown``).
    """
    for client in listed(store, district):
        if client.client_id == word or (client.name == word and client.revoked_at is None):
            return client
    raise ConfigurationError(
        "There is no such client.", hint="`mastery-gateway keys list` shows them.", code="client.unknown"
    )


def keys(store: Store, client: Client) -> list[Key]:
    """The keys of a client, oldest first."""
    query = sa.select(api_keys).where(_of(api_keys, client)).order_by(api_keys.c.created_at, api_keys.c.key_id)
    return [
        Key(row["key_id"], row["created_at"], row["expires_at"], row["last_used_at"], row["revoked_at"])
        for row in store.rows(query)
    ]


def create_key(store: Store, client: Client, *, now: datetime, life: timedelta = KEY_LIFE) -> str:
    """A new key, in full: it can be shown this once only.

    Raises :class:`ConfigurationError`: ``client.revoked``, or ``client.keys`` when two keys are live already.
    """
    if client.revoked_at is not None:
        raise ConfigurationError("This client was revoked.", hint="Create a new one.", code="client.revoked")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with store.begin() as connection:
        live = connection.execute(
            sa.select(sa.func.count()).where(
                _of(api_keys, client), api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now
            )
        ).scalar_one()
        if live >= LIVE_KEYS:
            raise ConfigurationError(
                f"This client has {LIVE_KEYS} live keys.", hint="Revoke the older one first.", code="client.keys"
            )
        connection.execute(
            api_keys.insert().values(
                district=client.district, client_id=client.client_id, key_id=key_id, digest=_digest(secret),
                created_at=now, expires_at=now + life,
            )
        )  # fmt: skip
    return f"gw_live_{key_id}_{secret}"


def revoke_key(store: Store, client: Client, key_id: str, *, now: datetime) -> None:
    """End a key, and the client's tokens with it. Raises :class:`ConfigurationError` (``client.key-unknown``)."""
    with store.begin() as connection:
        ended = connection.execute(
            api_keys.update()
            .where(_of(api_keys, client), api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        if not ended.rowcount:
            raise ConfigurationError(
                "This client has no such live key.", hint="`mastery-gateway keys list` shows them.",
                code="client.key-unknown",
            )  # fmt: skip
        connection.execute(api_tokens.delete().where(_of(api_tokens, client)))


def revoke_client(store: Store, client: Client, *, now: datetime) -> None:
    """End a client with all its keys and tokens."""
    with store.begin() as connection:
        connection.execute(api_clients.update().where(_of(api_clients, client)).values(revoked_at=now))
        connection.execute(
            api_keys.update().where(_of(api_keys, client), api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
        )
        connection.execute(api_tokens.delete().where(_of(api_tokens, client)))


def create_token(store: Store, known: Known, scopes: frozenset[str], *, now: datetime) -> str:
    """A token of one hour with some of the scopes of a key."""
    token = f"gw_token_{secrets.token_urlsafe(32)}"
    client = known.client
    with store.begin() as connection:
        connection.execute(api_tokens.delete().where(api_tokens.c.expires_at <= now))
        connection.execute(
            api_tokens.insert().values(
                district=client.district, digest=_digest(token), client_id=client.client_id, scopes=sorted(scopes),
                expires_at=now + TOKEN_LIFE,
            )
        )  # fmt: skip
    return token


def recognise(store: Store, credential: str, *, now: datetime) -> Known | None:
    """Whom a key or a token belongs to; ``None`` if it is unknown, expired or revoked."""
    if _TOKEN.fullmatch(credential):
        return _by_token(store, credential, now)
    found = _KEY.fullmatch(credential)
    return _by_key(store, found[1], found[2], now) if found else None


def _by_key(store: Store, key_id: str, secret: str, now: datetime) -> Known | None:
    row = store.row(_KEY_QUERY, {"key": key_id})
    if row is None or not hmac.compare_digest(row["key_digest"], _digest(secret)):
        return None
    if row["key_revoked_at"] is not None or now >= row["key_expires_at"]:
        return None
    client = _client(row)
    if row["key_last_used_at"] is None or now - row["key_last_used_at"] >= USED_EVERY:
        with store.begin() as connection:
            _note_use(connection, client, key_id, now)
    return Known(client, frozenset(client.scopes), key_id)


def _note_use(connection: Connection, client: Client, key_id: str, now: datetime) -> None:
    connection.execute(
        api_keys.update().where(_of(api_keys, client), api_keys.c.key_id == key_id).values(last_used_at=now)
    )


def _by_token(store: Store, token: str, now: datetime) -> Known | None:
    row = store.row(_TOKEN_QUERY, {"token": _digest(token), "now": now})
    return Known(_client(row), frozenset(row["token_scopes"])) if row else None


def _joined(table: sa.Table) -> sa.Select[tuple[object, ...]]:
    """The client that a key or token belongs to, unless it was revoked."""
    belongs = (table.c.district == api_clients.c.district) & (table.c.client_id == api_clients.c.client_id)
    return sa.select(api_clients).join(table, belongs).where(api_clients.c.revoked_at.is_(None))


_KEY_QUERY = (
    _joined(api_keys)
    .where(api_keys.c.key_id == sa.bindparam("key"))
    .add_columns(
        *(api_keys.c[name].label(f"key_{name}") for name in ("digest", "expires_at", "revoked_at", "last_used_at"))
    )
)
_TOKEN_QUERY = (
    _joined(api_tokens)
    .where(api_tokens.c.digest == sa.bindparam("token"), api_tokens.c.expires_at > sa.bindparam("now"))
    .add_columns(api_tokens.c.scopes.label("token_scopes"))
)


def _of(table: sa.Table, client: Client) -> sa.ColumnElement[bool]:
    return (table.c.district == client.district) & (table.c.client_id == client.client_id)


def _client(row: dict[str, object]) -> Client:
    names = ("district", "client_id", "name", "role", "created_at", "revoked_at")
    return Client(**{name: row[name] for name in names}, scopes=tuple(row["scopes"]))  # type: ignore[arg-type]  # columns are typed in the schema


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
