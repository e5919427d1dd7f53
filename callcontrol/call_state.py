"""The state of one call and the turn in which it is changed. Pure: no clock, no loop, no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from callcontrol import events as ev
from callcontrol.callbacks import CallbackOrder
from callcontrol.commands import Command, EndWork
from callcontrol.model import AgentId, InteractionId, OfferId, ParticipantId, Phase, Target
from foundation.errors import Conflict
from ivr_flows import protocol as flow
from pbx.terms import Supervision

# A page that is loaded anew is back within five seconds; a laptop that changes its network within twenty.
GRACE_S = 30.0


class NotNow(Conflict):
    """The call is not in a state for what somebody asked of it; nothing has changed."""

    code = "call.not_now"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller is leaving in a mailbox: first its prompt is played, then it is recorded. `stopping`: we ended it.
    `seconds`: it is over, and so long (0: nothing was kept); the hang-up that ends most of them may follow."""

    id: str
    path: str
    mailbox: str
    max_s: float = 0.0
    recording: bool = False
    stopping: bool = False
    seconds: float | None = None


class Onward(msgspec.Struct, frozen=True, kw_only=True):
    """The leg of somebody whom the flow connects the caller with."""

    channel: str
    participant: ParticipantId
    talks: bool = False

    def talking(self) -> Onward:
        return replace(self, talks=True)


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A promise to call, and how often it was tried to keep it. `reached`: it is a call like any other now."""

    attempts: int
    retry_s: float
    ring_s: float
    tried: int = 0
    schedules: int = 0
    due: float | None = None
    reached: bool = False

    def scheduled(self, at: float) -> Callback:
        return replace(self, due=at, schedules=self.schedules + 1)

    def dialled(self) -> Callback:
        return replace(self, tried=self.tried + 1, due=None)

    def answered(self) -> Callback:
        return replace(self, reached=True)


class Consult(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the agent asks, beside the citizen: a colleague, through the router, or a number.

    `item` is the router's name of a colleague's part. `state`: asked, ringing, talking. `with_customer`: the agent has
    gone back to the citizen for the moment, and this one hears music."""

    participant: ParticipantId
    kind: Target
    to: str
    item: str = ""
    agent: AgentId | None = None
    offer: OfferId | None = None
    channel: str | None = None
    is_open: bool = False
    state: str = "asked"
    with_customer: bool = False

    @property
    def talks(self) -> bool:
        return self.state == "talking"


class Watcher(msgspec.Struct, frozen=True):
    """A supervisor who listens, whispers or speaks, from their own open leg."""

    channel: str
    mode: Supervision


class FlowRef(msgspec.Struct, frozen=True):
    name: str
    version: str


