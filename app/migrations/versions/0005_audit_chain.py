"""The audit trail's chain: numbers, hashes and the head; the entries that are there are chained in their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from foundation.audit import AuditEntry
from foundation.audit_chain import Head, following

revision = "0005_audit_chain"
down_revision = "0004_customers"
branch_labels = None
depends_on = None

_BATCH = 1000
_CONTENT = "id::text, at, actor, actor_name, action, target, before, after, origin"


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("n", sa.BigInteger))
    op.add_column("audit_entries", sa.Column("hash", postgresql.BYTEA))
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("hash", postgresql.BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only")
    head = _chain(op.get_bind())
    op.execute("ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_append_only")
    op.alter_column("audit_entries", "n", nullable=False)
    op.alter_column("audit_entries", "hash", nullable=False)
    op.create_unique_constraint("uq_audit_entries_n", "audit_entries", ["n"])
    keep = sa.text("INSERT INTO audit_head (id, n, hash) VALUES (1, :n, :hash)")
    op.get_bind().execute(keep, {"n": head.n, "hash": head.hash})
    op.execute(
        """
        CREATE FUNCTION refuse_jump() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.n = OLD.n + 1 THEN RETURN NEW; END IF;
            RAISE EXCEPTION '% only moves forward', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_head_forward BEFORE INSERT OR UPDATE OR DELETE ON audit_head"
        " FOR EACH ROW EXECUTE FUNCTION refuse_jump()"
    )
    op.execute(
        "CREATE TRIGGER audit_head_kept BEFORE TRUNCATE ON audit_head"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _chain(bind: sa.Connection) -> Head:
    head = Head()
    rest = sa.text(f"SELECT {_CONTENT} FROM audit_entries WHERE n IS NULL ORDER BY at, id LIMIT {_BATCH}")  # noqa: S608
    number = sa.text("UPDATE audit_entries SET n = :n, hash = :hash WHERE id = CAST(:id AS uuid)")
    while rows := bind.execute(rest).mappings().all():
        for row in rows:
            head = following(head, AuditEntry(**row))
            bind.execute(number, {"n": head.n, "hash": head.hash, "id": row["id"]})
    return head


def downgrade() -> None:
    op.drop_table("audit_head")
    op.execute("DROP FUNCTION refuse_jump()")
    op.drop_constraint("uq_audit_entries_n", "audit_entries")
    op.drop_column("audit_entries", "hash")
    op.drop_column("audit_entries", "n")
