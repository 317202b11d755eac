"""``gpa policies`` and ``gpa lint``: which policies there are, and whether they are sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.core.errors import EXIT_ERROR, ConfigurationError

if TYPE_CHECKING:
    from gateway.core.gpa.policy import Policy


@click.command(cls=Command)
@click.argument("names", metavar="[POLICY]...", nargs=-1)
@input_options()
def policies(inputs: Inputs, *, names: tuple[str, ...]) -> int:
    """List the policies, or those named: source and year, when they hold, what they leave open and what we chose."""
    from gateway.policies import load_policy, offered_policies

    found: list[Policy] = []
    faulty: list[ConfigurationError] = []
    for path in offered_policies(inputs.folders):
        try:
            found.append(load_policy(path))
        except ConfigurationError as error:
            faulty += error.problems or [error]
    if names:
        for name in names:
            inputs.policy(name)
        found = [each for each in found if each.name in names]
    told = {"policies": [_told(each, inputs) for each in found], "faulty": [each.as_dict() for each in faulty]}
    inputs.invocation.answer(told, _lines(found, faulty, inputs))
    return EXIT_ERROR if faulty and not names else 0


def _told(policy: Policy, inputs: Inputs) -> dict[str, Any]:
    source = policy.source
    return {
        "policy": policy.name, "version": policy.version, "title": policy.title, "kind": policy.kind.value,
        "from": policy.first_day, "until": policy.last_day, "in_force": policy.in_force(inputs.as_of),
        "source": {"name": source.name, "year": source.year, "url": source.url}, "label": policy.label,
        "aggregate": policy.aggregate.value, "converts_levels": policy.conversion is not None,
        "approved_by": policy.approved_by, "open_questions": policy.open_questions,
        "chosen_by_us": policy.chosen_by_us, "examples": len(policy.examples), "digest": policy.digest,
        "file": policy.file,
    }  # fmt: skip


def _lines(found: list[Policy], faulty: list[ConfigurationError], inputs: Inputs) -> Iterator[str]:
    for each in found:
        until = f"until {each.last_day}" if each.last_day else "until further notice"
        held = "" if each.in_force(inputs.as_of) else f"; not in force on {inputs.as_of}"
        yield f"{each.name} {each.version}: {each.title}"
        yield f"  from {each.first_day} {until}{held}; digest {each.digest[:12]}"
        yield f"  source: {each.source.name} ({each.source.year})"
        yield from (f"  open question: {question}" for question in each.open_questions)
        yield from (f"  chosen here: {choice}" for choice in each.chosen_by_us)
        if each.aggregate == "on_request_only":
            yield "  on request only: nothing is computed without --approximate, and nothing is stored or pushed"
        if each.label:
            yield f"  {each.label}"
    for error in faulty:
        yield f"FAIL  {error.place}: {error.message}"


@click.command(cls=Command)
@click.argument("files", metavar="[FILE]...", type=click.Path(path_type=Path, exists=True), nargs=-1)
@input_options()
def lint(inputs: Inputs, *, files: tuple[Path, ...]) -> int:
    """Check policy FILEs (or all in a folder) and run their examples; without one, all policies there are."""
    from gateway.cli.lint import Checked, failed, lint_policies
    from gateway.policies import load_policy

    checked: list[Checked] = []
    for path in files or inputs.folders:
        if path.is_dir():
            checked += lint_policies(path)
            continue
        try:
            policy = load_policy(path)
            count = len(policy.examples)
            told = f"policy {policy.name} {policy.version}, {count} example{'' if count == 1 else 's'}"
            checked.append(Checked(str(path), told))
        except ConfigurationError as error:
            checked.append(failed(path, "policy", error))
    inputs.invocation.answer(
        {"checked": [one.as_dict() for one in checked]}, [line for one in checked for line in one.lines()]
    )
    return EXIT_ERROR if any(one.problems for one in checked) else 0
