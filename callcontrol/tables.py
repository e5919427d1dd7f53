"""Where interactions and agents are kept in PostgreSQL.

`interaction_events` is the truth, append-only; `interactions` is its fold, written in the same transaction, so that
lists and filters need no fold. `runtime` is the call's state for a restarted daemon, null when the call is closed.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from foundation.database import UtcDateTime, metadata

interactions = Table(
    "interactions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("medium", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("queue", Text),
    Column("agent", Text),
    Column("from_address", Text, nullable=False),
    Column("to_address", Text, nullable=False),
    Column("exit_reason", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("agents", JSONB, nullable=False),  # ids of all agents who took part
    Column("record", JSONB, nullable=False),  # callcontrol.model.Interaction
    Column("runtime", JSONB),  # callcontrol.call_state.CallState
    Index("ix_interactions_newest", "created_at", "id"),
    Index("ix_interactions_open", "id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_interactions_from_address", "from_address"),
    Index("ix_interactions_to_address", "to_address"),
    Index("ix_interactions_agents", "agents", postgresql_using="gin"),
)

interaction_events = Table(
    "interaction_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("interaction_id", Text, ForeignKey("interactions.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("type", Text, nullable=False),
    Column("fact", JSONB, nullable=False),
    UniqueConstraint("interaction_id", "n"),
    Index(None, "type", "at"),
)

agent_states = Table(
    "agent_states",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Float, nullable=False),
)

# Append-only, as the base of adherence and occupancy.
agent_state_events = Table(
    "agent_state_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agent", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("interaction_id", Text),
    UniqueConstraint("agent", "at", "state", "reason"),  # a batch written twice changes nothing
)
