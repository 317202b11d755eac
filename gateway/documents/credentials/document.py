"""Credentials as documents that are issued: one learner record around all badges, or each badge by itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.documents.credentials.claims import Claims
from gateway.documents.credentials.contexts import Contexts
from gateway.documents.credentials.credential import (
    Issuing,
    Learner,
    as_json,
    as_token,
    learner_record,
    open_badge,
)
from gateway.documents.credentials.keys import IssuerKey, read_key
from gateway.documents.desk import Order
from gateway.documents.issue import DocumentKind, Rules, digest_of
from gateway.documents.page import Frame
from gateway.settings import District, credential_key


def issuer_key(district: District) -> IssuerKey:
    """The key that signs. Raises :class:`ConfigurationError` (``credentials.key``) if the settings name none."""
    text = credential_key(district)
    if text is None:
        raise ConfigurationError(
            "The district's file names no key that signs credentials.",
            hint="Make one with `mastery-gateway documents key new secrets/credentials.pem`, and write "
            'credentials: {key: "${file:secrets/credentials.pem}"} into the file.',
            code="credentials.key",
            place=district.document.place("credentials"),
        )
    return read_key(text, district.credentials.issuer)


def credential_orders(
    claims: Claims,
    *,
    key: IssuerKey,
    contexts: Path | None,
    student_id: str,
    name: str,
    learner: str,
    token: bool,
    separate: bool,
    rules: Sequence[Rules],
    tables: Sequence[pl.DataFrame],
    approximate: bool = False,
) -> list[Order]:
    """One order for the learner record, or one for each badge. ``learner`` is the student's own id, if known."""
    salt = secrets.token_hex(16)
    content = {"key": key, "contexts": contexts, "learner": Learner(student_id, salt, learner), "name": name,
               "token": token, "links": claims.links, "left_out": claims.left_out}  # fmt: skip
    groups = [(claim,) for claim in claims.claims] if separate else [claims.claims]
    return [
        Order(
            kind=DocumentKind.CREDENTIAL,
            title="Open Badge" if separate else "Learner record",
            make=make_credential,
            content={**content, "claims": group, "separate": separate},
            rules=tuple(rules),
            inputs_digest=digest_of(*tables, words=[each.achievement["id"] for each in group]),
            student_id=student_id,
            name=student_id,
            ending="jwt" if token else "json",
            approximate=approximate,
        )
        for group in groups
    ]


def make_credential(frame: Frame, content: Mapping[str, Any]) -> bytes:
    """The file of a signed credential. A preview is not signed: nobody can take it for an issued one."""
    key: IssuerKey = content["key"]
    preview = frame.code is None
    issuing = Issuing(
        key, frame.school.name, content["learner"], frame.code or "preview", frame.when, Contexts(content["contexts"])
    )
    badges = [open_badge(issuing, claim) for claim in content["claims"]]
    said = f"Verification code {frame.code}." if frame.code else "A preview: this was not issued."
    if content["separate"]:
        document = {**badges[0], "description": said}
    else:
        name = f"Learner record of {content['name']}" if content["name"] else "Learner record"
        signed = badges if preview else [issuing.sign(badge) for badge in badges]
        document = learner_record(issuing, name, signed, content["links"], description=said,
                                  partial=content["left_out"] > 0)  # fmt: skip
    if preview:
        return as_json(document)
    return as_token(document, key) if content["token"] else as_json(issuing.sign(document))
