"""Credentials made of claims: one Open Badge each, and a CLR around them; signed inside or as tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from gateway.documents.credentials.achievements import Claim, made_id
from gateway.documents.credentials.contexts import CLR, OPEN_BADGES, VC2, Contexts
from gateway.documents.credentials.keys import IssuerKey
from gateway.documents.credentials.proofs import instant, sign_document
from gateway.documents.credentials.tokens import sign_token


@dataclass(frozen=True, slots=True)
class Learner:
    """Whom credentials are about. ``uri`` is the learner's own id (a DID), if one is known; else the student's number
    stands in them as a salted hash, so that who holds it can confirm it and nobody can read it off."""

    student_id: str
    salt: str
    uri: str = ""

    def as_subject(self) -> dict[str, Any]:
        if self.uri:
            return {"id": self.uri}
        hashed = sha256((self.student_id + self.salt).encode()).hexdigest()
        identity = {"type": "IdentityObject", "hashed": True, "identityHash": f"sha256${hashed}",
                    "identityType": "sourcedId", "salt": self.salt}  # fmt: skip
        return {"identifier": [identity]}


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who issues, when, for whom, and the verification code of the document."""

    key: IssuerKey
    name: str
    learner: Learner
    code: str
    at: datetime
    contexts: Contexts

    def profile(self) -> dict[str, Any]:
        return {"id": self.key.issuer, "type": ["Profile"], "name": self.name}

    def sign(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """``document`` with its proof inside."""
        return sign_document(document, self.key.private, method=self.key.method, created=self.at,
                             contexts=self.contexts)  # fmt: skip


def open_badge(issuing: Issuing, claim: Claim) -> dict[str, Any]:
    """An unsigned OpenBadgeCredential. It holds from when it is issued; when something was mastered stands in it."""
    achievement = claim.achievement
    subject = {"type": ["AchievementSubject"], **issuing.learner.as_subject(), "achievement": achievement,
               "result": list(claim.results)}  # fmt: skip
    dated = {"awardedDate": instant(claim.since)} if claim.since is not None else {}
    return {
        "@context": [VC2, OPEN_BADGES],
        "id": made_id(issuing.code, achievement["id"]),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement["name"],
        "issuer": issuing.profile(),
        "validFrom": instant(issuing.at),
        **dated,
        "credentialSubject": subject,
    }


def learner_record(
    issuing: Issuing, name: str, badges: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, str]], *,
    description: str, partial: bool,
) -> dict[str, Any]:  # fmt: skip
    """An unsigned ClrCredential around signed badges. ``partial``: something that is known was left out."""
    subject: dict[str, Any] = {"type": ["ClrSubject"], **issuing.learner.as_subject(),
                               "verifiableCredential": list(badges)}  # fmt: skip
    if links:
        subject["association"] = list(links)
    return {
        "@context": [VC2, CLR, OPEN_BADGES],
        "id": made_id(issuing.code, "record"),
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": name,
        "description": description,
        "issuer": issuing.profile(),
        "validFrom": instant(issuing.at),
        "partial": partial,
        "credentialSubject": subject,
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    """The file of a credential with its proof inside."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def as_token(document: Mapping[str, Any], key: IssuerKey) -> bytes:
    """The file of a credential as a VC-JWT."""
    return (sign_token(document, key) + "\n").encode("ascii")
