"""The school as documents show it: its words from the district's file, and its logo checked and embedded."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from gateway.core.errors import ConfigurationError
from gateway.settings import Contact, District, SchoolSettings

MOST_BYTES = 512 * 1024
MOST_PIXELS = 4000
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"
_REFUSED = frozenset({"script", "foreignObject", "image", "use", "feImage", "iframe", "a", "animate", "set"})
"""Elements that a logo does not need and that could fetch, run or hide something."""

_OUTSIDE = re.compile(r"url\(\s*['\"]?\s*(?!['\"#\s])|@import")
"""In small letters: an address that is not within the drawing. A backslash could hide one, so it is refused too."""


@dataclass(frozen=True, slots=True)
class School:
    """Names and words at the head and foot of a document. ``logo`` is a ``data:`` address, empty for none."""

    name: str
    address: tuple[str, ...] = ()
    contact: Contact | None = None
    ceeb: str = ""
    footer: str = ""
    logo: str = ""


def read_school(district: District) -> School:
    """The school of a district's file with its logo.

    Raises :class:`ConfigurationError` (``documents.logo``) for a logo that cannot be used.
    """
    settings: SchoolSettings = district.school
    logo = read_logo(settings.logo) if settings.logo else ""
    return School(settings.name, settings.address, settings.contact, settings.ceeb, settings.footer, logo)


def read_logo(path: Path) -> str:
    """The picture at ``path`` as a ``data:`` address.

    Raises :class:`ConfigurationError` (``documents.logo``): too large, no PNG or SVG, or an SVG that is more than a
    drawing (scripts, links, pictures from elsewhere).
    """
    if not path.is_file():
        raise _refused(path, "does not exist")
    if path.stat().st_size > MOST_BYTES:
        raise _refused(path, f"is larger than {MOST_BYTES // 1024} KB")
    content = path.read_bytes()
    if content.startswith(_PNG):
        _check_png(path, content)
        kind = "image/png"
    else:
        _check_svg(path, content)
        kind = "image/svg+xml"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _check_png(path: Path, content: bytes) -> None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise _refused(path, "is no whole PNG picture")
    width, height = struct.unpack(">II", content[16:24])
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise _refused(path, f"has more than {MOST_PIXELS} pixels on a side")


def _check_svg(path: Path, content: bytes) -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(path, "is neither a PNG nor an SVG picture") from error
    if root.tag != f"{_SVG}svg":
        raise _refused(path, "is neither a PNG nor an SVG picture")
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused(path, "has a DOCTYPE")
    if root.getroottree().xpath("//processing-instruction()"):
        raise _refused(path, "holds a processing instruction")
    for element in root.iter("*"):
        name = etree.QName(element).localname
        if name in _REFUSED:
            raise _refused(path, f"holds the element {name}")
        for attribute, value in element.attrib.items():
            _check_attribute(path, str(attribute), str(value))
        if name == "style":
            _check_attribute(path, name, str(element.text or ""))


def _check_attribute(path: Path, attribute: str, value: str) -> None:
    name, text = etree.QName(attribute).localname.lower(), value.strip().lower()
    outside = _OUTSIDE.search(text) or "\\" in text
    if name.startswith("on") or (name == "href" and not text.startswith("#")) or outside:
        raise _refused(path, f"refers to something outside itself ({name})")


def _refused(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The logo {path.name} {why}.",
        hint="Use a PNG or a plain SVG drawing of at most 512 KB, or leave `logo` out.",
        code="documents.logo",
    )
