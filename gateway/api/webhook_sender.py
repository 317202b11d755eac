"""Sends events to webhooks: signed, to the address that was judged, again until they arrive.

Source: Standard Webhooks specification (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import urllib3

from gateway import __version__
from gateway.api.background import Background
from gateway.api.sites import Site, Sites
from gateway.core.errors import ConfigurationError
from gateway.store import webhooks
from gateway.store.webhooks import Delivery, Webhook
from gateway.transport.public_address import Destination, destination

log = logging.getLogger(__name__)

TIMEOUT = urllib3.Timeout(connect=5, read=10)
GONE = 410
KEY_FILE = "webhook.key"


def signing_key(site: Site) -> bytes:
    """The district's own key, from which every webhook's secret is derived; made when it is first needed."""
    path = site.folder / KEY_FILE
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def secret_of(site: Site, webhook: Webhook) -> str:
    """The signing secret as its receiver needs it: ``whsec_…``."""
    told = f"{webhook.webhook_id}/{webhook.secret_number}".encode()
    return "whsec_" + base64.b64encode(hmac.new(signing_key(site), told, hashlib.sha256).digest()).decode()


def signature(secret: str, event_id: str, at: int, body: bytes) -> str:
    """The ``webhook-signature`` of a body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class WebhookSender:
    """Sends what is due in the background until it is stopped."""

    def __init__(self, sites: Sites, *, now: Callable[[], datetime]) -> None:
        self.sites = sites
        self.now = now
        self._background = Background("webhooks", self.send_one)

    def start(self) -> None:
        self._background.start()

    def stop(self) -> None:
        """Stop after the delivery at hand."""
        self._background.stop()

    def send_one(self) -> bool:
        """Send the next delivery that is due, if there is one."""
        for site in self.sites.by_id.values():
            delivery = webhooks.claim(site.store, site.id, now=self.now())
            if delivery is not None:
                self._send(site, delivery)
                return True
            webhooks.sweep(site.store, site.id, now=self.now())
        return False

    def _send(self, site: Site, delivery: Delivery) -> None:
        webhook = webhooks.find(site.store, site.id, delivery.webhook_id)
        if webhook is None:
            return
        status, failure = self._attempt(site, webhook, delivery)
        webhooks.record(site.store, delivery, status=status, failure=failure, now=self.now())
        if status == GONE:
            webhooks.change(site.store, webhook, disabled_at=self.now())
        if failure:
            log.warning("A webhook did not take an event.", extra={"district": site.id, "key": delivery.delivery_id})

    def _attempt(self, site: Site, webhook: Webhook, delivery: Delivery) -> tuple[int | None, str | None]:
        """The status of the answer, and why it counts as failed."""
        body = json.dumps(delivery.payload, separators=(",", ":"), sort_keys=True).encode()
        at = int(self.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"mastery-gateway/{__version__}",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(secret_of(site, webhook), delivery.event_id, at, body),
        }
        try:
            where = destination(webhook.url, private=site.district.api.private_webhooks)
            status = post(where, body, headers)
        except ConfigurationError as error:
            return None, error.message
        except urllib3.exceptions.HTTPError as error:
            return None, f"No answer: {type(error).__name__}."
        return status, None if 200 <= status < 300 else f"Answered {status}."


def post(where: Destination, body: bytes, headers: Mapping[str, str]) -> int:
    """Send ``body`` to the judged address under the name of its host; the answer's status. Redirects are not followed,
    and of the answer nothing is read. Raises ``urllib3.exceptions.HTTPError``."""
    host = where.host if where.port in (80, 443) else f"{where.host}:{where.port}"
    pool: urllib3.HTTPConnectionPool
    if where.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            where.address, where.port, timeout=TIMEOUT, retries=False, server_hostname=where.host,
            assert_hostname=where.host,
        )  # fmt: skip
    else:
        pool = urllib3.HTTPConnectionPool(where.address, where.port, timeout=TIMEOUT, retries=False)
    with pool:
        answer = pool.request(
            "POST", where.path, body=body, headers={**headers, "Host": host}, redirect=False, preload_content=False
        )
        status = int(answer.status)
        answer.release_conn()
        return status
