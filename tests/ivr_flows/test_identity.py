from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.identity import full_phone, is_cedula, is_phone, is_ruc


@pytest.mark.parametrize("text", ["1710034065", "0102030400", "0926687856", "0100000009"])
def test_cedulas(text: str) -> None:
    assert is_cedula(text)


@pytest.mark.parametrize(
    "text",
    [
        "1710034064",
        "0000000000",
        "2510034065",
        "1760034065",
        "171003406",
        "17100340655",
        "17100340a5",
        "",
        "١٧١٠٠٣٤٠٦٥",
    ],
)
def test_no_cedulas(text: str) -> None:
    assert not is_cedula(text)


@given(st.integers(1, 24), st.integers(0, 5), st.integers(0, 10**6 - 1), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(province: int, third: int, rest: int, slip: int) -> None:
    body = f"{province:02d}{third}{rest:06d}"
    good = next(body + str(d) for d in range(10) if is_cedula(body + str(d)))
    wrong = good[:9] + str((int(good[9]) + slip) % 10)
    assert not is_cedula(wrong)
    assert is_ruc(good + "001")
    assert not is_ruc(good + "000")
    assert not is_ruc(wrong + "001")


@pytest.mark.parametrize("text", ["1710034065001", "1790012344001", "1760001550001", "0160000270001"])
def test_rucs_of_people_companies_and_public_bodies(text: str) -> None:
    assert is_ruc(text)


@pytest.mark.parametrize(
    "text", ["1790012354001", "1760001560001", "1710034065000", "1770012344001", "179001234400", ""]
)
def test_no_rucs(text: str) -> None:
    assert not is_ruc(text)


@pytest.mark.parametrize(
    ("text", "full"), [("0991234567", "0991234567"), ("072831900", "072831900"), ("2831900", "072831900")]
)
def test_phones(text: str, full: str) -> None:
    assert is_phone(text)
    assert full_phone(text) == full


@pytest.mark.parametrize("text", ["099123456", "1234567", "0812345678", "09912345678", "911", ""])
def test_no_phones(text: str) -> None:
    assert not is_phone(text)
