"""`/api/v1/live`: the web socket of live events, and the ticket that opens it from a browser.

A page of ours is known by its session's cookie. A browser with a token instead offers the subprotocols `rimay.v1` and
`ticket.<ticket>`; a program sends an Authorization header.
Frames are JSON ``{topic, type, at, id, data}``; topic `live` is the socket's own word (hello, heartbeat, topics,
interrupted, lost). The page may send ``{"op": "topics", "topics": [...]}`` and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field, StringConstraints, ValidationError

from foundation.access import Principal
from foundation.errors import Unauthenticated, Unavailable
from foundation.logs import get_logger
from softphone_web.authenticate import authenticate, authenticate_again, bearer_token, check_origin, session_cookie
from softphone_web.call import Call
from softphone_web.deps import WebDeps
from softphone_web.live import Client, LiveHub, control_frame
from softphone_web.permissions import LIVE, withdrawn
from softphone_web.ports import Topic
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.routes import Model, Routes
from softphone_web.schemas import TicketOut, at
from softphone_web.tickets import BadTicket, Tickets

log = get_logger(__name__)
routes = Routes("/api/v1", tag="live")
HUB: web.AppKey[LiveHub] = web.AppKey("live_hub", LiveHub)
TICKETS: web.AppKey[Tickets] = web.AppKey("tickets", Tickets)

PROTOCOL = "rimay.v1"
_TICKET = "ticket."
FRAME_BYTES = 4096  # of what a page may send: a list of topics
SIGNED_OUT = 4401  # close code: the token is not valid any more; sign in again
TRY_AGAIN = 1013  # close code of RFC 6455's registry: too slow, load anew and come back


class LiveQuery(Model):
    topics: Annotated[str, StringConstraints(pattern=r"^[a-z]+(,[a-z]+)*$", max_length=128)] | None = Field(
        default=None, description="comma-separated: interactions, agents, queues, trunks, alerts, desk; all when absent"
    )


class TopicsOrder(Model):
    op: Literal["topics"]
    topics: Annotated[frozenset[Topic], Field(max_length=len(Topic))]


async def by_token_or_ticket(request: web.Request, deps: WebDeps) -> Principal:
    """An Authorization header, a ticket among the offered subprotocols, or a session's cookie."""
    token = bearer_token(request)
    if token is None:
        offered = [
            one.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", []) for one in line.split(",")
        ]
        tickets = [one.removeprefix(_TICKET) for one in offered if one.startswith(_TICKET)]
        if len(tickets) > 1 or not (tickets or session_cookie(request, deps.settings)):
            raise BadTicket("Send an Authorization header, one ticket as a subprotocol, or a session's cookie.")
        token = request.app[TICKETS].redeem(tickets[0]) if tickets else None
    return await authenticate(request, deps, token)


@routes.post("/live/ticket", LIVE, status=201)
async def issue_ticket(call: Call) -> TicketOut:
    """A ticket that opens one live socket, once, within a minute."""
    token = bearer_token(call.request)
    if token is None:
        raise Unauthenticated("A ticket is given for a token.")
    ticket, expires_at = call.request.app[TICKETS].issue(call.who, token)
    return TicketOut(ticket=ticket, expires_at=at(expires_at))


@routes.get("/live", LIVE, status=101, produces="websocket", raises=(400, 503), authenticate=by_token_or_ticket)
async def open_live(call: Call, query: LiveQuery) -> web.StreamResponse:
    """The web socket of live events.

    A page that is signed in needs nothing more; other browsers offer the subprotocols `rimay.v1` and
    `ticket.<ticket>`; a program sends an Authorization header. An agent hears of their own interactions only; personal
    data comes only to those who may see it.
    """
    request = call.request
    check_origin(request, call.deps.settings)
    hub = request.app[HUB]
    client = Client(call.who, call.agent, _wanted(query), hub.settings.live_queue)
    socket = web.WebSocketResponse(
        protocols=(PROTOCOL,), compress=False, max_msg_size=FRAME_BYTES, heartbeat=hub.settings.live_heartbeat_s
    )
    if not socket.can_prepare(request):
        message = "Ask for an upgrade to a web socket."
        raise RequestInvalid([FieldError(where="header", field="Upgrade", code="upgrade", message=message)], status=400)
    hub.join(client)
    try:
        await socket.prepare(request)
        client.write = _wire(request, socket)
        client.put(_hello(hub, client))
        await _converse(request, socket, client, hub)
    finally:
        hub.leave(client)
    return socket


