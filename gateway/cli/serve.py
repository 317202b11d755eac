"""``serve``: the HTTP API over one or several districts."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation, now, on_terminal

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("districts", metavar="[DISTRICT_FILE]...", type=_FILE, nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 for any free one.")
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at a time.")
@click.option("--requests-per-minute", type=click.IntRange(1), default=1200, show_default=True, help="For each client.")
@click.pass_obj
def serve(
    invocation: Invocation, districts: tuple[Path, ...], host: str, port: int, threads: int, requests_per_minute: int
) -> int:
    """Serve the HTTP API for this district, or for the districts in each DISTRICT_FILE, until stopped.

    It speaks HTTP: put a proxy that ends TLS before it, or let it listen on this machine only. Any other WSGI server
    can serve `gateway.api.wsgi:application`.
    """
    from gateway.api.server import run_server
    from gateway.api.sites import open_sites
    from gateway.cli.logs import log_to_terminal

    log_to_terminal(level=logging.INFO, lines_as_json=invocation.as_json or not on_terminal())
    files = districts or (invocation.load().file,)
    sites = open_sites(files)
    try:
        run_server(sites, host=host, port=port, threads=threads, per_minute=requests_per_minute, now=now)
    finally:
        sites.close()
    return 0
