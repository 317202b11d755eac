"""A written file under examination: every fault is noted with its line, so that it is mended in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from marshmallow import Schema

from gateway.core.document import Document, Path
from gateway.core.errors import MappingError, Place, did_you_mean, raise_problems
from gateway.core.validation import validate

T = TypeVar("T")


class Reader:
    """A document and the faults found in it so far; :meth:`finish` raises them together."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[MappingError] = []

    def load(self, schema: Schema) -> dict[str, Any]:
        """The document's data as ``schema`` reads it; raises all faults of structure together."""
        loaded, faults = validate(schema, self.document, error=MappingError, code="mapping.invalid")
        raise_problems(faults)
        return dict(loaded)

    def note(self, path: Path, message: str, hint: str = "", code: str = "invalid") -> None:
        """Remember one fault at ``path``."""
        self.note_at(self.document.place(*path), message, hint, code)

    def note_at(self, place: Place, message: str, hint: str = "", code: str = "invalid") -> None:
        """Remember one fault at a place that may lie in another file, such as a line of a table."""
        self.problems.append(MappingError(message, hint=hint.strip(), code=f"mapping.{code}", place=place))

    def unknown(self, path: Path, what: str, word: str, known: Iterable[str], code: str) -> None:
        """Note that ``word`` names no known ``what``, with the nearest one, or all of them when they are few."""
        words = sorted(known)
        few = f"There are: {', '.join(words)}." if 0 < len(words) <= 12 else ""
        self.note(path, f'"{word}" is not a known {what}.', did_you_mean(word, words) or few, code)

    def one_of(self, path: Path, what: str, word: str, known: Mapping[str, T], code: str) -> T | None:
        """The value that ``word`` names, or ``None`` after noting the fault."""
        if word not in known:
            self.unknown(path, what, word, known, code)
        return known.get(word)

    def finish(self) -> None:
        """Raise all faults noted so far, each once, in the order of their lines."""
        distinct = {str(problem): problem for problem in self.problems}.values()
        raise_problems(sorted(distinct, key=lambda each: (each.place.line if each.place else None) or 0))
