"""Signing in and out, and what people change of their own account.

A session is a cookie ``<id>.<secret>``: 256 random bits, kept as one SHA-256 (see `foundation.tokens` for why that is
enough), revocable, with an idle and an absolute life. Its token against request forgery is derived from the secret, so
that a page that is loaded anew gets the same one."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from foundation.access import Principal
from foundation.audit import AuditEntry, entry
from foundation.clock import Clock
from foundation.errors import Conflict, Invalid, Unauthenticated
from foundation.identity import second_factor, throttle
from foundation.identity.model import (
    BadCredentials,
    BadSession,
    Roles,
    Session,
    Sessions,
    Standing,
    User,
    Users,
    principal_of,
)
from foundation.identity.passwords import LONGEST, Passwords, check_strength
from foundation.identity.second_factor import Box
from foundation.identity.throttle import ACCOUNT, ADDRESS, Locked, Throttle
from foundation.logs import get_logger
from foundation.secret import Secret

log = get_logger(__name__)
_COOKIE = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{64})")
# Coarse on purpose: a busy page would write its row at every request.
_TOUCH_EVERY = timedelta(minutes=1)
_KEEP_ENDED = timedelta(days=30)  # how long an ended session can still be looked into
_NO_SESSION = hashlib.sha256(b"").digest()
_AGENT_TEXT = 200


class CodeNeeded(Unauthenticated):
    """The password was right; `wrong` tells that a code was given and did not fit."""

    code: ClassVar[str] = "access.code_needed"


class BadCode(Invalid):
    code: ClassVar[str] = "access.bad_code"


class WrongPassword(Invalid):
    code: ClassVar[str] = "access.wrong_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    users: Users
    roles: Roles
    sessions: Sessions
    throttle: Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Where a request comes from: for the audit trail and the list of one's sessions."""

    origin: str
    agent_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    standing: Standing
    csrf: str
    expires_at: datetime

    @property
    def principal(self) -> Principal:
        return self.standing.principal

    @property
    def user(self) -> User:
        return self.standing.user


