"""Issuers' keys: made, read, published, and known when something is verified.

The private key is a PEM file (PKCS #8) that only its owner can read. What others need is public: the multikey, and a
DID document (``did.json``) that lists the present key and the former ones, so that what they signed still verifies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.core.errors import ConfigurationError, DataError
from gateway.documents.credentials.multikey import decode_key, did_key, encode_key

_DID_WEB = re.compile(r"did:web:[A-Za-z0-9.-]+(%3A[0-9]+)?(:[A-Za-z0-9._%-]+)*")


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key that signs. ``issuer`` is ``did:key:…`` of the key itself, or the school's ``did:web:…``."""

    private: Ed25519PrivateKey = field(repr=False)
    issuer: str

    @property
    def multikey(self) -> str:
        return encode_key(self.private.public_key())

    @property
    def method(self) -> str:
        """Where readers find the public key."""
        return f"{self.issuer}#{self.multikey}"


def new_key(path: Path) -> str:
    """Write a new private key to ``path``, for its owner only, and return the public multikey.

    Raises :class:`ConfigurationError` (``credentials.key-exists``) rather than overwrite a file.
    """
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already.",
            hint="A key is never overwritten: choose another name.",
            code="credentials.key-exists",
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return encode_key(private.public_key())


def read_key(text: str, issuer: str | None) -> IssuerKey:
    """The key in PEM ``text``. ``issuer`` is the school's ``did:web:…``, ``None`` for the key's own ``did:key:…``.

    Raises :class:`ConfigurationError` (``credentials.key``).
    """
    try:
        private = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(
            "The credentials' key is no Ed25519 private key in PEM.",
            hint="Make one with `mastery-gateway documents key new FILE`.",
            code="credentials.key",
        )
    if issuer is not None and not _DID_WEB.fullmatch(issuer):
        raise ConfigurationError(
            "The issuer is no did:web address.",
            hint="Write it as did:web:school.example.org, or leave it out.",
            code="credentials.key",
        )
    return IssuerKey(private, issuer or did_key(encode_key(private.public_key())))


def key_document(issuer: str, multikeys: Sequence[str]) -> dict[str, Any]:
    """The DID document of ``issuer``: every key that signed or signs for it."""
    methods = [
        {"id": f"{issuer}#{key}", "type": "Multikey", "controller": issuer, "publicKeyMultibase": key}
        for key in dict.fromkeys(multikeys)
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": issuer,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """Issuers that are known here, each with the keys that may sign for it."""

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def knows(self, issuer: str) -> bool:
        return issuer in self.keys

    def allows(self, issuer: str, multikey: str) -> bool:
        return multikey in self.keys.get(issuer, frozenset())

    def plus(self, other: KnownKeys) -> KnownKeys:
        names = {*self.keys, *other.keys}
        return KnownKeys({name: self.keys.get(name, frozenset()) | other.keys.get(name, frozenset()) for name in names})


def read_key_document(document: object, source: str) -> KnownKeys:
    """The keys of a DID document (``did.json``) that its issuer states for assertions.

    Raises :class:`DataError` (``credentials.key-document``).
    """
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise _no_key_document(source)
    methods = {m["id"]: m.get("publicKeyMultibase") for m in _objects(document.get("verificationMethod"))}
    stated = document.get("assertionMethod")
    allowed = [item["id"] if isinstance(item, dict) else item for item in stated if isinstance(item, (str, dict))] \
        if isinstance(stated, list) else []  # fmt: skip
    methods |= {m["id"]: m.get("publicKeyMultibase") for m in _objects(stated)}
    found = {str(methods.get(name)) for name in allowed}
    keys = frozenset(key for key in found if decode_key(key) is not None)
    if not keys:
        raise _no_key_document(source)
    return KnownKeys({document["id"]: keys})


def _objects(value: object) -> list[dict[str, Any]]:
    return [m for m in value if isinstance(m, dict) and isinstance(m.get("id"), str)] if isinstance(value, list) else []


def _no_key_document(source: str) -> DataError:
    return DataError(
        f"{source} is no document of an issuer's Ed25519 keys.",
        hint="Use the issuer's did.json, with publicKeyMultibase and assertionMethod.",
        code="credentials.key-document",
    )
