"""Rooms: a conference of the switch's own, named as the room. Who is on hold is parked with music and still of it;
what the switch tells of its members is told on for those who come and go."""

from __future__ import annotations

import asyncio

from pbx.events import RoomEntered, RoomLeft
from pbx.freeswitch.codec import Event
from pbx.freeswitch.legs import Board, Leg
from pbx.freeswitch.pairs import Pairs
from pbx.freeswitch.rendering import CONFERENCE
from pbx.freeswitch.sounding import Sounds
from pbx.freeswitch.translate import at
from pbx.terms import ChannelGone, ChannelId, CommandRefused, RoomId, SwitchError, check_room

# Variables on the channel, by which a later daemon finds its room, and whether it is set aside from it.
ROOM, HELD = "rimay_room", "rimay_room_held"


class Rooms:
    def __init__(self, board: Board, sounds: Sounds, pairs: Pairs) -> None:
        self._board = board
        self._sounds = sounds
        self._pairs = pairs

    # --- commands

    async def enter(self, leg: Leg, room: RoomId) -> None:
        check_room(room)
        if leg.room == room:
            return
        await self.leave(leg)
        await self._pairs.make_alone(leg)
        leg.room = room
        try:
            await self._remember(leg, ROOM, room)
            await self._join(leg, room)
        except SwitchError:
            if not leg.ended:
                self._over(leg, self._board.clock.now())
            raise

    async def _join(self, leg: Leg, room: RoomId) -> None:
        """Returns when it is in: what is asked of it next must not overtake that."""
        leg.parked.clear()
        leg.joined.clear()
        await self._board.client.api(f"uuid_transfer {leg.id} conference:{room}@{CONFERENCE},park: inline")
        try:
            async with asyncio.timeout(Board.SETTLE_S):
                await leg.joined.wait()
        except TimeoutError:
            raise CommandRefused("the channel does not get into its room", channel=leg.id) from None
        if leg.ended:
            raise ChannelGone("no such channel, or it hung up", channel=leg.id)

    async def leave(self, leg: Leg) -> None:
        if leg.room is None:
            return
        was_held = leg.room_held
        if was_held:
            await self._sounds.silence(leg)
        else:
            await self._board.repark(leg, silence=True)
        # Told by the event; where that was lost, or it was on hold, now.
        self._over(leg, self._board.clock.now())
        await self._remember(leg, ROOM, "")
        if was_held:
            await self._remember(leg, HELD, "")

    async def hold(self, leg: Leg) -> None:
        if leg.room_held:
            return
        leg.room_held = True
        try:
            await self._remember(leg, HELD, "true")
            await self._board.repark(leg, silence=True)
        except SwitchError:
            leg.room_held = False
            raise
        await self._sounds.music(leg)

    async def unhold(self, leg: Leg) -> None:
        if not leg.room_held or leg.room is None:
            return
        await self._sounds.silence(leg)
        await self._join(leg, leg.room)
        leg.room_held = False
        await self._remember(leg, HELD, "")

    async def _remember(self, leg: Leg, name: str, value: str) -> None:
        await self._board.client.api(f"uuid_setvar {leg.id} {name} {value}".rstrip())

    # --- what the switch tells

    def on_member(self, event: Event) -> None:
        """CUSTOM conference::maintenance."""
        leg = self._board.legs.get(ChannelId(event.channel))
        if leg is None or leg.ended or leg.room is None or event.get("Conference-Name") != leg.room:
            return
        when = at(event, self._board.clock.now())
        if event.get("Action") == "add-member":
            leg.joined.set()
            if not leg.in_room:
                leg.in_room = True
                self._board.tell(RoomEntered(at=when, channel=leg.id, room=leg.room))
        elif event.get("Action") == "del-member" and leg.in_room and not leg.room_held:
            self._over(leg, when)

    def on_end(self, leg: Leg) -> None:
        """Before the leg's hang-up is told."""
        leg.joined.set()  # whoever waits for it sees that it has ended
        self._over(leg, self._board.clock.now())

    def _over(self, leg: Leg, when: float) -> None:
        room, told = leg.room, leg.in_room
        leg.room, leg.in_room, leg.room_held = None, False, False
        if room is not None and told:
            self._board.tell(RoomLeft(at=when, channel=leg.id, room=room))

    def adopt(self, leg: Leg, dump: Event) -> None:
        """As found after a reconnect."""
        room = RoomId(dump.variable(ROOM))
        if leg.room is not None and leg.room != room:
            self._over(leg, self._board.clock.now())
        if not room:
            return
        leg.room, leg.room_held = room, bool(dump.variable(HELD))
        leg.in_room = True
        if not leg.room_held:
            leg.parked.clear()
