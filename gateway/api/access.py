"""Who calls, and whether they may: an address is closed unless it says which scope opens it, or that it is public."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request

from gateway.api.problems import Problem
from gateway.api.roles import ALLOWED, Role
from gateway.api.sites import Site
from gateway.store import audit
from gateway.store.clients import Known

View = TypeVar("View", bound=Callable[..., Any])
_SCOPES, _PUBLIC = "_scopes", "_public"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a client of one district, with the scopes that its credential carries."""

    site: Site
    client_id: str
    role: Role
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes and scope in ALLOWED[self.role]


def needs(*scopes: str) -> Callable[[View], View]:
    """Open an address to callers that have one of ``scopes``."""

    def opened(view: View) -> View:
        setattr(view, _SCOPES, frozenset(scopes))
        return view

    return opened


def public(view: View) -> View:
    """Open an address to everyone: it must show nothing of any district."""
    setattr(view, _PUBLIC, True)
    return view


def scopes_of(view: Callable[..., Any]) -> frozenset[str] | None:
    """The scopes of which an address needs one; none for a public one, ``None`` for one that was never opened."""
    return frozenset() if getattr(view, _PUBLIC, False) else getattr(view, _SCOPES, None)


def caller() -> Caller:
    """Who calls."""
    return cast(Caller, g.caller)


def note(action: str, *, subjects: int = 0, **detail: Any) -> None:
    """Write into the audit what the caller is about to do with students' data."""
    who = caller()
    entry = audit.Entry(now(), who.client_id, action, subjects, {"request": g.request_id, **detail})
    audit.note(who.site.store, who.site.id, entry)


def now() -> Any:
    return current_app.extensions["gateway-clock"]()


def guard(app: Flask) -> None:
    """Check every request before its view is called."""

    @app.before_request
    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if view is None or request.method == "OPTIONS":
            return  # no such address or method: the framework answers so
        wanted = scopes_of(view)
        if wanted == frozenset():
            return
        g.caller = identify()
        if wanted is None or not any(g.caller.may(scope) for scope in wanted):
            needed = " or ".join(sorted(wanted or ())) or "a scope that no one has"
            raise Problem(
                "forbidden",
                f"This needs the scope {needed}.",
                hint="Ask the district's IT staff for a key with it.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
            )


def identify() -> Caller:
    """The caller, by the bearer token or key of the request.

    Raises :class:`Problem` (``unauthorized``), which tells an unknown credential and an expired one alike.
    """
    kind, _, credential = request.headers.get("Authorization", "").partition(" ")
    found = None
    if kind.lower() == "bearer" and credential:
        found = current_app.extensions["gateway-sites"].recognise(credential.strip(), now())
    if found is None:
        raise Problem(
            "unauthorized",
            "The credential is missing, unknown, expired or revoked.",
            hint="Send `Authorization: Bearer …` with a key, or with a token from /oauth/token.",
            headers={"WWW-Authenticate": 'Bearer realm="mastery-gateway"'},
        )
    site, known = found
    return from_known(site, known)


def from_known(site: Site, known: Known) -> Caller:
    return Caller(site, known.client.client_id, Role(known.client.role), known.scopes)
