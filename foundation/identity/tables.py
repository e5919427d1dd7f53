"""Where accounts are kept."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from foundation.database import UtcDateTime, metadata

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agent", Text, unique=True),
    Column("password", Text),
    Column("must_change_password", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("totp", BYTEA),
    Column("totp_confirmed", Boolean, nullable=False),
    Column("totp_step", Integer, nullable=False),
    Column("subject", Text, unique=True),
    Column("language", Text, nullable=False),
    Column("theme", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("secret_hash", BYTEA, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("origin", Text, nullable=False),
    Column("agent_text", Text, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index(None, "user_id"),
    Index(None, "last_seen_at"),
)

roles = Table(
    "roles",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("permissions", JSONB, nullable=False),
)

# Times in unix seconds: they are only compared.
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("origins", JSONB, nullable=False),
)
