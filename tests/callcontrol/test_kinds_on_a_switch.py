"""Every node kind on a real call, by the registry: a robot calls over SIP, presses keys in each of the three ways, and
what it heard is compared with the prompts. A kind without an example here fails."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.bots import HttpBots
from app.demo_bot import SLOTS, DemoBot
from callcontrol.listening import Ears
from callcontrol.model import ExitReason, Phase
from callcontrol.settings import Bot
from ivr_flows.protocol import PromptText
from ivr_flows.speech.waiting import waiting_prompts
from pbx.settings import DtmfMode, PbxSettings
from pbx.sip import tones
from pbx.sip.audio import DigitMode
from pbx.terms import TextSound
from tests.app.test_customer_systems import serving
from tests.support import engines
from tests.support.comparing import Comparison, Pcm, compare, share_heard
from tests.support.engines import Engine, start_engine
from tests.support.flow_kinds import EXAMPLES, WAITING, example, kinds
from tests.support.flow_stage import Stage, hears, staged
from tests.support.lab import AGENT_HZ, CALLER_HZ

WORDS = {"primera": "Este es el primer aviso de la prueba.", "segunda": "Y la segunda cosa que se dice."}
# A key may cut the first prompt short: what was heard by then is enough to know it. Of the second one, a piece may be
# spoilt by the switch of a busy machine; what our own side missed is not counted at all.
SOME, ALL = 0.4, 0.9
PACKETS_A_SECOND = 50
SWITCHES = [pytest.param(name, marks=pytest.mark.switch(name)) for name in ("asterisk", "freeswitch")]


@dataclass
class Line:
    """A call in a flow, and the prompts that may be heard in it."""

    stage: Stage
    call: Any
    prompts: dict[str, Pcm]
    mode: DigitMode
    keys: str
    bot: DemoBot

    async def hears(self, prompt: str, share: float = SOME) -> None:
        """Until so much of it was heard."""
        found = 0.0
        async with asyncio.timeout(15 + len(self.prompts[prompt]) / tones.RATE):
            while found < share:
                assert not self.call.ended.is_set(), f"the call ended; {found:.2f} of {prompt} was heard"
                await asyncio.sleep(0.2)
                # Beside the loop, which sends and takes a packet every few milliseconds.
                heard = self.call.stream.heard
                compared = await asyncio.to_thread(compare, self.prompts[prompt], self.call.heard(), [*heard.runs])
                found = compared.share

    async def press(self, keys: str) -> None:
        await self.call.send_digits(keys, self.mode)


@pytest.fixture(scope="module", params=SWITCHES)
def inband_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A switch whose trunk sends its keys as tones within the voice."""
    usual = engines.lab_settings

    def settings(*args: Any, **more: Any) -> PbxSettings:
        found = usual(*args, **more)
        trunks = [trunk.model_copy(update={"dtmf": DtmfMode.INBAND}) for trunk in found.trunks]
        return found.model_copy(update={"trunks": trunks})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "lab_settings", settings)
        with start_engine(request.param) as running:
            yield running


async def prompts_of(engine: Engine) -> dict[str, Pcm]:
    """The two prompts as recorded files of the library, and their samples."""
    folder = engine.folders.sounds / "es"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    found = {}
    for name, text in WORDS.items():
        file = folder / f"{name}.wav"
        if not file.exists():
            shutil.copy(await engine.sounds().resolve(TextSound(text, "es")), file)
            file.chmod(0o644)
        found[name] = soundfile.read(file, dtype="int16")[0]
    assert share_heard(found["primera"], found["segunda"]) < SOME / 2
    spoken = await engine.sounds().resolve(TextSound(SLOTS[0].question, "es"))
    found["bot"] = soundfile.read(spoken, dtype="int16")[0]
    return found


@asynccontextmanager
async def calling(
    engine: Engine, folder: Path, kind: str, mode: DigitMode, nodes: str = "", *, slow: bool = False
) -> AsyncIterator[Line]:
    prompts, bot = await prompts_of(engine), DemoBot()
    # A tone of the caller's own would be in the way of their keys.
    tone_hz = 0 if mode == "inband" and kind != "voicemail" else CALLER_HZ
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(bot.app()))
        bots = await stack.enter_async_context(HttpBots([Bot(name="averias", url=f"{url}/turno")]))
        stage = await stack.enter_async_context(
            staged(
                engine,
                folder,
                nodes or example(kind).nodes,
                tone_hz=tone_hz,
                ears=Ears(sounds=engine.sounds()),
                bots=bots,
                first="{file: primera}",
                second="{file: segunda}",
            )
        )
        stage.system.faults.delay_s = 30.0 if slow else 0.0
        call = None if kind == "transfer" else await stage.call()
        yield Line(stage, call, prompts, mode, example(kind).keys, bot)


