"""Who is in a call now and what each of them does, for those who look at it."""

from __future__ import annotations

from dataclasses import dataclass

from callcontrol.call_state import CallState
from callcontrol.model import AgentId, Interaction, Participant, Phase, Role


@dataclass(frozen=True, slots=True)
class DeskLeg:
    """`state`: ringing, talking, held, away."""

    participant: str
    role: Role
    address: str
    agent: AgentId | None
    state: str


def legs_on_desk(state: CallState, record: Interaction) -> list[DeskLeg]:
    here = [who for who in record.participants if who.left_at is None]
    return [DeskLeg(who.id, who.role, who.address, who.agent, _state(state, who)) for who in here]


def _state(state: CallState, who: Participant) -> str:
    consult = state.consult
    if who.role is Role.CUSTOMER:
        aside = consult is not None and state.phase is Phase.CONSULT and not consult.with_customer
        if state.phase is Phase.DIALING:
            return "ringing"
        return "held" if state.held or aside or (state.away and state.phase is not Phase.CONFERENCE) else "talking"
    if consult is not None and who.id == consult.participant:
        if not consult.talks:
            return "ringing"
        return "held" if consult.with_customer and state.phase is Phase.CONSULT else "talking"
    if who.id == state.agent_participant:
        return "away" if state.away else "talking"
    if who.id == state.far_participant:
        return "talking" if state.far_up else "ringing"
    return "talking"
