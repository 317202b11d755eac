"""Reads the YAML files that people write into documents that know their lines (see :mod:`gateway.core.document`).

A small part of YAML 1.2: mappings, lists and scalars. Anchors, aliases, tags, directives and a second document are
refused, and so are files beyond :data:`MAX_BYTES`, :data:`MAX_LINES`, :data:`MAX_VALUES` or :data:`MAX_DEPTH`, which
keeps any input under a second and a few megabytes. Values are never cast by guess: ``NO``, ``1:30`` and ``0123`` stay
text, as does everything in quotes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from gateway.core.document import Document, Scalar, Value
from gateway.core.document import Path as KeyPath
from gateway.core.errors import ConfigurationError, Place, raise_problems

MAX_BYTES = 1_000_000
MAX_LINES = 20_000
MAX_VALUES = 20_000
"""Keys, items and values together; the parser needs about 45 µs for each."""
MAX_DEPTH = 32

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,37})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,37})\.[0-9]{1,38}")
_CONSTANTS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")

_PLAIN_WORDS = (
    (r"found character '\\t'", "A tab stands where YAML wants spaces."),
    ("mapping values are not allowed", "A colon stands where no key can be; text that contains one needs quotes."),
    ("expected <block end>", "The indentation of this line does not fit the lines above it."),
    ("could not find expected ':'", "A colon is missing after the key."),
    ("found unexpected end of stream", "A quote is opened and never closed."),
    ("expected ',' or", "A comma or a closing bracket is missing."),
    ("expected the node content", "A value or a closing bracket is missing."),
    ("found unknown escape character", 'After a backslash in "double quotes" only some letters may stand.'),
    ("cannot start any token", "This sign cannot start a value; put the text in quotes."),
)


def read_document(path: Path) -> Document:
    """Read the file at ``path``; its digest is the SHA-256 of its bytes.

    Raises :class:`ConfigurationError` (``yaml.…``) with the file and line of every fault.
    """
    name = str(path)
    try:
        if not path.is_file():
            raise _error(name, None, "This file does not exist.", "Check the path.", "missing")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(name, None, f"This file cannot be read: {error.strerror}.", "Check its rights.", "read") from error
    _check_size(name, content)
    return _parse(_decoded(name, content), name, content)


def parse_document(text: str, name: str) -> Document:
    """Read YAML ``text``; ``name`` stands for the file in messages. Raises as :func:`read_document` does."""
    content = text.encode("utf-8", "surrogatepass")
    _check_size(name, content)
    return _parse(text.removeprefix("\ufeff"), name, content)


def _check_size(name: str, content: bytes) -> None:
    if len(content) > MAX_BYTES or content.count(b"\n") > MAX_LINES:
        raise _error(
            name,
            None,
            f"This file is larger than {MAX_BYTES:,} bytes or {MAX_LINES:,} lines.",
            "Put long tables into CSV files.",
            "too-large",
        )


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(name, line, "This file is not UTF-8 text.", "Save it as UTF-8.", "encoding") from error


def _parse(text: str, name: str, content: bytes) -> Document:
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise _error(name, line, "A control character stands in this line.", "Delete it.", "encoding")
    builder = _Builder(name)
    try:
        root = builder.build(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(name, mark.line + 1 if mark else None, *_plain(error), "syntax") from error
    except YAMLError as error:
        raise _error(name, None, "This is not YAML.", "Compare it with the examples.", "syntax") from error
    raise_problems(builder.problems)
    return Document(name, root, hashlib.sha256(content).hexdigest(), builder.lines)


def _plain(error: MarkedYAMLError) -> tuple[str, str]:
    said = f"{error.context} {error.problem}"
    hint = "Compare the line and the one above it with the examples."
    return next((words for pattern, words in _PLAIN_WORDS if re.search(pattern, said)), "This is not YAML."), hint


def _error(name: str, line: int | None, message: str, hint: str, code: str) -> ConfigurationError:
    return ConfigurationError(message, hint=hint, code=f"yaml.{code}", place=Place(name, line))


class _Builder:
    """Turns parser events into plain data, and keeps the line of each key and item."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {(): 1}
        self.problems: list[ConfigurationError] = []

    def build(self, text: str) -> dict[str, Value]:
        events = self._allowed(YAML(typ="safe", pure=True).parse(text))
        root: Value = None
        for event in events:
            if isinstance(event, NodeEvent):
                self.lines[()] = event.start_mark.line + 1
                root = self._value(event, events, ())
        if not isinstance(root, dict):
            what = "This file is empty." if root is None else "This file does not hold keys with values."
            raise _error(self.name, self.lines[()], what, "It must start with a line such as `key: value`.", "root")
        return root

    def _allowed(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass on what this part of YAML has; refuse the rest, and refuse to go on without end."""
        values = documents = depth = 0
        for event in events:
            if isinstance(event, NodeEvent):
                values += 1
                self._check_node(event)
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._check_document(event, documents)
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
            if values > MAX_VALUES:
                raise self._refused(
                    event, f"This file holds more than {MAX_VALUES:,} values.", "Use CSV files.", "size"
                )
            if depth > MAX_DEPTH:
                raise self._refused(event, "The values are nested too deeply.", "Check the brackets.", "depth")
            yield event

    def _check_document(self, event: DocumentStartEvent, documents: int) -> None:
        if documents > 1:
            raise self._refused(event, "A second document starts here.", "Delete the line `---`.", "documents")
        if event.version or event.tags:
            raise self._refused(event, "YAML directives are not allowed.", "Delete the line with `%`.", "directive")

    def _check_node(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise self._refused(
                event, "Anchors and aliases (`&`, `*`) are not allowed.", "Write it out, or quote it.", "alias"
            )
        if getattr(event, "ctag", None) is not None:
            raise self._refused(event, "Tags (`!`) are not allowed.", "Delete it, or put the text in quotes.", "tag")

    def _refused(self, event: Event, message: str, hint: str, code: str) -> ConfigurationError:
        return _error(self.name, event.start_mark.line + 1, message, hint, code)

    def _value(self, event: Event, events: Iterator[Event], path: KeyPath) -> Value:
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, SequenceStartEvent):
            return self._list(events, path)
        return _scalar(event)

    def _mapping(self, events: Iterator[Event], path: KeyPath) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            if not isinstance(event, ScalarEvent) or not event.value:
                raise self._refused(event, "A key must be a word or a text.", "Put it in quotes.", "key")
            key, line = str(event.value), event.start_mark.line + 1
            at = (*path, key)
            if key in found:
                self._note_duplicate(at, line)
                self._value(next(events), events, (*at, ""))  # read on: all faults in one pass
                continue
            self.lines[at] = line
            found[key] = self._value(next(events), events, at)
        return found

    def _note_duplicate(self, at: KeyPath, line: int) -> None:
        message = f'The key "{at[-1]}" stands twice, on lines {self.lines[at]} and {line}.'
        self.problems.append(_error(self.name, line, message, "Keep one of the two.", "duplicate-key"))

    def _list(self, events: Iterator[Event], path: KeyPath) -> list[Value]:
        found: list[Value] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            at = (*path, len(found))
            self.lines[at] = event.start_mark.line + 1
            found.append(self._value(event, events, at))
        return found


def _scalar(event: Any) -> Scalar:
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
