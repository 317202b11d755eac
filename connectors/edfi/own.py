"""What this connection wrote itself, and so does not pull back: a level that we told is no evidence of another.

Known by the namespace of what we create, and by our mark in the ``diagnosticStatement`` of what others keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True)
class Own:
    """``entries`` and ``assessment``: the namespace of our gradebook entries and our assessment; empty for none."""

    mark: str
    entries: str
    assessment: tuple[str, str]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Own:
        target, writes = settings["target"], settings["write"]
        own = target["namespace"]
        return cls(
            target["mark"],
            own if "gradebook" in writes else "",
            (own, target["assessment"]["identifier"]) if "assessments" in writes else ("", ""),
        )

    def not_our_entry(self, namespace: str) -> pl.Expr:
        """``namespace`` is the element in which a gradebook entry's stands."""
        return pl.col(namespace).ne_missing(self.entries) if self.entries else pl.lit(True)

    def not_our_test(self, place: str) -> pl.Expr:
        """``place`` is the reference to an assessment."""
        namespace, identifier = self.assessment
        if not namespace:
            return pl.lit(True)
        same = pl.col(f"{place}.namespace").eq_missing(namespace)
        return ~(same & pl.col(f"{place}.assessmentIdentifier").eq_missing(identifier))

    def unmarked(self, statement: str) -> pl.Expr:
        """``statement`` is the element that bears our mark where we wrote."""
        marked = rf"^{re.escape(self.mark)} \[[0-9a-f ]*\]$"
        return ~pl.col(statement).str.contains(marked).fill_null(False)
