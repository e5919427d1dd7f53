"""AMI over panoramisk: what ARI has not (MixMonitor, all variables of all channels, contacts with round trips).

panoramisk reconnects by itself for ever, but forgets the actions under way when its connection breaks and keeps no
reference to its handlers' tasks: so we connect it anew ourselves, fail what waits, and register no coroutines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk import Manager

from pbx.asterisk.instance import AsteriskLink
from pbx.terms import ChannelGone, ChannelId, CommandRefused, SwitchUnreachable

log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0

Row = Mapping[str, Any]


class AmiClient:
    def __init__(self, link: AsteriskLink, on_contact: Callable[[Row], None], on_lost: Callable[[], None]) -> None:
        self._link = link
        self._on_contact = on_contact
        self._on_lost = on_lost
        self._manager: Any = None
        self._waiting: set[asyncio.Future[Any]] = set()

    @property
    def connected(self) -> bool:
        return self._manager is not None

    async def connect(self) -> None:
        """A new connection, logged in; the older one, if any, is dropped."""
        self.close()
        manager: Any = Manager(
            host=self._link.ami_host,
            port=self._link.ami_port,
            username=self._link.ami_user,
            secret=self._link.ami_password,
            events="system",
            ping_delay=5,
            ping_interval=5,
            log=log,
        )
        manager.register_event("ContactStatus", lambda _manager, event: self._on_contact(event))
        manager.connection_lost = lambda _error: self._lost(manager)  # instead of its own endless reconnecting
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                connecting = manager.connect()
                await asyncio.wait({connecting})
                if connecting.exception():
                    raise SwitchUnreachable("no manager connection to Asterisk", reason=str(connecting.exception()))
                # panoramisk sends its login in a callback of the same task; when that runs depends on the loop.
                while manager.authenticated_future is None:  # noqa: ASYNC110 - it has no event to wait for
                    await asyncio.sleep(0)
                reply = await manager.authenticated_future
        except TimeoutError as error:
            manager.close()
            raise SwitchUnreachable("no manager connection to Asterisk", reason="timeout") from error
        if not reply.success:
            manager.close()
            raise SwitchUnreachable("Asterisk refused our manager login")
        self._manager = manager

    def close(self) -> None:
        manager, self._manager = self._manager, None
        if manager:
            manager.close()
        self._fail_waiting()

    def _lost(self, manager: Any) -> None:
        if manager.pinger:
            manager.pinger.cancel()
            manager.pinger = None
        if self._manager is manager:
            self._manager = None
            self._fail_waiting()
            self._on_lost()

    def _fail_waiting(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(SwitchUnreachable("the manager connection broke before the reply"))

    async def action(self, name: str, channel: ChannelId | None = None, **fields: str) -> Row:
        """One action with one reply. Not sent again."""
        reply = await self._send({"Action": name, **({"Channel": channel} if channel else {}), **fields}, as_list=False)
        if not reply.success:
            text = str(reply.get("Message", ""))
            if "o such channel" in text or "Channel not found" in text or "not find channel" in text.lower():
                raise ChannelGone("no such channel, or it hung up", channel=channel)
            raise CommandRefused("Asterisk refused the command", action=name, reason=text)
        row: Row = reply
        return row

    async def listing(self, name: str, event: str, **fields: str) -> list[Row]:
        """The rows of an action that answers with a list of events."""
        # None: panoramisk sees from the reply whether a list follows; told that one does, it waits on for an error.
        replies = await self._send({"Action": name, **fields}, as_list=None)
        rows = replies if isinstance(replies, list) else [replies]
        return [row for row in rows if row.get("Event") == event]

    async def _send(self, action: dict[str, str], *, as_list: bool | None) -> Any:
        if any("\r" in value or "\n" in value for value in action.values()):
            raise CommandRefused("a line break in a manager action")
        if self._manager is None:
            await self.connect()
        manager = self._manager
        if manager is None:
            raise SwitchUnreachable("no manager connection to Asterisk")
        future: asyncio.Future[Any] = manager.send_action(action, as_list=as_list)
        self._waiting.add(future)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await future
        except TimeoutError as error:
            raise SwitchUnreachable("Asterisk did not answer", action=action["Action"]) from error
        finally:
            self._waiting.discard(future)
