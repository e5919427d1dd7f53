"""The same menus by other methods, on the same switch: a plain dialplan, and a flow that asks a web hook each turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

DIALPLAN_NUMBER = "072831999"
_CONTEXT = "bench-menu"


def add_dialplan(server: Any, tones: Sequence[Path]) -> None:
    """Before an Asterisk starts: a number that is answered by `Background` and `WaitExten` alone, a menu a tone."""
    (file,) = list(server.folder.rglob("extensions.conf"))
    lines = [
        "",
        "[rimay-trunk](+)",
        f"exten => {DIALPLAN_NUMBER},1,Answer()",
        f" same => n,Goto({_CONTEXT}0,s,1)",
    ]
    for number, tone in enumerate(tones):
        after = f"Goto({_CONTEXT}{number + 1},s,1)" if number + 1 < len(tones) else "Hangup()"
        lines += [
            f"[{_CONTEXT}{number}]",
            f"exten => s,1,Background({tone.with_suffix('')})",
            " same => n,WaitExten(10)",
            f"exten => 1,1,{after}",
        ]
    file.write_text(file.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")


class WebHook:
    """What an application server of the jambonz kind is to its IVR: each turn a request, its answer the next verb."""

    def __init__(self) -> None:
        self.asked = 0
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> WebHook:
        app = web.Application()
        app.router.add_get("/turn", self._turn)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _turn(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"verb": "gather", "menu": int(request.query["menu"])})


def webhook_flow(tones: Sequence[int]) -> str:
    """Each key is first told to the web hook; its answer is awaited, then the next menu plays."""
    nodes = []
    for i, hz in enumerate(tones):
        last = i + 1 == len(tones)
        nodes.append(
            f"  n{i}: {{kind: menu, prompts: {{tone: {{hz: {hz}, ms: 10000}}}}, repeats: 5,"
            f" options: {{'1': {'fin' if last else f'h{i}'}}}}}"
        )
        if not last:
            nodes.append(
                f"  h{i}: {{kind: http, request: {{system: gancho, url: '/turn?menu={i + 1}'}}, take: {{m: menu}},"
                f" next: n{i + 1}, fallback: fin}}"
            )
    head = ["id: bench", "entry: n0", "on_error: fin", "variables: {m: number}", "nodes:"]
    return "\n".join([*head, *nodes, "  fin: {kind: hangup}", ""])
