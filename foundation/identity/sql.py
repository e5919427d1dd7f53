"""The stores of accounts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.audit import AuditEntry, add_entry
from foundation.database import Database
from foundation.identity.model import (
    AgentTaken,
    CustomRole,
    RoleInUse,
    Session,
    Standing,
    User,
    UsernameTaken,
    known_permissions,
)
from foundation.identity.tables import roles, sessions, sign_in_attempts, users
from foundation.identity.throttle import Count, Limit, counted, key_of_address, taken_back


def _columns(thing: Any, table: Any, **renamed: str) -> dict[str, Any]:
    return {name: getattr(thing, renamed.get(name, name)) for name in table.c.keys()}  # noqa: SIM118 - columns


def _user(row: Row[Any]) -> User:
    values = {name: row._mapping[users.c[name]] for name in users.c.keys()}  # noqa: SIM118 - columns
    return User(**{**values, "totp": None if values["totp"] is None else bytes(values["totp"])})


def _session(row: Row[Any]) -> Session:
    values = {name: row._mapping[sessions.c[name]] for name in sessions.c.keys()}  # noqa: SIM118 - columns
    return Session(user=values.pop("user_id"), **{**values, "secret_hash": bytes(values["secret_hash"])})


def _nobody() -> None:
    return


class PostgresUsers:
    """`changed` is told after each change, before its caller is."""

    def __init__(self, database: Database, changed: Callable[[], None] = _nobody) -> None:
        self._database = database
        self._changed = changed

    async def add(self, user: User, audit: AuditEntry) -> None:
        async def work(session: AsyncSession) -> None:
            await session.execute(
                insert(users).values(_columns(user, users)).on_conflict_do_nothing(index_elements=["id"])
            )
            await add_entry(session, audit)

        try:
            await self._database.run(work, idempotent=True)
        except IntegrityError as error:
            raise _taken(error) from error

    async def get(self, user_id: str) -> User | None:
        return await self._one(users.c.id == user_id)

    async def by_username(self, username: str) -> User | None:
        return await self._one(users.c.username == username)

    async def by_subject(self, subject: str) -> User | None:
        return await self._one(users.c.subject == subject)

    async def all(self) -> list[User]:
        async with self._database.begin() as session:
            rows = (await session.execute(select(users).order_by(users.c.username.collate("C")))).all()
        return [_user(row) for row in rows]

    async def change(self, user_id: str, audit: AuditEntry | None, **changes: Any) -> User | None:
        statement = update(users).where(users.c.id == user_id).values(**changes).returning(users)

        async def work(session: AsyncSession) -> User | None:
            row = (await session.execute(statement)).one_or_none()
            if row is None:
                return None
            if audit is not None:
                await add_entry(session, audit)
            return _user(row)

        try:
            return await self._database.run(work, idempotent=True)
        except IntegrityError as error:
            raise _taken(error) from error
        finally:
            self._changed()

    async def take_step(self, user_id: str, step: int) -> bool:
        statement = (
            update(users)
            .where(users.c.id == user_id, users.c.totp_step < step)
            .values(totp_step=step)
            .returning(users.c.id)
        )

        async def work(session: AsyncSession) -> bool:
            return (await session.execute(statement)).one_or_none() is not None

        # Not idempotent: repeated after a stored commit it would say False. Better an error than a code used twice.
        return await self._database.run(work)

    async def _one(self, condition: Any) -> User | None:
        async with self._database.begin() as session:
            row = (await session.execute(select(users).where(condition))).one_or_none()
        return None if row is None else _user(row)


def _taken(error: IntegrityError) -> UsernameTaken | AgentTaken:
    diagnosed = getattr(error.orig, "diag", None)
    if getattr(diagnosed, "constraint_name", None) == "uq_users_agent":
        return AgentTaken("this agent has an account already")
    return UsernameTaken("there is a user of this name already")


class PostgresRoles:
    """`changed` as in `PostgresUsers`."""

    def __init__(self, database: Database, changed: Callable[[], None] = _nobody) -> None:
        self._database = database
        self._changed = changed

    async def all(self) -> list[CustomRole]:
        async with self._database.begin() as session:
            rows = (await session.execute(select(roles).order_by(roles.c.name.collate("C")))).all()
        return [_role(row) for row in rows]

    async def get(self, name: str) -> CustomRole | None:
        async with self._database.begin() as session:
            row = (await session.execute(select(roles).where(roles.c.name == name))).one_or_none()
        return None if row is None else _role(row)

    async def put(self, role: CustomRole, audit: AuditEntry) -> None:
        values = {"title": role.title, "permissions": sorted(role.permissions)}
        statement = insert(roles).values(name=role.name, **values)

        async def work(session: AsyncSession) -> None:
            await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
            await add_entry(session, audit)

        try:
            await self._database.run(work, idempotent=True)
        finally:
            self._changed()

    async def delete(self, name: str, audit: AuditEntry) -> bool:
        async def work(session: AsyncSession) -> bool:
            # The row's lock keeps two deletions apart; a user who gets this role meanwhile ends with no permission.
            found = await session.scalar(select(roles.c.name).where(roles.c.name == name).with_for_update())
            if found is None:
                return False
            if await session.scalar(select(func.count()).select_from(users).where(users.c.role == name)):
                raise RoleInUse("somebody has this role; give them another one first")
            await session.execute(delete(roles).where(roles.c.name == name))
            await add_entry(session, audit)
            return True

        try:
            return await self._database.run(work, idempotent=True)
        finally:
            self._changed()


def _role(row: Row[Any]) -> CustomRole:
    return CustomRole(name=row.name, title=row.title, permissions=known_permissions(row.permissions))


# Asked with every request of a page: made once.
STANDING = (
    select(sessions, users, roles.c.permissions)
    .join(users, users.c.id == sessions.c.user_id)
    .outerjoin(roles, roles.c.name == users.c.role)
    .where(sessions.c.id == bindparam("session"))
)


def standing_of(found: Sequence[Row[Any]]) -> Standing | None:
    """Of what `STANDING` found."""
    if not found:
        return None
    (row,) = found
    granted = row._mapping[roles.c.permissions]
    return Standing(
        session=_session(row),
        user=_user(row),
        granted=None if granted is None else known_permissions(granted),
    )


class PostgresSessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, session: Session, audit: AuditEntry) -> None:
        row = _columns(session, sessions, user_id="user")

        async def work(transaction: AsyncSession) -> None:
            await transaction.execute(insert(sessions).values(row).on_conflict_do_nothing())
            await add_entry(transaction, audit)

        await self._database.run(work, idempotent=True)

    async def standing(self, session_id: str) -> Standing | None:
        return standing_of(await self._database.read(STANDING, {"session": session_id}))

    async def touch(self, session_id: str, at: datetime) -> None:
        statement = (
            update(sessions).where(sessions.c.id == session_id, sessions.c.last_seen_at < at).values(last_seen_at=at)
        )

        async def work(transaction: AsyncSession) -> None:
            await transaction.execute(statement)

        await self._database.run(work, idempotent=True)

    async def of_user(self, user_id: str) -> list[Session]:
        query = (
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
            .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
        )
        async with self._database.begin() as transaction:
            return [_session(row) for row in (await transaction.execute(query)).all()]

    async def revoke(
        self, user_id: str, at: datetime, audit: AuditEntry | None, *, only: str = "", keep: str = ""
    ) -> int:
        statement = update(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
        if only:
            statement = statement.where(sessions.c.id == only)
        statement = statement.where(sessions.c.id != keep).values(revoked_at=at)

        async def work(transaction: AsyncSession) -> int:
            ended = len((await transaction.execute(statement.returning(sessions.c.id))).all())
            if ended and audit is not None:
                await add_entry(transaction, audit)
            return ended

        return await self._database.run(work, idempotent=True)

    async def forget(self, seen_before: datetime) -> int:
        statement = delete(sessions).where(sessions.c.last_seen_at < seen_before).returning(sessions.c.id)

        async def work(transaction: AsyncSession) -> int:
            return len((await transaction.execute(statement)).all())

        return await self._database.run(work, idempotent=True)


class PostgresThrottle:
    """Counts outlive a restart, and hold for every daemon on the same database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempt(self, key: str, limit: Limit, now: float, origin: str = "") -> float:
        async def work(session: AsyncSession) -> float:
            count = await self._locked(session, key)
            if count.until > now:
                return count.until - now
            await self._keep(session, key, counted(count, limit, now, origin))
            return 0.0

        return await self._database.run(work)

    async def take_back(self, key: str, limit: Limit) -> None:
        async def work(session: AsyncSession) -> None:
            await self._keep(session, key, taken_back(await self._locked(session, key), limit))

        await self._database.run(work)

    async def look(self, keys: Iterable[str]) -> Mapping[str, Count]:
        query = select(sign_in_attempts).where(sign_in_attempts.c.key.in_(list(keys)))
        async with self._database.begin() as session:
            return {row.key: _count(row) for row in (await session.execute(query)).all()}

    async def locked_addresses(self, now: float, most: int) -> Mapping[str, Count]:
        c = sign_in_attempts.c
        query = select(sign_in_attempts).where(c.key.startswith(key_of_address("")), c.until > now)
        async with self._database.begin() as session:
            rows = (await session.execute(query.order_by(c.until.desc(), c.key.collate("C")).limit(most))).all()
        return {row.key: _count(row) for row in rows}

    async def clear(self, key: str, audit: AuditEntry | None = None) -> bool:
        statement = delete(sign_in_attempts).where(sign_in_attempts.c.key == key).returning(sign_in_attempts.c.key)

        async def work(session: AsyncSession) -> bool:
            if (await session.execute(statement)).one_or_none() is None:
                return False
            if audit is not None:
                await add_entry(session, audit)
            return True

        return await self._database.run(work, idempotent=True)

    async def forget(self, before: float) -> int:
        """Delete what has not failed since `before`: how many."""
        statement = delete(sign_in_attempts).where(sign_in_attempts.c.last_at < before)

        async def work(session: AsyncSession) -> int:
            return len((await session.execute(statement.returning(sign_in_attempts.c.key))).all())

        return await self._database.run(work, idempotent=True)

    async def _locked(self, session: AsyncSession, key: str) -> Count:
        """The row, made when there is none, and held until the transaction ends: attempts on one key queue up."""
        first = insert(sign_in_attempts).values(key=key, failures=0, last_at=0.0, until=0.0, origins=[])
        await session.execute(first.on_conflict_do_nothing())
        query = select(sign_in_attempts).where(sign_in_attempts.c.key == key).with_for_update()
        row = (await session.execute(query)).one_or_none()
        return Count() if row is None else _count(row)

    async def _keep(self, session: AsyncSession, key: str, count: Count) -> None:
        values = {name: getattr(count, name) for name in ("failures", "last_at", "until")}
        values["origins"] = list(count.origins)
        statement = insert(sign_in_attempts).values(key=key, **values)
        await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def _count(row: Row[Any]) -> Count:
    return Count(row.failures, row.last_at, row.until, tuple(row.origins))
