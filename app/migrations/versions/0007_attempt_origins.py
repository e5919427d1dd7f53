"""Where refused attempts to sign in came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_attempt_origins"
down_revision = "0006_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is counted now came from nobody knows where.
    op.add_column("sign_in_attempts", sa.Column("origins", postgresql.JSONB, nullable=False, server_default="[]"))
    op.alter_column("sign_in_attempts", "origins", server_default=None)


def downgrade() -> None:
    op.drop_column("sign_in_attempts", "origins")
