"""ARI's events as ours: a pure table, fed with JSON as Asterisk 22 sends it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pbx import collect
from pbx.asterisk.arrivals import header_names
from pbx.asterisk.dialer import transfers_are_told
from pbx.asterisk.legs import Collecting, Leg, Legs, Playing
from pbx.asterisk.translate import Contacts, Translator, sip_target
from pbx.asterisk.truth import adopted, reconcile_pairs
from pbx.asterisk.wire import AriBridge, AriChannel, AriInfo, decode_event, unix_seconds
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
    PlaybackEnd,
    PlaybackFinished,
    PlaybackStarted,
    SwitchEvent,
    TransferAsked,
    TrunkChanged,
    Unbridged,
)
from pbx.terms import ChannelId, DigitRules, DigitsEnd, HangupCause, PlaybackId, TrunkState

NOW = 1_795_000_000.0
AT = "2026-11-23T20:00:06.153+0000"


def channel(name: str = "c1", state: str = "Ring", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": "PJSIP/trunk.norte.gw1-00000001",
        "state": state,
        "caller": {"name": "Ana", "number": "0991234567"},
        "connected": {"name": "", "number": ""},
        "dialplan": {"context": "rimay-trunk", "exten": "072345678", "priority": 3},
        "creationtime": AT,
        **more,
    }


class Desk:
    """A translator with what it holds."""

    def __init__(self) -> None:
        self.legs = Legs()
        self._translator = Translator(self.legs)

    def hear(self, kind: str, **fields: Any) -> list[SwitchEvent]:
        raw = msgspec.json.encode({"type": kind, "timestamp": AT, "application": "rimay", **fields})
        return self._translator.translate(decode_event(raw), NOW)

    def arrive(self, name: str = "c1", endpoint: str = "trunk.norte.gw1") -> list[SwitchEvent]:
        kind = "rimay-trunk" if endpoint.startswith("trunk.") else "rimay-phone"
        return self.hear("StasisStart", args=[kind, endpoint, ""], channel=channel(name))

    def out(self, name: str = "o1") -> Leg:
        return self.legs.add(Leg(id=ChannelId(name), inbound=False))

    def pair(self) -> None:
        self.arrive("c1")
        self.hear("ChannelStateChange", channel=channel("c1", "Up"))
        self.out("o1").answered = True
        self.legs.join("b1", self.legs.get(ChannelId("c1")), self.legs.get(ChannelId("o1")))

    def enter(self, name: str) -> list[SwitchEvent]:
        return self.hear("ChannelEnteredBridge", bridge={"id": "b1"}, channel=channel(name, "Up"))

    def leave(self, name: str) -> list[SwitchEvent]:
        return self.hear("ChannelLeftBridge", bridge={"id": "b1"}, channel=channel(name, "Up"))


def kinds(events: list[SwitchEvent]) -> list[type[SwitchEvent]]:
    return [type(event) for event in events]


def test_an_arrival_over_a_trunk() -> None:
    (event,) = Desk().arrive()
    assert isinstance(event, ChannelArrived)
    assert (event.trunk, event.endpoint, event.from_name) == ("norte", None, "Ana")
    assert (event.from_number, event.to_number, event.at) == ("0991234567", "072345678", unix_seconds(AT))


def test_an_arrival_from_a_phone() -> None:
    (event,) = Desk().arrive(endpoint="agente1")
    assert isinstance(event, ChannelArrived)
    assert (event.trunk, event.endpoint) == (None, "agente1")


def test_our_own_channels_are_nobodys_calls() -> None:
    desk = Desk()
    assert desk.hear("StasisStart", args=["snoop"], channel=channel("rimay-snoop-1")) == []
    assert desk.hear("ChannelDestroyed", cause=16, channel=channel("rimay-snoop-1")) == []


def test_the_life_of_an_originated_leg() -> None:
    desk = Desk()
    desk.out()
    assert kinds(desk.hear("ChannelStateChange", channel=channel("o1", "Ringing"))) == [ChannelRinging]
    assert desk.hear("ChannelStateChange", channel=channel("o1", "Ringing")) == []
    assert desk.hear("ChannelStateChange", channel=channel("o1", "Up")) == []  # it cannot be bridged yet
    assert kinds(desk.hear("StasisStart", args=["out"], channel=channel("o1", "Up"))) == [ChannelAnswered]
    (end,) = desk.hear("ChannelDestroyed", cause=16, channel=channel("o1"))
    assert isinstance(end, ChannelHungUp)
    assert (end.cause, end.answered, end.by_us) == (HangupCause.NORMAL, True, False)


def test_an_answer_is_told_once() -> None:
    desk = Desk()
    desk.arrive()
    assert kinds(desk.hear("ChannelStateChange", channel=channel(state="Up"))) == [ChannelAnswered]
    assert desk.hear("ChannelStateChange", channel=channel(state="Up")) == []


@pytest.mark.parametrize("cause", [0, 16, 127, 26])
def test_a_caller_who_gives_up_has_cancelled(cause: int) -> None:
    desk = Desk()
    desk.arrive()
    (end,) = desk.hear("ChannelDestroyed", cause=cause, channel=channel())
    assert isinstance(end, ChannelHungUp)
    assert end.cause is HangupCause.CANCELLED


@pytest.mark.parametrize(("q850", "cause"), [(17, "busy"), (19, "no_answer"), (1, "unallocated"), (34, "congestion")])
def test_causes_of_a_leg_that_we_called(q850: int, cause: str) -> None:
    desk = Desk()
    desk.out()
    (end,) = desk.hear("ChannelDestroyed", cause=q850, channel=channel("o1"))
    assert isinstance(end, ChannelHungUp)
    assert (end.cause, end.q850) == (HangupCause(cause), q850)


def test_the_cause_that_we_gave_is_the_one_told() -> None:
    desk = Desk()
    leg = desk.out()
    leg.by_us, leg.asked_cause = True, HangupCause.CANCELLED
    (end,) = desk.hear("ChannelDestroyed", cause=26, channel=channel("o1"))
    assert isinstance(end, ChannelHungUp)
    assert (end.cause, end.by_us) == (HangupCause.CANCELLED, True)


def test_a_second_end_is_dropped() -> None:
    desk = Desk()
    desk.arrive()
    assert desk.hear("StasisEnd", channel=channel()) == []
    assert len(desk.hear("ChannelDestroyed", cause=16, channel=channel())) == 1
    assert desk.hear("ChannelDestroyed", cause=16, channel=channel()) == []
    assert desk.hear("ChannelDtmfReceived", digit="1", duration_ms=100, channel=channel()) == []


def test_digits() -> None:
    desk = Desk()
    desk.arrive()
    (event,) = desk.hear("ChannelDtmfReceived", digit="#", duration_ms=160, channel=channel())
    assert isinstance(event, DigitReceived)
    assert (event.digit, event.duration_ms) == ("#", 160)


# --- sounds


def playback(state: str, name: str = "p1") -> dict[str, Any]:
    return {"playback": {"id": name, "state": state, "target_uri": "channel:c1", "media_uri": "sound:/x/hola"}}


def playing_desk() -> Desk:
    desk = Desk()
    desk.arrive()
    desk.legs.get(ChannelId("c1")).playing = Playing(PlaybackId("p1"))
    return desk


@pytest.mark.parametrize(("state", "end"), [("done", "done"), ("failed", "failed"), ("canceled", "stopped")])
def test_the_end_of_a_playback(state: str, end: str) -> None:
    desk = playing_desk()
    assert kinds(desk.hear("PlaybackStarted", **playback("playing"))) == [PlaybackStarted]
    (event,) = desk.hear("PlaybackFinished", **playback(state))
    assert isinstance(event, PlaybackFinished)
    assert event.end is PlaybackEnd(end)
    assert ("hola" in event.detail) == (end == "failed")
    assert desk.hear("PlaybackFinished", **playback(state)) == []


def test_a_stopped_playback_is_said_to_be_done() -> None:
    desk = playing_desk()
    leg = desk.legs.get(ChannelId("c1"))
    assert leg.playing
    leg.playing.stop_asked = True
    leg.replaced["p1"], leg.playing = leg.playing, Playing(PlaybackId("p2"))
    (event,) = desk.hear("PlaybackFinished", **playback("done"))
    assert isinstance(event, PlaybackFinished)
    assert (event.playback, event.end) == ("p1", PlaybackEnd.STOPPED)
    assert leg.playing.playback == "p2"


def test_a_hang_up_fails_the_playback_which_is_told_as_stopped() -> None:
    desk = playing_desk()
    assert desk.hear("ChannelHangupRequest", cause=16, channel=channel(state="Up")) == []
    (event,) = desk.hear("PlaybackFinished", **playback("failed"))
    assert isinstance(event, PlaybackFinished)
    assert event.end is PlaybackEnd.STOPPED


def test_what_hangs_on_a_leg_ends_before_it() -> None:
    desk = Desk()
    desk.pair()
    desk.enter("c1")
    desk.enter("o1")
    leg = desk.legs.get(ChannelId("c1"))
    leg.playing = Playing(PlaybackId("p1"))
    state, _ = collect.step(collect.begin(DigitRules(max_digits=4), prompt=False, at=NOW), collect.Digit("7"), NOW)
    leg.collecting = Collecting(state, None)
    events = desk.hear("ChannelDestroyed", cause=16, channel=channel("c1"))
    assert kinds(events) == [PlaybackFinished, DigitsCollected, Unbridged, ChannelHungUp]
    collected = events[1]
    assert isinstance(collected, DigitsCollected)
    assert (collected.digits, collected.end) == ("7", DigitsEnd.STOPPED)


# --- pairs


def test_a_pair_is_told_once_when_both_are_in() -> None:
    desk = Desk()
    desk.pair()
    assert desk.enter("c1") == []
    assert kinds(desk.enter("o1")) == [Bridged]
    assert desk.enter("o1") == []  # Asterisk repeats itself where it is subscribed to twice


def test_the_pair_is_over_when_one_leaves_and_told_once() -> None:
    desk = Desk()
    desk.pair()
    desk.enter("c1")
    desk.enter("o1")
    assert kinds(desk.leave("c1")) == [Unbridged]
    assert desk.leave("o1") == []
    assert len(desk.legs.ended) == 1
    assert "o1" in desk.legs


def test_a_leg_on_hold_stays_of_the_pair() -> None:
    desk = Desk()
    desk.pair()
    desk.enter("c1")
    desk.enter("o1")
    desk.legs.pairs["b1"].held.add(ChannelId("c1"))
    assert desk.leave("c1") == []
    assert desk.enter("c1") == []
    assert kinds(desk.hear("ChannelDestroyed", cause=16, channel=channel("o1"))) == [Unbridged, ChannelHungUp]


def test_a_pair_that_never_was_is_not_told_apart() -> None:
    desk = Desk()
    desk.pair()
    desk.enter("c1")
    assert kinds(desk.hear("ChannelDestroyed", cause=16, channel=channel("o1"))) == [ChannelHungUp]


def test_the_phone_holds() -> None:
    desk = Desk()
    desk.arrive()
    assert kinds(desk.hear("ChannelHold", channel=channel())) == [PeerHeld]


# --- transfers


def test_a_transfer_is_told_once() -> None:
    desk = Desk()
    desk.pair()
    asked = {
        "refer_to": {"requested_destination": {"destination": "sip:0998887766@127.0.0.1"}},
        "referred_by": {"source_channel": channel("o1", "Up")},
    }
    (event,) = desk.hear("ChannelTransfer", **asked)
    assert isinstance(event, TransferAsked)
    assert (event.channel, event.target, event.consult) == ("o1", "0998887766", None)
    assert desk.hear("ChannelTransfer", state="channel_answered", **asked) == []


def test_an_attended_transfer_names_the_leg() -> None:
    desk = Desk()
    desk.pair()
    desk.out("o2")
    (event,) = desk.hear(
        "ChannelTransfer",
        refer_to={"requested_destination": {"destination": "x"}, "destination_channel": channel("o2", "Up")},
        referred_by={"source_channel": channel("o1", "Up")},
    )
    assert isinstance(event, TransferAsked)
    assert event.consult == "o2"


@pytest.mark.parametrize(
    "given", ["sip:100@host;transport=tcp", "<sip:100@host>", "100", "tel:100;phone-context=x", "SIPS:100@host"]
)
def test_target_of_a_refer(given: str) -> None:
    assert sip_target(given) == "100"


@pytest.mark.parametrize(
    ("version", "told"),
    [("22.10.1+dfsg", True), ("22.2.0", False), ("20.6.0~dfsg", False), ("20.13.1", True), ("21.8.0", True),
     ("23.0.0", True), ("19.9.9", False), ("GIT-master", False)],
)  # fmt: skip
def test_which_versions_leave_a_refer_to_us(version: str, told: bool) -> None:
    assert transfers_are_told(version) is told


# --- trunks


def test_a_trunks_state_is_told_when_it_changes() -> None:
    contacts, legs = Contacts(), Legs()
    row = {"EndpointName": "trunk.norte.gw1", "ContactStatus": "Reachable", "RoundtripUsec": "1500"}
    (event,) = contacts.changed(row, legs, NOW)
    assert isinstance(event, TrunkChanged)
    assert (event.status.trunk, event.status.gateway, event.status.state) == ("norte", "gw1", TrunkState.UP)
    assert event.status.round_trip_ms == 1.5
    assert contacts.changed({**row, "RoundtripUsec": "1700"}, legs, NOW) == []
    (event,) = contacts.changed({**row, "ContactStatus": "Unreachable"}, legs, NOW)
    assert isinstance(event, TrunkChanged)
    assert (event.status.state, event.status.round_trip_ms) == (TrunkState.DOWN, None)


def test_a_state_that_we_do_not_know_of_a_phone_is_no_news() -> None:
    assert Contacts().changed({"EndpointName": "agente1", "ContactStatus": "Updated"}, Legs(), NOW) == []


def test_a_revoked_phone_is_told_offline_once_though_asterisk_keeps_silent() -> None:
    contacts, legs = Contacts(), Legs()
    assert contacts.revoked("web-1", legs, NOW) == []
    contacts.changed({"EndpointName": "web-1", "ContactStatus": "NonQualified"}, legs, NOW)
    (event,) = contacts.revoked("web-1", legs, NOW)
    assert isinstance(event, EndpointChanged)
    assert not event.status.online
    assert contacts.changed({"EndpointName": "web-1", "ContactStatus": "Removed"}, legs, NOW) == []
    assert contacts.revoked("web-1", legs, NOW) == []


# --- what was missed


def ari_channel(name: str, **more: Any) -> AriChannel:
    return msgspec.convert(channel(name, "Up", **more), AriChannel)


def test_adopted_legs_remember_who_called_whom() -> None:
    caller = adopted(ari_channel("c1"), {}, NOW)
    assert (caller.inbound, caller.answered, caller.remote_number) == (True, True, "0991234567")
    called = adopted(ari_channel("o1"), {"RIMAY_REMOTE": "0998887766", "RIMAY_LOCAL": "072000000"}, NOW)
    assert (called.inbound, called.remote_number, called.local_number) == (False, "0998887766", "072000000")
    assert called.trunk == "norte"


def test_pairs_are_found_again_with_the_leg_on_hold() -> None:
    legs = Legs()
    for name in ("c1", "o1", "c2"):
        legs.add(Leg(id=ChannelId(name), inbound=True, answered=True))
    bridges = [AriBridge(id="b1", channels=["o1", "rimay-snoop-1"]), AriBridge(id="b2", channels=["c2"])]
    assert reconcile_pairs(legs, bridges, {"c1": "b1"}, NOW) == []
    pair = legs.get(ChannelId("c1")).pair
    assert pair
    assert (pair.told, pair.held, pair.other(ChannelId("c1"))) == (True, {"c1"}, "o1")
    assert legs.get(ChannelId("c2")).pair is None


def test_a_pair_that_broke_meanwhile_is_told() -> None:
    desk = Desk()
    desk.pair()
    desk.enter("c1")
    desk.enter("o1")
    events = reconcile_pairs(desk.legs, [AriBridge(id="b1", channels=["c1"])], {}, NOW)
    assert kinds(events) == [Unbridged]
    assert reconcile_pairs(desk.legs, [AriBridge(id="b1", channels=["c1"])], {}, NOW) == []


def test_one_life_of_a_switch_is_told_from_the_next() -> None:
    first = {"system": {"version": "22", "entity_id": "e"}, "status": {"startup_time": AT}}
    other = {**first, "status": {"startup_time": AT.replace("06.153", "09.001")}}
    assert msgspec.convert(first, AriInfo).life == msgspec.convert(first, AriInfo).life
    assert msgspec.convert(first, AriInfo).life != msgspec.convert(other, AriInfo).life


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("", []),
        ("X-Cliente%2CX-Otro%2C", ["X-Cliente", "X-Otro"]),
        ("X-A%2CX-A", ["X-A"]),
        ("X-A)}${SHELL(id)%2CVia", []),
    ],
)
def test_header_names_from_the_dialplan(argument: str, names: list[str]) -> None:
    assert header_names(argument) == names


def test_every_other_event_is_skipped() -> None:
    desk = Desk()
    for kind in ("ChannelVarset", "BridgeCreated", "PeerStatusChange", "SomethingNew"):
        assert desk.hear(kind, channel=channel("zz"), peer={"peer_status": "x"}) == []
