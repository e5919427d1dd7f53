"""A small SIP phone with real RTP: the demo's agents and callers, the contract suite's far ends.

Speaks to a switch or to another phone: REGISTER and INVITE with digest, re-INVITE, CANCEL, BYE, INFO, REFER, OPTIONS;
over UDP or TCP; G.711 and DTMF. Everything it starts is its own: leaving the context hangs up, unregisters, and leaves
no task, timer or socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Literal, Self

from sipmessage import URI, Address, CSeq, Parameters, Request, Response, Via

from pbx.sip import digest, sdp
from pbx.sip.call import PhoneCall
from pbx.sip.g711 import Law
from pbx.sip.message import HostPort, branch, make_request, make_response, tag_of, token
from pbx.sip.rtp import Pacer
from pbx.sip.transactions import ServerTransaction, TransactionLayer
from pbx.sip.transport import TcpTransport, Transport, UdpTransport

log = logging.getLogger(__name__)

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, UPDATE"
CLOSING_S = 2.0  # how long leaving waits for peers to take our BYE
REFRESH_AT = 0.8  # of the registration's life
REFRESH_RETRY_S = 5.0


class SipPhone:
    """One SIP account on one socket. `auto_answer` with `answer_after_s` answers calls; `next_call` gives them all."""

    def __init__(
        self,
        user: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str | None = None,
        tone_hz: int = 0,
        codecs: Sequence[str] = ("PCMU", "PCMA"),
        transport: Literal["udp", "tcp"] = "udp",
    ) -> None:
        self.user, self.tone_hz = user, tone_hz
        self.laws: tuple[Law, ...] = tuple(law for name in codecs for law in sdp.LAWS if law == name.upper())
        if not self.laws or len(self.laws) != len(codecs):
            raise ValueError(f"codecs must be of {sdp.LAWS}")
        self.auto_answer = False
        self.answer_after_s = 0.0
        self.auto_ring = True
        self.registered = False
        self.calls: dict[str, PhoneCall] = {}  # those that are not over, by Call-ID
        self.pacer = Pacer()
        self.layer = TransactionLayer(self._on_request)
        self._bind = host, port
        self._password = password
        self._kind = transport
        self._transport: Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._registration: tuple[HostPort, int] | None = None
        self._registration_id, self._registration_cseq = token(16), 0
        self._refresh: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        kind = TcpTransport if self._kind == "tcp" else UdpTransport
        self._transport = self.layer.transport = await kind.open(self._bind, self.layer.received)
        self._own(self.pacer.run(), "pacer")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hang up and unregister, then close; a peer that does not answer is not waited for long."""
        farewells: list[asyncio.Future[None]] = [
            asyncio.ensure_future(call.hangup()) for call in tuple(self.calls.values())
        ]
        if self.registered:
            farewells.append(asyncio.ensure_future(self._leave()))
        if farewells:
            _, late = await asyncio.wait(farewells, timeout=CLOSING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*farewells, return_exceptions=True)
        await self.vanish()

    async def vanish(self) -> None:
        """Close without a word to anybody, as a phone whose power is cut."""
        for call in tuple(self.calls.values()):
            call.finish("local", "phone closed")
        self.layer.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    # --- addresses --------------------

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def address(self) -> HostPort:
        return self.layer.transport.address

    @property
    def aor(self) -> str:
        return str(URI(scheme="sip", user=self.user, host=self.address[0]))

    @property
    def contact(self) -> str:
        uri = URI(scheme="sip", user=self.user, host=self.address[0], port=self.address[1])
        if self._kind == "tcp":
            uri = URI(uri.scheme, uri.host, uri.user, None, uri.port, Parameters(transport="tcp"))
        return f"<{uri}>"

    def uri(self, number: str, server: HostPort) -> str:
        return str(URI(scheme="sip", user=number, host=server[0], port=server[1]))

    def via(self) -> Via:
        host, port = self.address
        return Via(self.layer.transport.name, host, port, Parameters(branch=branch(), rport=None))

    # --- registration --------------------

    async def register(self, server: HostPort, expires: int = 300) -> int:
        """The final status. After a 200 the registration is refreshed until `unregister` or the end."""
        self._stop_refreshing()
        self._registration = server, expires
        response = await self._send_register(server, expires)
        self.registered = response.code == 200
        if self.registered:
            self._refresh = self._own(self._keep_registered(server, expires), "register")
        return response.code

    async def unregister(self) -> int:
        self._stop_refreshing()
        if self._registration is None:
            raise ValueError("never registered")
        self.registered = False
        self._registration = self._registration[0], 0
        return (await self._send_register(*self._registration)).code

    async def _leave(self) -> None:
        await self.unregister()

    def _stop_refreshing(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()
            self._refresh = None

    async def _keep_registered(self, server: HostPort, expires: int) -> None:
        wait = expires * REFRESH_AT
        while True:
            await asyncio.sleep(wait)
            response = await self._send_register(server, expires)
            self.registered = response.code == 200
            if not self.registered:
                log.warning("%s: registration refused: %d", self.user, response.code)
            wait = expires * REFRESH_AT if self.registered else REFRESH_RETRY_S

    async def _send_register(self, server: HostPort, expires: int) -> Response:
        self._registration_cseq += 1
        account = URI(scheme="sip", user=self.user, host=server[0])
        request = make_request(
            "REGISTER",
            str(URI(scheme="sip", host=server[0], port=server[1])),
            local=f"<{account}>;tag={token()}",
            remote=f"<{account}>",
            call_id=self._registration_id,
            cseq=self._registration_cseq,
            via=self.via(),
            headers={"Contact": self.contact, "Expires": str(expires)},
        )
        response = await self.layer.send(request, server).final
        again = self.authorized(request, response)
        if again is None:
            return response
        self._registration_cseq = again.cseq.sequence
        return await self.layer.send(again, server).final

    def authorized(self, request: Request, response: Response) -> Request | None:
        """The same request with the answer to its 401 or 407; None when there is nothing to answer with."""
        asked = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
        if response.code not in asked or self._password is None:
            return None
        question, name = asked[response.code]
        challenges = [digest.Challenge.parse(value) for value in response.headers.getlist(question)]
        challenge = next((c for c in challenges if c is not None), None)
        if challenge is None:
            return None
        again = Request(method=request.method, uri=request.uri, body=request.body)
        for header in request.headers.keys():  # noqa: SIM118 - not a dict
            again.headers.setlist(header, list(request.headers.getlist(header)))
        again.via = [self.via()]
        again.cseq = CSeq(request.cseq.sequence + 1, request.method)
        answer = digest.authorization(
            challenge, user=self.user, password=self._password, method=request.method, uri=str(request.uri)
        )
        again.headers.set(name, answer)
        return again

    # --- calls --------------------

    async def call(
        self,
        number: str,
        server: HostPort,
        *,
        headers: Mapping[str, str] | None = None,
        wait: bool = True,
        caller_name: str = "",
    ) -> PhoneCall:
        """Call out. Returns after the final response (`status`), or right after sending."""
        call = PhoneCall(self, inbound=False, call_id=token(16), number=number, to_number=number)
        await self._open_media(call)
        self.calls[call.call_id] = call
        try:
            request = self._invite_of(call, server, headers or {}, caller_name)
        except ValueError:
            call.finish("local", "not sent")
            raise
        task = self._own(call.invite(request, server), "invite")
        if wait:
            await asyncio.wait([task])
        else:
            await asyncio.sleep(0)  # the task's first step sends
        return call

    def _invite_of(self, call: PhoneCall, server: HostPort, headers: Mapping[str, str], caller_name: str) -> Request:
        uri = self.uri(call.number, server)
        local = Address(URI.parse(self.aor), caller_name)
        return make_request(
            "INVITE",
            uri,
            local=f"{local};tag={token()}",
            remote=f"<{uri}>",
            call_id=call.call_id,
            cseq=1,
            via=self.via(),
            headers={"Contact": self.contact, "Allow": ALLOW, **headers},
            body=call.offer(),
            content_type=sdp.CONTENT_TYPE,
        )

    async def next_call(self, timeout: float = 10.0) -> PhoneCall:  # noqa: ASYNC109 - raises TimeoutError like wait_for
        """The next incoming call that was not given out yet, in order of arrival."""
        return await asyncio.wait_for(self._incoming.get(), timeout)

    def release(self, call: PhoneCall) -> None:
        self.calls.pop(call.call_id, None)
        self.pacer.remove(call.stream)

    def response(self, request: Request, code: int, *, to_tag: str = "", body: bytes = b"") -> Response:
        headers = {"Allow": ALLOW} if code == 405 or request.method == "OPTIONS" else {}
        if request.method == "INVITE" and 100 < code < 300:
            headers["Contact"] = self.contact
        return make_response(
            request, code, to_tag=to_tag, headers=headers, body=body, content_type=sdp.CONTENT_TYPE if body else ""
        )

    def cancel_of(self, invite: Request) -> Request:
        """RFC 3261 9.1: the INVITE's own branch, number and addresses."""
        cancel = Request(method="CANCEL", uri=invite.uri)
        for name in ("Via", "Max-Forwards", "Route", "From", "To", "Call-ID"):
            if values := invite.headers.getlist(name):
                cancel.headers.setlist(name, list(values))
        cancel.cseq = CSeq(invite.cseq.sequence, "CANCEL")
        cancel.content_length = 0
        return cancel

    # --- inside --------------------

    def _own(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"sip-{self.user}-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    async def _open_media(self, call: PhoneCall) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: call.stream, local_addr=(self._bind[0], 0))

    def _on_request(self, server: ServerTransaction) -> None:
        request = server.request
        call = self.calls.get(request.call_id)
        if request.method == "CANCEL":
            invite = self.layer.invite_for(request)
            server.respond(self.response(request, 200 if invite is not None else 481))
            if invite is not None and call is not None:
                call.cancelled(request)
        elif tag_of(request.headers["To"]) is not None:
            if call is not None:
                call.handle(server)
            else:
                server.respond(self.response(request, 200 if request.method == "NOTIFY" else 481))
        elif request.method == "INVITE":
            self._invited(server)
        else:
            taken = request.method in ("OPTIONS", "NOTIFY", "MESSAGE")
            server.respond(self.response(request, 200 if taken else 405, to_tag=token()))

    def _invited(self, server: ServerTransaction) -> None:
        request = server.request
        server.respond(self.response(request, 100))
        caller = request.from_address.uri.user or ""
        call = PhoneCall(self, inbound=True, call_id=request.call_id, number=caller, to_number=request.uri.user or "")
        self.calls[call.call_id] = call
        if call.arrive(server):
            self._own(self._announce(call), "arrive")

    async def _announce(self, call: PhoneCall) -> None:
        await self._open_media(call)
        if call.ended.is_set():  # cancelled meanwhile
            call.stream.close()
            return
        if self.auto_ring:
            await call.ring()
        self._incoming.put_nowait(call)
        if self.auto_answer:
            if self.answer_after_s:
                await asyncio.sleep(self.answer_after_s)
            if not call.ended.is_set() and not call.answered.is_set():
                await call.answer()
