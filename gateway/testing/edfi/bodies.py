"""Reading a body as the host does: what it keeps, what it refuses, what the body refers to.

Members that the resource does not have are dropped without a word, as real hosts do; ``null`` is like absence;
``_ext``, the members of extensions, is kept as it comes (a real host has a schema for it). The schema is compiled into
functions once, because the fake must keep up with clients that are measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gateway.testing.edfi.model import KeyPart, Node, Place, Reference, Resource, model_of
from gateway.testing.edfi.notation import Need
from gateway.testing.edfi.values import BadValue, check_for

Key = tuple[Any, ...]
_Handler = Callable[["Reading", Any, str], Any]


@dataclass(slots=True)
class Reading:
    """What was found in one body. Paths are those of JSONPath, such as ``$.gradeLevels[0].gradeLevelDescriptor``."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    descriptors: list[tuple[str, str, str]] = field(default_factory=list)
    references: list[tuple[str, Key, str]] = field(default_factory=list)

    def refuse(self, path: str, text: str) -> None:
        self.errors.setdefault(path, []).append(text)


@dataclass(frozen=True, slots=True)
class Body:
    """A body that the host would keep, its natural key, and what it refers to, descriptors as well: target and key."""

    content: dict[str, Any]
    key: Key
    references: tuple[tuple[str, Key], ...] = ()


class BadBody(Exception):
    """A body that is refused: the reasons by path."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class BodyReader:
    """Reads the bodies of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._read = _object(resource.node, resource.shared)
        self._unified = resource.unified

    def read(self, document: Any) -> tuple[Body, Reading]:
        """The body to keep, and what is to be looked up before; raises :class:`BadBody`."""
        reading = Reading()
        if not isinstance(document, dict):
            raise BadBody({"$": ["must be a JSON object"]})
        content = self._read(reading, document, "$")
        if not reading.errors:
            self._agree(reading, content)
        if reading.errors:
            raise BadBody(reading.errors)
        items = [(target, key) for target, key, _ in reading.references]
        used = [(f"{kind}s", descriptor_key(value)) for kind, value, _ in reading.descriptors]
        references = tuple(dict.fromkeys([*items, *used]))
        return Body(content, key_of(self.resource.key, content), references), reading

    def _agree(self, reading: Reading, content: dict[str, Any]) -> None:
        """Members of one name are one value, in references and in the references of collections."""
        for name, places in self._unified:
            found = {value for place in places if (value := at(content, place)) is not None}
            if len(found) > 1:
                for place in places:
                    if at(content, place) is not None:
                        reading.refuse(f"$.{'.'.join(place)}", f"All values supplied for '{name}' must match")
        for collection, below in self.resource.node.collections.items():
            for index, item in enumerate(content.get(collection, ())):
                self._agree_below(reading, content, below, item, f"$.{collection}[{index}]")

    def _agree_below(
        self, reading: Reading, content: dict[str, Any], node: Node, item: dict[str, Any], path: str
    ) -> None:
        for reference in node.references.values():
            given = item.get(reference.member.name)
            if given is None or reference.member.in_role:
                continue
            renames = dict(reference.member.renames)
            for name, _ in reference.parts:
                place = self.resource.shared.get(renames.get(name, name))
                if place is not None and at(content, place) != given[name]:
                    at_path = f"{path}.{reference.member.name}.{name}"
                    reading.refuse(at_path, f"All values supplied for '{name}' must match")


def descriptor_key(value: str) -> Key:
    """The natural key of a descriptor: its code and its namespace."""
    namespace, _, code = value.partition("#")
    return code, namespace


def at(content: dict[str, Any], place: Place) -> Any:
    """The value at a place, ``None`` where something on the way is absent."""
    value: Any = content
    for name in place:
        if value is None:
            return None
        value = value.get(name)
    return value


def key_of(parts: tuple[KeyPart, ...], content: dict[str, Any]) -> Key:
    """The natural key of a body."""
    return tuple([at(content, part.place) for part in parts])


