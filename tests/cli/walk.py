"""The walk through the commands of ``map`` that ``docs/mapping-tools.md`` shows, run for real.

``python -m tests.cli.walk`` writes the outputs into the page anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path

from gateway.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mapping-tools.md"
_CONSOLE = re.compile(r"(?s)```console\n(.*?)```")


def page_with_outputs(page: str, folder: Path) -> str:
    """The page with what its commands answer today, run one after the other in ``folder``."""
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    lakeside = folder / "mappings" / "schools" / "lakeside.yaml"
    changed = lakeside.read_text(encoding="utf-8").replace("newest: 0.65", "newest: 0.5")
    lakeside.with_name("next.yaml").write_text(changed, encoding="utf-8")
    evidence = re.search(r"(?s)```csv\n(.*?)```", page)
    assert evidence, "the page shows no evidence"
    (folder / "evidence.csv").write_text(evidence[1], encoding="utf-8")
    with contextlib.chdir(folder):
        return _CONSOLE.sub(lambda block: f"```console\n{_answered(block[1])}```", page)


def _answered(block: str) -> str:
    lines = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{_output(shlex.split(line[2:])[1:])}" for line in lines)


def _output(arguments: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(arguments)
    return out.getvalue()


if __name__ == "__main__":
    os.environ.pop("MASTERY_GATEWAY_DISTRICT", None)
    with tempfile.TemporaryDirectory() as work:
        PAGE.write_text(page_with_outputs(PAGE.read_text(encoding="utf-8"), Path(work)), encoding="utf-8")
