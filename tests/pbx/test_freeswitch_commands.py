"""Commands as bytes: nothing that somebody wrote can end a line, add a header or become a variable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.freeswitch import commands
from pbx.terms import CommandRefused

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


def read_by_the_switch(text: str) -> dict[str, str]:
    """Three cuts, each taking one layer of backslashes, as FreeSWITCH reads the variables of an originate."""
    (whole,) = cut(text, " ")
    assert whole[0] == "{"
    assert whole[-1] == "}"
    pairs = [cut(part, "=", 2) for part in cut(whole[1:-1], ",")]
    return {name: value for name, value in pairs}  # noqa: C416 -- two parts each, or it fails


def cut(text: str, delimiter: str, limit: int = 1000) -> list[str]:
    parts, part, at, quoted = [], "", 0, False
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            part += text[at : at + 2]
            at += 2
            continue
        if character == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
        if character == delimiter and not quoted and len(parts) + 1 < limit:
            parts.append(part)
            part = ""
        else:
            part += character
        at += 1
    return [clean(one, delimiter) for one in [*parts, part]]


def clean(text: str, delimiter: str) -> str:
    found, at = "", 0
    meaning = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
    while at < len(text):
        following = text[at + 1] if at + 1 < len(text) else ""
        if text[at] == "\\" and (following in meaning or (following and following in f"'\"\\{delimiter.strip()}")):
            found += meaning.get(following, following)
            at += 2
        else:
            found += text[at]
            at += 1
    return found


@given(
    st.dictionaries(st.from_regex(r"\A[a-z_][a-z0-9_]{0,20}\Z"), TEXT.filter(commands.can_originate_with), min_size=1)
)
def test_originate_variables_arrive_as_they_were(variables: dict[str, str]) -> None:
    assert read_by_the_switch(commands.originate_variables(variables)) == variables


@pytest.mark.parametrize(
    "value", ["a,b'{c}", "O'Brien", 'dice "hola"', "\\n\\s\\", "x=y=z", "José Ñandú", "{}", "<a>|[b]"]
)
def test_difficult_values_are_carried(value: str) -> None:
    assert read_by_the_switch(commands.originate_variables({"a": value, "b": "1"})) == {"a": value, "b": "1"}


@pytest.mark.parametrize("value", ["${api}", "}", "{", "}{", "a\nb", "a\rb", "a\0b", ":_:", " a", "a "])
def test_values_that_cannot_be_carried_are_refused(value: str) -> None:
    with pytest.raises(CommandRefused):
        commands.originate_variables({"a": value})


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "a}", "a\n", "ñ", "a" * 200])
def test_names_are_names(name: str) -> None:
    with pytest.raises(CommandRefused):
        commands.originate_variables({name: "x"})
    with pytest.raises(CommandRefused):
        commands.variable_name(name)


@pytest.mark.parametrize("text", ["api status\n\napi fsctl shutdown", "a\rb", "a\0b"])
def test_a_line_is_one_line(text: str) -> None:
    for attempt in (
        lambda: commands.command(text),
        lambda: commands.command("x", {"a": text}),
        lambda: commands.command("x", {text: "a"}),
    ):
        with pytest.raises(CommandRefused):
            attempt()


@pytest.mark.parametrize("text", ["", "a b", "a\tb", "a\u00a0b", "a\nb"])
def test_a_word_is_one_word(text: str) -> None:
    with pytest.raises(CommandRefused):
        commands.word(text)


def test_a_command_ends_with_an_empty_line() -> None:
    assert commands.command("api status") == b"api status\n\n"
    assert commands.sendmsg("u-1", {"call-command": "execute"}) == b"sendmsg u-1\ncall-command: execute\n\n"
    assert commands.command("api x\ud800") == b"api x?\n\n"


def test_a_path_with_spaces_is_one_argument() -> None:
    assert commands.path_argument("/a b/c'd\\e") == "/a\\sb/c\\'d\\\\e"
    assert cut("x " + commands.path_argument("/a b/c'd\\e"), " ") == ["x", "/a b/c'd\\e"]


@given(st.text(max_size=60).filter(lambda text: text.isprintable()))
def test_our_values_come_back(value: str) -> None:
    encoded = commands.encode_value(value)
    assert commands.decode_value(encoded) == value
    assert not set(encoded) & set(" ,'\"${}\\\n\r")
    assert encoded
