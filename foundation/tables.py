"""The foundation's own tables."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from foundation.database import UtcDateTime, metadata

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret_hash", BYTEA, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# Append-only: a trigger refuses UPDATE and DELETE (revision 0001).
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("origin", Text, nullable=False),
    Index(None, "at"),
    Index(None, "target", "at"),
    Index(None, "actor", "at"),
)
