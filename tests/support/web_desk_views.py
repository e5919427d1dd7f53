"""What the twin of the desk's ports shows of calls: each agent's view, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcontrol.model import (
    AgentId,
    AgentState,
    Choice,
    Direction,
    InteractionId,
    Medium,
    OfferId,
    Role,
)
from foundation.clock import Clock
from pbx.terms import Supervision
from softphone_web import ports_desk as p

CITIZEN = "+593987654321"


@dataclass
class Card:
    """`by`: the colleague who asks; none for a citizen's."""

    id: OfferId
    agent: AgentId
    expires_at: float
    by: AgentId | None = None


@dataclass
class Call:
    """`asked`: a colleague, with a card until they take it. `there`: the citizen is. `wrapping`: until when."""

    id: InteractionId
    queue: str
    began: float
    direction: Direction = Direction.INBOUND
    number: str = CITIZEN
    card: Card | None = None
    owner: AgentId | None = None
    asked: AgentId | None = None
    phase: str = "queued"  # talking, consult, conference, dialing
    held: bool = False
    recording: str = "on"
    there: bool = True
    wrapping: dict[AgentId, float] = field(default_factory=dict)
    watchers: dict[AgentId, Supervision] = field(default_factory=dict)
    disposition: str | None = None


class Shown:
    """`titles` of the queues."""

    def __init__(self, clock: Clock, organisation: p.Organisation, titles: Mapping[str, str]) -> None:
        self.clock = clock
        self.people: dict[AgentId, p.DeskAgent] = {}
        self._organisation = organisation
        self._titles = titles

    def _signed_out(self, agent: AgentId, name: str, queues: tuple[str, ...]) -> p.DeskAgent:
        return p.DeskAgent(
            id=agent,
            name=name,
            state=AgentState.SIGNED_OUT,
            since=self.clock.now(),
            reason="",
            wanted=None,
            wanted_reason="",
            queues=queues,
        )

    def _person(self, agent: AgentId) -> p.DeskAgent:
        """Whom the organisation does not name is there all the same: an account names them."""
        return self.people.get(agent) or self._signed_out(agent, agent, ())

    def _offer_view(self, call: Call, card: Card) -> p.OfferView:
        return p.OfferView(
            id=card.id,
            kind="offer" if card.by is None else "consult",
            by=card.by,
            interaction=call.id,
            medium=Medium.VOICE,
            queue=call.queue,
            queue_title=self._titles[call.queue],
            reason="sin servicio",
            priority=0,
            from_address=call.number,
            from_name="Rosa Quito",
            waited_s=self.clock.now() - call.began,
            path=(Choice("motivo", "1", "Agua potable"),),
            expires_at=card.expires_at,
            auto_accept=False,
        )

    def _item(self, call: Call, agent: AgentId) -> p.ItemView:
        out = call.direction is Direction.OUTBOUND
        aside = call.held or call.phase == "consult"
        customer = p.LegView(
            participant="c",
            role=Role.CUSTOMER,
            name="Rosa Quito",
            address=call.number,
            state="ringing" if call.phase == "dialing" else "held" if aside else "talking",
            agent=None,
        )
        consult = None if call.asked is None else self._leg(call.asked, "talking" if self._in_it(call) else "ringing")
        owner = [] if call.owner is None else [self._leg(call.owner, "talking")]
        return p.ItemView(
            interaction=call.id,
            medium=Medium.VOICE,
            direction=call.direction,
            phase=call.phase,
            from_address="072831900" if out else call.number,
            from_name="Rosa Quito",
            to_address=call.number if out else "072831900",
            queue=call.queue,
            queue_title=self._titles[call.queue],
            reason="",
            connected_at=None if call.phase == "dialing" else call.began,
            held=call.held,
            recording=call.recording,
            legs=[customer, *owner, *([] if consult is None else [consult])],
            consult=consult,
            supervised="barge" if Supervision.BARGE in call.watchers.values() else None,
            mine=agent == call.owner,
        )

    def _leg(self, agent: AgentId, state: str) -> p.LegView:
        known = self.people.get(agent)
        name = agent if known is None else known.name
        return p.LegView(participant=f"p-{agent}", role=Role.AGENT, name=name, address="1001", state=state, agent=agent)

    def _wrap_up(self, call: Call, until: float) -> p.WrapUpView:
        return p.WrapUpView(
            interaction=call.id,
            queue=call.queue,
            until=until if until > self.clock.now() else None,
            disposition=call.disposition,
            codes=self._organisation.codes(call.queue),
        )

    def _in_it(self, call: Call) -> AgentId | None:
        """The colleague who was asked, once they have taken it."""
        return call.asked if call.card is None else None
