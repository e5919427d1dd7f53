"""The contract of agents' desks (`softphone_web.ports_desk.Desks`), for the twin and for a daemon."""

from __future__ import annotations

import pytest

from callcontrol import inputs as inp
from callcontrol.model import AgentId, AgentState, InteractionId, OfferId
from callcontrol.orders import LegDown, OfferOverAlready
from foundation.errors import Conflict, Invalid, NotFound
from softphone_web.ports_desk import DispositionRequired, InHand
from tests.support.desk_rig import ANA, HERE, LUIS, NOTHING, WRAP_UP_S, OneCode, Rig, rig

__all__ = ["rig"]  # the fixture


# --- offers --------------------


async def test_an_empty_desk(rig: Rig) -> None:
    out = await rig.view()
    assert (out.agent.id, out.agent.name, out.agent.state) == (ANA, "Ana Cordero", AgentState.SIGNED_OUT)
    assert (out.agent.queues, out.phone.leg_up) == ((HERE,), False)
    await rig.ready(ANA)
    view = await rig.view()
    assert (view.agent.state, view.agent.wanted, view.phone.leg_up) == (AgentState.READY, None, True)
    assert (list(view.offers), list(view.items), list(view.wrap_ups), view.supervising) == ([], [], [], None)
    assert view.measured_at == rig.clock.now()


async def test_whom_the_organisation_does_not_name_has_an_empty_desk(rig: Rig) -> None:
    """An account may still name them."""
    view = await rig.view(AgentId("nadie"))
    assert (view.agent.id, view.agent.name, view.agent.state) == ("nadie", "nadie", AgentState.SIGNED_OUT)
    assert (view.agent.queues, list(view.offers), list(view.items), list(view.wrap_ups)) == ((), [], [], [])
    with pytest.raises(LegDown):
        await rig.place(AgentId("nadie"), "0991234567", None)


async def test_an_offer_is_a_card_on_one_desk(rig: Rig) -> None:
    await rig.ready(ANA)
    call = await rig.arrive()
    view = await rig.view()
    (offer,) = view.offers
    assert (offer.kind, offer.by, offer.interaction) == ("offer", None, call)
    assert (offer.queue, offer.queue_title) == (HERE, "Contact Center")
    assert offer.from_address
    assert offer.waited_s >= 0
    assert offer.expires_at > view.measured_at
    assert (view.agent.state, list(view.items)) == (AgentState.RESERVED, [])
    assert list((await rig.view(LUIS)).offers) == []
    assert await rig.desks.in_hand(call) == InHand()


async def test_an_offer_is_answered_once_and_by_whom_it_is_for(rig: Rig) -> None:
    await rig.ready(ANA)
    await rig.ready(LUIS)
    await rig.arrive()
    agent, other = (ANA, LUIS) if (await rig.view(ANA)).offers else (LUIS, ANA)
    (mine,) = (await rig.view(agent)).offers
    for who, which in ((other, mine.id), (agent, OfferId("nothing"))):
        with pytest.raises(OfferOverAlready):
            await rig.desks.accept(who, which)
        with pytest.raises(OfferOverAlready):
            await rig.desks.reject(who, which, "")
    await rig.desks.accept(agent, mine.id)
    view = await rig.view(agent)
    assert (list(view.offers), view.agent.state) == ([], AgentState.INTERACTING)
    with pytest.raises(OfferOverAlready):
        await rig.desks.accept(agent, mine.id)


async def test_who_refuses_an_offer_is_not_ready(rig: Rig) -> None:
    await rig.ready(ANA)
    await rig.arrive()
    (offer,) = (await rig.view()).offers
    await rig.desks.reject(ANA, offer.id, "ocupada")
    view = await rig.view()
    assert (list(view.offers), list(view.items), view.agent.state) == ([], [], AgentState.NOT_READY)
    with pytest.raises(OfferOverAlready):
        await rig.desks.accept(ANA, offer.id)


async def test_without_a_leg_nothing_is_accepted(rig: Rig) -> None:
    await rig.ready(ANA)
    await rig.arrive()
    await rig.leg_down(ANA)
    view = await rig.view()
    assert not view.phone.leg_up
    for offer in view.offers:  # where it was not taken back
        with pytest.raises(LegDown):
            await rig.desks.accept(ANA, offer.id)
    assert list((await rig.view()).items) == []


# --- wrap-ups --------------------


async def wrapping(rig: Rig) -> InteractionId:
    call = await rig.talk()
    await rig.leave(call)
    return call


