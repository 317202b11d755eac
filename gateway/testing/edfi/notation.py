"""The notation in which the fake host's resources are declared, and what it is read into.

A line that begins in the first column names a resource; ``rekeyed`` behind it: its key may change by PUT. The lines
below it, indented, are its members, separated by commas:

- ``name type`` with ``*`` behind the name for a part of the natural key, ``!`` for a required member; the types are
  ``strN`` (text of at most N characters), ``dec(p,s)``, ``int32``, ``int64``, ``boolean``, ``date``, ``datetime`` and
  ``time``;
- ``xDescriptor`` is a descriptor of that kind, ``yXDescriptor=x`` one of the kind ``xDescriptor`` in another role;
- ``xReference`` refers to ``xs`` by their key, ``yXReference=xs`` does so in another role; ``(a>b)`` behind it: the
  member ``a`` of the reference is named ``b`` in the key of this resource;
- ``name[]:`` begins a line of the members of a collection, ``name[]+:`` of one that needs an item, ``name:`` of an
  embedded object and ``name!:`` of a required one; paths nest, as in ``languages[].uses[]:``;
- ``&fragment`` stands for members that are declared once for several places.

A change of a resource between two versions of the Data Standard is written likewise; what it names is added or
replaced, and ``- name`` takes a member or a path away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_MEMBER = re.compile(r"(\w+)([*!]?)(?:=(\w+))?(?:\((\w+)>(\w+)\)(?:\((\w+)>(\w+)\))?)?(?: (.+))?")
_PATH = re.compile(r"([\w.\[\]]+?)(\+|!)?: *(.*)")


class Need(StrEnum):
    """Whether a member may be absent."""

    KEY = "*"
    REQUIRED = "!"
    OPTIONAL = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: ``kind`` is its type, ``descriptor`` or ``reference``; ``target`` what it points to."""

    name: str
    kind: str
    need: Need
    target: str = ""
    renames: tuple[tuple[str, str], ...] = ()
    in_role: bool = False


@dataclass(slots=True)
class Part:
    """The members at one path of a resource; ``need`` of the object or, of a collection, of its first item."""

    members: dict[str, Member] = field(default_factory=dict)
    need: Need = Need.OPTIONAL


@dataclass(slots=True)
class Declaration:
    """A resource: its parts by path, the empty path for the resource itself."""

    name: str
    rekeyed: bool = False
    parts: dict[str, Part] = field(default_factory=lambda: {"": Part()})

    def copy(self) -> Declaration:
        parts = {path: Part(dict(part.members), part.need) for path, part in self.parts.items()}
        return Declaration(self.name, self.rekeyed, parts)


Declarations = dict[str, Declaration]


def plural(name: str) -> str:
    """The collection's name of a singular name."""
    if name == "person":
        return "people"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def singular(name: str) -> str:
    """The singular name of a collection."""
    if name == "people":
        return "person"
    return f"{name[:-3]}y" if name.endswith("ies") else name[:-1]


def declare(text: str, fragments: Mapping[str, str], base: Declarations | None = None) -> Declarations:
    """Read declarations, or changes to those of ``base``, which stays as it is."""
    found = {name: declaration.copy() for name, declaration in (base or {}).items()}
    current = Declaration("")
    for line in text.splitlines():
        if not line.strip():
            continue
        if line.startswith("-"):
            del found[line[1:].strip()]
        elif not line[0].isspace():
            name, _, flag = line.partition(" ")
            current = found.setdefault(name, Declaration(name))
            current.rekeyed = flag == "rekeyed" or (current.rekeyed and flag != "fixed")
        else:
            _read(current, line.strip(), fragments)
    return found


def _read(declaration: Declaration, line: str, fragments: Mapping[str, str]) -> None:
    if line.startswith("- "):
        for name in line[2:].split(", "):
            _remove(declaration, name)
        return
    match = _PATH.fullmatch(line)
    path, need, members = (match[1], match[2], match[3]) if match else ("", "", line)
    part = declaration.parts.setdefault(path, Part())
    if need:
        part.need = Need.REQUIRED
    for member in _members(members, fragments):
        part.members[member.name] = member


def _remove(declaration: Declaration, name: str) -> None:
    if name in declaration.parts:
        for path in [each for each in declaration.parts if each == name or each.startswith(f"{name}.")]:
            del declaration.parts[path]
        return
    path, _, member = name.rpartition(".")
    del declaration.parts[path].members[member]


def _members(text: str, fragments: Mapping[str, str]) -> Iterator[Member]:
    for item in text.rstrip(",").split(", "):
        if item.startswith("&"):
            yield from _members(fragments[item[1:]], fragments)
        elif item:
            yield _member(item)


def _member(text: str) -> Member:
    match = _MEMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no member")
    name, mark, role, old_1, new_1, old_2, new_2, kind = match.groups()
    need = Need(mark)
    if kind:
        return Member(name, kind, need)
    if name.endswith("Descriptor"):
        target = f"{role}Descriptor" if role else name
        return Member(name, "descriptor", need, target, in_role=bool(role))
    renames = tuple((old, new) for old, new in ((old_1, new_1), (old_2, new_2)) if old)
    target = role or plural(name.removesuffix("Reference"))
    return Member(name, "reference", need, target, renames, in_role=bool(role))
