"""What goes wrong at the worst moment: races, lost replies, a daemon or switch that dies between two steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from callcontrol import inputs as inp
from callcontrol.call_flow import _enqueue
from callcontrol.call_state import CallState, Turn
from callcontrol.events import RecordingStopped, fact_type
from callcontrol.journal import Entry
from callcontrol.model import AgentId, AgentState, ExitReason, Phase
from callcontrol.record import fold
from callcontrol.session import CallSession
from ivr_flows.protocol import Enqueue
from pbx.events import Bridged, ChannelAnswered, ChannelHungUp, SwitchEvent, SwitchUp
from pbx.memory import MemoryCall, MemoryPhone, MemorySwitch
from pbx.terms import ChannelId, CommandRefused, HangupCause, PhoneDestination, SwitchUnreachable
from tests.support.daemon import DaemonLab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


def switch(lab: DaemonLab) -> MemorySwitch:
    found = lab.daemon._around.switch
    assert isinstance(found, MemorySwitch)
    return found


def session(lab: DaemonLab) -> CallSession:
    return next(iter(lab.daemon.sessions.values()))


def failing(monkeypatch: pytest.MonkeyPatch, lab: DaemonLab, command: str, error: Exception) -> Callable[[], None]:
    """That command fails from now on, until the function given back is called."""
    own = getattr(MemorySwitch, command)
    fails = True

    async def maybe(self: MemorySwitch, *args: Any, **more: Any) -> Any:
        if fails:
            raise error
        return await own(self, *args, **more)

    def mend() -> None:
        nonlocal fails
        fails = False

    monkeypatch.setattr(MemorySwitch, command, maybe)
    return mend


async def waiting(lab: DaemonLab) -> MemoryCall:
    caller = await lab.call()
    await lab.to_queue(caller)
    return caller


async def talking(lab: DaemonLab, phone: str = "1001", agent: str = "ana") -> tuple[MemoryCall, MemoryCall]:
    ear = await lab.phone(phone)
    await lab.ready(agent)
    caller = await waiting(lab)
    leg = await lab.during(ear.next_call())
    await lab.go(1)
    assert lab.record().phase is Phase.TALKING
    return caller, leg


async def closes(lab: DaemonLab, seconds: float = 60) -> None:
    await lab.go(seconds)
    assert lab.record().phase is Phase.CLOSED
    assert not lab.daemon.sessions
    assert not lab.world.exchange.legs


# --- races --------------------


async def test_an_agent_who_answers_and_hangs_up_in_one_instant_costs_nobody_their_place(lab: DaemonLab) -> None:
    class Fumbler(MemoryPhone):
        def called(self, call: MemoryCall) -> None:
            super().called(call)
            self._world.far_answers(call)
            self._world.far_leaves(call, HangupCause.NORMAL)

    lab.world.phones["1001"] = Fumbler(lab.world, "1001", tone_hz=1000)
    await lab.phone("1001", auto_answer=False)
    second = await lab.phone("1002", tone_hz=800)
    await lab.ready("ana")
    caller = await waiting(lab)
    await lab.go(1)
    assert [i.id for i in lab.daemon.desk.router.waiting()] == [lab.record().id]
    await lab.ready("luis")
    assert await lab.hears(caller, second.tone_hz)
    await caller.hangup()
    await closes(lab)


async def test_a_hang_up_that_is_told_twice_ends_the_call_once(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    mine = session(lab)
    await caller.hangup()
    await lab.go(1)
    mine.tell(
        ChannelHungUp(
            at=lab.clock.now(),
            channel=ChannelId(mine.channel),
            cause=HangupCause.NORMAL,
            q850=16,
            by_us=False,
            answered=True,
        )
    )
    await lab.go(40)
    assert lab.facts().count("ended") == 1
    assert lab.record().exit_reason is ExitReason.COMPLETED


async def test_a_wrap_up_goes_on_beside_the_next_agents_talk(lab: DaemonLab) -> None:
    """Ana hangs up before Luis has the same citizen: each has a wrap-up of their own."""
    caller, leg = await talking(lab)
    mine = session(lab)
    second = await lab.phone("1002", tone_hz=800)
    await leg.hangup()
    await lab.go(0.1)
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    # The flow sends the citizen on to a queue again, as one with a survey or a second department does.
    turn = Turn(mine.state, lab.clock.now(), lab.daemon._around.flows)
    _enqueue(turn, Enqueue("contact-center"))
    mine.state = turn.s
    mine._write(turn.facts, lab.clock.now())
    for command in turn.commands:
        await mine._carry_out(command)
    await lab.ready("luis")
    assert await lab.hears(caller, second.tone_hz)
    ended_at = lab.clock.now()
    await lab.go(25)  # Ana's wrap-up of 20 s is over in the middle of Luis' talk
    assert lab.state("ana") == (AgentState.READY, "")
    assert lab.facts().count("wrap_up_ended") == 1
    segment = next(s for s in lab.record().segments if s.kind == "wrap_up")
    assert segment.ended_at is not None
    assert segment.ended_at < ended_at + 25
    await lab.kill()
    await lab.start()
    assert lab.state("luis")[0] is AgentState.INTERACTING
    await caller.hangup()
    await closes(lab)
    assert lab.facts().count("wrap_up_ended") == 2


# --- the connection --------------------


async def test_an_arrival_that_is_read_together_with_the_reconnect_lives(lab: DaemonLab) -> None:
    gateway = lab.world.gateway("gw1")
    caller = await gateway.call("072831900", wait=False)  # not yet read by the daemon
    lab.world.lose_connection()
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert not caller.ended.is_set()
    assert lab.record().phase is Phase.FLOW
    await caller.hangup()
    await closes(lab)


async def test_an_offer_that_is_made_beside_a_reconnect_stands(lab: DaemonLab) -> None:
    ear = await lab.phone("1001", auto_answer=False)
    caller = await waiting(lab)
    lab.world.lose_connection()
    await lab.go(1)
    lab.world.restore(same_life=True)
    await lab.ready("ana")  # the offer is in the mailbox before the truth, which knows no leg
    ringing = await lab.during(ear.next_call())
    await lab.go(1)
    assert lab.facts().count("offer_ended") == 0
    await ringing.answer()
    assert await lab.hears(caller, 1000)


async def test_an_answer_that_was_told_to_nobody_does_not_leave_the_caller_in_silence(lab: DaemonLab) -> None:
    hear = deaf_to(lab, ChannelAnswered)
    caller = await lab.call()
    await lab.go(1)
    hear()
    assert caller.answered.is_set()
    assert "answered" not in lab.facts()
    lab.world.lose_connection()
    lab.world.restore(same_life=True)
    await lab.go(0.1)
    assert "answered" in lab.facts()
    await lab.to_queue(caller)
    assert "queued" in lab.facts()


async def test_a_hang_up_that_was_lost_on_the_way_is_done_after_the_reconnect(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, leg = await talking(lab)
    mend = failing(monkeypatch, lab, "hangup", SwitchUnreachable("cut"))
    await leg.hangup()
    await lab.go(60)  # the flow says good-bye and ends
    assert not caller.ended.is_set()
    mend()
    lab.world.lose_connection()
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert caller.ended.is_set()
    await closes(lab)


async def test_a_command_of_unknown_fate_is_looked_after_without_a_reconnect(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request timed out and the link stands: no `SwitchUp` will come."""
    mend = failing(monkeypatch, lab, "collect", SwitchUnreachable("timeout"))
    caller = await lab.call()
    await lab.go(0.5)
    mend()
    await lab.go(3)
    await lab.to_queue(caller)
    assert "queued" in lab.facts()


