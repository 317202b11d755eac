"""Two things at a time: enough to keep both cores of a small server busy, few enough to keep memory low."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

WORKERS = 2

In = TypeVar("In")
Out = TypeVar("Out")


def in_order(work: Callable[[In], Out], items: Sequence[In]) -> Iterator[Out]:
    """``work`` of each item, several at a time, in the items' order."""
    if len(items) <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(work, items)


def one_ahead(items: Iterator[Out]) -> Iterator[Out]:
    """``items``, the next one being made while the caller works on the last; errors come where they belong."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end, so it is an item
