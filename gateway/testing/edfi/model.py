"""The resources of one version of the Data Standard, with references resolved and keys worked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from gateway.testing.edfi.notation import Declaration, Declarations, Member, Need, declare
from gateway.testing.edfi.standards import declarations

ORGANIZATIONS: Mapping[str, str] = {
    "schools": "schoolId",
    "localEducationAgencies": "localEducationAgencyId",
    "educationServiceCenters": "educationServiceCenterId",
    "stateEducationAgencies": "stateEducationAgencyId",
}
"""The resources that ``educationOrganizationReference`` may point to, with their keys."""

_ABSTRACT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "educationOrganizations": (("educationOrganizationId", "int64"),),
    "generalStudentProgramAssociations": (
        ("beginDate", "date"),
        ("educationOrganizationId", "int64"),
        ("programEducationOrganizationId", "int64"),
        ("programName", "str60"),
        ("programTypeDescriptor", "descriptor"),
        ("studentUniqueId", "str32"),
    ),
}
_DESCRIPTOR = """
descriptors
  codeValue* str50, namespace* str255, shortDescription! str75, description str1024, effectiveBeginDate date
  effectiveEndDate date
"""
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A part of a natural key: its name, its type, and where it stands in the body."""

    name: str
    kind: str
    place: Place


@dataclass(frozen=True, slots=True)
class Reference:
    """What a reference points to, and the members of its object with their types."""

    member: Member
    parts: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Node:
    """An object of a body. ``objects`` and ``collections`` hold what stands below it."""

    scalars: dict[str, Member] = field(default_factory=dict)
    descriptors: dict[str, Member] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    objects: dict[str, Node] = field(default_factory=dict)
    collections: dict[str, Node] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)

    @property
    def key_names(self) -> list[str]:
        """The members that tell the items of a collection apart."""
        named = [
            *self.scalars.values(),
            *self.descriptors.values(),
            *(each.member for each in self.references.values()),
        ]
        return [member.name for member in named if member.need is Need.KEY]


@dataclass(slots=True)
class Resource:
    """A resource: its tree, its natural key, whether the key may change, and the members that must agree."""

    name: str
    rekeyed: bool
    node: Node
    key: tuple[KeyPart, ...]
    unified: tuple[tuple[str, tuple[Place, ...]], ...]
    shared: Mapping[str, Place]
    queries: Mapping[str, Place]


def reference_names(member: Member, parts: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str, str]]:
    """The name of each part in the key of the referring resource, its name in the reference, its type."""
    renames = dict(member.renames)
    for name, kind in parts:
        yield renames.get(name, name), name, kind


class Model:
    """The resources of one version of the Data Standard, by name."""

    def __init__(self, standard: str) -> None:
        self.standard = standard
        self._declarations: Declarations = declarations(standard)
        self._keys: dict[str, tuple[KeyPart, ...]] = {}
        self.resources = {name: self._resource(each) for name, each in self._declarations.items()}
        self.descriptors = tuple(sorted({f"{kind}s" for each in self.resources.values() for kind in _kinds(each.node)}))
        self._declarations = self._declarations | {name: _descriptor(name) for name in self.descriptors}
        self.resources |= {name: self._resource(self._declarations[name]) for name in self.descriptors}

    def target_parts(self, target: str) -> tuple[tuple[str, str], ...]:
        """The members of a reference to ``target``, with their types."""
        if target in _ABSTRACT:
            return _ABSTRACT[target]
        return tuple((part.name, part.kind) for part in self._key(target))

    def _key(self, name: str) -> tuple[KeyPart, ...]:
        if name not in self._keys:
            parts: dict[str, KeyPart] = {}
            for member in self._declarations[name].parts[""].members.values():
                if member.need is Need.KEY:
                    for part in self._parts(member):
                        parts.setdefault(part.name, part)
            self._keys[name] = tuple(sorted(parts.values(), key=lambda part: part.name))
        return self._keys[name]

    def _parts(self, member: Member) -> Iterator[KeyPart]:
        if member.kind != "reference":
            yield KeyPart(member.name, member.kind, (member.name,))
            return
        for name, inner, kind in reference_names(member, self.target_parts(member.target)):
            yield KeyPart(name, kind, (member.name, inner))

    def _resource(self, declaration: Declaration) -> Resource:
        node = self._node(declaration, "")
        places: dict[str, list[Place]] = defaultdict(list)
        for member in declaration.parts[""].members.values():
            if not member.in_role or member.need is Need.KEY or member.renames:
                for part in self._parts(member):
                    places[part.name].append(part.place)
        key = self._key(declaration.name)
        return Resource(
            declaration.name,
            declaration.rekeyed,
            node,
            key,
            tuple((name, tuple(found)) for name, found in places.items() if len(found) > 1),
            {part.name: part.place for part in key},
            {name: found[0] for name, found in places.items()} | {part.name: part.place for part in key},
        )

    def _node(self, declaration: Declaration, path: str) -> Node:
        node = Node()
        for member in declaration.parts[path].members.values():
            if member.kind == "reference":
                node.references[member.name] = Reference(member, self.target_parts(member.target))
            elif member.kind == "descriptor":
                node.descriptors[member.name] = member
            else:
                node.scalars[member.name] = member
            if member.need is not Need.OPTIONAL:
                node.required.add(member.name)
        prefix = f"{path}." if path else ""
        for below, part in declaration.parts.items():
            name = below.removeprefix(prefix)
            if below and below.startswith(prefix) and "." not in name:
                self._attach(node, name, self._node(declaration, below), part.need)
        return node

    def _attach(self, node: Node, name: str, below: Node, need: Need) -> None:
        if not name.endswith("[]"):
            node.objects[name] = below
            if need is Need.REQUIRED:
                node.required.add(name)
            return
        node.collections[name[:-2]] = below
        if need is Need.REQUIRED:
            node.filled.add(name[:-2])


def _descriptor(name: str) -> Declaration:
    declaration = declare(_DESCRIPTOR, {})["descriptors"]
    declaration.name = name
    return declaration


def _kinds(node: Node) -> Iterator[str]:
    yield from (member.target for member in node.descriptors.values())
    for below in (*node.objects.values(), *node.collections.values()):
        yield from _kinds(below)


@cache
def model_of(standard: str) -> Model:
    """The model of a version of the Data Standard, made once."""
    return Model(standard)
