from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from foundation.metrics import SETUP_S, WAIT_S, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        sample.name + "".join(f",{k}={v}" for k, v in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.counter("pbx_calls_total", "Calls by end", ["cause"]).labels("busy").inc()
    metrics.gauge("callcontrol_calls_active", "Calls now").set(3)
    metrics.histogram("callcontrol_queue_wait_seconds", "Waiting", WAIT_S).observe(12)
    read = samples(metrics)
    assert read["rimay_pbx_calls_total,cause=busy"] == 1
    assert read["rimay_callcontrol_calls_active"] == 3
    assert read["rimay_callcontrol_queue_wait_seconds_bucket,le=10.0"] == 0
    assert read["rimay_callcontrol_queue_wait_seconds_bucket,le=15.0"] == 1
    assert read["rimay_process_cpu_seconds_total"] > 0


def test_two_platforms_in_one_process_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.counter("pbx_calls_total", "Calls").inc(5)
    other.counter("pbx_calls_total", "Calls").inc()
    assert samples(other)["rimay_pbx_calls_total"] == 1


def test_asking_again_gives_the_same() -> None:
    metrics = Metrics()
    first = metrics.histogram("pbx_setup_seconds", "Set-up", SETUP_S)
    assert metrics.histogram("pbx_setup_seconds", "Set-up", SETUP_S) is first
    with pytest.raises(ValueError, match="another type"):
        metrics.histogram("pbx_setup_seconds", "Set-up", WAIT_S)
    with pytest.raises(ValueError, match="another type"):
        metrics.gauge("pbx_setup_seconds", "Set-up")


@pytest.mark.parametrize("name", ["calls", "rimay_pbx_calls", "Pbx_calls", "pbx_wait_ms", "pbx_cpu_percent", "pbx__x"])
def test_names_off_the_convention_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Metrics().gauge(name, "x")


def test_counters_and_only_they_end_in_total() -> None:
    with pytest.raises(ValueError, match="ends in _total"):
        Metrics().counter("pbx_calls", "x")
    with pytest.raises(ValueError, match="only a counter"):
        Metrics().gauge("pbx_calls_total", "x")
    with pytest.raises(ValueError, match="only a counter"):
        Metrics().histogram("pbx_calls_total", "x", WAIT_S)


def test_labels_that_never_stop_growing_are_refused() -> None:
    with pytest.raises(ValueError, match="without end: phone"):
        Metrics().counter("pbx_calls_total", "x", ["cause", "phone"])
