"""Verifies credentials offline: signature, issuer's key, dates, and every credential inside. Nothing is fetched.

A right signature proves that nothing was changed. Who signed is another question: a file can name any issuer. It is
answered only by keys that are known here (our own, or an issuer's ``did.json`` that somebody trusts); everything else
is said to be unanswered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.core.errors import DataError
from gateway.documents.credentials.canonical import check_contexts
from gateway.documents.credentials.contexts import Contexts
from gateway.documents.credentials.keys import KnownKeys
from gateway.documents.credentials.multikey import decode_key
from gateway.documents.credentials.proofs import proof_holds, suite_of
from gateway.documents.credentials.strict_json import read_object
from gateway.documents.credentials.tokens import (
    Token,
    contradictions,
    issuer_id,
    key_in_header,
    looks_like_token,
    outside_times,
    read_instant,
    read_token,
    token_holds,
)

ENVELOPE = "data:application/vc+jwt,"
MOST_INSIDE = 2_000
"""Credentials inside one file; more are not looked at, which is told."""


class Verdict(StrEnum):
    """What is known of a credential. ``VERIFIED``: unchanged, and signed by a key of an issuer that is known here.
    ``INTACT``: unchanged, and signed with the key that it names; whose key that is, is not known here."""

    VERIFIED = "verified"
    INTACT = "intact"
    FOREIGN_KEY = "signed with a key that is not its issuer's"
    EXPIRED = "outside its dates"
    UNSIGNED = "unsigned"
    BROKEN = "not to be trusted"


_GOOD = (Verdict.VERIFIED, Verdict.INTACT)
_ORDER = (Verdict.VERIFIED, Verdict.INTACT, Verdict.EXPIRED, Verdict.UNSIGNED, Verdict.FOREIGN_KEY, Verdict.BROKEN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One credential: where it stands in the file, what it calls itself, the verdict, and how it came about."""

    path: str
    name: str
    issuer: str | None
    verdict: Verdict
    checked: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A file's credentials, the outermost first."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return max((each.verdict for each in self.findings), key=_ORDER.index)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What verifying needs: the contexts at hand, the issuers that are known, and the time."""

    contexts: Contexts
    known: KnownKeys
    now: datetime

    def verify(self, content: bytes) -> Report:
        """The report on the file ``content``: a credential in JSON, or a VC-JWT.

        Raises :class:`DataError` (``credentials.unreadable``, ``credentials.none``) if it is neither.
        """
        if looks_like_token(content):
            return self.verify_token(content.decode("ascii", errors="replace").strip())
        document = read_object(content, "The file")
        if not _is_credential(document):
            raise DataError(
                "The file is no verifiable credential.",
                hint="It has no type VerifiableCredential.",
                code="credentials.none",
            )
        return self.verify_document(document)

    def verify_document(self, document: Mapping[str, Any]) -> Report:
        """The report on a credential with its proof inside, and on the credentials inside it."""
        return self._with_inside(document, self._embedded(document, ""))

    def verify_token(self, text: str) -> Report:
        """The report on a VC-JWT, and on the credentials inside it."""
        token = read_token(text)
        return self._with_inside(token.credential, self._signed_token(token, ""))

    def _with_inside(self, document: Mapping[str, Any], outer: Finding) -> Report:
        findings = [outer]
        for path, inner in _inside(document, ""):
            if len(findings) > MOST_INSIDE:
                told = f"more than {MOST_INSIDE} credentials inside"
                findings[0] = replace(outer, not_checked=(*outer.not_checked, told))
                break
            if isinstance(inner, str):
                findings.append(self._inner_token(inner, path))
            elif not isinstance(inner, dict):
                findings.append(Finding(path, "", None, Verdict.BROKEN, faults=("it is no credential",)))
            else:
                findings.append(_covered(self._embedded(inner, path), outer))
        return Report(tuple(findings))

    def _inner_token(self, text: str, path: str) -> Finding:
        """A token inside, bare or as a ``data:`` address (EnvelopedVerifiableCredential)."""
        try:
            return self._signed_token(read_token(text.removeprefix(ENVELOPE)), path)
        except DataError as error:
            return Finding(path, "", None, Verdict.BROKEN, faults=(error.message,))

    def _embedded(self, document: Mapping[str, Any], path: str) -> Finding:
        draft = _Draft(path, document, self)
        proofs = document.get("proof")
        proofs = proofs if isinstance(proofs, list) else [] if proofs is None else [proofs]
        draft.shape()
        if not proofs:
            return draft.unsigned()
        for number, proof in enumerate(proofs, start=1):
            draft.proof(proof, f"proof {number} of {len(proofs)}" if len(proofs) > 1 else "the signature")
        return draft.finish()

    def _signed_token(self, token: Token, path: str) -> Finding:
        draft = _Draft(path, token.credential, self)
        draft.shape()
        draft.token(token)
        return draft.finish()


