"""What people ask of calls, from their pages: answers to offers, and orders to a call. Each returns when it is done, or
raises why it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.model import AgentId, InteractionId, OfferEnd, OfferId
from callcontrol.routing import terms as routing
from foundation.clock import Clock
from foundation.errors import NotFound
from foundation.logs import get_logger

if TYPE_CHECKING:
    from callcontrol.daemon import Daemon

log = get_logger(__name__)


class OfferOverAlready(NotNow):
    """It expired, was withdrawn, or another page of the same agent answered it."""

    code = "offer.over"


class LegDown(NotNow):
    """The agent's open leg is not up."""

    code = "phone.leg_down"


class Orders:
    def __init__(self, daemon: Daemon, clock: Clock) -> None:
        self._daemon = daemon
        self._clock = clock

    def accept(self, agent: AgentId, offer: OfferId) -> None:
        """Exactly one answer counts: the router takes the first, and nothing runs between the question and it."""
        self._offered_to(agent, offer)
        if self._daemon.open_legs.of(agent) is None:
            raise LegDown("the audio leg of this agent is down", agent=agent)
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

    async def order(self, call: InteractionId, order: inp.CallInput) -> None:
        """To a call that goes on. Raises `NotFound`, `NotNow`, or what the switch refused it with."""
        session = self._daemon.sessions.get(call)
        if session is None:
            raise NotFound("no such call goes on", interaction=call)
        await session.ask(order)
