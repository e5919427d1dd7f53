"""Screenshots of every page in both themes and three widths, of the real server with calls going on.

    ./rimay bench shots                        into docs/images/pages/
    ./rimay bench shots --out DIR --only agente,supervisor

Small: a palette of 128 colours; what changes from run to run is only what the pages show of the moment."""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.pages_build import build_pages
from tests.support.browser import PASSWORD, WIDTHS, Person, crowd, why_no_browser
from tests.support.browser_desk import AgentDesk
from tests.support.platform import QUEUE, PlatformProcess, running_platform
from tests.support.scene import AGENTS, Scene, make_accounts
from tests.support.stage import on_stage

OUT = Path(__file__).resolve().parent.parent / "docs/images/pages"
_COLOURS = 128
_QUEUES = [
    {"name": QUEUE, "title": "Contact Center", "offer_s": 60, "wrap_up_s": 20},
    {"name": "internet", "title": "Internet", "offer_s": 60, "wrap_up_s": 20},
]


@dataclass(frozen=True, slots=True)
class Shot:
    """`who` opens `path`; None: nobody who is signed in. `until` is there when the page is."""

    name: str
    path: str
    who: str | None = None
    until: str = "main h1, main h2, [name=username]"


SHOTS = (
    Shot("entrada", "/"),
    Shot("agente", "/agente", "eva"),
    Shot("supervisor", "/supervisor", "sofia"),
    Shot("pared", "/pared", "sofia"),
    Shot("admin", "/admin", "admin"),
    Shot("llamar", "/llamar"),
    Shot("estado", "/estado"),
)


async def _take(person: Person, shot: Shot, theme: str, out: Path) -> None:
    if not person.page.url.endswith(shot.path) or shot.who is None:
        await person.open(shot.path)
    await person.page.wait_for_selector(shot.until)
    for width in WIDTHS:
        await person.is_at(width)
        await person.page.wait_for_timeout(300)  # what moves into its place has got there
        small = quantised(await person.page.screenshot())
        (out / f"{shot.name}-{theme}-{WIDTHS[width][0]}.png").write_bytes(small)
        print(f"{shot.name}-{theme}-{WIDTHS[width][0]}.png  {len(small) // 1024} KB", file=sys.stderr)


def quantised(png: bytes) -> bytes:
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, "PNG", optimize=True)
    return small.getvalue()


async def _going_on(scene: Scene) -> AgentDesk:
    """What there is to see: calls that were, one that a colleague has, one at Eva's page, and people who wait."""
    await scene.stage.phone_of("luis")
    await scene.api.ready("luis")
    for _ in range(3):
        citizen = await scene.stage.citizen(port=0)
        await citizen.to_queue()
        await citizen.fact("recording_started")
        await citizen.call.hangup()
        await citizen.fact("ended")
        await scene.api.order("POST", "/agents/luis/wrap-up/finish", {"disposition": None})
        await scene.api.agent_becomes("luis", "ready")
    with_luis = await scene.stage.citizen(port=0)
    await with_luis.to_queue()
    await with_luis.fact("recording_started")
    eva = await scene.agent("eva")
    await scene.talk(eva)
    for _ in range(2):
        waiting = await scene.stage.citizen(port=0)
        await waiting.to_queue()
    return eva


async def shoot(process: PlatformProcess, names: set[str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if not names or shot.name in names]
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rimay-shots-"))
        stage = await stack.enter_async_context(on_stage(process, agents=()))
        people = await stack.enter_async_context(crowd(process.url, Path(folder), strict=False))
        eva = await _going_on(Scene(stage, people))
        for shot in wanted:
            for theme in ("light", "dark"):
                if shot.who == "eva":  # her browser has the phone: it stays, only its theme changes
                    await eva.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                    await _take(eva.person, shot, theme, out)
                    continue
                person = await people.person(shot.who or "nadie", theme=theme)
                if shot.who is not None:
                    await person.sign_in(then=shot.path)
                await _take(person, shot, theme, out)
                await person.browser.close()
        for phone in stage.phones.values():
            await phone.vanish()
        await people.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description="Screenshots of every page.")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--only", default="", help=f"some of {','.join(shot.name for shot in SHOTS)}")
    args = parser.parse_args()
    if reason := why_no_browser():
        sys.exit(reason)
    asyncio.run(build_pages(lambda text: print(text, file=sys.stderr)))
    with running_platform(agents=AGENTS, queues=_QUEUES) as process:
        make_accounts(process, PASSWORD)
        asyncio.run(shoot(process, set(filter(None, args.only.split(","))), args.out))


if __name__ == "__main__":
    main()
