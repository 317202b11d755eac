"""``sandbox create``: a made-up district for vendors."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation, now
from gateway.shipped import shipped


@click.group(cls=LazyGroup)
def sandbox() -> None:
    """Make a district for vendors to try their programs on."""


@sandbox.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--id", "district_id", default="sandbox", show_default=True, help="The district's id.")
@click.option("--students", type=click.IntRange(100, 300), default=200, show_default=True, help="How many students.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Equal seeds give equal districts.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How long the key lives.")
@click.option("--private-webhooks", is_flag=True, help="Let its webhooks call this machine and network.")
@click.pass_obj
def create(
    invocation: Invocation,
    folder: Path,
    district_id: str,
    students: int,
    seed: int,
    days: int,
    private_webhooks: bool,
) -> int:
    """Write a sandbox district into FOLDER, pull and map its students, and print a key for it.

    Nobody in it is real. The key may do all that a product which writes gradebooks may, and control the sandbox.
    """
    from gateway.api.roles import ALLOWED, Role
    from gateway.api.sandbox.district import Plan, fill, write_district
    from gateway.settings import load_district
    from gateway.store import clients

    plan = Plan(seed, students)
    path = write_district(folder, district_id, plan, shipped("mappings"), private_webhooks=private_webhooks)
    district = load_district(path)
    scopes = sorted(ALLOWED[Role.GRADEBOOK])
    with invocation.store(district) as store:
        fill(district, store, now=now)
        client = clients.create_client(
            store, district.id, name="sandbox", role=Role.GRADEBOOK, scopes=scopes, now=now()
        )
        key = clients.create_key(store, client, now=now(), life=timedelta(days=days))
    told = {"district": str(path), "students": students, "client_id": client.client_id, "key": key}
    lines = [
        f"A sandbox of {students} students in {folder}.",
        f"client id  {client.client_id}",
        f"key        {key}",
        "The key is shown this once; keep it secret.",
        "Next:",
        f"  mastery-gateway serve {path}",
    ]
    invocation.answer(told, lines)
    return 0
