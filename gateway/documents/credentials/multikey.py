"""Public Ed25519 keys as text: multibase (``z`` and base 58) of the bytes ``ed 01`` and the key.

Source: W3C Controlled Identifiers, "Multikey"; the did:key method.
"""

from __future__ import annotations

import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\xed\x01"


def encode_multibase(data: bytes) -> str:
    return "z" + str(base58.b58encode(data).decode("ascii"))


def decode_multibase(text: str) -> bytes | None:
    """The bytes of base-58 multibase text; ``None`` if it is none, or absurdly long."""
    if not text.startswith("z") or len(text) > 200:
        return None
    try:
        return bytes(base58.b58decode(text[1:]))
    except ValueError:
        return None


def encode_key(key: Ed25519PublicKey) -> str:
    """``z6Mk…``"""
    return encode_multibase(_ED25519 + key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def decode_key(text: str) -> Ed25519PublicKey | None:
    """The key that ``z6Mk…`` stands for, ``None`` if it is no Ed25519 key."""
    data = decode_multibase(text)
    if data is None or len(data) != 34 or not data.startswith(_ED25519):
        return None
    return Ed25519PublicKey.from_public_bytes(data[2:])


def did_key(multikey: str) -> str:
    return f"did:key:{multikey}"
