"""Files that come with the program: example configuration and mappings."""

from __future__ import annotations

from pathlib import Path

import gateway


def shipped(name: str) -> Path:
    """The folder ``name`` (``config`` or ``mappings``): inside the installed package, or beside it in a checkout."""
    package = Path(gateway.__file__).parent
    inside = package / "_data" / name
    return inside if inside.is_dir() else package.parent / name
