"""``/v1/webhooks``: where a client is told of events, and what became of each delivery."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from gateway.api.access import caller, needs, now
from gateway.api.encoding import answer, encoded
from gateway.api.idempotency import once
from gateway.api.openapi import Blueprint, StrictSchema
from gateway.api.paging import PageSchema, cursor, place
from gateway.api.problems import Problem, not_found
from gateway.api.roles import WEBHOOKS
from gateway.api.webhook_sender import secret_of
from gateway.core.errors import ConfigurationError
from gateway.store import webhooks
from gateway.store.webhooks import Delivery, Event, Webhook
from gateway.transport.public_address import destination

blueprint = Blueprint("webhooks", __name__, url_prefix="/v1/webhooks", description="Events.")

MOST = 20
_REFUSALS = {"address.url": "forbidden", "address.private": "forbidden", "address.unknown": "conflict"}
_URL = r"^https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?$"
_EVENTS = [str(event) for event in Event if event is not Event.PING]


class NewWebhookSchema(StrictSchema):
    url = fields.String(required=True, validate=[validate.Length(1, 2000), validate.Regexp(_URL)])
    events = fields.List(
        fields.String(validate=validate.OneOf(_EVENTS)), required=True, validate=validate.Length(1, len(_EVENTS))
    )


class WebhookSchema(Schema):
    id = fields.String(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)
    disabled_at = fields.DateTime(required=True, allow_none=True)


class WebhookWithSecretSchema(WebhookSchema):
    secret = fields.String(required=True, metadata={"description": "Signs the deliveries; shown this once."})


class WebhookListSchema(Schema):
    webhooks = fields.List(fields.Nested(WebhookSchema), required=True)


class DeliverySchema(Schema):
    id = fields.String(required=True)
    event_id = fields.String(required=True, metadata={"description": "The `webhook-id` of the delivery."})
    event = fields.String(required=True)
    payload = fields.Dict(required=True)
    state = fields.String(required=True)
    attempts = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)
    next_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True, allow_none=True)


class DeliveryListSchema(Schema):
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.post("")
@blueprint.arguments(NewWebhookSchema)
@blueprint.response(201, WebhookWithSecretSchema)
@needs(WEBHOOKS)
def create_webhook(body: dict[str, Any]) -> Response:
    """A new webhook; its signing secret is shown this once."""
    who = caller()
    try:
        destination(body["url"], private=who.site.district.api.private_webhooks)
    except ConfigurationError as error:
        fault = {"pointer": "/url", "code": error.code, "message": error.message, "hint": error.hint}
        kind = _REFUSALS.get(error.code, "invalid")
        raise Problem(kind, error.message, code=error.code, hint=error.hint, faults=[fault]) from None

    def create() -> Response:
        if len(webhooks.listed(who.site.store, who.site.id, who.client_id)) >= MOST:
            raise Problem("conflict", f"A client may have {MOST} webhooks.", hint="Remove one first.")
        events = tuple(Event(each) for each in dict.fromkeys(body["events"]))
        made = Webhook(who.site.id, webhooks.new_id("hook"), who.client_id, body["url"], events, 1, now(), None)
        webhooks.create(who.site.store, made)
        return answer(_shown(made), 201, {"Location": f"/v1/webhooks/{made.webhook_id}"})

    return _with_secret(once(hashlib.sha256(repr(sorted(body.items())).encode()).hexdigest(), create))


@blueprint.get("")
@blueprint.response(200, WebhookListSchema)
@needs(WEBHOOKS)
def list_webhooks() -> Response:
    """The client's webhooks."""
    who = caller()
    return answer({"webhooks": [_shown(each) for each in webhooks.listed(who.site.store, who.site.id, who.client_id)]})


@blueprint.get("/<string:webhook_id>")
@blueprint.response(200, WebhookSchema)
@needs(WEBHOOKS)
def read_webhook(webhook_id: str) -> Response:
    """One webhook."""
    return answer(_shown(_found(webhook_id)))


