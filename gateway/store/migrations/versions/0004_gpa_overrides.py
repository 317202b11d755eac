"""Decisions of people on GPAs and courses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "gpa_overrides",
        sa.Column("district", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.String(length=255), nullable=False),
        sa.Column("policy", sa.String(length=255), nullable=True),
        sa.Column("gpa", sa.String(length=32), nullable=True),
        sa.Column("course", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("course_values", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("person", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.String(length=10), nullable=False),
        sa.Column("recorded_at", UtcTime(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=255), nullable=True),
        sa.Column("withdrawn_why", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("district", "number"),
    )
