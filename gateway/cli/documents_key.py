"""``documents key``: the key that signs credentials, made and published."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation
from gateway.core.errors import ConfigurationError

_OUT = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=LazyGroup)
def key() -> None:
    """Make the key that signs credentials, and publish what others need to verify them."""


@key.command()
@click.argument("file", type=_OUT)
@click.pass_obj
def new(invocation: Invocation, file: Path) -> int:
    """Write a new private key to FILE, which only its owner can read, and show the public one.

    To change the key, name the new one in the district's file and add the old public key to `former_keys`: what it
    signed still verifies.
    """
    from gateway.documents.credentials.keys import new_key
    from gateway.documents.credentials.multikey import did_key

    public = new_key(file)
    lines = [
        f"{file}: the private key. Keep it secret, and keep a copy.",
        f"public key: {public}",
        f"issuer without an address of its own: {did_key(public)}",
        "In the district's file (paths start at its folder):",
        "  credentials:",
        f"    key: ${{file:{file}}}",
    ]
    invocation.answer({"file": str(file), "public_key": public, "did": did_key(public)}, lines)
    return 0


@key.command()
@click.option("--out", type=_OUT, metavar="FILE", help="Write the issuer's did.json, to be published or given away.")
@click.pass_obj
def show(invocation: Invocation, out: Path | None) -> int:
    """Show who the issuer is and which public keys verify its credentials, former ones included."""
    from gateway.documents.credentials.keys import key_document
    from gateway.documents.credentials.known import own_keys
    from gateway.transport.atomic import atomic_file

    district = invocation.load()
    issuer, keys = own_keys(district)
    if issuer is None or not keys:
        raise ConfigurationError(
            "The district's file names no key that signs credentials.",
            hint="Make one with `mastery-gateway documents key new FILE`.",
            code="credentials.key",
            place=district.document.place("credentials"),
        )
    document = key_document(issuer, keys if issuer.startswith("did:web:") else keys[:1])
    if out is not None:
        with atomic_file(out) as file:
            file.write((json.dumps(document, indent=2) + "\n").encode())
    lines = [f"issuer: {issuer}", *(f"public key: {each}" for each in keys[:1]),
             *(f"former key: {each}" for each in keys[1:])]  # fmt: skip
    if out is not None:
        lines.append(f"Written to {out}" + (f"; publish it as {_address(issuer)}" if _address(issuer) else ""))
    invocation.answer({"issuer": issuer, "keys": keys, "document": document}, lines)
    return 0


def _address(issuer: str) -> str:
    """Where did:web readers look for the document."""
    if not issuer.startswith("did:web:"):
        return ""
    host, *path = issuer.removeprefix("did:web:").split(":")
    host = host.replace("%3A", ":")
    return f"https://{host}/{'/'.join(path) if path else '.well-known'}/did.json"
