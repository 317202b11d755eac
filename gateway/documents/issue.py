"""Issues documents: the row in the record of disclosures first, then the file, whole or not at all.

The order of things: :meth:`Release.stamp` gives a document its verification code and time before it is made, because
both are printed on it; the document is made; :func:`issue` records it and writes it. If the file cannot be written, the
record holds a disclosure that did not take place, never the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import polars as pl
from sqlalchemy.engine import Connection

from gateway.core.errors import ConfigurationError, DataError
from gateway.core.gpa.policy import Aggregate, Policy
from gateway.core.model import LINE
from gateway.documents.code import new_code, read_code, shown
from gateway.store import Store, disclosures, webhooks
from gateway.store.disclosures import DocumentRecord, Rules
from gateway.transport.atomic import atomic_file

__all__ = ["DocumentKind", "DocumentRecord", "Draft", "Release", "Rules", "Stamp", "issue"]

_UNSAFE = re.compile(r"[^\w.-]+")


class DocumentKind(StrEnum):
    """The kinds of documents."""

    GPA_REPORT = "gpa-report"
    LETTER = "letter"
    NCAA_WORKSHEET = "ncaa-worksheet"
    MASTERY_TRANSCRIPT = "mastery-transcript"
    GPA_STATEMENT = "gpa-statement"
    PESC_TRANSCRIPT = "pesc-transcript"
    CREDENTIAL = "credential"


WITH_GPA = frozenset(
    {
        DocumentKind.GPA_REPORT, DocumentKind.NCAA_WORKSHEET, DocumentKind.GPA_STATEMENT,
        DocumentKind.PESC_TRANSCRIPT,
    }
)  # fmt: skip
"""Documents that state GPAs, if they name policies."""

TOLD_AT_ONCE = 500
"""How many documents one event names at most."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is printed on a document so that it can be looked up: ``code`` without hyphens, and the time."""

    code: str
    issued_at: datetime

    @property
    def shown(self) -> str:
        """The code in groups."""
        return shown(self.code)


