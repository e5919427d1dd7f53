"""The sections `queues`, `agents`, `calls` and `customer_systems` of the settings."""

from __future__ import annotations

from pydantic import Field

from callcontrol.bot_dialogue import TURN_S
from callcontrol.call_state import GRACE_S
from callcontrol.model import PhoneKind
from callcontrol.routing.bounds import Id, MaxWaitSeconds, OfferSeconds, WrapUpSeconds
from callcontrol.routing.terms import QueueRules
from foundation.settings import Secret, Section
from pbx.settings import Name


class Queue(Section):
    name: Id
    title: str = ""
    offer_s: OfferSeconds = Field(default=20.0, description="how long a call rings at one agent")
    wrap_up_s: WrapUpSeconds = 30.0
    max_wait_s: MaxWaitSeconds | None = None

    @property
    def rules(self) -> QueueRules:
        return QueueRules(name=self.name, offer_s=self.offer_s, wrap_up_s=self.wrap_up_s, max_wait_s=self.max_wait_s)


class Agent(Section):
    id: Id
    name: str
    phone: Name | None = Field(default=None, description="the phone (pbx.phones) that rings for this agent")
    phone_kind: PhoneKind | None = Field(
        default=None,
        description="desk: that phone rings; web: an open audio leg; desk where there is a phone",
    )
    queues: list[Id] = Field(min_length=1)

    @property
    def kind(self) -> PhoneKind:
        return self.phone_kind or (PhoneKind.WEB if self.phone is None else PhoneKind.DESK)


class CallSettings(Section):
    """What holds for all calls."""

    grace_s: float = Field(
        default=GRACE_S,
        ge=1,
        le=600,
        description="how long a citizen hears music until the agent's page, gone in mid call, is back; then they wait "
        "again, first in line. Who was ready and is back within it is ready again",
    )


class CustomerSystem(Section):
    """A system of the customer's that flows may ask, by its name (``system: clientes``)."""

    name: Name
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", description="what stands before the paths of flows")
    headers: dict[str, Secret] = Field(default={}, description="sent with every request: tokens, keys")


class Bot(Section):
    """A bot that flows may hand callers to, by its name; `docs/bots.md` has the protocol."""

    name: Name
    url: str = Field(pattern=r"^https?://[^\s@]+$", description="of one turn, asked by POST")
    token: Secret | None = Field(default=None, description="sent as a bearer token")
    turn_s: float = Field(
        default=TURN_S,
        ge=1,
        le=30,
        description="how long it may think about one turn; meanwhile the caller hears that somebody is there",
    )


class CustomerSystemSettings(Section):
    systems: list[CustomerSystem] = []
    secrets: dict[Name, Secret] = Field(default={}, description="that flows name in their requests")
    direct: bool = Field(default=True, description="flows may also ask whole addresses, without a system")
    breaker_failures: int = Field(default=5, ge=1, le=100, description="in a row, and a system is left alone")
    breaker_rest_s: float = Field(default=20.0, gt=0, le=3600)
