"""Outbound rules: reading, allowing, limiting, choosing gateways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.dialing import (
    REMEMBERED,
    DialLimiter,
    DialNumber,
    DialTooFast,
    NoGateway,
    NumberKind,
    NumberUnreadable,
    OutboundRules,
    check_allowed,
    choose_gateways,
    may_try_next,
    read_caller,
    read_number,
)
from pbx.settings import Dialing, Gateway, Trunk
from pbx.terms import DialRefused, HangupCause, NumberDestination, TrunkState, TrunkStatus

CUENCA = Dialing()
QUITO = Dialing(area_code="2")
K = NumberKind


@pytest.mark.parametrize(
    ("given_as", "e164", "kind", "as_dialled"),
    [
        ("4103300", "+59374103300", K.FIXED, "074103300"),  # local: Azuay's area code
        ("410-3300", "+59374103300", K.FIXED, "074103300"),
        ("074103300", "+59374103300", K.FIXED, "074103300"),
        ("(07) 410 3300", "+59374103300", K.FIXED, "074103300"),
        ("74103300", "+59374103300", K.FIXED, "074103300"),  # national without the 0, as some trunks send it
        ("022345678", "+59322345678", K.FIXED, "022345678"),
        ("+593 7 410 3300", "+59374103300", K.FIXED, "074103300"),
        ("+593 (0)7 410 3300", "+59374103300", K.FIXED, "074103300"),
        ("+593074103300", "+59374103300", K.FIXED, "074103300"),
        ("59374103300", "+59374103300", K.FIXED, "074103300"),
        ("0059374103300", "+59374103300", K.FIXED, "074103300"),
        ("tel:+593-7-410-3300", "+59374103300", K.FIXED, "074103300"),
        ("sip:074103300@10.0.0.1:5060", "+59374103300", K.FIXED, "074103300"),
        ("tel:074103300;phone-context=+593", "+59374103300", K.FIXED, "074103300"),
        ("0991234567", "+593991234567", K.MOBILE, "0991234567"),
        ("09 9123 4567", "+593991234567", K.MOBILE, "0991234567"),
        ("991234567", "+593991234567", K.MOBILE, "0991234567"),
        ("593991234567", "+593991234567", K.MOBILE, "0991234567"),
        ("0911234567", "+593911234567", K.MOBILE, "0911234567"),  # a range newer than any library
        ("1800123456", "+5931800123456", K.FREE, "1800123456"),
        ("1-800-123-456", "+5931800123456", K.FREE, "1800123456"),
        ("1800 ETAPA1", "+5931800382721", K.FREE, "1800382721"),
        ("+5931800123456", "+5931800123456", K.FREE, "1800123456"),
        ("1700123456", "+5931700123456", K.SHARED, "1700123456"),
        ("1900123456", "+5931900123456", K.PREMIUM, "1900123456"),
        ("911", "911", K.SHORT, "911"),
        ("100", "100", K.SHORT, "100"),
        ("102", "102", K.SHORT, "102"),
        ("171", "171", K.SHORT, "171"),
        ("0034912345678", "+34912345678", K.INTERNATIONAL, "0034912345678"),
        ("+1 (212) 555-0123", "+12125550123", K.INTERNATIONAL, "0012125550123"),
        ("+57 300 1234567", "+573001234567", K.INTERNATIONAL, "00573001234567"),
        ("０７４１０３３００", "+59374103300", K.FIXED, "074103300"),  # full-width digits from a web page
    ],
)
def test_reading(given_as: str, e164: str, kind: NumberKind, as_dialled: str) -> None:
    number = read_number(given_as, CUENCA)
    assert (number.text, number.kind, number.as_dialled) == (e164, kind, as_dialled)
    assert read_number(number.text, CUENCA) == number
    assert read_number(number.as_dialled, CUENCA) == number
    assert read_caller(given_as, CUENCA).number == number


def test_the_area_code_is_the_settings() -> None:
    assert read_number("2345678", QUITO).text == "+59322345678"


@pytest.mark.parametrize(
    ("given_as", "why"),
    [
        ("", "No number"),
        ("   ", "No number"),
        ("hola", "must consist of digits"),
        ("07410330a", "must consist of digits"),
        ("+", "must consist of digits"),
        ("07+4103300", "must consist of digits"),
        ("*43", r"Service codes"),
        ("074103300#", r"Service codes"),
        ("09912345", "mobile number in Ecuador has 9 digits .* this one has 7"),
        ("09912345678", "mobile number in Ecuador has 9 digits .* this one has 10"),
        ("0741033", "fixed number in Ecuador has 8 digits .* this one has 6"),
        ("070103300", "No subscriber's number"),
        ("18001234", "10 digits; this one has 8"),
        ("0841033000", "No number in Ecuador"),
        ("12", "No number in Ecuador"),
        ("0099912345678", "no known country code"),
        ("+1212555", r"too short for country code \+1"),
        ("+1212555012345", r"too long for country code \+1"),
        ("1" * 60, "too long"),
        ("٠٧٤١٠٣٣٠٠", "must consist of digits"),  # digits, but none that a telephone has
    ],
)
def test_unreadable_says_why_and_never_repeats_the_number(given_as: str, why: str) -> None:
    with pytest.raises(NumberUnreadable, match=why) as caught:
        read_number(given_as, CUENCA)
    assert caught.value.is_permanent
    assert len(given_as.strip()) < 4 or given_as not in caught.value.message + str(caught.value.facts)
    caller = read_caller(given_as, CUENCA)
    assert caller.number is None
    assert caller.why
    assert caller.given == given_as


@pytest.mark.parametrize("withheld", ["anonymous", "Anonymous", "Restricted", "", "unknown"])
def test_a_withheld_caller(withheld: str) -> None:
    assert read_caller(withheld, CUENCA).why == "the caller's number is withheld"


@given(st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        number = read_number(text, CUENCA)
    except NumberUnreadable:
        return
    assert number.text.removeprefix("+").isdigit()
    assert read_number(number.text, CUENCA) == number


# --- allow and deny --------------------


@pytest.mark.parametrize(
    ("number", "allow", "deny", "refused"),
    [
        ("074103300", ["+593"], [], None),
        ("0991234567", ["+593"], [], None),
        ("0991234567", ["+5937"], [], "mobile numbers in Ecuador"),
        ("074103300", [], [], "fixed numbers in Ecuador"),
        ("1900123456", ["+593"], ["+5931900"], r"begin with \+5931900 are denied"),
        ("1900123456", ["+593"], ["1900"], "begin with 1900 are denied"),
        ("1900123456", ["+5931900123456"], ["+5931900"], "are denied"),  # deny wins though allow is longer
        ("0991234567", ["+593"], ["+5939", "+59399"], r"begin with \+59399 are"),  # the longest names the rule
        ("1800123456", ["1800"], [], None),
        ("911", ["+593"], [], "the short code 911"),
        ("911", ["+593", "911"], [], None),
        ("911", ["911"], ["+5939"], None),
        ("0991234567", ["911", "9"], [], "mobile"),  # prefixes of short codes are of short codes only
        ("102", ["1"], ["10"], "begin with 10 are denied"),
        ("171", ["1"], ["10"], None),
        ("0034912345678", ["+593"], [], r"country code \+34"),
        ("0034912345678", ["+593", "+34"], [], None),
        ("+12125550123", ["+593", "+1"], ["+1900"], None),
        ("+19005550123", ["+593", "+1"], ["+1900"], "are denied"),
    ],
)
def test_prefixes(number: str, allow: list[str], deny: list[str], refused: str | None) -> None:
    rules = Dialing(allow=allow, deny=deny)
    read = read_number(number, rules)
    if refused is None:
        check_allowed(read, rules)
        return
    with pytest.raises(DialRefused, match=refused) as caught:
        check_allowed(read, rules)
    assert read.kind is K.SHORT or read.text not in caught.value.message


# --- limits --------------------

A, B = DialNumber("+59374103300", K.FIXED), DialNumber("+593991234567", K.MOBILE)


def test_one_number_has_its_own_limit_and_gets_it_back_evenly() -> None:
    limiter = DialLimiter(Dialing(calls_per_minute=100, calls_per_minute_per_number=4), 0.0)
    for _ in range(4):
        limiter.take(A, 0.0)
    with pytest.raises(DialTooFast, match="4 calls a minute for this number is reached; try again in 15 s") as caught:
        limiter.take(A, 0.0)
    assert caught.value.facts == {"retry_after_s": 15.0}
    assert not caught.value.is_permanent
    limiter.take(B, 0.0)
    with pytest.raises(DialTooFast):
        limiter.take(A, 14.9)
    limiter.take(A, 15.0)


def test_the_platforms_limit_and_that_a_refusal_costs_nothing() -> None:
    limiter = DialLimiter(Dialing(calls_per_minute=3, calls_per_minute_per_number=2), 0.0)
    limiter.take(A, 0.0)
    limiter.take(A, 0.0)
    for _ in range(10):
        with pytest.raises(DialTooFast, match="this number"):
            limiter.take(A, 0.0)
    limiter.take(B, 0.0)
    with pytest.raises(DialTooFast, match="the whole platform"):
        limiter.take(B, 0.0)
    limiter.take(B, 20.0)  # it paid nothing for the refusal


def test_zero_allows_none_and_a_clock_that_goes_back_gives_none() -> None:
    with pytest.raises(DialTooFast, match="no calls per minute") as caught:
        DialLimiter(Dialing(calls_per_minute=0), 0.0).take(A, 1e9)
    assert caught.value.facts["retry_after_s"] is None
    limiter = DialLimiter(Dialing(calls_per_minute=1), 100.0)
    limiter.take(A, 100.0)
    with pytest.raises(DialTooFast):
        limiter.take(B, 0.0)
    with pytest.raises(DialTooFast):
        limiter.take(B, 101.0)


def test_numbers_that_rest_are_forgotten() -> None:
    limiter = DialLimiter(Dialing(calls_per_minute=1_000_000), 0.0)
    for i in range(REMEMBERED + 1):
        limiter.take(DialNumber(f"+5939{i:08}", K.MOBILE), float(i))
    assert len(limiter._numbers) < 100


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200), st.integers(1, 20))
def test_no_stretch_of_time_gets_more_than_its_share(waits: list[float], per_minute: int) -> None:
    limiter = DialLimiter(Dialing(calls_per_minute=10_000, calls_per_minute_per_number=per_minute), 0.0)
    at, taken = 0.0, []
    for wait in waits:
        at += wait
        try:
            limiter.take(A, at)
        except DialTooFast:
            continue
        taken.append(at)
    for i, first in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= per_minute + (taken[j] - first) * per_minute / 60 + 1e-6


# --- gateways --------------------


def gateway(name: str, priority: int) -> Gateway:
    return Gateway(name=name, host="192.0.2.1", priority=priority)


MAIN = Trunk(name="etapa", gateways=[gateway("b", 2), gateway("a", 1), gateway("c", 2)], max_calls=10)
SPARE = Trunk(name="spare", gateways=[gateway("x", 1)])


def status(trunk: str, name: str, state: TrunkState) -> TrunkStatus:
    return TrunkStatus(trunk, name, state)


def names(**kwargs: object) -> list[str]:
    return [f"{c.trunk.name}/{c.gateway.name}" for c in choose_gateways([MAIN, SPARE], **kwargs)]  # type: ignore[arg-type]


def test_order() -> None:
    assert names() == ["etapa/a", "etapa/b", "etapa/c", "spare/x"]
    assert names(trunk="spare") == ["spare/x"]


def test_only_those_that_are_not_down() -> None:
    states = [
        status("etapa", "a", TrunkState.DOWN),
        status("etapa", "b", TrunkState.UNKNOWN),
        status("etapa", "c", TrunkState.UP),
        status("spare", "a", TrunkState.DOWN),  # another trunk's gateway of the same name
    ]
    assert names(statuses=states) == ["etapa/b", "etapa/c", "spare/x"]


def test_a_full_trunk_is_left_out() -> None:
    assert names(active={"etapa": 9}) == ["etapa/a", "etapa/b", "etapa/c", "spare/x"]
    assert names(active={"etapa": 10}) == ["spare/x"]


@pytest.mark.parametrize(
    ("kwargs", "why"),
    [
        ({"trunk": "nada"}, "There is no trunk 'nada'"),
        ({"trunk": "etapa", "active": {"etapa": 10}}, r"All lines are taken: etapa \(10\)"),
        ({"trunk": "spare", "statuses": [status("spare", "x", TrunkState.DOWN)]}, "Every gateway is down: spare/x"),
    ],
)
def test_no_gateway_says_why(kwargs: dict[str, object], why: str) -> None:
    with pytest.raises(NoGateway, match=why):
        names(**kwargs)


def test_no_trunk_at_all() -> None:
    with pytest.raises(NoGateway, match="no trunk in the settings"):
        choose_gateways([])


@pytest.mark.parametrize("cause", list(HangupCause))
def test_which_causes_permit_the_next(cause: HangupCause) -> None:
    assert may_try_next(cause) == (cause in {HangupCause.CONGESTION, HangupCause.UNREACHABLE})


def test_no_route_is_tried_elsewhere_and_an_answer_is_not() -> None:
    assert may_try_next(HangupCause.from_q850(3))  # no route to destination
    assert may_try_next(HangupCause.from_q850(38))  # network out of order
    assert not may_try_next(HangupCause.from_q850(17))


# --- all of it --------------------


def test_a_plan() -> None:
    rules = OutboundRules(Dialing(allow=["+5937"], calls_per_minute_per_number=1), [MAIN, SPARE], 0.0)
    to = NumberDestination("4103300")
    with pytest.raises(NoGateway):
        rules.plan(to, 0.0, active={"etapa": 10}, statuses=[status("spare", "x", TrunkState.DOWN)])
    plan = rules.plan(to, 0.0)  # the call that found no gateway did not use up the limit
    assert plan.number.text == "+59374103300"
    assert [c.gateway.name for c in plan.gateways] == ["a", "b", "c", "x"]
    with pytest.raises(DialTooFast):
        rules.plan(to, 1.0)
    with pytest.raises(DialRefused, match="mobile"):
        rules.plan(NumberDestination("0991234567"), 1.0)
    with pytest.raises(NumberUnreadable):
        rules.plan(NumberDestination("123456789012345678"), 1.0)
