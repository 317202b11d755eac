"""HTML templates printed as tagged PDF (PDF/UA-1).

The same words come from the templates wherever they are shown. Nothing is fetched while a document is made: the only
pictures are ``data:`` addresses that this package made itself (logo, QR code, watermark). The same input gives the same
bytes.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.core.errors import DataError, InternalError
from gateway.documents.issue import Rules
from gateway.documents.school import School
from gateway.transport.environment import environment

if TYPE_CHECKING:
    from weasyprint.text.fonts import FontConfiguration

_TEMPLATES = Path(__file__).parent / "templates"
_PICTURES = ("data:image/png;", "data:image/svg+xml;")
_NO_GLYPH = re.compile(r"\(U\+([0-9A-F]+)\)")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the content of every document. ``code`` is ``None`` for a preview, which is marked as one.

    ``when`` is in the district's time zone. ``about``: whom the document is about, for the foot of each page.
    ``replaces``: the shown code of an older document.
    """

    school: School
    title: str
    recipient: str
    purpose: str
    issued_by: str
    when: datetime
    code: str | None
    rules: tuple[Rules, ...]
    inputs_digest: str
    replaces: str | None = None
    about: str = ""


def print_pdf(template: str, frame: Frame, content: Mapping[str, Any]) -> bytes:
    """The PDF that ``templates/{template}`` gives.

    Raises :class:`DataError` (``documents.font``) if no font of this machine has a sign that occurs.
    """
    return html_to_pdf(render_html(template, frame, content), identifier=frame.code or "")


def render_html(template: str, frame: Frame, content: Mapping[str, Any]) -> str:
    """The HTML that a template gives, everything escaped."""
    return _environment().get_template(template).render(
        frame=frame,
        school=frame.school,
        created=frame.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        qr=_qr(frame.code) if frame.code else "",
        watermark=_WATERMARK,
        **content,
    )  # fmt: skip


def html_to_pdf(html: str, *, identifier: str = "") -> bytes:
    """Print ``html``. ``identifier`` makes the file's id, so that it does not depend on chance."""
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError

    with _complaints() as complaints, _fixed_time():
        try:
            content = HTML(string=html, base_url=None, url_fetcher=_fetcher()).write_pdf(
                pdf_variant="pdf/ua-1",
                pdf_identifier=sha256(identifier.encode()).hexdigest()[:32].encode(),
                custom_metadata=False,
                font_config=_fonts(),
            )
        except FatalURLFetchingError as error:
            raise InternalError("A document may fetch nothing.", hint="Report this.") from error
    for complaint in complaints:
        missing = _NO_GLYPH.search(complaint)
        if missing:
            raise DataError(
                f"No font of this machine has the sign U+{missing[1]}.",
                hint="Install a font that has it, such as the package fonts-noto-core or fonts-noto-cjk.",
                code="documents.font",
            )
    assert isinstance(content, bytes)  # noqa: S101
    return content


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = _day
    environment.filters["css"] = _css_text
    return environment


def _day(value: Any) -> str:
    """A date as people write it: 22 November 2026."""
    return f"{value.day} {value:%B %Y}"


def _css_text(text: str) -> Markup:
    """``text`` for the inside of a string in CSS, every sign but letters and digits by its number."""
    return Markup("".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text))  # noqa: S704


@functools.cache
def _fonts() -> FontConfiguration:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


@functools.cache
def _fetcher() -> Any:
    """Refuses every address but pictures that stand in the document itself."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class NoFetching(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            if not url.startswith(_PICTURES):
                raise FatalURLFetchingError("A document may fetch nothing.")
            return super().fetch(url, headers)

    return NoFetching(allowed_protocols=("data",), allow_redirects=False)


def _qr(text: str) -> str:
    """The QR code of ``text`` as a ``data:`` address."""
    import segno

    return str(segno.make(text, error="m", micro=False).svg_data_uri(border=0, scale=4))


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What WeasyPrint complains about while a document is made; its log stays silent, as it might quote names."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger = logging.getLogger("weasyprint")
    listener, spread = Listener(logging.WARNING), logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(listener)
        logger.propagate = spread


def _fixed_time() -> AbstractContextManager[None]:
    """Embedded fonts carry the time at which they were reduced; it must not differ between two equal documents."""
    return environment("SOURCE_DATE_EPOCH", "0")


_WATERMARK = (
    "data:image/svg+xml;utf8,"
    "%3Csvg xmlns='http://www.w3.org/2000/svg' width='612' height='792'%3E"
    "%3Ctext x='306' y='420' text-anchor='middle' font-family='DejaVu Sans' font-weight='bold' font-size='64'"
    " fill='%23c62828' fill-opacity='0.13' transform='rotate(-40 306 396)'%3EPREVIEW%3C/text%3E"
    "%3Ctext x='306' y='470' text-anchor='middle' font-family='DejaVu Sans' font-size='26'"
    " fill='%23c62828' fill-opacity='0.16' transform='rotate(-40 306 396)'%3Enot issued%3C/text%3E"
    "%3C/svg%3E"
)
