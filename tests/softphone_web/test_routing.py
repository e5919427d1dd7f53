"""Why this agent, asked for through the API."""

from __future__ import annotations

from callcontrol.events import Dequeued, InteractionEvent, Offered, OfferEnded, Relaxed
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


async def test_who_was_never_offered_is_explained_too(api: Api) -> None:
    call = InteractionId("i-00001")
    facts = [
        Relaxed(queue="averias", ring=1, requires="internet >= 2", waited_s=30.0),
        Relaxed(queue="averias", ring=2, requires="", waited_s=90.0),
        Dequeued(queue="averias", how="moved:closed", waited_s=100.0),
        Dequeued(queue="otra", how="no_agents", waited_s=130.0),
        Dequeued(queue="otra", how="abandoned", waited_s=131.0),  # their own decision
    ]
    api.platform.interactions.log[call] = [
        InteractionEvent(interaction=call, n=n + 1, at=1_795_000_000.0 + n, fact=f) for n, f in enumerate(facts)
    ]
    items = (await api.get("/api/v1/interactions/i-00001/routing"))["items"]
    assert [(one["kind"], one["outcome"], one["sentence"]) for one in items] == [
        (
            "relaxed",
            None,
            "Tras 30 s en la cola Averías se relajó lo pedido (paso 1): ahora se pide «Internet nivel 2».",
        ),
        (
            "relaxed",
            None,
            "Tras 1 min 30 s en la cola Averías se relajó lo pedido (paso 2): ya no se pide habilidad.",
        ),
        (
            "left",
            "moved:closed",
            "Salió de la cola Averías sin agente después de 1 min 40 s: la cola estaba cerrada.",
        ),
        ("left", "no_agents", "Salió de la cola otra sin agente después de 2 min 10 s: nadie conectado podía atender."),
    ]
    assert all(one["agent"] is one["offer"] is one["why"] is None for one in items)


async def test_an_unknown_interaction_is_not_found(api: Api) -> None:
    await api.get("/api/v1/interactions/none/routing", status=404)
