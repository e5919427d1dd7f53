"""The pages' build with a tiny package: made when the sources changed, whole or not at all, and what is said else."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from app import node, pages_build
from app.apt_root import NoNetwork, NoSpace, ProvisionError
from app.node import Node, failure, find_node
from app.pages_build import BuiltPages, PagesNotBuilt, build_pages, hash_of, pages_or_reason
from app.provision import ProgramBroken, ProgramTooOld

needs_node = pytest.mark.usefixtures("node")

BUILD = """
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const out = process.env.RIMAY_PAGES_OUT
mkdirSync(out, { recursive: true })
writeFileSync(`${out}/index.html`, readFileSync('src/page.txt'))
appendFileSync(process.env.BUILDS, 'built\\n')
if (readFileSync('src/page.txt', 'utf8').includes('broken')) { console.error('ERROR in src/page.txt'); process.exit(3) }
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pages"
    (folder / "src").mkdir(parents=True)
    package = {"name": "tiny", "version": "1.0.0", "private": True, "type": "module"}
    (folder / "package.json").write_text(json.dumps({**package, "scripts": {"build": "node build.js"}}))
    lock = {"name": "tiny", "version": "1.0.0", "lockfileVersion": 3, "requires": True}
    (folder / "package-lock.json").write_text(json.dumps({**lock, "packages": {"": {"name": "tiny"}}}))
    (folder / "build.js").write_text(BUILD)
    (folder / "src/page.txt").write_text("uno")
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.delenv("RIMAY_PAGES_BUILD", raising=False)
    return folder


def builds(tmp_path: Path) -> int:
    return len((tmp_path / "builds").read_text().splitlines())


@needs_node
async def test_built_once_and_again_when_a_source_changed(sources: Path, tmp_path: Path) -> None:
    home = tmp_path / "build"
    said: list[str] = []
    folder = await build_pages(said.append, sources=sources, home=home)
    assert (folder / "index.html").read_text() == "uno"
    assert [line.split(" (")[0] for line in said][-2:] == ["pages: building", "pages: built"]
    assert await build_pages(sources=sources, home=home) == folder
    assert builds(tmp_path) == 1
    (sources / "src/page.txt").write_text("dos")
    await build_pages(sources=sources, home=home)
    assert ((folder / "index.html").read_text(), builds(tmp_path)) == ("dos", 2)


@needs_node
async def test_a_failed_build_leaves_the_old_pages_and_says_why(sources: Path, tmp_path: Path) -> None:
    home = tmp_path / "build"
    folder = await build_pages(sources=sources, home=home)
    (sources / "src/page.txt").write_text("broken")
    with pytest.raises(ProvisionError, match=r"npm run build.*failed[\s\S]*ERROR in src/page.txt"):
        await build_pages(sources=sources, home=home)
    assert (folder / "index.html").read_text() == "uno"
    # and what is put right is built, although the old ones stand there
    (sources / "src/page.txt").write_text("tres")
    await build_pages(sources=sources, home=home)
    assert (folder / "index.html").read_text() == "tres"


@needs_node
async def test_two_runs_at_once_build_once(sources: Path, tmp_path: Path) -> None:
    home = tmp_path / "build"
    await asyncio.gather(*(build_pages(sources=sources, home=home) for _ in range(3)))
    assert builds(tmp_path) == 1


