"""The record of issued documents, which nobody can change or delete by accident."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0002"
down_revision = "0001"

_REFUSED = "the record of disclosures only grows"


def upgrade() -> None:
    op.create_table(
        "disclosures",
        sa.Column("district", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("student_id", sa.String(length=255), nullable=True),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("approximate", sa.Boolean(), nullable=False),
        sa.Column("inputs_digest", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.String(length=255), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("district", "sequence"),
        sa.UniqueConstraint("district", "code"),
    )
    op.create_index("disclosures_student", "disclosures", ["district", "student_id"], unique=False)
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _triggers(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER disclosures_no_{act} BEFORE {act} ON disclosures "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            for act in ("update", "delete")
        ]
    return [
        "CREATE OR REPLACE FUNCTION disclosures_only_grow() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
        "CREATE TRIGGER disclosures_only_grow BEFORE UPDATE OR DELETE ON disclosures "
        "FOR EACH ROW EXECUTE FUNCTION disclosures_only_grow()",
    ]
