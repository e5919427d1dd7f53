"""Rooms: one mixing bridge each, taken from those that stand ready, as pairs are. Who is on hold is out of the bridge
and still of the room."""

from __future__ import annotations

import asyncio

from pbx.asterisk.bridges import HELD_IN, ROOM, Bridges
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Leg
from pbx.asterisk.prompts import Prompts
from pbx.terms import ChannelId, RoomId, SwitchError, check_room


class Rooms:
    def __init__(self, core: Core, prompts: Prompts, bridges: Bridges) -> None:
        self._core = core
        self._prompts = prompts
        self._bridges = bridges

    async def enter(self, channel: ChannelId, room: RoomId) -> None:
        check_room(room)
        leg = self._core.legs.answered(channel)
        if leg.room == room:
            return
        self._bridges.part_from_all(leg)
        await self._prompts.silence(leg)
        bridge = await self._bridge_of(room)
        self._core.legs.get(channel)
        leg.room, leg.in_room, leg.room_held = room, False, False
        try:
            await asyncio.gather(self._bridges.add(bridge, channel), self._core.remember(channel, ROOM, room))
        except SwitchError:
            self._bridges.part_from_all(leg)
            raise

    async def _bridge_of(self, room: RoomId) -> str:
        rooms = self._core.legs.rooms
        if room not in rooms:
            bridge = await self._bridges.take()
            if rooms.setdefault(room, bridge) != bridge:  # somebody entered meanwhile
                self._bridges.drop(bridge)
        return rooms[room]

    async def leave(self, channel: ChannelId) -> None:
        leg = self._core.legs.get(channel)
        if leg.room is None:
            return
        bridge = self._core.legs.rooms[leg.room]
        if leg.room_held:
            await self._prompts.stop_music(channel)
        else:
            await self._core.ari.attempt("POST", f"/bridges/{bridge}/removeChannel", {"channel": channel})
        # Its event may have told it already, in which case this tells nothing.
        self._bridges.part_from_all(leg)

    async def hold(self, leg: Leg, room: RoomId, music: str) -> None:
        if leg.room_held:
            return
        bridge = self._core.legs.rooms[room]
        leg.room_held = True
        try:
            await asyncio.gather(
                self._core.ari.call("POST", f"/bridges/{bridge}/removeChannel", {"channel": leg.id}),
                self._core.remember(leg.id, HELD_IN, bridge),
            )
        except SwitchError:
            leg.room_held = False
            raise
        await self._prompts.start_music(leg.id, music)

    async def unhold(self, leg: Leg, room: RoomId) -> None:
        if not leg.room_held:
            return
        await self._prompts.stop_music(leg.id)
        await self._bridges.add(self._core.legs.rooms[room], leg.id)
        leg.room_held = False
        await self._core.remember(leg.id, HELD_IN, "")
