"""The desk's ports on a daemon with the in-memory switch: what agents see of their work, and what they may finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.desk_watch import DeskWatch
from app.undisposed import KEPT_S, Undisposed
from app.web_desk import DaemonDesks
from callcontrol import inputs as inp
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, AgentState, InteractionId, Phase, PhoneKind
from callcontrol.record import fold
from foundation.errors import Invalid, NotFound
from pbx.terms import Supervision
from softphone_web.ports import LiveEvent, Topic
from softphone_web.ports_desk import DispositionRequired
from softphone_web.schemas_desk import desk_out
from tests.support.daemon import AGENTS, QUEUES, DaemonLab
from tests.support.desk_rig import OneCode

ANA, LUIS = AgentId("ana"), AgentId("luis")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


@pytest.fixture
def desks(lab: DaemonLab) -> DaemonDesks:
    undisposed = Undisposed(lambda queue: OneCode().codes(queue).required, lab.journal, lab.herald, lab.clock)
    lab.herald.record_folds.append(undisposed.tell)
    wants = replace(QUEUES[0].rules, disposition_required=True)
    lab.daemon.desk.renew([wants], {})
    return DaemonDesks(lab.daemon, ConfiguredAgents(AGENTS), OneCode(), lab.clock, str.title, undisposed)


async def talk(lab: DaemonLab, desks: DaemonDesks) -> InteractionId:
    await lab.open_leg("ana")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    await desks.accept(ANA, desks.now(ANA).offers[0].id)
    await lab.go(1)
    lab.caller = caller  # type: ignore[attr-defined]
    return lab.record().id


async def test_an_offer_says_who_why_and_how_they_came(lab: DaemonLab, desks: DaemonDesks) -> None:
    await lab.open_leg("ana")
    await lab.ready("ana")
    await lab.to_queue(await lab.call())
    await lab.go(3)
    desk = desks.now(ANA)
    offer = desk.offers[0]
    assert (offer.kind, offer.queue, offer.queue_title) == ("offer", "contact-center", "Contact-Center")
    assert offer.from_address == lab.record().from_address
    assert [choice.option for choice in offer.path] == ["1"]
    assert 3 <= offer.waited_s < 10
    assert offer.expires_at > lab.clock.now()
    assert desk.agent.state is AgentState.RESERVED
    assert desk.phone.leg_up
    assert desks.now(LUIS).offers == []
    assert desk_out(desk).model_dump(mode="json")["offers"][0]["id"] == offer.id


async def test_a_call_in_hand_and_its_legs(lab: DaemonLab, desks: DaemonDesks) -> None:
    call = await talk(lab, desks)

    def legs() -> dict[str, str]:
        return {leg.agent or leg.role.value: leg.state for leg in desks.now(ANA).items[0].legs}

    assert legs() == {"customer": "talking", "ana": "talking"}
    assert desks.now(ANA).items[0].recording == "on"
    await desks.order(call, inp.AgentHold(ANA))
    assert legs() == {"customer": "held", "ana": "talking"}
    await desks.order(call, inp.AgentResume(ANA))
    await desks.order(call, inp.RecordingPause(ANA))
    assert desks.now(ANA).items[0].recording == "paused"
    lab.daemon.phone_silent("1001")
    await lab.go(0)
    assert legs() == {"customer": "held", "ana": "away"}
    assert not desks.now(ANA).phone.leg_up


async def test_a_wrap_up_that_runs_out_is_still_owed_when_the_call_is_closed(
    lab: DaemonLab, desks: DaemonDesks
) -> None:
    call = await talk(lab, desks)
    waits = await lab.call()
    await lab.to_queue(waits)
    await lab.caller.hangup()  # type: ignore[attr-defined]
    await lab.go(30)
    assert lab.state("ana") == (AgentState.NOT_READY, "undisposed")  # the next caller was not offered
    record = lab.journal.records[call]
    assert (record.phase, record.disposition) == (Phase.CLOSED, None)
    owed = desks.now(ANA).wrap_ups
    assert [(one.interaction, one.until, one.codes.required) for one in owed] == [(call, None, True)]
    with pytest.raises(DispositionRequired):
        await desks.check_wrapped_up(ANA)
    with pytest.raises(DispositionRequired):
        await desks.finish_wrap_up(ANA, call, None)
    with pytest.raises(Invalid):
        await desks.check_disposition(call, "inventado", None)
    assert (await desks.in_hand(call)).wrapping == {ANA}
    await desks.finish_wrap_up(ANA, call, "resuelto")
    record = lab.journal.records[call]
    assert (record.phase, record.disposition, record.events) == (
        Phase.CLOSED,
        "resuelto",
        len(lab.journal.events[call]),
    )
    assert fold(lab.journal.events[call]) == record
    assert desks.now(ANA).wrap_ups == []
    await desks.check_wrapped_up(ANA)
    with pytest.raises(NotFound):
        await desks.order(call, inp.Classify(ANA, disposition="resuelto"))


@pytest.mark.parametrize("when", ["in the talk", "in the wrap-up"])
async def test_what_was_said_in_time_is_not_owed(lab: DaemonLab, desks: DaemonDesks, when: str) -> None:
    call = await talk(lab, desks)
    if when == "in the talk":
        await desks.order(call, inp.Classify(ANA, disposition="resuelto"))
    await lab.caller.hangup()  # type: ignore[attr-defined]
    await lab.go(1)
    if when == "in the wrap-up":
        await desks.order(call, inp.Classify(ANA, disposition="resuelto"))
    await lab.go(30)
    assert lab.state("ana") == (AgentState.READY, "")
    assert desks.now(ANA).wrap_ups == []


async def test_what_is_owed_is_forgotten_after_a_day(lab: DaemonLab, desks: DaemonDesks) -> None:
    await talk(lab, desks)
    await lab.caller.hangup()  # type: ignore[attr-defined]
    await lab.go(30)
    assert desks.now(ANA).wrap_ups
    await lab.go(KEPT_S)
    assert desks.now(ANA).wrap_ups == []
    await desks.check_wrapped_up(ANA)


async def test_who_accepts_leaves_the_call_they_listen_to(lab: DaemonLab, desks: DaemonDesks) -> None:
    call = await talk(lab, desks)
    luis = await lab.open_leg("luis", tone_hz=800)
    await lab.ready("luis")
    await desks.supervise(call, LUIS, Supervision.LISTEN)
    await lab.go(0)
    assert desks.now(LUIS).supervising == (call, Supervision.LISTEN)
    assert desks.now(ANA).supervising is None
    await lab.to_queue(await lab.call(tone_hz=500))
    await desks.accept(LUIS, desks.now(LUIS).offers[0].id)
    await lab.go(1)
    assert luis.hears_now == {500}
    assert lab.record(0).supervisors == ()


async def test_a_call_out_is_for_the_agent_s_first_queue(lab: DaemonLab, desks: DaemonDesks) -> None:
    await lab.open_leg("ana")
    await lab.ready("ana")
    call = await lab.during(desks.place(ANA, "0991234567", None, "0102030400"))
    item = desks.now(ANA).items[0]
    assert (item.interaction, item.queue, item.to_address, item.phase) == (
        call, "contact-center", "0991234567", "dialing",
    )  # fmt: skip
    assert [leg.state for leg in item.legs if leg.agent is None] == ["ringing"]
    assert lab.record(0).customer == "0102030400"


async def test_who_sets_up_a_leg_is_reached_there(lab: DaemonLab, desks: DaemonDesks) -> None:
    assert lab.daemon.open_legs.offers_go_there(ANA) is False  # a desk phone, by the settings
    await lab.open_leg("ana")
    assert lab.daemon.open_legs.offers_go_there(ANA) is True
    assert PhoneKind.WEB == "web"


async def test_a_change_is_told_once_to_each_of_whom_it_concerns(lab: DaemonLab, desks: DaemonDesks) -> None:
    told: list[LiveEvent] = []
    heard = asyncio.Event()

    def tell(event: LiveEvent) -> None:
        told.append(event)
        heard.set()

    watch = DeskWatch(desks, lab.clock, tell)
    running = asyncio.create_task(watch.run())
    try:
        for kind in ("offered", "connected"):
            agents = frozenset({ANA})
            watch.watch(LiveEvent(topic=Topic.INTERACTIONS, type=kind, at=1.0, key="i", data={}, agents=agents))
        watch.watch(
            LiveEvent(topic=Topic.TRUNKS, type="trunk_state", at=1.0, key="t", data={}, agents=frozenset({LUIS}))
        )
        await asyncio.wait_for(heard.wait(), 5)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [(event.topic, event.key, event.agents) for event in told] == [(Topic.DESK, "ana", {ANA})]
    assert told[0].data["agent"]["id"] == "ana"
