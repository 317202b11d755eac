"""The documentation lists every quarantine reason, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.check import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "quarantine.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "reason"), REASONS.items())
def test_every_reason_is_documented(code, reason):
    assert f"| `{code}` | {reason} |" in PAGE
