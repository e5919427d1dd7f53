"""Listening, whispering, barging: a snoop channel on the supervised leg, bridged with the supervisor's own.

Asterisk fixes what a snoop channel may do when it is made: a change of mode makes the new one, then drops the old.
Whispers enter behind the point where MixMonitor listens: they are in no recording of that leg.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pbx.asterisk.bridges import Bridges, dissolve
from pbx.asterisk.core import Core
from pbx.asterisk.legs import OWN
from pbx.asterisk.prompts import Prompts
from pbx.asterisk.wire import AriBridge, AriChannel
from pbx.terms import ChannelId, CommandRefused, Supervision, SwitchError

# `out` is towards the supervised leg; `both` also goes the way its own voice goes: to the peer.
_WHISPER = {Supervision.LISTEN: "none", Supervision.WHISPER: "out", Supervision.BARGE: "both"}

_SNOOP = "snoop"
_SNOOPS = f"{OWN}{_SNOOP}-"


@dataclass(slots=True)
class _Watch:
    target: ChannelId
    bridge: str
    snoop: str


class Supervisors:
    def __init__(self, core: Core, prompts: Prompts, bridges: Bridges) -> None:
        self._core = core
        self._prompts = prompts
        self._bridges = bridges
        self._watches: dict[ChannelId, _Watch] = {}

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        legs = self._core.legs
        leg = legs.lone(supervisor)
        legs.together(target)
        if supervisor == target:
            raise CommandRefused("nobody supervises himself", channel=target)
        older = self._watches.get(supervisor)
        if older is None:
            await self._prompts.silence(leg)
        snoop = await self._snoop(target, mode)
        bridge = older.bridge if older else await self._bridges.take()
        try:
            await self._bridges.add(bridge, snoop, *([] if older else [supervisor]))
        except SwitchError:
            await self._core.ari.attempt("DELETE", f"/channels/{snoop}")
            raise
        self._watches[supervisor] = _Watch(target, bridge, snoop)
        if older:
            await self._core.ari.attempt("DELETE", f"/channels/{older.snoop}")

    async def _snoop(self, target: ChannelId, mode: Supervision) -> str:
        snoop = self._core.own_id(_SNOOP)
        params = {"spy": "both", "whisper": _WHISPER[mode], "app": self._core.app, "appArgs": "snoop"}
        async with self._core.entering(snoop):
            await self._core.ari.call("POST", f"/channels/{target}/snoop/{snoop}", params, channel=target)
        return snoop

    def adopt(self, channels: Collection[AriChannel], bridges: Collection[AriBridge]) -> None:
        """Those that an earlier daemon began go on, and can be ended. Whom a snoop channel listens to is its name."""
        targets = {
            one.id: one.name.removeprefix("Snoop/").rpartition("-")[0] for one in channels if one.id.startswith(_SNOOPS)
        }
        for bridge in bridges:
            snoop = next((channel for channel in bridge.channels if channel in targets), None)
            for supervisor in bridge.channels if snoop else ():
                if supervisor != snoop and supervisor in self._core.legs:
                    watch = _Watch(ChannelId(targets[snoop or ""]), bridge.id, snoop or "")
                    self._watches[ChannelId(supervisor)] = watch

    async def stop(self, supervisor: ChannelId) -> None:
        self._core.legs.get(supervisor)
        await self.release(supervisor)

    async def release(self, supervisor: ChannelId) -> None:
        """Before its leg is bridged, where it supervises at all."""
        watch = self._watches.pop(supervisor, None)
        if watch:
            await self._end(supervisor, watch)

    async def _end(self, supervisor: ChannelId, watch: _Watch) -> None:
        await self._core.ari.attempt("DELETE", f"/channels/{watch.snoop}")
        await dissolve(self._core, watch.bridge, supervisor)

    def channel_ended(self, channel: ChannelId) -> None:
        """The supervisor left, or whom it listened to."""
        gone = [sup for sup, watch in self._watches.items() if channel in (sup, watch.target)]
        for supervisor in gone:
            self._core.spawn(self._end(supervisor, self._watches.pop(supervisor)), "end supervision")
