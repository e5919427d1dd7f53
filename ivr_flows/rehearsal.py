"""A call without a telephone: somebody (a test, a terminal, a page) plays the caller, the agents and the customer's
systems. Pure; the time is what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ivr_flows import engine
from ivr_flows.flow import Flow
from ivr_flows.protocol import (
    Action,
    Answer,
    Answered,
    Begin,
    BotExit,
    CallerLeft,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Conversed,
    Enqueue,
    Failure,
    Input,
    Note,
    Play,
    Played,
    Prompt,
    PromptFile,
    PromptText,
    QueueExit,
    QueueLeft,
    Reassure,
    Record,
    Recorded,
    Request,
    Response,
    Transfer,
    TransferEnded,
    TransferExit,
    Waiting,
)
from ivr_flows.speech.waiting import reassurance

# A Monday at ten in the morning in Cuenca: what is open at all is open then.
SOME_MONDAY = 1_772_463_600.0
FAULT = "flow.error"
# Kinds whose `Collect` only listens for impatient keys.
_SPEAKERS = frozenset({"play", "announce"})
_SAID_BEFORE_S = 10.0
# More prompts in a row than any flow may play.
_MOST_PLAYS = 1000


@dataclass(frozen=True, slots=True)
class BotSaid:
    """A bot's turn; `ended` with its last one. `phrases` are what may be said to it, where it has such."""

    text: str
    ended: Conversed | None = None
    phrases: tuple[str, ...] = ()


class BotPlayer(Protocol):
    """Real bots, for a rehearsal that is not to play them by hand."""

    def begin(self, wanted: Converse) -> BotSaid | None:
        """The bot's first words; None for a bot that nobody set up: it is played by hand."""
        ...

    def hear(self, digits: str, phrase: str) -> BotSaid:
        """What it says to these keys or words, or (neither) to silence."""
        ...


class NotWaitedFor(Exception):
    """The flow waits for something else than what it was given."""


