"""The contract of calls in hand (`softphone_web.ports_desk.Calls`), for the twin and for a daemon."""

from __future__ import annotations

import pytest

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.model import Direction, InteractionId, Role, Target
from callcontrol.orders import Busy, LegDown, NotAvailable
from foundation.errors import NotFound
from pbx.terms import Supervision
from softphone_web.ports_desk import InHand
from tests.support.desk_rig import ANA, HERE, LUIS, NOTHING, Rig, rig

__all__ = ["rig"]  # the fixture


# --- a call in hand --------------------


async def test_a_call_in_hand_is_held_and_taken_back(rig: Rig) -> None:
    call = await rig.talk()

    async def customer() -> str:
        (leg,) = (leg for leg in (await rig.item()).legs if leg.role is Role.CUSTOMER)
        return leg.state

    item = await rig.item()
    assert (item.interaction, item.phase, item.mine, item.held) == (call, "talking", True, False)
    assert (item.direction, item.queue, item.queue_title) == (Direction.INBOUND, HERE, "Contact Center")
    assert (item.recording, item.consult, item.supervised) == ("on", None, None)
    assert {leg.agent for leg in item.legs} == {None, ANA}
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({ANA}))
    for _ in range(2):  # once more changes nothing
        await rig.order(call, inp.AgentHold(ANA))
        assert ((await rig.item()).held, await customer()) == (True, "held")
    for _ in range(2):
        await rig.order(call, inp.AgentResume(ANA))
        assert ((await rig.item()).held, await customer()) == (False, "talking")
    await rig.order(call, inp.RecordingPause(ANA))
    assert (await rig.item()).recording == "paused"
    await rig.order(call, inp.RecordingResume(ANA))
    assert (await rig.item()).recording == "on"


async def test_a_call_that_does_not_go_on_is_not_found(rig: Rig) -> None:
    await rig.ready(ANA)
    with pytest.raises(NotFound):
        await rig.desks.in_hand(NOTHING)
    for order in (inp.AgentHold(ANA), inp.AgentHangup(ANA), inp.Classify(ANA, disposition="resuelto")):
        with pytest.raises(NotFound):
            await rig.order(NOTHING, order)
    for mode in (Supervision.LISTEN, None):
        with pytest.raises(NotFound):
            await rig.desks.supervise(NOTHING, ANA, mode)
    with pytest.raises(NotFound):
        await rig.desks.take_over(NOTHING, ANA)
    with pytest.raises(NotFound):
        await rig.desks.check_disposition(NOTHING, "resuelto", None)


async def test_an_order_that_cannot_be_now_is_refused(rig: Rig) -> None:
    await rig.ready(ANA)
    call = await rig.arrive()  # it is being offered
    for order in (inp.AgentHold(ANA), inp.AgentHangup(ANA), inp.ConsultComplete(ANA), inp.ConsultCancel(ANA)):
        with pytest.raises(NotNow):
            await rig.order(call, order)


# --- given on, asked --------------------


@pytest.mark.parametrize("attended", [True, False])
async def test_a_transfer_goes_to_somebody_who_is_there(rig: Rig, attended: bool) -> None:
    call = await rig.talk()
    for kind, to in ((Target.AGENT, "nadie"), (Target.QUEUE, "nada")):
        with pytest.raises(NotFound):
            await rig.desks.transfer(call, ANA, kind, to, attended=attended)
    with pytest.raises(NotAvailable):
        await rig.desks.transfer(call, ANA, Target.AGENT, "luis", attended=attended)
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({ANA}))


async def asked(rig: Rig) -> InteractionId:
    """Ana asks Luis, who takes it."""
    call = await rig.talk()
    await rig.ready(LUIS)
    await rig.desks.transfer(call, ANA, Target.AGENT, "luis", attended=True)
    return call


async def test_who_is_asked_has_a_card_and_then_a_part_in_it(rig: Rig) -> None:
    call = await asked(rig)
    (card,) = (await rig.view(LUIS)).offers
    assert (card.kind, card.by, card.interaction) == ("consult", ANA, call)
    mine = await rig.item()
    assert mine.consult is not None
    assert (mine.phase, mine.consult.agent, mine.consult.state) == ("consult", LUIS, "ringing")
    assert (await rig.desks.in_hand(call)).asked == frozenset()
    await rig.desks.accept(LUIS, card.id)
    theirs = await rig.item(LUIS)
    assert (theirs.interaction, theirs.mine) == (call, False)
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({ANA}), asked=frozenset({LUIS}))


