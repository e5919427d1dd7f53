"""What is so at the switch: for the daemon's reconciling, and for our own after the connection was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pbx.asterisk import leftovers
from pbx.asterisk.bridges import HELD_IN, ROOM
from pbx.asterisk.browsers import Browsers
from pbx.asterisk.core import Core
from pbx.asterisk.dialer import LOCAL, REMOTE, VARIABLE
from pbx.asterisk.legs import OWN, Leg, Legs, Playing
from pbx.asterisk.prompts import PLAYING_VARIABLE
from pbx.asterisk.recording import Recordings
from pbx.asterisk.rendering import trunk_endpoint, trunk_of
from pbx.asterisk.supervision import Supervisors
from pbx.asterisk.translate import (
    Contacts,
    answered,
    hung_up,
    inbound_leg,
    left_room,
    parted,
    trunk_status,
)
from pbx.asterisk.wire import AriBridge, AriChannel, AriEndpoint, unix_seconds
from pbx.events import Bridged, RoomEntered, SwitchEvent
from pbx.settings import PbxSettings
from pbx.terms import (
    ChannelId,
    ChannelSnapshot,
    CommandRefused,
    EndpointStatus,
    HangupCause,
    PlaybackId,
    RoomId,
    TrunkStatus,
)

_OURS = "PJSIP/"


class Truth:
    def __init__(
        self,
        core: Core,
        settings: PbxSettings,
        recordings: Recordings,
        supervisors: Supervisors,
        contacts: Contacts,
        browsers: Browsers,
    ) -> None:
        self._core = core
        self._settings = settings
        self._recordings = recordings
        self._supervisors = supervisors
        self._contacts = contacts
        self._browsers = browsers

    async def living(self) -> list[AriChannel]:
        """Legs of calls; not the snoop and media channels that we made."""
        return _legs_of(await self._listed())

    async def _listed(self) -> list[AriChannel]:
        channels = await self._core.ari.get("/channels", list[AriChannel])
        # A channel that another thread moves (out of a bridge, say) while the list is made can stand in it twice.
        return list({one.id: one for one in channels}.values())

    async def variables(self) -> dict[str, dict[str, str]]:
        """All variables of all channels, in one request."""
        rows = await self._core.ami.listing("Status", "Status", AllVariables="true")
        return {str(row.get("Uniqueid", "")): _assignments(row.get("Variable")) for row in rows}

    async def channels(self) -> list[ChannelSnapshot]:
        living, variables = await self.living(), await self.variables()
        legs, now = self._core.legs, self._core.clock.now()
        return [self._snapshot(one, legs.find(one.id), variables.get(one.id, {}), now) for one in living]

    def _snapshot(
        self, channel: AriChannel, leg: Leg | None, variables: Mapping[str, str], now: float
    ) -> ChannelSnapshot:
        leg = leg or adopted(channel, variables, now)
        pair = leg.pair
        return ChannelSnapshot(
            channel=ChannelId(channel.id),
            answered=channel.state == "Up",
            inbound=leg.inbound,
            remote_number=leg.remote_number,
            local_number=leg.local_number,
            trunk=(trunk_of(leg.endpoint) or (None, ""))[0],
            room=leg.room if leg.in_room else None,
            endpoint=leg.endpoint if leg.endpoint and trunk_of(leg.endpoint) is None else None,
            created_at=unix_seconds(channel.creationtime) or now,
            bridged_to=pair.other(ChannelId(channel.id)) if pair and pair.told else None,
            variables={
                name.removeprefix(VARIABLE): value for name, value in variables.items() if name.startswith(VARIABLE)
            },
        )

    # --- our own picture, brought up to date

    async def reconcile(self, *, first: bool, same_life: bool) -> list[SwitchEvent]:
        """What was missed. Legs of an earlier life are gone, with that cause; `first`: what an earlier daemon made for
        itself is cleared away."""
        legs, now = self._core.legs, self._core.clock.now()
        events: list[SwitchEvent] = []
        if not same_life:
            for leg in legs.all():
                cause = HangupCause.SWITCH_LOST
                events += self._end(leg, now, cause)
        listed = await self._listed()
        living = {channel.id: channel for channel in _legs_of(listed)}
        for leg in legs.all():
            if leg.id not in living:
                events += self._end(leg, now, HangupCause.OTHER)
        variables = await self.variables()
        for channel in living.values():
            events += self._refresh(channel, variables.get(channel.id, {}), now)
        bridges = await self._core.ari.get("/bridges", list[AriBridge])
        held = {name: values.get(HELD_IN, "") for name, values in variables.items()}
        rooms = {name: values.get(ROOM, "") for name, values in variables.items()}
        if first:
            self._supervisors.adopt(listed, bridges)
            await leftovers.clear(self._core, listed, bridges, set(held.values()))
        events += reconcile_rooms(legs, bridges, held, rooms, now)
        pairs = [bridge for bridge in bridges if bridge.id not in legs.rooms.values()]
        return events + reconcile_pairs(legs, pairs, held, now)

    def _end(self, leg: Leg, now: float, cause: HangupCause) -> list[SwitchEvent]:
        self._recordings.channel_ended(leg)
        return hung_up(self._core.legs, leg, now, cause.q850, cause)

    def _refresh(self, channel: AriChannel, variables: dict[str, str], now: float) -> list[SwitchEvent]:
        legs = self._core.legs
        leg = legs.find(channel.id)
        if leg is None:
            leg = legs.add(adopted(channel, variables, now))
            self._recordings.adopt(leg, variables)
            if playback := variables.get(PLAYING_VARIABLE):
                leg.playing = Playing(PlaybackId(playback))  # over, perhaps: stopping it again does no harm
            return []
        return answered(leg, now) if channel.state == "Up" and leg.inbound else []

    # --- trunks and phones

    async def trunks(self) -> list[TrunkStatus]:
        gateways = [(trunk.name, gateway.name) for trunk in self._settings.trunks for gateway in trunk.gateways]
        return list(await asyncio.gather(*(self._gateway(*names) for names in gateways)))

    async def _gateway(self, trunk: str, gateway: str) -> TrunkStatus:
        """Asked one by one: the list of all contacts leaves out those that the configuration gives."""
        names = (trunk, gateway)
        try:
            rows = await self._core.ami.listing(
                "PJSIPShowEndpoint", "ContactStatusDetail", Endpoint=trunk_endpoint(*names)
            )
        except CommandRefused:
            rows = []
        if not rows:
            return trunk_status(names, "", "")
        return trunk_status(names, str(rows[0].get("Status", "")), str(rows[0].get("RoundtripUsec", "")))

    async def endpoints(self) -> list[EndpointStatus]:
        rows = await self._core.ari.get("/endpoints/PJSIP", list[AriEndpoint])
        there = self._browsers.left([row.resource for row in rows])
        return [self._phone(row) for row in rows if row.resource in there and trunk_of(row.resource) is None]

    def _phone(self, row: AriEndpoint) -> EndpointStatus:
        told = self._contacts.is_online(row.resource)
        online = row.state == "online" if told is None else told
        return EndpointStatus(endpoint=row.resource, online=online, channels=len(row.channel_ids))


def _legs_of(channels: list[AriChannel]) -> list[AriChannel]:
    return [one for one in channels if one.name.startswith(_OURS) and not one.id.startswith(OWN)]


def adopted(channel: AriChannel, variables: Mapping[str, str], now: float) -> Leg:
    """A leg that lived before we did."""
    leg = inbound_leg(channel, now)
    leg.in_stasis = True
    if REMOTE in variables:  # we set it on every leg that we originate
        leg.inbound = False
        leg.remote_number = variables[REMOTE]
        leg.local_number = variables.get(LOCAL, "")
        leg.ringing_told = True
    leg.endpoint = channel.name.removeprefix(_OURS).rpartition("-")[0]
    trunk = trunk_of(leg.endpoint)
    leg.trunk = trunk[0] if trunk and not leg.inbound else ""
    return leg


def reconcile_rooms(
    legs: Legs, bridges: list[AriBridge], held: Mapping[str, str], rooms: Mapping[str, str], now: float
) -> list[SwitchEvent]:
    """Rooms as their channels' variables name them, where the bridges agree."""
    events: list[SwitchEvent] = []
    inside = {channel: bridge.id for bridge in bridges for channel in bridge.channels}
    living = {bridge.id for bridge in bridges}
    for leg in legs.all():
        bridge = inside.get(leg.id) or held.get(leg.id, "")
        room = RoomId(rooms.get(leg.id, "")) if bridge in living else RoomId("")
        if leg.room is not None and (leg.room != room or legs.rooms.get(leg.room) != bridge):
            events += left_room(legs, leg, now)
        if not room:
            continue
        known, leg.room, leg.room_held = leg.room, room, leg.id not in inside
        legs.rooms[room] = bridge
        if known and not leg.in_room:
            events.append(RoomEntered(at=now, channel=leg.id, room=room))
        leg.in_room = True
    return events


