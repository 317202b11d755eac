"""JSON as the API reads and writes it: exact, strict, and fast."""

from __future__ import annotations

import gzip
import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import msgspec
import polars as pl
from flask import Response

DEEPEST = 32
GZIP_LEVEL = 1
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Where half of a character may stand: a surrogate, which is no text without the other one."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_encoder = msgspec.json.Encoder(decimal_format="string")


class UnsoundJsonError(ValueError):
    """A body that is no sound JSON; the text says why, without any of its values."""


def encoded(value: Any) -> bytes:
    """JSON: decimals as text, times in UTC as RFC 3339 writes them."""
    return _encoder.encode(value)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(encoded(value), status, headers, content_type="application/json")


def zipped(data: bytes) -> bytes:
    """Quickly rather than small."""
    return gzip.compress(data, GZIP_LEVEL, mtime=0)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of objects, one a row."""
    return frame.to_dicts()


def decoded(body: bytes) -> Any:
    """Sound JSON: no number is rounded, no key stands twice in an object, nothing is NaN or too deep.

    Raises :class:`UnsoundJsonError`.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsoundJsonError("The body is not UTF-8 text.") from None
    if _depth(body) > DEEPEST:
        raise UnsoundJsonError(f"The body is nested more than {DEEPEST} deep.")
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once)
        if _HALF.search(body):
            json.dumps(found, ensure_ascii=False, default=str).encode()
        return found
    except UnicodeEncodeError:
        raise UnsoundJsonError("The body holds half of a character.") from None
    except json.JSONDecodeError as error:
        raise UnsoundJsonError(f"The body is no JSON: line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError) as error:
        known = isinstance(error, UnsoundJsonError)
        raise UnsoundJsonError(str(error) if known else "The body holds a number of absurd length.") from None


def _constant(_: str) -> NoReturn:
    raise UnsoundJsonError("The body holds NaN or Infinity, which is no JSON.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnsoundJsonError("A key stands twice in one object.")
    return found


def _depth(body: bytes) -> int:
    """How deep brackets are nested outside of text; no deeper than one beyond what is taken."""
    brackets = _TEXT.sub(b"", body).translate(_SQUARE, _NO_BRACKETS)
    for depth in range(DEEPEST + 1):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):  # none is left, or some are never closed
            return depth + min(len(brackets), DEEPEST + 1)
        brackets = inner
    return DEEPEST + 1
