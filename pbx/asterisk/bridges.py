"""Pairs: one mixing bridge each, taken from a few that stand ready, so that connecting two legs is one request."""

from __future__ import annotations

import asyncio
from collections import deque

from pbx.asterisk.core import Core
from pbx.asterisk.legs import Leg, Pair
from pbx.asterisk.prompts import Prompts
from pbx.asterisk.translate import left_room, parted
from pbx.terms import ChannelId, CommandRefused, SwitchError

# Bridges made ahead. They cost Asterisk some kilobytes each; 40 new pairs a second use them up in 0.2 s, and they are
# made again in 2 ms each.
_READY = 8
# `dtmf_events`: without it two plain RTP legs are joined natively and their digits are never told.
_KIND = "mixing,dtmf_events"
# Name of the channel variable by which a later daemon finds the pair of a leg that is on hold, out of its bridge.
HELD_IN = "RIMAY_HELD_IN"
# And the room that a leg is in.
ROOM = "RIMAY_ROOM"


async def dissolve(core: Core, bridge: str, *inside: str) -> None:
    """Everybody out of it by a command of their own, then the bridge.

    One that is deleted around a channel lets go of it in a thread of its own, and whatever the channel enters in that
    very moment it leaves at once: Asterisk 22 clears away what waits for the end of the old bridge and takes what waits
    for the end of the new one with it. A command to the channel comes in turn with those that move it."""
    leave = (core.ari.attempt("POST", f"/bridges/{bridge}/removeChannel", {"channel": channel}) for channel in inside)
    await asyncio.gather(*leave)
    await core.ari.attempt("DELETE", f"/bridges/{bridge}")


class Bridges:
    def __init__(self, core: Core, prompts: Prompts) -> None:
        self._core = core
        self._prompts = prompts
        self._ready: deque[str] = deque()
        self._making = 0

    # --- the stock

    def forget(self) -> None:
        """The switch was restarted: its bridges are gone."""
        self._ready.clear()

    def stock(self) -> None:
        while len(self._ready) + self._making < _READY:
            self._making += 1
            self._core.spawn(self._make_ready(), "make a bridge")

    async def _make_ready(self) -> None:
        try:
            self._ready.append(await self._make())
        finally:
            self._making -= 1

    async def _make(self) -> str:
        bridge = self._core.own_id("pair")
        await self._core.ari.call("POST", f"/bridges/{bridge}", {"type": _KIND, "name": bridge})
        return bridge

    async def take(self) -> str:
        try:
            bridge = self._ready.popleft()
        except IndexError:
            bridge = await self._make()
        self.stock()
        return bridge

    def drop(self, bridge: str, *inside: str) -> None:
        """Those who may be in it go on in silence."""
        self._core.spawn(dissolve(self._core, bridge, *inside), "drop a bridge")

    async def add(self, bridge: str, *channels: str) -> None:
        await self._core.ari.call("POST", f"/bridges/{bridge}/addChannel", {"channel": ",".join(channels)})

    # --- pairs

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        legs = self._core.legs
        one, two = legs.answered(a), legs.answered(b)
        if one is two:
            raise CommandRefused("a channel cannot be bridged with itself", channel=a)
        if one.pair and one.pair is two.pair:
            return
        for leg in (one, two):
            self.part_from_all(leg)
        await asyncio.gather(self._prompts.silence(one), self._prompts.silence(two))
        bridge = await self.take()
        legs.get(a), legs.get(b)
        pair = legs.join(bridge, one, two)
        try:
            await self.add(bridge, a, b)
        except SwitchError:
            legs.part(pair)
            self.drop(bridge, a, b)
            raise

    def part_from_all(self, leg: Leg) -> None:
        """Of its pair or room, told at once; the switch follows."""
        if leg.pair:
            self._part(leg.pair, leg.id)
        if leg.room is not None:
            held, room = leg.room_held, leg.room
            self._core.tell(left_room(self._core.legs, leg, self._core.clock.now()))
            self._core.spawn(self._core.remember(leg.id, ROOM, ""), "forget a room")
            if held:
                self._core.spawn(self._end_hold_music(leg.id), "end hold music")
            self.clear_ended()
            self._core.room_left(room)

    def _part(self, pair: Pair, first: ChannelId) -> None:
        """Told at once; the switch follows, and before anything that we ask of these legs later."""
        self._core.tell(parted(self._core.legs, pair, first, self._core.clock.now()))
        self.clear_ended()

    def clear_ended(self) -> None:
        """Pairs and rooms that are over: drop the bridge, and the music of a leg that was on hold."""
        emptied, self._core.legs.emptied = self._core.legs.emptied, []
        for bridge, last in emptied:
            self.drop(bridge, last)
        ended, self._core.legs.ended = self._core.legs.ended, []
        for pair in ended:
            self.drop(pair.bridge, *self._still_in(pair))
            for channel in pair.held:
                self._core.spawn(self._end_hold_music(channel), "end hold music")
            for channel in (pair.a, pair.b):
                self._transfer_done(channel)

    def _still_in(self, pair: Pair) -> list[ChannelId]:
        return [one for one in (pair.a, pair.b) if one not in pair.held and self._core.legs.find(one)]

    def _transfer_done(self, channel: ChannelId) -> None:
        """A phone that asked for a transfer is told that it was done once its pair was taken apart."""
        leg = self._core.legs.find(channel)
        if leg and leg.refer_pending:
            leg.refer_pending = False
            self._core.spawn(
                self._core.ari.attempt(
                    "POST", f"/channels/{channel}/transfer_progress", {"states": "channel_answered"}
                ),
                "tell a phone of its transfer",
            )

    async def unbridge(self, channel: ChannelId) -> None:
        leg = self._core.legs.get(channel)
        if leg.pair is None:
            return
        pair = leg.pair
        await dissolve(self._core, pair.bridge, *self._still_in(pair))
        await asyncio.gather(*(self._end_hold_music(held) for held in pair.held))
        # Its events may have told it already, in which case this tells nothing.
        self._part(pair, channel)

    async def _end_hold_music(self, channel: ChannelId) -> None:
        leg = self._core.legs.find(channel)
        if leg and leg.music:
            await self._prompts.stop_music(channel)

    async def hold(self, channel: ChannelId, music: str) -> None:
        leg, pair = self._core.legs.paired(channel)
        if channel in pair.held:
            return
        pair.held.add(channel)
        try:
            await asyncio.gather(
                self._core.ari.call("POST", f"/bridges/{pair.bridge}/removeChannel", {"channel": channel}),
                self._core.remember(channel, HELD_IN, pair.bridge),
            )
        except SwitchError:
            pair.held.discard(channel)
            raise
        await self._prompts.start_music(leg.id, music)

    async def unhold(self, channel: ChannelId) -> None:
        leg, pair = self._core.legs.paired(channel)
        if channel not in pair.held:
            return
        await self._prompts.stop_music(leg.id)
        await self.add(pair.bridge, channel)
        pair.held.discard(channel)
        await self._core.remember(channel, HELD_IN, "")
