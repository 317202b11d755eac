"""The addresses of the rostering and gradebook services, made from the lists: pages, single records, failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from flask import Blueprint, Flask, Response, current_app, request

from gateway.api import problems, roles
from gateway.api.access import caller, needs, note
from gateway.api.inbox.beside import Overlays, WithInbox
from gateway.api.links import page_links
from gateway.api.oneroster.disclosing import Disclosing, students_of
from gateway.api.oneroster.lists import ADDRESSES, LISTINGS, LISTINGS_11, VIEWS, Address, Listing, Via
from gateway.api.oneroster.queries import Query, RefusedQuery, read_fields, read_query
from gateway.api.oneroster.records import Records, encode
from gateway.api.oneroster.tables import Served, Tables
from gateway.api.problems import TYPES, Problem, not_found

ROSTERING = "/ims/oneroster/rostering/v1p2"
GRADEBOOK = "/ims/oneroster/gradebook/v1p2"
ROSTERING_11 = "/ims/oneroster/v1p1"

GRADEBOOK_ID = "<path:id>"
"""Products give gradebook records ids of their own, with slashes too; nothing is read below such a record."""

AnyTables = Tables | WithInbox

_MINOR = {
    "unauthorized": "unauthorisedrequest", "forbidden": "forbidden", "not-found": "unknownobject",
    "too-many-requests": "server_busy", "unavailable": "server_busy", "internal": "internal_server_error",
}  # fmt: skip


def install(app: Flask) -> None:
    """Add all addresses of both services and versions."""
    app.extensions["gateway-oneroster"] = Served()
    app.extensions["gateway-overlays"] = Overlays()
    app.extensions["gateway-disclosing"] = Disclosing()
    blueprint = Blueprint("oneroster", __name__)
    for base, listings in ((ROSTERING, LISTINGS), (GRADEBOOK, LISTINGS), (ROSTERING_11, LISTINGS_11)):
        for address in ADDRESSES:
            listing = _listing(address.listing, listings)
            if listing is None or listing.gradebook is not (base == GRADEBOOK):
                continue
            _add(blueprint, base, address, listing)
    app.register_blueprint(blueprint)
    problems.speak("/ims/oneroster/", problem_as_status)


def _listing(name: str, listings: Mapping[str, Listing]) -> Listing | None:
    return listings.get(VIEWS[name][0] if name in VIEWS else name)


def _add(blueprint: Blueprint, base: str, address: Address, listing: Listing) -> None:
    """One list, and its single records if it is a plain one."""
    endpoint = f"{base}/{address.path}".strip("/").replace("/", "-").replace(".", "")
    scopes = _scopes(base, listing, core=not address.parents)

    def read_list(**ids: str) -> Response:
        return _list(base, address, listing, ids)

    blueprint.add_url_rule(f"{base}/{address.path}", endpoint, needs(*scopes)(_speaking(read_list)))
    if not address.parents:

        def read_one(id: str) -> Response:
            return _one(base, address, listing, id)

        path = f"{base}/{address.path}/{GRADEBOOK_ID if listing.gradebook else '<id>'}"
        blueprint.add_url_rule(path, f"{endpoint}-one", needs(*scopes)(_speaking(read_one)))


def _scopes(base: str, listing: Listing, *, core: bool) -> tuple[str, ...]:
    if listing.name == "demographics":
        return (roles.DEMOGRAPHICS,)
    if listing.gradebook:
        return (roles.GRADEBOOK, roles.GRADEBOOK_CORE) if core else (roles.GRADEBOOK,)
    if base == ROSTERING_11:
        return (roles.ROSTER_11, roles.ROSTER_CORE_11) if core else (roles.ROSTER_11,)
    return (roles.ROSTER, roles.ROSTER_CORE) if core else (roles.ROSTER,)


def _speaking(view: Callable[..., Response]) -> Callable[..., Response]:
    """Failures of this address are told as the standard says."""

    def speaking(**ids: str) -> Response:
        try:
            return view(**ids)
        except RefusedQuery as error:
            raise Problem("bad-request", str(error), code=error.code) from None

    speaking.__doc__ = view.__doc__
    return speaking


def problem_as_status(problem: Problem) -> Response:
    """A failure as ``imsx_StatusInfo``."""
    status, title = TYPES[problem.type]
    minor = problem.code if problem.code.startswith("invalid_") else _MINOR.get(problem.type, "invaliddata")
    field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{title} {problem.detail}"[:1000],
        "imsx_CodeMinor": {"imsx_codeMinorField": [field]},
    }
    return Response(encode(body), int(status), problem.headers, content_type="application/json")


def _list(base: str, address: Address, listing: Listing, ids: Mapping[str, str]) -> Response:
    query = read_query(request.args, listing)
    asked = request.args.get("filter", "")
    tables = _tables(listing, withdrawn="status" in asked or "dateLastModified" in asked)
    if not address.parents and address.listing not in VIEWS and query.filter is None and query.order is None:
        page, total = tables.page(listing.table, query.offset, query.limit)
    else:
        frame = _belonging(tables, address, ids)
        key = "\0".join((listing.table, address.path, *ids.values(), query.key))
        rows = tables.rows_of(key, lambda: _ordered(frame, query))
        page, total = rows.page(query.offset, query.limit), rows.total
    _disclose(listing, tables)
    note("oneroster.read", subjects=students_of(listing, page), list=address.path, rows=page.height,
         snapshot=tables.folder.name, offset=query.offset, filtered=query.filter is not None)  # fmt: skip
    current_app.extensions["gateway-metrics"].rows.labels("oneroster").inc(page.height)
    headers = {"X-Total-Count": str(total)} | {"Link": page_links(query.limit, query.offset, total)}
    told = records(base, query.fields).listed(listing.name, page)
    return Response(told, headers=headers, content_type="application/json")


def _one(base: str, address: Address, listing: Listing, id: str) -> Response:
    fields = read_fields(request.args.get("fields"), listing)
    tables = _tables(listing)
    rows = _view(tables, address.listing).filter(pl.col("id") == id).collect()
    if rows.is_empty():
        raise not_found("There is no such record.")
    _disclose(listing, tables)
    note("oneroster.read", subjects=students_of(listing, rows), list=address.path, rows=1)
    return Response(records(base, fields).single(listing.single, rows), content_type="application/json")


def _disclose(listing: Listing, tables: AnyTables) -> None:
    disclosing: Disclosing = current_app.extensions["gateway-disclosing"]
    disclosing.note(caller(), listing, tables.folder.name)


def _tables(listing: Listing, *, withdrawn: bool = True) -> AnyTables:
    """What the caller is shown: the district's records, and over a gradebook its own ones in the inbox."""
    who = caller()
    served: Served = current_app.extensions["gateway-oneroster"]
    tables = served.tables(who.site)
    if tables is None:
        raise Problem("unavailable", "The district has pulled nothing yet.", headers={"Retry-After": "3600"})
    if not listing.gradebook:
        return tables
    overlays: Overlays = current_app.extensions["gateway-overlays"]
    return WithInbox(tables, overlays.laid(tables, who.site, who.client_id), who.client_id, withdrawn=withdrawn)