@blueprint.delete("/<string:webhook_id>")
@blueprint.response(204)
@needs(WEBHOOKS)
def remove_webhook(webhook_id: str) -> Response:
    """Remove a webhook with its deliveries."""

    def remove() -> Response:
        webhooks.remove(caller().site.store, _found(webhook_id))
        return Response(status=204)

    return once("", remove)


@blueprint.post("/<string:webhook_id>/secret")
@blueprint.response(200, WebhookWithSecretSchema)
@needs(WEBHOOKS)
def change_webhook_secret(webhook_id: str) -> Response:
    """A new signing secret; the old one signs nothing from now on. A disabled webhook is enabled again."""

    def change() -> Response:
        found = _found(webhook_id)
        webhooks.change(caller().site.store, found, secret_number=found.secret_number + 1, disabled_at=None)
        return answer(_shown(_found(webhook_id)))

    return _with_secret(once("", change))


@blueprint.post("/<string:webhook_id>/ping")
@blueprint.response(202, DeliverySchema)
@needs(WEBHOOKS)
def ping_webhook(webhook_id: str) -> Response:
    """Send a `ping` event, to try the receiver."""

    def send() -> Response:
        found, store = _found(webhook_id), caller().site.store
        with store.begin() as connection:
            made = webhooks.add_delivery(connection, found, Event.PING, webhooks.new_id("event"), {}, now=now())
        return answer(_delivery(_found_delivery(found, made)), 202)

    return once("", send)


@blueprint.get("/<string:webhook_id>/deliveries")
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, DeliveryListSchema)
@needs(WEBHOOKS)
def list_deliveries(query: dict[str, Any], webhook_id: str) -> Response:
    """What was sent, the newest first, with the answer of each last attempt. Kept for 30 days."""
    after, limit = place(query.get("cursor")), query["limit"]
    found = webhooks.log(caller().site.store, _found(webhook_id), after=after, limit=limit + 1)
    page = found[:limit]
    last = cursor(page[-1].created_at, page[-1].delivery_id) if len(found) > limit else None
    return answer({"deliveries": [_delivery(each) for each in page], "next": last})


@blueprint.post("/<string:webhook_id>/deliveries/<string:delivery_id>/replay")
@blueprint.response(202, DeliverySchema)
@needs(WEBHOOKS)
def replay_delivery(webhook_id: str, delivery_id: str) -> Response:
    """Send a delivery again; its `webhook-id` stays, so that the receiver knows it."""

    def again() -> Response:
        hook = _found(webhook_id)
        webhooks.replay(caller().site.store, _found_delivery(hook, delivery_id), now=now())
        return answer(_delivery(_found_delivery(hook, delivery_id)), 202)

    return once("", again)


def _found(webhook_id: str) -> Webhook:
    who = caller()
    found = webhooks.find(who.site.store, who.site.id, webhook_id)
    if found is None or found.client_id != who.client_id:
        raise not_found()
    return found


def _found_delivery(webhook: Webhook, delivery_id: str) -> Delivery:
    found = webhooks.find_delivery(caller().site.store, webhook, delivery_id)
    if found is None:
        raise not_found()
    return found


def _shown(webhook: Webhook) -> dict[str, Any]:
    names = ("url", "events", "created_at", "disabled_at")
    return {"id": webhook.webhook_id, **{name: getattr(webhook, name) for name in names}}


def _with_secret(response: Response) -> Response:
    """The secret beside the webhook of an answer; it is derived anew, so that no kept answer holds it."""
    told = response.get_json()
    response.set_data(encoded({**told, "secret": secret_of(caller().site, _found(told["id"]))}))
    return response


def _delivery(found: Delivery) -> dict[str, Any]:
    names = (
        "event_id",
        "event",
        "payload",
        "state",
        "attempts",
        "status",
        "failure",
        "next_at",
        "created_at",
        "ended_at",
    )
    return {"id": found.delivery_id, **{name: getattr(found, name) for name in names}}
