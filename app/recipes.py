"""What is fetched for each program, and how its bundle is put together."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.apt_root import ProvisionError, own_sources, release, run
from app.apt_sources import AptSource, base_source, other_suite, with_components
from app.bundle import Tree, copy_libraries, write_starter

_START_S = 60.0
ASTERISK_SUITE = "sid"  # Debian 12 and 13 have no Asterisk; sid does
# Modules that nobody here needs and that would pull in 60 MB of libraries (ICU, codec2, LDAP, SNMP, ODBC, ...).
_UNUSED_MODULES = (  # noqa: SIM905  # a page of one-word lines is not easier to read
    "res_calendar* codec_codec2 codec_amr* format_amr* res_config_* cdr_tds cel_tds cdr_radius cel_radius cdr_pgsql "
    "cel_pgsql res_snmp chan_console app_jack res_xmpp chan_motif res_ldap cdr_*odbc cel_odbc func_odbc res_odbc* "
    "app_voicemail* pbx_lua pbx_dundi chan_iax2 chan_unistim res_fax_spandsp res_hep* chan_ooh323 app_festival "
    "app_alarmreceiver res_phoneprov test_*"
).split()
# Opened by name at run time, so no list of needed libraries tells them: NSS, on which libsrtp stands, loads its ciphers
# like this, and verifies them by the .chk beside each.
_OPENED_LIBRARIES = ("libsoftokn3.*", "libfreebl3.*", "libfreeblpriv3.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    name: str
    packages: tuple[str, ...]
    main_package: str  # its version is the bundle's
    sources: Callable[[], list[AptSource]]
    build: Callable[[Tree, Path], Awaitable[None]]
    space_mb: int  # while it is being unpacked


def _host_sources() -> list[AptSource]:
    """The machine's own release with the components that hold free and freely usable programs."""
    extra = ("universe", "multiverse") if release().get("ID") == "ubuntu" else ("non-free",)
    return [with_components(source, *extra) for source in own_sources()]


def _asterisk_sources() -> list[AptSource]:
    if release().get("ID") != "debian":
        return _host_sources()
    base = base_source(own_sources())
    if base is None:
        raise ProvisionError("no Debian mirror")
    return [other_suite(base, ASTERISK_SUITE, "main")]


async def _build_asterisk(tree: Tree, prefix: Path) -> None:
    modules = tree.libraries / "asterisk/modules"
    program = tree.root / "usr/sbin/asterisk"
    for pattern in _UNUSED_MODULES:
        for module in modules.glob(f"{pattern}.so"):
            module.unlink()
    opened = [path for name in _OPENED_LIBRARIES for path in tree.libraries.rglob(name)]
    libraries, lacking = await tree.closure([program, *modules.glob("*.so"), *opened])
    libraries.update(opened)
    if program in lacking:
        raise ProvisionError(f"the unpacked Asterisk lacks libraries: {', '.join(lacking[program])}")
    for module in set(lacking).difference(opened):
        module.unlink()
    copy_libraries(tree, libraries, prefix / "lib")
    shutil.move(modules, prefix / "lib/modules")
    _take(program, prefix / "libexec/asterisk")
    data = prefix / "share/asterisk"
    shutil.move(tree.root / "usr/share/asterisk", data)
    var_data = tree.root / "var/lib/asterisk"
    for name in ("documentation", "rest-api", "static-http", "moh", "sounds"):
        if (var_data / name).is_dir() and not (data / name).is_dir():  # Ubuntu's layout
            (data / name).unlink(missing_ok=True)
            shutil.move(var_data / name, data / name)
    _mend_links(data)
    # OpenSSL would otherwise read the host's configuration and modules, made for another version
    write_starter(
        prefix,
        "asterisk",
        prefix / "libexec/asterisk",
        {"OPENSSL_CONF": "/dev/null", "OPENSSL_MODULES": "$P/lib", "GCONV_PATH": "$P/lib"},
    )


def _mend_links(data: Path) -> None:
    """Links that pointed into the host are dropped; the sound sets get the names of their languages."""
    for path in data.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()
    sounds = data / "sounds"
    for language, voices in {"en": "en_US*", "es": "es_*"}.items():
        link = sounds / language
        for voice in sorted(sounds.glob(voices)):
            if not link.exists():
                link.symlink_to(voice.name)


