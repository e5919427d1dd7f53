"""The foundation's own tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
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

# Append-only: a trigger refuses UPDATE and DELETE (revision 0001). `n` counts without gaps; `hash` chains
# (`foundation.audit_chain`).
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
    Column("n", BigInteger, nullable=False, unique=True),
    Column("hash", BYTEA, nullable=False),
    Index(None, "at"),
    Index(None, "target", "at"),
    Index(None, "actor", "at"),
)

# One row: the last entry's number and hash. A trigger lets it move forward one by one only.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("hash", BYTEA, nullable=False),
)
