"""Where notes are kept. Not append-only: a person may have what is written of them corrected or erased."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from foundation.database import UtcDateTime, metadata

customer_notes = Table(
    "customer_notes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("interaction_id", Text),  # no foreign key: facts are written behind the call, a note may be there first
    Column("address", Text, nullable=False),  # personal data
    Column("text", Text, nullable=False),  # personal data
    Index("ix_customer_notes_address_at", "address", "at"),
    Index("ix_customer_notes_interaction_id", "interaction_id"),
)

# For exports, erasure, and whoever shows rows to people.
PRIVATE_COLUMNS = frozenset({"address", "text"})
