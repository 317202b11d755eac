"""Counts and durations for Prometheus: by address pattern, method and status, never by caller, student or value."""

from __future__ import annotations

from flask import Blueprint, Flask, Request, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from gateway.api.access import public

blueprint = Blueprint("metrics", __name__)

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30)


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("gateway_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "gateway_request_seconds", "Time to answer.", ("route", "method"), buckets=_SECONDS, registry=self.registry
        )
        self.rows = Counter("gateway_rows", "Rows taken in or given out.", ("kind",), registry=self.registry)


def install(app: Flask) -> None:
    app.extensions["gateway-metrics"] = Metrics()
    app.register_blueprint(blueprint)


def observe(request: Request, response: Response, seconds: float) -> tuple[str, str]:
    """Count an answered request; its method and the pattern of its address, as they are counted."""
    metrics: Metrics = current_app.extensions["gateway-metrics"]
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "other"
    metrics.requests.labels(route, method, str(response.status_code)).inc()
    metrics.seconds.labels(route, method).observe(seconds)
    return method, route


@blueprint.get("/metrics")
@public
def show() -> Response:
    """The figures in Prometheus' text format."""
    metrics: Metrics = current_app.extensions["gateway-metrics"]
    return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)