def _object(node: Node, shared: object = None) -> _Handler:
    """A function that reads an object of this kind."""
    handlers: dict[str, _Handler] = {}
    for name, member in node.scalars.items():
        handlers[name] = _scalar(member.kind, key=member.need is Need.KEY, required=member.need is Need.REQUIRED)
    for name, member in node.descriptors.items():
        handlers[name] = _descriptor(member.target)
    for name, reference in node.references.items():
        handlers[name] = _reference(reference)
    for name, below in node.objects.items():
        handlers[name] = _embedded(_object(below))
    for name, below in node.collections.items():
        handlers[name] = _collection(name, _object(below), below.key_names)
    handlers["_ext"] = _extension
    required, filled = frozenset(node.required), frozenset(node.filled)

    def read(reading: Reading, document: Any, path: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in document.items():
            handler = handlers.get(name)
            if handler is not None and value is not None:
                kept[name] = handler(reading, value, f"{path}.{name}")
        if not required <= kept.keys():
            for name in sorted(required - kept.keys()):
                reading.refuse(f"{path}.{name}", f"{_title(name)} is required.")
        for name in filled:
            if not kept.get(name):
                reading.refuse(f"{path}.{name}", f"{_title(name)} must have at least one item.")
        return kept

    return read


def _extension(reading: Reading, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        reading.refuse(path, "must be an object")
    return value


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _scalar(kind: str, *, key: bool, required: bool) -> _Handler:
    check = check_for(kind, key=key)

    def read(reading: Reading, value: Any, path: str) -> Any:
        if value == "" and (key or required):
            reading.refuse(path, "cannot be empty")
        try:
            return check(value)
        except BadValue as error:
            reading.refuse(path, f"{_title(path.rpartition('.')[2])} {error}.")
            return None

    return read


def _descriptor(kind: str) -> _Handler:
    check = check_for("descriptor")

    def read(reading: Reading, value: Any, path: str) -> Any:
        try:
            kept = check(value)
        except BadValue as error:
            reading.refuse(path, f"{_title(path.rpartition('.')[2])} {error}.")
            return None
        reading.descriptors.append((kind, kept, path))
        return kept

    return read


def _reference(reference: Reference) -> _Handler:
    parts = [(name, check_for(kind, key=True)) for name, kind in reference.parts]
    target = reference.member.target

    def read(reading: Reading, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            reading.refuse(path, "must be an object")
            return None
        kept = {}
        for name, check in parts:
            given = value.get(name)
            if given is None:
                reading.refuse(f"{path}.{name}", f"{_title(name)} is required.")
                continue
            try:
                kept[name] = check(given)
            except BadValue as error:
                reading.refuse(f"{path}.{name}", f"{_title(name)} {error}.")
        reading.references.append((target, tuple(kept.values()), path))
        return kept

    return read


def _embedded(below: _Handler) -> _Handler:
    def read(reading: Reading, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            reading.refuse(path, "must be an object")
            return None
        return below(reading, value, path)

    return read


def _collection(name: str, below: _Handler, key_names: list[str]) -> _Handler:
    def read(reading: Reading, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            reading.refuse(path, "must be a list")
            return []
        kept, seen = [], set()
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            if not isinstance(item, dict):
                reading.refuse(place, "must be an object")
                continue
            content = below(reading, item, place)
            key = tuple([_hashable(content.get(each)) for each in key_names])
            if key in seen:
                reading.refuse(place, f"{_title(name)} contains an item with this key already.")
            seen.add(key)
            kept.append(content)
        return kept

    return read


def _hashable(value: Any) -> Any:
    return tuple(value.values()) if isinstance(value, dict) else value


@cache
def reader_for(standard: str, resource: str) -> BodyReader:
    """The reader of a resource of a version of the Data Standard, compiled once."""
    return BodyReader(model_of(standard).resources[resource])
