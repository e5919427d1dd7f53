"""Whatever changes whose session it is, or what their role grants, is notified (`foundation.identity.standings`)."""

from __future__ import annotations

from alembic import op

revision = "0008_standing_news"
down_revision = "0007_attempt_origins"
branch_labels = None
depends_on = None

# When a session was last seen is written every minute, and changes nothing of whose it is.
_CHANGES = {
    "users": "UPDATE OR DELETE OR TRUNCATE",
    "roles": "INSERT OR UPDATE OR DELETE OR TRUNCATE",
    "sessions": "UPDATE OF user_id, secret_hash, created_at, revoked_at OR DELETE OR TRUNCATE",
}


def upgrade() -> None:
    op.execute(
        "CREATE FUNCTION standing_changed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_notify('rimay_standing', ''); RETURN NULL; END $$"
    )
    for table, changes in _CHANGES.items():
        op.execute(
            f"CREATE TRIGGER standing_changed AFTER {changes} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION standing_changed()"
        )


def downgrade() -> None:
    for table in _CHANGES:
        op.execute(f"DROP TRIGGER standing_changed ON {table}")
    op.execute("DROP FUNCTION standing_changed()")
