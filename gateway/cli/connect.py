"""``connect test``: ask the other systems, change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from gateway.cli.command import LazyGroup
from gateway.cli.findings import Finding, all_well, as_data, as_lines
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_ERROR, GatewayError

if TYPE_CHECKING:
    from gateway.settings import District


@click.group(cls=LazyGroup)
def connect() -> None:
    """Test the connections to other systems."""


@connect.command()
@click.argument("name", required=False)
@click.pass_obj
def test(invocation: Invocation, name: str | None) -> int:
    """Test the connection NAME, or all of them, without changing anything.

    Says for each step whether it worked, and what to do if it did not.
    """
    district = invocation.load()
    names = [district.connection(name).name] if name else list(district.connections)
    groups = {each: check_connection(district, each) for each in names}
    invocation.answer({"connections": as_data(groups)}, as_lines(groups))
    return 0 if all_well(groups) else EXIT_ERROR


def check_connection(district: District, name: str) -> Sequence[Finding]:
    """What the connection's own check says; an error that prevents it is a finding too."""
    from gateway.core.exchange import Source, Target
    from gateway.settings import open_connection

    try:
        with closing(open_connection(district, name, now=now)) as connector:
            items = connector.check() if isinstance(connector, Source | Target) else []
    except GatewayError as error:
        return [Finding("open the connection", False, error.message, error.hint)]
    return [Finding(item.what, item.ok, item.message, item.hint) for item in items]
