"""What a check found, thing by thing, as the doctor and the connection test tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, whether it is well, and what to do if it is not."""

    what: str
    ok: bool
    message: str = ""
    hint: str = ""


def as_data(groups: dict[str, Sequence[Finding]]) -> dict[str, Any]:
    """Findings by group for ``--json``."""
    return {title: [asdict(finding) for finding in findings] for title, findings in groups.items()}


def as_lines(groups: dict[str, Sequence[Finding]]) -> list[str]:
    """Findings by group for people: a mark, what was looked at, and what to do."""
    lines = []
    for title, findings in groups.items():
        lines.append(title)
        for finding in findings:
            told = f": {finding.message}" if finding.message else ""
            lines.append(f"  {'ok  ' if finding.ok else 'FAIL'}  {finding.what}{told}")
            if not finding.ok and finding.hint:
                lines.append(f"        {finding.hint}")
    return lines


def all_well(groups: dict[str, Sequence[Finding]]) -> bool:
    return all(finding.ok for findings in groups.values() for finding in findings)
