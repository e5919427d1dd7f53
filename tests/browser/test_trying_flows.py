"""A flow is tried in its page, and the bot of the settings answers by itself, or is played by hand."""

from __future__ import annotations

from playwright.async_api import expect

from tests.support.browser import WIDTHS, Crowd

# What the editor holds is what is tried, saved or not.
TEXT = """\
id: principal
entry: bot
person: {digit: "0", to: fin}
on_error: fin
nodes:
  bot: {kind: bot, name: averias, next: fin, unavailable: fin}
  fin: {kind: hangup}
"""


async def test_the_bot_answers_or_is_played_by_hand(people: Crowd) -> None:
    admin = await people.person("admin")
    await admin.sign_in(then="/admin/flujos/principal")
    page = admin.page
    await page.locator(".cm-content").click()
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.press("Delete")  # what is typed over coloured words, Chromium would colour by itself
    await page.keyboard.insert_text(TEXT)
    await page.get_by_role("tab", name="Probar").click()
    by_hand = page.get_by_role("checkbox", name="Responder yo por el asistente de voz")
    await expect(by_hand).not_to_be_checked()
    for width in WIDTHS:
        await admin.is_at(width)
        assert await admin.overflows() == [], width
        assert await admin.axe() == [], width
    await admin.is_at("laptop")
    await page.get_by_role("button", name="Empezar una llamada de prueba").click()
    talk = page.get_by_role("log")
    await expect(talk).to_contain_text("¿Qué servicio tiene el problema?")
    await page.get_by_role("button", name="internet", exact=True).click()
    await expect(talk).to_contain_text("seis dígitos")
    await page.get_by_label("Teclas o palabras").fill("204510")
    await page.get_by_role("button", name="Enviar").click()
    await expect(talk).to_contain_text("¿Es urgente?")
    assert await admin.axe() == []
    await page.get_by_role("button", name="no", exact=True).click()
    await expect(talk).to_contain_text("La llamada terminó.")

    await page.get_by_role("tab", name="Diagrama").click()  # and back: another trial
    await page.get_by_role("tab", name="Probar").click()
    await by_hand.check()
    await page.get_by_role("button", name="Empezar una llamada de prueba").click()
    await expect(page.get_by_text("Habla el asistente de voz. ¿Cómo termina?")).to_be_visible()
    await page.get_by_role("button", name="No responde").click()
    await expect(talk).to_contain_text("La llamada terminó.")
