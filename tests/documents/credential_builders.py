"""Keys, claims and credentials for tests; everyone in them is made up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.documents.credentials.achievements import (
    Claim,
    Competency,
    Course,
    GpaEquivalent,
    Level,
    associations,
    competency_claim,
    course_claim,
    gpa_claim,
)
from gateway.documents.credentials.contexts import Contexts
from gateway.documents.credentials.credential import Issuing, Learner, learner_record, open_badge
from gateway.documents.credentials.keys import IssuerKey, KnownKeys
from gateway.documents.credentials.multikey import did_key, encode_key
from gateway.documents.credentials.verify import Verifier

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CONTEXTS = Contexts()

PUBLISHED = {
    "ob-v3p0.json": "purl.imsglobal.org/spec/ob/v3p0/context.json",
    "ob-v3p0-3.0.1.json": "purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
    "ob-v3p0-3.0.2.json": "purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
    "ob-v3p0-3.0.3.json": "purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "ob-v3p0-extensions.json": "purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    "clr-v2p0.json": "purl.imsglobal.org/spec/clr/v2p0/context.json",
    "clr-v2p0-2.0.1.json": "purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
    "2018-credentials-v1.jsonld": "www.w3.org/2018/credentials/v1",
    "credentials-v2.jsonld": "www.w3.org/ns/credentials/v2",
    "security-suites-ed25519-2020-v1.jsonld": "w3id.org/security/suites/ed25519-2020/v1",
    "data-integrity-v1.jsonld": "w3id.org/security/data-integrity/v1",
}
"""The published contexts, and where ``wget -x`` would lay them down."""


def published_contexts(shared_data: Path, folder: Path) -> Path:
    """A folder of the published contexts, as a school would have fetched them."""
    for name, place in PUBLISHED.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(shared_data / "credentials" / "contexts" / name)
    return folder


def new_issuer(number: int = 1, issuer: str | None = None) -> IssuerKey:
    """The same key for the same number."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return IssuerKey(private, issuer or did_key(encode_key(private.public_key())))


def issuing(key: IssuerKey | None = None, code: str = "7K3M-Q2XW-9ABC-DEF5") -> Issuing:
    learner = Learner("1001", "00ff")
    return Issuing(key or new_issuer(), "Lakeside High School", learner, code, NOON, CONTEXTS)


LEVELS = (
    Level("1", "Beginning", "Starts.", "urn:uuid:00000000-0000-4000-8000-000000000001"),
    Level("3", "Proficient", "Does it.", "urn:uuid:00000000-0000-4000-8000-000000000003"),
    Level("4", "Extending", "Goes on.", "urn:uuid:00000000-0000-4000-8000-000000000004"),
)


def claims() -> list[Claim]:
    """A competency, a course and a GPA."""
    uri = "https://case.example.org/ims/case/v1p1/CFItems/c1"
    competency = Competency(uri, "MATH.1", "Adds and explains.", "Lakeside", "3.48", "0", "4", LEVELS, LEVELS[1],
                            LEVELS[1], "the mapping lakeside 2026.1", NOON)  # fmt: skip
    course = Course("ALG1", "Algebra 1", "2025-2026 S1", "B+", ("F", "C", "B", "B+", "A"), "Algebra 1, 1 credit.")
    gpa = GpaEquivalent("ncaa-d1", "2023.1", "a" * 64, "NCAA core GPA", "3.480", "0.000", "4.000",
                        f"Policy ncaa-d1, version 2023.1, SHA-256 {'a' * 64}. Estimate.")  # fmt: skip
    return [competency_claim("lakeside", competency), course_claim("lakeside", course), gpa_claim("lakeside", gpa)]


def signed_record(by: Issuing | None = None) -> dict[str, Any]:
    """A learner record around three signed badges."""
    by = by or issuing()
    made = claims()
    badges = [by.sign(open_badge(by, claim)) for claim in made]
    links = associations(made[1].achievement["id"], [made[0].achievement["id"]])
    return by.sign(learner_record(by, "Learner record", badges, links, description="Verification.", partial=True))


def verifier(*known: IssuerKey, now: datetime = NOON, contexts: Contexts = CONTEXTS) -> Verifier:
    """One that knows the issuers of these keys."""
    return Verifier(contexts, KnownKeys({key.issuer: frozenset({key.multikey}) for key in known}), now)
