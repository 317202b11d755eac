"""``doctor``: what would keep the gateway from working on this machine, for this district."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway import __version__
from gateway.cli.command import Command
from gateway.cli.connect import check_connection
from gateway.cli.findings import Finding, all_well, as_data, as_lines
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_ERROR, GatewayError

if TYPE_CHECKING:
    from gateway.settings import District

DISTRIBUTION = "mastery-gateway"
LOW_DISK_BYTES = 5_000_000_000


@click.command(cls=Command)
@click.option("--offline", is_flag=True, help="Do not talk to the other systems.")
@click.pass_obj
def doctor(invocation: Invocation, offline: bool) -> int:
    """Look for what would keep the gateway from working here.

    Checks Python and the installed packages, then the district: its file, disk space, database, secrets, clock and
    connections.
    """
    groups: dict[str, Sequence[Finding]] = {"this machine": list(machine_findings())}
    try:
        district = invocation.load()
        groups["the district"] = list(district_findings(invocation, district))
        if not offline:
            groups |= {f"connection {name}": check_connection(district, name) for name in district.connections}
    except GatewayError as error:
        place = f"{error.place}: " if error.place else ""
        groups["the district"] = [Finding("its file", False, place + error.message, error.hint)]
    invocation.answer({"findings": as_data(groups)}, as_lines(groups))
    return 0 if all_well(groups) else EXIT_ERROR


def machine_findings() -> Iterator[Finding]:
    """Python, the versions of what is installed, and packages that would overwrite ours."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")
    yield from _package_findings()


def _package_findings() -> Iterator[Finding]:
    from importlib.metadata import packages_distributions

    yield Finding("mastery-gateway", ok=True, message=__version__)
    missing = _missing_packages()
    yield Finding("packages", not missing, ", ".join(missing), "Install the gateway again from its lock file.")
    yield from conflicts(packages_distributions())


def conflicts(distributions: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Other distributions that contain a package of ours: the one installed last has overwritten the other."""
    for package in ("gateway", "connectors"):
        others = sorted({name for name in distributions.get(package, []) if name != DISTRIBUTION})
        yield Finding(
            f"the package {package}",
            not others,
            f"{', '.join(others)} installs a package of the same name." if others else "",
            f"Remove {' and '.join(others)}, then install mastery-gateway again in an environment of its own.",
        )


def _missing_packages() -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        required = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return [f"{DISTRIBUTION} is not installed"]
    missing = []
    for requirement in required:
        name = requirement.partition(";")[0].strip()
        if "extra ==" in requirement:
            continue
        name = name.split(">")[0].split("<")[0].split("=")[0].split("[")[0].strip()
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(f"{name} is missing")
    return missing


def district_findings(invocation: Invocation, district: District) -> Iterator[Finding]:
    """The file (it was read already), disk, database, secrets, time."""
    from gateway.settings import secret_problems

    yield Finding("its file", ok=True, message=str(district.file))
    yield _disk(district.data)
    yield _attempt("database", lambda: _open_database(invocation, district))
    problems = list(secret_problems(district))
    for problem in problems:
        yield Finding("secret", False, f"{problem.place}: {problem.message}", problem.hint)
    if not problems:
        yield Finding("secrets", ok=True)
    yield from _open_secret_files(district)
    local = now().astimezone(district.time_zone)
    yield Finding("clock", ok=True, message=f"{local:%Y-%m-%d %H:%M} in {district.time_zone}; compare it with a watch")


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    enough = free >= LOW_DISK_BYTES
    hint = f"Make room: at least {LOW_DISK_BYTES // 10**9} GB."
    return Finding("disk", enough, f"{free / 10**9:.1f} GB free for {folder}", hint)


def _open_database(invocation: Invocation, district: District) -> str:
    with invocation.store(district) as store:
        return str(store.engine.dialect.name)


def _attempt(what: str, act: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, message=act())
    except GatewayError as error:
        return Finding(what, ok=False, message=error.message, hint=error.hint)


def _open_secret_files(district: District) -> Iterator[Finding]:
    from gateway.settings import secret_files

    for path in secret_files(district):
        if sys.platform != "win32" and path.exists() and path.stat().st_mode & 0o077:
            yield Finding("secret file", False, f"Others can read {path}.", f"Run: chmod 600 {path}")
