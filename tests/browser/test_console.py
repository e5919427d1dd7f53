"""Journeys of who runs the platform: what is typed into a flow is kept and its mistakes are told in their place; a
change of the organisation is shown before it is put in force."""

from __future__ import annotations

import pyotp
from playwright.async_api import expect

from tests.support.browser import PASSWORD, Crowd
from tests.support.platform import PlatformProcess, rimay

_MISTAKE = "\n  roto:\n    kind: plai\n"


async def test_a_mistake_in_a_flow_is_told_under_its_line(people: Crowd) -> None:
    admin = await people.person("admin")
    await admin.sign_in(then="/admin/flujos")
    await admin.page.locator("tbody tr").first.click()
    text = admin.page.locator(".cm-content")
    await text.click()
    await admin.page.keyboard.press("ControlOrMeta+End")
    await admin.page.keyboard.type(_MISTAKE)
    under = admin.page.locator(".cm-under.error").first
    await under.wait_for()
    await expect(under).to_contain_text("no existe la clase de nodo «plai» (¿quiso decir «play»?")
    seen, box = await admin.page.locator(".yaml-host").bounding_box(), await under.bounding_box()
    assert seen is not None
    assert box is not None
    assert box["x"] + box["width"] <= seen["x"] + seen["width"]  # all of it, however long the longest line is
    assert "kind: plai" in await text.inner_text()
    save = admin.page.get_by_role("button", name="Guardar")
    await save.click()
    await admin.page.get_by_role("dialog").wait_for()
    assert await admin.page.get_by_role("dialog").get_by_role("button", name="Guardar").is_disabled()


async def test_a_new_skill_is_shown_before_it_is_in_force(people: Crowd) -> None:
    admin = await people.person("admin")
    await admin.sign_in(then="/admin/habilidades")
    page = admin.page
    await page.get_by_role("button", name="Añadir").click()
    await page.get_by_label("Código").fill("Mal Código")
    await page.get_by_role("button", name="Revisar los cambios").click()
    await page.get_by_role("alert").wait_for()
    await page.get_by_label("Código").fill("quichua")
    await page.get_by_label("Nombre").fill("Quichua")
    await page.get_by_role("button", name="Revisar los cambios").click()
    difference = page.locator(".differences")
    await difference.wait_for()
    assert "quichua: Quichua" in await difference.inner_text()
    await page.get_by_role("button", name="Guardar y poner en vigor").click()
    await page.get_by_role("cell", name="Quichua", exact=True).wait_for()


async def test_my_account_a_second_factor_by_qr_code_and_ones_other_sessions(
    platform: PlatformProcess, people: Crowd
) -> None:
    words = ("user", "add", "rosa", "--name", "Rosa", "--role", "manager", "--ask-password")
    rimay(*words, var=platform.var, config=platform.config, said=PASSWORD + "\n")
    rosa, elsewhere = await people.person("rosa"), await people.person("rosa", ignored=["401"])
    await elsewhere.sign_in()
    await rosa.sign_in()
    page = rosa.page
    await page.get_by_role("button", name="Su cuenta").click()
    await page.get_by_role("button", name="Mi cuenta").click()
    dialog = page.get_by_role("dialog")
    items = dialog.locator(".sessions li")
    await expect(items).to_have_count(2)
    await expect(items.first).to_contain_text("Chrome en Linux")
    await expect(items.first).to_contain_text("Este equipo")
    await dialog.get_by_role("button", name="Activar").click()
    await dialog.get_by_role("img", name="Código QR").wait_for()  # that readers read it: kit.test.ts
    assert await rosa.axe() == []
    secret = (await dialog.locator("code.secret").inner_text()).replace(" ", "")
    await dialog.get_by_label("Código de seis cifras").fill(pyotp.TOTP(secret).now())
    await dialog.get_by_role("button", name="Confirmar").click()
    await dialog.get_by_role("button", name="Desactivar").wait_for()
    await dialog.get_by_role("button", name="Cerrar todas las demás").click()
    await expect(items).to_have_count(1)
    await elsewhere.page.reload()
    await elsewhere.page.locator("[name=username]").wait_for()


