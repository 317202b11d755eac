"""Where a bundle is written to, and what must not be overwritten there."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.sdk import CheckItem, ConfigurationError, GatewayError, oneroster

_OURS = {f"{name}.csv".lower() for files in oneroster.CSV_FILES.values() for name in (*files, oneroster.MANIFEST)}


def destination(pattern: Path, now: datetime) -> Path:
    """``pattern`` with ``{date}`` (2026-09-01) and ``{time}`` (20260901T021500Z) in its name filled in, both in UTC."""
    utc = now.astimezone(UTC)
    name = pattern.name.replace("{date}", utc.date().isoformat()).replace("{time}", f"{utc:%Y%m%dT%H%M%SZ}")
    return pattern.with_name(name)


def newest_written(pattern: Path) -> Path | None:
    """The newest bundle that :func:`destination` has named, if there is any."""
    name = pattern.name.replace("{date}", "*").replace("{time}", "*")
    return max(pattern.parent.glob(name), default=None)


def refuse_destination(path: Path) -> None:
    """Refuse to replace what is not a bundle. Raises :class:`ConfigurationError` (``oneroster_csv.path``)."""
    if any(sign in path.name for sign in "*?["):
        raise _wrong(f'A target cannot write to a pattern such as "{path.name}".', "Give the name of a folder or zip.")
    if not path.exists():
        return
    if path.is_dir():
        foreign = sorted(entry.name for entry in path.iterdir() if entry.name.lower() not in _OURS)
        if foreign:
            raise _wrong(
                f'The folder "{path.name}" holds files that are no part of a bundle, such as "{foreign[0]}".',
                "A bundle replaces its whole folder; give it a folder of its own.",
            )
    elif path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        raise _wrong(f'"{path.name}" is a file and no zip.', "Give a folder, or a name that ends with .zip.")


def check_destination(pattern: Path) -> Sequence[CheckItem]:
    """Whether a bundle could be written, without writing."""
    try:
        refuse_destination(destination(pattern, datetime.fromtimestamp(0, UTC)))
    except GatewayError as error:
        return [CheckItem("destination", ok=False, message=error.message, hint=error.hint)]
    folder = next(parent for parent in pattern.parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return [
            CheckItem("destination", ok=False, message=f"{folder} cannot be written to.", hint="Give the right to.")
        ]
    return [CheckItem("destination", ok=True, message=f"{pattern.name} can be written in {folder}.")]


def _wrong(message: str, hint: str) -> ConfigurationError:
    return ConfigurationError(message, hint=hint, code="oneroster_csv.path")
