"""One call's mailbox: inputs go through the pure `step` one at a time; facts are written, commands carried out."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from msgspec.structs import replace

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.bot_talk import BotTalk
from callcontrol.call import UnexpectedInput, step
from callcontrol.call_state import CallState, NotNow, open_channels
from callcontrol.callbacks import CallbackOrder
from callcontrol.events import AnyFact, Closed, Connected, Ended, InteractionEvent, OfferEnded
from callcontrol.journal import Entry
from callcontrol.listening import Ears, Listening, Question
from callcontrol.mailbox import Mailbox, Posted, Taken, reply
from callcontrol.model import ExitReason, Interaction, OfferEnd, Phase
from callcontrol.overhearing import Overhearing
from callcontrol.prompts import sounds_of
from callcontrol.record import apply, last_moment
from callcontrol.router_hands import BY_ROUTER, RouterHands
from callcontrol.surroundings import Surroundings
from callcontrol.switch_hands import BY_SWITCH, SwitchHands
from foundation.clock import pause
from foundation.errors import RimayError
from foundation.logs import get_logger, interaction
from foundation.metrics import CONTROL_S
from ivr_flows.protocol import BotExit, Conversed, Failure, Response
from pbx.events import DigitReceived, SwitchEvent
from pbx.recognition.terms import Pcm
from pbx.terms import (
    ChannelId,
    DigitRules,
    PlaybackId,
    SwitchError,
    SwitchUnreachable,
)

log = get_logger(__name__)

# After an audio stream ended: when no hang-up was told by then, the switch is asked whether the caller is still there.
STREAM_LOST_S = 0.5


class CallSession:
    """`run` is its life, as a task of the daemon; it returns when the call is closed. `channel` is the citizen's."""

    def __init__(
        self,
        around: Surroundings,
        state: CallState,
        record: Interaction | None = None,
        *,
        channel: str = "",
        trunk: str | None = None,
    ) -> None:
        self._around = around
        self.state = state
        self.record = record
        self._first_channel = channel
        self.trunk = trunk if record is None else record.trunk
        self._mailbox = Mailbox()
        self._takes_at_once = False  # while `run` runs, and no step is being taken
        self._before: CallState | None = None  # what was taken at once, where it is not begun to be carried out
        self._last_at = 0.0 if record is None else last_moment(record)
        self._requests: set[asyncio.Task[None]] = set()
        self._listening: Listening | BotTalk | None = None  # what takes the citizen's keys and words now
        self._overhearing = Overhearing(
            around.switch, around.ears, lambda words: self.tell(inp.Overheard(words)), self._carry_over
        )
        self._switch_hands = SwitchHands(around, state.id, self.tell)
        self._router_hands = RouterHands(around, state.id, self.tell)
        metrics = around.metrics
        self._unexpected = metrics.counter("calls_unexpected_inputs_total", "Inputs without a rule", ("input",))
        self._failed = metrics.counter("calls_failed_commands_total", "Commands not carried out", ("command", "code"))
        self._accepted_at: float | None = None
        self._join_seconds = metrics.histogram(
            "calls_accept_to_joined_seconds", "From an accepted offer to citizen and agent joined", CONTROL_S
        )
        self._step_seconds = metrics.histogram("calls_command_seconds", "A command to the switch", CONTROL_S)

    @property
    def channel(self) -> str:
        """The citizen's; another with each attempt of a callback, and none before the first."""
        return self.state.channel or self._first_channel

    @property
    def carried_out(self) -> CallState:
        """The state as far as the switch may have heard of it."""
        return self._before or self.state

    @property
    def is_promise(self) -> bool:
        """A callback that waits, and that no agent has been asked to make yet."""
        s = self.state
        waits = s.phase in (Phase.SCHEDULED, Phase.QUEUED) and s.offer is None
        return waits and s.callback is not None and not s.callback.reached

    def keeps(self, order: CallbackOrder) -> bool:
        """Whether this is the call in which that promise is kept."""
        s = self.state
        return s.callback is not None and (s.from_number, s.queue, s.queued_at) == (
            order.number,
            order.queue,
            order.queued_at,
        )

    def tell(self, told: inp.CallInput) -> None:
        self._mailbox.put(Posted(told))

    def tell_at_once(self, told: inp.CallInput) -> None:
        """As `tell`; where nothing stands before it, it is taken before this returns: its facts do not wait for all
        else that the loop has to do, and those of several calls come in the order in which they are told. Its commands
        are carried out by the call's own task, after those that it is at: whoever tells is not asked back."""
        if not self._takes_at_once or not self._mailbox.empty:
            return self.tell(told)
        before, taken = self.state, Taken()
        with interaction(self.state.id):
            try:
                taken = Taken(self._take(told, None))
            except Exception as fault:  # noqa: BLE001 - raised where a call's faults are dealt with: in its task
                taken = Taken(fault=fault)
        if taken.commands or taken.fault is not None or self.state.phase is Phase.CLOSED:
            self._before = before
            self._mailbox.put(taken)
        return None

    async def ask(self, told: inp.CallInput) -> None:
        """As `tell`; returns when it was taken and its commands are carried out. Raises `NotNow` where the call is not
        in a state for it, and what a command of it failed with."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._mailbox.put(Posted(told, answer))
        await answer

    async def run(self) -> None:
        with interaction(self.state.id):
            self._takes_at_once = True
            try:
                # What was taken at once is carried out also where the call is closed with it.
                while self.state.phase is not Phase.CLOSED or self._before is not None:
                    await self._one(await self._mailbox.next())
            finally:
                self._takes_at_once = False
                self._mailbox.refuse_the_rest()
                await self._overhearing.close()
                for task in self._requests:
                    task.cancel()
                await asyncio.gather(*self._requests, return_exceptions=True)

    async def _one(self, got: Posted | Taken) -> None:
        answer, self._before = None, None
        if isinstance(got, Posted):
            answer = got.answer
            got = Taken(self._take(got.told, answer))
        if got.fault is not None:
            raise got.fault
        failed: RimayError | None = None
        for command in got.commands:
            failed = await self._carry_out(command) or failed
        reply(answer, failed)

    def _take(self, told: inp.CallInput, answer: asyncio.Future[None] | None) -> Sequence[cmd.Command]:
        """The pure step, and its facts written and told; what is to be done then."""
        self._takes_at_once = False
        try:
            return self._step(told, answer)
        finally:
            self._takes_at_once = True

    def _step(self, told: inp.CallInput, answer: asyncio.Future[None] | None) -> Sequence[cmd.Command]:
        if isinstance(told, DigitReceived) and told.channel == self.state.channel and self._listening is not None:
            self._listening.key(told.digit)
        # Events carry the switch's own time, which may go before ours; nothing has happened later than we hear of it.
        now = self._around.clock.now()
        at = min(told.at, now) if isinstance(told, SwitchEvent) else now
        # Time never runs backwards within one record.
        # Whole microseconds: what PostgreSQL keeps, so that a stored event folds to exactly the same record.
        self._last_at = at = round(max(at, self._last_at), 6)
        try:
            outcome = step(self.state, told, at, self._around.flows)
        except UnexpectedInput as error:
            self._unexpected.labels(type(told).__name__).inc()
            log.warning("call.unexpected_input", problem=error.message)
            reply(answer, NotNow("the call is not in a state for this", state=self.state.phase.value))
            return ()
        except NotNow as error:
            log.info("call.not_now", input=type(told).__name__, code=error.code)
            reply(answer, error)
            return ()
        changed, before, self.state = outcome.state is not self.state, self.state, outcome.state
        if changed:
            self._around.uses(self.state.id, open_channels(before), open_channels(self.state))
        self._overhearing.fit(self.state)
        if changed or outcome.facts:
            self._write([*outcome.facts], at)
        return outcome.commands

    def _write(self, facts: list[AnyFact], at: float) -> None:
        events: list[InteractionEvent] = []
        record = self.record
        for fact in facts:
            self._measure(fact)
            n = 1 if record is None else record.events + 1
            event = InteractionEvent(interaction=self.state.id, n=n, at=at, fact=fact)
            record = apply(record, event)
            events.append(event)
        self.record = record
        if record is not None:
            self._around.journal.append(Entry(events=tuple(events), record=record, state=self.state))
            for event in events:
                self._around.herald.interaction(event, record)

    def _measure(self, fact: AnyFact) -> None:
        now = self._around.clock.now()
        if isinstance(fact, OfferEnded) and fact.how is OfferEnd.ACCEPTED:
            self._accepted_at = now
        elif isinstance(fact, Connected) and self._accepted_at is not None:
            self._join_seconds.observe(now - self._accepted_at)
            self._accepted_at = None

    def write_off(self) -> None:
        """After a fault of ours: close the record as it stands, so that no later daemon takes it up."""
        if self.record is None or self.record.closed_at is not None:
            return
        facts: list[AnyFact] = []
        if self.record.ended_at is None:
            facts.append(Ended(exit_reason=ExitReason.FAILED, cause="fault", by="system"))
        self.state = replace(self.state, phase=Phase.CLOSED)
        self._write([*facts, Closed()], max(self._last_at, self._around.clock.now()))

    async def _carry_out(self, command: cmd.Command) -> RimayError | None:
        """What it failed with."""
        try:
            with self._step_seconds.time():
                await self._by_hand(command)
        except RimayError as error:
            self._failed.labels(type(command).__name__, error.code).inc()
            log.warning("call.command_failed", command=type(command).__name__, code=error.code, problem=error.message)
            self.tell(inp.CommandFailed(command, error.code, error.message))
            if isinstance(error, SwitchUnreachable):
                self._around.doubt(self.state.id)
            return error
        return None

    async def _by_hand(self, command: cmd.Command) -> None:
        kind = type(command)
        if kind in BY_SWITCH:
            await BY_SWITCH[kind](self._switch_hands, command)
        elif kind in BY_ROUTER:
            await BY_ROUTER[kind](self._router_hands, command)
        else:
            await _BY_SESSION[kind](self, command)

    # --- what takes its time, or needs the call's own clock --------------------

    async def _play(self, c: cmd.PlayTo) -> None:
        if c.expected is not None and self._around.ears is not None and self._around.ears.recogniser is not None:
            question = Question(sounds_of(c.prompts), _NO_KEYS, c.expected, answers=False, to_the_end=True)
            self._listen(c, question, self._around.ears)
        else:
            await self._switch_hands.play(c)

    async def _collect(self, c: cmd.CollectFrom) -> None:
        if c.expected is not None and self._around.ears is not None and self._around.ears.recogniser is not None:
            question = Question(sounds_of(c.prompts), c.rules, c.expected, c.answers)
            self._listen(c, question, self._around.ears)
        else:
            await self._collect_keys(c)

    def _listen(self, c: cmd.CollectFrom | cmd.PlayTo, question: Question, ears: Ears) -> None:
        """Beside the mailbox: whoever answers is told of as `Heard`."""
        listening = Listening(self._around.switch, ears, self._around.clock, ChannelId(c.channel), question)
        if self._overhearing.is_hearing_out:
            listening.wait_for_carried()
        self._listening = listening
        self._beside(self._answered(c, listening), f"question {c.playback}")

    def _carry_over(self, pcm: Pcm | None) -> None:
        """Said across the boundary of two nodes: for the question that is asked now."""
        if isinstance(self._listening, Listening):
            self._listening.carry(pcm)

    async def _answered(self, c: cmd.CollectFrom | cmd.PlayTo, listening: Listening) -> None:
        try:
            answer = await listening.ask()
        except RimayError as error:
            log.warning("call.not_listening", code=error.code, problem=error.message)
            await self._carry_out(dataclasses.replace(c, expected=None))  # keys are better than nothing
        else:
            if answer is not None:
                self.tell(inp.Heard(c.playback, answer.digits, answer.end, answer.phrase))
            elif await self._is_still_there() and self._listening is listening and self._still_waits_for(c):
                log.warning("call.stream_lost")
                await self._carry_out(dataclasses.replace(c, expected=None))
        finally:
            if self._listening is listening:
                self._listening = None

    def _still_waits_for(self, c: cmd.CollectFrom | cmd.PlayTo) -> bool:
        return c.playback == (self.state.question if isinstance(c, cmd.CollectFrom) else self.state.prompt)

    async def _is_still_there(self) -> bool:
        """Whether an audio stream broke by itself, or cannot be had. Mostly a hang-up ended it, which is told a moment
        later, on a busy machine more than a moment: it is waited for where the switch has no such channel any more."""
        await pause(self._around.clock, STREAM_LOST_S)
        return self._is_in_flow() and await self._has_channel() and self._is_in_flow()

    def _is_in_flow(self) -> bool:
        return self.state.customer_up and self.state.phase is Phase.FLOW

    async def _has_channel(self) -> bool:
        """By the switch's word. One that does not answer is asked again, and then tells the call's whole truth."""
        try:
            return any(known.channel == self.state.channel for known in await self._around.switch.channels())
        except SwitchError as error:
            log.info("call.channel_unknown", code=error.code)
            self._around.doubt(self.state.id)
            return False

    async def _talk_to_bot(self, c: cmd.TalkToBot) -> None:
        around = self._around
        if around.ears is None or around.bots is None:
            self.tell(inp.BotTalked(c.talk, Conversed(BotExit.UNAVAILABLE, reason="none")))
            return
        channel = ChannelId(c.channel)
        talk = BotTalk(around.switch, around.ears, around.clock, around.bots, channel, c.talk, c.action)
        self._listening = talk
        self._beside(self._talked(c, talk), f"bot {c.talk}")

    async def _talked(self, c: cmd.TalkToBot, talk: BotTalk) -> None:
        ended = await talk.talk()
        if ended is None and await self._is_still_there():
            ended = Conversed(BotExit.UNAVAILABLE, reason="stream_lost")
        if self._listening is talk:
            self._listening = None
            if ended is not None:
                self.tell(inp.BotTalked(c.talk, ended))

    async def _collect_keys(self, c: cmd.CollectFrom) -> None:
        playback = PlaybackId(c.playback) if c.prompts else None
        await self._around.switch.collect(ChannelId(c.channel), c.rules, playback, sounds_of(c.prompts))

    async def _fetch(self, c: cmd.Fetch) -> None:
        """Beside the mailbox: the caller may hang up, or ask for a person, while the system thinks."""
        self._beside(self._ask(c), f"request {c.request}")

    def _beside(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _ask(self, c: cmd.Fetch) -> None:
        response = Response(failure=Failure.UNREACHABLE)
        try:
            response = await self._around.systems.ask(c.action)
        except (RimayError, OSError) as error:
            log.warning("call.request_failed", system=c.action.system, problem=type(error).__name__)
        finally:
            # Also after a fault of ours: the caller must not wait for an answer that never comes.
            self.tell(inp.Fetched(c.request, response))

    async def _place(self, c: cmd.AskPlace) -> None:
        position, wait_s = self._around.desk.place(self.state.id)
        self.tell(inp.QueuePlace(c.number, position, wait_s))

    # --- the router, the clock, people --------------------

    async def _place_callback(self, c: cmd.PlaceCallback) -> None:
        self.tell(inp.CallbackPlaced(self._around.place_callback(c.order)))

    async def _set_timer(self, c: cmd.SetTimer) -> None:
        # A timer that fires after the call is closed finds a mailbox that nobody reads, and is forgotten with it.
        # Counted from the turn's own time, which may stand beside the clock's when that was set back.
        delay = max(0.0, c.at - self._last_at)
        self._around.clock.call_later(delay, lambda: self.tell(inp.TimerFired(c.name)))

    async def _alert(self, c: cmd.Alert) -> None:
        self._around.herald.alert(self._around.clock.now(), c.kind, c.message, self.state.id)


# Of an announcement: a moment after its end, for the word that was begun before.
_NO_KEYS = DigitRules(max_digits=1, terminator="", first_s=0.1, between_s=0.1, barge_in=False)

_BY_SESSION: dict[type[Any], Callable[[CallSession, Any], Awaitable[None]]] = {
    cmd.PlayTo: CallSession._play,
    cmd.CollectFrom: CallSession._collect,
    cmd.Fetch: CallSession._fetch,
    cmd.TalkToBot: CallSession._talk_to_bot,
    cmd.AskPlace: CallSession._place,
    cmd.PlaceCallback: CallSession._place_callback,
    cmd.SetTimer: CallSession._set_timer,
    cmd.Alert: CallSession._alert,
}
