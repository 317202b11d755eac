"""The program as a whole: help, failures, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway import __version__
from gateway.cli.main import COMMANDS, gateway
from gateway.core.errors import ConfigurationError, HeldError, LockedError, Place
from tests.cli.conftest import Call
from tests.cli.reference import PAGE, commands, page_with_reference

HEAVY = {"polars", "sqlalchemy", "requests", "marshmallow", "alembic", "flask", "rich", "ruamel", "apscheduler"}


ALL = dict(commands(gateway))


def test_help_imports_nothing_heavy() -> None:
    lines = [["--help"], *([*names, "--help"] for names in ALL)]
    code = f"""
import sys
from gateway.cli.main import main
for line in {lines!r}:
    assert main(line) == 0, line
    heavy = {HEAVY!r} & set(sys.modules)
    assert not heavy, (line, heavy)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_explains_itself_and_its_options(names: tuple[str, ...]) -> None:
    command = ALL[names]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_takes_the_shared_options(names: tuple[str, ...]) -> None:
    if not isinstance(ALL[names], click.Group):
        assert {"district", "as_json", "debug"} <= {parameter.name for parameter in ALL[names].params}


def test_the_list_of_commands_matches_the_commands(call: Call) -> None:
    out = call("--help").out
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in out
        assert text in out


def test_the_reference_of_the_documentation_is_that_of_the_commands() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_reference(page), "run: python -m tests.cli.reference"


def test_the_version_is_told(call: Call) -> None:
    assert __version__ in call("--version").out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["snyc"], "No such command"),
        (["sync", "--dry"], "No such option"),
        (["approve", "x"], "Missing option"),
        (["schedule", "next", "--count", "0"], "Invalid value"),
        (["--nope"], "No such option"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_where_to_look(call: Call, line: list[str], words: str) -> None:
    answer = call(*line)
    assert answer.code == 2
    assert words in answer.err
    assert "--help`" in answer.err
    assert answer.out == ""


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """A command ``fail`` that raises what is in the list."""
    errors: list[BaseException] = []

    @click.command(name="fail")
    def fail() -> None:
        raise errors[0]

    monkeypatch.setitem(gateway.commands, "fail", fail)
    yield errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("Wrong.", hint="Mend it."), 1),
        (HeldError("Held.", hint="Mend it."), 4),
        (LockedError("Locked.", hint="Mend it."), 75),
    ],
)
def test_an_error_becomes_two_sentences_and_an_exit_code(
    call: Call, fail_with: list[BaseException], error: ConfigurationError, code: int
) -> None:
    fail_with.append(error)
    answer = call("fail")
    assert answer.code == code
    assert answer.err.splitlines() == [error.message, "Mend it."]
    told = call("--json", "fail")
    assert told.code == code
    assert told.data["error"]["hint"] == "Mend it."


def test_an_error_names_its_place(call: Call, fail_with: list[BaseException]) -> None:
    fail_with.append(ConfigurationError("Wrong.", place=Place("a.yaml", 7, "x.y")))
    assert call("fail").err == "a.yaml:7 (x.y): Wrong.\n"
    assert call("--json", "fail").data["error"]["line"] == 7


def test_a_fault_of_ours_is_told_without_traceback_and_kept_without_its_text(
    call: Call, fail_with: list[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fail_with.append(ValueError("Ada Lovelace got a 4"))
    answer = call("fail")
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert "Ada" not in answer.err
    kept = tmp_path / "mastery-gateway-faults.log"
    assert str(kept) in answer.err
    assert "ValueError at" in kept.read_text()
    assert "Ada" not in kept.read_text()
    call("--debug", "fail")
    assert "Ada" in kept.read_text()


def test_a_full_disk_is_not_our_fault(call: Call, fail_with: list[BaseException]) -> None:
    fail_with.append(OSError(28, "No space left on device", "/data/x"))
    answer = call("fail")
    assert answer.code == 1
    assert answer.err.startswith("The machine refuses: No space left on device (/data/x).")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_stopping_by_hand_is_quiet(call: Call, fail_with: list[BaseException], error: BaseException) -> None:
    fail_with.append(error)
    answer = call("fail")
    assert (answer.code, answer.err.strip()) == (1, "Stopped.")


def test_the_installed_program_hands_its_exit_code_on(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mastery-gateway")
    done = subprocess.run([program, "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "There is no gateway.yaml in this folder."
    assert "mastery-gateway init" in done.stderr


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mastery-gateway")
    with subprocess.Popen([program, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