class Flows(Protocol):
    """What a call needs of the flows. A cursor is a flow's own state: plain JSON, opaque here, never changed in place.
    A call goes on in the version in which it began. `at` is unix seconds; the actions are `ivr_flows.protocol`'s.
    The twin is in ``tests/support/flow_twin.py``."""

    def choose(self, to_number: str) -> FlowRef | None: ...
    def begin(
        self, ref: FlowRef, facts: Mapping[str, object], at: float
    ) -> tuple[dict[str, Any], Sequence[flow.Action]]:
        """Raises `NoFlow` for what is not there."""
        ...

    def step(self, cursor: dict[str, Any], told: flow.Input, at: float) -> tuple[dict[str, Any], Sequence[flow.Action]]:
        """Raises `ivr_flows.faults.UnexpectedInput` for what the flow does not wait for; `Resume` asks again."""
        ...


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a restarted daemon must know to go on with the call; stored with its events.

    `leaving` are agent legs told to hang up and not yet gone. `working` is the agent whom the router holds for this
    call, from the accepted offer to the begin of the wrap-up; `wrapping` are those who wrap up, and until when: beside
    a flow that goes on, and beside a next agent.
    """

    id: InteractionId
    phase: Phase = Phase.ARRIVING
    channel: str = ""
    customer_up: bool = False
    answered: bool = False
    from_number: str = ""
    flow: dict[str, Any] | None = None
    prompt: str | None = None  # the playback that the flow waits for
    collecting: bool = False
    keys_since: float = 0.0  # what was pressed later, and was for nothing else, is for the next question
    bot: str = ""  # the talk with a bot that goes on now
    bots: int = 0  # talks with bots so far
    question: str = ""  # the playback of the question that is asked, or was last
    queue: str | None = None
    queued_at: float = 0.0  # the first time: the place in the line
    waits_since: float = 0.0  # this time
    priority: int = 0
    skills: dict[str, int] = {}
    criticality: str = ""
    target_s: float | None = None
    preferred: tuple[AgentId, ...] = ()
    owed: CallbackOrder | None = None  # promised to the caller, and not yet known to be kept by a call of its own
    reason: str = ""
    music: str = "default"
    give_up_at: float | None = None
    offers_made: int = 0
    hand: AgentId | None = None  # to whom a supervisor assigned it
    offer: OfferId | None = None
    agent: AgentId | None = None
    agent_channel: str | None = None
    agent_participant: ParticipantId | None = None
    leaving: tuple[str, ...] = ()
    far: str | None = None  # the leg of a third party
    far_participant: ParticipantId | None = None
    far_up: bool = False
    working: AgentId | None = None
    wrapping: dict[AgentId, float] = {}
    held: bool = False
    disposed: bool = False  # an agent has said how it ended
    hangup_by: str | None = None  # who asked for the end, when it was one of us
    recording: str | None = None
    recording_path: str | None = None
    legs: int = 0
    # What the flow has asked for, beyond prompts and keys
    asides: tuple[str, ...] = ()  # the words for a person, heard beside what goes on now
    language: str = "es"  # in which they are said
    asked: dict[str, Any] | None = None  # the Request or Enqueue, as `ivr_flows.state.action_to_json` writes it
    request: str | None = None  # the one whose answer is waited for
    requests: int = 0
    comforting: str | None = None  # the playback that interrupts the music
    comforts: int = 0
    reassuring: bool = False  # the next word on the place is for a caller who asked for a person
    reassured_at: float | None = None
    message: Message | None = None
    callback: Callback | None = None
    left_queue: str | None = None  # the last one it waited in: a callback into it keeps the place
    onward: Onward | None = None
    record_allowed: bool = True
    agent_open: bool = False  # `agent_channel` is the agent's open leg: never hung up by a call, only parted
    away: bool = False  # the agent's open leg went down in the talk; the next one is joined again
    aways: int = 0
    grace_s: float = GRACE_S  # for an agent's open leg to come back, once it went down in the talk
    consult: Consult | None = None
    consults: int = 0
    others: dict[AgentId, str] = {}  # agents beside `working` whom the router holds for this call, by its item's name
    items: dict[AgentId, str] = {}  # where the router knows an agent's part by another name than the call's
    handed: bool = False  # `hand` was chosen by an agent: when that one does not take it, the queue does
    hands: int = 0
    watchers: dict[AgentId, Watcher] = {}
    playbacks: int = 0
    recordings: int = 0


class Turn:
    """One step under way: the state so far, the facts to be written, the commands to be carried out."""

    __slots__ = ("at", "commands", "facts", "flows", "s")

    def __init__(self, state: CallState, at: float, flows: Flows) -> None:
        self.s = state
        self.at = at
        self.flows = flows
        self.facts: list[ev.AnyFact] = []
        self.commands: list[Command] = []

    def set(self, **change: Any) -> None:
        self.s = replace(self.s, **change)

    def fact(self, fact: ev.AnyFact) -> None:
        self.facts.append(fact)

    def do(self, *commands: Command) -> None:
        self.commands.extend(commands)

    def end_work(self, agent: AgentId) -> None:
        """The agent's share is done, under whatever name the router has it."""
        self.do(EndWork(agent, self.s.items.get(agent, "")))

    # Ids are counted, not drawn: the same events give the same ids, in a replay too.

    def new_leg(self) -> tuple[str, ParticipantId]:
        n = self.s.legs + 1
        self.set(legs=n)
        return f"{self.s.id}-leg{n}", ParticipantId(f"{self.s.id}.p{n}")

    def new_playback(self) -> str:
        n = self.s.playbacks + 1
        self.set(playbacks=n)
        return f"{self.s.id}-play{n}"

    def new_recording(self) -> tuple[str, str]:
        n = self.s.recordings + 1
        self.set(recordings=n)
        key = f"{self.s.id}-rec{n}"
        day = dt.datetime.fromtimestamp(self.at, dt.UTC).strftime("%Y/%m/%d")
        return key, f"{day}/{key}.wav"

    @property
    def customer(self) -> ParticipantId:
        return ParticipantId(f"{self.s.id}.c")


def open_channels(state: CallState) -> tuple[str, ...]:
    """The open legs of agents that this call uses now: what happens to them is told to it."""
    consult = state.consult
    legs = (
        state.agent_channel if state.agent_open else None,
        consult.channel if consult is not None and consult.is_open else None,
        *(watcher.channel for watcher in state.watchers.values()),
    )
    return tuple(leg for leg in legs if leg is not None)


def without(held: dict[AgentId, str], agent: AgentId) -> dict[AgentId, str]:
    return {other: item for other, item in held.items() if other != agent}


def waiting_of(state: CallState) -> bool:
    """Whether the router has this call in a line now."""
    return state.phase is Phase.QUEUED and state.queue is not None
