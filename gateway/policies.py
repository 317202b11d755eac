"""Loads GPA policies from disk: checked, with their examples run, and chosen by name and date."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from gateway.core.errors import ConfigurationError, MappingError, Place, did_you_mean, raise_problems
from gateway.core.gpa.compile import compile_policy
from gateway.core.gpa.examples import check_examples
from gateway.core.gpa.policy import Policy
from gateway.shipped import shipped
from gateway.transport.yaml_file import read_document

_POLICY = re.compile(r"""^["']?policy["']?\s*:\s*["']?([^"'\s#]+)""", re.MULTILINE)


def load_policy(path: Path) -> Policy:
    """The policy in the file at ``path``.

    Raises :class:`ConfigurationError` with the file and line of every fault, an example that fails included.
    """
    document = read_document(path)
    policy = compile_policy(document)
    raise_problems(check_examples(policy, document))
    return policy


def load_policies(folder: Path) -> list[Policy]:
    """Every policy in ``folder`` (``*.yaml``), by name and first day.

    Raises :class:`ConfigurationError` with the faults of all files, and where two versions hold on the same day.
    """
    policies: list[Policy] = []
    problems: list[ConfigurationError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            policies.append(load_policy(path))
        except ConfigurationError as error:
            problems += error.problems or [error]
    policies.sort(key=lambda each: (each.name, each.first_day))
    problems += _overlaps(policies)
    raise_problems(problems)
    return policies


def _overlaps(policies: Sequence[Policy]) -> Iterable[ConfigurationError]:
    for one, other in itertools.pairwise(policies):
        if one.name == other.name and (one.last_day is None or other.first_day <= one.last_day):
            yield MappingError(
                f"Versions {one.version} and {other.version} of the policy {one.name} hold on the same day.",
                hint=f"Let {one.version} end before {other.first_day}.",
                code="policy.versions",
                place=Place(other.file, None, "effective"),
            )


def find_policy(name: str, folder: Path | Sequence[Path], as_of: date) -> Policy:
    """The version of the policy ``name`` that holds on ``as_of``; ``name`` may be the path of a file instead.

    Of several folders the first that has a policy of this name is taken.

    Raises :class:`MappingError`: ``policy.unknown`` if there is none of that name, ``policy.not-in-force`` if ``as_of``
    lies outside every version.
    """
    if name.endswith((".yaml", ".yml")):
        found = [load_policy(Path(name))]
    else:
        found = policy_versions(name, [folder] if isinstance(folder, Path) else folder)
    return version_in_force(found, as_of)


def version_in_force(versions: Sequence[Policy], as_of: date) -> Policy:
    """The one of a policy's versions that holds on ``as_of``.

    Raises :class:`MappingError`: ``policy.not-in-force`` if none does, ``policy.versions`` if several do.
    """
    holding = [each for each in versions if each.in_force(as_of)]
    if len(holding) == 1:
        return holding[0]
    raise _not_one(versions, holding, as_of)


def policy_versions(name: str, folders: Sequence[Path]) -> list[Policy]:
    """All versions of a policy, from the first folder that has one; other policies are not checked."""
    offered = offered_policies(folders)
    found = [load_policy(path) for path, policy in offered.items() if policy == name]
    if found:
        return found
    known = sorted(set(offered.values()))
    raise MappingError(
        f'There is no policy "{name}" in {" or ".join(map(str, folders))}.{did_you_mean(name, known)}',
        hint=f"There are: {', '.join(known)}." if known else "Put policy files there.",
        code="policy.unknown",
    )


def policy_folders(own: Path | None) -> tuple[Path, ...]:
    """Where policies are looked for: the district's folder, then what came with the program."""
    came = shipped("mappings") / "gpa"
    return (came,) if own is None else tuple(dict.fromkeys((own, came)))


def offered_policies(folders: Sequence[Path]) -> dict[Path, str]:
    """The policy files of all folders, by file name, each with the name of its policy; none of a policy that an
    earlier folder has."""
    found: dict[Path, str] = {}
    for folder in folders:
        named = {path: _name(path, path.stat().st_mtime_ns) for path in folder.glob("*.yaml")}
        taken = set(found.values())
        found |= {path: name for path, name in named.items() if name not in taken}
    return dict(sorted(found.items(), key=lambda each: each[0].name))


@functools.lru_cache(maxsize=1000)
def _name(path: Path, changed: int) -> str:
    """The name of the policy in a file at a glance; the file's own where it does not show."""
    shown = _POLICY.search(path.read_text(encoding="utf-8", errors="replace"))
    return shown[1] if shown else path.stem


def _not_one(found: Sequence[Policy], holding: Sequence[Policy], as_of: date) -> MappingError:
    spans = "; ".join(
        f"{each.version} from {each.first_day} until {each.last_day or 'further notice'}" for each in found
    )
    return MappingError(
        f'{"Several versions" if holding else "No version"} of the policy "{found[0].name}" hold on {as_of}: {spans}.'
        if holding
        else f'The date {as_of} lies outside every version of the policy "{found[0].name}": {spans}.',
        hint="Choose another date, or correct `effective`.",
        code="policy.versions" if holding else "policy.not-in-force",
        place=Place(found[0].file, None, "effective"),
    )
