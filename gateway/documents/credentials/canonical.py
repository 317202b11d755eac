"""What a credential says, as canonical statements (RDFC-1.0, N-Quads): the very bytes that are signed.

JSON-LD leaves out whatever its contexts do not define, so that a reader may take for signed what is not. Here nothing
is left out silently: a credential with an undefined word, a relative name, words defined inside itself or no context
at all is refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pyld.jsonld import JsonLdError, JsonLdProcessor

from gateway.core.errors import DataError
from gateway.documents.credentials.contexts import VC1, VC2, Contexts

_BASE = "https://relative.invalid/"
"""Relative names show by it: pyld makes them absolute whether asked to or not."""
MOST_ALIKE = 6
"""Equal nameless parts beside each other, up to which canonical order is found in reasonable time."""


def canonical(document: Mapping[str, Any], contexts: Contexts) -> bytes:
    """The canonical statements of ``document``.

    Raises :class:`DataError`: ``credentials.context`` or ``credentials.undefined`` where its words cannot be relied on,
    ``credentials.complex`` where it is built to keep a reader busy.
    """
    check_contexts(document, contexts)
    dropped: list[str] = []
    processor = JsonLdProcessor(on_property_dropped=lambda word: dropped.append(str(word)))
    options = {"documentLoader": contexts.load, "contextResolver": contexts.resolver, "base": _BASE}
    try:
        expanded = processor.expand(dict(document), dict(options))
        if dropped:
            raise _undefined(f"{len(dropped)} words that no context defines, such as {_word(dropped)}")
        _check_expanded(expanded)
        statements = processor.normalize(
            expanded, {**options, "algorithm": "URDNA2015", "format": "application/n-quads"}
        )
    except (JsonLdError, RecursionError) as error:
        raise _undefined("words that its contexts do not allow", detail=type(error).__name__) from error
    if not statements:
        raise _undefined("no statement at all")
    return str(statements).encode()


def _word(dropped: list[str]) -> str:
    known = sorted({word for word in dropped if word and word != "None"})
    return f'"{known[0][:60]}"' if known else "one that is defined as nothing"


def _undefined(what: str, detail: str = "") -> DataError:
    return DataError(
        f"The credential has {what}: they would not be signed.",
        hint="Do not rely on it; ask its issuer for a sound one.",
        code="credentials.undefined",
        detail=detail,
    )


def check_contexts(document: Mapping[str, Any], contexts: Contexts) -> None:
    """Only known contexts, by URL, the one for verifiable credentials first, also in credentials inside."""
    for given, path in _contexts_in(document, ""):
        urls = given if isinstance(given, list) else [given]
        if not urls or any(not isinstance(url, str) for url in urls):
            what = "no context" if not urls or urls == [None] else "words that are defined inside the credential itself"
            raise _undefined(f"{what} ({path or 'at the top'})")
        if urls[0] not in (VC1, VC2):
            raise _undefined(f"a context of another kind in the first place ({path or 'at the top'})")
        for url in urls:
            contexts.document(url)


def _contexts_in(value: object, path: str) -> Iterator[tuple[Any, str]]:
    """Every ``@context`` with the path to it, and ``None`` if there is none at the top."""
    if isinstance(value, dict):
        if not path and "@context" not in value:
            yield None, path
        for key, part in value.items():
            if key == "@context":
                yield part, path
            else:
                yield from _contexts_in(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _contexts_in(part, f"{path}[{position}]")


def _check_expanded(value: object) -> None:
    """Names are absolute and nobody's own (``_:``); few equal nameless parts stand beside each other."""
    if isinstance(value, list):
        alike = Counter(_shape(part) for part in value if isinstance(part, dict) and "@id" not in part)
        if alike and max(alike.values()) > MOST_ALIKE:
            raise DataError(
                f"The credential repeats the same nameless part more than {MOST_ALIKE} times.",
                hint="Ask its issuer for a sound one.",
                code="credentials.complex",
            )
        for part in value:
            _check_expanded(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in ("@id", "@type"):
                for name in part if isinstance(part, list) else [part]:
                    if not isinstance(name, str) or ":" not in name or name.startswith(("_:", _BASE)):
                        raise _undefined(f"a name that is not an address of its own ({key})")
            elif key != "@value":
                _check_expanded(part)


def _shape(node: Mapping[str, Any]) -> str:
    """A nameless node as far as it can be told from its neighbours without looking into nameless parts."""
    if "@value" in node:
        return json.dumps(node, sort_keys=True, default=str)
    return json.dumps({key: _outline(part) for key, part in node.items()}, sort_keys=True, default=str)


def _outline(value: object) -> object:
    if isinstance(value, list):
        return [_outline(part) for part in value]
    if isinstance(value, dict) and "@value" not in value:
        return value.get("@id", "_")
    return value