async def test_a_lock_out_is_seen_in_the_users_sheet_and_lifted_there(platform: PlatformProcess, people: Crowd) -> None:
    words = ("user", "add", "lola", "--name", "Lola Vintimilla", "--ask-password")
    rimay(*words, var=platform.var, config=platform.config, said=PASSWORD + "\n")
    lola, admin = await people.person("lola", ignored=["401", "429"]), await people.person("admin")
    await lola.open("/")
    await lola.page.wait_for_selector("[name=username]:focus")
    guess = """async (password) => (await fetch("/api/v1/session", {
        method: "POST", headers: {"Content-Type": "application/json"},
        body: JSON.stringify({username: "lola", password})
    })).status"""
    assert [await lola.page.evaluate(guess, f"no es la {n}") for n in range(7)] == [401] * 6 + [429]
    await lola.page.fill("[name=username]", "lola")
    await lola.page.fill("[name=password]", PASSWORD)
    await lola.page.keyboard.press("Enter")
    await expect(lola.page.get_by_role("alert")).to_contain_text("Demasiados intentos")
    await admin.sign_in(then="/admin/usuarios")
    row = admin.page.get_by_role("row").filter(has_text="Lola Vintimilla")
    await expect(row).to_contain_text("Bloqueado")
    await row.click()
    told = admin.page.get_by_role("dialog").get_by_role("region", name="No puede ingresar hasta las")
    await expect(told).to_contain_text("Intentos fallidos6")
    await expect(told).to_contain_text("127.0.0.1")
    assert await admin.axe() == []
    await told.get_by_role("button", name="Levantar el bloqueo").click()
    await expect(told).to_have_count(0)
    await admin.page.keyboard.press("Escape")
    await expect(row).not_to_contain_text("Bloqueado")
    await lola.page.fill("[name=password]", PASSWORD)
    await lola.page.keyboard.press("Enter")
    await lola.page.wait_for_url("**/agente")
    await lola.page.get_by_text("Su cuenta no está asociada a un agente.").wait_for()  # and no 409


async def test_a_locked_address_is_seen_above_the_users_and_lifted_there(people: Crowd) -> None:
    admin, stranger = await people.person("admin"), await people.person("nadie", ignored=["401", "429"])
    await admin.sign_in(then="/admin/usuarios")
    await stranger.open("/")
    last = await stranger.page.evaluate("""async () => {
        for (let n = 0; n < 80; n += 1) {
            const {status} = await fetch("/api/v1/session", {
                method: "POST", headers: {"Content-Type": "application/json"},
                body: JSON.stringify({username: `nadie${n}`, password: "no es esta"})
            })
            if (status !== 401) return status
        }
    }""")
    assert last == 429
    await admin.page.reload()
    told = admin.page.get_by_role("region", name="Direcciones bloqueadas")
    await expect(told).to_contain_text("127.0.0.1")
    assert await admin.axe() == []
    await told.get_by_role("button", name="Levantar el bloqueo de 127.0.0.1").click()
    await expect(told).to_have_count(0)
    await (await people.person("sofia")).sign_in()


async def test_an_administrator_with_the_keyboard_alone(people: Crowd) -> None:
    """Signing in, a new account, a flow saved as a new version, and both found in the audit trail: no mouse."""
    admin = await people.person("admin")
    page, keyboard = admin.page, admin.page.keyboard
    await admin.sign_in_by_keys(then="/admin/usuarios")
    await admin.tab_to(page.get_by_role("button", name="Añadir"))
    await keyboard.press("Enter")
    sheet = page.get_by_role("dialog")
    await admin.tab_to(sheet.get_by_label("Nombre", exact=True))
    await keyboard.type("Rosa Quito")
    await admin.tab_to(sheet.get_by_label("Usuario", exact=True))
    await keyboard.type("rosa.quito")
    await keyboard.press("Enter")
    await page.get_by_role("cell", name="rosa.quito").wait_for()
    await page.locator("dialog code.secret").wait_for()  # the password that is shown once
    await keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await keyboard.press("Control+k")
    await keyboard.type("Flujos")
    await keyboard.press("Enter")
    await page.wait_for_url("**/admin/flujos")
    await admin.tab_to(page.locator("tbody tr").first)
    await keyboard.press("Enter")
    await admin.tab_to(page.locator(".cm-content"))
    await keyboard.press("ControlOrMeta+End")
    await keyboard.type("# Revisado.\n")
    await keyboard.press("Escape")  # then Tab leaves the editor
    await admin.tab_to(page.get_by_role("button", name="Guardar"))
    await keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await admin.tab_to(dialog.get_by_role("textbox"))
    await keyboard.type("Revisado con el teclado")
    await admin.tab_to(dialog.get_by_role("button", name="Guardar"))
    await keyboard.press("Enter")
    await dialog.wait_for(state="detached")
    await keyboard.press("Control+k")
    await keyboard.type("Auditoría")
    await keyboard.press("Enter")
    await page.get_by_role("cell", name="user.added").first.wait_for()
    await page.get_by_role("cell", name="flow.saved").first.wait_for()


