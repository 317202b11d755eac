"""Where things are: the paths of 5.x and 6.x, of 7.x, and of v8, with tenant, instance and school year; discovery.

=========  ======================================================================
5.x, 6.x   ``{base}/data/v3[/{instance}][/{year}]/ed-fi/{resource}``
7.x        ``{base}[/{tenant}][/{year}]/data/v3/ed-fi/{resource}``
v8         ``{base}/api[/{tenant}][/{year}]/data/ed-fi/{resource}``
=========  ======================================================================

*Not verified*: what discovery tells at the root of a host with several years; here the addresses of the last of them,
and at ``{base}[/{tenant}]/{year}`` those of that year (7.x and v8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Area(StrEnum):
    """What a path leads to."""

    DISCOVERY = "discovery"
    TOKEN = "token"
    TOKEN_INFO = "token info"
    DATA = "data"
    METADATA = "metadata"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads, the steps that remain, and the year in it."""

    area: Area
    steps: tuple[str, ...] = ()
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a host of ``version``; ``years`` are those it has a database for, none: a shared one."""

    version: tuple[int, int]
    prefix: str = ""
    tenant: str = ""
    instance: str = ""
    years: Sequence[int] = ()

    @property
    def leading(self) -> bool:
        """Whether tenant and year stand in front."""
        return self.version >= (7, 0)

    @property
    def root(self) -> str:
        return f"{self.prefix}/api" if self.version >= (8, 0) else self.prefix

    @property
    def data(self) -> str:
        return "data" if self.version >= (8, 0) else "data/v3"

    def context(self, year: int | None = None) -> str:
        """Tenant or instance and year, each with a slash before it."""
        chosen = year or (self.years[-1] if self.years else None)
        steps = [self.tenant if self.leading else self.instance, str(chosen or "")]
        return "".join(f"/{step}" for step in steps if step)

    def base(self, area: Area, year: int | None = None) -> str:
        """The path below which an area begins."""
        context = self.context(year)
        names = {Area.DATA: self.data, Area.METADATA: f"metadata/{self.data}", Area.CHANGES: "changeQueries/v1"}
        if area is Area.TOKEN:
            if self.version >= (8, 0):
                return f"{self.root}/connect/token"
            before = self.tenant if self.leading else self.instance
            return f"{self.root}{f'/{before}' if before else ''}/oauth/token"
        if self.leading:
            return f"{self.root}{context}/{names[area]}"
        return f"{self.root}/{names[area]}{context}"

    def route(self, path: str) -> Route | None:
        """What a path leads to, ``None`` if nowhere."""
        if not f"{path}/".startswith(f"{self.root}/"):
            return None
        steps = [step for step in path[len(self.root) :].split("/") if step]
        if steps[-2:] in (["oauth", "token"], ["connect", "token"]):
            return Route(Area.TOKEN)
        if steps[-2:] == ["oauth", "token_info"]:
            return Route(Area.TOKEN_INFO)
        if not steps or steps in ([self.tenant], [self.instance]):
            return Route(Area.DISCOVERY)
        return self._leading(steps) if self.leading else self._trailing(steps)

    def _leading(self, steps: list[str]) -> Route | None:
        if self.tenant and steps.pop(0) != self.tenant:
            return None
        year = self._take_year(steps)
        if self.years and year is None:
            return None
        if not steps:
            return Route(Area.DISCOVERY, year=year)
        return self._area(steps, year)

    def _trailing(self, steps: list[str]) -> Route | None:
        for area in (Area.DATA, Area.METADATA, Area.CHANGES):
            name = {Area.DATA: "data/v3", Area.METADATA: "metadata/data/v3", Area.CHANGES: "changeQueries/v1"}[area]
            parts = name.split("/")
            if steps[: len(parts)] == parts:
                rest = steps[len(parts) :]
                if self.instance and (not rest or rest.pop(0) != self.instance):
                    return None
                year = self._take_year(rest)
                return None if self.years and year is None else Route(area, tuple(rest), year)
        return Route(Area.METADATA, ()) if steps == ["metadata"] else None

    def _take_year(self, steps: list[str]) -> int | None:
        if self.years and steps and steps[0].isdigit() and int(steps[0]) in self.years:
            return int(steps.pop(0))
        return None

    def _area(self, steps: list[str], year: int | None) -> Route | None:
        parts = self.data.split("/")
        if steps[0] == "metadata":
            rest = steps[1:]
            return Route(Area.METADATA, tuple(rest[len(parts) :] if rest[: len(parts)] == parts else rest), year)
        if steps[:2] == ["changeQueries", "v1"]:
            return Route(Area.CHANGES, tuple(steps[2:]), year)
        if steps[: len(parts)] == parts:
            return Route(Area.DATA, tuple(steps[len(parts) :]), year)
        return None


def discovery(
    addresses: Addresses, host: str, number: str, model: str, year: int | None, changes: bool
) -> dict[str, Any]:
    """The document at the root: ``number`` is the host's version, ``model`` that of the Data Standard."""

    def url(area: Area, below: str = "") -> str:
        return f"{host}{addresses.base(area, year)}{below}"

    metadata = url(Area.METADATA).split("/metadata/")[0] + "/metadata/"
    urls = {
        "dependencies": url(Area.METADATA, "/dependencies"),
        "openApiMetadata": metadata,
        "oauth": url(Area.TOKEN),
        "dataManagementApi": url(Area.DATA, "/"),
        "xsdMetadata": f"{metadata}xsd",
    }
    if changes:
        urls["changeQueries"] = url(Area.CHANGES, "/")
    document: dict[str, Any] = {
        "version": number,
        "informationalVersion": number,
        "suite": "3",
        "build": f"{number}.0.1",
        "dataModels": [
            {"name": "Ed-Fi", "version": model, "informationalVersion": f"The Ed-Fi Data Standard v{model}"}
        ],
        "urls": urls,
    }
    if not addresses.leading:
        mode = "Instance Year Specific" if addresses.instance else "Year Specific"
        document["apiMode"] = mode if addresses.years else "Shared Instance"
    return document
