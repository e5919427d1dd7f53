"""Who may do what: roles, permissions, and the principal that every request is done for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import Denied


class Permission(StrEnum):
    CALLS_HANDLE = "calls.handle"  # take offers; answer, hold, transfer, end one's own
    CALLS_PLACE = "calls.place"
    CALLS_CONTROL = "calls.control"  # also other people's
    SUPERVISE_LISTEN = "supervise.listen"
    SUPERVISE_SPEAK = "supervise.speak"  # whisper and barge
    INTERACTIONS_READ_OWN = "interactions.read_own"
    INTERACTIONS_READ = "interactions.read"
    RECORDINGS_READ_OWN = "recordings.read_own"
    RECORDINGS_READ = "recordings.read"
    RECORDINGS_EXPORT = "recordings.export"  # in bulk
    RECORDINGS_DELETE = "recordings.delete"
    AGENTS_READ = "agents.read"
    AGENTS_SET_STATE = "agents.set_state"  # other people's: sign out, unpause
    QUEUES_READ = "queues.read"
    QUEUES_WRITE = "queues.write"
    FLOWS_READ = "flows.read"
    FLOWS_WRITE = "flows.write"
    REPORTS_READ = "reports.read"
    EVENTS_STREAM = "events.stream"
    TRUNKS_READ = "trunks.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    USERS_WRITE = "users.write"
    TOKENS_WRITE = "tokens.write"
    AUDIT_READ = "audit.read"


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    ADMIN = "admin"
    SERVICE = "service"  # a program: the customer's CRM, a BI tool


_P = Permission

# Each set stands in full, so that one line answers "what may a supervisor do?".
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset(
        {
            _P.CALLS_HANDLE, _P.CALLS_PLACE, _P.INTERACTIONS_READ_OWN, _P.RECORDINGS_READ_OWN, _P.AGENTS_READ,
            _P.QUEUES_READ,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            _P.CALLS_HANDLE, _P.CALLS_PLACE, _P.CALLS_CONTROL, _P.SUPERVISE_LISTEN, _P.SUPERVISE_SPEAK,
            _P.INTERACTIONS_READ_OWN, _P.INTERACTIONS_READ, _P.RECORDINGS_READ_OWN, _P.RECORDINGS_READ, _P.AGENTS_READ,
            _P.AGENTS_SET_STATE, _P.QUEUES_READ, _P.FLOWS_READ, _P.REPORTS_READ, _P.EVENTS_STREAM, _P.TRUNKS_READ,
        }
    ),
    Role.MANAGER: frozenset(
        {
            _P.INTERACTIONS_READ, _P.RECORDINGS_READ, _P.RECORDINGS_EXPORT, _P.AGENTS_READ, _P.QUEUES_READ,
            _P.QUEUES_WRITE, _P.FLOWS_READ, _P.REPORTS_READ, _P.EVENTS_STREAM, _P.TRUNKS_READ, _P.AUDIT_READ,
        }
    ),
    # Runs the platform; does not listen to people: who needs both has two accounts.
    Role.ADMIN: frozenset(
        {
            _P.INTERACTIONS_READ, _P.RECORDINGS_EXPORT, _P.RECORDINGS_DELETE, _P.AGENTS_READ, _P.AGENTS_SET_STATE,
            _P.QUEUES_READ, _P.QUEUES_WRITE, _P.FLOWS_READ, _P.FLOWS_WRITE, _P.REPORTS_READ, _P.EVENTS_STREAM,
            _P.TRUNKS_READ, _P.SETTINGS_READ, _P.SETTINGS_WRITE, _P.USERS_WRITE, _P.TOKENS_WRITE, _P.AUDIT_READ,
        }
    ),
    Role.SERVICE: frozenset(
        {
            _P.CALLS_PLACE, _P.INTERACTIONS_READ, _P.RECORDINGS_READ, _P.AGENTS_READ, _P.QUEUES_READ, _P.REPORTS_READ,
            _P.EVENTS_STREAM, _P.TRUNKS_READ,
        }
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks. `id` is stable and goes into the audit trail; `name` is for people."""

    id: str
    name: str
    role: Role

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


# The operator at the machine's own command line: whoever can run it can read the database as well.
OPERATOR = Principal(id="operator", name="command line", role=Role.ADMIN)


class PermissionDenied(Denied):
    code = "access.denied"


def require(principal: Principal, permission: Permission) -> None:
    if not principal.may(permission):
        raise PermissionDenied(
            f"role {principal.role} lacks {permission}", role=str(principal.role), permission=str(permission)
        )
