"""The SIP phone against a peer that loses, repeats, refuses and garbles messages, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from sipmessage import Request, Response

from pbx.sip import SipPhone, SipRefused, digest
from pbx.sip.message import HostPort, make_response, parse

LOCAL = "127.0.0.1"


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), 5)


class Peer(asyncio.DatagramProtocol):
    """A bare UDP socket that speaks SIP only as far as a test says."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[Request | Response] = asyncio.Queue()
        self.source: HostPort = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.address: HostPort = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: HostPort) -> None:
        self.source = addr
        self.got.put_nowait(parse(data))

    async def expect(self, what: str | int) -> Request | Response:
        """The next message that is this method or this status; others are passed over."""
        async with asyncio.timeout(8):
            while True:
                message = await self.got.get()
                if what == (message.method if isinstance(message, Request) else message.code):
                    return message

    def send(self, message: Request | Response | bytes, to: HostPort | None = None) -> None:
        self.transport.sendto(bytes(message), to or self.source)

    def reply(self, request: Request | Response, code: int, **more: object) -> Response:
        assert isinstance(request, Request)
        headers = {"Contact": f"<sip:peer@{self.address[0]}:{self.address[1]}>"}
        response = make_response(request, code, to_tag="peertag", headers=headers, **more)  # type: ignore[arg-type]
        self.send(response)
        return response


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Peer, local_addr=(LOCAL, 0))
    yield protocol
    protocol.transport.close()


@pytest.fixture
async def phone() -> AsyncIterator[SipPhone]:
    async with SipPhone("100", password="secret") as it:
        yield it


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


def invite(peer: Peer, phone: SipPhone, *, body: bytes = SDP, branch: str = "z9hG4bKp1", call_id: str = "c1") -> bytes:
    host, port = peer.address
    return (
        f"INVITE sip:100@{LOCAL}:{phone.address[1]} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\n"
        f"From: <sip:peer@{host}>;tag=f1\r\nTo: <sip:100@{LOCAL}>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:peer@{host}:{port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def ack_of(invite_bytes: bytes, branch: str, body: bytes = b"") -> bytes:
    request = parse(invite_bytes)
    assert isinstance(request, Request)
    ack = Request("ACK", request.uri, body)
    for name in ("From", "To", "Call-ID"):
        ack.headers.set(name, request.headers[name])
    ack.headers.set("Via", request.headers["Via"].replace("z9hG4bKp1", branch))
    ack.headers.set("CSeq", "1 ACK")
    ack.content_length = len(body)
    return bytes(ack)


async def test_a_lost_request_is_sent_again_and_a_repeated_answer_is_acked_again(peer: Peer, phone: SipPhone) -> None:
    calling = asyncio.create_task(phone.call("1", peer.address))
    first, second = await peer.expect("INVITE"), await peer.expect("INVITE")
    assert bytes(first) == bytes(second)
    answer = peer.reply(second, 200, body=SDP, content_type="application/sdp")
    call = await calling
    assert call.status == 200
    await peer.expect("ACK")
    peer.send(answer)
    assert isinstance(await peer.expect("ACK"), Request)
    ending = asyncio.create_task(call.hangup())
    await peer.expect("BYE")
    peer.reply(await peer.expect("BYE"), 200)  # the repeat
    await asyncio.wait_for(ending, 5)


async def test_a_refusal_is_acked_in_its_own_transaction(peer: Peer, phone: SipPhone) -> None:
    calling = asyncio.create_task(phone.call("1", peer.address))
    request = await peer.expect("INVITE")
    refusal = peer.reply(request, 503, reason="Lines busy")
    ack = await peer.expect("ACK")
    assert ack.via == request.via
    peer.send(refusal)
    await peer.expect("ACK")
    call = await calling
    assert (call.status, call.reason, call.ended_by) == (503, "Lines busy", "remote")


async def test_the_challenge_is_answered_once(peer: Peer, phone: SipPhone) -> None:
    registering = asyncio.create_task(phone.register(peer.address, 60))
    for number in (1, 2):
        request = await peer.expect("REGISTER")
        assert request.cseq.sequence == number
        assert ("Authorization" in request.headers.keys()) == (number == 2)  # noqa: SIM118 - not a dict
        assert b"secret" not in bytes(request)
        assert isinstance(request, Request)
        response = make_response(request, 401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})
        peer.send(response)
    assert await asyncio.wait_for(registering, 5) == 401
    assert not phone.registered


