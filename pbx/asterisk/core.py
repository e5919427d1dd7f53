"""What the parts of the adapter share: the two connections, the legs, the way to tell an event, owned tasks."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager

from foundation.clock import Clock
from pbx.asterisk.ami import AmiClient
from pbx.asterisk.ari import AriClient
from pbx.asterisk.legs import OWN, Leg, Legs
from pbx.events import SwitchEvent
from pbx.terms import ChannelId, CommandRefused, RoomId, SwitchError

log = logging.getLogger(__name__)

_STASIS_TIMEOUT_S = 5.0
# A refusal overtakes the event that explains it by milliseconds.
_GOING_EVERY_S = 0.02
_GOING_LOOKS = 25


def _nothing(room: RoomId) -> None:
    return


class Core:
    def __init__(self, ari: AriClient, ami: AmiClient, clock: Clock, app: str) -> None:
        self.ari = ari
        self.ami = ami
        self.clock = clock
        self.app = app
        self.version = ""
        self.legs = Legs()
        self.told: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self.room_left: Callable[[RoomId], None] = _nothing  # told of rooms that we took a leg out of ourselves
        self._tasks: set[asyncio.Task[None]] = set()
        self._entering: dict[str, asyncio.Future[None]] = {}

    def tell(self, events: Iterable[SwitchEvent]) -> None:
        for event in events:
            self.told.put_nowait(event)

    # --- tasks: kept until done, cancelled at the end; a failure is logged, never lost

    def spawn(self, work: Coroutine[None, None, object], name: str) -> None:
        task = asyncio.create_task(self._run(work, name), name=f"asterisk: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Coroutine[None, None, object], name: str) -> None:
        try:
            await work
        except SwitchError as error:
            # The subject hung up meanwhile, or the connection broke: reconciling sees to both.
            log.info("%s was not done: %s", name, error.message)
        except Exception:
            log.exception("%s failed", name)

    async def drop_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def later(self, delay_s: float, work: Callable[[], None]) -> Callable[[], None]:
        timer = self.clock.call_later(delay_s, work)
        return timer.cancel

    # --- variables

    async def goes_away(self, leg: Leg) -> bool:
        """Whether a leg that refused a command does so because it ends: the event of that may be on its way."""
        for _ in range(_GOING_LOOKS):
            if leg.ending or self.legs.find(leg.id) is not leg:
                return True
            await asyncio.sleep(_GOING_EVERY_S)
        return False

    async def remember(self, channel: ChannelId, name: str, value: str) -> None:
        """Set a variable now. By AMI: what ARI is asked to set waits for the end of the channel's prompt, and so does
        its reply. Only AMI drops outer blanks."""
        if value == value.strip():
            await self.ami.action("Setvar", channel, Variable=name, Value=value)
        else:
            params = {"variable": name, "value": value}
            await self.ari.call("POST", f"/channels/{channel}/variable", params, channel=channel)

    # --- channels of our own (snoop, media), which may enter Stasis before or after their command's reply

    @staticmethod
    def own_id(kind: str) -> str:
        return f"{OWN}{kind}-{secrets.token_hex(8)}"

    @asynccontextmanager
    async def entering(self, channel: str) -> AsyncIterator[None]:
        """Inside, give the command that makes the channel; at the end it is in our hands."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entering[channel] = future
        try:
            yield
            async with asyncio.timeout(_STASIS_TIMEOUT_S):
                await future
        except TimeoutError as error:
            await self.ari.attempt("DELETE", f"/channels/{channel}")
            raise CommandRefused("Asterisk made no channel of our own") from error
        finally:
            self._entering.pop(channel, None)

    def entered(self, channel: str) -> None:
        future = self._entering.get(channel)
        if future and not future.done():
            future.set_result(None)
