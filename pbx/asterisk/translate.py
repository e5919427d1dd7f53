"""ARI's events as ours, given what we know of the legs, which is brought up to date on the way. No I/O, no clock.

What needs a command in return (next step of collecting, end of a recording) is not done here but in `switch`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pbx.asterisk.legs import OWN, Leg, Legs, Pair
from pbx.asterisk.rendering import trunk_of
from pbx.asterisk.wire import AriChannel, AriEvent, AriPlayback, unix_seconds
from pbx.events import (
    Bridged,
    ChannelAnswered,
    ChannelArrived,
    ChannelHungUp,
    ChannelRinging,
    DigitReceived,
    DigitsCollected,
    EndpointChanged,
    PeerHeld,
    PeerResumed,
    PlaybackEnd,
    PlaybackFinished,
    PlaybackStarted,
    RoomEntered,
    RoomLeft,
    SwitchEvent,
    TransferAsked,
    TrunkChanged,
    Unbridged,
)
from pbx.terms import (
    ChannelId,
    DigitsEnd,
    EndpointStatus,
    HangupCause,
    PlaybackId,
    TrunkState,
    TrunkStatus,
)

Events = list[SwitchEvent]

_TRUNK_STATES = {
    "Reachable": TrunkState.UP,
    "Avail": TrunkState.UP,
    "Unreachable": TrunkState.DOWN,
    "Unavail": TrunkState.DOWN,
    "Removed": TrunkState.DOWN,
}
_PHONE_STATES = {
    "Created": True,
    "Reachable": True,
    "NonQualified": True,
    "Removed": False,
    "Unreachable": False,
}
_ARRIVALS = ("rimay-trunk", "rimay-phone")


class Translator:
    """Holds the legs; `translate` is called with every event in order."""

    def __init__(self, legs: Legs) -> None:
        self.legs = legs
        self._table: dict[str, Callable[[AriEvent, float], Events]] = {
            "StasisStart": self._stasis_start,
            "StasisEnd": self._stasis_end,
            "ChannelStateChange": self._state,
            "ChannelDestroyed": self._destroyed,
            "ChannelDtmfReceived": self._digit,
            "PlaybackStarted": self._playback_started,
            "PlaybackFinished": self._playback_finished,
            "ChannelEnteredBridge": self._entered,
            "ChannelLeftBridge": self._left,
            "ChannelHold": self._hold,
            "ChannelUnhold": self._unhold,
            "ChannelTransfer": self._transfer,
            "ChannelHangupRequest": self._ending,
        }

    def translate(self, event: AriEvent, now: float) -> Events:
        handler = self._table.get(event.type)
        if handler is None:
            return []
        return handler(event, unix_seconds(event.timestamp) or now)

    def _leg(self, event: AriEvent) -> Leg | None:
        return self.legs.find(event.channel.id) if event.channel else None

    # --- life of a leg

    def _stasis_start(self, event: AriEvent, at: float) -> Events:
        channel = event.channel
        if channel is None or channel.id.startswith(OWN) or not event.args:
            return []
        if event.args[0] in _ARRIVALS:
            return [self._arrival(channel, event.args, at)]
        leg = self.legs.find(channel.id)
        if leg is None or leg.inbound:
            return []
        leg.in_stasis = True
        return answered(leg, at)

    def _arrival(self, channel: AriChannel, args: list[str], at: float) -> ChannelArrived:
        leg = self.legs.find(channel.id)
        if leg is None:
            leg = self.legs.add(inbound_leg(channel, at))
        leg.endpoint = args[1] if len(args) > 1 else ""
        leg.in_stasis = True
        trunk = trunk_of(leg.endpoint)
        return ChannelArrived(
            at=at,
            channel=leg.id,
            trunk=trunk[0] if trunk else None,
            endpoint=None if trunk else leg.endpoint,
            from_number=leg.remote_number,
            from_name=channel.caller.name,
            to_number=leg.local_number,
        )

    def _stasis_end(self, event: AriEvent, at: float) -> Events:
        """Mostly followed by `ChannelDestroyed`, which tells the cause; nothing is concluded here."""
        leg = self._leg(event)
        if leg:
            leg.in_stasis = False
        return []

    def _state(self, event: AriEvent, at: float) -> Events:
        leg = self._leg(event)
        if leg is None or event.channel is None:
            return []
        if event.channel.state == "Up" and leg.inbound:
            return answered(leg, at)
        if event.channel.state == "Ringing" and not leg.inbound and not leg.ringing_told:
            leg.ringing_told = True
            return [ChannelRinging(at=at, channel=leg.id)]
        return []

    def _ending(self, event: AriEvent, at: float) -> Events:
        """Comes first of all that a hang-up brings; a playback that it ends is then said to have failed."""
        leg = self._leg(event)
        if leg:
            leg.ending = True
        return []

    def _destroyed(self, event: AriEvent, at: float) -> Events:
        leg = self._leg(event)
        return [] if leg is None else hung_up(self.legs, leg, at, event.cause)

    # --- digits and sounds

    def _digit(self, event: AriEvent, at: float) -> Events:
        leg = self._leg(event)
        if leg is None:
            return []
        return [DigitReceived(at=at, channel=leg.id, digit=event.digit, duration_ms=event.duration_ms)]

    def _playback_leg(self, playback: AriPlayback | None) -> Leg | None:
        if playback is None:
            return None
        return self.legs.find(playback.target_uri.removeprefix("channel:"))

    def _playback_started(self, event: AriEvent, at: float) -> Events:
        leg = self._playback_leg(event.playback)
        if leg is None or event.playback is None or leg.playing is None or leg.playing.playback != event.playback.id:
            return []
        return [PlaybackStarted(at=at, channel=leg.id, playback=leg.playing.playback)]

    def _playback_finished(self, event: AriEvent, at: float) -> Events:
        leg = self._playback_leg(event.playback)
        if leg is None or event.playback is None:
            return []
        end, detail = PlaybackEnd.DONE, ""
        if event.playback.state == "canceled" or (event.playback.state == "failed" and leg.ending):
            end = PlaybackEnd.STOPPED
        elif event.playback.state == "failed":
            end, detail = PlaybackEnd.FAILED, f"cannot be played: {event.playback.media_uri}"
        return playback_over(leg, PlaybackId(event.playback.id), at, end, detail)

    # --- pairs

    def _entered(self, event: AriEvent, at: float) -> Events:
        if event.bridge is None or event.channel is None:
            return []
        pair = self.legs.pairs.get(event.bridge.id)
        channel = ChannelId(event.channel.id)
        if pair is None:
            return self._entered_room(event.bridge.id, self.legs.find(channel), at)
        if channel not in (pair.a, pair.b):
            return []
        pair.inside.add(channel)
        if pair.told or len(pair.inside) < 2:
            return []
        pair.told = True
        return [Bridged(at=at, channel=pair.a, peer=pair.b)]

    def _left(self, event: AriEvent, at: float) -> Events:
        """Held legs leave and stay of the pair (or room); any other is on its way out."""
        if event.bridge is None or event.channel is None:
            return []
        pair = self.legs.pairs.get(event.bridge.id)
        channel = ChannelId(event.channel.id)
        if pair is None:
            return self._left_room(event.bridge.id, self.legs.find(channel), at)
        if channel not in pair.inside:
            return []
        pair.inside.discard(channel)
        return [] if channel in pair.held else parted(self.legs, pair, channel, at)

    def _entered_room(self, bridge: str, leg: Leg | None, at: float) -> Events:
        """Who comes back from hold is told no second time."""
        if leg is None or leg.room is None or leg.in_room or self.legs.rooms.get(leg.room) != bridge:
            return []
        leg.in_room = True
        return [RoomEntered(at=at, channel=leg.id, room=leg.room)]

    def _left_room(self, bridge: str, leg: Leg | None, at: float) -> Events:
        if leg is None or leg.room is None or not leg.in_room or leg.room_held:
            return []
        return left_room(self.legs, leg, at) if self.legs.rooms.get(leg.room) == bridge else []

    def _hold(self, event: AriEvent, at: float) -> Events:
        leg = self._leg(event)
        return [PeerHeld(at=at, channel=leg.id)] if leg else []

    def _unhold(self, event: AriEvent, at: float) -> Events:
        leg = self._leg(event)
        return [PeerResumed(at=at, channel=leg.id)] if leg else []

    def _transfer(self, event: AriEvent, at: float) -> Events:
        """A REFER. Later events of the same one only repeat how it stands."""
        source = event.referred_by.source_channel if event.referred_by else None
        leg = self.legs.find(source.id) if source else None
        if leg is None or event.refer_to is None or leg.refer_pending or leg.ending:
            return []
        leg.refer_pending = True
        consult = event.refer_to.destination_channel
        return [
            TransferAsked(
                at=at,
                channel=leg.id,
                target=sip_target(event.refer_to.requested_destination.destination),
                consult=ChannelId(consult.id) if consult and consult.id in self.legs else None,
            )
        ]


# --- what more than one event leads to


def inbound_leg(channel: AriChannel, at: float) -> Leg:
    return Leg(
        id=ChannelId(channel.id),
        inbound=True,
        remote_number=channel.caller.number,
        local_number=channel.dialplan.exten,
        created_at=unix_seconds(channel.creationtime) or at,
        answered=channel.state == "Up",
    )


def answered(leg: Leg, at: float) -> Events:
    if leg.answered:
        return []
    leg.answered = True
    return [ChannelAnswered(at=at, channel=leg.id)]


def playback_over(leg: Leg, playback: PlaybackId, at: float, end: PlaybackEnd, detail: str = "") -> Events:
    """The one `PlaybackFinished` of a playback; a second notice of its end is dropped."""
    playing = leg.replaced.pop(playback, None)
    if playing is None:
        if leg.playing is None or leg.playing.playback != playback:
            return []
        playing, leg.playing = leg.playing, None
    if playing.stop_asked:
        end, detail = PlaybackEnd.STOPPED, ""
    return [PlaybackFinished(at=at, channel=leg.id, playback=playback, end=end, detail=detail)]


def collecting_over(leg: Leg, at: float, digits: str, end: DigitsEnd) -> Events:
    collecting, leg.collecting = leg.collecting, None
    if collecting is None:
        return []
    if collecting.timer:
        collecting.timer.cancel()
    return [DigitsCollected(at=at, channel=leg.id, digits=digits, end=end)]


def parted(legs: Legs, pair: Pair, first: ChannelId, at: float) -> Events:
    """The pair is over; told when it had been told of."""
    if legs.pairs.get(pair.bridge) is not pair:
        return []
    legs.part(pair)
    legs.ended.append(pair)
    return [Unbridged(at=at, channel=first, peer=pair.other(first))] if pair.told else []


def left_room(legs: Legs, leg: Leg, at: float) -> Events:
    """It is in no room any more; told when its entry was."""
    room, told = leg.room, leg.in_room
    legs.leave(leg)
    return [RoomLeft(at=at, channel=leg.id, room=room)] if room is not None and told else []


def hung_up(legs: Legs, leg: Leg, at: float, q850: int, cause: HangupCause | None = None) -> Events:
    """All that hangs on the leg ends first, so that its hang-up is its last event."""
    events: Events = []
    for playing in [*leg.replaced.values(), *([leg.playing] if leg.playing else [])]:
        events += playback_over(leg, playing.playback, at, PlaybackEnd.STOPPED)
    if leg.collecting:
        events += collecting_over(leg, at, leg.collecting.state.digits, DigitsEnd.STOPPED)
    if leg.pair:
        events += parted(legs, leg.pair, leg.id, at)
    events += left_room(legs, leg, at)
    legs.remove(leg.id)
    if cause is None:
        cause = hangup_cause(leg, q850)
    events.append(
        ChannelHungUp(
            at=at, channel=leg.id, cause=cause, q850=q850 or cause.q850, by_us=leg.by_us, answered=leg.answered
        )
    )
    return events


def hangup_cause(leg: Leg, q850: int) -> HangupCause:
    """An unanswered caller who leaves has cancelled, whatever number Asterisk makes of it."""
    if leg.by_us and leg.asked_cause:
        return leg.asked_cause
    if leg.inbound and not leg.answered and not leg.by_us:
        return HangupCause.CANCELLED
    if q850 == 0:
        return HangupCause.NORMAL if leg.answered else HangupCause.OTHER
    return HangupCause.from_q850(q850)


class Contacts:
    """Trunks and phones as last told: Asterisk repeats itself with every keepalive."""

    def __init__(self) -> None:
        self._told: dict[str, object] = {}

    def changed(self, row: Mapping[str, Any], legs: Legs, at: float) -> Events:
        events = contact_changed(row, legs, at)
        return [event for event in events if self._is_news(event)]

    def is_online(self, phone: str) -> bool | None:
        """As last told; None when nothing was since `forget_phones`. Asterisk's own list lags behind."""
        state = self._told.get(phone)
        return state if isinstance(state, bool) else None

    def revoked(self, phone: str, legs: Legs, at: float) -> Events:
        """Asterisk says nothing of a registration whose endpoint is gone by the time that it looks, or that it did not
        list yet when it was taken away."""
        if not self.is_online(phone):
            return []
        self._told[phone] = False
        return [EndpointChanged(at=at, status=_endpoint_status(phone, False, legs))]

    def forget_phones(self) -> None:
        """What was told before the connection broke may be so no more."""
        self._told = {key: state for key, state in self._told.items() if not isinstance(state, bool)}

    def _is_news(self, event: SwitchEvent) -> bool:
        if isinstance(event, TrunkChanged):
            key, state = f"{event.status.trunk}.{event.status.gateway}", event.status.state
            return self.is_news(key, state)
        if isinstance(event, EndpointChanged):
            return self.is_news(event.status.endpoint, event.status.online)
        return True

    def is_news(self, key: str, state: object) -> bool:
        is_new = self._told.get(key) != state
        self._told[key] = state
        return is_new


