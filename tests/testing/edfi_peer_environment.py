"""An environment of their own for the two Ed-Fi clients that others wrote, made once under the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = ("lightbeam==0.1.12", "edfi_api_client==0.4.1")


class NotInstallableError(Exception):
    """The package index cannot be reached, or has not these packages."""


def peer_programs() -> Path:
    """The programs folder of the environment; makes it first where it is missing."""
    name = hashlib.sha256(f"{PACKAGES} {sys.version_info[:2]}".encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "mastery-gateway" / f"edfi-clients-{name}"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=240)
        if answer.returncode:
            raise NotInstallableError(answer.stderr.strip()[-300:])
        (folder / "complete").touch()
    return folder / "bin"
