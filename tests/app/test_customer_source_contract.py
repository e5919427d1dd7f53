"""The contract of a customer's system (`customers.ports.CustomerSource`), for the twin and for the one of the demo over
HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from app.demo_customer_system import CustomerSystem
from app.web_around import FichaSource, Numbers
from customers.card import Case, Contract, Ficha, Identity, Sure
from customers.ports import CustomerSource, NoAnswer
from customers.settings import CustomersSettings
from pbx.settings import Dialing
from tests.app.test_customer_systems import serving, systems
from tests.support.web_around import MemorySource

SETTINGS = CustomersSettings(system="clientes", timeout_s=5)
LUIS = Ficha(
    identity=Identity(
        name="Luis Alberto Vintimilla",
        document="1710034065",
        phones=("0987654321",),
        emails=("luis.118322@correo.example",),
        sector="El Vergel",
    ),
    contracts=(
        Contract(
            number="118322",
            service="Agua potable y alcantarillado",
            address="Av. 12 de Abril 2-40, El Vergel",
            status="activo",
        ),
    ),
)
HOSPITAL = Ficha(
    identity=Identity(name="Hospital del Río", document="0190000001", kind="company", critical=True),
    cases=(Case(id="R-2251", title="Baja presión en la acometida norte", status="cuadrilla asignada"),),
)
EVERY_WAY = [(Sure.PHONE, "0987654321"), (Sure.DOCUMENT, "1710034065"), (Sure.CONTRACT, "118322")]


@dataclass
class Rig:
    """`fail` makes the system answer so until it is told otherwise."""

    source: CustomerSource
    fail: Callable[[str], None]


@pytest.fixture(params=["memory", "http"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if request.param == "memory":
        twin = MemorySource()
        twin.people = {
            (Sure.PHONE, "+593987654321"): LUIS,
            (Sure.DOCUMENT, "1710034065"): LUIS,
            (Sure.CONTRACT, "118322"): LUIS,
            (Sure.DOCUMENT, "0190000001"): HOSPITAL,
        }

        def say(how: str) -> None:
            twin.fault = how and "No hay respuesta."

        yield Rig(twin, say)
        return
    demo = CustomerSystem(token="t0ken")

    def fail(how: str) -> None:
        demo.faults.status = int(how) if how.isdigit() else None
        demo.faults.garbage = how == "garbage"

    async with serving(demo.app()) as url, systems(url) as asked:
        yield Rig(FichaSource(SETTINGS, asked, Numbers(Dialing())), fail)


@pytest.mark.parametrize(("by", "value"), EVERY_WAY)
async def test_somebody_is_found_and_how_sure_it_is_they(rig: Rig, by: Sure, value: str) -> None:
    found = await rig.source.look_up(by, value)
    assert found is not None
    assert found.identity is not None
    assert LUIS.identity is not None
    assert found.identity.how_sure is by
    assert (found.identity.name, found.identity.document) == (LUIS.identity.name, LUIS.identity.document)
    assert (found.identity.phones, found.identity.emails) == (LUIS.identity.phones, LUIS.identity.emails)
    assert (found.identity.kind, found.identity.critical) == ("person", False)
    assert (found.contracts, found.cases, found.outages) == (LUIS.contracts, (), ())


async def test_a_company_and_its_cases(rig: Rig) -> None:
    found = await rig.source.look_up(Sure.DOCUMENT, "0190000001")
    assert found is not None
    assert found.identity is not None
    assert (found.identity.kind, found.identity.critical) == ("company", True)
    assert [(case.id, case.title, case.status) for case in found.cases] == [
        (case.id, case.title, case.status) for case in HOSPITAL.cases
    ]


@pytest.mark.parametrize("written", ["0987654321", "+593987654321", "593987654321"])
async def test_a_number_is_one_person_however_it_came(rig: Rig, written: str) -> None:
    assert await rig.source.look_up(Sure.PHONE, written) == await rig.source.look_up(*EVERY_WAY[0])


@pytest.mark.parametrize(
    ("by", "value"),
    [
        (Sure.PHONE, "0999999999"),
        (Sure.PHONE, "anonymous"),
        (Sure.PHONE, ""),
        (Sure.DOCUMENT, "0987654321"),  # a telephone's
        (Sure.DOCUMENT, "593987654321"),
        (Sure.CONTRACT, "118322&por=documento"),
        (Sure.CONTRACT, " 118322"),
    ],
)
async def test_nobody_is_nobody(rig: Rig, by: Sure, value: str) -> None:
    assert await rig.source.look_up(by, value) is None


@pytest.mark.parametrize("how", ["503", "401", "garbage"])
async def test_no_answer_is_told_in_words_and_of_nobody(rig: Rig, how: str) -> None:
    for by, value in EVERY_WAY:
        rig.fail(how)
        with pytest.raises(NoAnswer) as caught:
            await rig.source.look_up(by, value)
        assert str(caught.value).endswith(".")
        assert value not in str(caught.value)
        rig.fail("")
        assert await rig.source.look_up(by, value) is not None
