"""A file that people write (configuration, mapping, policy), as plain data that still knows its lines.

The YAML reader in :mod:`gateway.transport.yaml_file` makes documents; whoever finds a fault in one asks for the place.
Scalars: text stays text when quoted or not a plain number; plain numbers are ``int`` or ``Decimal``; ``true``/``false``
are booleans; an empty value or ``null`` is ``None``; a plain number with leading zeros stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from gateway.core.errors import Place

Scalar: TypeAlias = str | int | Decimal | bool | None
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file, and the line on which each of its keys and items stands (counted from 1)."""

    name: str
    data: dict[str, Value]
    digest: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict)

    def value(self, *path: str | int) -> Value:
        """What stands at ``path``; ``None`` if nothing does."""
        found: Value = self.data
        for part in path:
            if isinstance(found, dict) and isinstance(part, str):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int) and part < len(found):
                found = found[part]
            else:
                return None
        return found

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line of ``path``, or of its nearest ancestor that stands in the file."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(tuple(path[:length]))
            if line is not None:
                return line
        return None

    def place(self, *path: str | int) -> Place:
        """The place to name in an error about ``path``: file, line, dotted path."""
        return Place(self.name, self.line(path), ".".join(str(part) for part in path) or None)
