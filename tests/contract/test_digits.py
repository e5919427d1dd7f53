"""Keys: each one told, collected by the rules, sent, and passed on between a pair."""

from __future__ import annotations

import pytest

from pbx.events import DigitReceived, DigitsCollected, PlaybackEnd, PlaybackFinished, PlaybackStarted
from pbx.terms import DigitRules, DigitsEnd, FileSound, PlaybackId
from tests.support.calls import Leg, caller, hung_up, pair
from tests.support.lab import Lab

PROMPT_HZ = 800
FOUR = DigitRules(max_digits=4, first_s=5.0, between_s=2.0)


async def collect(lab: Lab, leg: Leg, rules: DigitRules, *sounds: FileSound) -> PlaybackId | None:
    prompt = PlaybackId(lab.id("pregunta")) if sounds else None
    await lab.switch.collect(leg.channel, rules, prompt, sounds)
    return prompt


async def collected(lab: Lab, leg: Leg) -> tuple[str, DigitsEnd]:
    event = await lab.eventually(DigitsCollected, channel=leg.channel)
    return event.digits, event.end


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
async def test_each_digit_is_told_in_order(lab: Lab, mode: str) -> None:
    leg = await caller(lab)
    await leg.call.send_digits("15*#", mode)
    told = [await lab.eventually(DigitReceived, channel=leg.channel) for _ in range(4)]
    assert "".join(event.digit for event in told) == "15*#"
    await lab.never(DigitReceived)


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
async def test_complete(lab: Lab, mode: str) -> None:
    leg = await caller(lab)
    await collect(lab, leg, FOUR)
    await leg.call.send_digits("1100", mode)
    assert await collected(lab, leg) == ("1100", DigitsEnd.COMPLETE)
    await lab.never(DigitsCollected)


async def test_terminator_is_not_part_of_the_digits(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, FOUR)
    await leg.call.send_digits("12#")
    assert await collected(lab, leg) == ("12", DigitsEnd.TERMINATOR)


async def test_other_terminator(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, DigitRules(max_digits=4, terminator="*", first_s=5.0))
    await leg.call.send_digits("1#*")
    assert await collected(lab, leg) == ("1#", DigitsEnd.TERMINATOR)


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
async def test_what_was_pressed_before_the_question_answers_it(lab: Lab, mode: str) -> None:
    """Once: what is too much is for the next question, whose prompt is not played either."""
    leg = await caller(lab)
    await leg.call.send_digits("12", mode)
    for _ in range(2):
        await lab.eventually(DigitReceived, channel=leg.channel)
    one = DigitRules(max_digits=1, terminator="", first_s=5.0, since=0.0)
    for key in "12":
        await collect(lab, leg, one, lab.sound(PROMPT_HZ, 3.0))
        assert await collected(lab, leg) == (key, DigitsEnd.COMPLETE)
    prompt = await collect(lab, leg, one, lab.sound(PROMPT_HZ, 3.0))
    await lab.eventually(PlaybackStarted, playback=prompt)
    await leg.call.send_digits("3", mode)
    assert await collected(lab, leg) == ("3", DigitsEnd.COMPLETE)


async def test_what_was_pressed_before_is_gone_where_the_question_is_heard_first(lab: Lab) -> None:
    leg = await caller(lab)
    for since in (None, "its own time"):  # nobody asks for it; it was for something before
        await leg.call.send_digits("1")
        key = await lab.eventually(DigitReceived, channel=leg.channel)
        for again in (key.at if since else None, 0.0):
            await collect(lab, leg, DigitRules(max_digits=1, first_s=0.7, since=again))
            assert await collected(lab, leg) == ("", DigitsEnd.TIMEOUT)


async def test_the_first_keys_of_a_longer_answer_came_before_it(lab: Lab) -> None:
    leg = await caller(lab)
    await leg.call.send_digits("#11")
    for _ in range(3):
        await lab.eventually(DigitReceived, channel=leg.channel)
    await collect(lab, leg, DigitRules(max_digits=4, first_s=0.1, between_s=4.0, since=0.0), lab.sound(PROMPT_HZ, 3.0))
    await leg.call.send_digits("00")
    assert await collected(lab, leg) == ("1100", DigitsEnd.COMPLETE)


async def test_no_digit_at_all(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, DigitRules(max_digits=4, first_s=0.7))
    assert await collected(lab, leg) == ("", DigitsEnd.TIMEOUT)