async def test_a_wrap_up_wants_its_disposition(rig: Rig) -> None:
    call = await wrapping(rig)
    view = await rig.view()
    (wrap_up,) = view.wrap_ups
    assert (view.agent.state, list(view.items)) == (AgentState.WRAP_UP, [])
    assert (wrap_up.interaction, wrap_up.queue, wrap_up.disposition) == (call, HERE, None)
    assert wrap_up.codes == OneCode().codes(HERE)
    assert await rig.desks.in_hand(call) == InHand(wrapping=frozenset({ANA}))
    for which in (call, None):
        with pytest.raises(DispositionRequired):
            await rig.desks.finish_wrap_up(ANA, which, None)
        with pytest.raises(Invalid):
            await rig.desks.finish_wrap_up(ANA, which, "inventado")
    with pytest.raises(DispositionRequired):
        await rig.desks.check_wrapped_up(ANA)
    await rig.desks.check_wrapped_up(LUIS)
    await rig.desks.finish_wrap_up(ANA, None, "resuelto")
    view = await rig.view()
    assert (view.agent.state, list(view.wrap_ups)) == (AgentState.READY, [])
    with pytest.raises(NotFound):
        await rig.desks.in_hand(call)


async def test_what_was_said_before_need_not_be_said_again(rig: Rig) -> None:
    call = await wrapping(rig)
    await rig.order(call, inp.Classify(ANA, disposition="resuelto"))
    assert [one.disposition for one in (await rig.view()).wrap_ups] == ["resuelto"]
    await rig.desks.check_wrapped_up(ANA)
    await rig.desks.finish_wrap_up(ANA, call, None)
    assert list((await rig.view()).wrap_ups) == []


async def test_a_wrap_up_is_extended(rig: Rig) -> None:
    call = await wrapping(rig)
    until = (await rig.view()).wrap_ups[0].until
    assert until is not None
    await rig.desks.extend_wrap_up(ANA, call, 30)
    await rig.desks.extend_wrap_up(ANA, None, 30)
    assert (await rig.view()).wrap_ups[0].until == pytest.approx(until + 60)


async def test_who_does_not_wrap_up_has_nothing_to_finish(rig: Rig) -> None:
    call = await rig.talk()
    for agent, which in ((ANA, None), (ANA, call), (LUIS, None), (ANA, NOTHING)):
        with pytest.raises(Conflict):
            await rig.desks.finish_wrap_up(agent, which, "resuelto")
        with pytest.raises(Conflict):
            await rig.desks.extend_wrap_up(agent, which, 30)
    await rig.leave(call)
    for agent, which in ((LUIS, call), (ANA, NOTHING)):
        with pytest.raises(Conflict):
            await rig.desks.finish_wrap_up(agent, which, "resuelto")


async def test_codes_are_the_queues(rig: Rig) -> None:
    call = await rig.talk()
    await rig.desks.check_disposition(call, "resuelto", "agua")
    await rig.desks.check_disposition(call, None, None)
    for disposition, reason in (("inventado", None), (None, "inventado")):
        with pytest.raises(Invalid):
            await rig.desks.check_disposition(call, disposition, reason)
    rig.codes.reasons = {}  # where the organisation has none, agents say it in their words
    await rig.desks.check_disposition(call, None, "inventado")


async def test_what_ran_out_unsaid_is_owed_until_it_is_said(rig: Rig) -> None:
    call = await wrapping(rig)
    await rig.clock.advance(WRAP_UP_S + 1)
    view = await rig.view()
    assert [(one.interaction, one.until, one.disposition) for one in view.wrap_ups] == [(call, None, None)]
    assert (view.agent.state, view.agent.reason) == (AgentState.NOT_READY, "undisposed")
    assert await rig.desks.in_hand(call) == InHand(wrapping=frozenset({ANA}))
    with pytest.raises(DispositionRequired):
        await rig.desks.check_wrapped_up(ANA)
    with pytest.raises(DispositionRequired):
        await rig.desks.finish_wrap_up(ANA, call, None)
    with pytest.raises(Invalid):
        await rig.desks.check_disposition(call, "inventado", None)
    await rig.desks.finish_wrap_up(ANA, call, "resuelto")
    assert list((await rig.view()).wrap_ups) == []
    await rig.desks.check_wrapped_up(ANA)
    with pytest.raises(NotFound):
        await rig.order(call, inp.Classify(ANA, disposition="resuelto"))
