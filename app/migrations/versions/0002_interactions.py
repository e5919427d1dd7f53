"""Interactions, their events, and the agents' states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "interactions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("medium", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("queue", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("from_address", sa.Text, nullable=False),
        sa.Column("to_address", sa.Text, nullable=False),
        sa.Column("exit_reason", sa.Text),
        sa.Column("created_at", at, nullable=False),
        sa.Column("closed_at", at),
        sa.Column("agents", postgresql.JSONB, nullable=False),
        sa.Column("record", postgresql.JSONB, nullable=False),
        sa.Column("runtime", postgresql.JSONB),
        sa.PrimaryKeyConstraint("id", name="pk_interactions"),
    )
    op.create_index("ix_interactions_newest", "interactions", ["created_at", "id"])
    op.create_index("ix_interactions_open", "interactions", ["id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index("ix_interactions_from_address", "interactions", ["from_address"])
    op.create_index("ix_interactions_to_address", "interactions", ["to_address"])
    op.create_index("ix_interactions_agents", "interactions", ["agents"], postgresql_using="gin")
    op.create_table(
        "interaction_events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("interaction_id", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("at", at, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("fact", postgresql.JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interaction_events"),
        sa.ForeignKeyConstraint(
            ["interaction_id"], ["interactions.id"], name="fk_interaction_events_interaction_id_interactions"
        ),
        sa.UniqueConstraint("interaction_id", "n", name="uq_interaction_events_interaction_id_n"),
    )
    op.create_index("ix_interaction_events_type_at", "interaction_events", ["type", "at"])
    op.create_table(
        "agent_states",
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_agent_states"),
    )
    op.create_table(
        "agent_state_events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("at", at, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("interaction_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_agent_state_events"),
        sa.UniqueConstraint("agent", "at", "state", "reason", name="uq_agent_state_events_agent_at_state_reason"),
    )
    for table in ("interaction_events", "agent_state_events"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in ("agent_state_events", "agent_states", "interaction_events", "interactions"):
        op.drop_table(table)
