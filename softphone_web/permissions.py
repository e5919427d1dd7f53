"""What an operation asks of who calls it, and the guards that look at the object too.

Roles and what they may do stand in `foundation.access`; here is only how the pages read that table.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from callcontrol.model import AgentId, Interaction
from foundation.access import PasswordChangeNeeded, Permission, PermissionDenied, Principal
from foundation.errors import NotFound

P = Permission


class Open(Enum):
    """Operations that ask for no permission."""

    PUBLIC = "public"  # nobody needs to sign in
    SIGNED_IN = "signed_in"  # any role
    OWN_ACCOUNT = "own_account"  # any role, and who must change their password before anything else


# Any one of the permissions is enough to come in; the handler's guard then looks at the object.
Access: TypeAlias = Open | tuple[Permission, ...]

INTERACTIONS: Access = (P.INTERACTIONS_READ, P.INTERACTIONS_READ_OWN)
RECORDINGS: Access = (P.RECORDINGS_READ, P.RECORDINGS_READ_OWN)
AGENT_STATE: Access = (P.AGENTS_SET_STATE, P.CALLS_HANDLE)  # anybody's, one's own
LIVE: Access = (P.EVENTS_STREAM, P.CALLS_HANDLE)  # everything one may read, one's own


def admit(principal: Principal, access: Access) -> None:
    """Raises `PermissionDenied` when the role has none of what is asked."""
    if access is Open.PUBLIC or access is Open.OWN_ACCOUNT:
        return
    if principal.must_change_password:
        raise PasswordChangeNeeded("Change the password that you were given; until then nothing else is possible.")
    if access is Open.SIGNED_IN:
        return
    if not any(principal.may(permission) for permission in access):
        names = [permission.value for permission in access]
        raise PermissionDenied("Your role may not do this.", role=principal.role, needs=names)


def agent_of(principal: Principal) -> AgentId | None:
    """The agent that somebody is; who may not take calls is none."""
    if principal.agent is None or not principal.may(P.CALLS_HANDLE):
        return None
    return AgentId(principal.agent)


def withdrawn(former: Principal, now: Principal) -> bool:
    """Whether what opened a long connection stands otherwise by now: it has to be opened anew."""
    return former.permissions != now.permissions or agent_of(former) != agent_of(now)


def phone_withdrawn(former: Principal, now: Principal) -> bool:
    """Whether a page's phone has lost what it stands on. What else a role gains or loses ends no talk."""
    return not now.may(P.PHONE_USE) or agent_of(former) != agent_of(now)


def agents_in(record: Interaction) -> frozenset[AgentId]:
    """Every agent that the interaction names: who talked last and all who took part."""
    named = {p.agent for p in record.participants if p.agent is not None}
    return frozenset(named | ({record.agent} if record.agent is not None else set()))


def sees_private(principal: Principal, mine: bool) -> bool:
    """Who may hear the citizen may see their number as well; an administrator may neither."""
    return principal.may(P.RECORDINGS_READ) or (mine and principal.may(P.INTERACTIONS_READ_OWN))


def guard_interaction(principal: Principal, agent: AgentId | None, record: Interaction) -> None:
    """Another agent's interaction does not exist for an agent: its id alone would tell something."""
    if principal.may(P.INTERACTIONS_READ):
        return
    if agent is None or agent not in agents_in(record):
        raise interaction_not_found()


def guard_recording(principal: Principal, agent: AgentId | None, record: Interaction) -> None:
    if principal.may(P.RECORDINGS_READ):
        return
    if agent is None or agent not in agents_in(record):
        raise recording_not_found()


def guard_agent_state(principal: Principal, agent: AgentId | None, target: AgentId) -> None:
    """An agent changes only themself, a supervisor anybody."""
    if principal.may(P.AGENTS_SET_STATE):
        return
    if agent != target:
        raise PermissionDenied("You may change only your own state.", role=principal.role)


def guard_live_call(principal: Principal, agent: AgentId | None, handlers: frozenset[AgentId]) -> None:
    """Orders to a call: of `handlers`, who have it in hand, and of who controls all. Others' calls do not exist."""
    if principal.may(P.CALLS_CONTROL):
        return
    if agent is None or agent not in handlers:
        raise interaction_not_found()


def interaction_not_found() -> NotFound:
    return NotFound("There is no such interaction.")


def recording_not_found() -> NotFound:
    return NotFound("There is no such recording.")


# For the page that makes roles; its readers are administrators in Cuenca.
PERMISSION_TITLES: dict[Permission, str] = {
    P.CALLS_HANDLE: "Atender interacciones",
    P.CALLS_PLACE: "Llamar hacia afuera",
    P.CALLS_CONTROL: "Controlar llamadas de otras personas",
    P.SUPERVISE_LISTEN: "Escuchar llamadas en curso",
    P.SUPERVISE_SPEAK: "Susurrar e intervenir en llamadas en curso",
    P.SUPERVISE_TAKE_OVER: "Tomar llamadas en curso",
    P.PHONE_USE: "Usar el teléfono del navegador",
    P.WRAP_UP_WRITE: "Tipificar sus interacciones",
    P.STATISTICS_READ_OWN: "Ver sus propias estadísticas",
    P.INTERACTIONS_READ_OWN: "Ver sus propias interacciones",
    P.INTERACTIONS_READ: "Ver todas las interacciones",
    P.INTERACTIONS_CONTROL: "Mover, priorizar, asignar y terminar interacciones",
    P.BOARD_READ: "Ver el tablero en vivo",
    P.MESSAGES_READ: "Leer mensajes internos",
    P.MESSAGES_SEND: "Enviar mensajes internos",
    P.DIRECTORY_READ: "Ver el directorio",
    P.CUSTOMERS_READ: "Ver la ficha del cliente",
    P.CUSTOMERS_WRITE: "Escribir notas del cliente",
    P.KNOWLEDGE_READ: "Leer la base de conocimiento",
    P.KNOWLEDGE_WRITE: "Editar la base de conocimiento",
    P.RECORDINGS_READ_OWN: "Oír sus propias grabaciones",
    P.RECORDINGS_READ: "Oír todas las grabaciones y ver datos personales",
    P.RECORDINGS_EXPORT: "Exportar grabaciones",
    P.RECORDINGS_DELETE: "Eliminar grabaciones",
    P.AGENTS_READ: "Ver agentes y sus estados",
    P.AGENTS_SET_STATE: "Cambiar el estado de otras personas",
    P.QUEUES_READ: "Ver colas",
    P.QUEUES_WRITE: "Editar la organización: colas, habilidades, calendarios, motivos",
    P.ORGANISATION_READ: "Ver la organización",
    P.FLOWS_READ: "Ver flujos",
    P.FLOWS_WRITE: "Editar flujos",
    P.REPORTS_READ: "Ver reportes",
    P.EVENTS_STREAM: "Recibir todo en vivo",
    P.TRUNKS_READ: "Ver troncales",
    P.METRICS_READ: "Leer métricas técnicas",
    P.SETTINGS_READ: "Ver la configuración",
    P.SETTINGS_WRITE: "Cambiar la configuración",
    P.USERS_READ: "Ver usuarios y roles",
    P.USERS_WRITE: "Editar usuarios",
    P.ROLES_WRITE: "Editar roles y otorgar cualquiera",
    P.TOKENS_WRITE: "Crear y revocar claves de API",
    P.AUDIT_READ: "Ver la auditoría",
}
