"""The tables of the HTTP API: clients, their keys and tokens, kept replies, the audit; jobs, webhooks and the inbox."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from gateway.store.schema import UtcTime, metadata, named

api_clients = Table(
    "api_clients",
    metadata,
    named("district"),
    named("client_id"),
    Column("name", String(255), nullable=False),
    Column("role", String(32), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)
"""Programs that may call the API."""

api_keys = Table(
    "api_keys",
    metadata,
    named("district"),
    named("client_id"),
    named("key_id"),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
)
Index("api_keys_key_id", api_keys.c.key_id, unique=True)

api_tokens = Table(
    "api_tokens",
    metadata,
    named("district"),
    named("digest"),
    Column("client_id", String(255), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
Index("api_tokens_digest", api_tokens.c.digest, unique=True)

api_replies = Table(
    "api_replies",
    metadata,
    named("district"),
    named("client_id"),
    named("key"),
    Column("request", String(64), nullable=False),
    Column("status", Integer),
    Column("body", Text),
    Column("content_type", String(255)),
    Column("location", Text),
    Column("at", UtcTime, nullable=False),
)
"""What was answered to a write with an idempotency key; ``status`` is empty while it is at work."""

audit = Table(
    "audit",
    metadata,
    named("district"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("action", String(255), nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
"""Who did what, append-only; each row holds the digest of the one before it."""

jobs = Table(
    "jobs",
    metadata,
    named("district"),
    named("job_id"),
    Column("client_id", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("results", JSON, nullable=False),
    Column("error", JSON),
    Column("worker", String(255)),
    Column("seen_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("expires_at", UtcTime, nullable=False),
)
"""Large calculations. ``worker`` and ``seen_at``: who is at it, and when that was last heard of."""
Index("jobs_state", jobs.c.state, jobs.c.created_at)

webhooks = Table(
    "webhooks",
    metadata,
    named("district"),
    named("webhook_id"),
    Column("client_id", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("secret_number", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)
"""Where events are sent. The signing secret is derived from the district's own key and ``secret_number``."""

deliveries = Table(
    "webhook_deliveries",
    metadata,
    named("district"),
    named("delivery_id"),
    Column("webhook_id", String(255), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("event", String(64), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcTime),
    Column("status", Integer),
    Column("failure", String(255)),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
)
Index("webhook_deliveries_next", deliveries.c.state, deliveries.c.next_at)

inbox = Table(
    "inbox",
    metadata,
    named("district"),
    named("client_id"),
    Column("entity", String(32), primary_key=True),
    named("record_id"),
    Column("state", String(16), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("received", Text, nullable=False),
    Column("record", JSON(none_as_null=True)),
    Column("code", String(64)),
    Column("field", String(64)),
    Column("reason", Text),
    Column("waits_for", String(512)),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""Gradebook records that clients wrote. ``received`` is what came last, ``record`` its last readable content."""
Index("inbox_waits_for", inbox.c.district, inbox.c.client_id, inbox.c.waits_for)
Index("inbox_revision", inbox.c.district, inbox.c.client_id, inbox.c.revision)
