"""What all commands share: the options that may stand before or after a command, and lazily imported commands."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import click

from gateway.cli.invocation import Invocation

Function = Callable[..., Any]


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep a shared option's value; a command's own overrides the one before the command."""
    invocation = context.find_object(Invocation)
    source = context.get_parameter_source(str(option.name))
    given = source in (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.ENVIRONMENT)
    if invocation is not None and option.name is not None and given:
        setattr(invocation, option.name, value)


def shared_options(*, environment: bool = False) -> list[click.Parameter]:
    """``--district``, ``--json`` and ``--debug``. Only the ones before a command are read from the environment."""
    return [
        click.Option(
            ["--district"],
            metavar="FILE",
            envvar="MASTERY_GATEWAY_DISTRICT" if environment else None,
            help="The district's file (default: gateway.yaml; also MASTERY_GATEWAY_DISTRICT).",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Report as one JSON document.",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Log everything, with the code lines of errors.",
            expose_value=False,
            callback=_remember,
        ),
    ]


class Command(click.Command):
    """A command with the shared options; it returns its exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *shared_options()]


class LazyGroup(click.Group):
    """A group of ``name -> (module, one line of help)``; a module is imported when its command is called.

    The module offers the command as ``command``, or, for one of several, under its name with ``_``.
    """

    command_class = Command

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self.lazy[cmd_name][0])
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, without importing anything."""
        with formatter.section("Commands"):
            own = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
            formatter.write_dl([*((name, text) for name, (_, text) in self.lazy.items()), *own])
