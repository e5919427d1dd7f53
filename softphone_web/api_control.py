"""A supervisor's hand: on what waits, and on agents' states. Each act is kept in the audit trail."""

from __future__ import annotations

from callcontrol.model import AgentId, AgentState, Interaction
from foundation.access import Permission
from softphone_web.api_interactions import visible_interaction
from softphone_web.api_people import check_reason
from softphone_web.call import Call
from softphone_web.ports_board import Steering
from softphone_web.routes import Routes
from softphone_web.schemas import AgentOut, AgentPath, InteractionPath, agent_out
from softphone_web.schemas_board import AssignBody, ForceBody, MoveBody, RaiseBody

routes = Routes("/api/v1", tag="control")
CONTROL = (Permission.INTERACTIONS_CONTROL,)


@routes.post("/interactions/{interaction}/move", CONTROL, raises=(404, 409))
async def move_interaction(call: Call, path: InteractionPath, body: MoveBody) -> None:
    """Into another queue; it keeps its time of arrival."""
    record = await _record(call, path)
    async with call.act("interaction.moved", f"interaction:{record.id}", {"queue": record.queue}, queue=body.queue):
        await _hand(call).move(record.id, body.queue, by=call.who.id)


@routes.post("/interactions/{interaction}/raise", CONTROL, raises=(404, 409))
async def raise_interaction(call: Call, path: InteractionPath, body: RaiseBody) -> None:
    """Give it another priority; it keeps its time of arrival."""
    record = await _record(call, path)
    before = {"priority": record.priority}
    async with call.act("interaction.raised", f"interaction:{record.id}", before, priority=body.priority):
        await _hand(call).lift(record.id, body.priority, by=call.who.id)


@routes.post("/interactions/{interaction}/assign", CONTROL, raises=(404, 409))
async def assign_interaction(call: Call, path: InteractionPath, body: AssignBody) -> None:
    """To this agent and no other, whatever queue and skills say; it is offered as soon as there is room."""
    record = await _record(call, path)
    agent = (await call.deps.agents.get(AgentId(body.agent))).id
    async with call.act("interaction.assigned", f"interaction:{record.id}", {"queue": record.queue}, agent=agent):
        await _hand(call).assign(record.id, agent, by=call.who.id)


@routes.post("/interactions/{interaction}/end", (Permission.CALLS_CONTROL,), raises=(404, 409))
async def end_interaction(call: Call, path: InteractionPath) -> None:
    """Take the citizen's line down."""
    record = await _record(call, path)
    before = {"phase": record.phase.value, "queue": record.queue, "agent": record.agent}
    async with call.act("interaction.ended", f"interaction:{record.id}", before):
        await _hand(call).end(record.id, by=call.who.id)


@routes.post("/agents/{agent}/force-state", (Permission.AGENTS_SET_STATE,), raises=(404, 409))
async def force_agent_state(call: Call, path: AgentPath, body: ForceBody) -> AgentOut:
    """Set an agent's state at once: offers and wrap-ups end, only a talk is not cut."""
    check_reason(body.state, body.reason)
    view = await call.deps.agents.get(AgentId(path.agent))
    before = {"state": view.state.value, "reason": view.reason}
    state = AgentState(body.state)
    async with call.act("agent.forced", f"agent:{view.id}", before, state=state.value, reason=body.reason):
        after = await _hand(call).force(view.id, state, reason=body.reason or "", by=call.who.id)
    return agent_out(after, detailed=True)


async def _record(call: Call, path: InteractionPath) -> Interaction:
    return await visible_interaction(call, path.interaction)


def _hand(call: Call) -> Steering:
    return call.deps.supervision.steering
