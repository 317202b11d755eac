"""VC-JWT: a credential as a signed token, for readers that do without JSON-LD.

The token's payload is the credential itself with ``iss``, ``jti``, ``nbf``, ``sub`` and ``exp``, as Open Badges 3.0
has it for VC 2.0; tokens with the credential under ``vc`` (VC 1.1) are read too.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

from gateway.core.errors import DataError
from gateway.documents.credentials.keys import IssuerKey
from gateway.documents.credentials.multikey import encode_key
from gateway.documents.credentials.strict_json import read_object

ALGORITHMS = ("EdDSA", "Ed25519")
CLAIMS = ("iss", "jti", "nbf", "sub", "exp", "iat", "aud")


def sign_token(credential: Mapping[str, Any], key: IssuerKey) -> str:
    """``credential`` as a compact JWS."""
    header = {"alg": "EdDSA", "typ": "vc+jwt", "kid": key.method}
    payload = json.dumps({**credential, **claims_of(credential)}, ensure_ascii=False, separators=(",", ":"))
    with warnings.catch_warnings():  # EdDSA is the name that Open Badges readers know; RFC 9864 only renames it
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(header, payload.encode(), OKPKey.import_key(key.private), algorithms=["EdDSA"])


def claims_of(credential: Mapping[str, Any]) -> dict[str, Any]:
    """The registered claims that repeat what the credential says."""
    subject = credential.get("credentialSubject")
    claims = {
        "iss": issuer_id(credential),
        "jti": credential.get("id"),
        "nbf": _seconds(credential.get("validFrom", credential.get("issuanceDate"))),
        "sub": subject.get("id") if isinstance(subject, dict) else None,
        "exp": _seconds(credential.get("validUntil", credential.get("expirationDate"))),
    }
    return {name: value for name, value in claims.items() if value is not None}


def issuer_id(credential: Mapping[str, Any]) -> str | None:
    """The id of a credential's issuer, which is a text or an object."""
    issuer = credential.get("issuer")
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else None


def _seconds(text: object) -> int | None:
    moment = read_instant(text)
    return None if moment is None else int(moment.timestamp())


def read_instant(text: object) -> datetime | None:
    """A date-time with its offset; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing of it is checked yet. ``claims`` are the registered ones."""

    text: str
    header: Mapping[str, Any]
    credential: Mapping[str, Any]
    claims: Mapping[str, Any]


def looks_like_token(content: bytes) -> bool:
    head = content.strip()[:3]
    return head == b"eyJ" and content.count(b".") == 2


def read_token(text: str) -> Token:
    """Take a compact JWS apart. Raises :class:`DataError` (``credentials.unreadable``)."""
    try:
        parts = jws.extract_compact(text.encode("ascii"))
        header, payload = parts.headers(), read_object(parts.payload, "The token")
    except (JoseError, ValueError) as error:
        raise DataError(
            "This is no signed token.", hint="Ask for the file again.", code="credentials.unreadable"
        ) from error
    inner = payload.get("vc")
    claims = {name: payload[name] for name in CLAIMS if name in payload}
    if isinstance(inner, dict):
        return Token(text, header, _filled(inner, claims), claims)
    return Token(text, header, {name: value for name, value in payload.items() if name not in CLAIMS}, claims)


def _filled(inner: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """VC 1.1: what a token says only in its registered claims belongs to the credential."""
    instants = {"issuanceDate": claims.get("nbf"), "expirationDate": claims.get("exp")}
    said = {name: _instant(seconds) for name, seconds in instants.items()}
    said |= {"issuer": claims.get("iss"), "id": claims.get("jti")}
    return {**{name: value for name, value in said.items() if value is not None}, **inner}


def _instant(seconds: object) -> str | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**36:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def key_in_header(token: Token) -> str | None:
    """The multikey of an Ed25519 key that stands in the token's own header as ``jwk``."""
    try:
        key = OKPKey.import_key(token.header["jwk"]).public_key
    except (KeyError, TypeError, ValueError, JoseError):
        return None
    return encode_key(key) if isinstance(key, Ed25519PublicKey) else None


def token_holds(token: Token, key: Ed25519PublicKey) -> bool:
    """Whether the token is signed by ``key``, with Ed25519 and nothing else."""
    if token.header.get("alg") not in ALGORITHMS:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            jws.deserialize_compact(token.text, OKPKey.import_key(key), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            return False
    return True


def contradictions(token: Token) -> list[str]:
    """The registered claims that say something else than the credential inside."""
    expected = claims_of(token.credential)
    return sorted(
        name for name in ("iss", "jti", "nbf", "sub", "exp")
        if name in token.claims and name in expected and token.claims[name] != expected[name]
    )  # fmt: skip


def outside_times(token: Token, now: datetime) -> list[str]:
    """Which of ``nbf`` and ``exp`` say that the token does not hold at ``now``; one that is no number does too."""
    seconds = now.timestamp()
    found = []
    for name, early in (("nbf", True), ("exp", False)):
        stated = token.claims.get(name)
        number = isinstance(stated, int | float) and not isinstance(stated, bool)
        if stated is not None and (not number or (stated > seconds if early else stated <= seconds)):
            found.append(name)
    return found
