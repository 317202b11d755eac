"""Addresses that will go: marked once, told in every answer and in the contract.

Source: RFC 9745 (``Deprecation``), RFC 8594 (``Sunset``), RFC 8288 (``Link``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from werkzeug.http import http_date

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "_deprecation"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when an address is deprecated, until when it answers, and where people read what to use instead."""

    since: datetime
    until: datetime
    page: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": http_date(self.until.astimezone(UTC)),
            "Link": f'<{self.page}>; rel="deprecation"; type="text/html"',
        }


def deprecated(since: datetime, until: datetime, page: str) -> Callable[[View], View]:
    """Mark an address; ``page`` is the address of the page that tells what to use instead."""

    def marked(view: View) -> View:
        setattr(view, _MARK, Deprecation(since, until, page))
        return view

    return marked


def deprecation_of(view: Callable[..., Any] | None) -> Deprecation | None:
    found: Deprecation | None = getattr(view, _MARK, None)
    return found


def install(app: Flask) -> None:
    """Tell callers of deprecated addresses, whatever they are answered."""

    @app.after_request
    def tell(response: Response) -> Response:
        found = deprecation_of(current_app.view_functions.get(request.endpoint or ""))
        for name, value in found.headers.items() if found else ():
            response.headers.add(name, value)
        return response
