"""Inbound calls whose INVITE had X- headers: the values are fetched before the arrival is told, and whatever happens
to the call meanwhile waits behind it. Calls without such headers wait for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import msgspec

from pbx.asterisk.core import Core
from pbx.asterisk.wire import AriEvent
from pbx.events import ChannelArrived, ChannelEvent, SwitchEvent
from pbx.terms import ChannelGone, ChannelId, CommandRefused, SwitchError

_MOST = 20  # headers of one call; more is no use and costs a request each


class _Value(msgspec.Struct):
    value: str = ""


class Arrivals:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._behind: dict[ChannelId, list[SwitchEvent]] = {}
        self.tell: Callable[[list[SwitchEvent]], None] = core.tell

    async def variable(self, channel: ChannelId, name: str) -> str | None:
        """None when it is not set: Asterisk says 404 then, as it does for a channel that is gone."""
        try:
            reply = await self._core.ari.call("GET", f"/channels/{channel}/variable", {"variable": name})
        except ChannelGone:
            raise
        except CommandRefused:
            return None
        return msgspec.json.decode(reply, type=_Value).value

    def wait_for_headers(self, arrived: ChannelArrived, source: AriEvent | None) -> bool:
        names = header_names(source.args[2]) if source and len(source.args) > 2 else []
        if not names:
            return False
        self._behind[arrived.channel] = []
        self._core.spawn(self._fetch(arrived, names), "read an arrival's headers")
        return True

    async def _fetch(self, arrived: ChannelArrived, names: list[str]) -> None:
        values: list[str | None] = [None] * len(names)
        try:
            values = list(
                await asyncio.gather(*(self.variable(arrived.channel, f"PJSIP_HEADER(read,{name})") for name in names))
            )
        except SwitchError:
            pass  # it hung up: told without headers, and its hang-up right behind
        finally:
            headers = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            behind = self._behind.pop(arrived.channel)
            self.tell([replace(arrived, headers=headers), *behind])

    def hold_back(self, event: SwitchEvent) -> bool:
        if isinstance(event, ChannelEvent) and event.channel in self._behind:
            self._behind[event.channel].append(event)
            return True
        return False


def header_names(argument: str) -> list[str]:
    """Names from the dialplan: comma-separated, percent-encoded as one argument."""
    names = [name.strip() for name in unquote(argument).split(",")]
    return list(dict.fromkeys(name for name in names if name.lower().startswith("x-") and "(" not in name))[:_MOST]
