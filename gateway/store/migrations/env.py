"""Runs the migrations on the connection that the gateway hands over."""

from __future__ import annotations

from alembic import context

from gateway.store import api_schema, gpa_overrides  # noqa: F401  # their tables belong to the metadata
from gateway.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
