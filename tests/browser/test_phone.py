"""The phone in the page, on a real switch: it registers over the platform's own port, its leg opens, and a citizen and
the agent hear each other through it; a second tab takes it over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.browser import Crowd, Person
from tests.support.platform import PlatformProcess
from tests.support.stage import CALLER_HZ, Stage, on_stage, until

MICROPHONE_HZ = 620


@pytest.fixture
async def stage(platform: PlatformProcess) -> AsyncIterator[Stage]:
    async with on_stage(platform, agents=()) as stage:
        yield stage


async def desk(person: Person) -> Any:
    return await person.page.evaluate("() => fetch('/api/v1/me/desk').then((answer) => answer.json())")


async def order(person: Person, method: str, path: str, body: dict[str, str] | None = None) -> None:
    """As the page itself would."""
    await person.page.evaluate(
        """async ([method, path, body]) => {
            const session = await (await fetch('/api/v1/session')).json()
            const headers = {'X-CSRF-Token': session.csrf}
            if (body) headers['Content-Type'] = 'application/json'
            const answer = await fetch('/api/v1' + path, {method, headers, body: body && JSON.stringify(body)})
            if (answer.status !== 204) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
        }""",
        [method, path, body],
    )


async def rings(person: Person, kind: str) -> None:
    """Where offers ring: the agents of these tests have a desk phone too."""
    await order(person, "PUT", "/me/phone/kind", {"kind": kind})


async def leg_is(person: Person, state: str) -> None:
    async def look() -> bool:
        return bool((await desk(person))["phone"]["leg"] == state)

    await until(look, f"{person.name}'s leg is {state}", 40)


async def offered(person: Person) -> str:
    async def look() -> str | None:
        offers = (await desk(person))["offers"]
        return str(offers[0]["id"]) if offers else None

    found: str = await until(look, f"{person.name} is offered a call")
    return found


async def test_agent_and_citizen_hear_each_other_through_the_page(people: Crowd, stage: Stage) -> None:
    ana = await people.person("ana", hz=MICROPHONE_HZ)
    await ana.sign_in(then="/agente")
    await rings(ana, "web")
    await ana.page.reload()
    await leg_is(ana, "up")
    stats = await ana.stats()
    assert stats["addresses"][1].startswith("127."), stats  # where the switch is
    await stage.api.order("PUT", "/agents/ana/state", {"state": "ready"})
    citizen = await stage.citizen(port=0)
    await citizen.to_queue()
    await order(ana, "POST", f"/offers/{await offered(ana)}/accept")
    await asyncio.gather(ana.hears(CALLER_HZ), citizen.fact("recording_started"))
    assert await citizen.call.hears(MICROPHONE_HZ, 10)
    await citizen.call.hangup()
    await citizen.closed()
    await leg_is(ana, "up")  # it is parked again, and ready for the next
    await rings(ana, "desk")
    await ana.page.close()  # its leg goes with it, as soon as the socket is seen to be gone
    await stage.api.no_channel_left()
