"""What a program that was unpacked from packages needs of them: found where they lie, told where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app import bundle
from app.apt_root import ARCHITECTURES, architecture
from app.bundle import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    for name in ("ld-linux.so.2", "libz.so.1", "pulseaudio/libpulsecommon-16.1.so", "libpsl/libother.so.5"):
        path = tree.libraries / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tree.libraries / "gconv").mkdir()
    (tree.libraries / "gconv/UTF-16.so").touch()
    return tree


def test_libraries_in_folders_of_their_own_are_found(tree: Tree) -> None:
    own = tree.root / "usr/lib" / ARCHITECTURES[architecture()]
    assert tree.search_path.split(":") == [str(own), str(own / "libpsl"), str(own / "pulseaudio")]


async def test_what_is_nowhere_is_told_however_the_loader_says_it(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose library lacks another ends the loader's list; it used to be taken for one that needs nothing."""
    said = {
        "whole": f"\tlibz.so.1 => {tree.libraries}/libz.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n",
        "lists": f"\tlibz.so.1 => {tree.libraries}/libz.so.1 (0x1)\n\tlibgone.so.3 => not found\n",
        "ends": "/x/ends: error while loading shared libraries: libfar.so: cannot open shared object file: No such\n",
        "text": "/x/text: error while loading shared libraries: /x/text: invalid ELF header\n",
    }

    async def loader(argv: Sequence[str], **_more: object) -> tuple[int, str]:
        return 0, said[Path(argv[-1]).name]

    monkeypatch.setattr(bundle, "run", loader)
    found, lacking = await tree.closure(Path(name) for name in said)
    assert found == {tree.libraries / "libz.so.1"}
    assert lacking == {Path("lists"): ["libgone.so.3"], Path("ends"): ["libfar.so"]}
