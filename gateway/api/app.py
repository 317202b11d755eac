"""The application: what happens to every request, then the addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from gateway.api import (
    access,
    audit,
    deprecation,
    docs,
    gpa,
    health,
    jobs,
    lists,
    mapping,
    metrics,
    oauth,
    problems,
    rates,
    requests,
    webhooks,
)
from gateway.api.case import views as case
from gateway.api.inbox import views as inbox
from gateway.api.oneroster import views as oneroster
from gateway.api.openapi import contract, finish, refuse_unknown, serve
from gateway.api.sandbox import faults
from gateway.api.sandbox import views as sandbox
from gateway.api.sites import Sites


def create_app(sites: Sites, *, now: Callable[[], datetime], per_minute: int = rates.PER_MINUTE) -> Flask:
    """The WSGI application over some districts. ``per_minute``: how many requests a client may make."""
    app = Flask("gateway.api", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=requests.MOST_JSON_BYTES,
        PROPAGATE_EXCEPTIONS=False,
        API_TITLE="mastery-gateway",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
    )
    app.url_map.strict_slashes = False
    app.extensions["gateway-sites"] = sites
    app.extensions["gateway-clock"] = now
    metrics.install(app)
    faults.spoil(app)
    requests.prepare(app)
    access.guard(app)
    deprecation.install(app)
    rates.limit(app, rates.Buckets(per_minute))
    faults.strike(app)
    refuse_unknown(app)
    app.register_error_handler(Exception, problems.answer)
    for plain in (health.blueprint, oauth.blueprint):
        app.register_blueprint(plain)
    oneroster.install(app)
    inbox.install(app)
    case.install(app)
    api = contract(app)
    for documented in (mapping, gpa, lists, jobs, webhooks, audit, sandbox):
        api.register_blueprint(documented.blueprint)
    finish(app, api)
    docs.install(app, serve(app, api))
    return app