def _hello(hub: LiveHub, client: Client) -> bytes:
    topics = sorted(client.topics)
    return control_frame("hello", hub.clock.now(), topics=topics, heartbeat_s=hub.settings.live_heartbeat_s)


def _wanted(query: LiveQuery) -> frozenset[Topic]:
    if query.topics is None:
        return frozenset(Topic)
    try:
        return frozenset(Topic(name) for name in query.topics.split(","))
    except ValueError as error:
        message = f"Topics are: {', '.join(Topic)}."
        raise RequestInvalid([FieldError(where="query", field="topics", code="enum", message=message)]) from error


async def _converse(request: web.Request, socket: web.WebSocketResponse, client: Client, hub: LiveHub) -> None:
    """Write, listen and keep alive until one of the three ends; then nothing of it stays."""
    work = (_write(socket, client, hub), _listen(socket, client, hub), _keep(request, client, hub))
    names = ("live-write", "live-listen", "live-keep")
    tasks = [asyncio.create_task(one, name=name) for one, name in zip(work, names, strict=True)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (ConnectionError, TimeoutError) as error:
        log.info("web.live_cut", principal=client.principal.id, reason=type(error).__name__)
        _abort(request)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await _say_goodbye(request, socket, client, hub)


def _wire(request: web.Request, socket: web.WebSocketResponse) -> Callable[[bytes], bool] | None:
    """`Client.write`. uvloop keeps what is written until the loop's turn is over, unless no buffer is allowed; what the
    kernel does not take is buffered all the same, and then we leave the rest to `_write`, which waits."""
    transport = request.transport
    if transport is None:  # gone already
        return None
    transport.set_write_buffer_limits(0)

    def write(frame: bytes) -> bool:
        if transport.is_closing() or transport.get_write_buffer_size():
            return False
        # A frame that is not compressed is written before the coroutine waits for anything; mostly it does not wait.
        sending = socket.send_frame(frame, WSMsgType.TEXT)
        try:
            sending.send(None)
        except StopIteration:
            pass
        except ConnectionError:
            return False  # `_write` meets the same, and ends the conversation
        else:
            sending.close()
        return True

    return write


async def _write(socket: web.WebSocketResponse, client: Client, hub: LiveHub) -> None:
    while (frame := await client.next()) is not None:
        async with asyncio.timeout(hub.settings.live_drop_after_s):
            await socket.send_frame(frame, WSMsgType.TEXT)


async def _listen(socket: web.WebSocketResponse, client: Client, hub: LiveHub) -> None:
    """What the page says; anything but an order of topics ends the conversation."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            client.close(WSCloseCode.UNSUPPORTED_DATA, b"text only")
            return
        try:
            order = TopicsOrder.model_validate_json(message.data)
        except ValidationError:
            client.close(WSCloseCode.POLICY_VIOLATION, b"not understood")
            return
        client.topics = order.topics & client.allowed
        client.put(control_frame("topics", hub.clock.now(), topics=sorted(client.topics)))


async def _keep(request: web.Request, client: Client, hub: LiveHub) -> None:
    """A heartbeat that scripts can see (pings they cannot), and whether the token or session still holds."""
    while True:
        await asyncio.sleep(hub.settings.live_heartbeat_s)
        try:
            now = await authenticate_again(request)
        except Unauthenticated:
            client.close(SIGNED_OUT, b"signed out")
            return
        except Unavailable as error:
            log.warning("web.live_unchecked", principal=client.principal.id, code=error.code)
        else:
            if withdrawn(client.principal, now):
                client.close(SIGNED_OUT, b"role or agent changed")
                return
        client.put(control_frame("heartbeat", hub.clock.now()))


async def _say_goodbye(request: web.Request, socket: web.WebSocketResponse, client: Client, hub: LiveHub) -> None:
    if socket.closed:
        return
    code, reason = client.close_code or WSCloseCode.OK, client.close_reason
    try:
        async with asyncio.timeout(hub.settings.live_drop_after_s):
            if client.lost:
                code, reason = TRY_AGAIN, b"too slow"
                await socket.send_frame(control_frame("lost", hub.clock.now(), lost=client.lost), WSMsgType.TEXT)
            await socket.close(code=code, message=reason)
    except (ConnectionError, TimeoutError):
        _abort(request)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
