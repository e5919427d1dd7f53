"""Who asks, queues with their live figures, agents and their states, trunks."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext

from callcontrol.model import AgentId, AgentState, InteractionId
from foundation.access import Permission
from softphone_web.call import Call
from softphone_web.permissions import AGENT_STATE, Open, guard_agent_state
from softphone_web.ports import AgentView
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.routes import Routes
from softphone_web.schemas import (
    AgentList,
    AgentOut,
    AgentPath,
    MeOut,
    QueueList,
    QueueOut,
    QueuePath,
    StateBody,
    TrunkList,
    WrapUpBody,
    agent_out,
    queue_out,
    trunk_out,
)
from softphone_web.schemas_desk import ExtendBody

me_routes = Routes("/api/v1", tag="me")
queue_routes = Routes("/api/v1", tag="queues")
agent_routes = Routes("/api/v1", tag="agents")
trunk_routes = Routes("/api/v1", tag="trunks")


@me_routes.get("/me", Open.SIGNED_IN)
async def get_me(call: Call) -> MeOut:
    """Who the token belongs to, and what it may do."""
    who = call.who
    permissions = sorted(permission.value for permission in who.permissions)
    return MeOut(id=who.id, name=who.name, role=who.role, agent=call.agent, permissions=permissions)


@queue_routes.get("/queues", (Permission.QUEUES_READ,))
async def list_queues(call: Call) -> QueueList:
    """All queues with their figures of this moment."""
    return QueueList(items=[queue_out(view) for view in await call.deps.queues.list()])


@queue_routes.get("/queues/{queue}", (Permission.QUEUES_READ,), raises=(404,))
async def get_queue(call: Call, path: QueuePath) -> QueueOut:
    """One queue with its figures of this moment."""
    return queue_out(await call.deps.queues.get(path.queue))


@agent_routes.get("/agents", (Permission.AGENTS_READ,))
async def list_agents(call: Call) -> AgentList:
    """All agents and their states.

    Another agent's reason and interaction are told only to those who read all interactions.
    """
    return AgentList(items=[_out(call, view) for view in await call.deps.agents.list()])


@agent_routes.get("/agents/{agent}", (Permission.AGENTS_READ,), raises=(404,))
async def get_agent(call: Call, path: AgentPath) -> AgentOut:
    """One agent and their state."""
    return _out(call, await call.deps.agents.get(AgentId(path.agent)))


@agent_routes.put("/agents/{agent}/state", AGENT_STATE, raises=(404, 409))
async def set_agent_state(call: Call, path: AgentPath, body: StateBody) -> AgentOut:
    """Change an agent's state: ready, not_ready (with a reason) or signed_out.

    An agent changes only themself, a supervisor anybody.
    """
    target = await _target(call, path)
    check_reason(body.state, body.reason)
    if target == call.agent and body.state is AgentState.READY:
        await call.deps.desks.check_wrapped_up(target)
    by = call.who.id
    async with _of_other(call, target, "agent.state_set", state=body.state.value, reason=body.reason):
        if body.state is AgentState.SIGNED_OUT:
            return _out(call, await call.deps.agents.sign_out(target, reason=body.reason, by=by))
        return _out(call, await call.deps.agents.set_state(target, body.state, reason=body.reason, by=by))


@agent_routes.post("/agents/{agent}/sign-in", AGENT_STATE, raises=(404, 409))
async def sign_in_agent(call: Call, path: AgentPath) -> AgentOut:
    """Begin an agent's shift, in the state not_ready."""
    target = await _target(call, path)
    async with _of_other(call, target, "agent.signed_in"):
        return _out(call, await call.deps.agents.sign_in(target, by=call.who.id))


@agent_routes.post("/agents/{agent}/sign-out", AGENT_STATE, raises=(404, 409))
async def sign_out_agent(call: Call, path: AgentPath) -> AgentOut:
    """End an agent's shift."""
    target = await _target(call, path)
    async with _of_other(call, target, "agent.signed_out"):
        return _out(call, await call.deps.agents.sign_out(target, reason=None, by=call.who.id))


@agent_routes.post("/agents/{agent}/wrap-up/finish", AGENT_STATE, raises=(404, 409))
async def finish_wrap_up(call: Call, path: AgentPath, body: WrapUpBody) -> AgentOut:
    """End an agent's wrap-up, with the disposition of the interaction. 409 `wrap_up.disposition_required` where the
    queue wants one."""
    target = await _target(call, path)
    interaction = None if body.interaction is None else InteractionId(body.interaction)
    async with _of_other(call, target, "agent.wrap_up_finished", disposition=body.disposition):
        await call.deps.desks.finish_wrap_up(target, interaction, body.disposition)
    return _out(call, await call.deps.agents.get(target))


@agent_routes.post("/agents/{agent}/wrap-up/extend", AGENT_STATE, raises=(404, 409))
async def extend_wrap_up(call: Call, path: AgentPath, body: ExtendBody) -> AgentOut:
    """More time to write down what a contact was about, as far as its queue allows."""
    target = await _target(call, path)
    interaction = None if body.interaction is None else InteractionId(body.interaction)
    async with _of_other(call, target, "agent.wrap_up_extended", interaction=interaction):
        await call.deps.desks.extend_wrap_up(target, interaction, body.seconds)
    return _out(call, await call.deps.agents.get(target))


@trunk_routes.get("/trunks", (Permission.TRUNKS_READ,))
async def list_trunks(call: Call) -> TrunkList:
    """The SIP trunks and the state of each gateway."""
    return TrunkList(items=[trunk_out(view) for view in await call.deps.trunks.list()])


async def _target(call: Call, path: AgentPath) -> AgentId:
    """The agent whose state is to change. The guard comes first: who may not change it learns nothing of it."""
    target = AgentId(path.agent)
    guard_agent_state(call.who, call.agent, target)
    return (await call.deps.agents.get(target)).id


def check_reason(state: AgentState, reason: str | None) -> None:
    message = None
    if state is AgentState.NOT_READY and reason is None:
        message = "Not ready needs a reason."
    elif state is AgentState.READY and reason is not None:
        message = "Ready takes no reason."
    if message is not None:
        raise RequestInvalid([FieldError(where="body", field="reason", code="reason", message=message)])


def _of_other(call: Call, target: AgentId, action: str, **facts: str | None) -> AbstractAsyncContextManager[object]:
    """Acting for somebody else is a privileged act; what one does oneself is in the events already."""
    return nullcontext() if target == call.agent else call.act(action, f"agent:{target}", **facts)


def _out(call: Call, view: AgentView) -> AgentOut:
    return agent_out(view, detailed=call.may(Permission.INTERACTIONS_READ) or view.id == call.agent)
