"""The switch refuses a command, or ends what runs, because the caller hung up, and tells the hang-up only later: that
is nobody's fault, and the record says where the caller was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callcontrol.bot_dialogue import BotReply, BotTurn
from callcontrol.model import ExitReason, Phase
from ivr_flows.protocol import Response
from pbx.memory import MemorySwitch
from pbx.terms import CommandRefused
from tests.callcontrol.test_flow_actions import HTTP, MAIL, Make, Systems, lab_with, notes
from tests.callcontrol.test_person_by_words import Understands
from tests.support.daemon import DaemonLab
from tests.support.tone_speech import ears

__all__ = ["lab_with"]  # the fixture

TONE = "{tone: {hz: 450, ms: 6000}}"
BOT = "  uno: {kind: bot, name: averias, next: tono, unavailable: cola}\n"
NODES = {
    "play": f"  uno: {{kind: play, prompts: [{TONE}], next: tono}}\n",
    "play without barge-in": f"  uno: {{kind: play, barge_in: false, prompts: [{TONE}], next: tono}}\n",
    "menu": f"  uno: {{kind: menu, prompts: {TONE}, options: {{'1': tono}}, repeats: 0, on_no_input: cola}}\n",
    "collect": f"  uno: {{kind: collect, as: cedula, into: t, prompts: {TONE}, next: tono}}\n",
    "record": f"  uno: {{kind: record, prompts: {TONE}, next: tono}}\n",
    "http": HTTP,
    "voicemail": MAIL,
    "transfer": "  uno: {kind: transfer, to: {phone: '1002'}, then: {failed: cola, talked: tono}}\n",
}


class Bot:
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.turns: list[BotTurn] = []
        self.answer: asyncio.Future[BotReply] = asyncio.get_running_loop().create_future()

    async def turn(self, bot: str, told: BotTurn) -> BotReply:
        self.turns.append(told)
        return await asyncio.shield(self.answer)

    def turn_s(self, bot: str) -> float:
        return 8.0


async def told_late(lab: DaemonLab, node: str = "uno") -> None:
    """The end comes with the events that were held back; nothing but it ends the flow."""
    assert not notes(lab, "flow.ended")
    assert lab.record().phase is Phase.FLOW
    lab.world.release_events()
    await lab.go(60)
    record = lab.record()
    assert (record.phase, record.exit_reason) == (Phase.CLOSED, ExitReason.ABANDONED_IN_FLOW)
    (ended,) = notes(lab, "flow.ended")
    assert (ended["end"], ended["node"], ended["path"][-1]) == ("caller_left", node, node)
    assert not lab.daemon.sessions


@pytest.mark.parametrize("listening", [False, True])
@pytest.mark.parametrize("seconds", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("kind", NODES)
async def test_a_leg_that_is_gone_is_no_nodes_fault(
    lab_with: Make, tmp_path: Path, kind: str, seconds: float, listening: bool
) -> None:
    heard_by = ears(tmp_path, Understands()) if listening else None
    async with lab_with(NODES[kind], Systems(), ears=heard_by) as lab:
        await lab.phone("1002", auto_answer=False)
        caller = await lab.call()
        caller.silence()
        await lab.go(seconds)
        where = str(notes(lab, "node")[-1]["node"])
        lab.world.hold_events()
        await caller.hangup()
        await lab.go(3)
        await told_late(lab, where)


@pytest.mark.parametrize("reply", [BotReply(say="a"), BotReply(digits=1), BotReply(say="a", done=True)])
async def test_the_bot_answers_a_caller_who_is_gone(lab_with: Make, tmp_path: Path, reply: BotReply) -> None:
    """Nobody hears its answer: the bot did its part."""
    bot = Bot()
    async with lab_with(BOT, ears=ears(tmp_path), bots=bot) as lab:
        caller = await lab.call()
        await lab.go(1)
        assert len(bot.turns) == 1
        lab.world.hold_events()
        await caller.hangup()
        bot.answer.set_result(reply)
        await lab.go(3)
        await told_late(lab)
        assert not notes(lab, "bot.ended")


async def test_a_bot_is_given_a_caller_who_is_gone(lab_with: Make, tmp_path: Path) -> None:
    """The command by which they are to be heard is refused."""
    bot, systems = Bot(), Systems()
    nodes = (
        "  uno: {kind: http, request: {system: s, url: /x}, next: dos, fallback: dos}\n"
        "  dos: {kind: bot, name: averias, next: tono, unavailable: cola}\n"
    )
    async with lab_with(nodes, systems, ears=ears(tmp_path), bots=bot) as lab:
        caller = await lab.call()
        await lab.go(1)
        lab.world.hold_events()
        await caller.hangup()
        systems.answer.set_result(Response(200, {}))
        await lab.go(3)
        await told_late(lab, "dos")
        assert not bot.turns


@pytest.mark.parametrize("listening", [False, True])
async def test_who_hangs_up_while_the_bot_listens(lab_with: Make, tmp_path: Path, listening: bool) -> None:
    bot = Bot()
    async with lab_with(BOT, ears=ears(tmp_path, Understands() if listening else None), bots=bot) as lab:
        caller = await lab.call()
        caller.silence()
        bot.answer.set_result(BotReply(digits=1))
        await lab.go(1)
        lab.world.hold_events()
        await caller.hangup()
        await lab.go(20)
        await told_late(lab)
        assert len(bot.turns) == 1


async def test_an_audio_stream_that_cannot_be_had_leads_on(
    lab_with: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is there, and nobody can hear them: that is not waited out."""

    async def refused(*_args: object, **_more: object) -> None:
        raise CommandRefused("no audio")

    monkeypatch.setattr(MemorySwitch, "open_stream", refused)
    bot = Bot()
    async with lab_with(BOT, ears=ears(tmp_path), bots=bot) as lab:
        await lab.call()
        bot.answer.set_result(BotReply(digits=1))
        await lab.go(2)
        assert notes(lab, "bot.ended")[0]["reason"] == "stream_lost"
        assert lab.record().phase is Phase.QUEUED
