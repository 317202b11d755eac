"""``Idempotency-Key``: a write that is sent twice takes effect once, and is answered alike.

Source: IETF draft-ietf-httpapi-idempotency-key-header-07; a key with another request is refused, one whose request is
still at work too, and nothing is kept of a request that was refused as invalid or failed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from flask import Response, request

from gateway.api.access import caller, now
from gateway.api.problems import Problem
from gateway.store import replies

HEADER = "Idempotency-Key"
LONGEST = 255
_KEY = re.compile(rf"[!-~]{{1,{LONGEST}}}")


def once(content: str, act: Callable[[], Response]) -> Response:
    """``act``, or the answer that it gave before to the same request under the same key.

    ``content`` is a digest of the body. Raises :class:`Problem`: ``bad-request`` for an unusable key,
    ``idempotency-key-reused``, or ``conflict`` while the first request is at work.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not _KEY.fullmatch(key):
        words = f"The idempotency key must have 1 to {LONGEST} signs of ASCII, none of them a space."
        raise Problem("bad-request", words, code="idempotency.key")
    site, client = caller().site, caller().client_id
    asked = hashlib.sha256(f"{request.method} {request.full_path} {content}".encode()).hexdigest()
    earlier = replies.begin(site.store, site.id, client, key, asked, now=now())
    if earlier is not None:
        return _again(earlier, asked)
    try:
        response = act()
    except BaseException:
        replies.forget(site.store, site.id, client, key)
        raise
    kept = replies.Reply(
        asked, response.status_code, response.get_data(as_text=True), response.content_type or "", response.location
    )
    replies.keep(site.store, site.id, client, key, kept)
    return response


def _again(earlier: replies.Reply, asked: str) -> Response:
    if earlier.request != asked:
        raise Problem("idempotency-key-reused", "This key came with another request before.",
                      hint="Use a new key for each request.")  # fmt: skip
    if earlier.status is None:
        raise Problem("conflict", "The first request with this key is still at work.", hint="Ask again in a moment.",
                      code="idempotency.at-work", headers={"Retry-After": "1"})  # fmt: skip
    headers = {"Idempotent-Replayed": "true"} | ({"Location": earlier.location} if earlier.location else {})
    return Response(earlier.body, earlier.status, headers, content_type=earlier.content_type)
