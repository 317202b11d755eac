"""``documents``: documents issued, listed and checked. Those that issue one are modules of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation
from gateway.core.errors import EXIT_ERROR

if TYPE_CHECKING:
    from gateway.documents.issue import Checked, DocumentRecord
    from gateway.settings import District

COMMANDS = {
    "gpa-report": ("gateway.cli.documents_gpa", "Issue GPA reports with worked lines."),
    "letter": ("gateway.cli.documents_gpa", "Issue the letter that explains a policy."),
    "ncaa-worksheet": ("gateway.cli.documents_gpa", "Issue NCAA worksheets of core courses."),
    "mastery-transcript": ("gateway.cli.documents_mastery", "Issue mastery transcripts, without grades."),
    "gpa-statement": ("gateway.cli.documents_gpa", "Issue the GPA beside a mastery transcript."),
    "pesc": ("gateway.cli.documents_pesc", "Issue a transcript as PESC XML."),
    "credentials": ("gateway.cli.documents_credentials", "Issue Open Badges and learner records."),
    "key": ("gateway.cli.documents_key", "Make and publish the key that signs credentials."),
    "verify": ("gateway.cli.documents_verify", "Verify credentials and documents, offline."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def documents() -> None:
    """Issue documents for people; list and check what was issued."""


@documents.command(name="list")
@click.option("--student", metavar="ID", help="Only documents about this student.")
@click.option("--kind", metavar="KIND", help="Only documents of this kind, such as gpa-report.")
@click.option("--count", type=click.IntRange(1, 100_000), default=30, show_default=True, help="How many, newest first.")
@click.pass_obj
def list_(invocation: Invocation, student: str | None, kind: str | None, count: int) -> int:
    """List the documents that were issued, newest first: to whom, about whom, what for, by whom.

    The record is checked first; the digest of its newest row is shown, to be kept elsewhere.
    """
    from gateway.documents.issue import check_record
    from gateway.store import disclosures

    district = invocation.load()
    with invocation.store(district) as store:
        check_record(store, district.id)
        number, digest = disclosures.newest(store, district.id)
        found = disclosures.listed(store, district.id, student_id=student, kind=kind, most=count)
    lines = [line for record in found for line in _lines(district, record)]
    lines.append(f"{number:,} disclosures; the record is whole. Newest row: {digest}")
    invocation.answer({"issued": number, "newest": digest, "documents": [record.as_dict() for record in found]}, lines)
    return 0


@documents.command()
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.pass_obj
def check(invocation: Invocation, code: str, file: Path | None) -> int:
    """Look up the verification CODE of a document, and compare FILE with what was issued under it.

    Ends with 1 if the file is not the one that was issued.
    """
    from gateway.documents.issue import check_document

    district = invocation.load()
    with invocation.store(district) as store:
        checked = check_document(store, district.id, code, file.read_bytes() if file else None)
    newer = checked.replaced_by
    told = {
        "document": checked.record.as_dict(),
        "replaced_by": newer.code if newer else None,
        "same_content": checked.same_content,
    }
    invocation.answer(told, _told(district, checked))
    return EXIT_ERROR if checked.same_content is False else 0


def _told(district: District, checked: Checked) -> list[str]:
    from gateway.documents.code import shown

    lines = list(_lines(district, checked.record))
    lines += [f"  made by      {rules}" for rules in checked.record.rules]
    if checked.record.replaces:
        lines.append(f"  replaces     {shown(checked.record.replaces)}")
    if checked.replaced_by:
        when = checked.replaced_by.issued_at.astimezone(district.time_zone)
        lines.append(f"It was REPLACED on {when:%Y-%m-%d} by {shown(checked.replaced_by.code)}.")
    if checked.same_content is not None:
        same = (
            "The file is the one that was issued." if checked.same_content else "The file was CHANGED, or is another."
        )
        lines.append(same)
    return lines


def _lines(district: District, record: DocumentRecord) -> list[str]:
    from gateway.documents.code import shown

    when = record.issued_at.astimezone(district.time_zone)
    about = f", student {record.student_id}" if record.student_id else ""
    kind = f"{record.kind} (approximation)" if record.approximate else record.kind
    return [
        f"{shown(record.code)}  {when:%Y-%m-%d %H:%M}  {kind}{about}  {record.file_name}",
        f"  to {record.recipient}, for {record.purpose}, by {record.issued_by}",
    ]
