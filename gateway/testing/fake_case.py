"""A CASE provider in memory: the list of documents by pages, packages, items and associations, versions 1.0 and 1.1.

Imitates: the 1EdTech CASE 1.1 OpenAPI document (and 1.0, which has the same paths below ``/ims/case/v1p0``), its error
object ``imsx_StatusInfo`` with ``invalid_uuid`` (1.0: ``invaliduuid``) and ``unknownobject``, and what real exports do:
``CFDocumentURI`` inside packages, packages wrapped in ``{"CFPackage": …}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.testing.fake_auth import Gate
from gateway.testing.fake_service import FakeService, Manners, Refusal, Reply, Striking

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CHANGED = "2026-06-01T00:00:00+00:00"


def sample_packages(frameworks: int = 5, items: int = 4) -> list[dict[str, Any]]:
    """Small packages: a document, a domain with its competencies below it, a rubric with a scale of four levels."""
    return [_package(number, items) for number in range(frameworks)]


def _id(kind: int, framework: int, number: int = 0) -> str:
    return f"{kind:08x}-0000-4000-8000-{framework:06x}{number:06x}"


def _link(id_: str, title: str) -> dict[str, str]:
    return {"identifier": id_, "uri": f"https://case.example/uri/{id_}", "title": title}


def _thing(id_: str, **fields: Any) -> dict[str, Any]:
    return {"identifier": id_, "uri": f"https://case.example/uri/{id_}", "lastChangeDateTime": _CHANGED, **fields}


def _package(framework: int, items: int) -> dict[str, Any]:
    document = _thing(
        _id(1, framework), creator="Lakeside", title=f"Framework {framework}", language="en", adoptionStatus="Adopted",
        subject=["Mathematics"],
    )  # fmt: skip
    domain = _thing(
        _id(2, framework), fullStatement="Numbers", humanCodingScheme=f"F{framework}.N", CFItemType="Domain"
    )
    below = [
        _thing(
            _id(2, framework, number), fullStatement=f"Can do {number}", humanCodingScheme=f"F{framework}.N.{number}",
            CFItemType="Competency", educationLevel=["05"],
        )
        for number in range(1, items)
    ]  # fmt: skip
    parents = [(domain["identifier"], document["identifier"])]
    parents += [(item["identifier"], domain["identifier"]) for item in below]
    return {
        "CFDocument": document,
        "CFItems": [domain, *below],
        "CFAssociations": [
            _thing(
                _id(3, framework, number), associationType="isChildOf", sequenceNumber=number,
                originNodeURI=_link(child, "child"), destinationNodeURI=_link(parent, "parent"),
            )
            for number, (child, parent) in enumerate(parents, start=1)
        ],
        "CFRubrics": [_rubric(framework, below[0]["identifier"] if below else domain["identifier"])],
    }  # fmt: skip


def _rubric(framework: int, item: str) -> dict[str, Any]:
    words = ("Beginning", "Developing", "Proficient", "Advanced")
    levels = [
        _thing(_id(6, framework, number), quality=word, score=float(number), position=number)
        for number, word in enumerate(words, start=1)
    ]
    criterion = _thing(
        _id(5, framework), CFItemURI=_link(item, "item"), position=1, weight=1.0, CFRubricCriterionLevels=levels
    )
    return _thing(_id(4, framework), title="Scale", CFRubricCriteria=[criterion])


@dataclass(slots=True)
class FrameworkManners(Manners):
    """``wrapped_packages``: a package stands in ``{"CFPackage": …}``; ``uris_inside``: items name their document, as
    exports of 1.0 do."""

    wrapped_packages: bool = False
    uris_inside: bool = False


class FakeCase(FakeService):
    """A provider with the packages given, or a few small ones."""

    id_field = "identifier"
    host = "https://case.example"
    manners: FrameworkManners

    def __init__(
        self,
        packages: Sequence[Mapping[str, Any]] | None = None,
        *,
        version: str = "1.1",
        gate: Gate | None = None,
        manners: FrameworkManners | None = None,
    ) -> None:
        super().__init__(gate, manners or FrameworkManners())
        given = sample_packages() if packages is None else packages
        self.packages = {package["CFDocument"]["identifier"]: deepcopy(dict(package)) for package in given}
        self.version = version

    @property
    def base_path(self) -> str:
        return "/ims/case/v1p0" if self.version == "1.0" else "/ims/case/v1p1"

    @property
    def base_url(self) -> str:
        return self.host + self.base_path

    def answer(self, environ: WSGIEnvironment, body: bytes, striking: Striking) -> Reply:
        path = environ["PATH_INFO"]
        steps = path[len(self.base_path) + 1 :].split("/") if path.startswith(f"{self.base_path}/") else []
        if environ["REQUEST_METHOD"] != "GET" or len(steps) not in (1, 2):
            raise Refusal(404, "unknownobject")
        if len(steps) == 1:
            if steps[0] != "CFDocuments":
                raise Refusal(404, "unknownobject")
            return self.list_reply(
                environ, "CFDocuments", [self._document(p) for p in self.packages.values()], striking
            )
        if not _UUID.fullmatch(steps[1]):
            raise Refusal(400, "invaliduuid" if self.version == "1.0" else "invalid_uuid")
        return self._single(steps[0], steps[1].lower())

    def _document(self, package: Mapping[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = package["CFDocument"]
        uri = f"{self.base_url}/CFPackages/{document['identifier']}"
        return {**document, "CFPackageURI": {**_link(document["identifier"], document["title"]), "uri": uri}}

    def _single(self, name: str, id_: str) -> Reply:
        package = self.packages.get(id_)
        if name == "CFDocuments" and package:
            return Reply(200, self._document(package))
        if name == "CFPackages" and package:
            sent = self._with_uris(package) if self.manners.uris_inside else package
            return Reply(200, {"CFPackage": sent} if self.manners.wrapped_packages else sent)
        for package in self.packages.values():
            for item in package["CFItems"]:
                if item["identifier"] == id_ and name == "CFItems":
                    return Reply(200, {**item, "CFDocumentURI": _link(package["CFDocument"]["identifier"], "")})
                if item["identifier"] == id_ and name == "CFItemAssociations":
                    return Reply(200, {"CFItem": item, "CFAssociations": _touching(package, id_)})
            for association in package["CFAssociations"]:
                if association["identifier"] == id_ and name == "CFAssociations":
                    return Reply(200, association)
        raise Refusal(404, "unknownobject")

    def _with_uris(self, package: Mapping[str, Any]) -> dict[str, Any]:
        document = package["CFDocument"]
        link = {"CFDocumentURI": _link(document["identifier"], document["title"])}
        parts = {name: [{**part, **link} for part in package[name]] for name in ("CFItems", "CFAssociations")}
        return {**package, **parts}


def _touching(package: Mapping[str, Any], id_: str) -> list[Mapping[str, Any]]:
    ends = ("originNodeURI", "destinationNodeURI")
    return [part for part in package["CFAssociations"] if any(part[end]["identifier"] == id_ for end in ends)]
