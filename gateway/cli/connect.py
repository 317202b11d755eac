"""``connect test``: ask the other systems, change nothing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_ERROR, GatewayError

if TYPE_CHECKING:
    from gateway.core.exchange import CheckItem
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
    results = {each: check_connection(district, each) for each in names}
    invocation.answer({"connections": results}, [line for each in names for line in item_lines(each, results[each])])
    return 0 if all(item["ok"] for items in results.values() for item in items) else EXIT_ERROR


def check_connection(district: District, name: str) -> list[dict[str, Any]]:
    """What the connection's own check says; an error that prevents it is an item too."""
    from gateway.core.exchange import CheckItem, Source, Target
    from gateway.settings import open_connection

    try:
        with closing(open_connection(district, name, now=now)) as connector:
            items = list(connector.check()) if isinstance(connector, Source | Target) else []
    except GatewayError as error:
        items = [CheckItem("open the connection", ok=False, message=str(error.message), hint=error.hint)]
    return [_as_dict(item) for item in items]


def _as_dict(item: CheckItem) -> dict[str, Any]:
    return {"what": item.what, "ok": item.ok, "message": item.message, "hint": item.hint}


def item_lines(title: str, items: list[dict[str, Any]]) -> list[str]:
    """Items of a check as lines: a mark, what was tried, and what to do."""
    lines = [title]
    for item in items:
        lines.append(f"  {'ok  ' if item['ok'] else 'FAIL'}  {item['what']}" + _after(item["message"]))
        if not item["ok"] and item["hint"]:
            lines.append(f"        {item['hint']}")
    return lines


def _after(message: str) -> str:
    return f": {message}" if message else ""
