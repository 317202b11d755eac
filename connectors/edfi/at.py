"""Where the reading of a list stands: a place that can be written down, and the rows that were met on the way."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import polars as pl

from gateway.sdk import IncompletePullError


@dataclass(frozen=True, slots=True)
class At:
    """A place in a list. ``token``: by cursor; ``windows``: change versions still to read, the present one first;
    ``top``: by windows, the offset above which all was read; ``offset``: forwards. ``got`` of ``total`` rows are read
    of the list, or of the window. ``newest`` is the newest change version when the list was begun."""

    least: int | None = None
    size: int = 500
    token: str = ""
    windows: tuple[tuple[int, int], ...] = ()
    top: int | None = None
    offset: int = 0
    got: int = 0
    total: int | None = None
    newest: int | None = None
    rounds: int = 0
    number: int = 0
    begun: bool = False

    def written(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> At:
        """Raises :class:`IncompletePullError` (``paging.cursor``)."""
        try:
            parts = json.loads(text)
            return cls(**{**parts, "windows": tuple((int(low), int(high)) for low, high in parts["windows"])})
        except (ValueError, TypeError, KeyError) as error:
            raise IncompletePullError(
                "The place where the last pull stopped cannot be read.",
                hint="Start the pull from the beginning.",
                code="paging.cursor",
            ) from error


class Met:
    """The rows of a list, or of a window, that this process met: a host that answers in another order every time gives
    some of them again, and then others are lost. 8 bytes a row; ``before``: the rows of an earlier process."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._hashes = array("q")
        self._nameless = 0

    def add(self, ids: Sequence[str]) -> None:
        """A page's ids; empty for records that could not be read."""
        self._hashes.extend(hash(id_) for id_ in ids if id_)
        self._nameless += sum(not id_ for id_ in ids)

    @property
    def rows(self) -> int:
        """How many different rows there were."""
        return self._before + self._nameless + pl.Series(self._hashes, dtype=pl.Int64).n_unique()

    def forget(self) -> None:
        """What follows is another window."""
        self._before = self._nameless = 0
        self._hashes = array("q")
