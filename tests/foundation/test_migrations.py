"""Migrations against a real PostgreSQL: from nothing, twice at once, from a newer program, and after a failure."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from foundation.database import MIGRATION_LOCK, DatabaseUnavailable, async_url, metadata
from foundation.migrations import SCRIPTS, DatabaseNewer, current, pending, upgrade
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchone()


def test_from_nothing_to_the_newest(empty_database: str) -> None:
    assert current(empty_database) is None
    steps = pending(empty_database)
    assert steps[0] == "0001"
    assert upgrade(empty_database) == steps
    assert current(empty_database) == steps[-1]
    assert pending(empty_database) == []
    assert upgrade(empty_database) == []


def test_the_steps_and_the_tables_agree(empty_database: str) -> None:
    upgrade(empty_database)
    engine = create_engine(async_url(empty_database), poolclass=NullPool)
    with engine.connect() as connection:
        # env.py has imported every room's tables by now.
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_agent_that_several_accounts_had_stays_with_the_first_in_use(empty_database: str) -> None:
    upgrade(empty_database, to="0008_standing_news")
    row = (
        "INSERT INTO users (id, username, name, role, agent, must_change_password, disabled, totp_confirmed, "
        "totp_step, language, theme, created_at, created_by) "
        "VALUES (%s, %s, 'x', 'agent', %s, false, %s, false, 0, 'es', 'auto', %s, 'operator')"
    )
    users = [
        ("gone", "ana", True, "2026-01-01"),
        ("first", "ana", False, "2026-01-02"),
        ("second", "ana", False, "2026-01-03"),
        ("luis", "luis", False, "2026-01-04"),
        ("none", None, False, "2026-01-05"),
    ]
    with psycopg.connect(empty_database) as connection:
        for name, agent, disabled, at in users:
            connection.execute(row, (name, name, agent, disabled, at))
    upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        kept = dict(connection.execute("SELECT username, agent FROM users").fetchall())
    assert kept == {"gone": None, "first": "ana", "second": None, "luis": "luis", "none": None}


def test_every_step_has_its_name_and_number() -> None:
    folder = ROOT / SCRIPTS.replace(":", "/") / "versions"
    names = sorted(path.stem for path in folder.glob("0*.py"))
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]


def test_two_processes_at_once(empty_database: str) -> None:
    """Real processes, held back by the lock until both wait for it: one does the work, the other finds none."""
    program = f"from foundation.migrations import upgrade; print(len(upgrade({empty_database!r})))"
    with psycopg.connect(empty_database, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        both = [
            subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        pause = threading.Event()
        while ask(empty_database, waiting) != (2,):
            assert all(process.poll() is None for process in both), [process.communicate() for process in both]
            pause.wait(0.02)
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sorted(int(out.split()[-1]) for out, _ in outputs) == [0, len(_steps())]


def _steps() -> list[Path]:
    return list((ROOT / SCRIPTS.replace(":", "/") / "versions").glob("0*.py"))


def test_many_threads_at_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = sorted(pool.map(upgrade, [empty_database] * 4), key=len)
    assert [bool(steps) for steps in done] == [False, False, False, True]


def test_a_database_of_a_newer_program_is_left_alone(empty_database: str) -> None:
    upgrade(empty_database)
    ask(empty_database, "UPDATE alembic_version SET version_num = '9999' RETURNING 1")
    with pytest.raises(DatabaseNewer, match="9999"):
        upgrade(empty_database)
    with pytest.raises(DatabaseNewer):
        pending(empty_database)
    assert current(empty_database) == "9999"


def test_without_a_server() -> None:
    with pytest.raises(DatabaseUnavailable):
        upgrade(f"postgresql://nobody@127.0.0.1:{free_port()}/x")


def test_a_failing_step_leaves_the_one_before_and_no_lock(empty_database: str, tmp_path: Path) -> None:
    steps = {
        "0001": "op.execute('CREATE TABLE one (x int)')",
        "0002": "op.execute('CREATE TABLE two (x int)'); op.execute('SELECT broken')",
    }
    write_scripts(tmp_path, steps)
    with pytest.raises(DBAPIError, match="broken"):
        upgrade(empty_database, scripts=str(tmp_path))
    assert current(empty_database) == "0001"
    assert ask(empty_database, "SELECT to_regclass('one') IS NOT NULL, to_regclass('two') IS NULL") == (True, True)
    assert ask(empty_database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == (0,)
    write_scripts(tmp_path, {**steps, "0002": "op.execute('CREATE TABLE two (x int)')"})
    assert upgrade(empty_database, scripts=str(tmp_path)) == ["0002"]


def write_scripts(folder: Path, steps: dict[str, str]) -> None:
    (folder / "versions").mkdir(exist_ok=True)
    (folder / "env.py").write_text((ROOT / SCRIPTS.replace(":", "/") / "env.py").read_text())
    before = None
    for number, body in steps.items():
        (folder / "versions" / f"{number}.py").write_text(
            f"from alembic import op\nrevision = {number!r}\ndown_revision = {before!r}\n\n\n"
            f"def upgrade():\n    {body}\n"
        )
        before = number
