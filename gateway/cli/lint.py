"""What ``check`` and ``map lint`` share: a mapping file read, checked, and its examples run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.invocation import now
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.framework import Framework
    from gateway.core.mapping import CompiledMapping
    from gateway.settings import District, SyncSettings


@dataclass(frozen=True, slots=True)
class Checked:
    """One file that was checked: what it is in a few words, what is wrong with it, and what is only odd."""

    file: str
    what: str
    problems: tuple[dict[str, Any], ...] = ()
    remarks: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "what": self.what,
            "ok": not self.problems,
            "problems": list(self.problems),
            "remarks": list(self.remarks),
        }

    def lines(self) -> list[str]:
        head = f"{'FAIL' if self.problems else 'ok  '}  {self.file}: {self.what}"
        remarks = (_line(remark).replace("      ", "      remark: ", 1) for remark in self.remarks)
        return [head, *(_line(problem) for problem in self.problems), *remarks]

    def with_remarks(self, more: Iterable[dict[str, Any]]) -> Checked:
        return replace(self, remarks=(*self.remarks, *more))


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


def lint_district(district: District) -> list[Checked]:
    """Each mapping that a sync names once, and every GPA policy."""
    mappings = {sync.mapping: sync for sync in district.syncs.values()}
    today = now().astimezone(district.time_zone).date()
    return [_lint_of_sync(district, sync, today) for sync in mappings.values()] + lint_policies(district.policies)


def _lint_of_sync(district: District, sync: SyncSettings, today: date) -> Checked:
    """The mapping against the framework that the sync pulled last; only its form while none was pulled. A mapping that
    is not in force today is a fault, for the next run would refuse it."""
    from gateway.sync.frameworks import last_framework
    from gateway.transport.yaml_file import read_document

    framework = last_framework(district, sync)
    if sync.framework is None or framework is not None:
        return lint_mapping(sync.mapping, framework=framework, in_use_on=today)
    try:
        read_document(sync.mapping)
    except ConfigurationError as error:
        return failed(sync.mapping, "mapping", error)
    return Checked(str(sync.mapping), f"mapping; checked in full once {sync.framework} was pulled")


def lint_mapping(path: Path, *, framework: Framework | None = None, in_use_on: date | None = None) -> Checked:
    """Read and compile the mapping at ``path`` with its framework and crosswalks, run its examples, and remark.
    ``in_use_on`` is the day on which a sync uses it."""
    from gateway.mappings import in_force, load_mapping

    try:
        mapping = load_mapping(path, framework=framework)
    except ConfigurationError as error:
        return failed(path, "mapping", error)
    checked = lint_loaded(path, mapping)
    if in_use_on is not None:
        fault = in_force(mapping, in_use_on)
        return replace(checked, problems=(*checked.problems, fault.as_dict())) if fault else checked
    fault = in_force(mapping, now().date())
    return checked.with_remarks([fault.as_dict()] if fault else [])


def lint_loaded(path: Path, mapping: CompiledMapping, evidence: Iterable[pl.DataFrame] | None = None) -> Checked:
    """The examples of a compiled mapping, and the remarks on it, also on how it fits ``evidence``."""
    from gateway.core.mapping import lint
    from gateway.mappings import run_examples

    failures = tuple(
        ConfigurationError(
            f"{failure.example}: {failure.message}", code="mapping.example", place=failure.place
        ).as_dict()
        for failure in run_examples(mapping)
    )
    count = len(mapping.examples)
    told = f"mapping {mapping.name} {mapping.version}, {count} example{'' if count == 1 else 's'}"
    return Checked(str(path), told, failures, tuple(remark.as_dict() for remark in lint(mapping, evidence)))


def lint_policies(folder: Path) -> list[Checked]:
    """Each GPA policy in ``folder`` with its examples; then whether versions of one policy overlap."""
    from gateway.policies import load_policies, load_policy

    checked = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            policy = load_policy(path)
            checked.append(Checked(str(path), f"policy {policy.name} {policy.version}"))
        except ConfigurationError as error:
            checked.append(failed(path, "policy", error))
    if checked and not any(one.problems for one in checked):
        try:
            load_policies(folder)
        except ConfigurationError as error:
            checked.append(failed(folder, "policies", error))
    return checked