async def test_a_ringing_leg_of_unknown_fate_rings_no_longer_than_the_outage(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = await lab.phone("1001", auto_answer=False)
    caller = await waiting(lab)
    own = MemorySwitch.originate

    async def lost(self: MemorySwitch, *args: Any, **more: Any) -> None:
        await own(self, *args, **more)
        lab.world.lose_connection()
        raise SwitchUnreachable("cut under it")

    monkeypatch.setattr(MemorySwitch, "originate", lost)
    await lab.ready("ana")
    ringing = await lab.during(ear.next_call())
    await lab.go(1)
    assert not ringing.ended.is_set()
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert ringing.ended.is_set()
    await caller.hangup()
    await closes(lab)


async def test_a_connection_that_is_lost_again_at_once_is_not_the_daemons_end(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, _ = await talking(lab)
    mend = failing(monkeypatch, lab, "channels", SwitchUnreachable("cut"))
    lab.world.lose_connection()
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert lab._task is not None
    assert not lab._task.done()
    mend()
    await lab.go(3)
    assert "reattached" in lab.facts()
    await caller.hangup()
    await closes(lab)


async def test_who_calls_a_switch_that_was_started_anew_is_not_forgotten(lab: DaemonLab) -> None:
    """The call came before we were connected: nobody tells of its arrival."""
    lab.world.kill()
    await lab.go(1)
    lab.world.connected = True
    keep, lab.world._listeners[:] = lab.world._listeners[:], [lambda _event: None]
    caller = await lab.world.gateway("gw1").call("072831900", wait=False)
    lab.world._listeners[:] = keep
    lab.world._tell(SwitchUp(at=lab.clock.now(), same_life=False, version="anew"))
    await lab.go(1)
    assert caller.answered.is_set()


async def test_a_switch_that_tells_each_hang_up_of_its_death_says_no_more_than_one_that_does_not(
    lab: DaemonLab,
) -> None:
    await talking(lab)
    mine = session(lab)
    for channel in (mine.state.agent_channel, mine.channel):
        assert channel
        mine.tell(
            ChannelHungUp(
                at=lab.clock.now(),
                channel=ChannelId(channel),
                cause=HangupCause.SWITCH_LOST,
                q850=41,
                by_us=False,
                answered=True,
            )
        )
    await lab.go(40)
    assert lab.record().exit_reason is ExitReason.SWITCH_LOST
    assert lab.record().phase is Phase.CLOSED


def deaf_to(lab: DaemonLab, *kinds: type[SwitchEvent]) -> Callable[[], None]:
    """Events of these kinds are never told, until the function given back is called."""
    listeners = lab.world._listeners
    (tell,) = listeners
    listeners[:] = [lambda event: None if isinstance(event, kinds) else tell(event)]

    def hear() -> None:
        listeners[:] = [tell]

    return hear


async def test_a_hang_up_that_is_never_told_keeps_no_call_open(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    hear = deaf_to(lab, ChannelHungUp)
    await caller.hangup()
    await lab.go(1)
    hear()
    await closes(lab, 200)
    assert lab.record().exit_reason is ExitReason.COMPLETED
    assert lab.state("ana") == (AgentState.READY, "")


async def test_a_bridge_that_is_never_told_is_found(lab: DaemonLab) -> None:
    hear = deaf_to(lab, Bridged)
    ear = await lab.phone("1001")
    await lab.ready("ana")
    caller = await waiting(lab)
    await lab.during(ear.next_call())
    await lab.go(1)
    assert lab.record().phase is Phase.CONNECTING
    hear()
    await lab.go(125)
    assert lab.record().phase is Phase.TALKING
    assert lab.facts().count("recording_started") == 1
    await caller.hangup()
    await closes(lab)


# --- kill -9 --------------------


async def test_the_busy_agent_is_not_offered_the_waiting_call_after_a_restart(lab: DaemonLab) -> None:
    ear = await lab.phone("1001")
    await lab.ready("ana")
    talker = await lab.call()
    await lab.to_queue(talker)
    await lab.during(ear.next_call())
    await waiting(lab)
    # The journal gives the oldest first; make the one who waits the older of the two.
    records = lab.journal.records
    (one, talk), (other, wait) = sorted(records.items(), key=lambda pair: pair[1].created_at)
    assert talk.phase is Phase.TALKING
    await lab.kill()
    records[other] = replace(wait, created_at=talk.created_at - 100)
    await lab.start()
    await lab.go(1)
    assert lab.state("ana")[0] is AgentState.INTERACTING
    with pytest.raises(TimeoutError):
        await lab.during(ear.next_call(timeout=1))
    assert one != other


async def killed_at(lab: DaemonLab, act: Coroutine[Any, Any, None], moment: Callable[[CallState], bool]) -> None:
    """The daemon dies when the journal has just stored the first step of `act` that makes `moment` true."""
    entries: list[Entry] = []
    append = lab.journal.append

    def keep(entry: Entry) -> None:
        append(entry)
        entries.append(entry)

    lab.journal.append = keep  # type: ignore[method-assign]
    await act
    await lab.go(0)
    await lab.kill()
    last = next(entry for entry in entries if moment(entry.state))
    lab.journal.append = append  # type: ignore[method-assign]
    lab.journal.records[last.record.id] = last.record
    lab.journal.states[last.record.id] = last.state
    del lab.journal.events[last.record.id][last.record.events :]


async def test_killed_before_the_router_was_told_that_the_talk_is_over(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    await killed_at(lab, caller.hangup(), lambda state: state.working == "ana" and state.phase is Phase.ENDING)
    await lab.start()
    await closes(lab)
    assert lab.state("ana") == (AgentState.READY, "")


async def test_killed_while_an_offer_was_out_and_the_caller_had_left(lab: DaemonLab) -> None:
    await lab.phone("1001", auto_answer=False)
    await lab.ready("ana")
    caller = await waiting(lab)
    await killed_at(lab, caller.hangup(), lambda state: state.offer is not None and state.phase is Phase.ENDING)
    await lab.start()
    await closes(lab)
    assert lab.state("ana") == (AgentState.READY, "")


async def test_an_agent_who_is_no_longer_known_keeps_no_call_open(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    await caller.hangup()
    await lab.go(1)
    assert lab.record().phase is Phase.WRAP_UP
    await lab.kill()
    lab.journal.agents.clear()
    await lab.start()
    await closes(lab)
    assert lab.facts().count("wrap_up_ended") == 1


async def test_a_wrap_up_that_is_taken_up_again_is_written_once(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    await caller.hangup()
    await lab.go(5)
    await lab.kill()
    await lab.go(2)
    await lab.start()
    await closes(lab)
    assert lab.facts().count("wrap_up_started") == 1
    assert lab.state("ana") == (AgentState.READY, "")
    assert lab.record().closed_at - lab.record().ended_at == pytest.approx(20, abs=0.5)  # type: ignore[operator]


async def test_a_leg_that_was_to_be_hung_up_when_the_daemon_died_is_hung_up(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, leg = await talking(lab)
    mend = failing(monkeypatch, lab, "hangup", SwitchUnreachable("dying"))
    await caller.hangup()
    await lab.go(0)
    await lab.kill()
    mend()
    assert not leg.ended.is_set()
    await lab.start()
    await lab.go(1)
    assert leg.ended.is_set()
    await closes(lab)


async def test_a_recording_whose_begin_was_told_to_nobody_is_in_the_record(lab: DaemonLab) -> None:
    caller, _ = await talking(lab)
    await lab.kill()
    record = lab.record()
    events = lab.journal.events[record.id]
    at = next(i for i, e in enumerate(events) if fact_type(e.fact) == "recording_started")
    del events[at:]
    before = fold(events)
    assert before is not None
    lab.journal.records[record.id] = before
    await lab.start()
    await lab.go(3)
    await caller.hangup()
    await closes(lab)
    (recording,) = lab.record().recordings
    assert recording.state == "complete"
    stopped = next(e.fact for e in events if isinstance(e.fact, RecordingStopped))
    assert recording.path == stopped.path


# --- our own faults, and full disks --------------------


async def test_a_fault_of_ours_in_a_talk_frees_the_agent(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, leg = await talking(lab)

    async def fault(_told: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(session(lab), "_one", fault)
    await caller.send_digits("55")
    await lab.go(1)
    assert caller.ended.is_set()
    assert leg.ended.is_set()
    await lab.go(30)
    assert lab.state("ana") == (AgentState.READY, "")


async def test_a_call_closes_when_its_recording_cannot_be_finished(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, lab, "finish_recording", OSError(28, "No space left on device"))
    await talking(lab)
    lab.world.kill()
    lab.world.restore(same_life=False)
    await closes(lab)
    assert lab.record().recordings[0].state == "failed"


async def test_a_recording_is_finished_on_a_disk_that_is_too_full_for_new_ones(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talking(lab)
    recordings = lab.daemon._around.recordings
    monkeypatch.setattr(type(recordings), "free_bytes", lambda _self: -1)
    lab.world.kill()
    lab.world.restore(same_life=False)
    await closes(lab)
    assert lab.record().recordings[0].state == "complete"


async def test_a_pause_that_failed_is_not_claimed(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    await talking(lab)
    failing(monkeypatch, lab, "pause_recording", CommandRefused("no"))
    session(lab).tell(inp.RecordingPause(AgentId("ana")))
    await lab.go(0)
    assert lab.record().recordings[0].state == "recording"
    assert "recording_not_paused" in {kind for kind, _ in lab.herald.alerts}


async def test_time_that_is_set_back_keeps_no_call_open(lab: DaemonLab) -> None:
    caller = await lab.call()
    await lab.go(1)
    mine = session(lab)
    mine._last_at = lab.clock.now() + 3600  # as after a clock that was an hour ahead
    mine.state = replace(mine.state, leaving=("a-leg-of-which-nothing-more-is-heard",))
    await caller.hangup()
    await lab.go(15)
    assert lab.record().phase is Phase.CLOSED


async def test_a_switch_whose_clock_runs_ahead_does_not_write_the_future(lab: DaemonLab) -> None:
    caller = await lab.call()
    await lab.go(1)
    mine = session(lab)
    mine.tell(
        ChannelHungUp(
            at=lab.clock.now() + 3600,
            channel=ChannelId(mine.channel),
            cause=HangupCause.NORMAL,
            q850=16,
            by_us=False,
            answered=True,
        )
    )
    await lab.go(1)
    assert lab.record().ended_at <= lab.clock.now()  # type: ignore[operator]
    await caller.hangup()


# --- limits that the settings name --------------------


async def test_a_trunk_takes_no_more_calls_than_its_settings_say(lab: DaemonLab) -> None:
    lab.daemon._max_calls = {"etapa": 2}
    first, second, third = [await lab.call() for _ in range(3)]
    await lab.go(0.1)
    assert third.ended.is_set()
    assert third.status == 503
    assert not first.ended.is_set()
    assert not second.ended.is_set()
    assert [kind for kind, _ in lab.herald.alerts].count("trunk_full") == 1
    await first.hangup()
    await lab.go(0.1)
    fourth = await lab.call()
    await lab.go(0.1)
    assert not fourth.ended.is_set()


async def test_nobody_waits_longer_than_the_queue_says(lab: DaemonLab) -> None:
    router = lab.daemon.desk.router
    lab.daemon.desk.renew([replace(router.queues["contact-center"], max_wait_s=30)], {})
    await waiting(lab)
    await lab.go(31)
    assert "dequeued" in lab.facts()
    assert not router.waiting()


async def test_work_of_another_on_the_same_switch_is_left_alone(lab: DaemonLab) -> None:
    """An operator's switch carries calls that are none of ours."""
    other = await lab.phone("1002", auto_answer=True)
    await lab.during(
        switch(lab).originate(ChannelId("somebody-elses"), PhoneDestination("1002"), caller_number="1", timeout_s=20)
    )
    leg = await lab.during(other.next_call())
    lab.world.lose_connection()
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert not leg.ended.is_set()
    await leg.hangup()
