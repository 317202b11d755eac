"""The parts of a competency framework as values.

Ids are compared in lower case, because systems differ in the case of the very same identifier.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from decimal import Decimal

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def normal_id(text: str) -> str:
    """An identifier as it is compared: without ``urn:uuid:``, in lower case; a web address stays as it is."""
    text = text.strip()
    if "://" in text:
        return text
    return text.lower().removeprefix("urn:uuid:")


def package_identifier(id: str) -> str:
    """Under which identifier an item stands in a package: its own, or, if that is no UUID, one made of it."""
    own = normal_id(id)
    return own if UUID.fullmatch(own) else generated_id("identifier", own)


def generated_id(*parts: str) -> str:
    """The same identifier for the same parts, for what came without one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(parts)))


@dataclass(frozen=True, slots=True)
class Competency:
    """One item of a framework. ``position`` numbers the display tree from 0, parents first; ``depth`` is 0 at the top.

    ``parent_id`` is the display parent, ``None`` directly under the document. ``uri`` is the address that the provider
    gives.
    """

    id: str
    code: str | None
    statement: str
    abbreviated_statement: str | None
    item_type: str | None
    education_levels: tuple[str, ...]
    parent_id: str | None
    position: int
    depth: int
    uri: str | None = None

    @property
    def label(self) -> str:
        """The code, or the id of an item without one."""
        return self.code or self.id


@dataclass(frozen=True, slots=True)
class RubricLevel:
    """One step of a rubric's scale."""

    id: str
    score: Decimal | None
    quality: str | None
    position: int | None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a rubric; ``levels`` run from the lowest score (or position, without scores) to the highest."""

    id: str
    rubric_id: str
    rubric_title: str | None
    category: str | None
    competency_id: str | None
    weight: Decimal | None
    position: int | None
    levels: tuple[RubricLevel, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a framework. ``code`` is stable; ``ids`` are the items concerned."""

    code: str
    message: str
    hint: str
    ids: tuple[str, ...]
