"""Secrets stand in a district's file only by reference, and in memory only behind a type that does not print them.

``${env:NAME}`` is an environment variable; ``${file:path}`` is the content of a file without its last line break,
its path relative to the district's file. A reference is read when the secret is used, not before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.core.errors import ConfigurationError, Place

MAX_SECRET_BYTES = 65_536
_REFERENCE = re.compile(r"\$\{(?:(env):([A-Za-z_][A-Za-z0-9_]*)|(file):([^{}\s](?:[^{}]*[^{}\s])?))\}")


class Secret:
    """A text that shows itself only to who calls :meth:`reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be stored")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept: ``kind`` is ``env`` or ``file``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"${{{self.kind}:{self.name}}}"


def looks_like_reference(value: object) -> bool:
    """True for text that was meant as a reference, well written or not."""
    return isinstance(value, str) and "${" in value


def parse_reference(value: object) -> Reference | None:
    """The reference that ``value`` is, or ``None``."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return Reference(match[1] or match[3], match[2] or match[4]) if match else None


def resolve(
    reference: Reference, folder: Path, *, place: Place | None = None, environ: Mapping[str, str] | None = None
) -> Secret:
    """Read the secret. Raises :class:`ConfigurationError` (``secret.…``) that names the reference, never a value."""
    if reference.kind == "env":
        value = (os.environ if environ is None else environ).get(reference.name, "")
        if not value:
            raise ConfigurationError(
                f"The environment variable {reference.name} is not set.",
                hint="Set it for the account that runs the gateway.",
                code="secret.missing",
                place=place,
            )
        return Secret(value)
    return Secret(_read_secret(folder / reference.name, reference, place))


def _read_secret(path: Path, reference: Reference, place: Place | None) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_SECRET_BYTES + 1)
        value = content.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(
            f"The secret {reference} cannot be read: {reason}.",
            hint="Check the file and its rights; the path starts at the folder of the district's file.",
            code="secret.missing",
            place=place,
        ) from None
    if not value or len(content) > MAX_SECRET_BYTES:
        raise ConfigurationError(
            f"The secret {reference} is {'too long' if value else 'empty'}.",
            hint="Put the secret, and nothing else, into the file.",
            code="secret.missing",
            place=place,
        )
    return value
