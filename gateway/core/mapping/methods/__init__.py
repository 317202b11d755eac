"""The summary methods by name; what each means stands in its module."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.mapping.methods.base import Exact, Levels, Method, Parameters, Tie, Zeros
from gateway.core.mapping.methods.decaying import DECAYING
from gateway.core.mapping.methods.simple import SIMPLE
from gateway.core.mapping.methods.trends import TRENDS

__all__ = ["METHODS", "Exact", "Levels", "Method", "Parameters", "Tie", "Zeros"]

METHODS: Mapping[str, Method] = MappingProxyType({each.name: each for each in (*SIMPLE, *DECAYING, *TRENDS)})
