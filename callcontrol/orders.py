"""What people ask of calls, from their pages: answers to offers, and orders to a call. Each returns when it is done, or
raises why it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId, Phase
from callcontrol.routing import terms as routing
from foundation.clock import Clock
from foundation.errors import NotFound, Unavailable
from foundation.logs import get_logger
from pbx.terms import Supervision, SwitchError, SwitchUnreachable

if TYPE_CHECKING:
    from callcontrol.daemon import Daemon

T = TypeVar("T")
log = get_logger(__name__)


class OfferOverAlready(NotNow):
    """It expired, was withdrawn, or another page of the same agent answered it."""

    code = "offer.over"


class LegDown(NotNow):
    """The agent's open leg is not up."""

    code = "phone.leg_down"


class Busy(NotNow):
    code = "agent.busy"


class NotSignedIn(NotNow):
    code = "agent.signed_out"


class NotAvailable(NotNow):
    code = "agent.not_available"


class Refused(NotNow):
    """The switch, or the rules of calls out, said no; the code is theirs."""

    code = "call.refused"


# How long an order waits for a leg that the switch is answering right now.
LEG_WITHIN_S = 2.0

TALKS = frozenset({Phase.CONNECTING, Phase.TALKING, Phase.TRANSFER, Phase.CONSULT, Phase.CONFERENCE, Phase.DIALING})


class Orders:
    def __init__(self, daemon: Daemon, clock: Clock) -> None:
        self._daemon = daemon
        self._clock = clock

    def accept(self, agent: AgentId, offer: OfferId) -> None:
        """Exactly one answer counts: the router takes the first, and nothing runs between the question and it."""
        self._offered_to(agent, offer)
        self._leg(agent)
        self._answer(offer, OfferEnd.ACCEPTED)

    def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None:
        self._offered_to(agent, offer)
        self._answer(offer, OfferEnd.REJECTED, reason)

    def _answer(self, offer: OfferId, how: OfferEnd, detail: str = "") -> None:
        self._daemon.desk.tell(routing.OfferAnswered(at=self._clock.now(), offer=offer, how=how, detail=detail))

    def _offered_to(self, agent: AgentId, offer: OfferId) -> None:
        view = self._daemon.desk.router.agents.get(agent)
        if view is None or view.offer != offer:
            raise OfferOverAlready("this offer is over", offer=offer)

    async def place(self, agent: AgentId, number: str, queue: str | None, customer: str | None = None) -> InteractionId:
        """A call out from the agent's open leg. Returns when it is being dialled."""
        await self.leg_settled(agent)
        leg = self._leg(agent)
        self.check_free(agent)
        return await _refusals_told(self._daemon.call_out(inp.PlaceCall(agent, leg, number, queue, customer)))

    async def supervise(self, by: AgentId, call: InteractionId, mode: Supervision) -> None:
        await self.leg_settled(by)
        leg = self._leg(by)
        self._check_alone(by, call)
        await self.order(call, inp.Supervise(by, leg, mode))

    async def leave_supervision(self, agent: AgentId) -> None:
        """Whoever takes a call leaves those they only listen to: it is one leg."""
        for session in list(self._daemon.sessions.values()):
            if agent in session.state.watchers:
                with contextlib.suppress(NotNow):  # the talk ended in that instant
                    await session.ask(inp.StopSupervising(agent))

    async def take_over(self, by: AgentId, call: InteractionId) -> None:
        await self.leg_settled(by)
        leg = self._leg(by)
        self._check_alone(by, call)
        await self.order(call, inp.TakeOver(by, leg))

    def _check_alone(self, agent: AgentId, call: InteractionId) -> None:
        """Their leg is in no other call, and no call is being offered to them."""
        for other, session in self._daemon.sessions.items():
            state = session.state
            in_it = agent in state.watchers or (agent == state.agent and state.phase in TALKS)
            if other != call and in_it:
                raise Busy("your audio leg is in another call", interaction=other)

    def check_free(self, agent: AgentId) -> None:
        """No call in hand, and none being offered: wrap-ups and other media may be."""
        view = self._daemon.desk.router.agents.get(agent)
        if view is None or view.state is AgentState.SIGNED_OUT:
            raise NotSignedIn("this agent is not signed in", agent=agent)
        if view.offer is not None or any(w.until is None and w.medium is Medium.VOICE for w in view.works.values()):
            raise Busy("this agent has a call in hand, or is offered one", agent=agent)

    def check_ready(self, agent: AgentId) -> None:
        """Somebody who would be offered a call now."""
        view = self._daemon.desk.router.agents.get(agent)
        state = AgentState.SIGNED_OUT if view is None else view.state
        if state is not AgentState.READY:
            raise NotAvailable("this agent is not ready", agent=agent, state=state.value)

    async def leg_settled(self, agent: AgentId) -> None:
        """Before an order that needs the agent's leg. A page has the switch's answer in its hands, and asks, a moment
        before the switch's own event of it is here: that is no leg that is down."""
        settled = self._daemon.open_legs.settled(agent)
        late = self._clock.call_later(LEG_WITHIN_S, lambda: _give_up(settled))
        try:
            await asyncio.wait([settled])  # cancelled or done: what there is then counts
        finally:
            late.cancel()
            settled.cancel()

    def _leg(self, agent: AgentId) -> str:
        leg = self._daemon.open_legs.of(agent)
        if leg is None:
            raise LegDown("the audio leg of this agent is down", agent=agent)
        return leg

    async def order(self, call: InteractionId, order: inp.CallInput) -> None:
        """To a call that goes on. Raises `NotFound`, `NotNow`, or what the switch refused it with."""
        session = self._daemon.sessions.get(call)
        if session is None:
            raise NotFound("no such call goes on", interaction=call)
        await _refusals_told(session.ask(order))


def _give_up(waited_for: asyncio.Future[None]) -> None:
    waited_for.cancel()


async def _refusals_told(work: Awaitable[T]) -> T:
    try:
        return await work
    except SwitchUnreachable as error:
        raise Unavailable("the switch does not answer now") from error
    except SwitchError as error:
        raise Refused(error.message, why=error.code) from error
