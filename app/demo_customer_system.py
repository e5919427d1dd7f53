"""The customer's system of the demo: clients, bills and outages of a city, answered over HTTP. It can also be made
slow, wrong or silent, for those who want to hear what flows do then.

Run it beside a platform: ``python -m app.demo_customer_system --port 8800``, with the settings

    customer_systems:
      systems: [{name: clientes, url: "http://127.0.0.1:8800"}]
    customers: {system: clientes}
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


async def held_up(faults: Faults) -> web.Response | None:
    """What is answered instead, where something is wrong; after the delay."""
    if faults.delay_s:
        await asyncio.sleep(faults.delay_s)
    if faults.status is not None:
        return web.json_response({"error": "falla"}, status=faults.status)
    if faults.garbage:
        return web.Response(text="<html>Bienvenido al portal</html>", content_type="text/html")
    return None


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


@dataclass(frozen=True, slots=True)
class Service:
    """One contract of a client, as their card shows it."""

    number: str
    name: str
    address: str
    status: str = "activo"
    debt: float = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    id: str
    title: str
    status: str
    days_ago: int


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
# By the contract that the client is known by; the first service is that contract.
SERVICES: Mapping[str, tuple[Service, ...]] = {
    "204510": (
        Service("204510", "Agua potable y alcantarillado", "Av. Hurtado de Mendoza 4-15, Totoracocha", debt=23.47),
        Service("I-88120", "Internet fibra 200 Mbps", "Av. Hurtado de Mendoza 4-15, Totoracocha"),
        Service("072861450", "Telefonía fija", "Av. Hurtado de Mendoza 4-15, Totoracocha"),
    ),
    "118322": (Service("118322", "Agua potable y alcantarillado", "Av. 12 de Abril 2-40, El Vergel"),),
    "330071": (
        Service("330071", "Internet fibra 100 Mbps", "Calle Carlos Arízaga 1-23, Yanuncay", debt=41.05),
        Service("072831900", "Telefonía fija", "Calle Carlos Arízaga 1-23, Yanuncay", "suspendido"),
    ),
    "270415": (Service("270415", "Agua potable y alcantarillado", "Vía a Ricaurte km 3", debt=8.90),),
    "500001": (
        Service("500001", "Agua potable y alcantarillado", "Av. 24 de Mayo y Av. de las Américas, Monay", debt=1280.33),
        Service("E-0417", "Enlace de datos 1 Gbps", "Av. 24 de Mayo y Av. de las Américas, Monay"),
    ),
}
CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    "204510": (Claim("R-2231", "Cambio de medidor", "programado", 12),),
    "330071": (
        Claim("R-2240", "Valor facturado de más en la planilla", "en análisis", 4),
        Claim("R-2198", "Internet intermitente por las noches", "visita técnica", 19),
    ),
    "500001": (Claim("R-2251", "Baja presión en la acometida norte", "cuadrilla asignada", 1),),
}
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
        app.router.add_get("/v1/fichas", self._card)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            self.asked.append(request.path_qs)
            if (wrong := await held_up(self.faults)) is not None:
                return wrong
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

    async def _card(self, request: web.Request) -> web.Response:
        """What the agent's page shows: docs/customers.md."""
        by, value = request.query.get("por", ""), request.query.get("valor", "")
        for client in CLIENTS:
            known = {"telefono": client.phone, "documento": client.cedula, "contrato": client.contract}
            if value and value == known.get(by):
                return web.json_response(_card_of(client))
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


def _card_of(client: Client) -> Mapping[str, object]:
    today = dt.datetime.now(_ECUADOR).date()
    due = (today + dt.timedelta(days=-5 if client.overdue else 10)).isoformat()
    user = client.name.split()[0].casefold().replace("í", "i")
    return {
        "nombre": client.name,
        "documento": client.cedula,
        "tipo": "empresa" if client.critical else "persona",
        "telefonos": [client.phone],
        "correos": [f"{user}.{client.contract}@correo.example"],
        "sector": client.sector,
        "accesibilidad": client.accessibility,
        "critico": client.critical,
        "contratos": [
            {
                "numero": service.number,
                "servicio": service.name,
                "direccion": service.address,
                "estado": service.status,
                "saldo": service.debt,
                "vence": due if service.debt else "",
            }
            for service in SERVICES.get(client.contract, ())
        ],
        "casos": [
            {
                "id": claim.id,
                "titulo": claim.title,
                "estado": claim.status,
                "abierto": (today - dt.timedelta(days=claim.days_ago)).isoformat(),
            }
            for claim in CLAIMS.get(client.contract, ())
        ],
        "cortes": [_outage(*outage) for outage in OUTAGES if outage[0] == client.sector],
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
