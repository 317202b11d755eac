"""``documents verify``: credentials checked offline, other documents against the record of what was issued here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.gpa_inputs import in_district
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_ERROR, EXIT_OK, EXIT_WARNINGS, GatewayError

if TYPE_CHECKING:
    from gateway.documents.credentials.verify import Finding, Report, Verifier
    from gateway.documents.issue import DocumentRecord
    from gateway.settings import District
    from gateway.store import Store

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(slots=True)
class Result:
    """What is known of one file: its exit code, lines for people, and the same as data."""

    file: Path
    code: int
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


@click.command(cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--keys", "key_files", multiple=True, type=_FILE, metavar="DID.JSON",
              help="The key document of an issuer that you trust; may come often.")  # fmt: skip
@click.option(
    "--contexts", type=_FOLDER, help="Further JSON-LD contexts, as `wget -x` lays them down. Nothing is fetched."
)
@click.pass_obj
def verify(invocation: Invocation, files: tuple[Path, ...], key_files: tuple[Path, ...], contexts: Path | None) -> int:
    """Verify each FILE without asking anyone: badges and learner records (JSON or JWT) by their signatures, other
    documents by the record of what this district issued.

    Ends with 0 if all are unchanged and their issuers known here, with 3 if they are unchanged but who signed is not
    known, with 1 if one cannot be trusted.
    """
    from gateway.documents.credentials.contexts import Contexts
    from gateway.documents.credentials.keys import KnownKeys
    from gateway.documents.credentials.known import keys_of_district, read_key_files
    from gateway.documents.credentials.verify import Verifier

    district = invocation.load() if in_district(invocation) else None
    known, told = keys_of_district(district) if district else (KnownKeys(), "")
    folder = contexts or (district.credentials.contexts if district else None)
    verifier = Verifier(Contexts(folder), known.plus(read_key_files(key_files)), now())
    if district is None:
        results = [_judge(file, verifier, None, None) for file in files]
    else:
        with invocation.store(district) as store:
            results = [_judge(file, verifier, store, district) for file in files]
    lines = [line for each in results for line in each.lines]
    if told:
        lines.append(f"Our own key could not be read, so that what we signed counts as unknown: {told}")
    invocation.answer({"files": [{"file": str(each.file), **each.data} for each in results]}, lines)
    codes = {each.code for each in results}
    return EXIT_ERROR if EXIT_ERROR in codes else EXIT_WARNINGS if EXIT_WARNINGS in codes else EXIT_OK


def _judge(file: Path, verifier: Verifier, store: Store | None, district: District | None) -> Result:
    from gateway.documents.credentials.tokens import looks_like_token

    content = file.read_bytes()
    record = _recorded(content, store, district)
    try:
        if looks_like_token(content) or content.lstrip()[:1] in (b"{", b"[") or content.startswith(b"\xef\xbb\xbf{"):
            return _credential(file, verifier.verify(content), record)
        return _other(file, record, store, district)
    except GatewayError as error:
        return Result(file, EXIT_ERROR, [f"{file}: NOT VERIFIED. {error.message} {error.hint}"],
                      {"verdict": "not verified", "error": error.as_dict()})  # fmt: skip


def _recorded(content: bytes, store: Store | None, district: District | None) -> DocumentRecord | None:
    """The record of a document with exactly this content."""
    from hashlib import sha256

    from gateway.store import disclosures

    if store is None or district is None:
        return None
    return disclosures.found_by_content(store, district.id, sha256(content).hexdigest())


def _credential(file: Path, report: Report, record: DocumentRecord | None) -> Result:
    from gateway.documents.credentials.verify import Verdict

    codes = {Verdict.VERIFIED: EXIT_OK, Verdict.INTACT: EXIT_WARNINGS}
    result = Result(file, codes.get(report.verdict, EXIT_ERROR))
    meaning = {
        Verdict.VERIFIED: "VERIFIED: unchanged, and signed by an issuer that is known here.",
        Verdict.INTACT: "UNCHANGED, but who signed it is not known here.",
    }
    result.lines.append(f"{file}: {meaning.get(report.verdict, f'NOT VERIFIED: {report.verdict.value}.')}")
    for finding in report.findings:
        result.lines += [f"  {line}" for line in _finding_lines(finding)]
    result.data = {"verdict": report.verdict.value, "credentials": [_as_dict(each) for each in report.findings]}
    _add_record(result, record)
    return result


def _finding_lines(finding: Finding) -> Iterator[str]:
    name = f'"{finding.name}"' if finding.name else "a credential without a name"
    yield f"{name}{f' ({finding.path})' if finding.path else ''}, issuer {finding.issuer}: {finding.verdict.value}"
    yield from (f"  wrong: {fault}" for fault in finding.faults)
    yield from (f"  checked: {each}" for each in finding.checked)
    yield from (f"  not checked: {each}" for each in finding.not_checked)


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path, "name": finding.name, "issuer": finding.issuer, "verdict": finding.verdict.value,
        "wrong": finding.faults, "checked": finding.checked, "not_checked": finding.not_checked,
    }  # fmt: skip


def _other(file: Path, record: DocumentRecord | None, store: Store | None, district: District | None) -> Result:
    """A PDF, a table or an XML file: only the record of the district that issued it can tell."""
    from gateway.documents.issue import check_record

    if store is None or district is None:
        why = (
            "It carries no signature; only the district that issued it can look it up. Run this where its gateway.yaml "
            "is, or ask it with the verification code."
        )
    elif record is None:
        why = (
            "Nothing with exactly this content was issued here: it was changed, or comes from elsewhere. Look its code "
            "up with `mastery-gateway documents check CODE FILE`."
        )
    else:
        check_record(store, district.id)
        result = Result(file, EXIT_OK, [f"{file}: VERIFIED: exactly as it was issued here."], {"verdict": "verified"})
        _add_record(result, record)
        return result
    return Result(file, EXIT_ERROR, [f"{file}: NOT VERIFIED. {why}"], {"verdict": "not verified"})


def _add_record(result: Result, record: DocumentRecord | None) -> None:
    from gateway.documents.code import shown

    result.data["recorded"] = record.as_dict() if record else None
    if record is not None:
        result.lines.append(
            f"  recorded: {shown(record.code)}, issued on {record.issued_at:%Y-%m-%d} to {record.recipient}"
        )
