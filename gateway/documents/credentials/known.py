"""Which issuers are known here: the district itself, and those whose key documents somebody trusts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.documents.credentials.keys import KnownKeys, read_key, read_key_document
from gateway.documents.credentials.multikey import did_key
from gateway.documents.credentials.strict_json import read_object
from gateway.settings import District, credential_key


def own_keys(district: District) -> tuple[str | None, list[str]]:
    """The district as an issuer, and its public keys, the present one first.

    Raises :class:`ConfigurationError` (``secret.missing``, ``credentials.key``).
    """
    text = credential_key(district)
    former = list(district.credentials.former_keys)
    if text is None:
        return district.credentials.issuer, former
    key = read_key(text, district.credentials.issuer)
    return key.issuer, [key.multikey, *former]


def keys_of_district(district: District) -> tuple[KnownKeys, str]:
    """The district's own keys, former ones included, and why the present one is not among them, if so."""
    try:
        issuer, keys = own_keys(district)
        told = ""
    except ConfigurationError as error:
        issuer, keys, told = district.credentials.issuer, list(district.credentials.former_keys), error.message
    known = {did_key(key): frozenset({key}) for key in keys}
    if issuer is not None and issuer.startswith("did:web:") and keys:
        known[issuer] = frozenset(keys)
    return KnownKeys(known), told


def read_key_files(paths: Iterable[Path]) -> KnownKeys:
    """The keys in files of issuers (``did.json``). Raises :class:`DataError` (``credentials.key-document``)."""
    known = KnownKeys()
    for path in paths:
        known = known.plus(read_key_document(read_object(path.read_bytes(), str(path)), str(path)))
    return known
