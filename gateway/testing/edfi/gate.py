"""The host's token endpoint: OAuth client credentials, tokens that expire, and what each client may do.

The secret comes by HTTP Basic or in the form, as the host takes both. Tokens have 32 hexadecimal digits; those of v8
are longer and look like a JWT.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from gateway.testing.fake_auth import Entry, Gate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MARK = "feedc0de"
"""With this begins every token, so that a test finds it where it must not be."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a client may do. ``denied``: pairs of a resource (or ``*``) and of what is forbidden: ``Create``, ``Read``,
    ``Update``, ``Delete``, or ``*``: the whole resource. ``prefixes``: those of the namespaces in which it may write.
    ``closed_years``: the years of the address in which it may only read."""

    name: str = "SIS Vendor"
    denied: frozenset[tuple[str, str]] = frozenset()
    prefixes: tuple[str, ...] = ("uri://ed-fi.org", "uri://example.org")
    organizations: tuple[int, ...] = (255901,)
    closed_years: frozenset[int] = frozenset()

    def forbids(self, resource: str, action: str) -> bool:
        return bool(self.denied & {(resource, action), ("*", action)})

    def hides(self, resource: str) -> bool:
        return (resource, "*") in self.denied


@dataclass(slots=True)
class EdFiGate(Gate):
    """The credentials of one client, or of several: ``others`` maps a key to its secret and claims. ``most_tokens``:
    the number of tokens that a client may hold; the oldest goes when there are more (``None``: any number)."""

    entry: Entry = Entry.OAUTH2_HEADER
    expires_in: int | None = 1800
    claims: Claims = field(default_factory=Claims)
    others: dict[str, tuple[str, Claims]] = field(default_factory=dict)
    most_tokens: int | None = None
    long_tokens: bool = False
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        inherited: tuple[str, ...] = Gate.secrets.__get__(self)  # super() does not work in a class with slots
        return (*inherited[:-1], _MARK)

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def token(self, environ: WSGIEnvironment, body: bytes) -> tuple[str, list[tuple[str, str]], dict[str, object]]:
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return "400 Bad Request", [], {"error": "unsupported_grant_type"}
        key, secret = self._given(environ, form)
        if not key or self._secret(key) != secret:
            return "401 Unauthorized", [], {"error": "invalid_client"}
        with self._lock:
            token = self._issue(key)
        return "200 OK", [], {"access_token": token, "expires_in": self.expires_in or 1800, "token_type": "bearer"}

    def _given(self, environ: WSGIEnvironment, form: dict[str, str]) -> tuple[str, str]:
        kind, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "basic":
            return form.get("client_id", ""), form.get("client_secret", "")
        try:
            key, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        if self._secret(key) == secret:  # some clients quote the parts as RFC 6749 has it, most do not
            return key, secret
        return unquote_plus(key), unquote_plus(secret)

    def _secret(self, key: str) -> str | None:
        return self.secret if key == self.key else self.others.get(key, (None, None))[0]

    def _issue(self, key: str) -> str:
        self.tokens_given += 1
        token = f"{_MARK}{self.tokens_given:024x}"
        if self.long_tokens:
            token = f"{token}.{'e' * 300}.{'s' * 86}"
        held = [each for each, (owner, _) in self._tokens.items() if owner == key]
        if self.most_tokens is not None and len(held) >= self.most_tokens:
            del self._tokens[held[0]]
        self._tokens[token] = (key, self.now() + timedelta(seconds=self.expires_in or 1800))
        return token

    def claims_of(self, environ: WSGIEnvironment) -> Claims | None:
        """What the bearer of the request's token may do; ``None`` without a valid token."""
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        key, until = self._tokens.get(token, ("", self.now())) if kind.lower() == "bearer" else ("", self.now())
        if not key or until <= self.now():
            return None
        return self.claims if key == self.key else self.others[key][1]

    def opens(self, environ: WSGIEnvironment) -> bool:
        return self.claims_of(environ) is not None
