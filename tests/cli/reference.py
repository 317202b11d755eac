"""The commands as click has them, and the reference of the documentation made from them.

``python -m tests.cli.reference`` writes the reference into ``docs/commands.md``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.main import gateway

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
SHARED = {"district", "as_json", "debug"}


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))


def reference() -> str:
    """One section a command: how it is called, what it does, its own options."""
    sections = [
        _section(names, command) for names, command in commands(gateway) if not isinstance(command, click.Group)
    ]
    return "\n".join(sections)


def _section(names: tuple[str, ...], command: click.Command) -> str:
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    lines = [f"### {' '.join(names)}", "```", " ".join(["mastery-gateway", *names, *arguments]), "```"]
    lines += [re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.help or "")), ""]
    own = [option for option in command.params if isinstance(option, click.Option) and option.name not in SHARED]
    if own:
        lines += ["| option | meaning |", "|---|---|", *(_option(option) for option in own), ""]
    return "\n".join(lines)


def _option(option: click.Option) -> str:
    told = [str(option.help)]
    if option.required:
        told.append("Required.")
    if isinstance(option.type, click.Choice):
        told.append(f"One of {', '.join(f'`{choice}`' for choice in option.type.choices)}.")
    if option.show_default:
        told.append(f"Default: `{option.default}`.")
    return f"| `{option.opts[0]}` | {' '.join(told)} |"


def page_with_reference(page: str) -> str:
    """The page with the reference made anew."""
    found = re.search(r"(?s)(<!-- commands -->\n).*(<!-- end -->)", page)
    assert found, "docs/commands.md has no place for the reference"
    return page[: found.start()] + f"{found[1]}{reference()}{found[2]}" + page[found.end() :]


if __name__ == "__main__":
    PAGE.write_text(page_with_reference(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
