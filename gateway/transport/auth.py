"""Credentials for HTTP: OAuth 2 client credentials, OAuth 1.0a two-legged, and a fixed bearer token.

Each is a ``requests.auth.AuthBase`` that several clients and threads may share, and whose repr tells nothing.

Source: RFC 6749 section 4.4, RFC 6750, RFC 5849; 1EdTech Security Framework 1.1. The styles of handing over the
client's secret are those that student information systems ask for.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote, quote_plus, urlencode

from oauthlib.oauth1 import Client
from requests import PreparedRequest
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar, get_cookie_header

from gateway.core.errors import AuthorizationError, RejectedError

if TYPE_CHECKING:
    from gateway.transport.answer import Answer
    from gateway.transport.http import HttpClient

TokenStyle = Literal["header", "body", "query"]
Signature = Literal["HMAC-SHA256", "HMAC-SHA1"]

_CREDENTIALS = "Check the token address, the key, the secret and the scopes of this connection."
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Hidden:
    """A text that neither repr nor str tells."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<hidden>"

    def tell(self) -> str:
        return self._text


class RenewableAuth(AuthBase):
    """Credentials that are fetched over HTTP, and fetched again when the service no longer takes them."""

    token_url: str

    @abstractmethod
    def connect(self, client: HttpClient) -> None:
        """Take the client that fetches them; only the first one counts."""

    @abstractmethod
    def renew(self, authorization: str) -> bool:
        """Forget the credentials if ``authorization`` (the header that was refused) holds the current ones. True if
        another attempt makes sense."""


class Bearer(AuthBase):
    """A fixed token."""

    def __init__(self, token: str) -> None:
        self._token = _Hidden(token)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token.tell()}"
        return r


class OAuth1HmacSha256(AuthBase):
    """OAuth 1.0a, two-legged: every attempt is signed anew, its query included, its body not (OneRoster 1.1).

    ``signature``: OneRoster asks for SHA-256; some servers know SHA-1 only.
    """

    def __init__(self, key: str, secret: str, signature: Signature = "HMAC-SHA256") -> None:
        self._key = _Hidden(key)
        self._secret = _Hidden(secret)
        self.signature = signature

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        # A signer keeps state while it signs, so each request gets its own.
        signer = Client(self._key.tell(), client_secret=self._secret.tell(), signature_method=self.signature)
        _, headers, _ = signer.sign(r.url or "", cast(Any, r.method))
        r.headers["Authorization"] = headers["Authorization"]
        return r


class OAuth2ClientCredentials(RenewableAuth):
    """OAuth 2 client credentials: a token is fetched when first needed, kept until shortly before it expires, and
    fetched once more when the service refuses it.

    ``scope``: the scopes, separated by spaces; empty to name none. ``style``: where the client's id and secret go:
    ``header`` (HTTP Basic), ``body`` (form fields) or ``query`` (with all the other parameters in the address).
    The life of a token is counted on ``monotonic``, so that wrong clocks do no harm; ``margin`` seconds of it, or a
    tenth if that is less, stay unused. Session cookies of the token's answer are sent along, where their domain and
    path say so.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str = "",
        style: TokenStyle = "header",
        *,
        margin: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token_url = token_url
        self.scope = scope
        self.style = style
        self._client_id = _Hidden(client_id)
        self._client_secret = _Hidden(client_secret)
        self._margin = margin
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: HttpClient | None = None
        self._token: _Hidden | None = None
        self._stale_at = float("inf")
        self._cookies = RequestsCookieJar()

    def connect(self, client: HttpClient) -> None:
        if self._client is None:
            self._client = client

    def renew(self, authorization: str) -> bool:
        with self._lock:
            if self._token is not None and authorization == f"Bearer {self._token.tell()}":
                self._token = None
        return True

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        with self._lock:  # the others wait for the one that fetches
            if self._token is None or self._monotonic() >= self._stale_at:
                self._fetch()
            token, cookies = self._token, self._cookies
        r.headers["Authorization"] = f"Bearer {token.tell() if token else ''}"
        if len(cookies):
            cookie = get_cookie_header(cookies, r)  # type: ignore[no-untyped-call]  # requests leaves it untyped
            if cookie:
                r.headers["Cookie"] = cookie
        return r

    def _fetch(self) -> None:
        if self._client is None:
            raise RuntimeError("OAuth2ClientCredentials is used by an HttpClient, which fetches its token")
        began = self._monotonic()
        try:
            answer = self._ask(self._client)
        except RejectedError as refusal:
            words = str(refusal.message)
        except AuthorizationError as refusal:
            words = str(refusal.message)
        else:
            token, life = _read_token(answer)
            self._token = _Hidden(token)
            self._stale_at = began + life - min(self._margin, life / 10)
            self._cookies = answer.cookies
            return
        raise AuthorizationError(f"No token was given: {words}", hint=_CREDENTIALS, code="authorization.token")

    def _ask(self, client: HttpClient) -> Answer:
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        key, secret = self._client_id.tell(), self._client_secret.tell()
        if self.style == "query":
            form |= {"client_id": key, "client_secret": secret}
            return client.request("POST", self.token_url, params=form, body=b"", headers=_FORM, repeatable=True)
        headers = dict(_FORM)
        if self.style == "body":
            form |= {"client_id": key, "client_secret": secret}
        else:
            pair = f"{quote_plus(key)}:{quote_plus(secret)}"  # RFC 6749 section 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = urlencode(form, quote_via=quote).encode()
        return client.request("POST", self.token_url, body=body, headers=headers, repeatable=True)


def _read_token(answer: Answer) -> tuple[str, float]:
    """The token and its life in seconds (infinite when the answer does not say)."""
    try:
        document: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    token = document.get("access_token") if isinstance(document, dict) else None
    if not (isinstance(token, str) and token and token.isprintable() and token.isascii()):
        raise AuthorizationError(
            "The token address answers with something that is not a token.",
            hint=_CREDENTIALS,
            code="authorization.token-answer",
        )
    try:
        life = float(document.get("expires_in", "inf"))
    except (TypeError, ValueError):
        life = float("inf")
    return token, life if life > 0 else float("inf")
