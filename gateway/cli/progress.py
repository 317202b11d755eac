"""Progress: a bar on a terminal, one plain line a step elsewhere; both on standard error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from gateway.cli.invocation import on_terminal

Progress = Callable[[str, int, int | None], None]


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A function to call with the step, how much of it is done, and how much there is (``None``: not known)."""
    if not on_terminal():
        yield _plain_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def show(step: str, done: int, total: int | None) -> None:
            bars.update(task, description=step, completed=done, total=total)

        yield show


_STAGE = re.compile(r"(night \d+: )?\S+")
"""The step without the table or stream at hand, of which a log needs no line each."""


def _plain_lines() -> Progress:
    last = ""

    def tell(step: str, done: int, total: int | None) -> None:
        nonlocal last
        stage = _STAGE.match(step)
        told = stage[0] if stage else step
        if told != last:
            last = told
            click.echo(f"{told} …", err=True)

    return tell
