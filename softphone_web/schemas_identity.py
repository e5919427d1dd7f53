"""What the API of sessions, users, roles, the audit trail and the settings takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from foundation.access import Permission
from foundation.audit_chain import Break, Link, Verdict
from foundation.identity.accounts import SignedIn
from foundation.identity.model import Session, User
from foundation.identity.passwords import SHORTEST
from foundation.identity.people import Refused
from softphone_web.permissions import agent_of
from softphone_web.routes import Model
from softphone_web.schemas import Id, Time, at
from softphone_web.texts import line

# Looked at only after its limits of length: what is no password of anybody is simply wrong.
Typed = Annotated[str, line(256, strip=False)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$")]
PersonName = Annotated[str, line(80)]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,31}$")]


class OidcMethod(Model):
    title: str
    href: str


class MethodsOut(Model):
    password: bool
    oidc: OidcMethod | None
    organisation: str


class SignInBody(Model):
    username: Typed
    password: Typed
    code: Code | None = None


class SessionUser(Model):
    id: str
    username: str
    name: str
    role: str
    role_title: str
    agent: str | None
    permissions: list[str]
    language: Literal["es", "en"]
    theme: Literal["light", "dark", "auto"]
    totp: bool
    must_change_password: bool


class SessionOut(Model):
    """`csrf` goes into the header ``X-CSRF-Token`` of everything that changes something."""

    user: SessionUser
    csrf: str
    password_shortest: int = Field(description="characters that a new password has at least")
    expires_at: datetime


class WhoseSession(Model):
    session: SessionOut | None = Field(description="null when nobody is signed in")


class SignInRefused(Model):
    code: str = Field(description="access.bad_credentials, or access.code_needed: the password was right")
    detail: str


class SignInOutcome(WhoseSession):
    refused: SignInRefused | None = Field(description="why nobody is signed in; null when somebody is")


class OwnSession(Model):
    id: str
    created_at: datetime
    last_seen_at: datetime
    origin: str
    agent_text: str
    current: bool


class OwnSessions(Model):
    items: list[OwnSession]


class SessionPath(Model):
    session: Id


class PreferencesBody(Model):
    language: Literal["es", "en"] | None = None
    theme: Literal["light", "dark", "auto"] | None = None


class PasswordBody(Model):
    old: Typed
    new: Typed


class CodeBody(Model):
    code: Code


class TotpOut(Model):
    """Shown once: `uri` as a QR code, `secret` for who types."""

    secret: str
    uri: str


class RefusedOut(Model):
    """Attempts to sign in that failed and still count."""

    attempts: int
    last_at: datetime
    locked_until: datetime | None = Field(description="null: they may try now")
    origins: list[str] = Field(description="addresses of the last ones, the newest first")


class UserOut(Model):
    id: str
    username: str
    name: str
    role: str
    agent: str | None
    disabled: bool
    totp: bool
    must_change_password: bool
    single_sign_on: bool
    created_at: datetime
    refused: RefusedOut | None


class AddressPath(Model):
    address: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.:%_-]{1,64}$")]


class LockedAddressOut(Model):
    """Nobody signs in from there before `locked_until`."""

    address: str
    attempts: int
    last_at: datetime
    locked_until: datetime


class LockedAddressList(Model):
    items: list[LockedAddressOut]


class UserList(Model):
    items: list[UserOut]


class UserBody(Model):
    username: Username
    name: PersonName
    role: RoleName
    agent: Id | None = None
    disabled: bool = False


class UserPath(Model):
    user: Id


class TemporaryPassword(Model):
    """Shown once; it must be changed at the first sign-in."""

    password: str


class CreatedUser(Model):
    user: UserOut
    password: str = Field(description="temporary, shown once")


class RoleOut(Model):
    name: str
    title: str
    built_in: bool
    permissions: list[str]


class RoleList(Model):
    items: list[RoleOut]


class RoleBody(Model):
    title: PersonName
    permissions: Annotated[list[Permission], Field(max_length=len(Permission))]


class NewRoleBody(RoleBody):
    name: RoleName


class RolePath(Model):
    role: RoleName


class PermissionOut(Model):
    name: str
    title: str


class PermissionList(Model):
    items: list[PermissionOut]


AuditWord = Annotated[str, line(200, strip=False)]


class AuditQueryIn(Model):
    actor: AuditWord | None = None
    action: AuditWord | None = None
    target: AuditWord | None = None
    since: Time | None = None
    until: Time | None = None
    after: Annotated[int, Field(ge=1, le=2**53)] | None = Field(
        default=None, description="the `next` of the page before"
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AuditSearch(AuditQueryIn):
    citizen: Annotated[str, line(64)] = Field(description="a number, a document or a contract, as it may be written")


class AuditEntryOut(Model):
    id: str
    n: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    origin: str


class AuditPage(Model):
    items: list[AuditEntryOut]
    next: int | None


class AuditBreak(Model):
    id: str | None
    n: int
    code: Break
    count: int = Field(description="of entries that are missing at the end")
    why: str


class AuditVerdict(Model):
    """`head` (number and hash of the last entry), kept elsewhere, is what a later state can be held against."""

    ok: bool
    entries: int
    head: str
    broken: AuditBreak | None


class SettingOut(Model):
    key: str
    value: Any
    source: Literal["default", "file"]


class SettingsOut(Model):
    items: list[SettingOut]


def audit_entry_out(link: Link) -> AuditEntryOut:
    one = link.entry
    return AuditEntryOut(
        id=one.id,
        n=link.n,
        at=one.at,
        actor=one.actor,
        actor_name=one.actor_name,
        action=one.action,
        target=one.target,
        before=None if one.before is None else dict(one.before),
        after=None if one.after is None else dict(one.after),
        origin=one.origin,
    )


def audit_verdict(verdict: Verdict) -> AuditVerdict:
    broken = verdict.broken
    return AuditVerdict(
        ok=verdict.ok,
        entries=verdict.entries,
        head=str(verdict.head),
        broken=None
        if broken is None
        else AuditBreak(id=broken.id, n=broken.n, code=broken.code, count=broken.count, why=broken.why),
    )


def session_out(signed_in: SignedIn, role_title: str) -> SessionOut:
    user, who = signed_in.user, signed_in.principal
    shown = SessionUser(
        id=user.id,
        username=user.username,
        name=user.name,
        role=user.role,
        role_title=role_title,
        agent=agent_of(who),
        permissions=sorted(who.permissions),
        language="en" if user.language == "en" else "es",
        theme="light" if user.theme == "light" else "dark" if user.theme == "dark" else "auto",
        totp=user.has_totp,
        must_change_password=user.must_change_password,
    )
    return SessionOut(user=shown, csrf=signed_in.csrf, password_shortest=SHORTEST, expires_at=signed_in.expires_at)


def own_session_out(session: Session, current: str) -> OwnSession:
    return OwnSession(
        id=session.id,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        origin=session.origin,
        agent_text=session.agent_text,
        current=session.id == current,
    )


def user_out(user: User, refused: Refused | None = None) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        name=user.name,
        role=user.role,
        agent=user.agent,
        disabled=user.disabled,
        totp=user.has_totp,
        must_change_password=user.must_change_password,
        single_sign_on=user.subject is not None,
        created_at=user.created_at,
        refused=None
        if refused is None
        else RefusedOut(
            attempts=refused.failures,
            last_at=at(refused.last_at),
            locked_until=None if refused.locked_until is None else at(refused.locked_until),
            origins=list(refused.origins),
        ),
    )
