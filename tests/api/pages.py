"""The code blocks of a page of ``docs/``, run as they stand, and what they print compared with what the page shows."""

from __future__ import annotations

import io
import os
import re
import secrets
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHOWN = frozenset({"text", "json"})


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code in ``language``, on a line of its page, with what the page shows below it, if anything."""

    line: int
    language: str
    code: str
    shown: str | None


def blocks(page: str, replaced: Mapping[str, str]) -> list[Block]:
    """The blocks of a page; ``replaced``: ports that are free, in the place of those in the page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(old, new)
    found = [(match, match[1], match[2]) for match in _BLOCK.finditer(text)]
    made = []
    for number, (match, language, code) in enumerate(found):
        after = found[number + 1] if number + 1 < len(found) else None
        directly = after is not None and text[match.end() : after[0].start()].strip() == ""
        shown = after[2] if after and directly and after[1] in _SHOWN and language not in _SHOWN else None
        made.append(Block(text.count("\n", 0, match.start()) + 1, language, code, shown))
    return [each for number, each in enumerate(made) if not (number and made[number - 1].shown is not None)]


def agrees(printed: str, shown: str) -> bool:
    """Whether it is what the page shows, where ``…`` stands for anything."""
    pattern = ".*?".join(re.escape(piece) for piece in shown.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Shell:
    """A bash in a folder, in which blocks are run one behind the other."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env={**os.environ, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, code: str) -> str:
        """What the block prints; jobs in its background write elsewhere."""
        end = f"end-{secrets.token_hex(8)}"
        assert self._bash.stdin and self._bash.stdout
        self._bash.stdin.write(f"set -m +m\n{code}\necho {end}\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.strip().endswith(end):
                lines.append(line.strip().removesuffix(end))
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"The shell ended: {''.join(lines)}")

    def close(self) -> None:
        """End it with all of its jobs."""
        self.run("kill $(jobs -p) 2> /dev/null; wait")
        self._bash.communicate("exit\n", timeout=60)


def run_python(code: str, names: dict[str, Any]) -> str:
    """What a block of Python prints; ``names`` go from block to block."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, "<page>", "exec"), names)
    return printed.getvalue()


def compare(page: str, printed: Iterable[tuple[Block, str]]) -> None:
    """Fail where a block printed something else than the page shows."""
    wrong = [
        f"docs/{page}:{block.line} prints\n{said}" for block, said in printed if not agrees(said, block.shown or "")
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
