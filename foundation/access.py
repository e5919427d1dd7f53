"""Who may do what: roles, permissions, and the principal that every request is done for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import Denied


class Permission(StrEnum):
    CALLS_HANDLE = "calls.handle"  # take offers; answer, hold, transfer, end one's own
    CALLS_PLACE = "calls.place"
    CALLS_CONTROL = "calls.control"  # also other people's
    SUPERVISE_LISTEN = "supervise.listen"
    SUPERVISE_SPEAK = "supervise.speak"  # whisper and barge
    SUPERVISE_TAKE_OVER = "supervise.take_over"
    PHONE_USE = "phone.use"  # a SIP account of one's own in the browser
    WRAP_UP_WRITE = "wrap_up.write"  # disposition, reason, notes of one's own interactions
    STATISTICS_READ_OWN = "statistics.read_own"
    INTERACTIONS_READ_OWN = "interactions.read_own"
    INTERACTIONS_READ = "interactions.read"
    INTERACTIONS_CONTROL = "interactions.control"  # move, raise, assign, end: anybody's, of any medium
    BOARD_READ = "board.read"  # the supervisor's live board and the wallboard
    MESSAGES_READ = "messages.read"  # those written to oneself
    MESSAGES_SEND = "messages.send"
    DIRECTORY_READ = "directory.read"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"  # notes
    KNOWLEDGE_READ = "knowledge.read"
    KNOWLEDGE_WRITE = "knowledge.write"
    RECORDINGS_READ_OWN = "recordings.read_own"
    RECORDINGS_READ = "recordings.read"
    RECORDINGS_EXPORT = "recordings.export"  # in bulk
    RECORDINGS_DELETE = "recordings.delete"
    AGENTS_READ = "agents.read"
    AGENTS_SET_STATE = "agents.set_state"  # other people's: sign out, unpause
    QUEUES_READ = "queues.read"
    QUEUES_WRITE = "queues.write"  # and all of the organisation: skills, teams, calendars, reasons, dispositions
    ORGANISATION_READ = "organisation.read"
    FLOWS_READ = "flows.read"
    FLOWS_WRITE = "flows.write"
    REPORTS_READ = "reports.read"
    EVENTS_STREAM = "events.stream"
    TRUNKS_READ = "trunks.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    METRICS_READ = "metrics.read"  # from another machine, and the details of the health checks
    USERS_READ = "users.read"  # and roles
    USERS_WRITE = "users.write"  # only within one's own permissions, unless one holds roles.write too
    ROLES_WRITE = "roles.write"
    TOKENS_WRITE = "tokens.write"
    AUDIT_READ = "audit.read"


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    ADMIN = "admin"
    SERVICE = "service"  # a program: the customer's CRM, a BI tool


_P = Permission

# Each set stands in full, so that one line answers "what may a supervisor do?". Roles of the customer's own are sets of
# the same permissions, in the database (`foundation.identity.roles`).
PERMISSIONS: Mapping[str, frozenset[Permission]] = {
    Role.AGENT: frozenset(
        {
            _P.CALLS_HANDLE, _P.CALLS_PLACE, _P.PHONE_USE, _P.WRAP_UP_WRITE, _P.STATISTICS_READ_OWN,
            _P.INTERACTIONS_READ_OWN, _P.RECORDINGS_READ_OWN, _P.AGENTS_READ, _P.QUEUES_READ, _P.MESSAGES_READ,
            _P.DIRECTORY_READ, _P.CUSTOMERS_READ, _P.CUSTOMERS_WRITE, _P.KNOWLEDGE_READ,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            _P.CALLS_HANDLE, _P.CALLS_PLACE, _P.CALLS_CONTROL, _P.PHONE_USE, _P.WRAP_UP_WRITE, _P.STATISTICS_READ_OWN,
            _P.SUPERVISE_LISTEN, _P.SUPERVISE_SPEAK, _P.SUPERVISE_TAKE_OVER, _P.INTERACTIONS_READ_OWN,
            _P.INTERACTIONS_READ, _P.INTERACTIONS_CONTROL, _P.BOARD_READ, _P.MESSAGES_READ, _P.MESSAGES_SEND,
            _P.DIRECTORY_READ, _P.CUSTOMERS_READ, _P.CUSTOMERS_WRITE, _P.KNOWLEDGE_READ, _P.RECORDINGS_READ_OWN,
            _P.RECORDINGS_READ, _P.AGENTS_READ, _P.AGENTS_SET_STATE, _P.QUEUES_READ, _P.ORGANISATION_READ,
            _P.FLOWS_READ, _P.REPORTS_READ, _P.EVENTS_STREAM, _P.TRUNKS_READ,
        }
    ),
    Role.MANAGER: frozenset(
        {
            _P.INTERACTIONS_READ, _P.BOARD_READ, _P.MESSAGES_READ, _P.MESSAGES_SEND, _P.DIRECTORY_READ,
            _P.CUSTOMERS_READ, _P.KNOWLEDGE_READ, _P.KNOWLEDGE_WRITE, _P.RECORDINGS_READ, _P.RECORDINGS_EXPORT,
            _P.AGENTS_READ, _P.QUEUES_READ, _P.QUEUES_WRITE, _P.ORGANISATION_READ, _P.FLOWS_READ, _P.REPORTS_READ,
            _P.EVENTS_STREAM, _P.TRUNKS_READ, _P.USERS_READ, _P.AUDIT_READ,
        }
    ),
    # Runs the platform; does not listen to people: who needs both has two accounts.
    Role.ADMIN: frozenset(
        {
            _P.INTERACTIONS_READ, _P.BOARD_READ, _P.MESSAGES_READ, _P.DIRECTORY_READ, _P.KNOWLEDGE_READ,
            _P.KNOWLEDGE_WRITE, _P.RECORDINGS_EXPORT, _P.RECORDINGS_DELETE, _P.AGENTS_READ, _P.AGENTS_SET_STATE,
            _P.QUEUES_READ, _P.QUEUES_WRITE, _P.ORGANISATION_READ, _P.FLOWS_READ, _P.FLOWS_WRITE, _P.REPORTS_READ,
            _P.EVENTS_STREAM, _P.TRUNKS_READ, _P.METRICS_READ, _P.SETTINGS_READ, _P.SETTINGS_WRITE, _P.USERS_READ,
            _P.USERS_WRITE, _P.ROLES_WRITE, _P.TOKENS_WRITE, _P.AUDIT_READ,
        }
    ),
    Role.SERVICE: frozenset(
        {
            _P.CALLS_PLACE, _P.INTERACTIONS_READ, _P.CUSTOMERS_READ, _P.KNOWLEDGE_READ, _P.RECORDINGS_READ,
            _P.AGENTS_READ, _P.QUEUES_READ, _P.REPORTS_READ, _P.EVENTS_STREAM, _P.TRUNKS_READ, _P.METRICS_READ,
        }
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks. `id` is stable and goes into the audit trail (``user:...``, ``token:...``); `name` is for people;
    `agent` is the agent that this person is, if any."""

    id: str
    name: str
    role: str
    agent: str | None = None
    granted: frozenset[Permission] | None = None  # what a role of the customer's own grants; None: a built-in role
    must_change_password: bool = False  # may nothing else until then

    @property
    def permissions(self) -> frozenset[Permission]:
        if self.must_change_password:
            return frozenset()
        return PERMISSIONS.get(self.role, frozenset()) if self.granted is None else self.granted

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


# The operator at the machine's own command line: whoever can run it can read the database as well.
OPERATOR = Principal(id="operator", name="command line", role=Role.ADMIN)


class PermissionDenied(Denied):
    code = "access.denied"


class PasswordChangeNeeded(Denied):
    """Signed in with a password that somebody else gave: until it is changed nothing else may be done."""

    code = "access.password_change_needed"


def require(principal: Principal, permission: Permission) -> None:
    if not principal.may(permission):
        raise PermissionDenied(
            f"role {principal.role} lacks {permission}", role=str(principal.role), permission=str(permission)
        )
