"""The addresses of the CASE service, 1.1 and 1.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, request

from gateway.api import problems
from gateway.api.access import caller, needs
from gateway.api.case.published import ENDS, UUID, Json, Package, Published
from gateway.api.encoding import answer
from gateway.api.links import page_links
from gateway.api.problems import TYPES, Problem, not_found
from gateway.api.roles import FRAMEWORKS

T = TypeVar("T")

BASES = {"1.1": "/ims/case/v1p1", "1.0": "/ims/case/v1p0"}
DEFAULT_LIMIT = 100
_FIELDS = ("identifier", "uri", "creator", "title", "lastChangeDateTime", "CFPackageURI", "frameworkType",
           "caseVersion", "officialSourceURL", "publisher", "description", "subject", "subjectURI", "language",
           "version", "adoptionStatus", "statusStartDate", "statusEndDate", "licenseURI", "notes")  # fmt: skip
_SETS = {"CFConcepts": "CFConcepts", "CFItemTypes": "CFItemTypes", "CFSubjects": "CFSubjects"}
_MINOR = {
    "1.1": {"bad-request": "invalid_selection_field", "unauthorized": "unauthorised_request", "forbidden": "forbidden",
            "not-found": "unknownobject", "too-many-requests": "server_busy", "unavailable": "server_busy"},
    "1.0": {"bad-request": "invalid_selection_field", "unauthorized": "unauthorisedrequest", "forbidden": "forbidden",
            "not-found": "unknownobject", "too-many-requests": "server_busy", "unavailable": "server_busy"},
}  # fmt: skip


def install(app: Flask) -> None:
    """Add the addresses of both versions."""
    app.extensions["gateway-case"] = Published()
    blueprint = Blueprint("case", __name__)
    for version, base in BASES.items():
        _add(blueprint, version, base)
        problems.speak(base, _telling(version))
    app.register_blueprint(blueprint)


def _add(blueprint: Blueprint, version: str, base: str) -> None:
    def packages() -> dict[str, Package]:
        published: Published = current_app.extensions["gateway-case"]
        return published.packages(caller().site, request.url_root.rstrip("/") + base, version=version)

    def rule(path: str, view: Callable[..., Response]) -> None:
        name = f"{path.replace('/', '-')}-{version}".replace(".", "")
        blueprint.add_url_rule(f"{base}/{path}", name, needs(FRAMEWORKS)(view))

    def documents() -> Response:
        return _documents(packages(), base)

    def package(id: str) -> Response:
        return _package(_found(packages(), id, lambda found, id: found.get(id), version))

    rule("CFDocuments", documents)
    rule("CFPackages/<id>", package)
    for name, find in _SINGLES.items():
        rule(f"{name}/<id>", _one(packages, find, version))


def _one(
    packages: Callable[[], dict[str, Package]], find: Callable[[dict[str, Package], str], Json | None], version: str
) -> Callable[..., Response]:
    def view(id: str) -> Response:
        return answer(_found(packages(), id, find, version))

    return view


def _found(
    packages: dict[str, Package], id: str, find: Callable[[dict[str, Package], str], T | None], version: str
) -> T:
    """Raises :class:`Problem` for what is no identifier, or that of nothing."""
    if not UUID.fullmatch(id):
        code = "invalid_uuid" if version == "1.1" else "invaliduuid"
        raise Problem("bad-request", "This is no identifier.", code=code)
    found = find(packages, id.lower())
    if found is None:
        raise not_found("There is nothing of this identifier.")
    return found


def _package(package: Package) -> Response:
    """A whole framework, as it was zipped before if the caller takes that."""
    if request.accept_encodings.quality("gzip") > 0:
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        response = Response(package.zipped, headers=headers, content_type="application/json")
    else:
        response = answer(package.content)
    response.set_etag(package.tag, weak=True)
    return response


def _documents(packages: dict[str, Package], base: str) -> Response:
    """The list of frameworks, in pages."""
    unknown = set(request.args) - {"limit", "offset", "sort", "orderBy", "filter", "fields"}
    limit, offset = _whole("limit", DEFAULT_LIMIT, 1), _whole("offset", 0, 0)
    found = [_document(each, base) for each in packages.values()]
    fields = request.args.get("fields")
    wanted = set(fields.split(",")) if fields else None
    sort, way = request.args.get("sort", "identifier"), request.args.get("orderBy", "asc")
    if unknown or (wanted and not wanted <= set(_FIELDS)):
        raise Problem("bad-request", "There is no such field or parameter.", code="invalid_selection_field")
    if sort not in _FIELDS or way not in ("asc", "desc"):
        raise Problem("bad-request", "The list cannot be sorted by this field.", code="invalid_sort_field")
    if "filter" in request.args:
        found = [each for each in found if _passes(each, request.args["filter"])]
    found.sort(key=lambda each: (str(each.get(sort, "")), each["identifier"]), reverse=way == "desc")
    page = found[offset : offset + limit]
    if wanted:
        page = [{name: value for name, value in each.items() if name in wanted} for each in page]
    headers = {"X-Total-Count": str(len(found)), "Link": page_links(limit, offset, len(found))}
    return answer({"CFDocuments": page}, headers=headers)


def _passes(document: Json, text: str) -> bool:
    """One comparison, by text: ``title~'math'``, ``lastChangeDateTime>'2026-01-01'``."""
    for sign in ("!=", ">=", "<=", "=", ">", "<", "~"):
        name, found, value = text.partition(sign)
        if found and name in _FIELDS and len(value) >= 2 and value[0] == value[-1] == "'":
            have, wanted = str(document.get(name, "")), value[1:-1].replace("''", "'")
            return {"=": have == wanted, "!=": have != wanted, ">": have > wanted, ">=": have >= wanted,
                    "<": have < wanted, "<=": have <= wanted, "~": wanted.lower() in have.lower()}[sign]  # fmt: skip
    raise Problem("bad-request", "The filter must be field op 'value'.", code="invalid_selection_field")


def _document(package: Package, base: str) -> Json:
    """The document as it stands outside of its package."""
    address = f"{request.url_root.rstrip('/')}{base}/CFPackages/{package.document['identifier']}"
    return {**package.document, "CFPackageURI": {**package.link, "uri": address}}


def _find_document(packages: dict[str, Package], id: str) -> Json | None:
    base = request.path.rpartition("/CFDocuments/")[0]
    return _document(packages[id], base) if id in packages else None


def _find_part(name: str, *, inside: bool = True) -> Callable[[dict[str, Package], str], Json | None]:
    def find(packages: dict[str, Package], id: str) -> Json | None:
        for package in packages.values():
            part = package.parts.get(name, {}).get(id)
            if part is not None:
                return part if inside else {**part, "CFDocumentURI": package.link}
        return None

    return find


def _find_set(name: str) -> Callable[[dict[str, Package], str], Json | None]:
    def find(packages: dict[str, Package], id: str) -> Json | None:
        found = _find_part(name)(packages, id)
        return None if found is None else {name: [found]}

    return find


def _find_associations(packages: dict[str, Package], id: str) -> Json | None:
    item = _find_part("CFItems", inside=False)(packages, id)
    if item is None:
        return None
    touching = [
        each
        for package in packages.values()
        for each in package.parts["CFAssociations"].values()
        if any(each[end]["identifier"] == id for end in ENDS)
    ]
    return {"CFItem": item, "CFAssociations": touching}


_SINGLES: dict[str, Callable[[dict[str, Package], str], Json | None]] = {
    "CFDocuments": _find_document,
    "CFItems": _find_part("CFItems", inside=False),
    "CFItemAssociations": _find_associations,
    "CFAssociations": _find_part("CFAssociations", inside=False),
    "CFAssociationGroupings": _find_part("CFAssociationGroupings"),
    "CFRubrics": _find_part("CFRubrics"),
    "CFLicenses": _find_part("CFLicenses"),
    **{name: _find_set(name) for name in _SETS},
}


def _whole(name: str, usual: int, least: int) -> int:
    text = request.args.get(name, str(usual))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise Problem("bad-request", f"{name} must be a whole number of at least {least}.",
                      code="invalid_selection_field")  # fmt: skip
    return int(text)


def _telling(version: str) -> Callable[[Problem], Response]:
    """Failures as this version's ``imsx_StatusInfo``."""

    def tell(problem: Problem) -> Response:
        status, title = TYPES[problem.type]
        minor = problem.code if problem.code.startswith("invalid") else _MINOR[version].get(problem.type)
        name = "sourcedId" if problem.type == "not-found" else "TargetEndSystem"
        field: dict[str, Any] = {
            "imsx_codeMinorFieldName": name, "imsx_codeMinorFieldValue": minor or "internal_server_error",
        }  # fmt: skip
        body = {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": f"{title} {problem.detail}"[:1000],
            "imsx_codeMinor": {"imsx_codeMinorField": [field]},
        }
        return answer(body, int(status), problem.headers)

    return tell