@needs_node
async def test_what_stands_there_needs_neither_node_nor_network(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "build"
    folder = await build_pages(sources=sources, home=home)
    monkeypatch.setenv("RIMAY_NODE", "/nowhere/node")
    assert await build_pages(sources=sources, home=home) == folder
    (sources / "src/page.txt").write_text("otro")
    with pytest.raises(ProgramBroken, match="RIMAY_NODE names /nowhere/node"):
        await build_pages(sources=sources, home=home)
    monkeypatch.setenv("RIMAY_PAGES_BUILD", "0")
    assert await build_pages(sources=sources, home=home) == folder
    with pytest.raises(PagesNotBuilt, match="never built"):
        await build_pages(sources=sources, home=tmp_path / "empty")


@needs_node
async def test_sources_that_are_closed_to_us_are_built_from_a_copy(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "build"
    access = os.access
    monkeypatch.setattr(pages_build.os, "access", lambda path, mode: path != sources and access(path, mode))
    before = sorted(sources.rglob("*"))
    folder = await build_pages(sources=sources, home=home)
    (sources / "src/page.txt").rename(sources / "src/other.txt")
    (sources / "build.js").write_text(BUILD.replace("page.txt", "other.txt"))
    await build_pages(sources=sources, home=home)
    assert (folder / "index.html").read_text() == "uno"
    assert not (home / "pages-sources/src/page.txt").exists()
    assert len(sorted(sources.rglob("*"))) == len(before)


@needs_node
async def test_a_build_without_a_page_is_refused(sources: Path, tmp_path: Path) -> None:
    (sources / "build.js").write_text("")
    with pytest.raises(PagesNotBuilt, match="left no page"):
        await build_pages(sources=sources, home=tmp_path / "build")


async def test_a_platform_goes_on_without_its_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pages_build, "SOURCES", tmp_path)

    async def none(progress: object) -> Path:
        raise PagesNotBuilt("the package registry cannot be reached\nand more")

    monkeypatch.setattr(pages_build, "build_pages", none)
    said: list[str] = []
    assert await pages_or_reason(said.append) == BuiltPages(missing="the package registry cannot be reached")
    assert "all else runs" in said[0]


def test_the_hash_sees_names_and_contents_and_no_libraries(sources: Path) -> None:
    first = hash_of(sources)
    (sources / "node_modules/x").mkdir(parents=True)
    (sources / "node_modules/x/index.js").write_text("1")
    (sources / ".swp").write_text("1")
    assert hash_of(sources) == first
    (sources / "src/page.txt").rename(sources / "src/pagina.txt")
    assert hash_of(sources) != first


# ---- Node ------------------------------------------------------------------------------------------------------------


def program(path: Path, output: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["v18.19.0", "v20.18.1", "nonsense"])
async def test_a_machine_with_an_old_node_gets_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    old = program(tmp_path / "bin/node", version)
    program(tmp_path / "bin/npm", "10.0.0")
    wheel = Node(binary=tmp_path / "wheel", npm=tmp_path / "npm-cli.js", version="24.0.0")

    async def from_wheel(progress: object, cache: Path) -> Node:
        return wheel

    monkeypatch.setattr(node, "_from_wheel", from_wheel)
    monkeypatch.setattr(node, "which", lambda name: tmp_path / "bin" / name)
    monkeypatch.delenv("RIMAY_NODE", raising=False)
    said: list[str] = []
    assert await find_node(said.append) == wheel
    assert str(old) in said[0]
    # named by hand it is not passed over in silence
    monkeypatch.setenv("RIMAY_NODE", str(old))
    with pytest.raises((ProgramTooOld, ProgramBroken), match=str(old)):
        await find_node()


async def test_a_node_without_npm_does_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIMAY_NODE", str(program(tmp_path / "bin/node", "v22.12.0")))
    monkeypatch.setattr(node, "which", lambda name: None)
    with pytest.raises(ProgramBroken, match="has no npm"):
        await find_node()
    npm = program(tmp_path / "bin/npm", "10.9.0")
    found = await find_node()
    assert found.npm_argv("ci") == [str(npm), "ci"]


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("npm error code ENOTFOUND\nnpm error network request to x failed", NoNetwork),
        ("npm error code ENOSPC\nnpm error nospc no space left", NoSpace),
        ("npm error code EUSAGE\nnpm error `npm ci` can only install with an existing package-lock", ProvisionError),
    ],
)
def test_what_npm_says_is_made_an_error_of_a_kind(output: str, kind: type[ProvisionError]) -> None:
    found = failure(output, "the pages")
    assert type(found) is kind
    assert output.splitlines()[1] in found.message
