"""Pages by cursor: it names the last row of a page by time and id, so that rows added meanwhile change nothing."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from marshmallow import fields, validate

from gateway.api.openapi import StrictSchema
from gateway.api.problems import not_found


class PageSchema(StrictSchema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(1, 200), metadata={"description": "`next` of the page before."})


def cursor(at: datetime, id: str) -> str:
    """The cursor behind a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{id}".encode()).decode()


def place(given: str | None) -> tuple[datetime, str] | None:
    """The row that a cursor names. Raises :class:`Problem` (``not-found``)."""
    if given is None:
        return None
    try:
        at, _, id = base64.b64decode(given.encode(), altchars=b"-_", validate=True).decode().partition("|")
        found = datetime.fromisoformat(at)
        if found.tzinfo is None:
            raise ValueError
        return found, id
    except (ValueError, binascii.Error):
        raise not_found("There is no such page; take `next` of the page before as the cursor.") from None
