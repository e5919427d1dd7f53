"""YAML to data with places: what is refused, where it is said to be, and that nothing crashes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.source import MAX_DEPTH, decode, parse


def only(text: str) -> tuple[str, int, int]:
    findings = parse(text, "f.yaml").findings
    assert len(findings) == 1, findings
    return findings[0].code, findings[0].line, findings[0].column


def test_scalars_stay_as_written() -> None:
    source = parse("a: 0987\nb: no\nc: '1'\nd:\ne: ~\nf: [1.0, x]\n", "f")
    assert source.data == {"a": "0987", "b": "no", "c": "1", "d": None, "e": None, "f": ["1.0", "x"]}
    assert not source.findings


def test_every_value_has_its_place() -> None:
    source = parse("a:\n  - x\n  - b: y\n", "f")
    assert source.place(("a", 1, "b")) == (3, 8)
    assert source.place(("a", 1, "b"), key=True) == (3, 5)
    assert source.place(("a", 1, "b", "not", "there")) == (3, 8)
    assert source.place(("a", 0)) == (2, 5)


def test_an_empty_value_is_at_its_key() -> None:
    assert parse("a:\n  b:\n\n\n  c: x\n", "f").place(("a", "b")) == (2, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ("yaml.duplicate_key", 3, 1)),
        ("a: {b: 1, c: {d: 1}, b: {c: {d: 2}}}\n", ("yaml.duplicate_key", 1, 22)),
        ("a: &x 1\n", ("yaml.anchor", 1, 4)),
        ("a: *x\n", ("yaml.alias", 1, 4)),
        ("a: !!python/object:os.system x\n", ("yaml.tag", 1, 4)),
        ("? [a]\n: b\n", ("yaml.key", 1, 3)),
        ("a: b: c\n", ("yaml.syntax", 1, 5)),
        ("a: [1\n", ("yaml.syntax", 1, 4)),
        ("a: 1\n---\nb: 2\n", ("yaml.documents", 2, 1)),
        ('a: "\\ud800"\n', ("yaml.syntax", 1, 7)),
        ('a: "\\0"\n', ("yaml.character", 1, 4)),
        ('a: "\\UFFFFFFFF"\n', ("yaml.syntax", 1, 7)),
        ("\x00", ("yaml.syntax", 1, 1)),
    ],
)
def test_what_is_refused(text: str, expected: tuple[str, int, int]) -> None:
    assert only(text) == expected


def test_the_first_of_two_equal_keys_stands() -> None:
    assert parse("a: 1\na: {b: 2}\nc: 3\n", "f").data == {"a": "1", "c": "3"}


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "[" * 100_000,
        "{" * 100_000,
        "- " * 50_000,
        "? " * 50_000,
        "a: " * 1000,
        "x" * 300_000,
        "- x\n" * 60_000,
        "".join(f"{' ' * depth}a:\n" for depth in range(500)),
        "a: [" + "[]," * 60_000 + "]",
        "&a " * 20_000,
        "'" * 9_999,
        "%" * 10_000,
    ],
    ids=lambda text: f"{text[:6]!r}",
)
def test_hostile_files_end_soon_and_in_findings(text: str) -> None:
    started = time.process_time()
    source = parse(text, "f")
    assert source.findings
    assert time.process_time() - started < 10  # the machine is shared; without the limits these take minutes or memory


def test_the_depth_is_limited() -> None:
    deep = "".join(f"{' ' * depth}a:\n" for depth in range(MAX_DEPTH + 2))
    assert only(deep)[0] == "yaml.too_deep"


def test_bytes_that_are_no_text() -> None:
    text, findings = decode(b"a: 1\nb: \xff\n", "f")
    assert text == ""
    assert [(f.code, f.line, f.column) for f in findings] == [("yaml.encoding", 2, 4)]
    assert decode("\ufeffa: ñ".encode(), "f") == ("a: ñ", [])


YAMLISH = st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@#, \n\t\\0~.<=ñ\u2028\x07"), max_size=200)


@given(st.one_of(st.text(max_size=300), YAMLISH))
def test_no_text_crashes_the_parser(text: str) -> None:
    source = parse(text, "f")
    assert source.findings or json.loads(json.dumps(source.data)) == source.data
    assert all(line >= 1 and column >= 1 for line, column in [*source.values.values(), *source.keys.values()])
