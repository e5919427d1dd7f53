"""What the pages keep in PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from foundation.database import UtcDateTime, metadata

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("sender", Text, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # agent, queue, all
    Column("recipient", Text, nullable=False),  # the agent's or queue's id; empty for all
    Column("text", Text, nullable=False),
    Column("agents", JSONB, nullable=False),  # whom it reached
    Index(None, "at"),
)
