"""The contract of what agents may tell (`softphone_web.ports_desk.Organisation`), for the twin and for the organisation
in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.organisation import Organisation
from app.settings import Settings
from app.web_desk import OrganisationCodes
from callcontrol.routing import config_store
from softphone_web import ports_desk
from softphone_web.ports_desk import Codes
from tests.support.web_desk import MemoryOrganisation

ALL = {"resuelto": "Resuelto", "sin_solucion": "Sin solución"}
REASONS = {"agua": "Agua potable"}
FILE = """\
reasons: {almuerzo: {title: Almuerzo}, capacitacion: {title: Capacitación, productive: true}}
contact_reasons: {agua: Agua potable}
dispositions: {resuelto: Resuelto, sin_solucion: Sin solución}
queues:
  - {name: averias, disposition_required: true}
  - {name: facturas}
  - {name: pagos, dispositions: [sin_solucion]}
"""


@pytest.fixture(params=["memory", "file"])
def organisation(request: pytest.FixtureRequest, tmp_path: Path) -> ports_desk.Organisation:
    """Of three queues one wants a disposition, and one has not all of them."""
    if request.param == "memory":
        twin = MemoryOrganisation()
        twin.few = {"pagos": ["sin_solucion"]}
        return twin
    config_store.put(FILE, tmp_path, config_store.revision_of(""))
    return OrganisationCodes(Organisation(tmp_path, Settings()))


@pytest.mark.parametrize(
    ("queue", "codes"),
    [
        ("averias", Codes(required=True, dispositions=ALL, reasons=REASONS)),
        ("facturas", Codes(required=False, dispositions=ALL, reasons=REASONS)),
        ("pagos", Codes(required=False, dispositions={"sin_solucion": "Sin solución"}, reasons=REASONS)),
        ("nada", Codes(required=False, dispositions=ALL, reasons=REASONS)),
        (None, Codes(required=False, dispositions=ALL, reasons=REASONS)),
    ],
)
def test_codes_are_the_queues_and_all_where_there_is_none(
    organisation: ports_desk.Organisation, queue: str | None, codes: Codes
) -> None:
    found = organisation.codes(queue)
    assert found == codes
    assert list(found.dispositions) == list(codes.dispositions)  # in their order


def test_reasons_of_not_ready_have_their_titles_in_their_order(organisation: ports_desk.Organisation) -> None:
    assert list(organisation.not_ready_reasons().items()) == [
        ("almuerzo", "Almuerzo"),
        ("capacitacion", "Capacitación"),
    ]
