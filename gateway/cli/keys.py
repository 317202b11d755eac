"""``keys``: who may call the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import ConfigurationError


@click.group(cls=LazyGroup, name="keys")
def keys() -> None:
    """Create, list, rotate and revoke the keys of programs that call the API."""


_DAYS = click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it lives.")


@keys.command()
@click.argument("name")
@click.option("--role", default="vendor", show_default=True, help="vendor, product, gradebook, registrar or auditor.")
@click.option("--scope", "scopes", multiple=True, help="Only these scopes of the role; may be repeated.")
@_DAYS
@click.pass_obj
def create(invocation: Invocation, name: str, role: str, scopes: tuple[str, ...], days: int) -> int:
    """Create a client called NAME with a key. The key is shown this once."""
    from gateway.api.roles import ALLOWED, Role, usual
    from gateway.store import clients

    if role not in list(Role):
        raise ConfigurationError("There is no such role.", hint=f"Roles: {', '.join(Role)}.", code="client.role")
    refused = sorted(set(scopes) - ALLOWED[Role(role)])
    if refused:
        raise ConfigurationError(
            f"The role {role} may not have: {', '.join(refused)}.",
            hint=f"It may have: {', '.join(sorted(ALLOWED[Role(role)]))}.",
            code="client.scope",
        )
    district = invocation.load()
    with invocation.store(district) as store:
        chosen = sorted(scopes or usual(Role(role)))
        client = clients.create_client(store, district.id, name=name, role=role, scopes=chosen, now=now())
        key = clients.create_key(store, client, now=now(), life=timedelta(days=days))
    _show(invocation, client.client_id, key, [f"scopes     {' '.join(chosen)}"])
    return 0


@keys.command()
@click.argument("client")
@_DAYS
@click.pass_obj
def rotate(invocation: Invocation, client: str, days: int) -> int:
    """Give CLIENT (name or id) a second key; the old one works until it is revoked or expires."""
    from gateway.store import clients

    district = invocation.load()
    with invocation.store(district) as store:
        found = clients.find(store, district.id, client)
        key = clients.create_key(store, found, now=now(), life=timedelta(days=days))
    _show(invocation, found.client_id, key, [])
    return 0


@keys.command()
@click.argument("client")
@click.option("--key", "key_id", help="Only this key; otherwise the client with all its keys.")
@click.pass_obj
def revoke(invocation: Invocation, client: str, key_id: str | None) -> int:
    """End CLIENT (name or id), or one of its keys, at once."""
    from gateway.store import clients

    district = invocation.load()
    with invocation.store(district) as store:
        found = clients.find(store, district.id, client)
        if key_id:
            clients.revoke_key(store, found, key_id, now=now())
        else:
            clients.revoke_client(store, found, now=now())
    invocation.answer({"client_id": found.client_id, "key_id": key_id}, [f"Revoked: {key_id or found.client_id}"])
    return 0


@keys.command(name="list")
@click.pass_obj
def list_keys(invocation: Invocation) -> int:
    """Show all clients, their keys, when each expires and when it was last used."""
    from gateway.store import clients

    district = invocation.load()
    shown: list[dict[str, Any]] = []
    lines: list[str] = []
    with invocation.store(district) as store:
        for client in clients.listed(store, district.id):
            found = clients.keys(store, client)
            shown.append({"client_id": client.client_id, "name": client.name, "role": client.role,
                          "scopes": client.scopes, "revoked_at": client.revoked_at,
                          "keys": [{name: getattr(key, name) for name in _KEY} for key in found]})  # fmt: skip
            lines.append(f"{client.client_id}  {client.name} ({client.role}){'  revoked' if client.revoked_at else ''}")
            lines += [
                f"  {key.key_id}  {'live until' if key.live(now()) else 'ended, was until'} {key.expires_at:%Y-%m-%d}, "
                f"last used {f'{key.last_used_at:%Y-%m-%d %H:%M}' if key.last_used_at else 'never'}"
                for key in found
            ]
    invocation.answer({"clients": shown}, lines or ["No client yet: `mastery-gateway keys create NAME`."])
    return 0


_KEY = ("key_id", "created_at", "expires_at", "last_used_at", "revoked_at")


def _show(invocation: Invocation, client_id: str, key: str, more: list[str]) -> None:
    lines = [f"client id  {client_id}", f"key        {key}", *more, "The key is shown this once; keep it secret."]
    invocation.answer({"client_id": client_id, "key": key}, lines)