async def test_no_more_digits(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, DigitRules(max_digits=4, first_s=5.0, between_s=0.8))
    await leg.call.send_digits("12")
    assert await collected(lab, leg) == ("12", DigitsEnd.TIMEOUT)


async def test_first_timeout_counts_from_the_end_of_the_prompt(lab: Lab) -> None:
    leg = await caller(lab)
    prompt = await collect(lab, leg, DigitRules(max_digits=4, first_s=0.6), lab.sound(PROMPT_HZ, 1.5))
    assert await leg.call.hears(PROMPT_HZ)
    prompt_end = await lab.eventually(PlaybackFinished, playback=prompt, end=PlaybackEnd.DONE)
    timeout = await lab.eventually(DigitsCollected, channel=leg.channel)
    assert timeout.end is DigitsEnd.TIMEOUT
    assert 0.4 <= timeout.at - prompt_end.at <= 1.5


async def test_barge_in_stops_the_prompt(lab: Lab) -> None:
    leg = await caller(lab)
    prompt = await collect(lab, leg, FOUR, lab.sound(PROMPT_HZ, 20.0))
    assert await leg.call.hears(PROMPT_HZ)
    await leg.call.send_digits("7")
    await lab.eventually(PlaybackFinished, playback=prompt, end=PlaybackEnd.STOPPED)
    assert await leg.call.hears_silence()
    await leg.call.send_digits("#")
    assert await collected(lab, leg) == ("7", DigitsEnd.TERMINATOR)


async def test_without_barge_in_digits_before_the_end_are_dropped(lab: Lab) -> None:
    leg = await caller(lab)
    rules = DigitRules(max_digits=2, first_s=3.0, barge_in=False)
    prompt = await collect(lab, leg, rules, lab.sound(PROMPT_HZ, 2.0))
    assert await leg.call.hears(PROMPT_HZ)
    await leg.call.send_digits("99")
    await lab.eventually(PlaybackFinished, playback=prompt, end=PlaybackEnd.DONE)
    await leg.call.send_digits("42")
    assert await collected(lab, leg) == ("42", DigitsEnd.COMPLETE)


async def test_a_missing_prompt_leaves_the_collecting(lab: Lab) -> None:
    leg = await caller(lab)
    prompt = await collect(lab, leg, DigitRules(max_digits=1, first_s=4.0), FileSound("es/no-existe"))
    await lab.eventually(PlaybackFinished, playback=prompt, end=PlaybackEnd.FAILED)
    await leg.call.send_digits("3")
    assert await collected(lab, leg) == ("3", DigitsEnd.COMPLETE)


async def test_stop_ends_collecting_and_prompt(lab: Lab) -> None:
    leg = await caller(lab)
    prompt = await collect(lab, leg, FOUR, lab.sound(PROMPT_HZ, 20.0))
    assert await leg.call.hears(PROMPT_HZ)
    await lab.switch.stop_collecting(leg.channel)
    await lab.eventually(PlaybackFinished, playback=prompt, end=PlaybackEnd.STOPPED)
    assert await collected(lab, leg) == ("", DigitsEnd.STOPPED)
    assert await leg.call.hears_silence()
    await lab.switch.stop_collecting(leg.channel)  # nothing is collected: nothing to do


async def test_a_newer_collect_ends_the_older(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, FOUR)
    await collect(lab, leg, DigitRules(max_digits=1))
    assert await collected(lab, leg) == ("", DigitsEnd.STOPPED)
    await leg.call.send_digits("5")
    assert await collected(lab, leg) == ("5", DigitsEnd.COMPLETE)


async def test_hang_up_ends_it_before_the_channel_ends(lab: Lab) -> None:
    leg = await caller(lab)
    await collect(lab, leg, FOUR)
    await leg.call.send_digits("1")
    await lab.eventually(DigitReceived, digit="1")
    await leg.call.hangup()
    stopped = await lab.eventually(DigitsCollected, channel=leg.channel)
    assert (stopped.digits, stopped.end) == ("1", DigitsEnd.STOPPED)
    assert lab.seen.index(stopped) < lab.seen.index(await hung_up(lab, leg))


async def test_send_digits(lab: Lab) -> None:
    leg = await caller(lab)
    await lab.switch.send_digits(leg.channel, "19*#")
    assert await leg.call.hears_digits("19*#")


async def test_digits_pass_between_a_pair_and_are_told(lab: Lab) -> None:
    customer, desk = await pair(lab)
    await customer.call.send_digits("26")
    assert await desk.call.hears_digits("26")
    assert (await lab.eventually(DigitReceived, channel=customer.channel)).digit == "2"
