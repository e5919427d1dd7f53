"""Every way a settings file can be wrong, and what the operator reads then."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field, model_validator

from foundation.settings import PlainAllowed, Secret, Section, SettingsError, describe, load
from pbx.settings import PbxSettings


class Phone(Section):
    name: str = Field(pattern=r"^[a-z]+$")
    password: Secret = Field(min_length=8)
    codecs: list[Literal["pcma", "pcmu", "opus"]] = ["pcma"]


class DemoPhone(Section):
    name: str
    password: Annotated[Secret, PlainAllowed]


class Sip(Section):
    port: int = Field(default=5060, ge=1, le=65535)
    external_address: str | None = None
    tls: bool = False


class Web(Section):
    url: str = "http://127.0.0.1"
    session_minutes: int


def _loud(value: Secret) -> Secret:
    raise ValueError(f"bad key {value.get_secret_value()}")


class All(Section):
    sip: Sip = Sip()
    web: Web = Web(session_minutes=5)
    phones: list[Phone] = []
    demo: list[DemoPhone] = []
    trunks: dict[str, Sip] = {}
    key: Secret | None = None
    loud: Annotated[Secret, AfterValidator(_loud)] | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> All:
        names = [phone.name for phone in self.phones]
        if len(set(names)) < len(names):
            raise ValueError("two phones have the same name")
        return self


def write(folder: Path, text: str) -> Path:
    path = folder / "rimay.yaml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str, **options: object) -> list[str]:
    """One line for each mistake, without the folder."""
    path = write(folder, text)
    with pytest.raises(SettingsError) as caught:
        load(All, path, **options)  # type: ignore[arg-type]
    assert caught.value.code == "settings.invalid"
    return caught.value.message.replace(f"{folder}/", "").splitlines()


def test_a_good_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "sip: &sip\n  port: 5070\n  tls: true\n"
        "phones:\n  - name: ana\n    password: {env: ANA}\ntrunks:\n  main: *sip\n",
    )
    settings = load(All, path, environ={"ANA": "0123456789"})
    assert settings.sip == Sip(port=5070, tls=True) == settings.trunks["main"]
    assert settings.phones[0].password.get_secret_value() == "0123456789"


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert load(All, write(tmp_path, "# nothing yet\n")) == All()


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "sip:\n"
        "  prt: 5070\n"
        "  port: many\n"
        "  port: 5071\n"
        "  tls: 12\n"
        "web: {}\n"
        "phones:\n"
        "  - name: Ana\n"
        "    password: {env: NOT_THERE}\n"
        "    codecs: [pcma, pcmuu]\n"
        "  - password: {env: GOOD}\n"
        "external_address: 10.0.0.1\n"
        "zzz: 1\n"
    )
    assert mistakes(tmp_path, text, environ={"GOOD": "long enough"}) == [
        "rimay.yaml:2:3: sip.prt: unknown key; did you mean 'port'?",
        "rimay.yaml:3:3: sip.port: expected a whole number, found text",
        "rimay.yaml:4:3: sip.port: duplicate key, first set in line 3",
        "rimay.yaml:5:3: sip.tls: expected true or false, found a number",
        "rimay.yaml:6:1: web.session_minutes: this required key is missing",
        "rimay.yaml:8:5: phones.0.name: must match pattern '^[a-z]+$'",
        "rimay.yaml:9:5: phones.0.password: environment variable NOT_THERE is not set",
        "rimay.yaml:10:20: phones.0.codecs.1: expected 'pcma', 'pcmu' or 'opus'; did you mean 'pcmu'?",
        "rimay.yaml:11:5: phones.1.name: this required key is missing",
        "rimay.yaml:12:1: external_address: unknown key; did you mean 'sip.external_address'?",
        "rimay.yaml:13:1: zzz: unknown key; known here: demo, key, loud, phones, sip, trunks, web",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:\n  port: 0\n", "rimay.yaml:2:3: sip.port: must be greater than or equal to 1"),
        ("sip:\n", "rimay.yaml:1:1: sip: expected a section with keys of its own, found nothing"),
        ("sip: []\n", "rimay.yaml:1:1: sip: expected a section with keys of its own, found a list"),
        ("phones: {}\n", "rimay.yaml:1:1: phones: expected a list, found a section"),
        ("sip:\n  external_address: 10\n", "rimay.yaml:2:3: sip.external_address: expected text (put it in quotes)"),
        ("trunks:\n  a:\n    prot: 1\n", "rimay.yaml:3:5: trunks.a.prot: unknown key; did you mean 'port'?"),
        ("- a\n- b\n", "rimay.yaml:1:1: expected 'key: value' lines at the top"),
        ("just words\n", "rimay.yaml:1:1: expected 'key: value' lines at the top"),
        ("sip:\n  port: 1\n port: 2\n", "rimay.yaml:3:2: YAML: "),
        ("sip: {port: 1\n", "rimay.yaml:2:1: YAML: "),
        ("sip: *nobody\n", "rimay.yaml:1:6: YAML: found undefined alias"),
        ("sip:\n\tport: 1\n", "rimay.yaml:2:1: YAML: "),
        ("a: 1\n---\nb: 2\n", "rimay.yaml:2:1: YAML: "),
        ("sip: !!python/object:os.system {port: 1}\n", "rimay.yaml:1:6: sip: a tag that settings do not know"),
        ("sip:\n  port: !secret 1\n", "rimay.yaml:2:9: sip.port: a tag that settings do not know"),
        ("sip: &x\n  port: *x\n", "rimay.yaml:1:6: sip.port: this alias contains itself"),
        ("? [a, b]\n: 1\n", "rimay.yaml:1:3: a key must be one word"),
        ("sip:\n  port: \x07\n", "rimay.yaml:2:9: YAML: a character that is not allowed in text"),
        ("phones:\n  - {name: a, password: {env: P}}\n  - {name: a, password: {env: P}}\n",
         "rimay.yaml:1:1: two phones have the same name"),
    ],
)  # fmt: skip
def test_one_mistake(tmp_path: Path, text: str, expected: str) -> None:
    told = mistakes(tmp_path, text, environ={"P": "long enough"})
    assert any(expected in line for line in told), told


def test_multiplying_aliases_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert any("do aliases multiply?" in line for line in mistakes(tmp_path, "\n".join(lines)))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(All, tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="Is a directory"):
        load(All, tmp_path)
    (tmp_path / "latin.yaml").write_bytes("sip: ñandú".encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(All, tmp_path / "latin.yaml")


class TestOverrides:
    def test_they_win_over_the_file(self, tmp_path: Path) -> None:
        path = write(tmp_path, "sip: {port: 5070}\n")
        settings = load(All, path, overrides={"sip.port": 5080, "web.session_minutes": 9, "trunks.x.port": 1})
        assert (settings.sip.port, settings.web.session_minutes, settings.trunks["x"].port) == (5080, 9, 1)

    def test_into_a_list(self, tmp_path: Path) -> None:
        path = write(tmp_path, "phones: [{name: a, password: {env: P}}]\n")
        settings = load(All, path, overrides={"phones.0.name": "b"}, environ={"P": "long enough"})
        assert settings.phones[0].name == "b"

    def test_their_mistakes_name_the_command_line(self, tmp_path: Path) -> None:
        text = "phones: [{name: a, password: {env: P}}]\nsip: {prt: 1}\n"
        overrides = {"sip.port": "x", "phones.3.name": "b", "phones.x": "b"}
        assert mistakes(tmp_path, text, overrides=overrides, environ={"P": "long enough"}) == [
            "rimay.yaml:2:7: sip.prt: unknown key; did you mean 'port'?",
            "command line: phones.3.name: there is no such place in the settings",
            "command line: phones.x: there is no such place in the settings",
            "command line: sip.port: expected a whole number, found text",
        ]


class TestSecrets:
    PLAIN = "hunter2-is-secret"

    def load_key(self, folder: Path, reference: str, environ: dict[str, str] | None = None) -> str:
        settings = load(All, write(folder, f"key: {reference}\n"), environ=environ or {})
        assert settings.key is not None
        return settings.key.get_secret_value()

    def test_from_a_file_beside_the_settings(self, tmp_path: Path) -> None:
        secret = tmp_path / "secrets" / "key"
        secret.parent.mkdir()
        secret.write_text("two words \n")
        secret.chmod(0o600)
        assert self.load_key(tmp_path, "{file: secrets/key}") == "two words "
        assert self.load_key(tmp_path, f"{{file: {secret}}}") == "two words "

    @pytest.mark.parametrize("mode", [0o604, 0o602, 0o666])
    def test_a_file_open_to_all_is_refused(self, tmp_path: Path, mode: int) -> None:
        (tmp_path / "key").write_text(self.PLAIN)
        (tmp_path / "key").chmod(mode)
        (told,) = mistakes(tmp_path, "key: {file: key}\n")
        assert told.startswith("rimay.yaml:1:1: key: every user of this machine can read or write")
        assert self.PLAIN not in told

    def test_unusable_files(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo", 0o600)
        for name, content in (("empty", b"\n"), ("binary", b"\xff\xfe"), ("large", b"x" * 70_000)):
            (tmp_path / name).write_bytes(content)
            (tmp_path / name).chmod(0o600)
        for name, problem in (
            ("absent", "No such file"),
            (".", "not a regular file"),
            ("fifo", "not a regular file"),
            ("empty", "is empty"),
            ("binary", "not UTF-8"),
            ("large", "larger than"),
        ):
            (told,) = mistakes(tmp_path, f"key: {{file: {name}}}\n")
            assert problem in told, told

    @pytest.mark.parametrize(
        ("reference", "problem"),
        [
            ("{env: A, file: b}", "exactly one reference"),
            ("{vault: a}", "unknown way"),
            ("{env: 3}", "must be text"),
            ("{env: EMPTY}", "is empty"),
            ("[1]", "a secret is missing"),
            ("true", "a secret is missing"),
            (PLAIN, "must not stand in the settings file"),
            ("12345678", "must not stand in the settings file"),
        ],
    )
    def test_wrong_references(self, tmp_path: Path, reference: str, problem: str) -> None:
        (told,) = mistakes(tmp_path, f"key: {reference}\n", environ={"EMPTY": ""})
        assert problem in told
        assert self.PLAIN not in told
        assert "12345678" not in told

    def test_plain_text_where_the_model_allows_it(self, tmp_path: Path) -> None:
        settings = load(All, write(tmp_path, f"demo: [{{name: a, password: {self.PLAIN}}}]\n"))
        assert settings.demo[0].password.get_secret_value() == self.PLAIN
        assert isinstance(settings.demo[0].password, Secret)
        path = write(tmp_path, "demo: [{name: a, password: {env: P}}]\n")
        assert load(All, path, environ={"P": "x"}).demo[0].password.get_secret_value() == "x"

    def test_no_error_shows_a_secret(self, tmp_path: Path) -> None:
        """Wherever it was put, and however deep one looks: text, facts, traceback, what led to the error."""
        text = (
            f"loud: {{env: P}}\nkeys: {self.PLAIN}\nsip: {{port: {self.PLAIN}}}\n"
            f"phones: [{{name: {self.PLAIN}, password: {self.PLAIN}, codecs: [{self.PLAIN}]}}]\n"
        )
        with pytest.raises(SettingsError) as caught:
            load(All, write(tmp_path, text), environ={"P": self.PLAIN})
        assert len(caught.value.mistakes) == 6
        assert "bad key (hidden)" in caught.value.message
        error: BaseException | None = caught.value
        while error is not None:
            shown = "".join(traceback.format_exception(error)) + repr(error) + repr(getattr(error, "facts", ""))
            assert self.PLAIN not in shown
            error = error.__context__

    def test_nor_does_a_syntax_error(self, tmp_path: Path) -> None:
        for text in (f"key: {{env: {self.PLAIN}\n  x", f'key: "{self.PLAIN}\n', f"key: {self.PLAIN}: x\n"):
            assert all(self.PLAIN not in line for line in mistakes(tmp_path, text))

    def test_shown_settings_hide_them(self, tmp_path: Path) -> None:
        text = f"key: {{env: P}}\ndemo: [{{name: a, password: {self.PLAIN}}}]\nweb: {{session_minutes: 1, url: "
        settings = load(All, write(tmp_path, text + f"'http://me:{self.PLAIN}@h/'}}\n"), environ={"P": self.PLAIN})
        shown = describe(settings)
        assert shown["key"] == "(hidden)"
        assert shown["demo"] == [{"name": "a", "password": "(hidden)"}]
        assert shown["web"]["url"] == "http://me:(hidden)@h/"
        assert self.PLAIN not in repr(settings).replace(settings.web.url, "")

    def test_code_may_give_them_plainly(self) -> None:
        phone = Phone(name="ana", password=Secret(self.PLAIN))
        assert phone.password.get_secret_value() == self.PLAIN
        assert self.PLAIN not in repr(phone)

    def test_constraints_of_the_field_hold(self, tmp_path: Path) -> None:
        (told,) = mistakes(tmp_path, "phones: [{name: a, password: {env: P}}]\n", environ={"P": "short"})
        assert "phones.0.password" in told
        assert "at least 8" in told
        assert "short" not in told.replace("too_short", "")


def test_the_switch_settings_load(tmp_path: Path) -> None:
    """The real sections of the pbx room, with what pydantic reports for networks, enums and nested lists."""
    text = (
        "trunks:\n  - name: etapa\n    gateways: [{host: 10.1.1.1, transport: tpc}]\n"
        "    accept_from: [10.0.0.0/99]\n    registration: {username: a, password: {env: SIP}}\n"
        "dialing: {allow: [abc]}\n"
    )
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(PbxSettings, path, environ={"SIP": "s"})
    keys = [mistake.key for mistake in caught.value.mistakes]
    # A network may be of version 4 or 6: each says what it misses.
    assert list(dict.fromkeys(keys)) == [
        "trunks.0.gateways.0.name",
        "trunks.0.gateways.0.transport",
        "trunks.0.accept_from.0",
        "dialing.allow.0",
    ]
    assert "did you mean 'tcp'?" in caught.value.message
    assert PbxSettings.model_json_schema()["$defs"]["Registration"]["properties"]["password"]["oneOf"]
