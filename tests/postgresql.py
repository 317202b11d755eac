"""A PostgreSQL of the tests' own: a cluster in a temporary folder, on a free port of the loopback address."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def find_binaries() -> Path:
    """The folder of initdb and pg_ctl; the test is skipped when there is none."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    return Path(found).resolve().parent


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """The URL of an empty database that lives for the length of the block."""
    binaries = find_binaries()
    as_root = os.geteuid() == 0
    user = "postgres" if as_root else pwd.getpwuid(os.geteuid()).pw_name
    prefix = ["runuser", "-u", user, "--"] if as_root else []
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgresql-"))
    try:
        if as_root:
            shutil.chown(folder, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

        def run(name: str, *arguments: str) -> None:
            subprocess.run(
                [*prefix, str(binaries / name), *arguments], check=True, capture_output=True, cwd=folder, timeout=240
            )

        run("initdb", "-D", f"{folder}/data", "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://{user}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