def _view(tables: AnyTables, name: str) -> pl.LazyFrame:
    """A collection, or the part of one that a view is."""
    if name not in VIEWS:
        return tables.scan(LISTINGS[name].table)
    whole, column, value = VIEWS[name]
    frame = tables.scan(LISTINGS[whole].table)
    listed = isinstance(frame.collect_schema()[column], pl.List)
    return frame.filter(pl.col(column).list.contains(value) if listed else pl.col(column) == value)


def _belonging(tables: AnyTables, address: Address, ids: Mapping[str, str]) -> pl.LazyFrame:
    """The records of an address. Raises :class:`Problem` (``not-found``) where a parent does not exist."""
    frame = _view(tables, address.listing)
    for (parent, via), id in zip(address.parents, ids.values(), strict=True):
        if _view(tables, parent).filter(pl.col("id") == id).select("id").collect().is_empty():
            raise not_found("There is no such record.")
        if via is not None:
            frame = frame.filter(_belongs(tables, via, id, frame))
    return frame


def _belongs(tables: AnyTables, via: Via, id: str, frame: pl.LazyFrame) -> pl.Expr:
    listed = isinstance(frame.collect_schema()[via.column], pl.List)
    if via.table is None:
        return pl.col(via.column).list.contains(id) if listed else pl.col(via.column) == id
    rows = tables.plain(via.table).filter(pl.col(via.parent) == id)
    if via.role is not None:
        rows = rows.filter(pl.col("role") == via.role)
    found = rows.select(via.child).collect()[via.child]
    values = (found.explode() if found.dtype == pl.List else found).drop_nulls().unique()
    return pl.col(via.column).is_in(values.implode())


def _ordered(frame: pl.LazyFrame, query: Query) -> pl.LazyFrame:
    kept = frame if query.filter is None else frame.filter(query.filter)
    if query.order is None:
        return kept
    column, descending = query.order
    return kept.sort(column, "id", descending=[descending, False], nulls_last=True)


def records(base: str, fields: Any) -> Records:
    """Writes records with addresses of this server."""
    root = request.url_root.rstrip("/")
    rostering = ROSTERING_11 if base == ROSTERING_11 else ROSTERING
    return Records(root + rostering, root + GRADEBOOK, fields)
