"""Commands that hints, messages and pages name are commands that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.main import gateway
from tests.cli.reference import commands

ROOT = Path(__file__).parents[2]
ALL = dict(commands(gateway))
GROUPS = {names[0] for names, command in ALL.items() if isinstance(command, click.Group)}
QUOTED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
OPTION = re.compile(r"--[a-z-]+(?:[= ]\S+)?")


def named() -> Iterator[tuple[str, list[str]]]:
    """What stands in backticks and begins with the program's name, or with a group and one more word."""
    files = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "connectors").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]
    for file in [*files, ROOT / "README.md"]:
        for said in QUOTED.findall(file.read_text(encoding="utf-8")):
            program, _, rest = said.partition("mastery-gateway ")
            words = re.findall(
                r"^[a-z][a-z-]*(?: [a-z][a-z-]*)*", OPTION.sub("", rest if not program else said).strip()
            )
            if words and ((rest and not program) or (words[0].split()[0] in GROUPS and " " in words[0])):
                yield str(file.relative_to(ROOT)), words[0].split()


def there_is(words: list[str]) -> bool:
    """Whether the words begin with a command, or with a group and one of its commands, or are a group."""
    for length in range(min(len(words), 3), 0, -1):
        command = ALL.get(tuple(words[:length]))
        if command is not None:
            return not isinstance(command, click.Group) or length == len(words)
    return False


def test_every_command_that_is_named_exists() -> None:
    found = list(named())
    assert len(found) > 60
    assert not [f"{place}: {' '.join(words)}" for place, words in found if not there_is(words)]


def test_the_search_sees_what_does_not_exist() -> None:
    assert there_is(["map", "crosswalk", "export"])
    assert there_is(["map", "lint", "and"])
    assert there_is(["runs"])
    assert not there_is(["map", "publish"])
    assert not there_is(["map", "crosswalk", "publish"])
