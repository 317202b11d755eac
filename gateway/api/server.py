"""The API under waitress, until a signal stops it."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime

import waitress
from flask import Flask

from gateway.api.app import create_app
from gateway.api.job_runner import JobRunner
from gateway.api.jobs import MOST_BYTES
from gateway.api.sites import Site, Sites
from gateway.api.webhook_sender import WebhookSender
from gateway.core.errors import ConfigurationError
from gateway.stopping import stop_on_signals
from gateway.store.jobs import Job
from gateway.store.webhooks import Event, announce

log = logging.getLogger(__name__)

CHANNEL_SECONDS = 120
MOST_CONNECTIONS = 500
PIECE = 256 * 1024
STOP_WITHIN = 20.0
"""Seconds that requests at hand have to be answered once the server is told to stop."""


def run_server(
    sites: Sites, *, host: str, port: int, threads: int, per_minute: int, now: Callable[[], datetime]
) -> None:
    """Serve until SIGTERM or SIGINT; requests at work are answered first.

    Raises :class:`ConfigurationError` (``serve.address``) if the address cannot be listened on.
    """
    app = create_app(sites, now=now, per_minute=per_minute)
    server = make_server(app, host=host, port=port, threads=threads)
    runner = JobRunner(sites, now=now, ended=tell_of_job)
    sender = WebhookSender(sites, now=now)
    with stop_on_signals() as stop:
        runner.start()
        sender.start()
        threading.Thread(target=server.run, name="waitress", daemon=True).start()
        shown = f"[{host}]" if ":" in host else host
        log.info("The API listens.", extra={"key": f"http://{shown}:{server.effective_port}"})
        stop.wait()
        stop_server(server)
        runner.stop()
        sender.stop()
    log.info("The API has stopped.")


def make_server(app: Flask, *, host: str, port: int, threads: int) -> waitress.server.BaseWSGIServer:
    """A waitress server for ``app``, listening already; ``effective_port`` is where."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
        return waitress.create_server(
            app, host=address, port=port, threads=threads, channel_timeout=CHANNEL_SECONDS,
            connection_limit=MOST_CONNECTIONS, ident="mastery-gateway", expose_tracebacks=False,
            max_request_body_size=MOST_BYTES, recv_bytes=PIECE, log_socket_errors=False,
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(
            f"Nothing can listen on {host}, port {port}: {_reason(error)}.",
            hint="Choose another --port or --host.",
            code="serve.address",
        ) from error


def _reason(error: OSError) -> str:
    used = error.errno == errno.EADDRINUSE
    return "another program listens there already" if used else error.strerror or type(error).__name__


def stop_server(server: waitress.server.BaseWSGIServer, within: float = STOP_WITHIN) -> None:
    """Take no more connections, and return once every request at hand was answered, or time is up."""
    server.trigger.pull_trigger(lambda: waitress.wasyncore.dispatcher.close(server))
    end = time.monotonic() + within
    while server.active_channels and time.monotonic() < end:
        for channel in list(server.active_channels.values()):
            if not (channel.requests or channel.request or channel.total_outbufs_len):
                channel.will_close = True
        server.pull_trigger()
        time.sleep(0.02)
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    server.trigger.pull_trigger(server.trigger.close)


def tell_of_job(site: Site, job: Job) -> None:
    """Tell the client's webhooks that its job is done, or has failed."""
    data = {"district": site.id, "job": job.job_id, "kind": job.kind, "state": str(job.state)}
    at = job.ended_at or job.created_at
    with site.store.begin() as connection:
        announce(connection, site.id, Event.JOB_DONE, data, now=at, client_id=job.client_id)
