"""The agent's desk: all of it in one answer, and the answers to offers."""

from __future__ import annotations

from callcontrol.model import AgentId, OfferId
from foundation.access import Permission
from foundation.errors import Conflict
from softphone_web.call import Call
from softphone_web.routes import Routes
from softphone_web.schemas_desk import (
    CodesOut,
    CodesQuery,
    DeskOut,
    OfferPath,
    ReasonsOut,
    RejectBody,
    codes_out,
    desk_out,
)

routes = Routes("/api/v1", tag="desk")

HANDLE = (Permission.CALLS_HANDLE,)


class NoAgent(Conflict):
    """Whoever asks may take calls, and is no agent: an administrator names one in their account."""

    code = "access.no_agent"


def own_agent(call: Call) -> AgentId:
    agent = call.agent
    if agent is None:
        raise NoAgent("Your account has no agent: ask an administrator to name one.")
    return agent


@routes.get("/me/desk", HANDLE, raises=(404, 409))
async def get_desk(call: Call) -> DeskOut:
    """All that the agent's page shows of work: state, phone, offers, calls in hand, wrap-ups.

    The live topic `desk` brings the same whenever something of it changes.
    """
    return desk_out(await call.deps.desks.view(own_agent(call)))


@routes.post("/offers/{offer}/accept", HANDLE, raises=(404, 409))
async def accept_offer(call: Call, path: OfferPath) -> None:
    """Take an offer: citizen and agent are joined at once. 409 `offer.over` where it is over."""
    await call.deps.desks.accept(own_agent(call), OfferId(path.offer))


@routes.post("/offers/{offer}/reject", HANDLE, raises=(404, 409))
async def reject_offer(call: Call, path: OfferPath, body: RejectBody) -> None:
    """Refuse an offer. The agent is then not ready."""
    await call.deps.desks.reject(own_agent(call), OfferId(path.offer), body.reason or "")


@routes.get("/wrap-up-codes", (Permission.CALLS_HANDLE, Permission.INTERACTIONS_READ))
async def list_wrap_up_codes(call: Call, query: CodesQuery) -> CodesOut:
    """What an agent may choose from after a contact of one queue: dispositions and contact reasons."""
    codes = call.deps.organisation.codes(query.queue)
    return CodesOut(
        required=codes.required, dispositions=codes_out(codes.dispositions), reasons=codes_out(codes.reasons)
    )


@routes.get("/not-ready-reasons", (Permission.CALLS_HANDLE, Permission.AGENTS_READ))
async def list_not_ready_reasons(call: Call) -> ReasonsOut:
    """Why an agent may be not ready."""
    return ReasonsOut(items=codes_out(call.deps.organisation.not_ready_reasons()))
