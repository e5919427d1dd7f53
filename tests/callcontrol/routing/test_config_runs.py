"""Whatever is accepted as an organisation, the router can run: no number without an end, nothing divided by zero."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.config_store import read_text
from callcontrol.routing.router import Router
from foundation.settings import SettingsError

START = 1_795_000_000.0

# What people, and slips of people, write where a number belongs; the ends of the bounds among them.
_NUMBERS = st.sampled_from(
    [0, 1, 3, 0.1, 0.5, 20, 300, 600, 3600, 86400, 604800, 1e-9, -1, 1e12, 1e300, 10**400, float("inf"), float("nan")]
)
_OF_A_QUEUE = [
    *("offer_s", "wrap_up_s", "wrap_up_most_s", "max_wait_s", "max_length", "priority", "ageing_per_min", "handle_s"),
    *("preferred_wait_s", "stranded_s", "keep_free", "alert_waiting_s", "contacts_per_month"),
]
_OF_A_LEVEL = ("threshold_s", "target", "short_s")
_WHENS = ("time", "length", "expected_wait", "no_agents")
_MEDIA = [medium.value for medium in Medium]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    def some(keys: tuple[str, ...] | list[str]) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(keys), max_size=2, unique=True))
        return {key: draw(_NUMBERS) for key in chosen}

    queues = []
    for name in ("uno", "dos"):
        queue = {"name": name, **some(_OF_A_QUEUE), "service_level": some(_OF_A_LEVEL)}
        if draw(st.booleans()):
            queue["rings"] = [{"after_s": draw(_NUMBERS), "drop": ["agua"]}]
        if draw(st.booleans()):
            to = {"to": "queue", "target": "dos"} if name == "uno" else {"to": "callback"}
            queue["overflow"] = [{"when": draw(st.sampled_from(_WHENS)), "over": draw(_NUMBERS), **to}]
        queue["requires"] = draw(st.sampled_from(["", "agua", "agua >= 2"]))
        queues.append(queue)
    return {
        "skills": {"agua": "Agua"},
        "capacities": {"c": {"limits": {"voice": 1, **some(_MEDIA)}, "weights": some(_MEDIA), **some(["total"])}},
        "callbacks": some(["attempts", "retry_s", "ring_s"]),
        "criticality": some(["outage"]),
        "queues": queues,
        "teams": [{"name": "e", "capacity": "c", "queues": ["uno", "dos"], "skills": {"agua": 2}}],
        "agents": [{"id": "ana", "name": "Ana", "team": "e", "ring": some(["uno"])}],
    }


def as_text(document: dict[str, Any]) -> str:
    """JSON is YAML, but for these words."""
    return json.dumps(document).replace("Infinity", ".inf").replace("NaN", ".nan")


def run(config: RoutingConfig) -> None:
    router = Router(config.rules(), criticality=config.criticality)
    now, number = START, 0
    profile = config.profile(AgentId("ana"), now)
    assert profile is not None
    router.step(profile)
    router.step(t.AgentAsked(at=now, agent=AgentId("ana"), state=AgentState.READY))
    for queue in config.queues:
        for medium in Medium:
            number += 1
            item = t.WorkItem(
                id=InteractionId(f"i{number}"), medium=medium, queue=queue.name, queued_at=now, criticality="outage"
            )
            told = router.step(t.ItemQueued(at=now, item=item))
            for offer in [d for d in told if isinstance(d, t.MakeOffer)][:1]:
                router.step(t.OfferAnswered(at=now, offer=offer.offer, how=OfferEnd.ACCEPTED))
                router.step(t.WorkEnded(at=now + 1, item=offer.item, agent=offer.agent))
                router.step(t.WrapUpExtended(at=now + 1, agent=offer.agent, seconds=60.0))
            router.place(item.id, now)
            router.expected_s(queue.name)
    for _ in range(40):
        due = router.next_due()
        if due is None:
            break
        now = max(now, due)
        router.step(t.TimePassed(at=now))
    router.renew(now, config.rules(), config.criticality)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_whatever_is_accepted_can_be_run(document: dict[str, Any]) -> None:
    try:
        config = read_text(as_text(document))
    except SettingsError:
        assume(False)
        raise
    run(config)


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e300", "1" + "0" * 400])
@pytest.mark.parametrize("key", [*_OF_A_QUEUE, *(f"service_level.{name}" for name in _OF_A_LEVEL), "overflow", "rings"])
def test_no_number_is_without_an_end(key: str, number: str) -> None:
    outer, _, inner = key.partition(".")
    value = {
        "overflow": f"[{{when: time, over: {number}, to: callback}}]",
        "rings": f"[{{after_s: {number}, drop_all: true}}]",
    }.get(key, f"{{{inner}: {number}}}" if inner else number)
    with pytest.raises(SettingsError, match=key):
        read_text(f"queues: [{{name: uno, {outer}: {value}}}]")
