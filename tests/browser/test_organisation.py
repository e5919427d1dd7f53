"""The organisation is edited with the keyboard alone, and what was saved is in force: the next call goes by it."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import Locator, expect

from tests.support.browser import WAIT_S, Person
from tests.support.scene import Scene
from tests.support.stage import until

_MS = WAIT_S * 1000
_DAYS = ("Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo")


def _day_far_from_today() -> str:
    """Open on that day alone, a calendar is closed now, wherever midnight is."""
    return _DAYS[(datetime.now(UTC).weekday() + 3) % 7]


class Sheet:
    """What an administrator does in a sheet without a mouse."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page
        self.dialog = person.page.get_by_role("dialog")

    async def go(self, part: str) -> None:
        """By the command palette."""
        await self.page.keyboard.press("Control+k")
        await self.page.keyboard.type(part)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url(f"**/admin/{part.lower()}")

    async def edit(self, cells: str) -> None:
        """The row of the list in which that stands, with the arrow keys."""
        await self.person.tab_to(self.page.locator("tbody tr").first)
        await self.person.tab_to(self.page.locator("tbody tr").filter(has_text=cells), key="ArrowDown")
        await self.page.keyboard.press("Enter")

    async def press(self, name: str, within: Locator | None = None) -> None:
        await self.person.tab_to((within or self.dialog).get_by_role("button", name=name, exact=True))
        await self.page.keyboard.press("Enter")

    async def type(self, label: str, text: str, within: Locator | None = None) -> None:
        await self.person.tab_to((within or self.dialog).get_by_label(label, exact=True))
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)

    async def pick(self, label: str, first_letters: str, within: Locator | None = None) -> None:
        field = (within or self.dialog).get_by_label(label, exact=True)
        await self.person.tab_to(field)
        await self.page.keyboard.type(first_letters)
        await expect(field.locator("option:checked")).to_contain_text(first_letters)

    async def save(self, *shown: str) -> None:
        await self.press("Revisar los cambios")
        difference = self.dialog.locator(".differences")
        for part in shown:
            await expect(difference).to_contain_text(part, timeout=_MS)
        await self.press("Guardar y poner en vigor")
        await expect(self.dialog).to_have_count(0, timeout=_MS)


async def test_a_queue_is_edited_with_the_keyboard_alone_and_the_next_call_goes_by_it(scene: Scene) -> None:
    """A calendar, when the queue hands on and where to, and what is relaxed with waiting."""
    admin = await scene.people.person("admin")
    await admin.sign_in_by_keys(then="/admin/horarios")
    sheet, page = Sheet(admin), admin.page
    await sheet.press("Añadir", page.locator("main"))
    await sheet.type("Código", "cerrado")
    await sheet.press(f"{_day_far_from_today()}: añadir franja")
    await sheet.save("cerrado")

    await sheet.go("Colas")
    await sheet.edit("Turnos")
    await sheet.pick("Horario", "cerrado")
    await sheet.press("Añadir un paso")
    step = sheet.dialog.get_by_role("group", name="Paso 1")
    await sheet.type("Después de (segundos)", "45", step)
    await sheet.pick("Relajar otra habilidad", "Ingl", step)
    await sheet.press("Añadir", step)
    await expect(step.get_by_label("Inglés")).to_have_value("1")
    await sheet.press("Añadir una regla")
    rule = sheet.dialog.get_by_role("group", name="Regla 1")
    await sheet.pick("Cuando", "Lleva", rule)
    await sheet.type("Más de (segundos)", "3", rule)
    await sheet.pick("Entonces", "Pasar a otra", rule)
    await sheet.press("Revisar los cambios")  # where to is missing still: told beside the field, and nothing is lost
    await expect(rule.get_by_role("alert").first).to_be_visible(timeout=_MS)
    await sheet.pick("A la cola", "Encuestas", rule)
    assert await admin.axe() == []
    await sheet.save("cerrado", "encuestas")

    document = (await scene.api.get("/organisation"))["document"]
    queue = next(one for one in document["queues"] if one["name"] == "turnos")
    assert queue["calendar"] == "cerrado"
    assert queue["rings"] == [{"after_s": 45, "loosen": {"ingles": 1}}]
    assert queue["overflow"] == [{"when": "time", "over": 3, "to": "queue", "target": "encuestas"}]

    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    call = (await citizen.record())["id"]
    await scene.api.order("POST", f"/interactions/{call}/move", {"queue": "turnos"})

    async def handed_on() -> bool:
        return bool((await citizen.record())["queue"] == "encuestas")

    await until(handed_on, "the queue has handed the call on")
    await citizen.call.hangup()
    await citizen.closed()


