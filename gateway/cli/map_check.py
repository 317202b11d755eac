"""``map lint``, ``map test`` and ``map schema``: mapping files checked, with or without evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.ground import FILE, declared, evidence_options, open_ground
from gateway.cli.invocation import Invocation
from gateway.core.errors import EXIT_ERROR, ConfigurationError

if TYPE_CHECKING:
    from gateway.cli.lint import Checked
    from gateway.core.mapping import Example

_MAPPINGS = click.argument("mappings", metavar="[MAPPING]...", type=FILE, nargs=-1)


@click.command(cls=Command)
@_MAPPINGS
@evidence_options
@click.pass_obj
def lint(invocation: Invocation, mappings: tuple[Path, ...], evidence: Path | None, sync_name: str | None) -> int:
    """Check each MAPPING, run its examples and remark what is odd; without one, all that `check` checks but the
    district's file.

    With --evidence or --sync also what of a mapping that evidence never uses (rules, codes), which competencies have
    no evidence, and which codes match nothing. Remarks alone leave the exit code at 0.
    """
    from gateway.cli.lint import lint_district, lint_mappings

    if mappings and (evidence or sync_name):
        checked = [_with_evidence(invocation, each, evidence, sync_name) for each in dict.fromkeys(mappings)]
    elif evidence or sync_name:
        raise click.UsageError("Name the mappings that are to be compared with evidence.")
    else:
        checked = lint_mappings(mappings) if mappings else lint_district(invocation.load())
    invocation.answer(
        {"checked": [one.as_dict() for one in checked]}, [line for one in checked for line in one.lines()]
    )
    return EXIT_ERROR if any(one.problems for one in checked) else 0


def _with_evidence(invocation: Invocation, path: Path, evidence: Path | None, sync_name: str | None) -> Checked:
    from gateway.cli.lint import failed, lint_loaded

    with open_ground(invocation, evidence, sync_name) as ground:
        try:
            mapping = ground.load(path)
        except ConfigurationError as error:
            return failed(path, "mapping", error)
        checked = lint_loaded(path, mapping, ground.parts)
        return checked.with_remarks(note.as_dict() for note in ground.notes(declared(mapping)))


@click.command(cls=Command)
@_MAPPINGS
@click.pass_obj
def test(invocation: Invocation, mappings: tuple[Path, ...]) -> int:
    """Run the examples of each MAPPING and say for each whether it came true, with what was expected and found.

    Without MAPPING: of every mapping that the district's syncs name.
    """
    told, lines, wrong = [], [], 0
    for path, examples in _examples(invocation, mappings):
        failures = sum(bool(example.failures) for example in examples)
        wrong += failures
        told.append({"file": str(path), "examples": [_as_dict(example) for example in examples]})
        lines += [f"{path}: {len(examples) - failures} of {len(examples)} examples came true"]
        lines += [line for example in examples for line in _lines(example)]
    invocation.answer({"mappings": told}, lines)
    return EXIT_ERROR if wrong else 0


def _examples(invocation: Invocation, mappings: tuple[Path, ...]) -> list[tuple[Path, list[Example]]]:
    from gateway.core.mapping import check_examples
    from gateway.mappings import load_mapping
    from gateway.sync.frameworks import last_framework

    if mappings:
        return [(path, check_examples(load_mapping(path))) for path in dict.fromkeys(mappings)]
    district = invocation.load()
    syncs = {sync.mapping: sync for sync in district.syncs.values()}
    return [
        (path, check_examples(load_mapping(path, framework=last_framework(district, sync))))
        for path, sync in syncs.items()
    ]


def _as_dict(example: Example) -> dict[str, Any]:
    return {
        "name": example.name,
        "line": example.place.line,
        "ok": not example.failures,
        "checks": [
            {"about": each.about, "expected": each.expected, "found": each.found, "ok": not each.message,
             "line": each.place.line}
            for each in example.checks
        ],
    }  # fmt: skip


def _lines(example: Example) -> list[str]:
    head = f"  {'FAIL' if example.failures else 'ok  '}  {example.name}"
    told = [
        f"        {each.about}: expected {each.expected}, found {each.found} ({each.place.source}:{each.place.line})"
        if each.message
        else f"        {each.about}: {each.found}"
        for each in example.checks
    ]
    return [head, *told]


@click.command(cls=Command)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file.")
@click.pass_obj
def schema(invocation: Invocation, out: Path | None) -> int:
    """Print the JSON Schema of mapping files, with which editors complete and check them."""
    from gateway.core.mapping import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return 0
    out.write_text(text + "\n", encoding="utf-8")
    invocation.answer(
        {"file": str(out)},
        [f"Written to {out}. In a mapping's first line: # yaml-language-server: $schema={out.resolve().as_uri()}"],
    )
    return 0
