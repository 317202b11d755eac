"""The contract for people: one page made from the OpenAPI document, without scripts and without other hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, render_template

from gateway.api.access import public
from gateway.api.problems import TYPES, not_found

blueprint = Blueprint("docs", __name__, template_folder="templates")

_CAUSES = {
    "bad-request": "The request cannot be read: no JSON, a key twice, NaN, or a parameter of the wrong form.",
    "unauthorized": "Send a key or a token as a bearer; tokens live for one hour.",
    "forbidden": "The credential lacks a scope; the detail names it.",
    "not-found": "It does not exist, or belongs to another district or client.",
    "method-not-allowed": "The header Allow names the methods of this address.",
    "not-acceptable": "Ask for application/json.",
    "conflict": "Wait, or change what stands in the way; the detail says what.",
    "gone": "It was there and has expired.",
    "precondition-failed": "Read it again, then send your change again.",
    "too-large": "Send it as a job: POST /v1/mapping-jobs.",
    "unsupported-media-type": "The detail names the media types that are taken.",
    "invalid": "errors names each value that cannot be used, by JSON pointer.",
    "idempotency-key-reused": "Use a new key for each request.",
    "too-many-requests": "Wait as Retry-After says; RateLimit-Remaining tells what is left.",
    "internal": "It was logged; tell the gateway's operator the instance.",
    "unavailable": "Try again later, as Retry-After says.",
}


def install(app: Flask, contract: Mapping[str, Any]) -> None:
    """Add the page of the contract, and one for each type of problem."""

    @app.get("/v1/docs")
    @public
    def show_docs() -> str:
        return render_template("docs.html", contract=contract, operations=list(_operations(contract)))

    app.register_blueprint(blueprint)


def _operations(contract: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


@blueprint.get("/v1/docs.css")
@public
def style() -> Response:
    return Response(render_template("docs.css"), content_type="text/css; charset=utf-8")


@blueprint.get("/v1/problems/<type>")
@public
def show_problem(type: str) -> str:
    """What a type of problem means."""
    if type not in TYPES:
        raise not_found("There is no such type of problem.")
    status, title = TYPES[type]
    return render_template("problem.html", type=type, status=int(status), title=title, cause=_CAUSES[type])
