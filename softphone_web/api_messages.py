"""Messages of supervisors to agents: written once, told live, kept for the day."""

from __future__ import annotations

from callcontrol.model import AgentId
from foundation.access import Permission
from softphone_web.call import Call
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.routes import Routes
from softphone_web.schemas_board import MessageBody, MessageList, MessageOut, message_out

routes = Routes("/api/v1", tag="messages")


@routes.post("/messages", (Permission.MESSAGES_SEND,), status=201, raises=(404,))
async def send_message(call: Call, body: MessageBody) -> MessageOut:
    """Write to one agent, to the agents of a queue, or to all. Who is connected sees it at once (topic messages)."""
    to = body.to.id or ""
    if (body.to.kind == "all") is bool(to):
        message = "Name the agent or the queue; none for all."
        raise RequestInvalid([FieldError(where="body", field="to.id", code="id", message=message)])
    if body.to.kind == "agent":
        to = (await call.deps.agents.get(AgentId(to))).id
    elif body.to.kind == "queue":
        to = (await call.deps.queues.get(to)).name
    async with call.act("message.sent", f"{body.to.kind}:{to}" if to else "all:agents", length=len(body.text)):
        sent = await call.deps.supervision.messages.send(
            sender=call.who.id, sender_name=call.who.name, kind=body.to.kind, to=to, text=body.text
        )
    return message_out(sent, call.who.id)


@routes.get("/messages", (Permission.MESSAGES_READ,))
async def list_messages(call: Call) -> MessageList:
    """Today's messages to and by who asks, oldest first."""
    found = await call.deps.supervision.messages.of(agent=call.agent, sender=call.who.id)
    return MessageList(items=[message_out(view, call.who.id) for view in found])
