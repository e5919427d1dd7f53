"""FreeSWITCH's words into ours, pure: event headers, causes, addresses. What needs a channel's history is elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pbx.events import (
    ChannelArrived,
    ChannelHungUp,
    DigitReceived,
    EndpointChanged,
    PeerHeld,
    PeerResumed,
    SwitchEvent,
    TrunkChanged,
)
from pbx.freeswitch.codec import Event
from pbx.freeswitch.commands import VARIABLE_PREFIX, decode_value
from pbx.terms import (
    DIGITS,
    ChannelId,
    ChannelSnapshot,
    EndpointStatus,
    HangupCause,
    RoomId,
    TrunkState,
    TrunkStatus,
)

# What we subscribe to, and no more: each event costs both sides.
EVENTS = (
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_PARK",
    "CHANNEL_UNPARK",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DESTROY",
    "DTMF",
    "PLAYBACK_START",
    "RECORD_START",
    "RECORD_STOP",
    "BACKGROUND_JOB",
    "SHUTDOWN",
    "sofia::gateway_state",
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "sofia::transferor",
    "conference::maintenance",
)

# --- causes --------------------

# For hanging up an answered leg, and for refusing one: the two differ, because a refusal becomes a SIP status.
HANGUP_WITH: dict[HangupCause, str] = {
    HangupCause.NORMAL: "NORMAL_CLEARING",
    HangupCause.BUSY: "USER_BUSY",
    HangupCause.NO_ANSWER: "NO_ANSWER",
    HangupCause.REJECTED: "CALL_REJECTED",
    HangupCause.UNALLOCATED: "UNALLOCATED_NUMBER",
    HangupCause.UNREACHABLE: "SUBSCRIBER_ABSENT",
    HangupCause.CONGESTION: "NORMAL_CIRCUIT_CONGESTION",
    HangupCause.CANCELLED: "ORIGINATOR_CANCEL",
    HangupCause.TIMEOUT: "RECOVERY_ON_TIMER_EXPIRE",
    HangupCause.SWITCH_LOST: "NORMAL_TEMPORARY_FAILURE",
    HangupCause.OTHER: "NORMAL_UNSPECIFIED",
}
# Refused before answer: 603 for a plain no, 403 for "you may not".
REJECT_WITH: dict[HangupCause, str] = {
    **HANGUP_WITH,
    HangupCause.NORMAL: "CALL_REJECTED",
    HangupCause.REJECTED: "INCOMING_CALL_BARRED",
    HangupCause.UNREACHABLE: "NO_ANSWER",
    HangupCause.CANCELLED: "CALL_REJECTED",
    HangupCause.OTHER: "CALL_REJECTED",
}

_CAUSES: dict[str, HangupCause] = {
    "NORMAL_CLEARING": HangupCause.NORMAL,
    "NORMAL_UNSPECIFIED": HangupCause.NORMAL,
    "ATTENDED_TRANSFER": HangupCause.NORMAL,
    "BLIND_TRANSFER": HangupCause.NORMAL,
    "ORIGINATOR_CANCEL": HangupCause.CANCELLED,
    "LOSE_RACE": HangupCause.CANCELLED,
    "PICKED_OFF": HangupCause.CANCELLED,
    "USER_BUSY": HangupCause.BUSY,
    "NO_ANSWER": HangupCause.NO_ANSWER,
    "NO_USER_RESPONSE": HangupCause.NO_ANSWER,
    "ALLOTTED_TIMEOUT": HangupCause.NO_ANSWER,
    "PROGRESS_TIMEOUT": HangupCause.NO_ANSWER,
    "CALL_REJECTED": HangupCause.REJECTED,
    "OUTGOING_CALL_BARRED": HangupCause.REJECTED,
    "INCOMING_CALL_BARRED": HangupCause.REJECTED,
    "UNALLOCATED_NUMBER": HangupCause.UNALLOCATED,
    "INVALID_NUMBER_FORMAT": HangupCause.UNALLOCATED,
    "NUMBER_CHANGED": HangupCause.UNALLOCATED,
    "SUBSCRIBER_ABSENT": HangupCause.UNREACHABLE,
    "USER_NOT_REGISTERED": HangupCause.UNREACHABLE,
    "NO_ROUTE_DESTINATION": HangupCause.UNREACHABLE,
    "NO_ROUTE_TRANSIT_NET": HangupCause.UNREACHABLE,
    "DESTINATION_OUT_OF_ORDER": HangupCause.UNREACHABLE,
    "GATEWAY_DOWN": HangupCause.UNREACHABLE,
    "INVALID_GATEWAY": HangupCause.UNREACHABLE,
    "INVALID_PROFILE": HangupCause.UNREACHABLE,
    "INVALID_URL": HangupCause.UNREACHABLE,
    "NORMAL_TEMPORARY_FAILURE": HangupCause.CONGESTION,
    "NETWORK_OUT_OF_ORDER": HangupCause.CONGESTION,
    "SWITCH_CONGESTION": HangupCause.CONGESTION,
    "NORMAL_CIRCUIT_CONGESTION": HangupCause.CONGESTION,
    "REQUESTED_CHAN_UNAVAIL": HangupCause.CONGESTION,
    "EXCHANGE_ROUTING_ERROR": HangupCause.CONGESTION,
    "MEDIA_TIMEOUT": HangupCause.TIMEOUT,
    "RECOVERY_ON_TIMER_EXPIRE": HangupCause.TIMEOUT,
    "SYSTEM_SHUTDOWN": HangupCause.SWITCH_LOST,
    "CRASH": HangupCause.SWITCH_LOST,
}


def cause_of(name: str, *, answered: bool) -> HangupCause:
    """Ours for a cause's name in an event or in the `-ERR` of an originate."""
    if name == "RECOVERY_ON_TIMER_EXPIRE" and not answered:
        return HangupCause.UNREACHABLE  # no SIP answer at all
    return _CAUSES.get(name, HangupCause.OTHER)


