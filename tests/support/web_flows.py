"""Flows for the pages' tests: the real shelf over the test's own folders, a small flow beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

from app.bots import HttpBots
from app.web_flows import ShelfFlows
from foundation.clock import Clock
from ivr_flows.book import FlowBook
from ivr_flows.history import FlowHistory
from ivr_flows.settings import Entry, FlowSettings
from ivr_flows.shelf import FlowShelf

SMALL = """\
id: pequeno
name: Un flujo pequeño
entry: motivo
person: {to: cola}
on_error: cola
nodes:
  motivo:
    kind: menu
    prompts: "Para agua marque uno. Para internet marque dos."
    options:
      "1": {to: agua, name: Agua}
      "2": {to: cola, name: Internet}
  agua: {kind: play, prompts: "Gracias por llamar.", next: fin}
  cola: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}
  fin: {kind: hangup}
"""


def folder_flows(folder: Path, clock: Clock, bots: HttpBots | None = None) -> ShelfFlows:
    theirs = folder / "customer-flows"
    theirs.mkdir(exist_ok=True)
    if not (theirs / "pequeno.yaml").exists():
        (theirs / "pequeno.yaml").write_text(SMALL, encoding="utf-8")
    settings = FlowSettings(folders=[str(theirs)], entries=[Entry(number="1800*", flow="pequeno")])
    own = folder / "flows-own"
    book = FlowBook(settings, own=own)
    book.refresh()
    shelf = FlowShelf(book, FlowHistory(folder / "flows-history"), own)

    async def look() -> None:
        book.refresh()

    return ShelfFlows(book, shelf, clock, look, bots)
