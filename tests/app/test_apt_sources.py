"""Reading the machine's own apt sources: Debian 12, Debian with one-line files, Ubuntu 24.04, third parties."""

from __future__ import annotations

from app.apt_sources import (
    AptSource,
    base_source,
    distribution_sources,
    other_suite,
    parse_deb822,
    parse_list,
    parse_os_release,
    version_tuple,
    with_components,
)

DEBIAN = """\
Types: deb deb-src
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://old.example/debian
Suites: bookworm
Components: main
"""
UBUNTU = """\
Types: deb
URIs: http://archive.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main restricted universe multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.example/ubuntu/
Suites: noble-security
Components: main restricted universe multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""
ARMOURED = """\
Types: deb
URIs: https://packages.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY
 -----END PGP PUBLIC KEY BLOCK-----
"""


def names(sources: list[AptSource]) -> list[tuple[str, str]]:
    return [(source.uri, source.suite) for source in sources]


def test_debian_in_deb822() -> None:
    sources = list(parse_deb822(DEBIAN))
    assert names(sources) == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
    ]
    assert sources[0].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    base = base_source(distribution_sources(sources, "bookworm"))
    assert base is not None
    sid = other_suite(base, "sid", "main")
    assert (sid.uri, sid.suite, sid.signed_by) == ("http://mirror.example/debian", "sid", base.signed_by)


def test_one_line_sources() -> None:
    text = """
    # deb http://off.example/debian bookworm main
    deb [arch=amd64 signed-by=/etc/apt/keyrings/a.gpg] http://mirror.example/debian bookworm main contrib # remark
    deb-src http://mirror.example/debian bookworm main
    deb [trusted=yes] file:///srv/mirror bookworm main
    deb cdrom:[Debian]/ bookworm main
    """
    sources = list(parse_list(text))
    assert names(sources)[:2] == [("http://mirror.example/debian", "bookworm"), ("file:///srv/mirror", "bookworm")]
    assert sources[0].components == ("main", "contrib")
    assert sources[0].signed_by == "/etc/apt/keyrings/a.gpg"
    assert sources[1].options == {"trusted": "yes"}
    assert "Trusted: yes" in sources[1].render("amd64")
    assert names(distribution_sources(sources, "bookworm")) == names(sources)[:2], "a disc cannot be fetched from"


def test_ubuntu_uses_its_own_suites() -> None:
    own = distribution_sources(parse_deb822(UBUNTU), "noble")
    assert [suite for _, suite in names(own)] == ["noble", "noble-updates", "noble-security"], "no backports"
    assert "universe" in own[0].components


def test_third_parties_are_not_the_distribution() -> None:
    third = "deb https://packages.example/apt cloud-tools-bookworm main\ndeb https://node.example/20 nodistro main\n"
    assert distribution_sources(parse_list(third), "bookworm") == []
    assert base_source([]) is None


def test_the_name_stable_counts_as_the_release() -> None:
    sources = list(parse_list("deb http://mirror.example/debian stable main"))
    assert names(distribution_sources(sources, "bookworm", ("stable",))) == [("http://mirror.example/debian", "stable")]


def test_an_armoured_key_goes_round() -> None:
    (source,) = parse_deb822(ARMOURED)
    (again,) = parse_deb822(source.render("arm64"))
    assert again.signed_by == source.signed_by
    assert source.signed_by.splitlines() == [
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "",
        "mDMEY",
        "-----END PGP PUBLIC KEY BLOCK-----",
    ]


def test_components_are_added_once() -> None:
    source = AptSource(uri="http://m.example", suite="bookworm", components=("main", "non-free"))
    assert with_components(source, "non-free", "contrib").components == ("main", "non-free", "contrib")


def test_versions() -> None:
    assert version_tuple("Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5") == (20, 6, 0)
    assert version_tuple("1:22.10.1+dfsg+~cs6.17.60671434-1") == (22, 10, 1)
    assert version_tuple("FreeSWITCH version: 1.10.12-release~64bit") == (1, 10, 12)
    assert version_tuple("postgres (PostgreSQL) 16.14") == (16, 14)
    assert version_tuple("no number") == ()
    assert version_tuple("Asterisk 9.0") < (20,) <= version_tuple("Asterisk 20")


def test_os_release() -> None:
    facts = parse_os_release('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\n# x=y\n')
    assert facts == {"PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)", "VERSION_CODENAME": "bookworm"}
