"""The parts of a document that is made of words: sections with paragraphs, lists and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a ``strong`` one is set apart."""

    text: str
    strong: bool = False

    kind = "paragraph"

    def lines(self) -> Iterator[str]:
        yield self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[str, ...]

    kind = "items"

    def lines(self) -> Iterator[str]:
        yield from self.items


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its head."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    kind = "table"

    def lines(self) -> Iterator[str]:
        yield self.caption
        yield from ("\t".join(row) for row in (self.header, *self.rows))


Block: TypeAlias = Paragraph | Items | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]

    def lines(self) -> Iterator[str]:
        """Every line of text in reading order."""
        yield self.title
        for block in self.blocks:
            yield from block.lines()
