"""Notes about customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_customers"
down_revision = "0003_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_notes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("interaction_id", sa.Text),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer_notes"),
    )
    op.create_index("ix_customer_notes_address_at", "customer_notes", ["address", "at"])
    op.create_index("ix_customer_notes_interaction_id", "customer_notes", ["interaction_id"])


def downgrade() -> None:
    op.drop_table("customer_notes")
