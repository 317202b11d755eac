"""``/v1/sandbox``: make the sandbox district anew, and switch faults. Other districts have no such address."""

from __future__ import annotations

import hashlib
import shutil
import threading
from decimal import Decimal
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema, fields, validate

from gateway.api.access import caller, needs, note
from gateway.api.encoding import answer, encoded
from gateway.api.idempotency import once
from gateway.api.openapi import Blueprint, StrictSchema
from gateway.api.problems import Problem, not_found
from gateway.api.roles import SANDBOX
from gateway.api.sandbox.district import empty, fill, plan_of
from gateway.api.sandbox.faults import Fault, FaultKind, switches

blueprint = Blueprint("sandbox", __name__, url_prefix="/v1/sandbox", description="A district to try programs on.")

MOST_FAULTS = 20
WHOLE_BELOW = 10**9
_one_reset = threading.Lock()


class Whole(fields.Integer):
    """A whole number, also as ``3.0``, which is one in JSON Schema."""

    def _validated(self, value: Any) -> int:
        whole = isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < WHOLE_BELOW
        return super()._validated(int(value) if whole else value)


class SandboxFaultSchema(StrictSchema):
    kind = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in FaultKind]))
    path = fields.String(
        load_default="/", validate=[validate.Length(1, 200), validate.Regexp(r"^/[!-~]*\Z")],
        metadata={"description": "Requests whose path begins so.", "pattern": "^/[!-~]*$"},
    )  # fmt: skip
    every = Whole(
        strict=True, load_default=1, validate=validate.Range(1, 1000),
        metadata={"description": "Each so many-th of these requests."},
    )  # fmt: skip
    next = Whole(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 10_000),
        metadata={"description": "Among the next so many of these requests only; without it, until switched off."},
    )  # fmt: skip
    seconds = Whole(strict=True, load_default=1, validate=validate.Range(1, 20), metadata={"description": "How slow."})
    retry_after = Whole(
        strict=True, load_default=1, validate=validate.Range(0, 86_400),
        metadata={"description": "What `Retry-After` says."},
    )  # fmt: skip


class SandboxFaultsSchema(StrictSchema):
    faults = fields.List(fields.Nested(SandboxFaultSchema), required=True, validate=validate.Length(0, MOST_FAULTS))


class SwitchedFaultSchema(Schema):
    kind = fields.String(required=True)
    path = fields.String(required=True)
    every = fields.Integer(required=True)
    next = fields.Integer(required=True, allow_none=True)
    seconds = fields.Integer(required=True)
    retry_after = fields.Integer(required=True)
    seen = fields.Integer(required=True, metadata={"description": "How many requests were counted."})
    struck = fields.Integer(required=True, metadata={"description": "How many of them failed."})


class SwitchedFaultsSchema(Schema):
    faults = fields.List(fields.Nested(SwitchedFaultSchema), required=True)


class ResetSchema(Schema):
    students = fields.Integer(required=True)
    removed = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


def _only_sandboxes() -> None:
    if request.method != "OPTIONS" and not caller().site.district.api.sandbox:
        raise not_found("There is nothing at this address.")


blueprint.before_request(_only_sandboxes)


@blueprint.post("/reset")
@blueprint.response(200, ResetSchema)
@needs(SANDBOX)
def reset_sandbox() -> Response:
    """Make the district anew: without what clients wrote, jobs, webhooks and faults; with its students as at first."""

    def act() -> Response:
        site = caller().site
        if not _one_reset.acquire(blocking=False):
            raise Problem("conflict", "The sandbox is being made anew already.", headers={"Retry-After": "10"})
        try:
            plan = plan_of(site.district)
            note("sandbox.reset")
            removed = empty(site.district, site.store)
            shutil.rmtree(site.folder / "jobs", ignore_errors=True)
            switches().clear(site.id)
            fill(site.district, site.store, now=current_app.extensions["gateway-clock"])
        finally:
            _one_reset.release()
        return answer({"students": plan.students, "removed": removed})

    return once("", act)


@blueprint.put("/faults")
@blueprint.arguments(SandboxFaultsSchema)
@blueprint.response(200, SwitchedFaultsSchema)
@needs(SANDBOX)
def switch_faults(body: dict[str, Any]) -> Response:
    """Switch faults on for this client's own requests, in the place of those before; never for `/v1/sandbox`."""

    def act() -> Response:
        who = caller()
        note("sandbox.faults", faults=len(body["faults"]))
        made = [Fault(**each | {"kind": FaultKind(each["kind"])}) for each in body["faults"]]
        switches().switch(who.site.id, who.client_id, made)
        return _shown()

    return once(hashlib.sha256(encoded(body)).hexdigest(), act)


@blueprint.get("/faults")
@blueprint.response(200, SwitchedFaultsSchema)
@needs(SANDBOX)
def list_faults() -> Response:
    """The client's faults, with how often they struck."""
    return _shown()


@blueprint.delete("/faults")
@blueprint.response(204)
@needs(SANDBOX)
def remove_faults() -> Response:
    """Switch all faults of this client off."""

    def remove() -> Response:
        who = caller()
        switches().switch(who.site.id, who.client_id, [])
        return Response(status=204)

    return once("", remove)


def _shown() -> Response:
    who = caller()
    return answer({"faults": switches().of(who.site.id, who.client_id)})