async def test_the_hours_of_a_calendar_and_a_conflict_with_who_saved_meanwhile(people: Crowd) -> None:
    """Two people edit the organisation at once: nothing of either is lost, and the later one is told and chooses."""
    first, second = await people.person("admin"), await people.person("admin", ignored=["409"])
    for one in (first, second):
        await one.sign_in(then="/admin/horarios")
        await one.page.get_by_role("button", name="Añadir").click()
    await first.page.get_by_label("Código").fill("manana")
    await second.page.get_by_label("Código").fill("tarde")
    await first.page.get_by_role("button", name="Lunes: añadir franja").click()
    await first.page.get_by_role("button", name="Lunes: añadir franja").click()  # a day in two parts
    until = first.page.get_by_label("Lunes: hasta, franja 2")
    await until.fill("13:30")
    assert "terminar después" in await first.page.get_by_role("alert").inner_text()
    await until.fill("16:30")
    await first.page.get_by_role("button", name="Copiar el lunes hasta el viernes").click()
    assert await first.axe() == []
    await second.page.get_by_role("button", name="Sábado: añadir franja").click()
    for one in (first, second):
        await one.page.get_by_role("button", name="Revisar los cambios").click()
        await one.page.locator(".differences").wait_for()
    shown = await first.page.locator(".differences").inner_text()
    assert "08:00-13:00" in shown
    assert "14:00-16:30" in shown
    await first.page.get_by_role("button", name="Guardar y poner en vigor").click()
    await first.page.get_by_role("cell", name="manana").wait_for()
    await second.page.get_by_role("button", name="Guardar y poner en vigor").click()
    conflict = second.page.get_by_role("dialog").get_by_role("alert")
    await expect(conflict).to_contain_text("Otra persona guardó")
    await second.page.get_by_role("button", name="Aplicar mis cambios sobre los nuevos").click()
    await second.page.get_by_role("cell", name="tarde").wait_for()
    assert await second.page.get_by_role("cell", name="manana").is_visible()


async def test_a_flow_that_somebody_saved_meanwhile_is_compared_before_it_is_replaced(people: Crowd) -> None:
    first, second = await people.person("admin"), await people.person("admin", ignored=["409"])
    for one, line in ((first, "# la primera\n"), (second, "# la segunda\n")):
        await one.sign_in(then="/admin/flujos")
        await one.page.locator("tbody tr").first.click()
        await one.page.locator(".cm-content").click()
        await one.page.keyboard.press("ControlOrMeta+Home")
        await one.page.keyboard.type(line)
    for one in (first, second):
        await one.page.get_by_role("button", name="Guardar").first.click()
    await first.page.get_by_role("dialog").get_by_role("button", name="Guardar").click()
    await first.page.get_by_role("dialog").wait_for(state="detached")
    dialog = second.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Guardar").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Otra persona guardó")
    await expect(dialog.locator(".diff")).to_contain_text("# la primera")  # what of the other's would be lost
    await dialog.get_by_role("button", name="Guardar lo mío de todos modos").click()
    await dialog.wait_for(state="detached")
    await second.page.get_by_role("tab", name="Versiones").click()
    assert await second.page.locator(".versions li").count() >= 3  # the first one's is kept as a version
