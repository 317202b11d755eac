"""What a host says of itself: its version, the version of the Data Standard, and the addresses of everything.

=========  ======================================================================
5.x, 6.x   ``{base}/data/v3[/{instance}][/{year}]/ed-fi/{resource}``
7.x        ``{base}[/{tenant}][/{year}]/data/v3/ed-fi/{resource}``
v8         ``{base}[/{tenant}][/{year}]/data/ed-fi/{resource}``
=========  ======================================================================

The addresses are the host's own. Tenant, instance and school year of the settings take the place of those that the
host's description shows (a placeholder in braces, or another year), and are put in where it shows none.
*Not verified*: the placeholders, and what a host with several years shows at its root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from connectors.edfi.versions import STANDARDS, Abilities, Version, read_version
from gateway.sdk import ConfigurationError, decode_page, origin

_YEAR = re.compile(r"(?:19|20)\d\d\Z")
_NUMBERED = re.compile(r"v\d\Z")
_AREAS = {
    "dataManagementApi": "data",
    "dependencies": "metadata",
    "changeQueries": "changeQueries",
    "oauth": "oauth",
}
_NEEDED = ("dataManagementApi", "oauth")
_ABOUT = "Check base_url: it is the address at which the host describes itself (version, dataModels, urls)."


@dataclass(frozen=True, slots=True)
class Place:
    """Tenant, instance and school year of the connection, each empty where the host has no several."""

    tenant: str = ""
    instance: str = ""
    year: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Place:
        return cls(settings["tenant"], settings["instance"], str(settings["school_year"] or ""))


@dataclass(frozen=True, slots=True)
class Host:
    """A host as it describes itself, for the place of this connection. Addresses have no slash at their end.

    ``changes`` is empty where change queries are off; ``dependencies`` where the host tells no order.
    """

    version: Version
    standard: Version
    told: str
    data: str
    token: str
    changes: str
    dependencies: str
    metadata: str

    @property
    def abilities(self) -> Abilities:
        return Abilities.of(self.version)


def read_host(body: bytes, base_url: str, settings: Mapping[str, Any]) -> Host:
    """The host's description. Raises :class:`ConfigurationError` (``edfi.discovery``, ``edfi.version``,
    ``edfi.other-host``, ``edfi.context``)."""
    document = decode_page(body, dict[str, Any], source="the host's description")
    urls, models = document.get("urls"), document.get("dataModels")
    if not isinstance(urls, dict) or not all(isinstance(urls.get(name), str) for name in _NEEDED):
        raise ConfigurationError(
            "The address answers, but not with the description of an Ed-Fi ODS/API.", hint=_ABOUT, code="edfi.discovery"
        )
    version = read_version(str(document.get("version", "")), "own version")
    told = _told(models)
    declared = settings["data_standard"]
    standard = read_version(told if declared == "auto" else declared, "Data Standard")
    _require_known(standard)
    place, leading = Place.of(settings), Abilities.of(version).leading

    def address(name: str) -> str:
        url = urls.get(name)
        if not isinstance(url, str) or not url:
            return ""
        found = _completed(url, name, place, version)
        return _trusted(found, base_url, settings["trusted_hosts"]).rstrip("/")

    _require_meaning(place, leading)
    return Host(
        version, standard, told, address("dataManagementApi"), address("oauth"), address("changeQueries"),
        address("dependencies"), address("openApiMetadata"),
    )  # fmt: skip


def _told(models: Any) -> str:
    """The version of the data model ``Ed-Fi``, as the host writes it."""
    for model in models if isinstance(models, list) else ():
        if isinstance(model, dict) and str(model.get("name", "")).lower() == "ed-fi":
            return str(model.get("version", ""))
    return ""


def _require_known(standard: Version) -> None:
    if not STANDARDS[0] <= standard < (STANDARDS[-1][0] + 1, 0):
        raise ConfigurationError(
            f"The host has Data Standard {standard[0]}.{standard[1]}; this connector knows 3.2 to 6.",
            hint="Upgrade the gateway, or declare data_standard if the host's own word is wrong.",
            code="edfi.version",
        )


def _require_meaning(place: Place, leading: bool) -> None:
    misplaced = ("instance", "tenant") if leading else ("tenant", "instance")
    if getattr(place, misplaced[0]):
        since = "since 7.0 hosts have tenants" if leading else "tenants exist since 7.0"
        raise ConfigurationError(
            f"The setting {misplaced[0]} has no meaning for this host: {since}.",
            hint=f"Remove {misplaced[0]}, or write {misplaced[1]} instead.",
            code="edfi.context",
        )


def _completed(url: str, name: str, place: Place, version: Version) -> str:
    """The address with the connection's own tenant, instance and year."""
    parts = urlsplit(url)
    steps = [_filled(unquote(step), place) for step in parts.path.split("/")]
    if name != "openApiMetadata":
        steps = _with_context(steps, name, place, version)
    return urlunsplit((parts.scheme, parts.netloc, "/".join(steps), "", ""))


