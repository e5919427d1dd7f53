"""Who may call what: every operation of the API by its name, written by hand and not derived, so that a change of the
grants must be made here as well. A new operation gets one line here, or the tests fail.

`row(...)` names the built-in roles that come in, by token and by session. Their request must succeed or fail for
another reason than who asks: give `path`, `query` and `body` with which it makes sense. Agents here are user and token
"agent", who took part in nothing and is not "luis"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.access import Role

A, S, M, X, P = Role.AGENT, Role.SUPERVISOR, Role.MANAGER, Role.ADMIN, Role.SERVICE
EVERYBODY = (A, S, M, X, P)
# What stands for the places in paths, unless a row says more.
PATHS = {
    "interaction": "i-00001",
    "recording": "r-00001",
    "queue": "averias",
    "agent": "luis",
    "offer": "i-offer.o1",
    "session": "0000000000000000",
    "user": "u-luis",
    "role": "calidad",
    "flow": "principal",
    "version": "0" * 12,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    roles: frozenset[Role]
    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: Any = None
    session_only: bool = False  # of one's own account: a program's token has none
    also: frozenset[int] = frozenset()  # statuses that are right for who comes in, though they look like a refusal


def row(
    *roles: Role,
    path: Mapping[str, str] | None = None,
    query: str = "",
    body: Any = None,
    session_only: bool = False,
    also: tuple[int, ...] = (),
) -> Row:
    return Row(
        roles=frozenset(roles),
        path=path or {},
        query=query,
        body=body,
        session_only=session_only,
        also=frozenset(also),
    )


def own(body: Any = None, also: tuple[int, ...] = ()) -> Row:
    """Something of one's own account."""
    return row(*EVERYBODY, body=body, session_only=True, also=also)


_NOTE = {"text": "Llama por el medidor."}
_USER = {"username": "nuevo", "name": "Nuevo Nombre", "role": "agent"}