def _take(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    target.chmod(0o755)


def _tool(
    name: str,
    package: str,
    *more: str,
    share: tuple[str, ...] = (),
    modules: str = "",
    environment: dict[str, str] | None = None,
    patch: tuple[bytes, bytes] | None = None,
    before: str = "",
    space_mb: int = 200,
) -> Recipe:
    """A program with its libraries; `share` are its data folders, `modules` its folder of plug-ins below the libraries'
    one."""

    async def build(tree: Tree, prefix: Path) -> None:
        program = tree.root / "usr/bin" / name
        plugins = sorted((tree.libraries / modules).glob("*.so")) if modules else []
        if modules and not plugins:
            plugins = sorted((tree.root / "usr/lib" / modules).glob("*.so"))
        libraries, lacking = await tree.closure([program, *plugins])
        if program in lacking:
            raise ProvisionError(f"the unpacked {name} lacks libraries: {', '.join(lacking[program])}")
        copy_libraries(tree, libraries, prefix / "lib")
        _take(program, prefix / "libexec" / name)
        if patch is not None:
            _patch(prefix / "libexec" / name, *patch)
        for plugin in set(plugins) - set(lacking):
            _take(plugin, prefix / "lib/modules" / plugin.name)
        for folder in share:
            source = next(
                (root for root in (tree.root / "usr/share", tree.libraries) if (root / folder).exists()), None
            )
            if source is None:
                raise ProvisionError(f"the package {package} holds no {folder}")
            shutil.copytree(source / folder, prefix / "share" / folder)
        write_starter(prefix, name, prefix / "libexec" / name, environment or {}, before)

    return Recipe(
        name=name,
        packages=(package, *more),
        main_package=package,
        sources=_host_sources,
        build=build,
        space_mb=space_mb,
    )


# Those of the machine itself are used: they come from the same release, and belong to its loader.
_C_LIBRARY = ("ld-linux", "libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so", "libresolv.so", "libutil.so")


async def _build_chromium(tree: Tree, prefix: Path) -> None:
    """Not with a loader of its own: Chromium starts itself anew by /proc/self/exe, which would be that loader."""
    home = tree.root / "usr/lib/chromium"
    program = home / "chromium"
    if not program.is_file():
        raise ProvisionError("the package chromium holds no browser: on Ubuntu it is only a pointer to a snap")
    opened = [path for name in _OPENED_LIBRARIES for path in tree.libraries.rglob(name)]
    binaries = [program, home / "chrome_crashpad_handler", *home.glob("*.so"), *opened]
    libraries, lacking = await tree.closure([path for path in binaries if path.is_file()])
    if program in lacking:
        raise ProvisionError(f"the unpacked chromium lacks libraries: {', '.join(lacking[program])}")
    libraries.update(path for path in opened if path not in lacking)
    (prefix / "lib").mkdir(parents=True)
    for library in libraries:
        if not library.name.startswith(_C_LIBRARY) and home not in library.parents:
            shutil.copy2(library, prefix / "lib" / library.name)
    shutil.copytree(home, prefix / "lib/chromium")
    shutil.copytree(tree.root / "usr/share/fonts", prefix / "share/fonts")
    # Without a font of the machine nothing that our pages bring none for would be drawn.
    (prefix / "share/fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        '<dir>/usr/share/fonts</dir><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir>'
        "</fontconfig>\n"
    )
    starter = prefix / "bin/chromium"
    starter.parent.mkdir()
    starter.write_text(
        "#!/bin/sh\n"
        'P=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
        'export LD_LIBRARY_PATH="$P/lib" FONTCONFIG_FILE="$P/share/fonts.conf" CHROME_WRAPPER="$0"\n'
        'exec "$P/lib/chromium/chromium" "$@"\n'
    )
    starter.chmod(0o755)
    code, output = await run([str(starter), "--version"], timeout_s=_START_S)
    if code:
        raise ProvisionError(f"the unpacked chromium does not start: {output.strip()[-300:]}")


def _patch(program: Path, old: bytes, new: bytes) -> None:
    raw = program.read_bytes()
    if raw.count(old + b"\0") != 1 or len(new) > len(old):
        raise ProvisionError(f"{program.name} is not built as expected: its data folder cannot be moved")
    program.write_bytes(raw.replace(old + b"\0", new.ljust(len(old) + 1, b"\0")))


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="asterisk",
            packages=(
                "asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm", "asterisk-core-sounds-es-gsm",
                "asterisk-core-sounds-es-wav", "asterisk-moh-opsound-gsm", "asterisk-moh-opsound-wav",
            ),
            main_package="asterisk",
            sources=_asterisk_sources,
            build=_build_asterisk,
            space_mb=600,
        ),
        _tool("redis-server", "redis-server"),
        Recipe(  # for the tests alone
            name="chromium",
            packages=("chromium", "fonts-dejavu-core"),
            main_package="chromium",
            sources=_host_sources,
            build=_build_chromium,
            space_mb=1500,
        ),
        _tool("sipp", "sip-tester"),
        _tool("baresip", "baresip-core", modules="baresip/modules", share=("baresip",), space_mb=400),
        # Its data folder is compiled in. The starter opens the real one as descriptor 9, and the program is told that.
        _tool(
            "pico2wave",
            "libttspico-utils",
            "libttspico-data",
            share=("pico",),
            patch=(b"/usr/share/pico/lang/", b"/proc/self/fd/9/"),
            before='exec 9<"$P/share/pico/lang"\n',
        ),
        _tool(
            "espeak-ng", "espeak-ng", "espeak-ng-data", share=("espeak-ng-data",),
            environment={"ESPEAK_DATA_PATH": "$P/share"},
        ),
    )
}  # fmt: skip
