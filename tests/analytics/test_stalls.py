"""Alerts: told once, over once, and not to and fro."""

from __future__ import annotations

from analytics.stalls import Kind, Measure, Watch, lasting, level_at_risk, spoken, unstaffed
from callcontrol.model import InteractionId
from callcontrol.routing.service_level import ServiceLevel

T0 = 1_795_000_000.0


def waits(seconds: float, who: str = "i1") -> Measure:
    return lasting(
        Kind.WAITING,
        seconds=seconds,
        limit_s=60,
        since=T0,
        what="Un contacto espera en Internet",
        queue="internet",
        interaction=InteractionId(who),
    )


def test_what_lasts_is_told_once_and_is_over_once() -> None:
    watch = Watch()
    assert watch.look([waits(59)], T0) == ([], [])
    raised, over = watch.look([waits(60), waits(5, "i2")], T0 + 1)
    assert [s.id for s in raised] == ["waiting_too_long:i1"]
    assert raised[0].measure.message == "Un contacto espera en Internet: 1 min (límite 1 min)"
    assert over == []
    assert watch.look([waits(75)], T0 + 2) == ([], [])
    assert [s.measure.value for s in watch.open] == [75]
    raised, over = watch.look([], T0 + 3)
    assert raised == []
    assert [s.id for s in over] == ["waiting_too_long:i1"]
    assert watch.open == []


def level(reached: float, target: float = 0.8) -> list[Measure]:
    return [level_at_risk("internet", "Internet", reached, ServiceLevel(target=target), T0)]


def test_a_level_that_goes_up_and_down_about_its_target_is_told_once() -> None:
    watch = Watch()
    told = [
        tuple(len(part) for part in watch.look(level(at), T0)) for at in (0.81, 0.79, 0.805, 0.79, 0.82, 0.84, 0.81)
    ]
    assert told == [(0, 0), (1, 0), (0, 0), (0, 0), (0, 0), (0, 1), (0, 0)]


def test_a_target_near_all_can_be_met_again() -> None:
    for target in (0.98, 1.0):
        watch = Watch()
        assert len(watch.look(level(0.9, target), T0)[0]) == 1
        assert len(watch.look(level(1.0, target), T0)[1]) == 1


def test_words() -> None:
    assert level(0.755)[0].message == "Nivel de servicio de Internet: 75,5 % en la última media hora (meta 80 %)"
    assert level(0.755)[0].figures == {"level": 0.755, "target": 0.8}
    assert unstaffed("a", "Agua", 1, T0).figures == {"waiting": 1}
    assert unstaffed("a", "Agua", 1, T0).message == "Nadie atiende Agua y una persona espera"
    assert unstaffed("a", "Agua", 3, T0).message == "Nadie atiende Agua y 3 personas esperan"
    assert [spoken(s) for s in (5, 60, 61, 3600, 7325)] == ["5 s", "1 min", "1 min 1 s", "1 h 0 min", "2 h 2 min"]
