"""A supervisor in somebody's call, from their own open leg. Every one of these acts is audited."""

from __future__ import annotations

from callcontrol.events import SupervisionEnded, SupervisionStarted
from callcontrol.model import AgentId, InteractionId
from foundation.access import Permission, require
from pbx.terms import Supervision
from softphone_web.api_desk import own_agent
from softphone_web.call import Call
from softphone_web.routes import Routes
from softphone_web.schemas import InteractionPath
from softphone_web.schemas_desk import SuperviseBody

routes = Routes("/api/v1", tag="supervision")
_PAGE = 500  # events read at a time


@routes.post("/interactions/{interaction}/supervise", (Permission.SUPERVISE_LISTEN,), raises=(404, 409))
async def supervise_call(call: Call, path: InteractionPath, body: SuperviseBody) -> None:
    """Into a talk: `listen` hears both and is heard by none, `whisper` is heard by the agent alone, `barge` by all.

    Again with another mode changes it. 409 `phone.leg_down` without an open leg, `agent.busy` with one in another call.
    """
    supervisor = own_agent(call)
    if body.mode is not Supervision.LISTEN:
        require(call.who, Permission.SUPERVISE_SPEAK)
    async with call.act("call.supervise", f"interaction:{path.interaction}", mode=body.mode.value):
        await call.deps.calls.supervise(InteractionId(path.interaction), supervisor, body.mode)


@routes.delete("/interactions/{interaction}/supervise", (Permission.SUPERVISE_LISTEN,), raises=(404, 409))
async def stop_supervising(call: Call, path: InteractionPath) -> None:
    """Out of it again; the talk goes on. How long it lasted is kept."""
    interaction, supervisor = InteractionId(path.interaction), own_agent(call)
    # First: who is in a call must get out of it, whatever the trail's database does.
    await call.deps.calls.supervise(interaction, supervisor, None)
    seconds = await _lasted(call, interaction, supervisor)
    await call.audit("call.supervise_ended", f"interaction:{interaction}", seconds=seconds)


async def _lasted(call: Call, interaction: InteractionId, supervisor: AgentId) -> float | None:
    """Of the last time that they were in it, whatever the modes; None where its log does not know."""
    began: float | None = None
    lasted: float | None = None
    now, after = call.deps.clock.now(), 0
    await call.deps.interactions.get(interaction)  # waits for what is being written
    while found := await call.deps.interactions.events(interaction, after=after, limit=_PAGE):
        for event in found:
            fact = event.fact
            if not isinstance(fact, SupervisionStarted | SupervisionEnded) or fact.supervisor != supervisor:
                continue
            if isinstance(fact, SupervisionStarted):
                began = event.at if began is None else began
            elif began is not None:
                lasted = event.at - began
                began = None
        after = found[-1].n
    seconds = lasted if began is None else now - began
    return None if seconds is None else round(seconds, 1)


@routes.post("/interactions/{interaction}/take-over", (Permission.SUPERVISE_TAKE_OVER,), raises=(404, 409))
async def take_over_call(call: Call, path: InteractionPath) -> None:
    """The supervisor becomes the agent; who was it writes down what there was."""
    supervisor = own_agent(call)
    async with call.act("call.take_over", f"interaction:{path.interaction}"):
        await call.deps.calls.take_over(InteractionId(path.interaction), supervisor)
