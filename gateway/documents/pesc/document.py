"""The transcript as a document that is issued: made with its verification code, checked, and validated if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError, DataError
from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.rank import class_rank
from gateway.documents.desk import Order
from gateway.documents.issue import DocumentKind, digest_of, rules_of
from gateway.documents.page import Frame
from gateway.documents.pesc.record import Record
from gateway.documents.pesc.schema import check_against, load_schema
from gateway.documents.pesc.transcript import ID_LENGTHS, Organization, Person, Transcript
from gateway.documents.pesc.write import write_transcript

MOST_RANKED = 9_999
"""The largest class that the standard can state."""


def transcript_order(
    results: Sequence[GpaResult],
    record: Record,
    person: Person,
    *,
    source: Organization,
    destination: Organization,
    tables: Sequence[pl.DataFrame],
    schema: Path | None,
) -> Order:
    """A transcript to be made. ``tables`` are what it was made from."""
    check_organization(source, "the school")
    check_organization(destination, "the receiver")
    words = [person.full, person.first, person.last, source.id, destination.id]
    return Order(
        kind=DocumentKind.PESC_TRANSCRIPT,
        title="High school transcript",
        make=make_transcript,
        content={"record": record, "person": person, "source": source, "destination": destination, "schema": schema},
        rules=tuple(rules_of(each.policy) for each in results),
        inputs_digest=digest_of(*tables, words=words),
        student_id=person.student_id,
        name=person.student_id,
        ending="xml",
        approximate=any(not each.storable for each in results),
    )


def make_transcript(frame: Frame, content: Mapping[str, Any]) -> bytes:
    """The XML of a transcript; its verification code is its DocumentID.

    Raises :class:`DataError` (``pesc.invalid``) if a schema was named and it is not valid.
    """
    record: Record = content["record"]
    code = (frame.code or "").replace("-", "")
    notes = [f"Verification code {frame.code}" if frame.code else "A preview: this was not issued."]
    if frame.replaces:
        notes.append(f"Replaces the document {frame.replaces}")
    written = write_transcript(Transcript(
        document_id=code or f"PREVIEW-{frame.when:%Y%m%dT%H%M%S}",
        created=frame.when,
        source=content["source"],
        destination=content["destination"],
        person=content["person"],
        student_level=record.student_level,
        summaries=record.summaries,
        sessions=record.sessions,
        courses=record.courses,
        test=not code,
        official=bool(code),
        notes=tuple(notes),
    ))  # fmt: skip
    if content["schema"] is not None:
        check_against(load_schema(content["schema"]), written)
    return written


def read_organization(text: str, name: str) -> Organization:
    """``ATP:001234`` as an organization. Raises :class:`ConfigurationError` (``pesc.organization``)."""
    kind, _, id = text.partition(":")
    return check_organization(Organization(kind.strip().upper(), id.strip(), name), "the receiver")


def check_organization(organization: Organization, who: str) -> Organization:
    """Raises :class:`ConfigurationError` (``pesc.organization``) for a code that the standard does not know."""
    least, most = ID_LENGTHS.get(organization.id_kind, (1, 0))
    if not (organization.id.isalnum() and least <= len(organization.id) <= most):
        kinds = ", ".join(
            f"{kind} ({first if first == last else f'{first}-{last}'})" for kind, (first, last) in ID_LENGTHS.items()
        )
        raise ConfigurationError(
            f"A transcript needs a code of {who} that the standard knows.",
            hint=f"Write it as KIND:CODE, such as ATP:123456 for a CEEB code. Kinds and their lengths: {kinds}. The "
            "school's own is `ceeb` in the district's file.",
            code="pesc.organization",
        )
    return organization


def person_of(student_id: str, name: str, facts: Mapping[str, Any], *, birth_date: bool) -> Person:
    """The student with what a table of students says: given_name, middle_name, family_name, suffix, birth_date.

    Raises :class:`DataError` (``pesc.person``) for one without a name, or whose date of birth cannot be read.
    """
    parts = {part: str(facts.get(part) or "").strip() for part in
             ("given_name", "middle_name", "family_name", "suffix", "birth_date")}  # fmt: skip
    if not (parts["family_name"] or name):
        raise DataError(
            "A transcript needs the student's name.",
            hint="Give a table of students (--students) with given_name and family_name, or name.",
            code="pesc.person",
        )
    born = None
    if birth_date:
        try:
            born = date.fromisoformat(parts["birth_date"])
        except ValueError as error:
            raise DataError(
                "The date of birth is missing, or not written as 2008-05-31.",
                hint="Correct birth_date in the table of students, or leave out --birth-date.",
                code="pesc.person",
            ) from error
    return Person(student_id, parts["given_name"], parts["middle_name"], parts["family_name"], parts["suffix"], name,
                  born)  # fmt: skip


def ranks_of(
    everybody: Sequence[GpaResult], groups: pl.DataFrame | None, student_id: str
) -> dict[str, tuple[int, int]]:
    """Rank and class size of a student by policy, for the policies that rank; ``everybody`` has all students."""
    found: dict[str, tuple[int, int]] = {}
    for result in everybody:
        rules = result.policy.rank
        if rules is None or groups is None or any(key not in groups.columns for key in rules.group):
            continue
        ranked = class_rank(result.policy, result.gpas, groups).filter(pl.col("student_id") == student_id)
        for row in ranked.iter_rows(named=True):
            if row["rank"] is not None and row["group_size"] <= MOST_RANKED:
                found[result.policy.name] = (row["rank"], row["group_size"])
    return found