# --- what the caller does, by the kind --------------------


async def _simply(line: Line) -> None:
    if line.keys:
        await line.hears("primera")
        await line.press(line.keys)


async def _leaves_a_message(line: Line) -> None:
    await line.hears("primera", ALL)
    await line.stage.until(lambda record: bool(record.recordings), "the message is being recorded")
    sent = line.call.packets_sent
    assert await line.call.poll(lambda: line.call.packets_sent > sent + 3 * PACKETS_A_SECOND, 10.0)
    await line.press(line.keys)


async def _waits_in_line(line: Line) -> None:
    await line.stage.until(lambda record: record.phase is Phase.QUEUED, "the caller waits")
    assert await line.call.poll(lambda: tones.rms(line.call.heard(last_s=0.3)) > 50, 8.0), "no music"
    await line.press(line.keys)


async def _talks_to_a_telephone(line: Line) -> None:
    phone = await line.stage.phone()
    line.call = await line.stage.call()
    other = await phone.next_call()
    await hears(line.call, AGENT_HZ)
    await other.hangup()


async def _talks_to_the_bot(line: Line) -> None:
    await line.hears("bot")
    for count, keys in enumerate(("1", "204510", "2"), start=1):
        assert await line.call.poll(lambda least=count: len(line.bot.turns) >= least, 20.0), "the bot was not asked"
        assert await line.call.poll(lambda: tones.rms(line.call.heard(last_s=0.3)) > 500, 8.0), "it says nothing"
        await line.press(keys)


HANDS: dict[str, Callable[[Line], Awaitable[None]]] = {
    "voicemail": _leaves_a_message,
    "queue": _waits_in_line,
    "transfer": _talks_to_a_telephone,
    "bot": _talks_to_the_bot,
}


async def _gets_there(line: Line, kind: str) -> None:
    await HANDS.get(kind, _simply)(line)
    await line.hears("segunda", ALL)
    await line.call.hangup()
    await line.stage.closed()
    path = line.stage.notes("flow.ended")[0]["path"]
    assert path[-1] == "bien"
    if kind == "return":
        assert path[-2] == "parte.c"
    if kind == "survey":
        (record,) = line.stage.journal.records.values()
        assert record.survey == {"calidad": 4}


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "hangup"])
async def test_a_kind_is_heard(engine: Engine, tmp_path: Path, kind: str) -> None:
    async with calling(engine, tmp_path, kind, "rfc4733") as line:
        await _gets_there(line, kind)


async def test_the_flow_hangs_up(engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: play, barge_in: false, prompts: FIRST, next: dos}\n  dos: {kind: hangup}"
    async with calling(engine, tmp_path, "hangup", "rfc4733", nodes) as line:
        await line.hears("primera", ALL)
        async with asyncio.timeout(10):
            await line.call.ended.wait()
        assert line.call.ended_by == "remote"
        await line.stage.closed()
        assert line.stage.notes("flow.ended")[0]["node"] == "dos"


PLACES = {"subflow": "parte.a"}  # its caller waits in the flow that it enters


@pytest.mark.parametrize("kind", [kind for kind in WAITING if kind != "answer"])
async def test_the_record_says_where_the_caller_hung_up(engine: Engine, tmp_path: Path, kind: str) -> None:
    async with calling(engine, tmp_path, kind, "rfc4733", slow=kind == "http") as line:
        if kind == "transfer":
            phone = await line.stage.phone()
            phone.auto_answer = False
            line.call = await line.stage.call()
            await phone.next_call()
        elif kind == "queue":
            await line.stage.until(lambda record: record.phase is Phase.QUEUED, "the caller waits")
        elif kind == "http":
            await line.stage.until(lambda record: bool(line.stage.notes("node")), "the system is asked")
        else:
            await line.hears("bot" if kind == "bot" else "primera")
        await line.call.hangup()
        await line.stage.closed()
        (record,) = line.stage.journal.records.values()
        if kind == "queue":
            assert (record.exit_reason, record.queue) == (ExitReason.ABANDONED_IN_QUEUE, "contact-center")
            assert line.stage.notes("node")[-1]["node"] == "uno"
        else:
            assert record.exit_reason is ExitReason.ABANDONED_IN_FLOW
            (ended,) = line.stage.notes("flow.ended")
            assert (ended["end"], ended["path"][-1]) == ("caller_left", PLACES.get(kind, "uno"))


