"""Two legs together: bridge, unbridge, hold, transfers. A *pair* is ours; whether the switch has it bridged may differ
for a while (hold, a phone's REFER), and then what the switch tells of bridges is not told on."""

from __future__ import annotations

from pbx.events import Bridged, TransferAsked, Unbridged
from pbx.freeswitch.codec import Event
from pbx.freeswitch.legs import Board, Leg, Pair
from pbx.freeswitch.rendering import IDLE_SILENCE
from pbx.freeswitch.sounding import Sounds
from pbx.freeswitch.supervision import Supervisors
from pbx.freeswitch.translate import at, refer_target
from pbx.terms import ChannelGone, ChannelId, CommandRefused, SwitchError


class Pairs:
    def __init__(self, board: Board, sounds: Sounds, supervisors: Supervisors) -> None:
        self._board = board
        self._sounds = sounds
        self._supervisors = supervisors
        self._wanted: dict[frozenset[ChannelId], Pair] = {}
        self._referring: set[ChannelId] = set()  # phones whose REFER the switch is carrying out

    # --- commands

    async def bridge(self, a: Leg, b: Leg) -> None:
        if a is b:
            raise CommandRefused("a channel cannot be bridged with itself", channel=a.id)
        if a.pair is not None and a.pair is b.pair:
            if a.pair.held:
                await self._rejoin(a.pair)
            return
        for leg in (a, b):
            await self._make_ready(leg)
        key = frozenset((a.id, b.id))
        pair = self._wanted[key] = Pair(a.id, b.id)
        try:
            await self._join(a, b)
        except SwitchError:
            self._wanted.pop(key, None)
            raise
        if self._wanted.get(key) is pair:
            self._promote(pair)

    async def make_alone(self, leg: Leg) -> None:
        """Out of its pair, parked, with nothing under way to it."""
        await self.unbridge(leg)
        await self._make_ready(leg)

    async def _make_ready(self, leg: Leg) -> None:
        """Nothing may be under way to the leg that would run inside the bridge."""
        self._sounds.stop_collecting(leg)
        await self._supervisors.stop(leg)
        if leg.stream is not None:
            leg.stream.end()
            leg.stream = None
            await self._board.client.api(f"uuid_setvar {leg.id} {IDLE_SILENCE} -1")
        if leg.now is not None and leg.now.started:
            # The bridge itself ends it, without the wait for its end.
            leg.now.stopped = leg.now.broken = True
        self._sounds.stop(leg)
        if leg.now is not None and not leg.now.started:
            await self._sounds.silence(leg)
        if leg.pair is None or leg.pair.held:
            await self._board.settle(leg)

    async def _join(self, a: Leg, b: Leg) -> None:
        a.parked.clear()
        b.parked.clear()
        try:
            await self._board.client.api(f"uuid_bridge {a.id} {b.id}")
        except SwitchError:
            for leg in (a, b):
                if leg.pair is None or leg.pair.held:
                    leg.parked.set()
            raise

    async def unbridge(self, leg: Leg) -> None:
        pair = leg.pair
        if pair is None:
            return
        other = self._board.leg(pair.other(leg.id))
        if pair.held:
            self._dissolve(pair, leg.id, self._board.clock.now())
            return
        leg.parked.clear()
        other.parked.clear()
        await self._board.client.api(f"uuid_park {leg.id}")
        for one in (leg, other):
            if not one.ended:
                await self._board.settle(one)
        # Told by the event; where that was lost, now.
        if leg.pair is pair:
            self._dissolve(pair, leg.id, self._board.clock.now())

    async def hold(self, leg: Leg) -> None:
        pair = leg.pair
        if pair is None:
            raise CommandRefused("the channel is not bridged", channel=leg.id)
        if leg.id in pair.held:
            return
        other = self._board.leg(pair.other(leg.id))
        was_apart = bool(pair.held)
        pair.held.add(leg.id)
        if not was_apart:
            leg.parked.clear()
            other.parked.clear()
            try:
                await self._remember(pair, True)
                await self._board.client.api(f"uuid_park {leg.id}")
            except SwitchError:
                pair.held.discard(leg.id)
                raise
        await self._board.settle(leg)
        await self._sounds.music(leg)

    async def unhold(self, leg: Leg) -> None:
        pair = leg.pair
        if pair is None:
            raise CommandRefused("the channel is not bridged", channel=leg.id)
        if leg.id not in pair.held:
            return
        if pair.held == {leg.id}:
            await self._rejoin(pair)
        else:
            pair.held.discard(leg.id)
            await self._sounds.silence(leg)

    async def _rejoin(self, pair: Pair) -> None:
        a, b = self._board.leg(pair.a), self._board.leg(pair.b)
        for leg in (a, b):
            await self._make_ready(leg)
        await self._join(a, b)
        pair.held.clear()
        await self._remember(pair, False)

    async def _remember(self, pair: Pair, held: bool) -> None:
        """On the channels themselves, so that a daemon that comes back knows a held pair for one."""
        for channel in (pair.a, pair.b):
            value = f" {pair.other(channel)}" if held else ""
            await self._board.client.api(f"uuid_setvar {channel} rimay_held_with{value}")

    # --- what the switch tells

    def on_bridge(self, event: Event) -> None:
        a = self._board.legs.get(ChannelId(event.get("Bridge-A-Unique-ID")))
        b = self._board.legs.get(ChannelId(event.get("Bridge-B-Unique-ID")))
        if a is None or b is None or a.ended or b.ended:
            return
        a.parked.clear()
        b.parked.clear()
        pair = a.pair if a.pair is not None and a.pair is b.pair else None
        if pair is None:
            pair = self._wanted.get(frozenset((a.id, b.id))) or Pair(a.id, b.id)
            self._promote(pair)
        if not pair.told:
            pair.told = True
            self._board.tell(Bridged(at=at(event, self._board.clock.now()), channel=pair.a, peer=pair.b))

    def on_unbridge(self, event: Event) -> None:
        a, b = ChannelId(event.get("Bridge-A-Unique-ID")), ChannelId(event.get("Bridge-B-Unique-ID"))
        leg = self._board.legs.get(a)
        pair = leg.pair if leg else None
        if pair is None or {pair.a, pair.b} != {a, b} or pair.held or self._referring & {a, b}:
            return
        self._dissolve(pair, a, at(event, self._board.clock.now()))

    def on_transferor(self, event: Event) -> None:
        """A phone's REFER is about to be carried out: blind, its party goes to our dialplan, where it waits; attended,
        the switch bridges the two parties itself and leaves us only to tell."""
        phone = ChannelId(event.channel)
        consult = event.get("att_xfer_destination_peer_uuid")
        if not consult:
            self._referring.add(phone)
            return
        self._board.tell(
            TransferAsked(
                at=at(event, self._board.clock.now()),
                channel=phone,
                target=refer_target(event.variable("sip_refer_to")),
                consult=ChannelId(consult),
            )
        )

    def on_referred(self, leg: Leg, event: Event) -> None:
        """The party of a phone that asked for a blind transfer has come to wait: the pair is put together again and
        the daemon asked."""
        pair = leg.pair
        if pair is None:
            return
        phone = pair.other(leg.id)
        target = refer_target(event.variable("sip_refer_to"))
        self._board.spawn(self._put_back(leg, pair), f"put {leg.id} back")
        self._board.tell(TransferAsked(at=at(event, self._board.clock.now()), channel=phone, target=target))

    async def _put_back(self, leg: Leg, pair: Pair) -> None:
        phone = self._board.legs.get(pair.other(leg.id))
        try:
            await self._board.client.api(f"uuid_setvar {leg.id} sip_refer_to")
            if phone is not None and not phone.ended and leg.pair is pair and not pair.held:
                await self._board.settle(leg)
                await self._board.settle(phone)
                if leg.pair is pair and not pair.held:
                    await self._join(leg, phone)
        except (ChannelGone, CommandRefused):
            return  # one of them hung up meanwhile, which is told as such
        finally:
            self._referring.discard(pair.other(leg.id))

    def on_end(self, leg: Leg) -> None:
        """Before the leg's hang-up is told."""
        self._referring.discard(leg.id)
        for key in [key for key in self._wanted if leg.id in key]:
            del self._wanted[key]
        if leg.pair is not None:
            self._dissolve(leg.pair, leg.id, self._board.clock.now())

    # --- inside

    def _promote(self, pair: Pair) -> None:
        self._wanted.pop(frozenset((pair.a, pair.b)), None)
        now = self._board.clock.now()
        for channel in (pair.a, pair.b):
            leg = self._board.legs.get(channel)
            if leg is None:
                continue
            if leg.pair is not None and leg.pair is not pair:
                self._dissolve(leg.pair, channel, now)
            leg.pair = pair

    def _dissolve(self, pair: Pair, by: ChannelId, when: float) -> None:
        held = bool(pair.held)
        for channel in (pair.a, pair.b):
            leg = self._board.legs.get(channel)
            if leg is None or leg.pair is not pair:
                continue
            leg.pair = None
            if channel in pair.held and not leg.ended:
                self._sounds.stop(leg)
        if held:
            self._board.spawn(self._forget_hold(pair), f"end of hold of {pair.a}")
        if pair.told:
            self._board.tell(Unbridged(at=when, channel=by, peer=pair.other(by)))

    async def _forget_hold(self, pair: Pair) -> None:
        for channel in (pair.a, pair.b):
            try:
                await self._board.client.api(f"uuid_setvar {channel} rimay_held_with")
            except SwitchError:
                continue

    def adopt(self, a: Leg, b: Leg, held: bool) -> None:
        """Found together after a reconnect."""
        pair = a.pair if a.pair is not None and a.pair is b.pair else None
        if pair is None:
            pair = Pair(a.id, b.id, told=True)
            self._promote(pair)
        if not held:
            pair.held.clear()
        elif not pair.held:
            pair.held = {a.id, b.id}
