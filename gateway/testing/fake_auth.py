"""The gate of the fake providers: a token endpoint, bearer tokens, OAuth 1.0a signatures.

Imitates: RFC 6749 section 4.4 and 5.2 (client credentials; the secret by HTTP Basic, in the body, or in the query as
some student information systems want it), RFC 6750, and RFC 5849 section 3.4 (signature base string, HMAC-SHA1 and
HMAC-SHA256), written here anew so that the client's library is not its own judge.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Entry(StrEnum):
    """How a client shows that it may come in."""

    NONE = "none"
    BEARER = "bearer"
    OAUTH1_SHA256 = "oauth1-sha256"
    OAUTH1_SHA1 = "oauth1-sha1"
    OAUTH2_HEADER = "oauth2-header"
    OAUTH2_BODY = "oauth2-body"
    OAUTH2_QUERY = "oauth2-query"


@dataclass(slots=True)
class Gate:
    """One set of credentials. ``cookie``: a session cookie that the token endpoint sets and requests must bring."""

    entry: Entry = Entry.OAUTH2_HEADER
    key: str = "district-7-key"
    secret: str = "s3cret/with+signs&more"
    bearer: str = "fixed-token-4711-never-to-be-seen"
    expires_in: int | None = 3600
    cookie: str = ""
    tokens_given: int = 0
    _valid: set[str] = field(default_factory=set)
    _nonces: set[str] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen: in clear, percent-encoded, or as a part of a header."""
        basic = base64.b64encode(f"{quote(self.key)}:{quote(self.secret, safe='')}".encode()).decode()
        return (self.secret, quote(self.secret, safe=""), self.bearer, basic, "issued-token-")

    @property
    def gives_tokens(self) -> bool:
        return self.entry in (Entry.OAUTH2_HEADER, Entry.OAUTH2_BODY, Entry.OAUTH2_QUERY)

    def change_locks(self) -> None:
        """From now on the credentials that were given out open nothing."""
        self.secret, self.bearer = "a-new-secret-that-nobody-was-told", "a-new-token-that-nobody-was-told"
        self.revoke_tokens()

    def revoke_tokens(self) -> None:
        """As if every token had expired now."""
        self._valid.clear()

    def token(self, environ: WSGIEnvironment, body: bytes) -> tuple[str, list[tuple[str, str]], dict[str, object]]:
        """The answer of the token endpoint: status line, additional headers, document."""
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        given = query if self.entry is Entry.OAUTH2_QUERY else form
        if given.get("grant_type") != "client_credentials":
            return "400 Bad Request", [], {"error": "unsupported_grant_type"}
        if self._credentials(environ, given) != (self.key, self.secret):
            return "401 Unauthorized", [], {"error": "invalid_client"}
        with self._lock:
            token = f"issued-token-{next(self._numbers)}"
            self._valid.add(token)
            self.tokens_given += 1
        document: dict[str, object] = {"access_token": token, "token_type": "bearer"}
        if self.expires_in is not None:
            document["expires_in"] = self.expires_in
        return "200 OK", [("Set-Cookie", f"{self.cookie}; Path=/")] if self.cookie else [], document

    def _credentials(self, environ: WSGIEnvironment, given: dict[str, str]) -> tuple[str, str]:
        if self.entry is not Entry.OAUTH2_HEADER:
            return given.get("client_id", ""), given.get("client_secret", "")
        kind, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return (unquote_plus(key), unquote_plus(secret)) if kind == "Basic" else ("", "")

    def opens(self, environ: WSGIEnvironment) -> bool:
        """Whether a request may come in."""
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if self.entry is Entry.NONE:
            return True
        if self.entry is Entry.BEARER:
            return hmac.compare_digest(authorization, f"Bearer {self.bearer}")
        if self.entry in (Entry.OAUTH1_SHA1, Entry.OAUTH1_SHA256):
            return self._signed(environ, authorization)
        if self.cookie and self.cookie not in environ.get("HTTP_COOKIE", ""):
            return False
        return authorization.startswith("Bearer ") and authorization[7:] in self._valid

    def _signed(self, environ: WSGIEnvironment, authorization: str) -> bool:
        if not authorization.startswith("OAuth "):
            return False
        given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', authorization)}
        method, digest = (
            ("HMAC-SHA1", hashlib.sha1) if self.entry is Entry.OAUTH1_SHA1 else ("HMAC-SHA256", hashlib.sha256)
        )
        nonce = given.get("oauth_nonce", "")
        if given.get("oauth_consumer_key") != self.key or given.get("oauth_signature_method") != method:
            return False
        with self._lock:
            if nonce in self._nonces:
                return False
            self._nonces.add(nonce)
        signature = given.pop("oauth_signature", "")
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        base = _base_string(environ, [*given.items(), *query])
        expected = base64.b64encode(hmac.new(f"{_encode(self.secret)}&".encode(), base.encode(), digest).digest())
        return hmac.compare_digest(expected.decode(), signature)


def _encode(text: str) -> str:
    return quote(text, safe="-._~")


def _base_string(environ: WSGIEnvironment, pairs: Iterable[tuple[str, str]]) -> str:
    encoded = sorted((_encode(name), _encode(value)) for name, value in pairs)
    address = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST'].lower()}{quote(environ['PATH_INFO'])}"
    parameters = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join((environ["REQUEST_METHOD"], _encode(address), _encode(parameters)))
