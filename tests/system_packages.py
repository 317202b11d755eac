"""Installs the system packages that some tests need, when it may; those tests skip otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

PACKAGES = {
    "postgresql": lambda: bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))) or shutil.which("initdb"),
    "libpangoft2-1.0-0": lambda: find_library("pangoft2-1.0"),
    "libharfbuzz-subset0": lambda: find_library("harfbuzz-subset"),
    "curl": lambda: shutil.which("curl"),
    "fonts-dejavu-core": lambda: Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").is_file(),
}


def main() -> int:
    missing = [name for name, present in PACKAGES.items() if not present()]
    if not missing:
        return 0
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"Not installed, and not mine to install: {', '.join(missing)}; their tests will be skipped.")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *missing]):
        if subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode:
            print(f"Could not install {', '.join(missing)}; their tests will be skipped.")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
