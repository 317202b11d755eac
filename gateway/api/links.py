"""``Link`` of a list that is paged by offset: first, last, and what stands before and behind (RFC 8288)."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request


def page_links(limit: int, offset: int, total: int) -> str:
    """The header's value for the present request, whose other parameters stay."""
    places = {"first": 0, "last": max(0, (total - 1) // limit * limit)}
    places |= {"prev": max(0, offset - limit)} if offset else {}
    places |= {"next": offset + limit} if offset + limit < total else {}
    kept = {name: value for name, value in request.args.items() if name not in ("limit", "offset")}
    return ", ".join(
        f'<{request.base_url}?{urlencode({**kept, "limit": limit, "offset": at})}>; rel="{rel}"'
        for rel, at in places.items()
    )
