"""What callers hear, word for word, and what must hold for every value."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.speech import spanish
from ivr_flows.speech.saying import SAYINGS, say, say_count
from ivr_flows.templates import render


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "cero"),
        (1, "uno"),
        (15, "quince"),
        (16, "dieciséis"),
        (20, "veinte"),
        (21, "veintiuno"),
        (22, "veintidós"),
        (30, "treinta"),
        (31, "treinta y uno"),
        (99, "noventa y nueve"),
        (100, "cien"),
        (101, "ciento uno"),
        (115, "ciento quince"),
        (200, "doscientos"),
        (500, "quinientos"),
        (777, "setecientos setenta y siete"),
        (999, "novecientos noventa y nueve"),
        (1000, "mil"),
        (1001, "mil uno"),
        (1100, "mil cien"),
        (2026, "dos mil veintiséis"),
        (21_000, "veintiún mil"),
        (31_021, "treinta y un mil veintiuno"),
        (100_000, "cien mil"),
        (101_000, "ciento un mil"),
        (1_000_000, "un millón"),
        (1_000_001, "un millón uno"),
        (2_000_000, "dos millones"),
        (21_000_000, "veintiún millones"),
        (1_000_000_000, "mil millones"),
        (10**12, "un billón"),
        (-7, "menos siete"),
    ],
)
def test_whole_numbers(number: int, words: str) -> None:
    assert spanish.cardinal(number) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("3.5", "tres coma cinco"),
        (0.05, "cero coma cero cinco"),
        (2.0, "dos"),
        ("-1.25", "menos uno coma veinticinco"),
        (1.0005, "uno coma cero cero uno"),
        ("12", "doce"),
        ("0,05", "cero coma cero cinco"),
        ("1.000.000", "un millón"),
        ("1,000,000", "un millón"),
        ("1.234,5", "mil doscientos treinta y cuatro coma cinco"),
        ("1,234.5", "mil doscientos treinta y cuatro coma cinco"),
    ],
)
def test_decimal_numbers(value: object, words: str) -> None:
    assert spanish.number(value) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "cero dólares"),
        (1, "un dólar"),
        (0.01, "un centavo"),
        (0.5, "cincuenta centavos"),
        (1.01, "un dólar con un centavo"),
        ("12.50", "doce dólares con cincuenta centavos"),
        (21.21, "veintiún dólares con veintiún centavos"),
        (31, "treinta y un dólares"),
        (100, "cien dólares"),
        (101, "ciento un dólares"),
        (1000, "mil dólares"),
        (1_000_000, "un millón de dólares"),
        (1_000_100, "un millón cien dólares"),
        (2.675, "dos dólares con sesenta y ocho centavos"),
        (0.1 + 0.2, "treinta centavos"),
        (-4.5, "menos cuatro dólares con cincuenta centavos"),
        ("23,40", "veintitrés dólares con cuarenta centavos"),
        ("1.234,56", "mil doscientos treinta y cuatro dólares con cincuenta y seis centavos"),
        ("$5", "cinco dólares"),
        ("USD 5,00", "cinco dólares"),
        ("-$ 1.234,50", "menos mil doscientos treinta y cuatro dólares con cincuenta centavos"),
        ("5 dólares", "cinco dólares"),
    ],
)
def test_money(amount: object, words: str) -> None:
    assert spanish.money(amount) == words


@pytest.mark.parametrize("text", ["", "$", "1.23.4", "12.34.567", "1,2,3", "1.234.567.8", "1.2,3.4", "doce", "1 2"])
def test_what_nobody_writes_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError):
        spanish.money(text)


@pytest.mark.parametrize(
    ("number", "noun", "more", "words"),
    [
        (0, "persona", (), "cero personas"),
        (1, "persona", (), "una persona"),
        (21, "persona", (), "veintiuna personas"),
        (200, "persona", (), "doscientas personas"),
        (1, "minuto", (), "un minuto"),
        (21, "día", (), "veintiún días"),
        (31, "mes", ("meses",), "treinta y un meses"),
        (1, "reclamo", (), "un reclamo"),
        (101, "sector", (), "ciento un sectores"),
        (21, "planilla", (), "veintiuna planillas"),
        (1, "problema", (), "un problema"),
        (21, "interrupción", (), "veintiuna interrupciones"),
        (2, "vez", (), "dos veces"),
        (1, "agente", ("agentes", "f"), "una agente"),
        (21, "número de contrato", ("números de contrato",), "veintiún números de contrato"),
        (1_000_000, "persona", (), "un millón de personas"),
        ("2,5", "hora", (), "dos coma cinco horas"),
    ],
)
def test_so_many_of_a_noun(number: object, noun: str, more: tuple[str, ...], words: str) -> None:
    assert say_count(number, noun, *more) == words
    written = ", ".join(repr(each) for each in (noun, *more))
    assert render(f"{{{{ n | count({written}) }}}}", {"n": number}) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2026-03-02", "lunes dos de marzo de dos mil veintiséis"),
        ("2026-11-01", "domingo primero de noviembre de dos mil veintiséis"),
        ("16/03/2026", "lunes dieciséis de marzo de dos mil veintiséis"),
        ("2-3-2026", "lunes dos de marzo de dos mil veintiséis"),
        ("2026-3-2", "lunes dos de marzo de dos mil veintiséis"),
        ("2026/03/02 8:00", "lunes dos de marzo de dos mil veintiséis"),
        ("2025-12-31", "miércoles treinta y uno de diciembre de dos mil veinticinco"),
        # three in the morning in Greenwich is still the day before in Cuenca
        ("2026-03-02T03:00:00+00:00", "domingo primero de marzo de dos mil veintiséis"),
    ],
)
def test_dates(value: str, words: str) -> None:
    assert say("date", value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("00:00", "las doce de la noche"),
        ("00:30", "las doce y media de la noche"),
        ("01:00", "la una de la madrugada"),
        ("05:05", "las cinco y cinco de la mañana"),
        ("9:15", "las nueve y quince de la mañana"),
        ("12:00", "las doce del mediodía"),
        ("12:45", "las doce y cuarenta y cinco de la tarde"),
        ("13:21", "la una y veintiuno de la tarde"),
        ("15:30", "las tres y media de la tarde"),
        ("19:00", "las siete de la noche"),
        ("2026-03-02T15:00:00", "las tres de la tarde"),
        ("2026-03-02T20:00:00Z", "las tres de la tarde"),
    ],
)
def test_times(value: str, words: str) -> None:
    assert say("time", value) == words


def test_a_moment_is_day_and_time() -> None:
    assert say("moment", "2026-03-02T15:30:00") == "lunes dos de marzo a las tres y media de la tarde"
    assert say("moment", "02/03/2026 9:05") == "lunes dos de marzo a las nueve y cinco de la mañana"
    assert say("day", "2026-03-02") == "lunes dos de marzo"


@pytest.mark.parametrize("value", [0, "0", "31/02/2026", "16/03/26", "2026-13-01"])
def test_what_is_no_day_is_not_said_as_one(value: object) -> None:
    """0 is a variable that nobody set: no opening, no date."""
    with pytest.raises(ValueError):
        say("date", value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0102030405", "cero uno cero, dos cero tres, cero cuatro cero cinco"),
        ("12", "uno dos"),
        ("1", "uno"),
        ("12345", "uno dos tres, cuatro cinco"),
        ("1*#", "uno asterisco numeral"),
        (471, "cuatro siete uno"),
    ],
)
def test_digits(value: object, words: str) -> None:
    assert say("digits", value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0991234567", "cero nueve nueve, uno dos tres, cuatro cinco seis siete"),
        ("+593991234567", "cero nueve nueve, uno dos tres, cuatro cinco seis siete"),
        ("593 99 123 4567", "cero nueve nueve, uno dos tres, cuatro cinco seis siete"),
        ("072831900", "cero siete, dos ocho tres, uno nueve cero cero"),
        ("+593 7 283 1900", "cero siete, dos ocho tres, uno nueve cero cero"),
        ("136", "uno tres seis"),
        ("+12025550123", "más uno dos, cero dos cinco, cinco cinco cero, uno dos tres"),
    ],
)
def test_telephone_numbers(value: str, words: str) -> None:
    assert say("phone", value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "menos de un minuto"),
        (20, "menos de un minuto"),
        (60, "un minuto"),
        (200, "tres minutos"),
        (21 * 60, "veintiún minutos"),
        (3600, "una hora"),
        (7300, "dos horas"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert say("duration", seconds) == words


@pytest.mark.parametrize("kind", sorted(SAYINGS))
@pytest.mark.parametrize(
    "value", [None, True, [], {}, "9" * 400, float("nan"), float("inf"), "x", "-", 10**30, "99:99"]
)
def test_what_cannot_be_said_is_a_value_error_or_harmless(kind: str, value: object) -> None:
    with contextlib.suppress(ValueError):
        assert len(say(kind, value)) < 2000


@given(st.integers(-(10**15), 10**15))
def test_every_number_has_words_of_its_own(number: int) -> None:
    words = spanish.cardinal(number)
    assert read(words) == number
    assert not any(c.isdigit() for c in words)
    assert "  " not in words


@given(st.integers(0, 10**13))
def test_every_amount_is_dollars_and_cents(cents: int) -> None:
    words = spanish.money(f"{cents // 100}.{cents % 100:02d}")
    assert ("centavo" in words) == (cents % 100 > 0)
    assert ("dólar" in words) == (cents >= 100 or cents == 0)
    assert "uno dólar" not in words
    assert "uno centavo" not in words


@given(st.dates(dt.date(1970, 1, 2), dt.date(2199, 12, 30)), st.times())
def test_every_date_and_time_can_be_said(day: dt.date, time: dt.time) -> None:
    assert spanish.MONTHS[day.month - 1] in say("date", day.isoformat())
    assert say("time", dt.datetime.combine(day, time).isoformat()).startswith(("la una", "las "))


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_are_all_said_in_order(text: str) -> None:
    words = say("digits", text).replace(",", "").split()
    assert "".join(str(NUMBERS[word]) for word in words) == text


# --- reading words back: written apart from the code under test --------------------

NUMBERS = {
    "cero": 0, "un": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciséis": 16,
    "diecisiete": 17, "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veintiuno": 21, "veintiún": 21,
    "veintidós": 22, "veintitrés": 23, "veinticuatro": 24, "veinticinco": 25, "veintiséis": 26, "veintisiete": 27,
    "veintiocho": 28, "veintinueve": 29, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70,
    "ochenta": 80, "noventa": 90, "cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300,
    "cuatrocientos": 400, "quinientos": 500, "seiscientos": 600, "setecientos": 700, "ochocientos": 800,
    "novecientos": 900,
}  # fmt: skip


def read(words: str) -> int:
    if words.startswith("menos "):
        return -read(words[6:])
    total = group = 0
    big = 0
    for word in words.split():
        if word == "y":
            continue
        if word == "mil":
            group = max(group, 1) * 1000
        elif word in ("millón", "millones"):
            total, group = total + group * 10**6, 0
        elif word in ("billón", "billones"):
            big, group = big + group * 10**12, 0
        else:
            group += NUMBERS[word]
    return big + total + group
