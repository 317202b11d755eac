"""Webhooks, the audit, and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.client import records
from gateway.client.rows import SandboxFault
from gateway.client.wire import Wire, pages, part, write_key


class Events(Wire):
    """The addresses of webhooks, of the audit and of the sandbox."""

    def create_webhook(
        self, url: str, events: Sequence[str], *, idempotency_key: str | None = None
    ) -> records.WebhookWithSecret:
        """A new webhook; keep its signing secret, which is shown this once."""
        body, headers = {"url": url, "events": events}, write_key(idempotency_key)
        return self.ask("POST", "/v1/webhooks", records.WebhookWithSecret, body=body, headers=headers)

    def list_webhooks(self) -> records.WebhookList:
        """The client's webhooks."""
        return self.ask("GET", "/v1/webhooks", records.WebhookList)

    def read_webhook(self, webhook_id: str) -> records.Webhook:
        """One webhook."""
        return self.ask("GET", f"/v1/webhooks/{part(webhook_id)}", records.Webhook)

    def remove_webhook(self, webhook_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a webhook with its deliveries."""
        self.send("DELETE", f"/v1/webhooks/{part(webhook_id)}", headers=write_key(idempotency_key))

    def change_webhook_secret(
        self, webhook_id: str, *, idempotency_key: str | None = None
    ) -> records.WebhookWithSecret:
        """A new signing secret; a disabled webhook is enabled again."""
        path = f"/v1/webhooks/{part(webhook_id)}/secret"
        return self.ask("POST", path, records.WebhookWithSecret, headers=write_key(idempotency_key))

    def ping_webhook(self, webhook_id: str, *, idempotency_key: str | None = None) -> records.Delivery:
        """Send a ``ping`` event, to try the receiver."""
        path = f"/v1/webhooks/{part(webhook_id)}/ping"
        return self.ask("POST", path, records.Delivery, headers=write_key(idempotency_key))

    def list_deliveries(self, webhook_id: str, *, limit: int = 50, cursor: str | None = None) -> records.DeliveryList:
        """A page of what was sent in the last 30 days, the newest first."""
        path, query = f"/v1/webhooks/{part(webhook_id)}/deliveries", {"limit": limit, "cursor": cursor}
        return self.ask("GET", path, records.DeliveryList, query=query)

    def all_deliveries(self, webhook_id: str) -> Iterator[records.Delivery]:
        """All deliveries of a webhook, the newest first, page by page."""
        for page in pages(lambda cursor: self.list_deliveries(webhook_id, cursor=cursor)):
            yield from page.deliveries

    def replay_delivery(
        self, webhook_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> records.Delivery:
        """Send a delivery again, under its old ``webhook-id``."""
        path = f"/v1/webhooks/{part(webhook_id)}/deliveries/{part(delivery_id)}/replay"
        return self.ask("POST", path, records.Delivery, headers=write_key(idempotency_key))

    def list_audit(self, *, limit: int = 50, cursor: str | None = None) -> records.EntryList:
        """A page of the audit of the district, oldest first."""
        return self.ask("GET", "/v1/audit", records.EntryList, query={"limit": limit, "cursor": cursor})

    def all_audit(self) -> Iterator[records.Entry]:
        """The whole audit, oldest first, page by page."""
        for page in pages(lambda cursor: self.list_audit(limit=200, cursor=cursor)):
            yield from page.entries

    def reset_sandbox(self, *, idempotency_key: str | None = None) -> records.Reset:
        """Make the sandbox anew, for all of its clients."""
        return self.ask("POST", "/v1/sandbox/reset", records.Reset, headers=write_key(idempotency_key))

    def switch_faults(
        self, faults: Sequence[SandboxFault], *, idempotency_key: str | None = None
    ) -> records.SwitchedFaults:
        """Switch faults on for this client's own requests, in the place of those before."""
        body, headers = {"faults": faults}, write_key(idempotency_key)
        return self.ask("PUT", "/v1/sandbox/faults", records.SwitchedFaults, body=body, headers=headers)

    def list_faults(self) -> records.SwitchedFaults:
        """The client's faults, with how often they struck."""
        return self.ask("GET", "/v1/sandbox/faults", records.SwitchedFaults)

    def remove_faults(self, *, idempotency_key: str | None = None) -> None:
        """Switch all faults of this client off."""
        self.send("DELETE", "/v1/sandbox/faults", headers=write_key(idempotency_key))
