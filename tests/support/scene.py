"""A scene: citizens who call by SIP, agents and supervisors at browsers, colleagues at desk phones, on one platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pbx.sip import PhoneCall
from tests.support.browser import Crowd, crowd
from tests.support.browser_desk import AgentDesk
from tests.support.platform import QUEUE, PlatformProcess, rimay
from tests.support.stage import AGENT_HZ, WAIT_S, Citizen, Stage, on_stage, until

# Ana and Luis have phones on their desks, as in the platform's other tests; Eva and Sofía work at browsers alone.
AGENTS = [
    {"id": "ana", "name": "Ana Cordero", "phone": "1001", "queues": [QUEUE]},
    {"id": "luis", "name": "Luis Vintimilla", "phone": "1002", "queues": [QUEUE]},
    {"id": "eva", "name": "Eva Tello", "queues": [QUEUE]},
    {"id": "sofia", "name": "Sofía Guamán", "queues": [QUEUE]},  # supervises; her leg is an agent's
]
# User name, role, and the agent that they are.
PEOPLE = (
    ("ana", "agent", "ana"),
    ("eva", "agent", "eva"),
    ("luis", "agent", "luis"),
    ("sofia", "supervisor", "sofia"),
    ("marco", "manager", None),
    ("admin", "admin", None),
)
# Far from each other's harmonics, from the citizen's 440 Hz and the desk phone's 620 Hz.
BROWSER_HZ = {"ana": 830, "eva": 1070, "sofia": 1330, "citizen": 530}
DESK_HZ = AGENT_HZ


def make_accounts(process: PlatformProcess, password: str) -> None:
    for name, role, agent in PEOPLE:
        who = ["--agent", agent] if agent else []
        words = ("user", "add", name, "--name", name.title(), "--role", role, *who, "--ask-password")
        done = rimay(*words, var=process.var, config=process.config, said=password + "\n")
        assert done.returncode == 0, done.stderr


class Scene:
    def __init__(self, stage: Stage, people: Crowd) -> None:
        self.stage, self.people = stage, people
        self.api = stage.api

    async def agent(self, name: str = "eva", **how: object) -> AgentDesk:
        """At their page, their phone up, and ready."""
        desk = await self.at_desk(name, **how)
        await desk.phone_is("up")
        await desk.become_ready()
        return desk

    async def at_desk(self, name: str = "eva", **how: object) -> AgentDesk:
        person = await self.people.person(name, hz=BROWSER_HZ[name], **how)  # type: ignore[arg-type]
        await person.sign_in()
        await person.page.wait_for_url("**/agente")
        return AgentDesk(person)

    async def colleague(self, name: str = "luis") -> None:
        """At the desk phone, which answers at once; not in line for the queue's calls."""
        await self.stage.phone_of(name)

    async def talk(self, desk: AgentDesk) -> Citizen:
        """A citizen calls, this agent takes it, and they hear each other."""
        citizen = await self.stage.citizen(port=0)
        await citizen.to_queue()
        await desk.take()
        await citizen.fact("connected")
        await self.together(citizen, desk)
        return citizen

    async def together(self, citizen: Citizen, desk: AgentDesk) -> None:
        await desk.person.hears(CITIZEN_HZ)
        await citizen_hears(citizen.call, desk)


CITIZEN_HZ = 440


async def citizen_hears(call: PhoneCall, desk: AgentDesk, timeout_s: float = WAIT_S) -> None:
    hz = BROWSER_HZ[desk.person.name]
    assert await call.hears(hz, timeout_s), f"the other side does not hear {desk.person.name}'s {hz} Hz"


@asynccontextmanager
async def on_scene(process: PlatformProcess, folder: Path) -> AsyncIterator[Scene]:
    """At the end every browser is gone, nobody is on shift, and no call is left on the switch."""
    async with on_stage(process, agents=()) as stage:
        try:
            async with crowd(process.url, folder) as people:
                try:
                    yield Scene(stage, people)
                finally:
                    await people.leave()
        finally:
            for phone in (*stage.phones.values(), *(citizen.phone for citizen in stage.citizens)):
                for call in tuple(phone.calls.values()):
                    await call.hangup()
            for agent in AGENTS:
                await until(lambda name=agent["id"]: _signed_out(stage, name), f"{agent['id']} is off shift")  # type: ignore[misc]


async def _signed_out(stage: Stage, agent: str) -> bool:
    """Asked again and again: who is in a wrap-up still leaves when that is over."""
    state = (await stage.api.get(f"/agents/{agent}"))["state"]
    if state == "signed_out":
        return True
    if state == "wrap_up":
        await stage.api.order("POST", f"/agents/{agent}/wrap-up/finish", {"disposition": None})
    await stage.api.order("POST", f"/agents/{agent}/sign-out")
    return False
