"""One call of a `SipPhone`: its signalling from INVITE to BYE. What it says and hears is `audio.CallAudio`."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from multidict import CIMultiDict, CIMultiDictProxy
from sipmessage import Request, Response

from pbx.sip import sdp
from pbx.sip.audio import CallAudio
from pbx.sip.dialog import Dialog
from pbx.sip.errors import CallOver, SipRefused
from pbx.sip.message import BadMessage, HostPort, q850_of, token
from pbx.sip.rtp import EVENTS
from pbx.sip.sdp import AudioDescription, BadSdp, Direction
from pbx.sip.transactions import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from pbx.sip.agent import SipPhone

log = logging.getLogger(__name__)

CANCEL_WAIT_S = 5.0  # a peer that answers neither INVITE nor CANCEL is given up
BYE_WAIT_S = 3.0
GLARE_RETRIES = 5
# RFC 3261 14.1, at a quarter of its times: who made the call waits for longer, and the other's change comes through.
GLARE_WAIT_S = {"caller": (0.53, 1.0), "called": (0.0, 0.5)}


class PhoneCall(CallAudio):
    """Made by `SipPhone.call` and `SipPhone.next_call`. May be used on after its end: what was heard stays."""

    def __init__(self, phone: SipPhone, *, inbound: bool, call_id: str, number: str, to_number: str) -> None:
        super().__init__(phone.time)
        self._phone = phone
        self.inbound, self.call_id = inbound, call_id
        self.number, self.to_number = number, to_number  # `number` is the other party's
        self.name = ""  # the caller's display name (incoming)
        self.headers: Mapping[str, str] = {}  # of the INVITE (incoming) or of the final response
        self.status: int | None = None
        self.ringing, self.answered = asyncio.Event(), asyncio.Event()
        self.ended_by: Literal["local", "remote", ""] = ""
        self.reason = ""
        self.q850: int | None = None  # of the peer's Reason header
        self.transfer_status: int | None = None  # the newest status that a NOTIFY told of our REFER
        self.transferred = asyncio.Event()  # that status is final
        self.dialog: Dialog | None = None
        self._holding = self._peer_holds = False
        self._description_version = 1
        self._session = random.getrandbits(31)
        self._client: ClientTransaction | None = None  # our INVITE
        self._server: ServerTransaction | None = None  # theirs
        self._local_tag = token()
        self._changing = False  # our re-INVITE is under way
        self._late_offer = False  # the peer's INVITE had no description: its ACK brings the answer
        self._giving_up = False
        self._acked = asyncio.Event()  # our answer to their INVITE was, or the call is over
        if phone.tone_hz:
            self.stream.play_tone(phone.tone_hz)

    # --- signalling --------------------

    @property
    def held(self) -> bool:
        """On hold, by either side; `held_by` says by whom."""
        return self._holding or self._peer_holds

    @property
    def held_by(self) -> Literal["local", "remote", "both", ""]:
        if self._holding:
            return "both" if self._peer_holds else "local"
        return "remote" if self._peer_holds else ""

    async def ring(self) -> None:
        """Send 180 (a phone with `auto_ring` has done so)."""
        server = self._unanswered()
        server.respond(self._phone.response(server.request, 180, to_tag=self._local_tag))
        self.ringing.set()

    async def answer(self) -> None:
        server = self._unanswered()
        server.on_ack, server.on_no_ack = self._acknowledged, self._never_acknowledged
        self.status = 200
        body = self._describe(Direction.SENDRECV)
        server.respond(self._phone.response(server.request, 200, to_tag=self._local_tag, body=body))
        self._up()

    async def reject(self, code: int = 486) -> None:
        server = self._unanswered()
        server.respond(self._phone.response(server.request, code, to_tag=self._local_tag))
        self.status = code
        self.finish("local", "rejected")

    async def hangup(self) -> None:
        """End it in the way its state asks for: BYE, CANCEL, or 603. Returns when the peer knows, or has had time to
        (FreeSWITCH never answers a BYE that crosses its own); idempotent."""
        if self.ended.is_set():
            return
        if self.answered.is_set():
            if self.inbound:
                await self._acked.wait()  # RFC 3261 15: who was called says no BYE before the ACK
                if self.ended.is_set():
                    return
            client = self._request("BYE")
            self.finish("local", "hung up")
            done, _ = await asyncio.wait([client.final], timeout=BYE_WAIT_S)
            if not done:
                client.abandon()
        elif self.inbound:
            await self.reject(603)
        else:
            await self.cancel()

    async def cancel(self) -> None:
        """Give up an outgoing call that is not answered. An answer that crosses is hung up."""
        if self.ended.is_set() or self._client is None:
            return
        if self.answered.is_set():
            await self.hangup()
            return
        self._giving_up = True
        client = self._client
        await client.heard_back.wait()  # RFC 3261 9.1: not before the peer is known to have the INVITE
        if not client.final.done():
            cancel = self._phone.cancel_of(client.request)
            self._phone.layer.send(cancel, client.to)
            done, _ = await asyncio.wait([client.final], timeout=CANCEL_WAIT_S)
            if not done:
                client.abandon()
        await self.ended.wait()

    async def hold(self) -> None:
        await self._change(holding=True)

    async def resume(self) -> None:
        await self._change(holding=False)

    async def refer(self, target: str) -> int:
        """Ask the peer to call `target` (a number or a SIP URI) instead of us. Returns the status of the REFER;
        what became of it arrives in `transfer_status`."""
        uri = target if target.startswith(("sip:", "sips:")) else self._phone.uri(target, self._up_dialog().next_hop)
        return await self._refer(f"<{uri}>")

    async def refer_replaces(self, other: PhoneCall) -> int:
        """Attended transfer: ask our peer to take over the call that we have with `other`'s peer."""
        dialog = other._up_dialog()
        uri = self._phone.uri(other.number, dialog.next_hop)
        return await self._refer(f"<{uri}?Replaces={dialog.replaces}>")

    async def _refer(self, refer_to: str) -> int:
        self.transferred.clear()
        headers = {"Refer-To": refer_to, "Referred-By": f"<{self._phone.aor}>"}
        return (await self._request("REFER", headers=headers).final).code

    async def send_info(self, body: bytes, content_type: str) -> None:
        response = await self._request("INFO", body=body, content_type=content_type).final
        if response.code >= 300:
            raise SipRefused("INFO", response)

    async def becomes_held(self, held: bool, timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - as in `hears`
        return await self.poll(lambda: self.held == held, timeout)

    # --- for SipPhone --------------------

    async def invite(self, request: Request, to: HostPort) -> None:
        """Carry an outgoing call to its final response."""
        self._client = self._phone.layer.send(request, to, self._progress)
        response = await self._client.final
        again = self._phone.authorized(self._client.request, response)
        if again is not None and not self._giving_up:
            self._client = self._phone.layer.send(again, to, self._progress)
            response = await self._client.final
        self.status, self.headers = response.code, headers_of(response)
        if response.code >= 300:
            self.q850 = q850_of(response)
            self.finish("local" if self._giving_up else "remote", response.phrase)
            return
        try:
            self.dialog = Dialog.of_response(self._client.request, response, to)
        except (BadMessage, ValueError) as error:
            log.warning("unusable answer: %s", error)
            self.finish("local", "unusable answer")
            return
        self._send_ack(self._client, self.dialog)
        await self._take_answer(response)

    async def _take_answer(self, response: Response) -> None:
        try:
            self._apply(sdp.parse(response.body))
        except BadSdp as error:
            log.warning("answer without usable audio: %s", error)
            self._up()
            await self.hangup()
            return
        self._up()
        if self._giving_up:
            await self.hangup()

    def arrive(self, server: ServerTransaction) -> bool:
        """Take an incoming INVITE; False when it cannot be one of ours (it is answered then)."""
        self._server = server
        self.headers = headers_of(server.request)
        self.name = server.request.from_address.name
        try:
            self.dialog = Dialog.of_request(server.request, self._local_tag, server.source)
            self._late_offer = not server.request.body
            if not self._late_offer:
                self._apply(sdp.parse(server.request.body))
        except (BadMessage, BadSdp, ValueError) as error:
            log.info("refused an INVITE: %s", error)
            code = 488 if isinstance(error, BadSdp) else 400
            server.respond(self._phone.response(server.request, code, to_tag=self._local_tag))
            self.status = code
            self.finish("local", "not acceptable")
            return False
        return True

    def cancelled(self, cancel: Request) -> None:
        """The peer took its INVITE back; an answer that crossed stands."""
        if self._server is None or self._server.is_final:
            return
        self._server.respond(self._phone.response(self._server.request, 487, to_tag=self._local_tag))
        self.status, self.q850 = 487, q850_of(cancel)
        self.finish("remote", "cancelled")

    def handle(self, server: ServerTransaction) -> None:
        """A request inside the call."""
        request = server.request
        if request.method == "BYE":
            self._reply(server, 200)
            self.q850 = q850_of(request)
            self.finish("remote", request.headers.get("Reason") or "hung up")
        elif request.method == "INVITE":
            self._peer_changes(server)
        elif request.method == "INFO":
            self._info_received(request)
            self._reply(server, 200)
        elif request.method == "NOTIFY":
            self._notified(request)
            self._reply(server, 200)
        elif request.method in ("OPTIONS", "UPDATE", "MESSAGE"):
            self._reply(server, 200)
        else:
            self._reply(server, 405)

    def finish(self, by: Literal["local", "remote"], reason: str) -> None:
        """The end, once."""
        if self.ended.is_set():
            return
        self.ended_by, self.reason = by, reason
        self.ended.set()
        self._acked.set()
        self._phone.release(self)
        self.stream.close()

    # --- inside --------------------

    def _up(self) -> None:
        self.stream.sending = not self._holding
        self._phone.pacer.add(self.stream)
        self.answered.set()

    def _unanswered(self) -> ServerTransaction:
        if self._server is None or self._server.is_final or self.ended.is_set():
            raise CallOver("not an incoming call that waits for an answer")
        return self._server

    def require_up(self) -> None:
        self._up_dialog()

    def _up_dialog(self) -> Dialog:
        if self.dialog is None or not self.answered.is_set() or self.ended.is_set():
            raise CallOver("the call is not up")
        return self.dialog

    def _progress(self, response: Response) -> None:
        if response.code > 100:
            self.status = None
            self.ringing.set()
        if response.body:
            try:
                self._apply(sdp.parse(response.body))  # early media: heard, not answered
            except BadSdp as error:
                log.debug("early media: %s", error)

    def _apply(self, theirs: AudioDescription) -> None:
        law = theirs.choose(self._phone.laws)
        if law is None:
            raise BadSdp("no codec in common")
        self.stream.law, self.stream.event_payload = law, theirs.event_payload
        self.stream.remote = (theirs.host, theirs.port) if theirs.port else None
        self._peer_holds = theirs.direction in (Direction.SENDONLY, Direction.INACTIVE)

    def _describe(self, direction: Direction) -> bytes:
        laws = self._phone.laws if self._late_offer or not self.inbound else (self.stream.law,)
        event = self.stream.event_payload
        ours = AudioDescription(self._phone.address[0], self.stream.port, tuple(laws), event, direction)
        body = sdp.render(ours, session=self._session, version=self._description_version)
        self._description_version += 1
        return body

    def offer(self) -> bytes:
        return self._describe(Direction.SENDRECV)

    def _request(
        self, method: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"", content_type: str = ""
    ) -> ClientTransaction:
        dialog = self._up_dialog()
        request = dialog.request(
            method,
            self._phone.via(),
            headers={"Contact": self._phone.contact, **(headers or {})},
            body=body,
            content_type=content_type,
        )
        return self._phone.layer.send(request, dialog.next_hop)

    def _send_ack(self, client: ClientTransaction, dialog: Dialog) -> None:
        ack = dialog.ack(client.request.cseq.sequence, self._phone.via(), {})
        client.ack = ack, dialog.next_hop
        self._phone.layer.transport.send(bytes(ack), dialog.next_hop)

    def _reply(self, server: ServerTransaction, code: int, body: bytes = b"") -> None:
        server.respond(self._phone.response(server.request, code, to_tag=self._local_tag, body=body))

    async def _change(self, *, holding: bool) -> None:
        """Re-INVITE with our direction; a glare (491) is tried again after a moment, as RFC 3261 14.1 has it."""
        dialog = self._up_dialog()
        direction = Direction.SENDONLY if holding else Direction.SENDRECV
        for attempt in range(GLARE_RETRIES):
            if attempt:
                await asyncio.sleep(random.uniform(*GLARE_WAIT_S["called" if self.inbound else "caller"]))
            self._changing = True
            try:
                body = self._describe(direction)
                client = self._request("INVITE", body=body, content_type=sdp.CONTENT_TYPE)
                response = await client.final
            finally:
                self._changing = False  # while we wait, the peer's own change is welcome
            if response.code != 491:
                break
        if response.code >= 300:
            raise SipRefused("INVITE", response)
        self._send_ack(client, dialog)
        peer_held = self._peer_holds
        self._apply(sdp.parse(response.body))
        self._holding = holding
        # Its answer to our hold is no hold of its own; to a resume it tells the truth.
        self._peer_holds = peer_held if holding else self._peer_holds
        self.stream.sending = not holding

    def _peer_changes(self, server: ServerTransaction) -> None:
        if self._changing or self.dialog is None or not self.answered.is_set():
            self._reply(server, 491)
            return
        self.dialog.refresh_target(server.request)
        self._late_offer = not server.request.body
        theirs = Direction.SENDRECV
        if server.request.body:
            try:
                offer = sdp.parse(server.request.body)
                self._apply(offer)
            except BadSdp as error:
                log.info("refused a re-INVITE: %s", error)
                self._reply(server, 488)
                return
            theirs = offer.direction
        server.on_ack = self._acknowledged
        direction = theirs.mirrored
        if self._holding:
            direction = Direction.SENDONLY if direction.sends else Direction.INACTIVE
        self._reply(server, 200, self._describe(direction))
        self.stream.sending = theirs is not Direction.INACTIVE and direction.sends and not self._holding

    def _acknowledged(self, ack: Request) -> None:
        self._acked.set()
        if self._late_offer and ack.body:
            try:
                self._apply(sdp.parse(ack.body))
            except BadSdp as error:
                log.warning("ACK without usable audio: %s", error)

    def _never_acknowledged(self) -> None:
        if not self.ended.is_set():
            self._request("BYE")
            self.finish("remote", "no ACK")

    def _info_received(self, request: Request) -> None:
        kind = str(request.content_type or "").lower()
        text = request.body.decode("ascii", "replace")
        if kind == "application/dtmf-relay":
            lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
            text = next((value for name, value in lines.items() if name.strip().lower() == "signal"), "")
        elif kind != "application/dtmf":
            return
        digit = text.strip().upper()
        if digit and digit in EVENTS:
            self.digits_received.append(digit)

    def _notified(self, request: Request) -> None:
        """The progress of our REFER: a status line as body (RFC 3515)."""
        words = request.body.split(None, 2)
        if (request.headers.get("Event") or "").startswith("refer") and len(words) > 1 and words[1].isdigit():
            self.transfer_status = int(words[1])
            if self.transfer_status >= 200:
                self.transferred.set()


def headers_of(message: Request | Response) -> Mapping[str, str]:
    """The first value of each header, by name in any case."""
    return CIMultiDictProxy(CIMultiDict((name, message.headers[name]) for name in message.headers.keys()))  # noqa: SIM118 - not a dict