async def test_a_call_is_given_to_who_was_asked(rig: Rig) -> None:
    call = await asked(rig)
    with pytest.raises(NotNow):
        await rig.order(call, inp.ConsultComplete(ANA))  # Luis has not answered yet
    await rig.take(LUIS)
    await rig.settle()
    await rig.order(call, inp.ConsultComplete(ANA))
    view = await rig.view()
    assert (list(view.items), [one.interaction for one in view.wrap_ups]) == ([], [call])
    assert ((await rig.item(LUIS)).mine, (await rig.item(LUIS)).phase) == (True, "talking")
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({LUIS}), wrapping=frozenset({ANA}))


@pytest.mark.parametrize("answered", [True, False])
async def test_who_was_asked_in_vain_has_nothing_left(rig: Rig, answered: bool) -> None:
    call = await asked(rig)
    if answered:
        await rig.take(LUIS)
        await rig.settle()
    await rig.order(call, inp.ConsultCancel(ANA))
    item = await rig.item()
    assert (item.phase, item.consult) == ("talking", None)
    view = await rig.view(LUIS)
    assert (list(view.offers), list(view.items), list(view.wrap_ups)) == ([], [], [])
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({ANA}))


# --- a supervisor in it --------------------


async def test_a_supervisor_listens_speaks_and_leaves(rig: Rig) -> None:
    call = await rig.talk()
    with pytest.raises(LegDown):
        await rig.desks.supervise(call, LUIS, Supervision.LISTEN)
    await rig.ready(LUIS)
    with pytest.raises(NotNow):
        await rig.desks.supervise(call, LUIS, None)  # not in it
    with pytest.raises(NotNow):
        await rig.desks.supervise(call, ANA, Supervision.LISTEN)  # her own
    for mode, shown in ((Supervision.LISTEN, None), (Supervision.WHISPER, None), (Supervision.BARGE, "barge")):
        await rig.desks.supervise(call, LUIS, mode)
        assert (await rig.view(LUIS)).supervising == (call, mode)
        assert (await rig.item()).supervised == shown
    await rig.desks.supervise(call, LUIS, None)
    assert (await rig.view(LUIS)).supervising is None
    assert (await rig.item()).supervised is None


async def test_what_is_not_talked_in_cannot_be_listened_to(rig: Rig) -> None:
    await rig.ready(ANA)
    call = await rig.arrive()
    await rig.ready(LUIS)
    with pytest.raises(NotNow):
        await rig.desks.supervise(call, LUIS, Supervision.LISTEN)
    with pytest.raises(NotNow):
        await rig.desks.take_over(call, LUIS)


async def test_a_call_taken_over_has_another_owner(rig: Rig) -> None:
    call = await rig.talk()
    with pytest.raises(LegDown):
        await rig.desks.take_over(call, LUIS)
    with pytest.raises(NotNow):
        await rig.desks.take_over(call, ANA)
    await rig.ready(LUIS)
    await rig.desks.supervise(call, LUIS, Supervision.LISTEN)
    await rig.desks.take_over(call, LUIS)
    view = await rig.view(LUIS)
    assert ([item.mine for item in view.items], view.supervising) == ([True], None)
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({LUIS}), wrapping=frozenset({ANA}))


# --- calls out --------------------


async def test_a_call_out(rig: Rig) -> None:
    await rig.ready(ANA)
    with pytest.raises(NotFound):
        await rig.place(ANA, "0991234567", "nada")
    call = await rig.place(ANA, "0991234567", None)
    item = await rig.item()
    assert (item.interaction, item.direction, item.to_address) == (call, Direction.OUTBOUND, "0991234567")
    assert (item.queue, item.mine) == (HERE, True)
    assert await rig.desks.in_hand(call) == InHand(owners=frozenset({ANA}))
    with pytest.raises(Busy):
        await rig.place(ANA, "0991234568", None)


async def test_who_has_no_leg_or_is_not_there_calls_nobody(rig: Rig) -> None:
    with pytest.raises(LegDown):
        await rig.place(ANA, "0991234567", None)
    await rig.ready(ANA)
    await rig.leg_down(ANA)
    with pytest.raises(LegDown):
        await rig.place(ANA, "0991234567", HERE)
    assert list((await rig.view()).items) == []
