"""Screenshots of every page in both themes and three widths, of the real server with calls going on.

    ./rimay bench shots                        into docs/images/pages/
    ./rimay bench shots --out DIR --only agente,admin-cola --wide

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
from playwright.async_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.pages_build import build_pages
from bench import _shot_states as states
from callcontrol.routing import config_store
from tests.support.browser import PASSWORD, WIDTHS, Person, crowd, why_no_browser
from tests.support.browser_desk import AgentDesk
from tests.support.platform import QUEUE, PlatformProcess, running_platform
from tests.support.scene import AGENTS, BROWSER_HZ, Scene, make_accounts
from tests.support.stage import Citizen, on_stage

OUT = Path(__file__).resolve().parent.parent / "docs/images/pages"
_COLOURS = 128
_QUEUES = [
    {"name": QUEUE, "title": "Contact Center", "offer_s": 60, "wrap_up_s": 15},
    {"name": "internet", "title": "Internet", "offer_s": 60, "wrap_up_s": 20},
]
_ORGANISATION = f"""
skills: {{agua: Agua potable, internet: Internet}}
dispositions: {{resuelto: Resuelto en la llamada, seguimiento: Queda en seguimiento}}
capacities: {{voz: {{limits: {{voice: 1, callback: 1}}}}}}
teams: [{{name: centro, title: Centro, capacity: voz, queues: [{QUEUE}]}}]
queues:
  - name: {QUEUE}
    title: Contact Center
    offer_s: 60
    wrap_up_s: 15
    requires: agua >= 2
    disposition_required: true
agents:
  - {{id: eva, name: Eva Tello, team: centro, skills: {{agua: 3}}}}
  - {{id: luis, name: Luis Vintimilla, team: centro, phone: "1002", skills: {{agua: 2}}}}
