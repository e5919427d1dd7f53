"""Trying a flow from a page: rehearsals by the hand of whoever edits it, kept in memory, bounded and forgotten."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.errors import Invalid, NotFound, TooMany
from ivr_flows import protocol as p
from ivr_flows.engine import Find
from ivr_flows.faults import UnexpectedInput
from ivr_flows.flow import Flow
from ivr_flows.nodes.menu import Menu
from ivr_flows.rehearsal import FAULT, BotPlayer, NotWaitedFor, Rehearsal, prompts_of, spoken, told_fault

MOST_SESSIONS = 200
MOST_OF_ONE = 10  # the oldest of one person makes room
FORGOTTEN_AFTER_S = 30 * 60.0
MOST_INPUTS = 2000  # of one session: nobody's hand presses more


@dataclass(frozen=True, slots=True)
class Said:
    """`kind` is text, file (recorded, here by its words), tone, or fault: that nobody hears; it says where and why."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be given now: the input's field and its value, and what it means."""

    field: str
    value: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was said since the last input, and what is waited for: keys, queue, system, message, transfer, bot (played
    by hand), talk (a bot that answers by itself) or nothing."""

    session: str
    said: tuple[Said, ...]
    waits_for: str
    detail: str
    choices: tuple[Choice, ...]
    path: tuple[str, ...]
    node: str
    variables: Mapping[str, Any]
    over: bool


@dataclass(slots=True)
class _Session:
    call: Rehearsal
    touched: float
    told: int = 0
    inputs: int = 0
    owner: str = ""
    busy: bool = False


@dataclass(slots=True)
class TryRoom:
    """Each session belongs to who began it. Time comes with each call, in unix seconds. Several threads may call: where
    a bot answers by itself, `begin` and `tell` take as long as it does."""

    _sessions: dict[str, _Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(
        self,
        flow: Flow,
        find: Find,
        *,
        caller: str,
        owner: str,
        now: float,
        at: float | None = None,
        bots: BotPlayer | None = None,
    ) -> Standing:
        """A call from `caller` to this flow, at that time (`now` without); its bots are played by hand without `bots`.
        Raises `TooMany`."""
        facts = {"from": caller, "to": "072831900", "name": "", "trunk": "prueba"}
        call = Rehearsal(flow, find, facts, at=now if at is None else at, bots=bots)
        key = secrets.token_urlsafe(12)
        session = _Session(call, now, owner=owner, busy=True)
        with self._lock:
            self._make_room(owner, now)
            self._sessions[key] = session
        try:
            call.begin()
            return self._standing(key, session)
        finally:
            session.busy = False

    def _make_room(self, owner: str, now: float) -> None:
        self._forget(now)
        mine = [key for key, each in self._sessions.items() if each.owner == owner]
        for key in mine[: max(0, len(mine) - MOST_OF_ONE + 1)]:
            del self._sessions[key]
        if len(self._sessions) >= MOST_SESSIONS:
            raise TooMany("Too many flows are being tried at once.", retry_after_s=60)

    def tell(self, key: str, given: Mapping[str, Any], *, owner: str, now: float) -> Standing:
        """One input: digits, text, silence, hangup, or the others' `answer` (of a system, a queue, a transfer, a
        message or a bot). Raises `NotFound` and `Invalid`."""
        session = self._taken(key, owner, now)
        try:
            session.call.pass_time(now - session.touched)
            session.touched, session.inputs = now, session.inputs + 1
            _tell(session.call, given)
            return self._standing(key, session)
        except (NotWaitedFor, UnexpectedInput, ValueError) as error:
            raise Invalid(f"That cannot be told now: {error}", node=session.call.state.node) from error
        finally:
            session.busy = False

    def _taken(self, key: str, owner: str, now: float) -> _Session:
        with self._lock:
            self._forget(now)
            session = self._sessions.get(key)
            if session is None or session.owner != owner:
                raise NotFound("There is no such trial; it may have been forgotten.")
            if session.inputs >= MOST_INPUTS:
                raise Invalid("This trial is over; begin another one.")
            if session.busy:
                raise Invalid("The bot has not answered yet.")
            session.busy = True
            return session

    def _forget(self, now: float) -> None:
        for key in [k for k, each in self._sessions.items() if now - each.touched > FORGOTTEN_AFTER_S]:
            del self._sessions[key]

    def _standing(self, key: str, session: _Session) -> Standing:
        call = session.call
        call.let_it_speak()
        fresh = call.done[session.told :]
        session.told = len(call.done)
        if call.is_over:
            with self._lock:
                self._sessions.pop(key, None)
        return Standing(
            session=key,
            said=tuple(said for action in fresh for said in _told(action)),
            waits_for="talk" if call.bot_talks is not None else _WAITS_FOR[type(call.waits)],
            detail=call.standing(),
            choices=tuple(_choices(call)),
            path=tuple(call.path),
            node=call.state.node,
            variables=dict(call.state.variables),
            over=call.is_over,
        )


def _told(action: p.Action) -> list[Said]:
    if isinstance(action, p.Note):
        return [Said("fault", told_fault(action))] if action.kind == FAULT else []
    return [_said(prompt) for prompt in prompts_of(action)]


def _said(prompt: p.Prompt) -> Said:
    kind = {p.PromptText: "text", p.PromptFile: "file", p.PromptTone: "tone"}[type(prompt)]
    return Said(kind, spoken(prompt))


_WAITS_FOR: Mapping[Any, str] = {
    p.Answer: "answer",
    p.Play: "prompt",
    p.Collect: "keys",
    p.Enqueue: "queue",
    p.Request: "system",
    p.Record: "message",
    p.Transfer: "transfer",
    p.Converse: "bot",
    type(None): "nothing",
}


def _choices(call: Rehearsal) -> list[Choice]:
    if call.bot_talks is not None:
        return [Choice("text", phrase, phrase) for phrase in call.bot_talks.phrases]
    match call.waits:
        case p.Collect() as asked:
            return [*_options(call), *(Choice("text", phrase, phrase) for phrase in asked.phrases)]
        case p.Enqueue() as asked:
            exits = [Choice("digits", key, f"sale de la cola con {key}") for key in asked.exits]
            return [
                *(Choice("answer.queue", how.value, how.value) for how in p.QueueExit if how.value != "digit"),
                *exits,
            ]
        case p.Transfer():
            return [Choice("answer.transfer", how.value, how.value) for how in p.TransferExit]
        case p.Converse():
            return [Choice("answer.bot", how.value, how.value) for how in p.BotExit]
        case p.Request():
            return [Choice("answer.failure", how.value, how.value) for how in p.Failure]
        case _:
            return []


def _options(call: Rehearsal) -> list[Choice]:
    flow = call.find(call.state.flow, call.state.version) or call.flow
    node = flow.nodes.get(call.state.node)
    if not isinstance(node, Menu):
        return []
    return [Choice("digits", key, each.name or str(each.to)) for key, each in node.options.items()]


def _tell(call: Rehearsal, given: Mapping[str, Any]) -> None:
    if len(given) != 1:
        raise ValueError("give one of digits, text, silence, hangup, answer")
    ((what, value),) = given.items()
    match what:
        case "digits":
            call.press(str(value))
        case "text":
            call.say(str(value))
        case "silence":
            call.silence()
        case "hangup":
            call.hang_up()
        case "answer" if isinstance(value, Mapping):
            _answer(call, value)
        case _:
            raise ValueError("give one of digits, text, silence, hangup, answer")


def _answer(call: Rehearsal, value: Mapping[str, Any]) -> None:
    match call.waits:
        case p.Request() if "failure" in value:
            call.fail(p.Failure(value["failure"]))
        case p.Request():
            call.answer(int(value.get("status", 200)), value.get("body"))
        case p.Enqueue():
            call.queue(p.QueueExit(value.get("queue", "talked")))
        case p.Transfer():
            call.transfer(p.TransferExit(value.get("transfer", "no_answer")))
        case p.Record():
            call.record(float(value.get("seconds", 10)))
        case p.Converse():
            slots = value.get("slots", {})
            call.bot(p.BotExit(value.get("bot", "done")), slots if isinstance(slots, Mapping) else {})
        case _:
            raise NotWaitedFor("nobody is asked for an answer")
