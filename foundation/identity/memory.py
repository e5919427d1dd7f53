"""The in-memory twins of the stores of accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from foundation.audit import AuditEntry, MemoryAudit
from foundation.identity.model import AgentTaken, CustomRole, RoleInUse, Session, Standing, User, UsernameTaken, changed


class MemoryUsers:
    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._users: dict[str, User] = {}

    async def add(self, user: User, audit: AuditEntry) -> None:
        self._check(user)
        self._users[user.id] = user
        self._audit.add(audit)

    async def get(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    async def by_username(self, username: str) -> User | None:
        return next((user for user in self._users.values() if user.username == username), None)

    async def by_subject(self, subject: str) -> User | None:
        return next((user for user in self._users.values() if user.subject == subject), None)

    async def all(self) -> list[User]:
        return sorted(self._users.values(), key=lambda user: user.username)

    async def change(self, user_id: str, audit: AuditEntry | None, **changes: Any) -> User | None:
        user = self._users.get(user_id)
        if user is None:
            return None
        self._check(changed(user, changes))
        self._users[user_id] = changed(user, changes)
        if audit is not None:
            self._audit.add(audit)
        return self._users[user_id]

    async def take_step(self, user_id: str, step: int) -> bool:
        user = self._users.get(user_id)
        if user is None or user.totp_step >= step:
            return False
        self._users[user_id] = replace(user, totp_step=step)
        return True

    def _check(self, new: User) -> None:
        others = [user for user in self._users.values() if user.id != new.id]
        if any(user.username == new.username for user in others):
            raise UsernameTaken("there is a user of this name already")
        if new.agent is not None and any(user.agent == new.agent for user in others):
            raise AgentTaken("this agent has an account already")

    def holders(self, role: str) -> int:
        return sum(user.role == role for user in self._users.values())


class MemoryRoles:
    def __init__(self, audit: MemoryAudit, users: MemoryUsers) -> None:
        self._audit = audit
        self._users = users
        self._roles: dict[str, CustomRole] = {}

    async def all(self) -> list[CustomRole]:
        return sorted(self._roles.values(), key=lambda role: role.name)

    async def get(self, name: str) -> CustomRole | None:
        return self._roles.get(name)

    async def put(self, role: CustomRole, audit: AuditEntry) -> None:
        self._roles[role.name] = role
        self._audit.add(audit)

    async def delete(self, name: str, audit: AuditEntry) -> bool:
        if name not in self._roles:
            return False
        if self._users.holders(name):
            raise RoleInUse("somebody has this role; give them another one first")
        del self._roles[name]
        self._audit.add(audit)
        return True


class MemorySessions:
    def __init__(self, audit: MemoryAudit, users: MemoryUsers, roles: MemoryRoles) -> None:
        self._audit = audit
        self._users = users
        self._roles = roles
        self.kept: dict[str, Session] = {}

    async def add(self, session: Session, audit: AuditEntry) -> None:
        self.kept[session.id] = session
        self._audit.add(audit)

    async def standing(self, session_id: str) -> Standing | None:
        session = self.kept.get(session_id)
        user = None if session is None else await self._users.get(session.user)
        if session is None or user is None:
            return None
        role = await self._roles.get(user.role)
        return Standing(session=session, user=user, granted=None if role is None else role.permissions)

    async def touch(self, session_id: str, at: datetime) -> None:
        session = self.kept.get(session_id)
        if session is not None and session.last_seen_at < at:
            self.kept[session_id] = replace(session, last_seen_at=at)

    async def of_user(self, user_id: str) -> list[Session]:
        found = [one for one in self.kept.values() if one.user == user_id and one.revoked_at is None]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    async def revoke(
        self, user_id: str, at: datetime, audit: AuditEntry | None, *, only: str = "", keep: str = ""
    ) -> int:
        ended = [one for one in await self.of_user(user_id) if only in ("", one.id) and one.id != keep]
        for one in ended:
            self.kept[one.id] = replace(one, revoked_at=at)
        if ended and audit is not None:
            self._audit.add(audit)
        return len(ended)

    async def forget(self, seen_before: datetime) -> int:
        gone = [one.id for one in self.kept.values() if one.last_seen_at < seen_before]
        for session_id in gone:
            del self.kept[session_id]
        return len(gone)
