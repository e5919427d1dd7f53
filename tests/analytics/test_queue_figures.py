"""The figures of queues: by hand-counted histories, and the same however the log is cut."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from analytics.queue_figures import FACTS, STEP_S, QueueFigures
from callcontrol import events as ev
from callcontrol.model import AgentId, ExitReason, InteractionId, ParticipantId
from callcontrol.routing.service_level import ServiceLevel, Variant

ANA, LUIS = AgentId("ana"), AgentId("luis")
P = ParticipantId("p")
T0 = float(1_795_000_000 // STEP_S * STEP_S)


def queued(queue: str = "agua") -> ev.Queued:
    return ev.Queued(queue=queue, priority=0, skills={}, reason="")


def left(how: str, waited_s: float = 0.0, queue: str = "agua") -> ev.Dequeued:
    return ev.Dequeued(queue=queue, how=how, waited_s=waited_s)


def connected(agent: AgentId = ANA) -> ev.Connected:
    return ev.Connected(agent=agent, participant=P)


def parted(agent: AgentId = ANA) -> ev.Disconnected:
    return ev.Disconnected(agent=agent, participant=P, by="customer")


def wrapped(agent: AgentId = ANA) -> ev.WrapUpEnded:
    return ev.WrapUpEnded(agent=agent, how="timer")


ENDED = ev.Ended(exit_reason=ExitReason.COMPLETED, cause="normal", by="customer")
CLOSED = ev.Closed()


def story(name: str, *facts: tuple[float, ev.AnyFact]) -> list[ev.InteractionEvent]:
    return [
        ev.InteractionEvent(interaction=InteractionId(name), n=n, at=T0 + at, fact=fact)
        for n, (at, fact) in enumerate(facts, 1)
    ]


def answered(name: str, came: float, wait: float, talk: float, wrap: float) -> list[ev.InteractionEvent]:
    return story(
        name,
        (came, queued()),
        (came + wait, left("answered", wait)),
        (came + wait, connected()),
        (came + wait + talk, parted()),
        (came + wait + talk, ENDED),
        (came + wait + talk + wrap, wrapped()),
        (came + wait + talk + wrap, CLOSED),
    )


def told(*stories: Sequence[ev.InteractionEvent], level: ServiceLevel | None = None) -> QueueFigures:
    figures = QueueFigures({"agua": level or ServiceLevel()})
    for event in sorted((e for story in stories for e in story), key=lambda e: (e.at, e.interaction, e.n)):
        figures.tell(event)
    return figures


def test_a_day_counted_by_hand() -> None:
    figures = told(
        answered("quick", 0, 10, 100, 20),
        answered("late", 5, 30, 60, 0),
        story("short", (10, queued()), (13, left("abandoned", 3)), (13, ENDED), (13, CLOSED)),
        story("gone", (10, queued()), (70, left("abandoned", 60)), (70, ENDED), (70, CLOSED)),
        story("timeout", (20, queued()), (120, left("timeout", 100)), (130, ENDED), (130, CLOSED)),
    )
    day = figures.total("agua", T0, T0 + 86400)
    assert (day.offered, day.answered, day.abandoned, day.sent_on) == (5, 2, 2, 1)
    assert (day.met, day.early, day.short) == (1, 1, 1)
    assert day.asa_s == 20
    assert day.aht_s == (120 + 60) / 2
    assert day.level(figures.level_of("agua")) == 2 / 4
    assert day.level(ServiceLevel(variant=Variant.ANSWERED_ONLY)) == 1 / 2
    assert (day.waiting_max, day.waiting_last) == (3, 0)
    assert figures.total("agua", T0 + 86400, T0 + 2 * 86400).level(ServiceLevel()) is None


def test_who_is_moved_keeps_their_wait_and_is_offered_to_both_queues() -> None:
    figures = told(
        story(
            "x",
            (0, queued("luz")),
            (15, left("moved:time", 15, "luz")),
            (15, queued("agua")),
            (25, left("answered", 25)),
            (25, connected()),
            (85, parted()),
            (85, ENDED),
            (95, wrapped()),
            (95, CLOSED),
        )
    )
    first, then = (figures.total(q, T0, T0 + STEP_S) for q in ("luz", "agua"))
    assert (first.offered, first.sent_on, first.answered) == (1, 1, 0)
    assert (then.offered, then.answered, then.met, then.wait_s, then.handle_s) == (1, 1, 0, 25, 70)


def test_who_is_raised_in_the_same_queue_is_one_contact_with_one_wait() -> None:
    figures = told(
        story(
            "x",
            (0, queued("agua")),
            (15, left("raised", 15, "agua")),
            (15, queued("agua")),
            (25, left("answered", 10)),
            (25, connected()),
            (85, parted()),
            (85, ENDED),
            (95, wrapped()),
            (95, CLOSED),
        )
    )
    day = figures.total("agua", T0, T0 + STEP_S)
    assert (day.offered, day.sent_on, day.answered, day.wait_s, day.waiting_last) == (1, 0, 1, 25, 0)


def test_an_answer_that_was_lost_before_a_word_is_one_contact_and_one_answer() -> None:
    figures = told(
        story(
            "x",
            (0, queued()),
            (5, left("answered", 5)),
            (6, queued()),
            (12, left("answered", 12)),
            (12, connected(LUIS)),
            (20, parted(LUIS)),
            (20, ENDED),
            (20, CLOSED),
        ),
        story("y", (0, queued()), (5, left("answered", 5)), (6, ENDED), (6, CLOSED)),
    )
    day = figures.total("agua", T0, T0 + STEP_S)
    assert (day.offered, day.answered, day.abandoned, day.wait_s, day.handle_s) == (2, 1, 1, 12, 8)


def test_a_contact_of_which_only_the_end_is_known_is_counted_with_what_its_facts_say() -> None:
    figures = told(story("x", (50, left("abandoned", 400))), story("y", (60, ENDED), (61, CLOSED)))
    day = figures.total("agua", T0, T0 + STEP_S)
    assert (day.abandoned, day.early, day.waiting_last) == (1, 0, 0)


def test_history_has_every_quarter_and_knows_who_still_waits_in_an_empty_one() -> None:
    figures = told(
        story("x", (10, queued())),
        answered("y", 3 * STEP_S + 1, 5, 10, 0),
    )
    points = figures.points("agua", T0 - STEP_S, T0 + 4 * STEP_S)
    assert [at - T0 for at, _ in points] == [-STEP_S, 0, STEP_S, 2 * STEP_S, 3 * STEP_S, 4 * STEP_S]
    assert [c.waiting_max for _, c in points] == [0, 1, 1, 1, 2, 1]
    assert [c.offered for _, c in points] == [0, 1, 0, 0, 1, 0]


def test_old_quarters_are_forgotten() -> None:
    figures = told(answered("x", 0, 5, 10, 0), answered("y", 60 * 3600, 5, 10, 0))
    assert figures.total("agua", T0, T0 + 86400).offered == 0
    assert figures.total("agua", T0 + 86400, T0 + 5 * 86400).offered == 1


def test_every_fact_that_changes_a_figure_is_among_those_that_are_read_again() -> None:
    from analytics.queue_figures import _HANDLERS

    assert {fact.__struct_config__.tag for fact in _HANDLERS} == set(FACTS)


def test_interleaving_changes_no_sum() -> None:
    """The log's order between interactions is that of its writing, not of the events."""
    r = Random(7)
    stories = [answered(f"i{n}", r.uniform(0, 5000), r.uniform(0, 60), r.uniform(5, 300), 10) for n in range(200)]
    orderly, other = told(*stories), QueueFigures({"agua": ServiceLevel()})
    for events in r.sample(stories, len(stories)):
        for event in events:
            other.tell(event)
    one, two = (f.total("agua", T0, T0 + 86400) for f in (orderly, other))
    assert (one.offered, one.answered, one.met, one.handled) == (two.offered, two.answered, two.met, two.handled)
    assert abs(one.wait_s - two.wait_s) < 1e-6
    assert abs(one.handle_s - two.handle_s) < 1e-6