def originate_failure(result: str) -> str:
    """The cause's name in a job's result, empty for a success."""
    text = result.strip()
    return "" if text.startswith("+OK") else text.removeprefix("-ERR").strip().partition(" ")[0]


# --- events --------------------


def at(event: Event, now: float) -> float:
    """When the switch noticed, else now."""
    return event.at or now


def arrived(event: Event, now: float) -> ChannelArrived:
    """From an inbound leg's first CHANNEL_PARK."""
    trunk = event.variable("rimay_trunk") or None
    endpoint = event.variable("rimay_endpoint") or None
    return ChannelArrived(
        at=at(event, now),
        channel=ChannelId(event.channel),
        trunk=None if endpoint else trunk,
        endpoint=endpoint,
        from_number=event.get("Caller-Caller-ID-Number"),
        from_name=_name(event),
        to_number=event.get("Caller-Destination-Number"),
        headers=_sip_headers(event),
    )


def _name(event: Event) -> str:
    # The variable is what the far end wrote; in the profile the switch has put the number where there was none.
    return unquote(event.variable("sip_from_display") or event.get("Caller-Caller-ID-Name"), errors="replace").strip(
        '"'
    )


def _sip_headers(event: Event) -> dict[str, str]:
    prefix = "variable_sip_h_"
    return {
        name.removeprefix(prefix): event.get(name)
        for name in event.names()
        if name.startswith(prefix) and not name.startswith(prefix + "P-")
    }


def hung_up(event: Event, now: float, *, by_us: HangupCause | None, answered: bool) -> ChannelHungUp:
    """From CHANNEL_HANGUP_COMPLETE."""
    # "recv_bye", "recv_cancel", "recv_refuse": the far end was first, whatever we asked for.
    ours = by_us is not None and not event.variable("sip_hangup_disposition").startswith("recv_")
    name = event.get("Hangup-Cause") or event.variable("hangup_cause")
    cause = by_us if ours and by_us is not None else cause_of(name, answered=answered)
    q850 = event.variable("hangup_cause_q850")
    number = int(q850) if q850.isascii() and q850.isdigit() and 0 < int(q850) < 128 and not ours else cause.q850
    return ChannelHungUp(
        at=at(event, now),
        channel=ChannelId(event.channel),
        cause=cause,
        q850=number,
        by_us=ours,
        answered=answered,
        mos=_mos(event.variable("rtp_audio_in_mos")) if answered else None,
    )


def was_answered(event: Event) -> bool:
    """From CHANNEL_HANGUP_COMPLETE. A far end that answers and hangs up at once is gone before the switch notes the
    answer; only that it said goodbye, which is no refusal, tells of it."""
    if event.get("Caller-Channel-Answered-Time", "0") not in ("0", ""):
        return True
    return event.get("Call-Direction") == "outbound" and event.variable("sip_hangup_disposition") == "recv_bye"