def contact_changed(row: Mapping[str, Any], legs: Legs, at: float) -> Events:
    """AMI's `ContactStatus`: a trunk's gateway, or a phone that came, went, or stopped to answer."""
    name, state = str(row.get("EndpointName", "")), str(row.get("ContactStatus", ""))
    trunk = trunk_of(name)
    if trunk:
        return [TrunkChanged(at=at, status=trunk_status(trunk, state, str(row.get("RoundtripUsec", ""))))]
    if state not in _PHONE_STATES:
        return []
    return [EndpointChanged(at=at, status=_endpoint_status(name, _PHONE_STATES[state], legs))]


def _endpoint_status(name: str, online: bool, legs: Legs) -> EndpointStatus:
    return EndpointStatus(endpoint=name, online=online, channels=sum(leg.endpoint == name for leg in legs.all()))


def trunk_status(trunk: tuple[str, str], contact: str, microseconds: str) -> TrunkStatus:
    """Of the contact's status in words, and its last round trip."""
    state = _TRUNK_STATES.get(contact, TrunkState.UNKNOWN)
    known = state is TrunkState.UP and microseconds.isdigit()
    return TrunkStatus(
        trunk=trunk[0],
        gateway=trunk[1],
        state=state,
        detail=contact,
        round_trip_ms=int(microseconds) / 1000 if known else None,
    )


def sip_target(destination: str) -> str:
    """The user of a Refer-To: `sip:100@host;x` and `<sip:100@host>` become `100`; what is none is left as it is."""
    inner = destination.strip().removeprefix("<").split(">")[0]
    scheme, colon, rest = inner.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips", "tel"):
        return inner
    return rest.split("@")[0].split(";")[0]
