"""One request as it is sent: its address, its headers, and what people and logs may see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from requests.utils import requote_uri

from gateway.core.errors import IncompletePullError
from gateway.transport.address import origin


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request, as each attempt sends it, to a service below ``base``."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    base: str

    @property
    def host(self) -> str:
        """The service as people know it."""
        return host_of(self.base)

    @property
    def label(self) -> str:
        """Method, host and the first step of the path below ``base``: ``GET sis.example/results/…``."""
        base = self.base.rstrip("/")
        if not self.url.startswith(f"{base}/"):
            return f"{self.method} {self.host}"
        first, slash, _ = self.url[len(base) + 1 :].partition("?")[0].partition("/")
        return f"{self.method} {self.host}/{first}" + ("/…" if slash else "")


def host_of(url: str) -> str:
    """The host of an address, or words for one that is malformed."""
    return origin(url)[1] or "the service"


def make_call(
    base: str,
    method: str,
    url_or_path: str,
    params: Mapping[str, str] | None,
    body: bytes | None,
    headers: Mapping[str, str] | None,
) -> Call:
    """A request of a path below ``base`` or of an absolute address of its origin; ``params`` are encoded once.

    Raises :class:`IncompletePullError` (``http.other-origin``) for an address outside the service.
    """
    if "://" in url_or_path.split("?", 1)[0]:
        url = url_or_path
        if origin(url) != origin(base):
            raise IncompletePullError(
                f"{host_of(base)} points to an address outside itself, which is not followed.",
                hint="If the service has a second address, name it in the settings of this connection.",
                code="http.other-origin",
            )
    else:
        url = f"{base.rstrip('/')}/{url_or_path.lstrip('/')}" if url_or_path else base
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote, safe="")
    if not url.isascii() or not url.isprintable() or " " in url:
        url = requote_uri(url)
    complete = {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
    if body is not None:
        complete.setdefault("Content-Type", "application/json")
    return Call(method, url, complete, body, base)