@dataclass(frozen=True, slots=True)
class Release:
    """To whom documents are given, why, and who gives them. ``now`` is the clock."""

    district: str
    recipient: str
    purpose: str
    issued_by: str
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        for name in ("recipient", "purpose", "issued_by"):
            if not getattr(self, name).strip():
                raise ConfigurationError(
                    f"A document needs its {name.replace('_', ' ')}.",
                    hint="Say to whom it goes, what for, and who gives it.",
                    code="documents.release",
                )

    def stamp(self) -> Stamp:
        """A fresh code and the time, in whole seconds."""
        return Stamp(new_code(), self.now().replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished document that is not issued yet; see :class:`DocumentRecord` for the fields."""

    stamp: Stamp
    kind: DocumentKind
    student_id: str | None
    rules: tuple[Rules, ...]
    inputs_digest: str
    file_name: str
    content: bytes
    approximate: bool = False
    replaces: str | None = None


def issue(store: Store, release: Release, drafts: Sequence[Draft], folder: Path) -> list[DocumentRecord]:
    """Record ``drafts`` and write them into ``folder``; every document goes through here.

    Raises :class:`ConfigurationError` (``documents.exists``) rather than overwrite a document that was issued before.
    """
    for name in sorted({draft.file_name for draft in drafts}):
        if (folder / name).exists():
            raise ConfigurationError(
                f"{folder / name} is there already.", hint="Move it away, or choose another folder.",
                code="documents.exists",
            )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    records = [_record(release, draft) for draft in drafts]
    with store.begin() as connection:
        disclosures.add(connection, release.district, records)
        _announce(connection, release, drafts)
    for draft in drafts:
        with atomic_file(folder / draft.file_name) as file:
            file.write(draft.content)
    return records


def _announce(connection: Connection, release: Release, drafts: Sequence[Draft]) -> None:
    """Tell the district's webhooks which documents with GPAs were issued: their codes, and nothing of what they say."""
    told = [
        {"document": each.stamp.code, "kind": str(each.kind)} for each in drafts if each.kind in WITH_GPA and each.rules
    ]
    for start in range(0, len(told), TOLD_AT_ONCE):
        data = {"district": release.district, "documents": told[start : start + TOLD_AT_ONCE]}
        webhooks.announce(connection, release.district, webhooks.Event.GPA_ISSUED, data, now=release.now())


def _record(release: Release, draft: Draft) -> DocumentRecord:
    return DocumentRecord(
        code=draft.stamp.code,
        kind=draft.kind.value,
        student_id=draft.student_id,
        rules=draft.rules,
        approximate=draft.approximate,
        inputs_digest=draft.inputs_digest,
        content_sha256=sha256(draft.content).hexdigest(),
        file_name=draft.file_name,
        recipient=release.recipient,
        purpose=release.purpose,
        issued_by=release.issued_by,
        issued_at=draft.stamp.issued_at,
        replaces=draft.replaces,
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What the record says about a document. ``same_content`` is ``None`` if no file was compared."""

    record: DocumentRecord
    replaced_by: DocumentRecord | None
    same_content: bool | None


def check_document(store: Store, district: str, text: str, content: bytes | None = None) -> Checked:
    """Look a verification code up, and compare a file with what was issued under it.

    Raises :class:`DataError`: ``documents.code`` if it is no code, ``documents.unknown`` if nothing was issued under
    it, ``documents.record`` if the record itself was tampered with.
    """
    code = read_code(text)
    record = disclosures.found(store, district, code)
    if record is None:
        raise DataError(
            f"Nothing was issued here under the code {shown(code)}.", hint="Compare it with the document.",
            code="documents.unknown",
        )  # fmt: skip
    check_record(store, district)
    same = None if content is None else sha256(content).hexdigest() == record.content_sha256
    return Checked(record, disclosures.replaced_by(store, district, code), same)


def check_record(store: Store, district: str) -> None:
    """Raises :class:`DataError` (``documents.record``) if a row of the record was changed or removed."""
    broken = disclosures.first_broken(store, district)
    if broken is not None:
        raise DataError(
            f"The record of disclosures was tampered with: row {broken} is not as it was written.",
            hint="Compare it with a backup; do not trust what it says from that row on.",
            code="documents.record",
        )


def replaced_code(
    store: Store,
    district: str,
    kind: DocumentKind,
    student_id: str | None,
    recipient: str,
    rules: Sequence[Rules],
    inputs_digest: str,
) -> str | None:
    """The code of the last document of this kind about this student by these policies to this recipient, if it was
    made from other data or another version: the new one takes its place."""
    names = [each.name for each in rules]
    for record in disclosures.listed(store, district, student_id=student_id, kind=kind, recipient=recipient, most=20):
        if record.student_id == student_id and [each.name for each in record.rules] == names:
            same = record.inputs_digest == inputs_digest and record.rules == tuple(rules)
            return None if same else record.code
    return None


def rules_of(policy: Policy) -> Rules:
    """The policy as the record names it."""
    return Rules(policy.name, policy.version, policy.digest)


def check_aggregates(policies: Iterable[Policy], *, approximate: bool) -> None:
    """A policy of a school that aggregates no GPA gives an approximation, and only if asked for one.

    Raises :class:`DataError` (``documents.no-gpa``).
    """
    for policy in policies:
        if policy.aggregate is Aggregate.ON_REQUEST_ONLY and not approximate:
            raise DataError(
                f"The school aggregates no GPA ({policy.name}): none is issued.",
                hint="An approximation for one application is made with --approximate.",
                code="documents.no-gpa",
            )


def digest_of(*tables: pl.DataFrame, words: Iterable[str] = ()) -> str:
    """The digest of the data that a document is made from. Line numbers and the order of rows make no difference."""
    hashed = sha256()
    for table in tables:
        columns = sorted(name for name in table.columns if name != LINE)
        texts = table.select(pl.col(name).cast(pl.String) for name in columns).sort(columns)
        hashed.update(texts.write_csv(null_value="\\N").encode() + b"\0")
    for word in words:
        hashed.update(word.encode() + b"\0")
    return hashed.hexdigest()


def file_name(*parts: str, ending: str) -> str:
    """A plain file name of ``parts``; signs that file systems or shells might mistake become hyphens."""
    name = "-".join(_UNSAFE.sub("-", part).strip("-.") or "x" for part in parts)
    return f"{name[:150]}.{ending}"
