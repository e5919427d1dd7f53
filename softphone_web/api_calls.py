"""Orders to a call in hand. An agent orders their own; who may control calls, anybody's, and that is audited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from callcontrol import inputs as inp
from callcontrol.model import AgentId, InteractionId, Target
from foundation.access import Permission
from softphone_web.api_desk import own_agent
from softphone_web.call import Call
from softphone_web.permissions import guard_live_call
from softphone_web.ports_desk import InHand
from softphone_web.routes import Routes
from softphone_web.schemas import InteractionPath
from softphone_web.schemas_desk import (
    CallPlaced,
    DispositionBody,
    DtmfBody,
    ParticipantBody,
    PlaceCallBody,
    ReasonBody,
    TextBody,
    TransferBody,
)

routes = Routes("/api/v1", tag="calls")


def _owners(hand: InHand) -> frozenset[AgentId]:
    return hand.owners


def _all_in_it(hand: InHand) -> frozenset[AgentId]:
    return hand.owners | hand.asked


def _who_writes(hand: InHand) -> frozenset[AgentId]:
    return hand.owners | hand.wrapping


CONTROL = (Permission.CALLS_HANDLE, Permission.CALLS_CONTROL)
CLASSIFY = (Permission.WRAP_UP_WRITE, Permission.CALLS_CONTROL)


async def order(
    call: Call,
    path: InteractionPath,
    name: str,
    make: Callable[[AgentId], inp.CallInput],
    who: Callable[[InHand], frozenset[AgentId]] = _owners,
) -> None:
    """`make` gives the order in the name of who asks; `who` says which agents may give it themselves."""
    async with may_order(call, path, name, who) as (interaction, by):
        await call.deps.calls.order(interaction, make(by))


@asynccontextmanager
async def may_order(
    call: Call, path: InteractionPath, name: str, who: Callable[[InHand], frozenset[AgentId]] = _owners
) -> AsyncIterator[tuple[InteractionId, AgentId]]:
    """The call, and in whose name: that of who asks; their identity, where they are no agent."""
    interaction = InteractionId(path.interaction)
    handlers = who(await call.deps.calls.in_hand(interaction))
    guard_live_call(call.who, call.agent, handlers)
    by = call.agent or AgentId(call.who.id)
    if call.agent in handlers:
        yield interaction, by
        return
    async with call.act(f"call.{name}", f"interaction:{interaction}"):
        yield interaction, by


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
    await order(call, path, "hangup", inp.AgentHangup, _all_in_it)


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


# --- given on, asked, together --------------------


@routes.post("/interactions/{interaction}/transfer", CONTROL, raises=(404, 409))
async def transfer_call(call: Call, path: InteractionPath, body: TransferBody) -> None:
    """Give the call on. Blind: to an agent, a queue or a number, and the agent is done. Attended: the citizen hears
    music while the agent asks an agent or a number; then `consult/...`. Attended to a queue is blind."""
    attended = body.kind == "attended" and body.to.kind is not Target.QUEUE
    async with may_order(call, path, "transfer") as (interaction, by):
        await call.deps.calls.transfer(interaction, by, body.to.kind, body.to.id, attended=attended)


@routes.post("/interactions/{interaction}/consult/complete", CONTROL, raises=(404, 409))
async def complete_consult(call: Call, path: InteractionPath) -> None:
    """The citizen is given to who was asked. 409 `consult.not_talking` before they have answered."""
    await order(call, path, "consult_complete", inp.ConsultComplete)


@routes.post("/interactions/{interaction}/consult/cancel", CONTROL, raises=(404, 409))
async def cancel_consult(call: Call, path: InteractionPath) -> None:
    """Back to the citizen; who was asked is let go."""
    await order(call, path, "consult_cancel", inp.ConsultCancel)


@routes.post("/interactions/{interaction}/consult/swap", CONTROL, raises=(404, 409))
async def swap_consult(call: Call, path: InteractionPath) -> None:
    """Speak with the other of the two; the one hears music meanwhile."""
    await order(call, path, "consult_swap", inp.ConsultSwap)


@routes.post("/interactions/{interaction}/consult/conference", CONTROL, raises=(404, 409))
async def begin_conference(call: Call, path: InteractionPath) -> None:
    """All three talk."""
    await order(call, path, "conference", inp.ConsultConference)


@routes.post("/interactions/{interaction}/conference/leave", CONTROL, raises=(404, 409))
async def leave_conference(call: Call, path: InteractionPath) -> None:
    """The agent goes, the others talk on."""
    await order(call, path, "conference_leave", inp.ConferenceLeave)


@routes.post("/interactions/{interaction}/conference/remove", CONTROL, raises=(404, 409))
async def remove_from_conference(call: Call, path: InteractionPath, body: ParticipantBody) -> None:
    """Who was asked goes; citizen and agent talk on."""
    await order(call, path, "conference_remove", lambda by: inp.ConferenceRemove(by, body.participant))


@routes.post("/interactions/{interaction}/supervisor-request", (Permission.CALLS_HANDLE,), raises=(404, 409))
async def ask_supervisor(call: Call, path: InteractionPath, body: TextBody) -> None:
    """Ask for a supervisor: an alert to all of them; what was written is kept with the call."""
    await order(call, path, "supervisor_request", lambda by: inp.AskSupervisor(by, body.text), _who_writes)


@routes.post("/calls", (Permission.CALLS_PLACE,), status=201, raises=(404, 409, 422))
async def place_call(call: Call, body: PlaceCallBody) -> CallPlaced:
    """Call a number from the agent's open leg: the agent hears it ring, the call is recorded. 409 `phone.leg_down`
    without a leg, `agent.busy` with a call in hand, `call.refused` where the rules of calls out say no."""
    agent = own_agent(call)
    return CallPlaced(interaction=await call.deps.calls.place(agent, body.number, body.queue, body.customer))


# --- what it was about --------------------


@routes.put("/interactions/{interaction}/disposition", CLASSIFY, raises=(404, 409, 422))
async def set_disposition(call: Call, path: InteractionPath, body: DispositionBody) -> None:
    """How the contact ended: a code of the call's queue (`GET /wrap-up-codes`). Also within a day after it is closed,
    where it lacks one that its queue wants."""
    async with may_order(call, path, "disposition", _who_writes) as (interaction, by):
        await call.deps.desks.check_disposition(interaction, body.code, None)
        await call.deps.calls.order(interaction, inp.Classify(by, disposition=body.code))


@routes.put("/interactions/{interaction}/reason", CLASSIFY, raises=(404, 409, 422))
async def set_reason(call: Call, path: InteractionPath, body: ReasonBody) -> None:
    """What the contact was about: a code of the call's queue."""
    async with may_order(call, path, "reason", _who_writes) as (interaction, by):
        await call.deps.desks.check_disposition(interaction, None, body.reason)
        await call.deps.calls.order(interaction, inp.Classify(by, reason=body.reason))
