"""A citizen calls from a web page, on a real switch: keys pressed in the page reach the menu, an agent at a desk phone
and they hear each other, and hanging up leaves nothing behind."""

from __future__ import annotations

import asyncio

from tests.support.browser import Crowd
from tests.support.platform import PlatformProcess
from tests.support.stage import AGENT_HZ, WAIT_S, on_stage

MICROPHONE_HZ = 1040


async def test_a_citizen_calls_from_a_web_page(people: Crowd, platform: PlatformProcess) -> None:
    async with on_stage(platform) as stage:
        rosa = await people.person("rosa", hz=MICROPHONE_HZ)
        await rosa.open("/llamar")
        await rosa.page.click("button.big")
        await rosa.page.wait_for_selector(".clock")
        await rosa.page.click(".keys button:text-is('1')")
        agent = await stage.phones["ana"].next_call(WAIT_S)
        heard = await asyncio.gather(agent.hears(MICROPHONE_HZ, WAIT_S), rosa.hears(AGENT_HZ))
        assert heard[0]
        await rosa.page.click("button.big")
        await rosa.page.wait_for_selector(".clock", state="detached")
        await stage.api.no_channel_left()