@dataclass(slots=True)
class _Draft:
    """A finding in the making."""

    path: str
    document: Mapping[str, Any]
    verifier: Verifier
    checked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def issuer(self) -> str | None:
        return issuer_id(self.document)

    def shape(self) -> None:
        """What must be there at all, and the dates."""
        if self.issuer is None:
            self._fault(Verdict.BROKEN, "it names no issuer")
        if not isinstance(self.document.get("credentialSubject"), dict | list):
            self._fault(Verdict.BROKEN, "it is about nobody")
        self._dates()
        if "credentialStatus" in self.document:
            self.not_checked.append("whether it was revoked: that needs the issuer's status list")
        if "credentialSchema" in self.document:
            self.not_checked.append("the schema that it names")
        if "refreshService" in self.document:
            self.not_checked.append("whether there is a newer one")

    def _dates(self) -> None:
        now, told = self.verifier.now, []
        for name, future in (("validFrom", True), ("issuanceDate", True), ("validUntil", False),
                             ("expirationDate", False)):  # fmt: skip
            if name not in self.document:
                continue
            moment = read_instant(self.document[name])
            if moment is None:
                self._fault(Verdict.BROKEN, f"its {name} is no date-time with an offset")
            elif future and moment > now:
                self._fault(Verdict.EXPIRED, f"it holds only from {moment:%Y-%m-%d %H:%M} UTC on")
            elif not future and moment <= now:
                self._fault(Verdict.EXPIRED, f"it held until {moment:%Y-%m-%d %H:%M} UTC")
            else:
                told.append(name)
        if told:
            self.checked.append(f"its dates ({', '.join(told)})")
        elif not self.faults:
            self.not_checked.append("its dates: it states none")

    def unsigned(self) -> Finding:
        self._fault(Verdict.UNSIGNED, "it has no signature")
        return self.finish()

    def proof(self, proof: object, what: str) -> None:
        """Check one embedded proof."""
        if not isinstance(proof, dict) or suite_of(proof) is None:
            self._fault(Verdict.BROKEN, f"{what} is of a kind that cannot be checked here")
            return
        if proof.get("proofPurpose") != "assertionMethod":
            self._fault(Verdict.BROKEN, f"{what} was not made to assert anything")
        expires = proof.get("expires")
        if expires is not None and ((moment := read_instant(expires)) is None or moment <= self.verifier.now):
            self._fault(Verdict.EXPIRED, f"{what} has expired")
        controller, multikey = _method(proof.get("verificationMethod"))
        key = decode_key(multikey) if multikey else None
        if key is None or multikey is None:
            self._unknown_method(what)
            return
        try:
            holds = proof_holds(self.document, proof, key, self.verifier.contexts)
        except DataError as error:
            self._fault(Verdict.BROKEN, error.message.rstrip("."))
            return
        if not holds:
            self._fault(Verdict.BROKEN, f"{what} does not fit: it was changed after it was signed, or never signed so")
            return
        self.checked.append(f"{what} ({suite_of(proof)}): every statement is as it was signed")
        self._key(controller, multikey)

    def token(self, token: Token) -> None:
        """Check the signature of a VC-JWT."""
        controller, multikey = _method(token.header.get("kid"))
        if multikey is None or decode_key(multikey) is None:
            controller, multikey = "nobody that is named", key_in_header(token)
        key = decode_key(multikey) if multikey else None
        if key is None or multikey is None:
            self._unknown_method("the signature")
            return
        if not token_holds(token, key):
            self._fault(Verdict.BROKEN, "the signature does not fit: it was changed after it was signed")
            return
        for claim in outside_times(token, self.verifier.now):
            self._fault(Verdict.EXPIRED, f"the token's {claim} says that it does not hold now")
        for claim in contradictions(token):
            self._fault(Verdict.BROKEN, f"the token's {claim} says something else than the credential inside")
        try:
            check_contexts(token.credential, self.verifier.contexts)
        except DataError as error:
            self.not_checked.append(f"its words: {error.message}")
        self.checked.append("the signature (VC-JWT): every letter is as it was signed")
        self._key(controller, multikey)

    def _unknown_method(self, what: str) -> None:
        self._fault(Verdict.BROKEN, f"{what} names no Ed25519 key that can be read without asking its issuer")

    def _key(self, controller: str, multikey: str) -> None:
        """Whose key it is."""
        issuer, known = self.issuer, self.verifier.known
        if issuer is None:
            return
        if known.knows(issuer):
            if known.allows(issuer, multikey):
                self.verdicts.append(Verdict.VERIFIED)
                self.checked.append(f"the key {multikey} is one of {issuer}")
            else:
                self._fault(Verdict.FOREIGN_KEY, f"the key {multikey} is none of those known of {issuer}")
        elif controller != issuer:
            self._fault(Verdict.FOREIGN_KEY, f"the key belongs to {controller}, its issuer is {issuer}")
        else:
            self.verdicts.append(Verdict.INTACT)
            self.not_checked.append(f"who {issuer} is: no key of it is known here")

    def _fault(self, verdict: Verdict, fault: str) -> None:
        self.verdicts.append(verdict)
        self.faults.append(fault)

    def finish(self) -> Finding:
        """The worst of what was found. A credential of which nothing was found is not to be trusted."""
        verdict = max(self.verdicts, key=_ORDER.index, default=Verdict.BROKEN)
        name = self.document.get("name")
        return Finding(
            self.path, name if isinstance(name, str) else "", self.issuer, verdict, tuple(self.checked),
            tuple(self.faults), tuple(self.not_checked),
        )  # fmt: skip


