"""The query of a list: filters, offset and limit, cursor, change versions; and what is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from gateway.testing.edfi.model import Place
from gateway.testing.edfi.problems import bad_parameter

DEFAULT_LIMIT = 25
_PAGING = frozenset(
    {"offset", "limit", "totalCount", "pageToken", "pageSize", "number", "minChangeVersion", "maxChangeVersion"}
)


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a list. ``first`` and ``last`` bound the rows' numbers, where a page token was given;
    ``cursor``: the next page's token is due."""

    filters: Mapping[Place, str]
    id: str
    offset: int
    limit: int
    total: bool
    least: int | None
    most: int | None
    cursor: bool
    token: str = ""
    first: int = 0
    last: int = 2**62
    unknown: tuple[str, ...] = ()


def read_query(text: str, places: Mapping[str, Place], *, most_rows: int, cursors: bool) -> Query:
    """Read a query string; ``places`` are the members that may be filtered by. Raises a problem."""
    given = dict(parse_qsl(text, keep_blank_values=True))
    known = {name.lower(): place for name, place in places.items()}
    filters = {known[name.lower()]: value for name, value in given.items() if name.lower() in known}
    unknown = tuple(name for name in given if name.lower() not in known and name not in _PAGING and name != "id")
    least, most = _number(given, "minChangeVersion"), _number(given, "maxChangeVersion")
    if least is not None and most is not None and least > most:
        raise bad_parameter("MinChangeVersion must not be greater than MaxChangeVersion.")
    total = given.get("totalCount", "false").lower() == "true"
    by_offset = "offset" in given or "limit" in given
    token = given.get("pageToken", "")
    if cursors and by_offset and ("pageToken" in given or "pageSize" in given):
        raise bad_parameter("Both offset/limit and pageToken/pageSize were given. Use one or the other.")
    if token and total:
        raise bad_parameter("totalCount cannot be used with pageToken.")
    size = given.get("pageSize" if cursors and not by_offset else "limit")
    limit = _limit(size, most_rows, "PageSize" if cursors and not by_offset else "Limit")
    offset = _number(given, "offset") or 0
    first, last = _token_bounds(token) if cursors and token else (0, 2**62)
    return Query(
        filters, given.get("id", ""), offset, limit, total, least, most,
        cursors and not by_offset, token, first, last, unknown,
    )  # fmt: skip


def _number(given: Mapping[str, str], name: str) -> int | None:
    if name not in given:
        return None
    try:
        number = int(given[name])
    except ValueError:
        number = -1
    if number < 0:
        raise bad_parameter(f"{name[0].upper()}{name[1:]} must be a whole number that is not negative.")
    return number


def _limit(text: str | None, most_rows: int, name: str) -> int:
    if text is None:
        return min(DEFAULT_LIMIT, most_rows)
    if not text.isdigit() or int(text) > most_rows:
        raise bad_parameter(f"{name} must be omitted or set to a value between 0 and {most_rows}.")
    return int(text)


def page_token(first: int, last: int) -> str:
    """The token of the page that begins with the row ``first`` and does not go beyond ``last``."""
    return base64.urlsafe_b64encode(f"{first},{last}".encode()).decode().rstrip("=")


def _token_bounds(token: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        first, last = text.split(",")
        return int(first), int(last)
    except (binascii.Error, ValueError):
        raise bad_parameter("The page token is invalid.") from None


def partition_tokens(numbers: list[int], count: int, most_rows: int) -> list[str]:
    """Tokens that share the rows with these numbers among ``count`` readers, or fewer if the parts became small."""
    size = max(-(-len(numbers) // count), 5 * most_rows)
    starts = list(range(0, len(numbers), size))
    bounds = [numbers[start] for start in starts] + [2**62]
    return [page_token(bounds[index], bounds[index + 1] - 1) for index in range(len(starts))]


def partition_count(given: Any) -> int:
    """The number of parts that was asked for."""
    if not str(given).isdigit() or not 1 <= int(given) <= 200:
        raise bad_parameter("Number must be between 1 and 200.")
    return int(given)
