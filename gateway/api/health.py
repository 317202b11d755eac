"""Whether the server lives, and whether it can work."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, current_app

from gateway import __version__
from gateway.api.access import public
from gateway.api.encoding import answer
from gateway.core.errors import TransientError

blueprint = Blueprint("health", __name__)


@blueprint.get("/health/live")
@public
def live() -> Response:
    """The process answers."""
    return answer({"status": "ok", "version": __version__})


@blueprint.get("/health/ready")
@public
def ready() -> Response:
    """Every database can be read."""
    try:
        for site in current_app.extensions["gateway-sites"].by_id.values():
            site.store.rows(sa.select(sa.literal(1)))
    except TransientError:
        return answer({"status": "unavailable"}, 503)
    return answer({"status": "ok"})
