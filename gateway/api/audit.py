"""``/v1/audit``: who did what with the district's data, as the record has it."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from gateway.api.access import caller, needs
from gateway.api.encoding import answer
from gateway.api.openapi import Blueprint
from gateway.api.paging import PageSchema, cursor, place
from gateway.api.problems import not_found
from gateway.api.roles import AUDIT
from gateway.store import audit

blueprint = Blueprint("audit", __name__, url_prefix="/v1", description="Who did what.")

SHOWN = ("number", "at", "actor", "action", "subjects", "detail", "previous", "digest")


class EntrySchema(Schema):
    number = fields.Integer(required=True, metadata={"description": "From 1 on, without gaps."})
    at = fields.DateTime(required=True)
    actor = fields.String(required=True, metadata={"description": "The id of the client."})
    action = fields.String(required=True)
    subjects = fields.Integer(required=True, metadata={"description": "How many students it was about."})
    detail = fields.Dict(required=True)
    previous = fields.String(required=True, metadata={"description": "The digest of the entry before."})
    digest = fields.String(required=True, metadata={"description": "SHA-256 over the entry with `previous`."})


class EntryListSchema(Schema):
    entries = fields.List(fields.Nested(EntrySchema), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.get("/audit")
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, EntryListSchema)
@needs(AUDIT)
def list_audit(query: dict[str, Any]) -> Response:
    """The audit of the district, oldest first."""
    site, limit = caller().site, query["limit"]
    found = audit.read(site.store, site.id, after=_number(query.get("cursor")), limit=limit + 1)
    page = [{name: each[name] for name in SHOWN} for each in found[:limit]]
    last = cursor(page[-1]["at"], str(page[-1]["number"])) if len(found) > limit else None
    return answer({"entries": page, "next": last})


def _number(given: str | None) -> int:
    named = place(given)
    if named is None:
        return 0
    if not (named[1].isascii() and named[1].isdecimal() and len(named[1]) < 10):
        raise not_found("There is no such page; take `next` of the page before as the cursor.")
    return int(named[1])
