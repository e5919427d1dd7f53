"""The SIP phone's parts without a network: messages, descriptions, digest, G.711, tones, RTP."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sipmessage import Request, Response, Via

from pbx.sip import digest, sdp, tones
from pbx.sip.dialog import Dialog
from pbx.sip.g711 import Law, decode, encode
from pbx.sip.message import BadMessage, StreamFramer, make_request, make_response, parse, q850_of, tag_of
from pbx.sip.rtp import EVENTS, FRAME, HeardAudio, Packet, RtpStream
from pbx.sip.sdp import AudioDescription, BadSdp, Direction

INVITE = (
    b"INVITE sip:074103300@127.0.0.1:5060 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK1,\r\n  SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n"
    b'f: "Jos\xc3\xa9" <sip:0991234567@127.0.0.1>;tag=a1\r\n'
    b"To : <sip:074103300@127.0.0.1>\r\n"
    b"i: abc@host\r\nCSeq: 7   INVITE\r\nm: <sip:0991234567@127.0.0.1:5070>\r\n"
    b'Reason: Q.850 ;cause=17 ;text="busy"\r\nl: 4\r\n\r\nbodyEXTRA'
)


# --- messages --------------------


def test_compact_folded_and_spaced_headers() -> None:
    message = parse(INVITE)
    assert isinstance(message, Request)
    assert [via.host for via in message.via] == ["127.0.0.1", "10.0.0.1"]
    assert message.from_address.name == "José"
    assert (message.call_id, message.cseq.sequence, message.body) == ("abc@host", 7, b"body")
    assert tag_of(message.headers["From"]) == "a1"
    assert q850_of(message) == 17


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0\r\nv:", b"HTTP/1.1\r\nv:"),
        (b"i: abc@host\r\n", b""),
        (b"CSeq: 7   INVITE\r\n", b""),
        (b"7   INVITE", b"seven INVITE"),
        (b"7   INVITE", b"7 BYE"),
        (b"l: 4", b"l: 400"),
        (b"l: 4", b"l: viele"),
        (b"To : <sip:074103300@127.0.0.1>\r\n", b"To <sip>\r\n"),
        (b"\xc3\xa9", b"\xff"),
        (b"sip:074103300@127.0.0.1:5060 SIP", b"sip:\x00 SIP"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_malformed_messages(old: bytes, new: bytes) -> None:
    assert old in INVITE
    with pytest.raises(BadMessage):
        parse(INVITE.replace(old, new))


@given(st.binary(max_size=200), st.integers(0, len(INVITE) - 1))
def test_any_bytes_are_a_message_or_a_bad_message(junk: bytes, at: int) -> None:
    for data in (junk, INVITE[:at] + junk + INVITE[at:], INVITE[:at]):
        try:
            parse(data)
        except BadMessage:
            continue


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(0, 3))
def test_a_stream_is_cut_into_messages_however_it_arrives(cuts: list[int], keepalives: int) -> None:
    one, framer = INVITE.removesuffix(b"EXTRA"), StreamFramer()
    stream = (b"\r\n\r\n" * keepalives + one) * 3
    got: list[bytes] = []
    for cut in cuts:
        got += framer.feed(stream[:cut])
        stream = stream[cut:]
    got += framer.feed(stream)
    assert got == [one] * 3


@pytest.mark.parametrize(
    "data", [b"A" * 70_000, INVITE.replace(b"l: 4", b"x: 4"), INVITE.replace(b"l: 4", b"l: 99999999")]
)
def test_a_stream_that_is_not_sip(data: bytes) -> None:
    with pytest.raises(BadMessage):
        list(StreamFramer().feed(data))


def test_a_reply_keeps_what_it_must() -> None:
    request = parse(INVITE)
    assert isinstance(request, Request)
    reply = parse(bytes(make_response(request, 486, to_tag="b2")))
    assert isinstance(reply, Response)
    assert (reply.code, reply.phrase) == (486, "Busy Here")
    assert tag_of(reply.headers["To"]) == "b2"
    assert [str(via) for via in reply.via] == [str(via) for via in request.via]


def test_a_dialogs_requests_follow_its_route_and_count() -> None:
    invite = parse(INVITE)
    assert isinstance(invite, Request)
    invite.headers.setlist("Record-Route", ["<sip:192.0.2.1:5080;lr>", "<sip:192.0.2.2;lr>"])
    dialog = Dialog.of_request(invite, "b2", ("127.0.0.1", 5070))
    assert dialog.next_hop == ("192.0.2.1", 5080)
    via = Via("UDP", "127.0.0.1", 5060)
    first, second = (dialog.request("INFO", via, headers={}) for _ in range(2))
    assert second.cseq.sequence == first.cseq.sequence + 1
    assert str(first.uri) == "sip:0991234567@127.0.0.1:5070"
    assert first.headers.getlist("Route") == ["<sip:192.0.2.1:5080;lr>", "<sip:192.0.2.2;lr>"]
    assert dialog.replaces == "abc%40host%3Bto-tag%3Da1%3Bfrom-tag%3Db2"
    dialog.routes, dialog.target = (), "sip:x@browser.invalid"
    assert dialog.next_hop == ("127.0.0.1", 5070)


def test_a_number_with_a_hash_is_escaped() -> None:
    request = make_request(
        "INVITE", "sip:1%23@127.0.0.1", local="<sip:a@h>", remote="<sip:b@h>", call_id="c", cseq=1,
        via=Via("UDP", "127.0.0.1"),
    )  # fmt: skip
    assert b"INVITE sip:1%23@127.0.0.1 SIP/2.0" in bytes(request)


# --- digest --------------------


def test_digest_as_in_rfc_2617() -> None:
    challenge = digest.Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert challenge is not None
    header = digest.authorization(
        challenge, user="Mufasa", password="Circle Of Life", method="GET", uri="/dir/index.html", cnonce="0a4f113b"
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in header
    assert "qop=auth" in header
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in header


def test_digest_with_sha_256_as_in_rfc_7616() -> None:
    challenge = digest.Challenge.parse(
        'Digest realm="http-auth@example.org", qop="auth", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
    )
    assert challenge is not None
    header = digest.authorization(
        challenge, user="Mufasa", password="Circle of Life", method="GET", uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )  # fmt: skip
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in header


@pytest.mark.parametrize("value", ["Basic realm=x", 'Digest realm="x"', 'Digest nonce="n", algorithm=MD5-sess', ""])
def test_challenges_that_we_cannot_answer(value: str) -> None:
    assert digest.Challenge.parse(value) is None


# --- descriptions --------------------

ASTERISK = (
    b"v=0\r\no=- 1 2 IN IP4 10.0.0.9\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 31002 RTP/AVP 107 8 0 101\r\n"
    b"a=rtpmap:107 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\na=ptime:20\r\na=sendonly\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 1.2.3.4\r\na=inactive\r\n"
)


def test_a_switchs_description() -> None:
    theirs = sdp.parse(ASTERISK)
    assert theirs == AudioDescription("127.0.0.1", 31002, ("PCMA", "PCMU"), 101, Direction.SENDONLY)
    assert theirs.choose(("PCMU", "PCMA")) == "PCMU"
    assert theirs.choose(()) is None
    assert theirs.direction.mirrored is Direction.RECVONLY


@pytest.mark.parametrize(("old", "new"), [(b"sendonly", b"sendrecv"), (b"a=sendonly\r\n", b"")])
def test_the_default_is_both_ways(old: bytes, new: bytes) -> None:
    assert sdp.parse(ASTERISK.replace(old, new)).direction is Direction.SENDRECV


def test_the_old_way_to_hold() -> None:
    assert sdp.parse(ASTERISK.replace(b"IP4 127.0.0.1", b"IP4 0.0.0.0")).direction is Direction.INACTIVE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hola",
        ASTERISK.replace(b"m=audio", b"m=image"),
        ASTERISK.replace(b"31002", b"99999"),
        ASTERISK.replace(b"RTP/AVP 107", b"udptl 107"),
        ASTERISK.replace(b"c=IN", b"x=IN"),
    ],
)
def test_descriptions_without_usable_audio(body: bytes) -> None:
    with pytest.raises(BadSdp):
        sdp.parse(body)


@given(
    st.builds(
        AudioDescription,
        host=st.just("127.0.0.1"),
        port=st.integers(1, 65_535),
        laws=st.permutations(["PCMU", "PCMA"]).map(tuple),
        event_payload=st.none() | st.integers(96, 127),
        direction=st.sampled_from(Direction),
    )
)
def test_ours_reads_back_as_it_was(ours: AudioDescription) -> None:
    assert sdp.parse(sdp.render(ours, session=1, version=2)) == ours


# --- G.711 --------------------


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [("PCMU", 0xFF, 0), ("PCMU", 0x00, -32_124), ("PCMU", 0x80, 32_124), ("PCMA", 0xD5, 8), ("PCMA", 0x2A, -32_256)],
)
def test_known_codes(law: Law, code: int, sample: int) -> None:
    assert decode(bytes([code]), law)[0] == sample
    assert encode(np.array([sample], np.int16), law) == bytes([code])


@pytest.mark.parametrize("law", sdp.LAWS)
def test_every_code_survives_and_every_sample_stays_near(law: Law) -> None:
    codes = bytes(range(256))
    again = encode(decode(codes, law), law)
    changed = [a for a, b in zip(codes, again, strict=True) if a != b]
    assert changed == ([0x7F] if law == "PCMU" else [])  # mu-law has a second zero
    samples = np.arange(-32_768, 32_768).astype(np.int16)
    error = np.abs(decode(encode(samples, law), law).astype(int) - samples)
    assert (
        error <= np.maximum(16, np.abs(samples.astype(int)) / 16) + 640 * (np.abs(samples.astype(int)) > 32_000)
    ).all()


# --- tones --------------------


def test_levels_and_dominant_tone() -> None:
    mixed = tones.sine(440, 300, level=4000) + tones.sine(1000, 300, level=1000)
    assert tones.level(mixed, 440) == pytest.approx(4000, rel=0.02)
    assert tones.level(mixed, 1000) == pytest.approx(1000, rel=0.05)
    assert tones.level(mixed, 700) < 20
    assert tones.dominant_hz(mixed) == pytest.approx(440, abs=1.5)
    assert tones.dominant_hz(np.zeros(2400, np.int16)) is None
    assert tones.rms(tones.sine(440, 1000)) == pytest.approx(tones.TONE_LEVEL / math.sqrt(2), rel=0.01)


def test_nothing_has_no_level() -> None:
    empty = np.zeros(0, np.int16)
    assert (tones.level(empty, 440), tones.rms(empty), tones.dominant_hz(empty)) == (0.0, 0.0, None)


@given(st.text(EVENTS, min_size=1, max_size=8), st.integers(0, 159), st.sampled_from(sdp.LAWS))
def test_dtmf_in_the_sound(digits: str, offset: int, law: Law) -> None:
    gap = np.zeros(800, np.int16)
    sound = np.concatenate([gap[:offset], *[part for d in digits for part in (tones.dtmf(d, 100), gap)]])
    assert tones.find_dtmf(decode(encode(sound, law), law)) == digits


def test_other_tones_are_no_digits() -> None:
    rng = np.random.default_rng(1)
    for sound in (tones.sine(440, 1000), tones.sine(697, 1000), rng.integers(-8000, 8000, 8000).astype(np.int16)):
        assert tones.find_dtmf(sound) == ""
    with pytest.raises(ValueError, match="no such DTMF"):
        tones.dtmf("x", 100)


# --- RTP --------------------


@given(
    st.integers(0, 127), st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
    st.binary(max_size=200), st.booleans(),
)  # fmt: skip
def test_packets_read_back(kind: int, seq: int, ts: int, ssrc: int, payload: bytes, marker: bool) -> None:
    packet = Packet(kind, seq, ts, ssrc, payload, marker)
    assert Packet.parse(packet.pack()) == packet


@given(st.binary(max_size=64))
def test_any_datagram_is_a_packet_or_none(data: bytes) -> None:
    packet = Packet.parse(data)
    assert packet is None or len(packet.payload) <= len(data)


def test_extensions_and_padding_are_not_sound() -> None:
    plain = Packet(0, 1, 2, 3, b"").pack()
    extended = bytes([plain[0] | 0x30]) + plain[1:] + b"\xbe\xde\x00\x01abcd" + b"sound" + b"\x00\x00\x03"
    packet = Packet.parse(extended)
    assert packet is not None
    assert packet.payload == b"sound"


def heard_frames(*frames: tuple[int, int, float]) -> HeardAudio:
    """Frames of (value, frame number of the timestamp, arrival in seconds)."""
    heard = HeardAudio(zero=100.0)
    for value, number, at in frames:
        samples = np.full(FRAME, value, np.int16)
        heard.add(Packet(0, 0, (2**32 - FRAME + number * FRAME) % 2**32, 9, b""), samples, 100.0 + at)
    return heard


def values(heard: HeardAudio, seconds: float) -> list[int]:
    return [int(v) for v in heard.between(0, seconds).reshape(-1, FRAME)[:, 80]]


def test_frames_lie_in_the_order_they_were_said_though_late_doubled_or_across_the_wrap() -> None:
    heard = heard_frames((1, 0, 0.02), (3, 2, 0.055), (2, 1, 0.06), (3, 2, 0.061), (4, 3, 0.09))
    assert values(heard, 0.12) == [0, 1, 2, 3, 4, 0]


def test_a_gap_is_silence_in_its_place() -> None:
    heard = heard_frames((1, 0, 0.0), (2, 3, 0.06))
    assert values(heard, 0.1) == [1, 0, 0, 2, 0]


def test_a_timestamp_that_jumps_away_from_the_clock_is_laid_where_it_arrived() -> None:
    heard = heard_frames((1, 0, 0.0), (2, 50_000, 0.04))
    assert values(heard, 0.08) == [1, 0, 2, 0]


def test_it_is_known_which_stretches_came_without_a_break() -> None:
    whole = heard_frames((1, 0, 0.0), (2, 1, 0.02), (3, 2, 0.04))
    assert whole.runs == [(0, 3 * FRAME)]
    lost = heard_frames((1, 0, 0.0), (2, 1, 0.02), (4, 3, 0.06), (5, 4, 0.08))
    assert lost.runs == [(0, 2 * FRAME), (3 * FRAME, 5 * FRAME)]
    late = heard_frames((1, 0, 0.0), (2, 1, 0.52), (3, 2, 0.54))
    assert late.runs == [(0, FRAME), (26 * FRAME, 28 * FRAME)]


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    heard = heard_frames((1, 0, 0.0), (2, 180_000, 3600.0), (3, 180_001, 3600.02))
    assert [int(v) for v in heard.between(3600.0, 3600.04).reshape(-1, FRAME)[:, 80]] == [2, 3]
    assert len(heard.between(0, 3600.04)) < 3601 * 8000 / 2 + 8000


async def test_a_digit_counts_once_though_its_packets_are_many_or_lost() -> None:
    digits: list[str] = []
    stream = RtpStream(clock=asyncio.get_running_loop().time, on_digit=digits.append)
    for event, ts, steps in ((5, 1000, range(8)), (5, 3000, range(3)), (11, 5000, range(7, 8)), (16, 7000, range(1))):
        for step in steps:
            payload = bytes([event, 0x8A if step > 4 else 0x0A, 0, 160])
            stream.datagram_received(Packet(101, step, ts, 1, payload).pack(), ("127.0.0.1", 1))
    stream.datagram_received(Packet(101, 0, 9000, 1, b"\x01").pack(), ("127.0.0.1", 1))  # cut short
    stream.datagram_received(b"\x00\x01junk", ("127.0.0.1", 1))
    assert digits == ["5", "5", "#"]
    assert stream.packets_received == 0
