"""The API under waitress, until a signal stops it."""

from __future__ import annotations

import logging
import threading
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
from gateway.store.jobs import Job
from gateway.store.webhooks import Event, announce
from gateway.worker import stop_on_signals

log = logging.getLogger(__name__)

CHANNEL_SECONDS = 120
MOST_CONNECTIONS = 500


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
        log.info("The API listens.", extra={"key": f"http://{host}:{server.effective_port}"})
        stop.wait()
        server.close()
        runner.stop()
        sender.stop()
    log.info("The API has stopped.")


def make_server(app: Flask, *, host: str, port: int, threads: int) -> waitress.server.BaseWSGIServer:
    """A waitress server for ``app``, listening already; ``effective_port`` is where."""
    try:
        return waitress.create_server(
            app, host=host, port=port, threads=threads, channel_timeout=CHANNEL_SECONDS,
            connection_limit=MOST_CONNECTIONS, ident="mastery-gateway", expose_tracebacks=False,
            max_request_body_size=MOST_BYTES,
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(
            f"Nothing can listen on {host}, port {port}: {error.strerror}.",
            hint="Choose another --port or --host.",
            code="serve.address",
        ) from error


def tell_of_job(site: Site, job: Job) -> None:
    """Tell the client's webhooks that its job is done, or has failed."""
    data = {"district": site.id, "job": job.job_id, "kind": job.kind, "state": str(job.state)}
    at = job.ended_at or job.created_at
    with site.store.begin() as connection:
        announce(connection, site.id, Event.JOB_DONE, data, now=at, client_id=job.client_id)
