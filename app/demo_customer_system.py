"""The customer's system of the demo: clients, bills and outages of a city, answered over HTTP. It can also be made
slow, wrong or silent, for those who want to hear what flows do then.

Run it beside a platform: ``python -m app.demo_customer_system --port 8800``, with the settings

    customer_systems:
      systems: [{name: clientes, url: "http://127.0.0.1:8800"}]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Faults:
    """What is wrong with it just now."""

    delay_s: float = 0.0
    status: int | None = None  # answered instead
    garbage: bool = False  # a page of HTML with a good status


@dataclass(frozen=True, slots=True)
class Client:
    name: str
    cedula: str
    contract: str
    phone: str
    sector: str
    balance: float
    overdue: bool = False
    claim: bool = False
    accessibility: bool = False
    critical: bool = False


CLIENTS = (
    Client("Ana Lucía Cordero", "0102030400", "204510", "0991234567", "Totoracocha", 23.47, overdue=True),
    Client("Luis Alberto Vintimilla", "1710034065", "118322", "0987654321", "El Vergel", 0.0),
    Client("María Augusta Tello", "0100000009", "330071", "072831900", "Yanuncay", 41.05, claim=True),
    Client("Rosa Elvira Guamán", "0926687856", "270415", "0998887766", "Ricaurte", 8.90, accessibility=True),
    Client("Hospital del Río", "0190000001", "500001", "074096000", "Monay", 1280.33, critical=True),
)
OUTAGES = (
    ("Totoracocha", "agua", "mantenimiento de la red", 6),
    ("Monay", "agua", "rotura de una tubería matriz", 4),
    ("Yanuncay", "internet", "daño en la fibra óptica", 3),
)
_MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_ECUADOR = dt.timezone(dt.timedelta(hours=-5))


@dataclass(slots=True)
class CustomerSystem:
    token: str | None = None  # asked for as ``Authorization: Bearer ...`` where it is set
    faults: Faults = field(default_factory=Faults)
    asked: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware()])
        app.router.add_get("/v1/clientes", self._client)
        app.router.add_get("/v1/cuentas/{contract}", self._account)
        app.router.add_get("/v1/cortes", self._outages)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            self.asked.append(request.path_qs)
            if self.faults.delay_s:
                await asyncio.sleep(self.faults.delay_s)
            if self.faults.status is not None:
                return web.json_response({"error": "falla"}, status=self.faults.status)
            if self.faults.garbage:
                return web.Response(text="<html>Bienvenido al portal</html>", content_type="text/html")
            if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
                return web.json_response({"error": "no autorizado"}, status=401)
            return await handler(request)

        return guard

    async def _client(self, request: web.Request) -> web.Response:
        by, value = request.query.get("por", ""), request.query.get("valor", "")
        for client in CLIENTS:
            known = {"caller": client.phone, "cedula": client.cedula, "ruc": f"{client.cedula}001"}
            if value and value == {**known, "contract": client.contract}.get(by):
                return web.json_response(_plain(client))
        return web.json_response({"error": "no existe"}, status=404)

    async def _account(self, request: web.Request) -> web.Response:
        contract = request.match_info["contract"]
        client = next((c for c in CLIENTS if c.contract == contract), None)
        if client is None:
            return web.json_response({"error": "no existe"}, status=404)
        today = dt.datetime.now(_ECUADOR).date()
        last = today.replace(day=1) - dt.timedelta(days=1)
        due = (today + dt.timedelta(days=-5 if client.overdue else 10)).isoformat()
        month = _MONTHS.split()[last.month - 1]
        return web.json_response({"contrato": contract, "saldo": client.balance, "vence": due, "mes": month})

    async def _outages(self, request: web.Request) -> web.Response:
        sector, service = request.query.get("sector", ""), request.query.get("servicio", "")
        found = [
            outage
            for outage in OUTAGES
            if (not service or outage[1] == service) and (not sector or outage[0].casefold() == sector.casefold())
        ]
        return web.json_response({"cortes": [_outage(*outage) for outage in found]})


def _plain(client: Client) -> Mapping[str, object]:
    return {
        "nombre": client.name,
        "contrato": client.contract,
        "sector": client.sector,
        "saldo": client.balance,
        "vencida": client.overdue,
        "reclamo_abierto": client.claim,
        "corte": any(sector == client.sector for sector, *_ in OUTAGES),
        "accesibilidad": client.accessibility,
        "critico": client.critical,
    }


def _outage(sector: str, service: str, why: str, hours: int) -> Mapping[str, object]:
    until = dt.datetime.now(_ECUADOR).replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=hours)
    return {"sector": sector, "servicio": service, "motivo": why, "hasta": until.isoformat()}


def main() -> None:
    parser = argparse.ArgumentParser(description="The customer's system of the demo.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8800)
    args = parser.parse_args()
    web.run_app(CustomerSystem().app(), host=args.host, port=args.port)


if __name__ == "__main__":
    main()