def _mos(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 1.0 <= value <= 5.0 else None


def digit(event: Event, now: float) -> DigitReceived | None:
    """None for what no keypad has (FreeSWITCH also tells flashes)."""
    key = event.get("DTMF-Digit").upper()
    if len(key) != 1 or key not in DIGITS:
        return None
    samples = event.get("DTMF-Duration")
    duration = int(samples) // 8 if samples.isascii() and samples.isdigit() else 0  # it counts at 8 kHz
    return DigitReceived(at=at(event, now), channel=ChannelId(event.channel), digit=key, duration_ms=duration)


def held(event: Event, now: float) -> SwitchEvent:
    kind = PeerHeld if event.name == "CHANNEL_HOLD" else PeerResumed
    return kind(at=at(event, now), channel=ChannelId(event.channel))


def endpoint_changed(event: Event, now: float, channels: int) -> EndpointChanged:
    online = event.subclass == "sofia::register"
    name = event.get("from-user") or event.get("user")
    return EndpointChanged(at=at(event, now), status=EndpointStatus(endpoint=name, online=online, channels=channels))


def trunk_changed(event: Event, now: float, watched: bool) -> TrunkChanged | None:
    """From sofia::gateway_state; None for a gateway that is none of ours."""
    trunk, dot, gateway = event.get("Gateway").partition(".")
    if not dot:
        return None
    status = gateway_status(trunk, gateway, event.get("State"), event.get("Ping-Status"), watched=watched)
    return TrunkChanged(at=at(event, now), status=status)


def gateway_status(
    trunk: str, gateway: str, registration: str, ping: str, *, watched: bool, round_trip_ms: float | None = None
) -> TrunkStatus:
    """`registration` is NOREG where none is asked for; without keepalive only a registration tells anything."""
    registers = registration not in ("NOREG", "")
    if registers and registration != "REGED":
        state = TrunkState.DOWN
    elif watched:
        state = {"UP": TrunkState.UP, "DOWN": TrunkState.DOWN}.get(ping.upper(), TrunkState.UNKNOWN)
    else:
        state = TrunkState.UP if registers else TrunkState.UNKNOWN
    detail = registration.lower() if registers else ""
    return TrunkStatus(trunk=trunk, gateway=gateway, state=state, detail=detail, round_trip_ms=round_trip_ms)


_REFER_USER = re.compile(r"sips?:([^@;>?]*)@")


def refer_target(header: str) -> str:
    """The user part of a Refer-To."""
    found = _REFER_USER.search(header)
    return unquote(found[1], errors="replace") if found else ""


# --- truth --------------------


def snapshot(dump: Event) -> ChannelSnapshot:
    """From `uuid_dump <uuid> json`."""
    inbound = dump.get("Call-Direction") == "inbound"
    caller, called = dump.get("Caller-Caller-ID-Number"), dump.get("Caller-Destination-Number")
    created = dump.get("Caller-Channel-Created-Time")
    together = dump.get("Channel-State") in ("CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE", "CS_HIBERNATE")
    peer = dump.variable("rimay_held_with") or (dump.variable("signal_bond") if together else "")
    if not inbound:
        # After answer the switch turns its caller and called round.
        called = dump.variable("rimay_called") or called
        caller = dump.variable("origination_caller_id_number") or caller
    return ChannelSnapshot(
        channel=ChannelId(dump.get("Unique-ID")),
        answered=dump.get("Answer-State") == "answered",
        inbound=inbound,
        remote_number=caller if inbound else called,
        local_number=called if inbound else caller,
        created_at=int(created) / 1e6 if created.isascii() and created.isdigit() else 0.0,
        bridged_to=ChannelId(peer) if peer else None,
        variables=own_variables(dump),
        trunk=(dump.variable("rimay_trunk") or None) if inbound and not dump.variable("rimay_endpoint") else None,
        room=RoomId(dump.variable("rimay_room")) or None,
        endpoint=dump.variable("rimay_endpoint") or None,
    )


def own_variables(dump: Event) -> dict[str, str]:
    prefix = f"variable_{VARIABLE_PREFIX}"
    return {name.removeprefix(prefix): decode_value(dump.get(name)) for name in dump.names() if name.startswith(prefix)}


def parse_dump(text: str) -> Event:
    data: Mapping[str, Any] = json.loads(text)
    values = {name: value if isinstance(value, str | list) else str(value) for name, value in data.items()}
    return Event(dict(values))
