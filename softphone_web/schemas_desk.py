"""The desk and its orders as the API tells and takes them. Personal data only of the agent's own calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from callcontrol.model import AgentState, Direction, Medium, PhoneKind, Role, Target
from pbx.terms import Supervision
from softphone_web import ports_desk as p
from softphone_web.routes import Model
from softphone_web.schemas import Id, Number, Reason, at, maybe_at
from softphone_web.texts import lines

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9A-D*#]{1,32}$")]


class DeskAgentOut(Model):
    id: str
    name: str
    state: AgentState
    since: datetime
    reason: str | None
    wanted: AgentState | None = Field(description="asked for during work, taken up after it")
    wanted_reason: str | None
    queues: list[str]


class PhoneOut(Model):
    kind: PhoneKind
    leg: Literal["up", "down"] = Field(description="the open audio leg")
    endpoint: str | None
    online: bool | None


class ChoiceOut(Model):
    node: str
    option: str
    title: str


class OfferOut(Model):
    id: str
    kind: Literal["offer", "consult"]
    by: str | None = Field(description="the colleague who asks, of a consult")
    interaction: str
    medium: Medium
    queue: str
    queue_title: str
    reason: str
    priority: int
    from_address: str
    from_name: str
    waited_s: float
    path: list[ChoiceOut] = Field(description="what they chose in the menus")
    expires_at: datetime
    auto_accept: bool


class LegOut(Model):
    participant: str
    role: Role
    name: str
    address: str
    state: Literal["ringing", "talking", "held", "away"]
    agent: str | None


class ItemOut(Model):
    interaction: str
    medium: Medium
    direction: Direction
    phase: str
    from_address: str
    from_name: str
    to_address: str
    queue: str
    queue_title: str
    reason: str
    connected_at: datetime | None
    held: bool
    recording: Literal["on", "paused", "off"]
    legs: list[LegOut]
    consult: LegOut | None
    supervised: str | None
    mine: bool = Field(description="false for a colleague who was asked")


class CodeOut(Model):
    code: str
    title: str


class WrapUpOut(Model):
    interaction: str
    queue: str
    until: datetime | None = Field(description="null: its time ran out, and its queue wants to know how it ended")
    disposition: str | None
    disposition_required: bool
    dispositions: list[CodeOut]
    reasons: list[CodeOut]


class SupervisingOut(Model):
    interaction: str
    mode: Supervision


class DeskOut(Model):
    agent: DeskAgentOut
    phone: PhoneOut
    offers: list[OfferOut]
    items: list[ItemOut]
    wrap_ups: list[WrapUpOut]
    supervising: SupervisingOut | None = Field(description="the call that a supervisor listens to or speaks in")
    measured_at: datetime


class CodesQuery(Model):
    queue: Id | None = None


class CodesOut(Model):
    required: bool
    dispositions: list[CodeOut]
    reasons: list[CodeOut]


class ReasonsOut(Model):
    items: list[CodeOut]


class OfferPath(Model):
    offer: Id


class RejectBody(Model):
    reason: Reason | None = None


class DtmfBody(Model):
    digits: Digits


class TargetBody(Model):
    kind: Target
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+*#][A-Za-z0-9_.*#@-]{0,63}$")] = Field(
        description="an agent's or a queue's name, or a number"
    )


class TransferBody(Model):
    kind: Literal["blind", "attended"]
    to: TargetBody


class ParticipantBody(Model):
    participant: Id


class SuperviseBody(Model):
    mode: Supervision


class TextBody(Model):
    text: Annotated[str, lines(500)]


class PlaceCallBody(Model):
    number: Number
    queue: Id | None = Field(default=None, description="for which it is made: the agent's first by default")
    customer: Id | None = Field(default=None, description="whom it is for, by their document: theirs is the card")


class CallPlaced(Model):
    interaction: str


class DispositionBody(Model):
    code: Reason


class ReasonBody(Model):
    reason: Reason


class ExtendBody(Model):
    seconds: float = Field(gt=0, le=3600)
    interaction: Id | None = None


def codes_out(codes: Mapping[str, str]) -> list[CodeOut]:
    return [CodeOut(code=code, title=title) for code, title in codes.items()]


def _leg(leg: p.LegView) -> LegOut:
    return LegOut.model_validate(
        {
            "participant": leg.participant,
            "role": leg.role,
            "name": leg.name,
            "address": leg.address,
            "state": leg.state,
            "agent": leg.agent,
        }
    )


def _offer(offer: p.OfferView) -> OfferOut:
    return OfferOut.model_validate(
        {
            "id": offer.id,
            "kind": offer.kind,
            "by": offer.by,
            "interaction": offer.interaction,
            "medium": offer.medium,
            "queue": offer.queue,
            "queue_title": offer.queue_title,
            "reason": offer.reason,
            "priority": offer.priority,
            "from_address": offer.from_address,
            "from_name": offer.from_name,
            "waited_s": round(offer.waited_s, 1),
            "path": [{"node": one.node, "option": one.option, "title": one.title} for one in offer.path],
            "expires_at": at(offer.expires_at),
            "auto_accept": offer.auto_accept,
        }
    )


def _item(item: p.ItemView) -> ItemOut:
    return ItemOut.model_validate(
        {
            "interaction": item.interaction,
            "medium": item.medium,
            "direction": item.direction,
            "phase": item.phase,
            "from_address": item.from_address,
            "from_name": item.from_name,
            "to_address": item.to_address,
            "queue": item.queue,
            "queue_title": item.queue_title,
            "reason": item.reason,
            "connected_at": maybe_at(item.connected_at),
            "held": item.held,
            "recording": item.recording,
            "legs": [_leg(leg) for leg in item.legs],
            "consult": None if item.consult is None else _leg(item.consult),
            "supervised": item.supervised,
            "mine": item.mine,
        }
    )


def _wrap_up(view: p.WrapUpView) -> WrapUpOut:
    return WrapUpOut(
        interaction=view.interaction,
        queue=view.queue,
        until=maybe_at(view.until),
        disposition=view.disposition,
        disposition_required=view.codes.required,
        dispositions=codes_out(view.codes.dispositions),
        reasons=codes_out(view.codes.reasons),
    )


def desk_out(view: p.DeskView) -> DeskOut:
    agent, phone = view.agent, view.phone
    return DeskOut(
        agent=DeskAgentOut(
            id=agent.id,
            name=agent.name,
            state=agent.state,
            since=at(agent.since),
            reason=agent.reason or None,
            wanted=agent.wanted,
            wanted_reason=agent.wanted_reason or None,
            queues=list(agent.queues),
        ),
        phone=PhoneOut(
            kind=phone.kind, leg="up" if phone.leg_up else "down", endpoint=phone.endpoint, online=phone.online
        ),
        offers=[_offer(offer) for offer in view.offers],
        items=[_item(item) for item in view.items],
        wrap_ups=[_wrap_up(one) for one in view.wrap_ups],
        supervising=None
        if view.supervising is None
        else SupervisingOut(interaction=view.supervising[0], mode=view.supervising[1]),
        measured_at=at(view.measured_at),
    )
