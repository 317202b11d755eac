"""``inbox list``, ``show`` and ``export``: what products wrote into the gradebook over the API, and its way on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_WARNINGS, ConfigurationError

if TYPE_CHECKING:
    from gateway.api.sites import Site
    from gateway.core.exchange import Target
    from gateway.store.inbox import Item

_KINDS = ("categories", "scoreScales", "lineItems", "results")
_STATES = ("accepted", "waiting", "quarantined")
_CLIENT = click.option("--client", metavar="NAME", help="Of this client, by name or id (default: the only one).")


@click.group(cls=LazyGroup)
def inbox() -> None:
    """List, show and export gradebook records that products wrote over the API."""


@inbox.command(name="list")
@click.option("--client", metavar="NAME", help="Only of this client, by name or id.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only records of this kind.")
@click.option("--state", type=click.Choice(_STATES), help="Only records in this state.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@click.pass_obj
def list_(invocation: Invocation, client: str | None, kind: str | None, state: str | None, count: int) -> int:
    """What was written, by client and kind, after a look at what has arrived since: records that waited for others may
    be in use by now."""
    from gateway.api.oneroster.lists import LISTINGS
    from gateway.store import inbox as store
    from gateway.store.inbox import InboxState

    with _opened(invocation) as site:
        chosen = _client_id(site, client) if client else None
        _review(site, chosen)
        found = store.listed(
            site.store, site.id, chosen, entity=LISTINGS[kind].table if kind else None,
            state=InboxState(state) if state else None, limit=count,
        )  # fmt: skip
        counts = store.counts(site.store, site.id)
    items = [_told(item) for item in found]
    lines = [f"{row['records']:>9,}  {row['client_id']}  {_kind(row['entity'])}  {row['state']}" for row in counts]
    lines += ["", *(_line(item) for item in items)] if items else []
    invocation.answer({"counts": counts, "records": items}, lines or ["The inbox is empty."])
    return 0


@inbox.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("record_id", metavar="ID")
@_CLIENT
@click.pass_obj
def show(invocation: Invocation, kind: str, record_id: str, client: str | None) -> int:
    """Show one record: what came, what was made of it, and why it is not in use if it is not."""
    from gateway.api.oneroster.lists import LISTINGS
    from gateway.store import inbox as store

    with _opened(invocation) as site:
        item = store.find(site.store, site.id, _client_id(site, client), LISTINGS[kind].table, record_id)
    if item is None:
        raise ConfigurationError(
            "This client wrote no such record.", hint="`mastery-gateway inbox list` shows all.", code="inbox.unknown"
        )
    told = _told(item) | {"received": item.received, "in_use": item.verdict.record}
    lines = [_line(told), f"received  {item.received}"]
    lines += [f"in use    {name}: {value}" for name, value in (item.verdict.record or {}).items()]
    invocation.answer(told, lines)
    return 0


@inbox.command()
@click.argument("out", type=click.Path(path_type=Path))
@_CLIENT
@click.option("--delta", is_flag=True, help="Changes with deletions, instead of everything there is.")
@click.option("--since", type=click.DateTime(), help="With --delta: only what changed since this time (UTC).")
@click.pass_obj
def export(invocation: Invocation, out: Path, client: str | None, delta: bool, since: datetime | None) -> int:
    """Write what is in use as a OneRoster 1.2 CSV bundle into OUT, a folder or a .zip.

    A connection with the connector oneroster_csv reads it as a source. Records that wait or are in quarantine stay
    behind and are counted.
    """
    from gateway.api.inbox.export import changes

    if since and not delta:
        raise ConfigurationError(
            "A bulk bundle is whole: what it lacks counts as gone.", hint="Add --delta.", code="inbox.since"
        )
    with _opened(invocation) as site, tempfile.TemporaryDirectory() as work:
        chosen = _client_id(site, client)
        _review(site, chosen)
        moment = since.replace(tzinfo=UTC) if since else None
        outcomes = [*_target(site, out, Path(work), delta=delta).push(changes(site, chosen, since=moment))]
        behind = _left_behind(site, chosen)
    refused = [{"record": each.key, "code": each.code, "reason": each.message} for each in outcomes if each.code]
    told = {"out": str(out), "written": len(outcomes) - len(refused), **behind, "refused": refused}
    lines = [f"{told['written']:,} records in {out}" if outcomes else "There is nothing to write."]
    left = ((state, count) for state, count in behind.items() if count)
    lines += [f"{count:,} {state} stay behind: see `mastery-gateway inbox list`." for state, count in left]
    lines += [f"Refused: {each['record']}: {each['reason']} [{each['code']}]" for each in refused]
    invocation.answer(told, lines)
    return EXIT_WARNINGS if refused or any(behind.values()) else 0


@contextmanager
def _opened(invocation: Invocation) -> Iterator[Site]:
    from gateway.api.sites import open_sites

    district = invocation.load()
    sites = open_sites([district.file])
    try:
        yield sites.by_id[district.id]
    finally:
        sites.close()


def _review(site: Site, client_id: str | None) -> None:
    """Judge the records of one client, or of all, again by what the district has now."""
    from gateway.api.inbox.writing import Desk
    from gateway.api.oneroster.tables import open_tables

    with tempfile.TemporaryDirectory() as folder:
        tables = open_tables(site, Path(folder))
        for each in [client_id] if client_id else _writers(site):
            Desk(site, tables, each).review(now=now())


def _writers(site: Site) -> list[str]:
    from gateway.store import inbox as store

    return sorted({row["client_id"] for row in store.counts(site.store, site.id)})


def _client_id(site: Site, word: str | None) -> str:
    from gateway.store import clients

    if word is not None:
        return clients.find(site.store, site.id, word).client_id
    writers = _writers(site)
    if len(writers) != 1:
        raise ConfigurationError(
            "Several clients have written." if writers else "The inbox is empty.",
            hint=f"Choose one with --client: {', '.join(writers)}." if writers else "",
            code="inbox.client",
        )
    return writers[0]


def _target(site: Site, out: Path, work: Path, *, delta: bool) -> Target:
    """The connector that writes bundles, found by name like any other."""
    from gateway.core.connector import Context
    from gateway.registry import load_connector

    kind: Any = load_connector("oneroster_csv")
    settings = kind.Settings().load({"path": str(out.absolute()), "mode": "delta" if delta else "bulk"})
    target: Target = kind(settings, Context(site.id, "inbox", site.district.folder, work, now))
    return target


def _left_behind(site: Site, client_id: str) -> dict[str, int]:
    from gateway.store import inbox as store

    rows = [row for row in store.counts(site.store, site.id) if row["client_id"] == client_id]
    return {state: sum(row["records"] for row in rows if row["state"] == state) for state in ("waiting", "quarantined")}


def _kind(table: str) -> str:
    from gateway.api.oneroster.lists import LISTINGS

    return next(each.name for each in LISTINGS.values() if each.table == table)


def _told(item: Item) -> dict[str, Any]:
    verdict = item.verdict
    return {
        "client_id": item.client_id, "kind": _kind(item.entity), "id": item.record_id, "state": str(verdict.state),
        "withdrawn": item.withdrawn, "code": verdict.code, "field": verdict.field, "reason": verdict.reason,
        "waits_for": verdict.waits_for, "changed_at": item.changed_at,
    }  # fmt: skip


def _line(told: dict[str, Any]) -> str:
    state = f"{told['state']}, withdrawn" if told["withdrawn"] else told["state"]
    why = f"  {told['field']}: {told['reason']} [{told['code']}]" if told["code"] else ""
    waits = f"  waits for {told['waits_for']}" if told["waits_for"] else ""
    return f"{told['client_id']}  {told['kind']}  {told['id']}  {state}{why}{waits}"
