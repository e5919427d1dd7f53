"""Session descriptions with one audio stream: parse what a peer offers, write ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from foundation.errors import RimayError
from pbx.sip.g711 import Law

LAWS: tuple[Law, ...] = get_args(Law)
STATIC_PAYLOADS: dict[Law, int] = {"PCMU": 0, "PCMA": 8}  # RFC 3551
EVENT_PAYLOAD = 101  # dynamic; the number that everybody uses
CONTENT_TYPE = "application/sdp"


class BadSdp(RimayError):
    code = "sip.bad_sdp"
    is_permanent = True


class Direction(StrEnum):
    """As the describing side sees it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def mirrored(self) -> Direction:
        """The most that the other side can answer."""
        return {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}.get(self, self)


@dataclass(frozen=True, slots=True)
class AudioDescription:
    host: str
    port: int
    laws: tuple[Law, ...]  # in the describing side's order of preference
    event_payload: int | None
    direction: Direction = Direction.SENDRECV

    def choose(self, ours: Sequence[Law]) -> Law | None:
        """The first of ours that the peer knows too."""
        return next((law for law in ours if law in self.laws), None)


def parse(body: bytes) -> AudioDescription:
    """The first audio stream. Raises `BadSdp` when there is none, or one that we could not reach."""
    session, *sections = re.split(r"(?m)^(?=m=)", body.decode("utf-8", "replace").replace("\r\n", "\n"))
    section = next((s for s in sections if s.startswith("m=audio ")), None)
    media = re.match(r"m=audio (\d{1,5})(?:/\d+)? RTP/\S+ ([\d ]+)", section or "")
    if section is None or media is None:
        raise BadSdp("no audio stream over RTP")
    where = re.search(r"(?m)^c=IN IP[46] (\S+)", section) or re.search(r"(?m)^c=IN IP[46] (\S+)", session)
    if where is None:
        raise BadSdp("no connection address")
    port = int(media[1])
    if port > 65_535:
        raise BadSdp("no such port")
    names: dict[int, str] = {}
    for number, name in re.findall(r"(?m)^a=rtpmap:(\d+) ([\w.-]+)/8000", section):
        names[int(number)] = name.upper()
    offered = [int(number) for number in media[2].split()]
    # Our packets carry the static numbers, so only those count.
    laws = tuple(law for number in offered for law in LAWS if STATIC_PAYLOADS[law] == number)
    event = next((number for number in offered if names.get(number) == "TELEPHONE-EVENT"), None)
    said = re.search(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)\s*$", section) or re.search(
        r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)\s*$", session
    )
    direction = Direction(said[1]) if said else Direction.SENDRECV
    if where[1] == "0.0.0.0" or port == 0:  # noqa: S104 - the way of RFC 2543 to say hold
        direction = Direction.INACTIVE
    return AudioDescription(where[1], port, laws, event, direction)


def render(description: AudioDescription, *, session: int, version: int) -> bytes:
    """`session` stays for a call, `version` grows with each change (RFC 3264)."""
    numbers = [STATIC_PAYLOADS[law] for law in description.laws]
    lines = [f"a=rtpmap:{STATIC_PAYLOADS[law]} {law}/8000" for law in description.laws]
    if description.event_payload is not None:
        numbers.append(description.event_payload)
        lines.append(f"a=rtpmap:{description.event_payload} telephone-event/8000")
        lines.append(f"a=fmtp:{description.event_payload} 0-16")
    text = [
        "v=0",
        f"o=- {session} {version} IN IP4 {description.host}",
        "s=-",
        f"c=IN IP4 {description.host}",
        "t=0 0",
        f"m=audio {description.port} RTP/AVP {' '.join(map(str, numbers))}",
        *lines,
        "a=ptime:20",
        f"a={description.direction}",
    ]
    return ("\r\n".join(text) + "\r\n").encode()
