"""Orders to a call in hand. An agent orders their own; who may control calls, anybody's, and that is audited."""

from __future__ import annotations

from collections.abc import Callable

from callcontrol import inputs as inp
from callcontrol.model import AgentId, InteractionId
from foundation.access import Permission
from softphone_web.call import Call
from softphone_web.permissions import guard_live_call
from softphone_web.routes import Routes
from softphone_web.schemas import InteractionPath
from softphone_web.schemas_desk import DtmfBody

routes = Routes("/api/v1", tag="calls")

CONTROL = (Permission.CALLS_HANDLE, Permission.CALLS_CONTROL)


async def order(call: Call, path: InteractionPath, name: str, make: Callable[[AgentId], inp.CallInput]) -> None:
    """`make` gives the order in the name of who asks; their identity, where they are no agent."""
    interaction = InteractionId(path.interaction)
    handlers = await call.deps.calls.handlers(interaction)
    guard_live_call(call.who, call.agent, handlers)
    if call.agent is None or call.agent not in handlers:
        await call.audit(f"call.{name}", f"interaction:{interaction}")
    await call.deps.calls.order(interaction, make(call.agent or AgentId(call.who.id)))


@routes.post("/interactions/{interaction}/hold", CONTROL, raises=(404, 409))
async def hold_call(call: Call, path: InteractionPath) -> None:
    """The citizen hears music until `resume`."""
    await order(call, path, "hold", inp.AgentHold)


@routes.post("/interactions/{interaction}/resume", CONTROL, raises=(404, 409))
async def resume_call(call: Call, path: InteractionPath) -> None:
    """Take the citizen back from hold."""
    await order(call, path, "resume", inp.AgentResume)


@routes.post("/interactions/{interaction}/hangup", CONTROL, raises=(404, 409))
async def hang_up_call(call: Call, path: InteractionPath) -> None:
    """End the talk. The citizen goes on in the flow (a farewell, a survey); the agent's open leg stays."""
    await order(call, path, "hangup", inp.AgentHangup)


@routes.post("/interactions/{interaction}/dtmf", CONTROL, raises=(404, 409))
async def send_digits(call: Call, path: InteractionPath, body: DtmfBody) -> None:
    """Keys to the citizen's far end."""
    await order(call, path, "dtmf", lambda by: inp.SendDigits(by, body.digits))


@routes.post("/interactions/{interaction}/recording/pause", CONTROL, raises=(404, 409))
async def pause_recording(call: Call, path: InteractionPath) -> None:
    """Nothing is recorded until `resume`: silence is written, so that the file keeps the call's time."""
    await order(call, path, "recording_pause", inp.RecordingPause)


@routes.post("/interactions/{interaction}/recording/resume", CONTROL, raises=(404, 409))
async def resume_recording(call: Call, path: InteractionPath) -> None:
    """Record again."""
    await order(call, path, "recording_resume", inp.RecordingResume)