def reconcile_pairs(legs: Legs, bridges: list[AriBridge], held: Mapping[str, str], now: float) -> list[SwitchEvent]:
    """Pairs as the bridges have them, a leg on hold counted to the bridge that it was taken out of."""
    events: list[SwitchEvent] = []
    true: dict[str, list[str]] = {}
    for bridge in bridges:
        inside = [channel for channel in bridge.channels if channel in legs]
        out = [name for name, of in held.items() if of == bridge.id and name in legs and name not in inside]
        true[bridge.id] = inside + out
    for pair in list(legs.pairs.values()):
        if set(true.get(pair.bridge, ())) != {pair.a, pair.b}:
            events += parted(legs, pair, pair.a, now)
    for bridge in bridges:
        members = true[bridge.id]
        if len(members) != 2:
            continue
        one, two = legs.get(ChannelId(members[0])), legs.get(ChannelId(members[1]))
        known = legs.pairs.get(bridge.id)
        pair = known or legs.join(bridge.id, one, two)
        pair.inside = {ChannelId(name) for name in bridge.channels if name in legs}
        pair.held = {ChannelId(name) for name in members if name not in bridge.channels}
        for name in pair.held:
            legs.get(name).music = True
        if known and not known.told:
            events.append(Bridged(at=now, channel=pair.a, peer=pair.b))
        pair.told = True
    return events


def _assignments(value: Any) -> dict[str, str]:
    """``name=value`` lines of a Status row: one string, or a list of them."""
    lines = [value] if isinstance(value, str) else list(value or ())
    return {name: text for name, _, text in (str(line).partition("=") for line in lines)}