async def test_who_ends_a_message_by_hanging_up_was_there(engine: Engine, tmp_path: Path) -> None:
    """As most people do. The switch tells the end of the recording before that of the leg, or behind it."""
    async with calling(engine, tmp_path, "voicemail", "rfc4733") as line:
        await line.hears("primera", ALL)
        await line.stage.until(lambda record: bool(record.recordings), "the message is being recorded")
        sent = line.call.packets_sent
        assert await line.call.poll(lambda: line.call.packets_sent > sent + 3 * PACKETS_A_SECOND, 10.0)
        await line.call.hangup()
        await line.stage.closed()
        (left,) = line.stage.notes("voicemail.left")
        assert left["ended_by"] == "hangup"
        (ended,) = line.stage.notes("flow.ended")
        assert (ended["end"], ended["node"], ended["path"][-1]) == ("caller_left", "uno", "uno")


async def test_who_waits_is_told_their_place(engine: Engine, tmp_path: Path) -> None:
    nodes = (
        "  uno: {kind: queue, name: contact-center, comfort: FIRST, comfort_every_s: 10, say_position: true,"
        " then: {talked: fin, timeout: fin}}"
    )
    async with calling(engine, tmp_path, "queue", "rfc4733", nodes) as line:
        (told,) = waiting_prompts(1, None, "es")
        assert isinstance(told, PromptText)
        path = await engine.sounds().resolve(TextSound(told.text, "es"))
        line.prompts["place"] = soundfile.read(path, dtype="int16")[0]
        assert await line.call.poll(lambda: tones.rms(line.call.heard(last_s=0.3)) > 50, 8.0), "no music"
        await line.hears("place", ALL)
        await line.hears("primera", ALL)
        await line.call.hangup()
        await line.stage.closed()


KEYED = [kind for kind, each in EXAMPLES.items() if each.keys and kind != "return"]


@pytest.mark.parametrize("kind", KEYED)
async def test_keys_by_info(engine: Engine, tmp_path: Path, kind: str) -> None:
    async with calling(engine, tmp_path, kind, "info") as line:
        await _gets_there(line, kind)


@pytest.mark.parametrize("kind", KEYED)
async def test_keys_within_the_voice(inband_engine: Engine, tmp_path: Path, kind: str) -> None:
    async with calling(inband_engine, tmp_path, kind, "inband") as line:
        await _gets_there(line, kind)


def test_another_prompt_is_told_apart() -> None:
    """The comparison can fail: the wrong prompt, half of the right one, and one that is far too quiet."""
    numbers = np.random.default_rng(2)
    right, wrong = (numbers.normal(0, 3000, 16_000).astype("int16") for _ in range(2))
    assert share_heard(right, right) == 1.0
    assert share_heard(right, wrong) == 0.0
    assert share_heard(right, right[:8000]) <= 0.5
    assert share_heard(right, (right // 4).astype("int16")) == 0.0


def test_a_packet_that_we_lost_is_no_fault_of_the_prompt_and_one_that_was_not_sent_is() -> None:
    numbers = np.random.default_rng(2)
    right = numbers.normal(0, 3000, 24_000).astype("int16")
    heard = right.copy()
    heard[10_000:10_640] = 0  # four packets
    heard[16_300:16_940] = 0
    whole, torn = [(0, 24_000)], [(0, 10_000), (10_640, 16_300), (16_940, 24_000)]
    assert compare(right, heard, whole) == Comparison(found=18, broken=0, missing=2)
    assert compare(right, heard, torn) == Comparison(found=18, broken=2, missing=0)
    spoilt = right.copy()
    spoilt[10_000:17_000] = 0
    assert compare(right, spoilt, whole).share < ALL
    assert compare(right, spoilt, torn).share < ALL  # two lost packets excuse no more than what lies about them
    assert compare(right, numbers.normal(0, 3000, 24_000).astype("int16"), torn).share == 0.0
