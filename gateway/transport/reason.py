"""The reason that another system gives for its refusal, made fit for people and logs.

Reads the error bodies of OneRoster and CASE (``imsx_StatusInfo``, flat, wrapped or in a list), RFC 9457 problem
details, OAuth 2 errors and the simple ``{"error": …}`` of many servers. Free text is cut to a few words, and what may
be somebody's is masked: words that we had sent, words with digits or ``@``, and capitalized words inside a sentence.

Source: OneRoster 1.2 and CASE 1.1 OpenAPI (imsx_StatusInfo); RFC 9457; RFC 6749 section 5.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LONGEST = 160
_LARGEST_BODY = 64 * 1024
_FIELDS = ("imsx_description", "error", "error_description", "title", "detail", "message")
_CODE = re.compile(r"[A-Za-z][A-Za-z_ -]{0,40}")
_WORD = re.compile(r"[^\s\"'`(),;:!?]+")
_MASK = "…"


def error_reason(body: bytes, sent: bytes = b"") -> str:
    """A short reason out of an error body, or nothing. ``sent`` is the request's own text, whose words are masked."""
    if len(body) > _LARGEST_BODY:
        return ""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    known = _own_words(sent)
    parts = dict.fromkeys(_plain(text, known) for text in _texts(document))
    return "; ".join(part for part in parts if part.strip(f" .{_MASK}"))[:LONGEST]


def _texts(document: Any) -> Iterator[str]:
    """The code words first, then the free text."""
    if isinstance(document, list):
        document = document[0] if document else None
    if not isinstance(document, dict):
        return
    for wrapper in ("imsx_StatusInfo", "statusInfoSet", "error", "errors"):
        if isinstance(document.get(wrapper), dict | list):
            yield from _texts(document[wrapper])
    yield from _code_minor(document.get("imsx_CodeMinor", document.get("imsx_codeMinor")))
    for field in _FIELDS:
        if isinstance(document.get(field), str):
            yield document[field]


def _code_minor(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        fields = value.get("imsx_codeMinorField")
        for field in fields if isinstance(fields, list) else [fields]:
            word = field.get("imsx_codeMinorFieldValue") if isinstance(field, dict) else None
            if isinstance(word, str) and _CODE.fullmatch(word):
                yield word


def _own_words(sent: bytes) -> frozenset[str]:
    """The words that we had sent as values; names of JSON fields (followed by a colon) are no secret."""
    text = re.sub(r'"[A-Za-z]+"\s*:', " ", sent.decode("utf-8", "replace"))
    return frozenset(word.lower() for word in re.findall(r"\w{3,}", text))


def _plain(text: str, known: frozenset[str]) -> str:
    """``text`` on one line, cut, without words that may be somebody's."""
    starts = True
    words: list[str] = []
    for match in _WORD.finditer(text[: 4 * LONGEST]):
        word = match.group()
        words.append(word if _harmless(word, known, starts=starts) else _MASK)
        starts = word.endswith(".")
    return re.sub(f"{_MASK}( {_MASK})+", _MASK, " ".join(words))[:LONGEST]


def _harmless(word: str, known: frozenset[str], *, starts: bool) -> bool:
    if any(sign.isdigit() or sign in "@/=<>{}[]" or not sign.isprintable() for sign in word):
        return False
    if any(part.lower() in known for part in re.findall(r"\w{3,}", word)):
        return False
    return starts or not word[0].isupper() or word.isupper()
