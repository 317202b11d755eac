"""Named points at which a test can kill the process: ``GW_CRASH_AT=push.before-send:3`` dies at the third passing.

Without the environment variable a point costs one comparison. Only the fault tests set it.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_POINT, _, _NUMBER = os.environ.get("GW_CRASH_AT", "").partition(":")
_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Die here, as by ``kill -9``, if the environment says so."""
    if name != _POINT:
        return
    _passed[name] += 1
    if _passed[name] == int(_NUMBER or 1):
        os.kill(os.getpid(), signal.SIGKILL)
