"""An agent belongs to one account. Where several had the same one, the first made of those in use keeps it."""

from __future__ import annotations

from alembic import op

revision = "0009_one_account_an_agent"
down_revision = "0008_standing_news"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE users SET agent = NULL WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
        "(PARTITION BY agent ORDER BY disabled, created_at, id) AS place FROM users WHERE agent IS NOT NULL) AS held "
        "WHERE place > 1)"
    )
    op.create_unique_constraint("uq_users_agent", "users", ["agent"])


def downgrade() -> None:
    op.drop_constraint("uq_users_agent", "users")
