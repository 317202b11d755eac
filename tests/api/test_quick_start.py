"""The quick-start pages, and the examples of the page about the API: every block is run, and prints what is shown."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.client import Client
from tests.api.pages import Shell, blocks, compare, run_python
from tests.api.process import PROGRAM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"),
]


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """Free ports in the place of those on the pages."""
    found = {}
    for port in ("8080", "9090"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            found[port] = str(server.getsockname()[1])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vendor")


@pytest.fixture(scope="module")
def shell(folder: Path) -> Iterator[Shell]:
    opened = Shell(folder, {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"})
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def quick_start(shell: Shell, ports: dict[str, str]) -> list[Any]:
    """All blocks of the page but the last, which stops the server, with what they printed."""
    *page, _ = blocks("quick-start.md", ports)
    return [(block, shell.run(block.code)) for block in page]


def test_every_block_with_curl_prints_what_the_page_shows(quick_start):
    assert len(quick_start) > 12
    assert {block.language for block, _ in quick_start} == {"sh"}
    compare("quick-start.md", quick_start)


def test_every_block_of_python_prints_what_the_page_shows(quick_start, folder, ports, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    page = blocks("quick-start-python.md", ports)
    assert {block.language for block in page} == {"python"}
    printed = [(block, run_python(block.code, names)) for block in page]
    names["client"].session.close()
    compare("quick-start-python.md", printed)


def test_the_examples_of_the_api_page_do_what_it_says(quick_start, shell, folder, ports):
    page = [each for each in blocks("api.md", ports) if each.language]
    create, sandbox, faults = page
    shell.run("cd vendors")
    assert "gw_live_" in shell.run(create.code)
    shell.run("cd ..")
    assert "not empty" in shell.run(sandbox.code), (
        "the same command as in the quick start; it takes an empty folder only"
    )
    told = json.loads((folder / "sandbox.json").read_text())
    client = Client(f"http://127.0.0.1:{ports['8080']}", told["key"])
    switched = client.switch_faults(json.loads(faults.code)["faults"])
    assert [fault.kind for fault in switched.faults] == ["too-many-requests", "cut-off"]
    client.remove_faults()
    client.session.close()