async def test_the_levels_of_an_agents_skills_are_edited_with_the_keyboard_alone(scene: Scene) -> None:
    async def levels() -> object:
        document = (await scene.api.get("/organisation"))["document"]
        return next(one for one in document["agents"] if one["id"] == "carmen").get("skills")

    admin = await scene.people.person("admin")
    await admin.sign_in_by_keys(then="/admin/agentes")
    sheet, page = Sheet(admin), admin.page
    await sheet.edit("Carmen Loja")
    skills = sheet.dialog.get_by_role("group", name="Habilidades y nivel")
    level = skills.get_by_label("Inglés", exact=True)
    await sheet.pick("Añadir una habilidad", "Ingl", skills)
    await sheet.press("Añadir", skills)
    await expect(level).to_be_focused()  # what was added is where one goes on
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("11")
    await sheet.press("Revisar los cambios")
    await expect(skills.get_by_role("alert")).to_contain_text("10 o menos", timeout=_MS)  # beside the field
    assert await admin.axe() == []
    await sheet.type("Inglés", "3", skills)
    await sheet.save("ingles", "3")
    assert await levels() == {"ingles": 3}

    await expect(page.locator("tbody tr").filter(has_text="Carmen Loja")).to_be_focused()
    await page.keyboard.press("Enter")
    await sheet.type("Inglés", "7", skills)
    await sheet.save("7")
    assert await levels() == {"ingles": 7}

    await page.keyboard.press("Enter")
    await sheet.press("Quitar: Inglés", skills)
    await expect(skills.get_by_label("Añadir una habilidad", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")  # and nothing was done
    await expect(sheet.dialog).to_have_count(0)
    assert await levels() == {"ingles": 7}
    await page.keyboard.press("Enter")
    await sheet.press("Quitar: Inglés", skills)
    await sheet.save("ingles")
    assert await levels() is None


async def test_two_who_save_one_queue_at_once_lose_nothing_with_the_keyboard_alone(scene: Scene) -> None:
    """The later one is told, sees what it would change of what the other saved, and chooses: on top of it, or not."""

    async def queue() -> tuple[int | None, int | None]:
        document = (await scene.api.get("/organisation"))["document"]
        found = next(one for one in document["queues"] if one["name"] == "turnos")
        return found.get("priority"), found.get("max_length")

    people = [await scene.people.person("admin"), await scene.people.person("admin", ignored=["409"])]
    first, second = (Sheet(one) for one in people)
    for sheet in (first, second):
        await sheet.person.sign_in_by_keys(then="/admin/colas")

    async def both_change(priority: str, length: str) -> None:
        for sheet in (first, second):
            await sheet.edit("Turnos")
        await first.type("Prioridad", priority)
        await second.type("Máximo en espera", length)
        for sheet in (first, second):
            await sheet.press("Revisar los cambios")
            await expect(sheet.dialog.locator(".differences")).to_be_visible(timeout=_MS)
        await first.press("Guardar y poner en vigor")
        await expect(first.dialog).to_have_count(0, timeout=_MS)
        await second.press("Guardar y poner en vigor")
        await expect(second.dialog.get_by_role("alert")).to_contain_text("Otra persona guardó", timeout=_MS)
        await expect(second.dialog.locator(".differences")).to_contain_text(length)
        await expect(second.dialog.locator(".differences")).not_to_contain_text("Prioridad")  # theirs is not undone

    before = await queue()  # an attempt before this one may have saved
    priority, length = int(before[0] or 0) % 50 + 7, int(before[1] or 0) % 500 + 60
    await both_change(str(priority), str(length))
    assert await second.person.axe() == []
    await second.press("Aplicar mis cambios sobre los nuevos")
    await expect(second.dialog).to_have_count(0, timeout=_MS)
    assert await queue() == (priority, length)

    await first.page.reload()
    await both_change(str(priority + 1), str(length + 10))
    await second.press("Descartar los míos")
    await expect(second.dialog).to_have_count(0, timeout=_MS)
    assert await queue() == (priority + 1, length)
    await second.edit("Turnos")  # and sees the other's
    await expect(second.dialog.get_by_label("Prioridad", exact=True)).to_have_value(str(priority + 1))
