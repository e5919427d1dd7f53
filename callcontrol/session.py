"""One call's mailbox: inputs go through the pure `step` one at a time; facts are written, commands carried out."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.bot_talk import Bots, BotTalk
from callcontrol.call import UnexpectedInput, step
from callcontrol.call_state import CallState, Flows, NotNow, open_channels
from callcontrol.callbacks import CallbackOrder
from callcontrol.desk import Desk
from callcontrol.events import AnyFact, Closed, Connected, Ended, InteractionEvent, OfferEnded
from callcontrol.journal import Entry, Journal
from callcontrol.listening import Ears, Listening, Question
from callcontrol.model import AgentId, ExitReason, Interaction, InteractionId, OfferEnd, Phase
from callcontrol.ports import AgentDirectory, CustomerSystems, Herald, NoSystems, RecordingPlace
from callcontrol.prompts import sounds_of
from callcontrol.record import apply, last_moment
from callcontrol.routing import terms as routing
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.logs import get_logger, interaction
from foundation.metrics import CONTROL_S, Metrics
from ivr_flows.protocol import BotExit, Conversed, Failure, Response, TransferKind
from pbx.events import DigitReceived, SwitchEvent
from pbx.switch import Switch
from pbx.terms import (
    ChannelId,
    CommandRefused,
    Destination,
    NumberDestination,
    PhoneDestination,
    PlaybackId,
    RecordingId,
    RecordingSpec,
    RoomId,
    SwitchUnreachable,
)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every session works with."""

    switch: Switch
    desk: Desk
    journal: Journal
    flows: Flows
    agents: AgentDirectory
    herald: Herald
    recordings: RecordingPlace
    clock: Clock
    metrics: Metrics
    # A command's fate is unknown: this call's truth is to be asked of the switch.
    doubt: Callable[[InteractionId], None]
    # This call used the open legs of the one, and uses those of the other now.
    uses: Callable[[InteractionId, Sequence[str], Sequence[str]], None]
    place_callback: Callable[[CallbackOrder], InteractionId]
    systems: CustomerSystems = field(default_factory=NoSystems)
    ears: Ears | None = None
    bots: Bots | None = None


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
        self._mailbox: asyncio.Queue[tuple[inp.CallInput, asyncio.Future[None] | None]] = asyncio.Queue()
        self._last_at = 0.0 if record is None else last_moment(record)
        self._requests: set[asyncio.Task[None]] = set()
        self._listening: Listening | BotTalk | None = None  # what takes the citizen's keys and words now
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
    def is_promise(self) -> bool:
        """A callback that waits, and that no agent has been asked to make yet."""
        s = self.state
        waits = s.phase in (Phase.SCHEDULED, Phase.QUEUED) and s.offer is None
        return waits and s.callback is not None and not s.callback.reached

    def tell(self, told: inp.CallInput) -> None:
        self._mailbox.put_nowait((told, None))

    async def ask(self, told: inp.CallInput) -> None:
        """As `tell`; returns when it was taken and its commands are carried out. Raises `NotNow` where the call is not
        in a state for it, and what a command of it failed with."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._mailbox.put_nowait((told, answer))
        await answer

    async def run(self) -> None:
        with interaction(self.state.id):
            try:
                while self.state.phase is not Phase.CLOSED:
                    await self._one(*await self._mailbox.get())
            finally:
                self._refuse_the_rest()
                for task in self._requests:
                    task.cancel()
                await asyncio.gather(*self._requests, return_exceptions=True)

    def _refuse_the_rest(self) -> None:
        while not self._mailbox.empty():
            _, answer = self._mailbox.get_nowait()
            if answer is not None and not answer.done():
                answer.set_exception(NotNow("the call is over"))

    async def _one(self, told: inp.CallInput, answer: asyncio.Future[None] | None = None) -> None:
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
            _answer(answer, NotNow("the call is not in a state for this", state=self.state.phase.value))
            return
        except NotNow as error:
            log.info("call.not_now", input=type(told).__name__, code=error.code)
            _answer(answer, error)
            return
        changed, before, self.state = outcome.state is not self.state, self.state, outcome.state
        if changed:
            self._around.uses(self.state.id, open_channels(before), open_channels(self.state))
        if changed or outcome.facts:
            self._write([*outcome.facts], at)
        failed: RimayError | None = None
        for command in outcome.commands:
            failed = await self._carry_out(command) or failed
        _answer(answer, failed)

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
        handler = _CARRY_OUT[type(command)]
        try:
            with self._step_seconds.time():
                await handler(self, command)
        except RimayError as error:
            self._failed.labels(type(command).__name__, error.code).inc()
            log.warning("call.command_failed", command=type(command).__name__, code=error.code, problem=error.message)
            self.tell(inp.CommandFailed(command, error.code, error.message))
            if isinstance(error, SwitchUnreachable):
                self._around.doubt(self.state.id)
            return error
        return None

    # --- the switch --------------------

    async def _answer(self, c: cmd.AnswerLeg) -> None:
        await self._around.switch.answer(ChannelId(c.channel))

    async def _reject(self, c: cmd.RejectLeg) -> None:
        await self._around.switch.reject(ChannelId(c.channel), c.cause)

    async def _hangup(self, c: cmd.HangupLeg) -> None:
        await self._around.switch.hangup(ChannelId(c.channel), c.cause)

    async def _play(self, c: cmd.PlayTo) -> None:
        await self._around.switch.play(ChannelId(c.channel), PlaybackId(c.playback), sounds_of(c.prompts))

    async def _collect(self, c: cmd.CollectFrom) -> None:
        if c.expected is not None and self._around.ears is not None and self._around.ears.recogniser is not None:
            question = Question(sounds_of(c.prompts), c.rules, c.expected, c.answers)
            self._listen(c, question, self._around.ears)
        else:
            await self._collect_keys(c)

    def _listen(self, c: cmd.CollectFrom, question: Question, ears: Ears) -> None:
        """Beside the mailbox: whoever answers is told of as `Heard`."""
        listening = Listening(self._around.switch, ears, self._around.clock, ChannelId(c.channel), question)
        self._listening = listening
        self._beside(self._answered(c, listening), f"question {c.playback}")

    async def _answered(self, c: cmd.CollectFrom, listening: Listening) -> None:
        try:
            answer = await listening.ask()
        except RimayError as error:
            log.warning("call.not_listening", code=error.code, problem=error.message)
            await self._carry_out(dataclasses.replace(c, expected=None))  # keys are better than nothing
        else:
            if answer is not None:
                self.tell(inp.Heard(c.playback, answer.digits, answer.end, answer.phrase))
        finally:
            if self._listening is listening:
                self._listening = None

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
        if self._listening is talk:
            self._listening = None
            if ended is not None:
                self.tell(inp.BotTalked(c.talk, ended))

    async def _collect_keys(self, c: cmd.CollectFrom) -> None:
        playback = PlaybackId(c.playback) if c.prompts else None
        await self._around.switch.collect(ChannelId(c.channel), c.rules, playback, sounds_of(c.prompts))

    async def _start_music(self, c: cmd.StartMusic) -> None:
        await self._around.switch.start_music(ChannelId(c.channel), c.music)

    async def _stop_music(self, c: cmd.StopMusic) -> None:
        await self._around.switch.stop_music(ChannelId(c.channel))

    async def _ring_agent(self, c: cmd.RingAgent) -> None:
        phone = self._around.agents.phone(c.agent)
        if phone is None:
            raise CommandRefused(f"agent {c.agent} has no phone")
        await self._around.switch.originate(
            ChannelId(c.channel),
            PhoneDestination(phone),
            caller_number=c.caller_number,
            timeout_s=c.timeout_s,
            headers={"X-Rimay-Interaction": self.state.id},
            variables={"RIMAY_INTERACTION": self.state.id},
        )

    async def _call_out(self, c: cmd.CallOut) -> None:
        destination: Destination = NumberDestination(c.target)
        if c.kind is not TransferKind.NUMBER:
            phone = self._around.agents.phone(AgentId(c.target)) if c.kind is TransferKind.AGENT else c.target
            if phone is None:
                raise CommandRefused(f"agent {c.target} has no phone")
            destination = PhoneDestination(phone)
        await self._around.switch.originate(
            ChannelId(c.channel),
            destination,
            # Outside, our own number is shown: carriers refuse foreign ones, and the caller's is their own affair.
            caller_number="" if c.kind is TransferKind.NUMBER else c.caller_number,
            timeout_s=c.timeout_s,
            headers={"X-Rimay-Interaction": self.state.id} if c.kind is not TransferKind.NUMBER else None,
            variables={"RIMAY_INTERACTION": self.state.id},
        )

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

    async def _bridge(self, c: cmd.BridgeLegs) -> None:
        await self._around.switch.bridge(ChannelId(c.customer), ChannelId(c.agent))

    async def _part(self, c: cmd.PartLegs) -> None:
        await self._around.switch.unbridge(ChannelId(c.channel))

    async def _supervise(self, c: cmd.SuperviseLeg) -> None:
        await self._around.switch.supervise(ChannelId(c.supervisor), ChannelId(c.target), c.mode)

    async def _stop_supervision(self, c: cmd.StopSupervision) -> None:
        await self._around.switch.stop_supervising(ChannelId(c.supervisor))

    async def _enter_room(self, c: cmd.EnterRoom) -> None:
        await self._around.switch.enter_room(ChannelId(c.channel), RoomId(c.room))

    async def _leave_room(self, c: cmd.LeaveRoom) -> None:
        await self._around.switch.leave_room(ChannelId(c.channel))

    async def _send_digits(self, c: cmd.SendDigitsTo) -> None:
        await self._around.switch.send_digits(ChannelId(c.channel), c.digits)

    async def _transfer(self, c: cmd.TransferLeg) -> None:
        phone = self._around.agents.agent_of(c.target) is not None
        await self._around.switch.transfer(
            ChannelId(c.channel),
            ChannelId(c.new_leg),
            # What is no phone of ours is a number, and passes the rules for calls out.
            PhoneDestination(c.target) if phone else NumberDestination(c.target),
            caller_number=c.shown if phone else "",
            timeout_s=c.timeout_s,
        )

    async def _hold(self, c: cmd.HoldLeg) -> None:
        await self._around.switch.hold(ChannelId(c.channel))

    async def _unhold(self, c: cmd.UnholdLeg) -> None:
        await self._around.switch.unhold(ChannelId(c.channel))

    def _spec(self, recording: str, path: str) -> RecordingSpec:
        try:
            return RecordingSpec(RecordingId(recording), self._around.recordings.prepare(path))
        except OSError as error:
            raise CommandRefused(f"no place for recordings: {error.strerror}") from error

    async def _start_recording(self, c: cmd.StartRecording) -> None:
        await self._around.switch.record(ChannelId(c.channel), self._spec(c.recording, c.path))

    async def _pause_recording(self, c: cmd.PauseRecording) -> None:
        await self._around.switch.pause_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _resume_recording(self, c: cmd.ResumeRecording) -> None:
        await self._around.switch.resume_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _stop_recording(self, c: cmd.StopRecording) -> None:
        await self._around.switch.stop_recording(ChannelId(c.channel), RecordingId(c.recording))

    async def _finish_recording(self, c: cmd.FinishRecording) -> None:
        # Also where there is no room for more: what was written is to be kept.
        spec = RecordingSpec(RecordingId(c.recording), self._around.recordings.resolve(c.path))
        try:
            file = await self._around.switch.finish_recording(spec)
        except OSError as error:
            raise CommandRefused(f"the recording could not be finished: {error.strerror}") from error
        self.tell(inp.RecordingFinished(c.recording, file))

    # --- the router, the clock, people --------------------

    async def _route(self, c: cmd.RouteItem) -> None:
        self._around.desk.tell(routing.ItemQueued(at=self._around.clock.now(), item=c.item))

    async def _withdraw(self, c: cmd.WithdrawItem) -> None:
        item = InteractionId(c.item) if c.item else self.state.id
        self._around.desk.tell(routing.ItemWithdrawn(at=self._around.clock.now(), item=item))

    async def _move(self, c: cmd.MoveItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemMoved(at=now, item=self.state.id, queue=c.queue, by=c.by))

    async def _raise(self, c: cmd.RaiseItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemRaised(at=now, item=self.state.id, priority=c.priority, by=c.by))

    async def _assign(self, c: cmd.AssignItem) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.ItemAssigned(at=now, item=self.state.id, agent=c.agent, by=c.by))

    async def _answer_offer(self, c: cmd.AnswerOffer) -> None:
        self._around.desk.tell(
            routing.OfferAnswered(at=self._around.clock.now(), offer=c.offer, how=c.how, detail=c.detail)
        )

    async def _begin_work(self, c: cmd.BeginWork) -> None:
        now = self._around.clock.now()
        self._around.desk.tell(routing.WorkRestored(at=now, item=self.state.id, agent=c.agent, queue=c.queue))

    async def _take_work(self, c: cmd.TakeWork) -> None:
        item = InteractionId(c.item) if c.item else self.state.id
        now = self._around.clock.now()
        self._around.desk.tell(
            routing.WorkRenamed(at=now, agent=c.agent, item=item, becomes=self.state.id, queue=c.queue)
        )

    async def _end_work(self, c: cmd.EndWork) -> None:
        desk, now = self._around.desk, self._around.clock.now()
        item = InteractionId(c.item) if c.item else self.state.id
        view = desk.router.agents.get(c.agent)
        if view is None or item not in view.works:
            # Not known to the router (a supervisor who is signed in nowhere, say): nobody else would end it.
            return self.tell(routing.WrapUpOver(item=item, agent=c.agent, how="not_signed_in", disposition=None))
        desk.tell(routing.WorkEnded(at=now, item=item, agent=c.agent))
        if not c.wrap_up:
            desk.tell(routing.WrapUpFinished(at=now, agent=c.agent, item=item))
        return None

    def restore_work(self) -> None:
        """Tell a new router who works for this call. Before it is told of anybody who waits: else it would offer them
        to who talks."""
        state = self.state
        held: dict[AgentId, float | None] = {**state.wrapping, **dict.fromkeys(state.others)}
        if state.working is not None:
            held[state.working] = None
        for agent, until in held.items():
            item = InteractionId(state.items.get(agent, state.id))
            self._around.desk.tell(
                routing.WorkRestored(
                    at=self._around.clock.now(),
                    item=item,
                    agent=agent,
                    queue=state.queue or "",
                    wrap_up_until=until,
                )
            )
            view = self._around.desk.router.agents.get(agent)
            if view is None or item not in view.works:
                # Signed out, or no longer in the settings: nobody else would end this work.
                self.tell(routing.WrapUpOver(item=item, agent=agent, how="daemon_lost", disposition=None))

    async def _place_callback(self, c: cmd.PlaceCallback) -> None:
        self.tell(inp.CallbackPlaced(self._around.place_callback(c.order)))

    async def _set_timer(self, c: cmd.SetTimer) -> None:
        # A timer that fires after the call is closed finds a mailbox that nobody reads, and is forgotten with it.
        # Counted from the turn's own time, which may stand beside the clock's when that was set back.
        delay = max(0.0, c.at - self._last_at)
        self._around.clock.call_later(delay, lambda: self.tell(inp.TimerFired(c.name)))

    async def _alert(self, c: cmd.Alert) -> None:
        self._around.herald.alert(self._around.clock.now(), c.kind, c.message, self.state.id)


def _answer(answer: asyncio.Future[None] | None, error: RimayError | None) -> None:
    """To whoever asked, and still waits."""
    if answer is None or answer.done():
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)


_CARRY_OUT: dict[type[Any], Callable[[CallSession, Any], Awaitable[None]]] = {
    cmd.AnswerLeg: CallSession._answer,
    cmd.RejectLeg: CallSession._reject,
    cmd.HangupLeg: CallSession._hangup,
    cmd.PlayTo: CallSession._play,
    cmd.CollectFrom: CallSession._collect,
    cmd.StartMusic: CallSession._start_music,
    cmd.StopMusic: CallSession._stop_music,
    cmd.RingAgent: CallSession._ring_agent,
    cmd.CallOut: CallSession._call_out,
    cmd.Fetch: CallSession._fetch,
    cmd.TalkToBot: CallSession._talk_to_bot,
    cmd.AskPlace: CallSession._place,
    cmd.BridgeLegs: CallSession._bridge,
    cmd.PartLegs: CallSession._part,
    cmd.SendDigitsTo: CallSession._send_digits,
    cmd.SuperviseLeg: CallSession._supervise,
    cmd.StopSupervision: CallSession._stop_supervision,
    cmd.EnterRoom: CallSession._enter_room,
    cmd.LeaveRoom: CallSession._leave_room,
    cmd.TransferLeg: CallSession._transfer,
    cmd.HoldLeg: CallSession._hold,
    cmd.UnholdLeg: CallSession._unhold,
    cmd.StartRecording: CallSession._start_recording,
    cmd.PauseRecording: CallSession._pause_recording,
    cmd.ResumeRecording: CallSession._resume_recording,
    cmd.StopRecording: CallSession._stop_recording,
    cmd.FinishRecording: CallSession._finish_recording,
    cmd.RouteItem: CallSession._route,
    cmd.WithdrawItem: CallSession._withdraw,
    cmd.MoveItem: CallSession._move,
    cmd.RaiseItem: CallSession._raise,
    cmd.AssignItem: CallSession._assign,
    cmd.AnswerOffer: CallSession._answer_offer,
    cmd.BeginWork: CallSession._begin_work,
    cmd.TakeWork: CallSession._take_work,
    cmd.EndWork: CallSession._end_work,
    cmd.PlaceCallback: CallSession._place_callback,
    cmd.SetTimer: CallSession._set_timer,
    cmd.Alert: CallSession._alert,
}