async def test_a_proxys_challenge_to_a_call_is_answered(peer: Peer, phone: SipPhone) -> None:
    calling = asyncio.create_task(phone.call("1", peer.address))
    first = await peer.expect("INVITE")
    assert isinstance(first, Request)
    challenge = 'Digest realm="r", nonce="n", algorithm=MD5'
    peer.send(make_response(first, 407, to_tag="t", headers={"Proxy-Authenticate": challenge}))
    assert (await peer.expect("ACK")).cseq.sequence == 1
    second = await peer.expect("INVITE")
    assert second.cseq.sequence == 2
    expected = digest.Challenge.parse(challenge)
    assert expected is not None
    uri = f"sip:1@{peer.address[0]}:{peer.address[1]}"
    assert second.headers["Proxy-Authorization"] == digest.authorization(
        expected, user="100", password="secret", method="INVITE", uri=uri
    )
    assert second.headers["From"] == first.headers["From"]
    assert second.body == first.body
    peer.reply(second, 486)
    assert (await calling).status == 486


async def test_a_registration_is_refreshed_and_given_back(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbx.sip.agent.REFRESH_AT", 0.001)
    monkeypatch.setattr("pbx.sip.agent.REFRESH_RETRY_S", 0.05)
    phone = SipPhone("100")
    async with phone:
        registering = asyncio.create_task(phone.register(peer.address, 60))
        peer.reply(await peer.expect("REGISTER"), 200)
        assert await registering == 200
        refused = await peer.expect("REGISTER")
        peer.reply(refused, 503)
        again = await peer.expect("REGISTER")  # a refusal is not the end
        assert again.call_id == refused.call_id
        assert again.cseq.sequence == refused.cseq.sequence + 1
        peer.reply(again, 200)
        await peer.expect("REGISTER")
        assert phone.registered
        leaving = asyncio.create_task(phone.unregister())
        async with asyncio.timeout(5):
            while (last := await peer.expect("REGISTER")).headers["Expires"] != "0":
                pass
        peer.reply(last, 200)
        assert await leaving == 200
        assert not phone.registered


async def test_leaving_unregisters(peer: Peer) -> None:
    async with SipPhone("100") as phone:
        registering = asyncio.create_task(phone.register(peer.address))
        peer.reply(await peer.expect("REGISTER"), 200)
        await registering
        leaving = asyncio.create_task(phone.__aexit__())
        last = await peer.expect("REGISTER")
        assert last.headers["Expires"] == "0"
        peer.reply(last, 200)
        await asyncio.wait_for(leaving, 1)


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A\n": "1"}])
async def test_a_line_break_cannot_smuggle_in_a_header(phone: SipPhone, peer: Peer, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        await phone.call("1", peer.address, headers=headers)
    with pytest.raises(ValueError, match="line break"):
        await phone.call("1", peer.address, caller_name="a\r\nX-B: 2")
    assert phone.calls == {}
    assert peer.got.empty()


async def test_a_malformed_invite_harms_nothing(peer: Peer, phone: SipPhone) -> None:
    good = invite(peer, phone)
    for bad in (
        b"\x00\xff" * 100,
        b"INVITE",
        good.replace(b"CSeq: 1 INVITE\r\n", b""),
        good.replace(b"Content-Length: ", b"Content-Length: 9"),
        good.replace(b"<sip:100@127.0.0.1>", b"<<<"),
        good.replace(b"Call-ID", b"Call\xff"),
    ):
        peer.send(bad, phone.address)
    peer.send(good, phone.address)
    await peer.expect(180)
    assert (await phone.next_call()).number == "peer"
    assert phone.layer.dropped == 6
    assert len(phone.calls) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"m=audio 9 RTP/AVP 0", b"m=audio 9 RTP/AVP 3"), 488),
        ((b"m=audio", b"m=image"), 488),
        ((b"Contact: ", b"X-No-Contact: "), 400),
    ],
)
async def test_an_invite_that_cannot_be_taken_is_refused(
    peer: Peer, phone: SipPhone, change: tuple[bytes, bytes], status: int
) -> None:
    body = SDP.replace(*change)
    peer.send(invite(peer, phone, body=body).replace(*change), phone.address)
    await peer.expect(status)
    assert phone.calls == {}