def _filled(step: str, place: Place) -> str:
    """A placeholder such as ``{tenantIdentifier}`` or ``{schoolYearFromRoute}`` as what the settings say."""
    if not (step.startswith("{") and step.endswith("}")):
        return step
    word = step.strip("{}").lower()
    for part, setting in (("tenant", "tenant"), ("instance", "instance"), ("year", "year")):
        if part in word:
            value: str = getattr(place, setting)
            if value:
                return value
            missing = "school_year" if setting == "year" else setting
            raise ConfigurationError(
                f"The host asks for a {missing.replace('_', ' ')} in its addresses.",
                hint=f"Write {missing} in the settings of this connection.",
                code="edfi.context",
            )
    raise ConfigurationError(
        "The host's addresses have a part that this connector does not know.",
        hint="Ask the host's operator for the address of one tenant and year, and write that as base_url.",
        code="edfi.context",
    )


def _with_context(steps: list[str], name: str, place: Place, version: Version) -> list[str]:
    """The steps with tenant and year in front of the area (7.0 and later), or instance and year behind it."""
    token = name == "oauth"
    if token and version >= (8, 0):
        return steps
    start = _area(steps, _AREAS[name])
    if token:
        return _before(steps, start, place.tenant or place.instance, "")
    if version >= (7, 0):
        return _before(steps, start, place.tenant, place.year)
    end = next((at for at in range(start, len(steps)) if _NUMBERED.match(steps[at])), start) + 1
    head, tail = steps[:end], steps[end:]
    if place.instance and tail[:1] == [place.instance]:
        tail.pop(0)
    if place.year and tail and _YEAR.match(tail[0]):
        tail.pop(0)
    return [*head, *filter(None, (place.instance, place.year)), *tail]


def _before(steps: list[str], start: int, owner: str, year: str) -> list[str]:
    head = steps[:start]
    if year and _YEAR.match(head[-1]):
        head.pop()
    if owner and owner not in head:
        head.append(owner)
    return [*head, *([year] if year else []), *steps[start:]]


def _area(steps: list[str], word: str) -> int:
    """The index of the step with which the area begins."""
    if word not in steps[1:]:
        raise ConfigurationError(
            "The host's addresses have no form that this connector knows.", hint=_ABOUT, code="edfi.discovery"
        )
    return len(steps) - 1 - steps[::-1].index(word)


def _trusted(url: str, base_url: str, hosts: list[str]) -> str:
    """The address, if it is on the host itself or on one that the settings trust. A host behind a gateway may tell
    ``http`` where it is reached by ``https``."""
    base, (scheme, name, port) = origin(base_url), origin(url)
    if name == base[1] and scheme == "http" and base[0] == "https":
        return urlunsplit(("https", urlsplit(base_url).netloc, urlsplit(url).path, "", ""))
    named = {each.lower() for each in hosts}
    if (scheme, name, port) == base or (scheme == "https" and {name, f"{name}:{port}"} & named):
        return url
    raise ConfigurationError(
        f"The host sends us to {name}, which these settings do not name.",
        hint=f"If it belongs to the host, add {name} to trusted_hosts; else correct base_url.",
        code="edfi.other-host",
    )
