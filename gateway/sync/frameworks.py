"""The framework that a sync pulled last: what mappings are checked, tried out and served against between two nights."""

from __future__ import annotations

from gateway.core.framework import Framework
from gateway.mappings import load_framework
from gateway.settings import District, SyncSettings


def last_framework(district: District, sync: SyncSettings) -> Framework | None:
    """The framework that the sync pulled last; ``None`` if it takes the mapping's own or has pulled none yet."""
    copies = sorted(district.data.glob("runs/*/map/framework.json")) if sync.framework else []
    return load_framework(copies[-1]) if copies else None