async def test_a_repeated_invite_is_one_call_and_its_answer_comes_again(peer: Peer, phone: SipPhone) -> None:
    request = invite(peer, phone)
    peer.send(request, phone.address)
    await peer.expect(180)
    peer.send(request, phone.address)
    await peer.expect(180)
    call = await phone.next_call()
    await call.answer()
    first, second = await peer.expect(200), await peer.expect(200)  # no ACK yet: sent again
    assert bytes(first) == bytes(second)
    peer.send(ack_of(request, "z9hG4bKother"), phone.address)
    peer.send(request, phone.address)
    await peer.expect(200)
    with pytest.raises(TimeoutError):
        await phone.next_call(0.05)


async def test_an_offer_that_comes_late(peer: Peer, phone: SipPhone) -> None:
    request = invite(peer, phone, body=b"")
    peer.send(request, phone.address)
    call = await phone.next_call()
    await call.answer()
    answer = await peer.expect(200)
    assert b"m=audio" in answer.body
    assert call.stream.remote is None
    peer.send(ack_of(request, "z9hG4bKother", SDP), phone.address)
    assert await call.poll(lambda: call.stream.remote == (LOCAL, 9), 5)


async def test_a_cancel_that_is_not_answered_ends_all_the_same(
    peer: Peer, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbx.sip.call.CANCEL_WAIT_S", 0.2)
    call = await phone.call("1", peer.address, wait=False)
    peer.reply(await peer.expect("INVITE"), 180)
    await soon(call.ringing)
    await asyncio.wait_for(call.cancel(), 5)
    await peer.expect("CANCEL")
    assert (call.ended_by, call.status) == ("local", 503)


async def test_nobody_answers_at_all(phone: SipPhone, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pbx.sip.transactions.TIMEOUT", 0.2)
    call = await phone.call("1", peer.address)
    assert (call.status, call.ended_by) == (408, "remote")
    assert await phone.register(peer.address) == 408


async def test_an_answer_never_acknowledged_is_hung_up(
    peer: Peer, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbx.sip.transactions.TIMEOUT", 0.3)
    peer.send(invite(peer, phone), phone.address)
    call = await phone.next_call()
    await call.answer()
    await peer.expect("BYE")
    assert call.reason == "no ACK"


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("SUBSCRIBE", 405), ("BYE", 481), ("NOTIFY", 200)])
async def test_requests_outside_of_calls(peer: Peer, phone: SipPhone, method: str, status: int) -> None:
    request = invite(peer, phone, body=b"").replace(b"INVITE", method.encode())
    if method == "BYE":
        request = request.replace(b"To: <sip:100@127.0.0.1>", b"To: <sip:100@127.0.0.1>;tag=old")
    peer.send(request, phone.address)
    await peer.expect(status)


async def test_a_refused_change_is_an_error_and_the_call_stays(peer: Peer, phone: SipPhone) -> None:
    calling = asyncio.create_task(phone.call("1", peer.address))
    peer.reply(await peer.expect("INVITE"), 200, body=SDP, content_type="application/sdp")
    call = await calling
    holding = asyncio.create_task(call.hold())
    peer.reply(await peer.expect("INVITE"), 488)
    with pytest.raises(SipRefused) as caught:
        await holding
    assert caught.value.status == 488
    assert not call.held
    assert not call.ended.is_set()
    referring = asyncio.create_task(call.refer("0991234567"))
    refer = await peer.expect("REFER")
    assert refer.headers["Refer-To"] == f"<sip:0991234567@{peer.address[0]}:{peer.address[1]}>"
    peer.reply(refer, 202)
    assert await referring == 202
    await phone.vanish()
