"""What a record wants of one item of the host, and how that is merged into what stands there.

An Ed-Fi item is replaced as a whole, and several systems share it. So a :class:`Piece` names only what is ours:
members, and items of collections. All else stays as it was read: items of others, members that this version does not
know, ``_ext``. What is ours is told apart by its key (a type of grade point average of our own), or, where others may
write under the same key, by a mark in ``diagnosticStatement`` that names the records from which it comes: two classes
may tell of one competency, and what one of them withdraws the other keeps.

Pure: nothing here talks to the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

Item: TypeAlias = "Mapping[str, Any]"
Body: TypeAlias = "dict[str, Any]"
STATEMENT = "diagnosticStatement"
_SET_BY_HOST = frozenset({"id", "_etag", "_lastModifiedDate"})


class Foreign(Exception):
    """What stands in our place was written by somebody else. ``member`` is where."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


@dataclass(frozen=True, slots=True)
class Mark:
    """The statement by which we know our own: some words, and the tags of the entries from which it comes."""

    words: str
    tag: str

    def tags(self, item: Item) -> frozenset[str] | None:
        """The tags in an item's statement; ``None`` when it is not ours."""
        found = re.fullmatch(rf"{re.escape(self.words)} \[([0-9a-f ]*)\]", item.get(STATEMENT) or "")
        return frozenset(found[1].split()) if found else None

    def statement(self, tags: Iterable[str]) -> str:
        return f"{self.words} [{' '.join(sorted(tags))}]"


@dataclass(frozen=True, slots=True)
class Part:
    """Our items in one ``collection``. ``key``: the way to the member that tells its items apart.

    With a ``mark`` only items that bear it are ours, and those with our tag that we want no longer go. Without one the
    key says enough: ``own_keys`` are ours whoever wrote them, others only if the ledger says that we did. ``whole``:
    the collection belongs to an item that is ours, so what we want no longer goes.
    """

    collection: str
    key: tuple[str, ...]
    items: tuple[Item, ...]
    mark: Mark | None = None
    own_keys: frozenset[str] = frozenset()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What one record wants of one item.

    ``identity``: the members of the natural key, as a body has them. ``members``: those that are ours; ``None`` takes a
    member away. ``starts``: members that a new item must have, and one that is there keeps. ``own``: the whole item is
    ours by its key. ``creates``: whether we may make it if it is not there. ``made``: it is ours only if we made it;
    one of others is left as it is, if it says nothing else.
    """

    resource: str
    identity: Item
    members: Item = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    starts: Item = field(default_factory=dict)
    mark: Mark | None = None
    own: bool = False
    creates: bool = True
    made: bool = False


def stripped(item: Item) -> Body:
    """An item as it may be sent: without id, etag, dates of the host, and the links of its references."""
    return {name: _without_links(value) for name, value in item.items() if name not in _SET_BY_HOST}


def _without_links(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_links(each) for each in value]
    if isinstance(value, Mapping):
        return {n: _without_links(v) for n, v in value.items() if not (n == "link" and _is_link(v))}
    return value


def _is_link(value: Any) -> bool:
    return isinstance(value, Mapping) and "href" in value


def merged(there: Item | None, piece: Piece, *, ours: bool = False) -> Body:
    """The item as it shall be. ``there`` is stripped; ``ours``: the ledger says that we wrote what stands there.

    Raises :class:`Foreign` when another system wrote another value in the place of ours.
    """
    if there is not None and piece.made and not ours:
        _refuse_other(there, piece.members, piece.resource)
        return dict(there)
    if there is None:
        body: Body = {**piece.starts, **piece.identity}
        _overlay(body, _marked(piece.members, None, piece.mark))
    else:
        body = dict(there)
        _overlay(body, _own_members(there, piece, ours=ours))
    for part in piece.parts:
        items = _merged_items(body.get(part.collection) or (), part, ours=ours)
        if items or part.collection in body:
            body[part.collection] = items
    return body


def withdrawn(there: Item, piece: Piece, *, created: bool, ours: bool = True) -> Body | None:
    """The item without our part; ``None`` if nothing is left of it that somebody else wrote, and we had made it.
    What neither key nor mark tell as ours goes only if the ledger does (``ours``)."""
    if piece.own:
        return None
    if piece.mark is not None:
        return _unmarked(there, piece, piece.mark)
    body = dict(there)
    for part in piece.parts:
        if body.get(part.collection):
            body[part.collection] = _remaining_items(body[part.collection], part, ours=ours)
    # a member that somebody else has changed since is theirs
    rest = _without(body, {name: v for name, v in piece.members.items() if ours and same(body.get(name), v)})
    return None if created and not _of_others(rest, replace(piece, members={})) else rest


def _unmarked(there: Item, piece: Piece, mark: Mark) -> Body | None:
    rest = _tags_left(there, mark)
    if rest is None:
        return dict(there)
    if rest:
        return {**there, STATEMENT: mark.statement(rest)}
    others = _of_others(there, piece)
    return _without(dict(there), {STATEMENT: None}) if others else None


def _of_others(body: Item, piece: Piece) -> bool:
    """Whether the item holds anything that our piece does not know."""
    known = {*piece.identity, *piece.starts, *piece.members, STATEMENT if piece.mark else ""}
    return any(value not in ([], None, {}) for name, value in body.items() if name not in known)


def _without(body: Body, members: Item) -> Body:
    return {name: value for name, value in body.items() if name not in members}


def _own_members(there: Item, piece: Piece, *, ours: bool) -> Item:
    """Our members for an item that is there. Raises :class:`Foreign`."""
    if piece.mark is not None:
        tags = piece.mark.tags(there)
        if tags is None and not ours:
            _refuse_other(there, piece.members, piece.resource)
            return {}  # another system says the same already
        return _marked(piece.members, tags, piece.mark)
    if not (piece.own or ours):
        _refuse_other(there, piece.members, piece.resource)
    return piece.members


def _refuse_other(there: Item, members: Item, where: str) -> None:
    for name, value in members.items():
        if value is not None and there.get(name) is not None and not same(there[name], value):
            raise Foreign(f"{where}.{name}")


def _marked(members: Item, tags: frozenset[str] | None, mark: Mark | None) -> Item:
    if mark is None:
        return members
    return {**members, STATEMENT: mark.statement({*(tags or ()), mark.tag})}


def _overlay(body: Body, members: Item) -> None:
    for name, value in members.items():
        if value is None:
            body.pop(name, None)
        elif not same(body.get(name), value):
            body[name] = value


def _merged_items(there: Sequence[Item], part: Part, *, ours: bool) -> list[Body]:
    """The collection with our items, in the order in which it was; new ones at its end."""
    wanted = {_key(item, part.key): item for item in part.items}
    kept: list[Body] = []
    for item in there:
        mine = wanted.pop(_key(item, part.key), None)
        if mine is not None:
            kept.append(_merged_item(item, mine, part, ours=ours))
        elif not part.whole and (rest := _left_of(item, part)) is not None:
            kept.append(rest)
    return [*kept, *(dict(_marked(_present(item), None, part.mark)) for item in wanted.values())]


def _merged_item(item: Item, mine: Item, part: Part, *, ours: bool) -> Body:
    """One item with our members over its own."""
    body = dict(item)
    tags = part.mark.tags(item) if part.mark else None
    if tags is None and not (ours or part.whole or _key(item, part.key) in part.own_keys):
        _refuse_other(item, mine, part.collection)
        return body  # it says what we would say
    _overlay(body, _marked(mine, tags, part.mark))
    return body


def _left_of(item: Item, part: Part) -> Body | None:
    """What stays of an item that we do not want (any more): all of it unless its mark says that we wrote it."""
    rest = _tags_left(item, part.mark) if part.mark else None
    if part.mark is None or rest is None:
        return dict(item)
    return {**item, STATEMENT: part.mark.statement(rest)} if rest else None


def _tags_left(item: Item, mark: Mark) -> frozenset[str] | None:
    """The tags without ours; ``None`` when ours is not among them."""
    tags = mark.tags(item)
    return None if tags is None or mark.tag not in tags else tags - {mark.tag}


def _remaining_items(there: Sequence[Item], part: Part, *, ours: bool) -> list[Body]:
    """The collection without our items: marked ones, those of our own keys, or those of ours by the ledger that still
    say what we had said."""
    if part.mark is not None:
        return [rest for item in there if (rest := _left_of(item, part)) is not None]
    mine = {_key(item, part.key): item for item in part.items}
    return [dict(item) for item in there if not _is_withdrawn(item, mine.get(_key(item, part.key)), part, ours)]


def _is_withdrawn(item: Item, mine: Item | None, part: Part, ours: bool) -> bool:
    if mine is None:
        return False
    unchanged = all(same(item.get(name), value) for name, value in mine.items() if value is not None)
    return _key(item, part.key) in part.own_keys or (ours and unchanged)


def _present(item: Item) -> Body:
    return {name: value for name, value in item.items() if value is not None}


def _key(item: Item, way: Sequence[str]) -> str:
    value: Any = item
    for name in way:
        value = value.get(name) if isinstance(value, Mapping) else None
    return str(value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to a host: numbers by value, references without their links."""
    return bool(_without_links(one) == _without_links(other))