@dataclass(slots=True)
class Rehearsal:
    """`said` are the texts that the caller has heard, one entry an action; `notes` all that was noted; `done` all
    actions, where what a bot says counts as a `Play`."""

    flow: Flow
    find: engine.Find
    facts: Mapping[str, object]
    at: float = SOME_MONDAY
    said: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    done: list[Action] = field(default_factory=list)
    state: Any = None
    recordings: int = 0
    bots: BotPlayer | None = None
    bot_talks: BotSaid | None = None  # what the bot said last, where it is one that answers by itself

    def begin(self) -> None:
        self.state = engine.begin(self.flow)
        self.tell(Begin(dict(self.facts)))

    # --- what happened --------------------

    @property
    def waits(self) -> Waiting | None:
        waiting: Waiting | None = self.state.waiting
        return waiting

    @property
    def is_over(self) -> bool:
        return bool(self.state.is_over)

    @property
    def path(self) -> list[str]:
        return list(self.state.path)

    @property
    def faults(self) -> list[Note]:
        """What went wrong in the flow itself, which the caller only notices by where it led them."""
        return [note for note in self.notes if note.kind == FAULT]

    def tell(self, heard: Input) -> None:
        """One input to the engine; raises its `UnexpectedInput`."""
        flow = self.find(self.state.flow, self.state.version) or self.find(self.state.flow, "") or self.flow
        self.state, actions = engine.step(flow, self.state, heard, at=self.at, find=self.find)
        self.done += actions
        for action in actions:
            if isinstance(action, Note):
                self.notes.append(action)
            text = " ".join(spoken(prompt) for prompt in prompts_of(action))
            if text:
                self.said.append(text)
        if isinstance(self.waits, Answer):
            self.tell(Answered())
        elif isinstance(self.waits, Converse) and self.bots is not None:
            begun = self.bots.begin(self.waits)
            if begun is not None:
                self._bot_says(begun)

    def _bot_says(self, turn: BotSaid) -> None:
        if turn.text:
            self.said.append(turn.text)
            self.done.append(Play((PromptText(turn.text),)))
        self.bot_talks = turn if turn.ended is None else None
        if turn.ended is not None:
            self.tell(turn.ended)

    def _to_the_bot(self, digits: str = "", phrase: str = "") -> bool:
        """Whether one listens."""
        if self.bot_talks is None or self.bots is None:
            return False
        self._bot_says(self.bots.hear(digits, phrase))
        return True

    # --- playing the others --------------------

    def let_it_speak(self, *, whole: bool = True) -> None:
        """Hear what is being said to its end; with `whole` also what a key could have cut short."""
        for _ in range(_MOST_PLAYS):
            if isinstance(self.waits, Play):
                self.tell(Played())
            elif whole and isinstance(self.waits, Collect) and self._only_speaks():
                self.tell(Collected("", CollectEnd.TIMEOUT))
            else:
                return

    def _only_speaks(self) -> bool:
        flow = self.find(self.state.flow, self.state.version) or self.flow
        node = flow.nodes.get(self.state.node)
        return node is not None and node.kind in _SPEAKERS

    def press(self, keys: str) -> None:
        self.let_it_speak(whole=False)
        if self._to_the_bot(digits=keys):
            return None
        waits = self.waits
        if isinstance(waits, Enqueue):
            return self._press_in_queue(keys, waits)
        self._wants(isinstance(waits, Collect | Request | Record | Transfer), f"key {keys} is not waited for")
        most = waits.max_digits if isinstance(waits, Collect) else 1
        self.tell(Collected(keys[:most], CollectEnd.COMPLETE))
        if isinstance(self.waits, Record) and self.notes[-1].kind == "person.asked":
            self.record(_SAID_BEFORE_S)  # what was said until then is a message
        return self.press(keys[most:]) if keys[most:] else None

    def _press_in_queue(self, keys: str, waits: Enqueue) -> None:
        if keys in waits.exits:
            return self.tell(QueueLeft(QueueExit.DIGIT, keys))
        before = len(self.notes)
        self.tell(Collected(keys[:1], CollectEnd.COMPLETE))
        return self._wants(len(self.notes) > before, f"key {keys} leads nowhere from this queue")

    def say(self, phrase: str) -> None:
        """Of words that answer no question only those for a person count, and the flow knows which those are."""
        self.let_it_speak()
        if self._to_the_bot(phrase=phrase):
            return
        listens = isinstance(self.waits, Collect | Request | Record | Transfer | Enqueue)
        self._wants(listens, "nobody listens")
        leaves_message = isinstance(self.waits, Record)
        self.tell(Collected("", CollectEnd.COMPLETE, phrase))
        if leaves_message and isinstance(self.waits, Record) and self.notes[-1].kind == "person.asked":
            self.record(_SAID_BEFORE_S)

    def silence(self) -> None:
        self.let_it_speak()
        if self._to_the_bot():
            return
        self._wants(isinstance(self.waits, Collect), "nothing was asked")
        self.tell(Collected("", CollectEnd.TIMEOUT))

    def answer(self, status: int, body: object) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Request), "no system was asked")
        self.tell(Response(status, body))

    def fail(self, failure: Failure) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Request), "no system was asked")
        self.tell(Response(failure=failure))

    def queue(self, how: QueueExit) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Enqueue), "the caller is in no queue")
        self.tell(QueueLeft(how))

    def transfer(self, how: TransferExit) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Transfer), "nobody is being called")
        self.tell(TransferEnded(how))

    def record(self, seconds: float) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Record), "nothing is recorded")
        self.recordings += 1
        self.tell(Recorded(f"rec{self.recordings}" if seconds > 0 else "", seconds))

    def bot(self, how: BotExit, slots: Mapping[str, object]) -> None:
        self.let_it_speak()
        self._wants(isinstance(self.waits, Converse), "no bot was asked")
        self.bot_talks = None
        self.tell(Conversed(how, slots))

    def hang_up(self) -> None:
        self.bot_talks = None
        self.tell(CallerLeft())

    def pass_time(self, seconds: float) -> None:
        self.at += seconds

    def _wants(self, fits: bool, otherwise: str) -> None:
        if not fits:
            raise NotWaitedFor(f"{otherwise}; {self.standing()}")

    def standing(self) -> str:
        """Where the call is, in words."""
        if self.is_over:
            return "the call is over"
        return f"at {self.state.node} it waits for {_WAITS[type(self.waits)](self.waits)}"


_WAITS: Mapping[Any, Callable[[Any], str]] = {
    Answer: lambda a: "the answer",
    Play: lambda a: "the end of a prompt",
    Collect: lambda a: f"up to {a.max_digits} keys",
    Enqueue: lambda a: f"an agent of queue {a.queue}" + (f" (keys {a.exits} lead away)" if a.exits else ""),
    Request: lambda a: f"the answer to {a.method} {a.system} {a.url}",
    Record: lambda a: "a message",
    Transfer: lambda a: f"{a.kind.value} {a.target}",
    Converse: lambda a: f"the bot {a.bot}",
    type(None): lambda a: "nothing",
}


def told_fault(note: Note) -> str:
    """Where it was, which fault, and why."""
    return "{flow}.{node}: {reason}: {message}".format(**note.data)


def prompts_of(action: Action) -> tuple[Prompt, ...]:
    if isinstance(action, Reassure):
        return reassurance(action.language)
    return tuple(action.prompts) if isinstance(action, Play | Collect | Record) else ()


def spoken(prompt: Prompt) -> str:
    match prompt:
        case PromptText():
            return prompt.text
        case PromptFile():
            return prompt.fallback_text or f"[{prompt.name}]"
        case _:
            return f"[{prompt.hz} Hz]"