def _covered(inner: Finding, outer: Finding) -> Finding:
    """A credential inside with a stranger's key is vouched for by what stands around it, if that has its issuer."""
    if inner.verdict is not Verdict.FOREIGN_KEY or outer.verdict not in _GOOD or inner.issuer != outer.issuer:
        return inner
    note = "it is vouched for by the signature around it, which is of the same issuer"
    return replace(inner, verdict=outer.verdict, checked=(*inner.checked, note))


def _method(value: object) -> tuple[str, str | None]:
    """Whose key a verification method names, and the key if it stands in it: ``issuer#z6Mk…`` or ``did:key:z6Mk…``."""
    name = value.get("id") if isinstance(value, dict) else value
    if not isinstance(name, str):
        return "", None
    controller, _, fragment = name.partition("#")
    if controller.startswith("did:key:"):
        own = controller.removeprefix("did:key:")
        return controller, own if fragment in ("", own) else None
    return controller, fragment or None


def _is_credential(value: object) -> bool:
    kinds = value.get("type") if isinstance(value, dict) else None
    return kinds == "VerifiableCredential" or (isinstance(kinds, list) and "VerifiableCredential" in kinds)


_HOLDERS = ("verifiableCredential", "endorsement")
"""What stands under these names claims to be a credential, whatever it looks like."""


def _inside(value: object, path: str) -> Iterator[tuple[str, Any]]:
    """The credentials inside, at any depth, with their paths; tokens as text."""
    if isinstance(value, dict):
        for key, part in value.items():
            where = f"{path}.{key}" if path else key
            for place, each in _listed(part, where):
                if key in _HOLDERS or (key.endswith("Jwt") and isinstance(each, str)) or _is_credential(each):
                    yield place, _unwrapped(each)
                yield from _inside(each, place)
    elif isinstance(value, list):
        for place, each in _listed(value, path):
            if _is_credential(each):
                yield place, each
            yield from _inside(each, place)


def _listed(part: object, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(part, list):
        yield from ((f"{where}[{position}]", each) for position, each in enumerate(part))
    else:
        yield where, part


def _unwrapped(value: object) -> object:
    """The token that an EnvelopedVerifiableCredential holds; everything else as it is."""
    if isinstance(value, dict) and not _is_credential(value) and str(value.get("id", "")).startswith(ENVELOPE):
        return value["id"]
    return value
