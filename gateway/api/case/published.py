"""The frameworks of a district as CASE packages, made once for each change of their files."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.api.encoding import encoded, zipped
from gateway.api.sites import Site
from gateway.core.case_package import case_package
from gateway.core.errors import ConfigurationError
from gateway.mappings import framework_tables, named_files

Json = dict[str, Any]

ENDS = ("originNodeURI", "destinationNodeURI")
_TYPES_OF_1_0 = frozenset({"isChildOf", "isPeerOf", "isPartOf", "exactMatchOf", "precedes", "isRelatedTo", "replacedBy",
                           "exemplar", "hasSkillLevel"})  # fmt: skip
_SINCE_1_1 = {
    "CFDocument": ("frameworkType", "caseVersion"), "CFItems": ("subject", "subjectURI"), "CFAssociations": ("notes",),
}  # fmt: skip


@dataclass(frozen=True)
class Package:
    """One framework's package, with its parts by id."""

    content: Json
    parts: Mapping[str, Mapping[str, Json]] = field(repr=False)
    """By collection (``CFItems``, ``CFAssociations``, ``CFRubrics``, ``CFLicenses``) and identifier."""

    @property
    def document(self) -> Json:
        found: Json = self.content["CFDocument"]
        return found

    @property
    def link(self) -> Json:
        document = self.document
        return {"title": document["title"], "identifier": document["identifier"], "uri": document["uri"]}

    @cached_property
    def zipped(self) -> bytes:
        """The content as gzip: packages are large, and are asked for again and again."""
        return zipped(encoded(self.content))

    @cached_property
    def tag(self) -> str:
        """An entity tag of the content."""
        return hashlib.sha256(self.zipped).hexdigest()[:32]


class Published:
    """The packages of every district, by version and address of the service."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[tuple[tuple[Path, int], ...], dict[str, Package]]] = {}
        self._lock = threading.Lock()

    def packages(self, site: Site, base: str, *, version: str) -> dict[str, Package]:
        """The district's packages by identifier. ``base`` is the service's address, up to ``/ims/case/v1p…``."""
        files = tuple((path, path.stat().st_mtime_ns) for path in sorted(set(_files(site))))
        with self._lock:
            held = self._made.get((site.id, base))
            if held is None or held[0] != files:
                held = (files, _made(files, base, version))
                self._made[site.id, base] = held
                while len(self._made) > MOST_BASES:
                    del self._made[next(iter(self._made))]
            return held[1]


def _files(site: Site) -> Iterator[Path]:
    """The framework files of all mappings: their own, or the copy of what a sync pulled last."""
    pulled = {sync.mapping for sync in site.district.syncs.values() if sync.framework}
    copies = sorted(site.district.data.glob("runs/*/map/framework.json"))
    for mapping in site.catalogue.mappings.all():
        path = Path(mapping.document.name)
        if path in pulled and copies:
            yield copies[-1]
        for where, name in named_files(mapping.document):
            if where[0] == "other_frameworks" or (where == ("framework",) and path not in pulled):
                yield path.parent / name


def _made(files: tuple[tuple[Path, int], ...], base: str, version: str) -> dict[str, Package]:
    found: dict[str, Package] = {}
    for path, _ in files:
        try:
            tables = framework_tables(path)
        except ConfigurationError:
            continue  # the mapping that names it cannot be used either, and says so
        for id in tables["frameworks"]["id"]:
            content = case_package(tables, base_uri=base, framework_id=id)
            package = _package(content if version == "1.1" else _as_1_0(content))
            found[package.document["identifier"]] = package
    return found


def _package(content: Json) -> Package:
    lists = {"CFItems": content["CFItems"], "CFAssociations": content["CFAssociations"],
             "CFRubrics": content.get("CFRubrics", []), **content.get("CFDefinitions", {})}  # fmt: skip
    return Package(content, {name: {each["identifier"]: each for each in parts} for name, parts in lists.items()})


def _as_1_0(content: Json) -> Json:
    """Without what 1.0 does not know."""
    without = {
        "CFDocument": _lacking(content["CFDocument"], "CFDocument"),
        "CFItems": [_lacking(item, "CFItems") for item in content["CFItems"]],
        "CFAssociations": [
            _lacking(each, "CFAssociations")
            for each in content["CFAssociations"]
            if each["associationType"] in _TYPES_OF_1_0
        ],
    }
    return {**content, **without}


def _lacking(part: Json, kind: str) -> Json:
    kept = {name: value for name, value in part.items() if name not in _SINCE_1_1[kind]}
    return {
        name: {key: inner for key, inner in value.items() if key != "targetType"} if name in ENDS else value
        for name, value in kept.items()
    }


MOST_BASES = 6
"""The address is the caller's word, so that no more of them are remembered."""

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
