"""What ``check`` and ``map lint`` share: a mapping file read, checked, and its examples run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Checked:
    """One file that was checked: what it is in a few words, and what is wrong with it."""

    file: str
    what: str
    problems: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "what": self.what, "ok": not self.problems, "problems": list(self.problems)}

    def lines(self) -> list[str]:
        if not self.problems:
            return [f"ok    {self.file}: {self.what}"]
        return [f"FAIL  {self.file}: {self.what}", *(_line(problem) for problem in self.problems)]


def _line(problem: dict[str, Any]) -> str:
    line = f":{problem['line']}" if problem["line"] else ""
    place = f"{problem['file']}{line}: " if problem["file"] else ""
    return f"      {place}{problem['message']}" + (f" {problem['hint']}" if problem["hint"] else "")


def failed(file: Path | str, what: str, error: ConfigurationError) -> Checked:
    """A file with the faults that ``error`` tells of."""
    return Checked(str(file), what, tuple(problem.as_dict() for problem in error.problems or [error]))


def lint_mappings(paths: Iterable[Path]) -> list[Checked]:
    """Each mapping once."""
    return [lint_mapping(path) for path in dict.fromkeys(paths)]


def lint_mapping(path: Path) -> Checked:
    """Read and compile the mapping at ``path`` with its framework and crosswalks, and run its examples."""
    from gateway.mappings import load_mapping, run_examples

    try:
        mapping = load_mapping(path)
    except ConfigurationError as error:
        return failed(path, "mapping", error)
    failures = tuple(
        ConfigurationError(
            f"{failure.example}: {failure.message}", code="mapping.example", place=failure.place
        ).as_dict()
        for failure in run_examples(mapping)
    )
    count = len(mapping.examples)
    told = f"mapping {mapping.name} {mapping.version}, {count} example{'' if count == 1 else 's'}"
    return Checked(str(path), told, failures)