TABLE: dict[str, Row] = {
    # interactions
    "list_interactions": row(*EVERYBODY),
    "search_interactions": row(A, S, M, P, body={"number": "0991234567"}),
    "get_interaction": row(S, M, X, P),
    "list_events": row(S, M, X, P),
    "get_routing": row(S, M, X, P),
    # recordings
    "list_recordings": row(S, M, P, query="?interaction=i-00001"),
    "get_recording": row(S, M, P),
    "download_recording": row(S, M, P),
    # around a contact
    "get_customer_of_interaction": row(S, M, P),
    "search_audit": row(M, X, body={"citizen": "0991234567"}),
    "find_customer": row(A, S, M, P, body={"address": "0991234567"}),
    "list_notes": row(S, M, P),
    "add_note": row(S, body=_NOTE),
    "add_customer_note": row(A, S, body={"address": "0991234567", **_NOTE}),
    "search_knowledge": row(*EVERYBODY),
    "get_article": row(*EVERYBODY, path={"article": "sin-agua"}),
    "list_scripts": row(*EVERYBODY),
    "search_directory": row(A, S, M, X, body={"q": "luis"}),
    "get_my_statistics": row(A, S, also=(409,)),
    # flows
    "list_flows": row(S, M, X),
    "check_flow": row(S, M, X, body={"yaml": "id: prueba"}),
    "get_flow": row(S, M, X),
    "save_flow": row(X, body={"yaml": "id: prueba"}),
    "get_flow_version": row(S, M, X, also=(404,)),
    "roll_back_flow": row(X, body={"version": "0" * 12}, also=(404,)),
    "try_flow": row(S, M, X, body={}),
    "tell_flow": row(S, M, X, path={"session": "0000000000000000"}, body={"input": {"digits": "1"}}, also=(404,)),
    # queues, agents, trunks
    "list_queues": row(*EVERYBODY),
    "get_queue": row(*EVERYBODY),
    "list_agents": row(*EVERYBODY),
    "get_agent": row(*EVERYBODY),
    "set_agent_state": row(S, X, body={"state": "ready"}),
    "sign_in_agent": row(S, X),
    "sign_out_agent": row(S, X),
    "finish_wrap_up": row(S, X, body={"disposition": "resuelto"}),
    "list_trunks": row(S, M, X, P),
    # the desk, and calls in hand
    "get_desk": row(A, S, also=(409,)),
    "accept_offer": row(A, S, also=(409,)),
    "reject_offer": row(A, S, body={}, also=(409,)),
    "list_wrap_up_codes": row(*EVERYBODY),
    "list_not_ready_reasons": row(*EVERYBODY),
    "hold_call": row(S),
    "resume_call": row(S),
    "hang_up_call": row(S),
    "send_digits": row(S, body={"digits": "1"}),
    "supervise_call": row(S, body={"mode": "barge"}, also=(409,)),
    "stop_supervising": row(S, also=(409,)),
    "take_over_call": row(S, also=(409,)),
    "transfer_call": row(S, body={"kind": "blind", "to": {"kind": "agent", "id": "luis"}}),
    "complete_consult": row(S),
    "cancel_consult": row(S),
    "swap_consult": row(S),
    "begin_conference": row(S),
    "leave_conference": row(S),
    "remove_from_conference": row(S, body={"participant": "p2"}),
    "ask_supervisor": row(S, body={"text": "ayuda"}),
    "place_call": row(A, S, P, body={"number": "0991234567"}, also=(409,)),
    # phones in pages
    "mint_phone": row(A, S, also=(409,)),
    "drop_phone": row(A, S),
    "set_phone_kind": row(A, S, body={"kind": "web"}, also=(409,)),
    "open_phone_socket": row(A, S, also=(409,)),
    "set_disposition": row(S, body={"code": "resuelto"}),
    "set_reason": row(S, body={"reason": "agua"}),
    "extend_wrap_up": row(S, X, body={"seconds": 30}),
    "pause_recording": row(S),
    "resume_recording": row(S),
    # the board, a supervisor's hand, messages
    "get_board": row(S, M, X),
    "get_place": row(S, M, X, also=(409,)),
    "get_queue_history": row(S, M, X),
    "list_definitions": row(*EVERYBODY),
    "move_interaction": row(S, body={"queue": "averias"}),
    "raise_interaction": row(S, body={"priority": 5}),
    "assign_interaction": row(S, body={"agent": "ana"}),
    "end_interaction": row(S),
    "force_agent_state": row(S, X, body={"state": "ready"}),
    "send_message": row(S, M, body={"to": {"kind": "all"}, "text": "hola"}),
    "list_messages": row(A, S, M, X),
    # the organisation
    "get_organisation": row(S, M, X),
    "check_organisation": row(M, X, body={"yaml": "queues: []\n"}),
    "put_organisation": row(M, X, body={"yaml": "queues: []\n", "revision": "e3b0c44298fc1c14"}),
    "render_organisation": row(M, X, body={"document": {}}),
    "list_holidays": row(S, M, X, query="?year=2026"),
    # live
    "issue_ticket": row(*EVERYBODY, also=(401,)),  # given for a token: a session needs none
    "open_live": row(*EVERYBODY),
    # one's own
    "get_me": row(*EVERYBODY),
    "get_session": own(),
    "sign_out": own(),
    "list_sessions": own(),
    "end_session": own(also=(404,)),
    "end_other_sessions": own(),
    "set_preferences": own({"theme": "dark"}),
    "change_password": own({"old": "no es esta", "new": "tampoco es esta otra"}),
    "begin_totp": own(),
    "confirm_totp": own({"code": "000000"}),
    "remove_totp": own({"code": "000000"}),
    # users and roles
    "list_users": row(M, X),
    "add_user": row(X, body=_USER),
    "get_user": row(M, X),
    "change_user": row(X, body={**_USER, "username": "luis"}),
    "reset_password": row(X),
    "end_user_sessions": row(X),
    "remove_user_totp": row(X),
    "lift_lockout": row(X),
    "list_locked_addresses": row(M, X),
    "lift_locked_address": row(X, path={"address": "192.0.2.7"}),
    "list_roles": row(M, X),
    "add_role": row(X, body={"name": "nuevo", "title": "Nuevo", "permissions": ["queues.read"]}),
    "change_role": row(X, body={"title": "Calidad", "permissions": ["queues.read"]}),
    "delete_role": row(X),
    "list_permissions": row(M, X),
    # audit and settings
    "list_audit": row(M, X, query="?action=user."),
    "verify_audit": row(M, X),
    "list_settings": row(X),
}

# Operations that ask for no sign-in.
PUBLIC = {
    "get_health",
    "get_live",
    "get_ready",
    "get_metrics",
    "get_sign_in_methods",
    "get_whose_session",
    "sign_in",
    "try_sign_in",
    "begin_oidc",
    "finish_oidc",
    "get_may_call",
    "mint_webphone",
    "open_webphone_socket",
}
# Addresses beside the declared operations.
PUBLIC_PAGES = {
    "/",
    "/api",
    "/estado",
    "/openapi.json",
    "/static/tokens.css",
    "/static/start.css",
    "/static/start.js",
    "/static/icon.svg",
}
# Who must still change their password may do this much.
BEFORE_THE_PASSWORD_IS_CHANGED = {"get_session", "sign_out", "change_password"}
# Refused to the agent of this table, and yet no privileged act: what computes an answer, and what agents do with calls
# of their own.
NO_PRIVILEGE = {"check_flow", "try_flow", "check_organisation", "render_organisation", "add_note"}