@dataclass(frozen=True, slots=True)
class Found:
    """An item as it was read: its id and etag, and its content as it may be sent."""

    id: str
    etag: str
    body: Body

    def has(self, identity: Item) -> bool:
        """Whether the item has this natural key."""
        return all(same(self.body.get(name), value) for name, value in identity.items())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece and what its change is about. ``ours``: the ledger knows it as written by us, or it may be overwritten;
    ``created``: we had made the item. ``found``: the item, if it was ``read`` just now."""

    piece: Piece
    gone: bool = False
    ours: bool = False
    created: bool = False
    read: bool = False
    found: Found | None = None


@dataclass(slots=True)
class Drawn:
    """An item after several pieces: ``body`` of ``None`` means that it shall not be there."""

    body: Body | None
    waits: bool = False


def drawn(there: Item | None, wishes: Sequence[Wanted]) -> Drawn:
    """All wishes for one item, one after the other. ``waits``: the item is not there and is not ours to make."""
    body: Body | None = None if there is None else dict(there)
    for wish in wishes:
        if wish.gone:
            body = None if body is None else withdrawn(body, wish.piece, created=wish.created, ours=wish.ours)
        elif body is None and not wish.piece.creates:
            return Drawn(None, waits=True)
        else:
            body = merged(body, wish.piece, ours=wish.ours)
    return Drawn(body)


def said_already(there: Item, wish: Wanted) -> bool:
    """Whether an item that is there says all that is wanted, so that nothing of it needs to be ours."""
    return drawn(there, [replace(wish, ours=False)]).body == there