"""
THEMES = ("light", "dark")
# A browser without a window refuses notices before anybody is asked.
_NOT_ASKED_YET = "Object.defineProperty(Notification, 'permission', {get: () => 'default'})"


@dataclass(frozen=True, slots=True)
class Shot:
    """`who` opens `path`; None: nobody who is signed in. `until` is there when the page is; `steps` bring it to what is
    to be seen. A whole page is taken at every width, a state of one at a phone's and a laptop's."""

    name: str
    path: str
    who: str | None = None
    until: str = "main h1, main h2, [name=username]"
    steps: states.Steps | None = None


# Those of the agent and of the supervisor who talk are taken where their calls are: `_agents_day`, `_supervising`.
SHOTS = (
    Shot("entrada", "/"),
    Shot("supervisor", "/supervisor", "sofia"),
    Shot("pared", "/pared", "sofia"),
    Shot("admin", "/admin", "admin"),
    Shot("llamar", "/llamar"),
    Shot("estado", "/estado"),
    Shot("cuenta", "/supervisor", "sofia", steps=states.account),
    Shot("admin-bloqueo", "/admin/usuarios", "admin", steps=states.locked_out),
    Shot("admin-horario", "/admin/horarios", "admin", steps=states.hours),
    Shot("admin-cola", "/admin/colas", "admin", steps=states.queue),
    Shot("admin-agente", "/admin/agentes", "admin", steps=states.levels),
    Shot("admin-conflicto", "/admin/habilidades", "admin", steps=states.conflict),
    Shot("admin-flujo", "/admin/flujos", "admin", steps=states.mistake_in_flow),
    Shot("admin-sistema", "/admin/estado", "admin", until=".admin-main tbody tr"),
    Shot("admin-auditoria", "/admin/auditoria", "admin", steps=states.entry_of_the_trail),
    Shot("admin-error", "/admin/usuarios", "admin", steps=states.server_gone),
    Shot("admin-vacio", "/admin/usuarios", "admin", steps=states.nothing_found),
)
AGENT, SUPERVISING = ("agente-libre", "agente", "agente-cierre", "agente-tipificar"), ("supervisor-toma",)
_WHOLE = {"entrada", "agente", "supervisor", "pared", "admin", "llamar", "estado"}
NAMES = (*AGENT, *(shot.name for shot in SHOTS), *SUPERVISING)


class Camera:
    def __init__(self, out: Path, wanted: set[str], *, wide: bool) -> None:
        self.out, self.wanted, self._wide = out, wanted, wide
        self.missed: list[str] = []

    def wants(self, *names: str) -> bool:
        return not self.wanted or not self.wanted.isdisjoint(names)

    async def take(self, person: Person, name: str) -> None:
        """As the page is now, at each width and in both themes."""
        if not self.wants(name):
            return
        for width in WIDTHS if self._wide or name in _WHOLE else ("phone", "laptop"):
            await person.is_at(width)
            for theme in THEMES:
                await person.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                await person.page.wait_for_timeout(300)  # what moves into its place has got there
                small = quantised(await person.page.screenshot())
                (self.out / f"{name}-{theme}-{WIDTHS[width][0]}.png").write_bytes(small)
                print(f"{name}-{theme}-{WIDTHS[width][0]}.png  {len(small) // 1024} KB", file=sys.stderr)
        await person.is_at("laptop")


def quantised(png: bytes) -> bytes:
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, "PNG", optimize=True)
    return small.getvalue()


async def _calls_before(scene: Scene) -> None:
    """What there is to see: calls that were, and one that a colleague has."""
    await scene.stage.phone_of("luis")
    await scene.api.ready("luis")
    for _ in range(3):
        citizen = await scene.stage.citizen(port=0)
        await citizen.to_queue()
        await citizen.fact("recording_started")
        await citizen.call.hangup()
        await citizen.fact("ended")
        await scene.api.order("POST", "/agents/luis/wrap-up/finish", {"disposition": "resuelto"})
        await scene.api.agent_becomes("luis", "ready")
    with_luis = await scene.stage.citizen(port=0)
    await with_luis.to_queue()
    await with_luis.fact("recording_started")


async def _agents_day(scene: Scene, camera: Camera) -> tuple[AgentDesk, Citizen]:
    """Free, and in a call while others wait."""
    person = await scene.people.person("eva", hz=BROWSER_HZ["eva"])
    await person.context.add_init_script(_NOT_ASKED_YET)
    await person.sign_in(then="/agente")
    eva = AgentDesk(person)
    await eva.phone_is("up")
    await eva.become_ready()
    await camera.take(person, "agente-libre")
    citizen = await scene.talk(eva)
    for _ in range(2):
        waiting = await scene.stage.citizen(port=0)
        await waiting.to_queue()
    text = "Corte de agua en Totoracocha hasta las 18:00. Si preguntan, ya hay cuadrilla."
    await scene.api.order("POST", "/messages", {"to": {"kind": "agent", "id": "eva"}, "text": text})
    await eva.there(".message")
    await camera.take(eva.person, "agente")
    return eva, citizen


async def _closing(eva: AgentDesk, citizen: Citizen, camera: Camera) -> None:
    """After the call: time to write down how it ended; and when that has run out."""
    await citizen.call.hangup()
    await eva.there("section.wrap")
    await camera.take(eva.person, "agente-cierre")
    await eva.page.get_by_text("Por tipificar").first.wait_for(timeout=60_000)
    await eva.key("Control+Enter")
    await camera.take(eva.person, "agente-tipificar")


async def _supervising(scene: Scene, camera: Camera) -> None:
    person = await scene.people.person("sofia")
    await person.sign_in(then="/supervisor")
    row = person.page.get_by_role("region", name="Interacciones").locator("tbody tr").filter(has_text="Luis")
    await row.click()
    drawer = person.page.locator("aside.drawer")
    await drawer.get_by_role("button", name="Escuchar").click()
    await drawer.get_by_text("Nadie le escucha").wait_for()
    await drawer.get_by_role("button", name="Tomar la llamada").click()
    await drawer.get_by_text("Usted atiende esta llamada.").wait_for()
    await camera.take(person, "supervisor-toma")


async def _brought_to(person: Person, shot: Shot) -> None:
    await (person.open(shot.path) if shot.who is None else person.sign_in(then=shot.path))
    await person.page.wait_for_selector(shot.until)
    if shot.steps is not None:
        await shot.steps(person)


async def shoot(process: PlatformProcess, camera: Camera) -> None:
    camera.out.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rimay-shots-"))
        stage = await stack.enter_async_context(on_stage(process, agents=()))
        people = await stack.enter_async_context(crowd(process.url, Path(folder), strict=False))
        scene = Scene(stage, people)
        await _calls_before(scene)
        eva, citizen = await _agents_day(scene, camera)
        for shot in SHOTS:
            if not camera.wants(shot.name):
                continue
            person = await people.person(shot.who or "nadie")
            try:
                await _brought_to(person, shot)
                await camera.take(person, shot.name)
            except PlaywrightError as error:  # the other pictures are worth having
                camera.missed.append(f"{shot.name}: {error.message}")
            await person.browser.close()
        if camera.wants(*SUPERVISING):
            await _supervising(scene, camera)
        if camera.wants("agente-cierre", "agente-tipificar"):
            await _closing(eva, citizen, camera)
        for phone in stage.phones.values():
            await phone.vanish()
        await people.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description="Screenshots of every page and of its states.")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--only", default="", help=f"some of {','.join(NAMES)}")
    parser.add_argument("--wide", action="store_true", help="states of pages at the widest, too")
    args = parser.parse_args()
    wanted = set(filter(None, args.only.split(",")))
    if unknown := wanted - set(NAMES):
        sys.exit(f"there is no picture {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    if reason := why_no_browser():
        sys.exit(reason)
    asyncio.run(build_pages(lambda text: print(text, file=sys.stderr)))
    with running_platform(agents=AGENTS, queues=_QUEUES) as process:
        make_accounts(process, PASSWORD)
        config_store.put(_ORGANISATION, process.var, config_store.revision_of(""))
        camera = Camera(args.out, wanted, wide=args.wide)
        asyncio.run(shoot(process, camera))
    if camera.missed:
        sys.exit("not taken:\n" + "\n".join(camera.missed))


if __name__ == "__main__":
    main()