class Accounts:
    def __init__(
        self,
        stores: Stores,
        passwords: Passwords,
        box: Box,
        clock: Clock,
        *,
        lives: Lives | None = None,
        title: str = "Rimay",
    ) -> None:
        self.stores = stores
        self.passwords = passwords
        self._box = box
        self._clock = clock
        self._lives = lives or Lives()
        self._title = title  # what an authenticator app shows

    # --- signing in and out

    async def sign_in(
        self, username: str, password: str, code: str | None, visitor: Visitor, *, former: str | None = None
    ) -> tuple[SignedIn, Secret]:
        """The session and its cookie. `former`: the cookie that the browser brought; its session ends.

        Raises `BadCredentials`, `CodeNeeded`, `Locked`."""
        await self._attempt(username, visitor)
        user = await self.stores.users.by_username(username.strip().lower())
        matches = await self.passwords.verify(None if user is None else user.password, password[: LONGEST + 1])
        if user is None or not matches or user.disabled:
            raise BadCredentials("The user name or the password is wrong.")
        if user.has_totp and not await self._code_fits(user, code):
            if code is None:  # the next step of an honest sign-in; a wrong code stays counted
                await self._take_back(username, visitor)
            raise CodeNeeded("A code of your authenticator app is needed.", wrong=code is not None)
        await self.stores.throttle.clear(throttle.key_of_account(username))
        await self.stores.throttle.take_back(throttle.key_of_address(visitor.origin), ADDRESS)
        if user.password is not None and self.passwords.is_outdated(user.password):
            await self.stores.users.change(user.id, None, password=await self.passwords.hash(password))
        return await self.open_session(user, visitor, former=former, how="password")

    async def open_session(
        self, user: User, visitor: Visitor, *, former: str | None = None, how: str
    ) -> tuple[SignedIn, Secret]:
        """For somebody who has shown who they are. Always a new id: what a browser brought is never taken over."""
        now = self._now()
        if former is not None:
            await self._end_former(former, now)
        secret = secrets.token_hex(32)
        session = Session(
            id=secrets.token_hex(8),
            user=user.id,
            secret_hash=_hash(secret),
            created_at=now,
            last_seen_at=now,
            origin=visitor.origin,
            agent_text="".join(c for c in visitor.agent_text if c.isprintable())[:_AGENT_TEXT],
        )
        role = await self.stores.roles.get(user.role)
        granted = None if role is None else role.permissions
        by = principal_of(user, granted)
        told = self._entry(by, "session.opened", f"session:{session.id}", visitor, after={"how": how, "user": user.id})
        await self.stores.sessions.add(session, told)
        signed_in = self._signed_in(Standing(session=session, user=user, granted=granted), secret)
        return signed_in, Secret(f"{session.id}.{secret}")

    async def check(self, cookie: str) -> SignedIn:
        """Whose session this is now, or `BadSession`."""
        match = _COOKIE.fullmatch(cookie)
        standing = None if match is None else await self.stores.sessions.standing(match[1])
        secret = "" if match is None else match[2]
        kept = _NO_SESSION if standing is None else standing.session.secret_hash
        matches = hmac.compare_digest(_hash(secret), kept)
        if standing is None or not matches or not self._is_live(standing):
            raise BadSession("You are not signed in (any more).")
        now = self._now()
        if now - standing.session.last_seen_at >= _TOUCH_EVERY:
            await self.stores.sessions.touch(standing.session.id, now)
        return self._signed_in(standing, secret)

    async def sign_out(self, who: SignedIn, visitor: Visitor) -> None:
        await self.end_session(who, who.standing.session.id, visitor)

    async def end_session(self, who: SignedIn, session_id: str, visitor: Visitor) -> bool:
        """One of one's own sessions; False when there is none such."""
        told = self._entry(who.principal, "session.ended", f"session:{session_id}", visitor)
        return await self.stores.sessions.revoke(who.user.id, self._now(), told, only=session_id) > 0

    async def end_other_sessions(self, who: SignedIn, visitor: Visitor) -> int:
        """All of one's own sessions but the one that asks: how many."""
        told = self._entry(who.principal, "session.others_ended", f"user:{who.user.id}", visitor)
        keep = who.standing.session.id
        return await self.stores.sessions.revoke(who.user.id, self._now(), told, keep=keep)

    async def sessions_of(self, user: User) -> list[Session]:
        """Those that are valid now, the newest first."""
        found = await self.stores.sessions.of_user(user.id)
        return [one for one in found if self._is_live(Standing(session=one, user=user, granted=None))]

    async def tidy(self) -> None:
        """Forget sessions that ended long ago, and attempts that count no more."""
        await self.stores.sessions.forget(self._now() - self._lives.absolute - _KEEP_ENDED)
        longest = max(ACCOUNT.forget_s, ADDRESS.forget_s)
        await self.stores.throttle.forget(self._clock.now() - longest)

    # --- one's own account

    async def set_preferences(self, who: SignedIn, **changes: str) -> None:
        await self.stores.users.change(who.user.id, None, **changes)

    async def change_password(self, who: SignedIn, old: str, new: str, visitor: Visitor) -> None:
        """Ends the other sessions. Raises `WrongPassword`, `WeakPassword`, `Locked`."""
        user = who.user
        await self._attempt(user.username, visitor)
        if not await self.passwords.verify(user.password, old[: LONGEST + 1]):
            raise WrongPassword("The present password is wrong.")
        await self.stores.throttle.clear(throttle.key_of_account(user.username))
        await self.stores.throttle.take_back(throttle.key_of_address(visitor.origin), ADDRESS)
        if new == old:
            raise WrongPassword("The new password is the present one.")
        check_strength(new, user.username, user.name)
        told = self._entry(who.principal, "user.password_changed", f"user:{user.id}", visitor)
        kept = await self.passwords.hash(new)
        await self.stores.users.change(user.id, told, password=kept, must_change_password=False)
        await self.stores.sessions.revoke(user.id, self._now(), None, keep=who.standing.session.id)

    async def begin_totp(self, who: SignedIn) -> tuple[str, str]:
        """(secret, URI for a QR code). In force once a code of it was given."""
        user = who.user
        if user.has_totp:
            raise Conflict("A second factor is in force already; remove it first.")
        secret = second_factor.new_secret()
        await self.stores.users.change(user.id, None, totp=self._box.seal(secret, user.id), totp_confirmed=False)
        return secret, second_factor.uri(secret, user.username, self._title)

    async def confirm_totp(self, who: SignedIn, code: str, visitor: Visitor) -> None:
        user = who.user
        if user.totp is None or user.has_totp:
            raise Conflict("There is no second factor that waits to be confirmed.")
        await self._must_fit(user, code, visitor)
        told = self._entry(who.principal, "user.totp_set", f"user:{user.id}", visitor)
        await self.stores.users.change(user.id, told, totp_confirmed=True)

    async def remove_totp(self, who: SignedIn, code: str, visitor: Visitor) -> None:
        user = who.user
        if not user.has_totp:
            raise Conflict("There is no second factor in force.")
        await self._must_fit(user, code, visitor)
        told = self._entry(who.principal, "user.totp_removed", f"user:{user.id}", visitor)
        await self.stores.users.change(user.id, told, totp=None, totp_confirmed=False)

    # --- parts

    async def _must_fit(self, user: User, code: str, visitor: Visitor) -> None:
        """A stolen session must not get to try a million codes: they count as sign-ins do."""
        await self._attempt(user.username, visitor)
        if not await self._code_fits(user, code):
            raise BadCode("This code does not fit. Wait for the next one and check the clock of your phone.")
        await self._take_back(user.username, visitor)

    async def _code_fits(self, user: User, code: str | None) -> bool:
        """And was not taken before."""
        if code is None or user.totp is None:
            return False
        step = second_factor.step_of(self._box.open(user.totp, user.id), code, self._clock.now())
        return step is not None and await self.stores.users.take_step(user.id, step)

    async def _attempt(self, username: str, visitor: Visitor) -> None:
        now = self._clock.now()
        address = throttle.key_of_address(visitor.origin)
        for key, limit in ((address, ADDRESS), (throttle.key_of_account(username), ACCOUNT)):
            left = await self.stores.throttle.attempt(key, limit, now, visitor.origin)
            if left > 0:
                log.warning("access.locked", key=key.partition(":")[0], retry_after_s=math.ceil(left))
                raise Locked("Too many attempts. Wait a moment.", retry_after_s=math.ceil(left))

    async def _take_back(self, username: str, visitor: Visitor) -> None:
        await self.stores.throttle.take_back(throttle.key_of_account(username), ACCOUNT)
        await self.stores.throttle.take_back(throttle.key_of_address(visitor.origin), ADDRESS)

    async def _end_former(self, cookie: str, now: datetime) -> None:
        try:
            former = await self.check(cookie)
        except BadSession:
            return
        await self.stores.sessions.revoke(former.user.id, now, None, only=former.standing.session.id)

    def _is_live(self, standing: Standing) -> bool:
        session, now = standing.session, self._now()
        return (
            session.revoked_at is None
            and not standing.user.disabled
            and now < session.created_at + self._lives.absolute
            and now < session.last_seen_at + self._lives.idle
        )

    def _signed_in(self, standing: Standing, secret: str) -> SignedIn:
        csrf = hmac.new(secret.encode(), b"rimay csrf", hashlib.sha256).hexdigest()
        return SignedIn(standing=standing, csrf=csrf, expires_at=standing.session.created_at + self._lives.absolute)

    def _entry(
        self, by: Principal, action: str, target: str, visitor: Visitor, after: dict[str, str] | None = None
    ) -> AuditEntry:
        return entry(by, action, target, at=self._now(), after=after, origin=visitor.origin)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
