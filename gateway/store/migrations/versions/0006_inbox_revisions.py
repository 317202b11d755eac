"""The newest records of a client's inbox are found without reading the others."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("inbox_revision", "inbox", ["district", "client_id", "revision"])
