"""Directed graphs over ids, without recursion: order, cycles, reach. Nothing here knows what an edge means."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Edges: TypeAlias = Mapping[str, Sequence[str]]

_NUMBER = re.compile(r"0*([0-9]+)")


def natural_key(text: str) -> str:
    """A sort key that reads runs of digits as numbers: ``A.2`` stands before ``A.10``, case aside."""
    return _NUMBER.sub(_by_length, text.casefold())


def _by_length(number: re.Match[str]) -> str:
    digits = number[1]
    return f"\x00{chr(min(len(digits), sys.maxunicode))}{digits}"


def find_cycles(edges: Edges, *, at_most: int = 100) -> list[tuple[str, ...]]:
    """Cycles, each as the ids on its way round (the first is not repeated at the end); none exactly if there are none.

    Every part of the graph that runs in a circle gives at least one, up to ``at_most``; linear in the edges.
    """
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path = [start]
        depth_of = {start: 0}
        waiting: list[Iterator[str]] = [iter(edges[start])]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                finished = path.pop()
                del depth_of[finished]
                done.add(finished)
            elif following in depth_of:
                found.append(tuple(path[depth_of[following] :]))
                if len(found) == at_most:
                    return found
            elif following not in done:
                depth_of[following] = len(path)
                path.append(following)
                waiting.append(iter(edges.get(following, ())))
    return found


def reach(start: str, edges: Sequence[Edges], *, max_depth: int) -> dict[str, tuple[str, ...]]:
    """The ids within ``max_depth`` steps of ``start`` over any of ``edges``, nearest first, each with its way there.

    A way begins with ``start`` and ends with the id; ``start`` itself is not reached, also not by a circle.
    """
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        way = ways[here]
        if len(way) > max_depth:
            break
        for one_kind in edges:
            for following in one_kind.get(here, ()):
                if following not in ways:
                    ways[following] = (*way, following)
                    waiting.append(following)
    del ways[start]
    return ways


def preorder(children: Edges, roots: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each id of a forest with its depth (0 for ``roots``), parents before children, siblings in their order."""
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        here, depth = waiting.pop()
        yield here, depth
        waiting.extend((child, depth + 1) for child in reversed(children.get(here, ())))
