"""Why this agent, asked for through the API."""

from __future__ import annotations

from callcontrol.events import InteractionEvent, Offered, OfferEnded
from callcontrol.model import AgentId, InteractionId, OfferEnd, OfferId, ParticipantId
from callcontrol.routing import terms as t
from callcontrol.routing.rules import QueueRules
from tests.support.routing import Floor
from tests.support.web import Api


def offered() -> list[InteractionEvent]:
    """What a real router decided about a real item, as the call would write it."""
    floor = Floor(QueueRules(name="averias"))
    floor.agent("ana", "averias")
    floor.agent("luis", "averias", ready=False)
    floor.item("x", "averias")
    offer = floor.of(t.MakeOffer)[0]
    call = InteractionId("i-00001")
    facts = [
        Offered(offer=offer.offer, agent=offer.agent, participant=ParticipantId("p1"), expires_at=1.0, why=offer.why),
        OfferEnded(offer=OfferId(offer.offer), agent=AgentId("ana"), how=OfferEnd.EXPIRED),
    ]
    return [InteractionEvent(interaction=call, n=n + 1, at=1_795_000_000.0 + n, fact=f) for n, f in enumerate(facts)]


async def test_each_offer_explains_itself(api: Api) -> None:
    api.platform.interactions.log[InteractionId("i-00001")] = offered()
    (item,) = (await api.get("/api/v1/interactions/i-00001/routing"))["items"]
    assert (item["agent"], item["outcome"]) == ("ana", "expired")
    assert item["sentence"].startswith("Se ofreció a Ana después de 0 s en la cola Averías")
    english = {"Accept-Language": "en-GB,es;q=0.5"}
    (told,) = (await api.get("/api/v1/interactions/i-00001/routing", headers=english))["items"]
    assert told["sentence"].startswith("Offered to Ana after 0 s in the queue Averías; because nobody else was free")
    assert item["why"]["excluded"] == [{"agent": "luis", "why": "not_ready", "detail": "signed_in"}]


async def test_an_unknown_interaction_is_not_found(api: Api) -> None:
    await api.get("/api/v1/interactions/none/routing", status=404)
