"""Data Integrity proofs with Ed25519: signing (``eddsa-rdfc-2022``) and checking (its older names too).

What is signed: SHA-256 of the canonical proof options, then SHA-256 of the canonical document without its proof.
Source: W3C Data Integrity EdDSA Cryptosuites 1.0, sections 3.2 and 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.documents.credentials.canonical import canonical
from gateway.documents.credentials.contexts import Contexts
from gateway.documents.credentials.multikey import decode_multibase, encode_multibase

SUITE = "eddsa-rdfc-2022"
SUITES = frozenset({SUITE, "eddsa-2022", "eddsa-rdf-2022"})
SIGNATURE_2020 = "Ed25519Signature2020"


def suite_of(proof: Mapping[str, Any]) -> str | None:
    """The name of a proof's suite if it can be checked here."""
    if proof.get("type") == SIGNATURE_2020:
        return SIGNATURE_2020
    suite = proof.get("cryptosuite")
    return suite if proof.get("type") == "DataIntegrityProof" and suite in SUITES else None


def sign_document(
    document: Mapping[str, Any], key: Ed25519PrivateKey, *, method: str, created: datetime, contexts: Contexts
) -> dict[str, Any]:
    """``document`` with a proof by ``key``, which readers find under ``method``."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": instant(created),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(_signed_bytes(document, options, contexts))
    return {**document, "proof": [{**options, "proofValue": encode_multibase(signature)}]}


def proof_holds(
    document: Mapping[str, Any], proof: Mapping[str, Any], key: Ed25519PublicKey, contexts: Contexts
) -> bool:
    """Whether ``proof`` is a signature of ``key`` over exactly this document.

    Raises :class:`DataError` where the document's words cannot be relied on; see :func:`canonical`.
    """
    signature = decode_multibase(str(proof.get("proofValue", "")))
    if signature is None or len(signature) != 64:
        return False
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        key.verify(signature, _signed_bytes(document, options, contexts))
    except InvalidSignature:
        return False
    return True


def _signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any], contexts: Contexts) -> bytes:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    stated = {"@context": document.get("@context"), **{k: v for k, v in options.items() if k != "@context"}}
    return sha256(canonical(stated, contexts)).digest() + sha256(canonical(unsigned, contexts)).digest()


def instant(moment: datetime) -> str:
    """A time as credentials write it, in UTC and whole seconds: ``2026-06-01T12:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
