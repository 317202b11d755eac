"""JSON-LD contexts from disk. A context decides what a credential's words mean: none is ever fetched.

Each URL is answered from the folder that the school gave, if it holds the file (``<folder>/<host>/<path>``, as
``wget -x URL`` lays it down), else from what comes with the program; every other URL is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from cachetools import LRUCache
from pyld.context_resolver import ContextResolver

from gateway.core.errors import ConfigurationError, DataError
from gateway.documents.credentials.clr_terms import clr_context

VC1 = "https://www.w3.org/2018/credentials/v1"
VC2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"

_BUNDLED: Mapping[str, str] = MappingProxyType({
    VC1: "credentials-v1",
    VC2: "credentials-v2",
    "https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1",
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json": "open-badges-3.0",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": "open-badges-3.0.1",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": "open-badges-3.0.2",
    OPEN_BADGES: "open-badges-3.0.3",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "open-badges-extensions",
})  # fmt: skip
_STATED: Mapping[str, Mapping[str, Any]] = MappingProxyType({
    "https://purl.imsglobal.org/spec/clr/v2p0/context.json": clr_context(
        badges="https://purl.imsglobal.org/spec/ob/v3p0/vocab.html#", identifier=False, partial=False
    ),
    CLR: clr_context(badges="https://purl.imsglobal.org/spec/vc/ob/vocab.html#", identifier=True, partial=True),
})  # fmt: skip


@dataclass(slots=True)
class Contexts:
    """The contexts at hand. ``folder`` holds the school's own copies, which go first."""

    folder: Path | None = None
    resolver: Any = field(init=False, repr=False)
    """pyld's, with a memory of its own: a context is worked through once, and never one of somebody else's."""
    _read: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.resolver = ContextResolver(LRUCache(64), self.load)
        if self.folder is not None and not self.folder.is_dir():
            raise ConfigurationError(
                f"There is no folder {self.folder}.", hint="Check the folder of contexts.", code="credentials.contexts"
            )

    def document(self, url: str) -> Any:
        """The context at ``url``. Raises :class:`DataError` (``credentials.context``) for one that is not here."""
        if url not in self._read:
            found = self._own(url) or _shipped(url)
            if found is None:
                raise DataError(
                    f"The credential uses words from {url}, which is not at hand; nothing is fetched.",
                    hint="Put the file into a folder with `wget -x`, if you trust it, and name it with --contexts.",
                    code="credentials.context",
                )
            self._read[url] = found
        return self._read[url]

    def load(self, url: str, options: object) -> dict[str, Any]:
        """The same for pyld."""
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url,
                "document": self.document(url)}  # fmt: skip

    def _own(self, url: str) -> Any:
        parts = urlsplit(url)
        if self.folder is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            return None
        names = [parts.netloc, *(name for name in parts.path.split("/") if name)]
        if any(name in (".", "..") or "\\" in name for name in names):
            return None
        path = self.folder.joinpath(*names)
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigurationError(
                f"{path} is no JSON.", hint="Fetch the file again.", code="credentials.contexts"
            ) from error
        return found


def _shipped(url: str) -> Any:
    if url in _STATED:
        return _STATED[url]
    if url not in _BUNDLED:
        return None
    file = resources.files("gateway.documents.credentials") / "contexts" / f"{_BUNDLED[url]}.jsonld"
    return json.loads(file.read_text(encoding="utf-8"))
