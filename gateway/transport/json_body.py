"""Strict JSON for pages, fast where pages are sound.

JSON that people rely on has no ``NaN``, no key twice in one object, and no depth beyond reason; the usual readers take
all three. :func:`decode_records` reads a page of records and sets the bad ones aside by their number, so that one does
not stop its neighbours; :func:`decode_page` reads a document that is right as a whole or not at all.

The check for doubled keys costs little: what was decoded is encoded again, and the length is compared, or else the
number of colons. Only when they differ is the page read anew, slowly, by a reader that sees every key. This is exact as
long as encoding never writes what was not there, which is why types whose fields have defaults other than ``UNSET``
must be ``omit_defaults``, and why pages with escaped colons are read slowly. What a type takes as ``msgspec.Raw`` (a
number whose digits must stay as they are) is not looked into: who reads it takes single values only.

Source: RFC 8259; msgspec documentation ("UNSET", "omit_defaults").
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar, cast

import msgspec

from gateway.core.errors import IncompletePullError, Place

T = TypeVar("T")

DEEPEST = 64
_COLON = b":"
_ESCAPE = b"\\"
_ESCAPED_COLON = b"\\u003"
_FLAT = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Fault:
    """A record of a page that cannot be read. ``number`` counts from 1; ``reason`` follows "the record" ("has the key
    "score" twice") and tells no value."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Records(Generic[T]):
    """The records of a page, the number of each in the page (from 1), and those that cannot be read."""

    items: Sequence[T]
    numbers: Sequence[int]
    faults: tuple[Fault, ...] = ()


def decode_page(body: bytes, type_: type[T], *, source: str) -> T:
    """A whole document as ``type_`` (of msgspec). ``source`` names the page in errors.

    Raises :class:`IncompletePullError`: ``page.not-json``, ``page.unsound``, ``page.too-deep`` or ``page.shape``.
    """
    reader = _reader(cast(Any, type_))
    try:
        value = reader.decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = error
    else:
        if not reader.is_sound(body, value):
            _require_sound(_read_slowly(body, source), source)
        return cast(T, value)
    document = _read_slowly(body, source)
    _require_sound(document, source)
    raise _refusal(source, f"is not of the expected shape ({_shape(fault)})", code="page.shape")


def decode_records(body: bytes, record: type[T], keys: Sequence[str], *, source: str) -> Records[T]:
    """The records of a page ``{key: [record, …]}``; ``keys`` are the names that the list may have, the best first.

    Raises :class:`IncompletePullError`: ``page.not-json``, ``page.too-deep``, ``page.unsound`` (the envelope) or
    ``page.envelope`` (none of ``keys`` is there: an answer that is not a page, never an empty one).
    """
    reader = _reader(_envelope(cast(Any, record), tuple(keys)))
    try:
        value = reader.decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_each(body, record, keys, source)
    if not reader.is_sound(body, value):
        return _decode_each(body, record, keys, source)
    for key in range(len(keys)):
        items = getattr(value, f"list_{key}")
        if items is not msgspec.UNSET:
            return Records(items, range(1, len(items) + 1))
    raise _no_envelope(keys, source)


@functools.lru_cache(maxsize=64)
def _envelope(record: type[Any], keys: tuple[str, ...]) -> type[msgspec.Struct]:
    fields = [(f"list_{number}", list[record] | msgspec.UnsetType, msgspec.UNSET) for number in range(len(keys))]  # type: ignore[valid-type]  # a type made at run time
    return msgspec.defstruct("Envelope", fields, rename={f"list_{n}": key for n, key in enumerate(keys)})


@dataclass(frozen=True, slots=True)
class _Reader:
    """A decoder, and what its type tells of the documents that it reads.

    ``bounded``: nothing nests deeper than the type does. ``never_longer``: no value is written longer than it was read,
    as 3 is that becomes 3.0.
    """

    decoder: msgspec.json.Decoder[Any]
    bounded: bool
    never_longer: bool

    def is_sound(self, body: bytes, value: object) -> bool:
        """True if ``body`` surely has no doubled key and is not too deep; False asks for the slow reader."""
        encoded = _encoder.encode(value)
        if self.never_longer and len(encoded) == len(body):  # what is left out would be missing in the length
            return True
        if _ESCAPE in body and _ESCAPED_COLON in body:
            return False
        colons = body.count(_COLON)
        if encoded.count(_COLON) == colons:
            return self.bounded or not _too_deep(body)
        try:  # fields that the type does not have, most likely: compare with everything that is there
            everything = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return False
        return _encoder.encode(everything).count(_COLON) == colons and not _too_deep(body)


_NEVER_LONGER = (
    msgspec.inspect.BoolType,
    msgspec.inspect.DictType,
    msgspec.inspect.IntType,
    msgspec.inspect.ListType,
    msgspec.inspect.NoneType,
    msgspec.inspect.RawType,
    msgspec.inspect.StrType,
    msgspec.inspect.StructType,
    msgspec.inspect.UnionType,
)


@functools.lru_cache(maxsize=64)
def _reader(type_: type[Any]) -> _Reader:
    parts = list(_parts(msgspec.inspect.type_info(type_)))
    for part in parts:
        if isinstance(part, msgspec.inspect.StructType):
            _require_countable(part)
    bounded = not any(isinstance(part, msgspec.inspect.AnyType) for part in parts)
    never_longer = all(isinstance(part, _NEVER_LONGER) for part in parts)
    return _Reader(msgspec.json.Decoder(type_), bounded, never_longer and bounded)


def _parts(info: Any, above: tuple[type, ...] = ()) -> Iterator[msgspec.inspect.Type]:
    """``info`` and all types within it; a type that contains itself counts as one that may be anything."""
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in above:
            yield msgspec.inspect.AnyType()
            return
        above = (*above, info.cls)
        inner = [field.type for field in info.fields]
    else:
        names = ("item_type", "item_types", "key_type", "value_type", "types")
        inner = [part for name in names for part in _as_list(getattr(info, name, ()))]
    yield info
    for part in inner:
        yield from _parts(part, above)


def _require_countable(struct: msgspec.inspect.StructType) -> None:
    if not struct.cls.__struct_config__.omit_defaults and any(_has_default(field) for field in struct.fields):
        raise TypeError(f"{struct.cls.__name__} must be omit_defaults, or have UNSET as its only default")


def _has_default(info: msgspec.inspect.Field) -> bool:
    return info.default_factory is not msgspec.NODEFAULT or info.default not in (msgspec.NODEFAULT, msgspec.UNSET)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _too_deep(body: bytes) -> bool:
    """True unless the brackets of ``body``, those inside texts included, nest at most ``DEEPEST`` levels."""
    brackets = body.translate(_FLAT, _NO_BRACKETS)
    for _ in range(DEEPEST):
        inner_removed = brackets.replace(b"[]", b"")
        if not inner_removed:
            return False
        if len(inner_removed) == len(brackets):
            return True
        brackets = inner_removed
    return True


class _Object(dict[str, Any]):
    """A JSON object as the slow reader sees it; ``fault`` says what is wrong in it, ``inner`` anywhere below it."""

    fault: str = ""
    inner: str = ""


@dataclass(frozen=True, slots=True)
class _Constant:
    """``NaN`` or ``Infinity`` in the place of a number."""

    name: str


def _decode_each(body: bytes, record: type[T], keys: Sequence[str], source: str) -> Records[T]:
    """The slow way: each record for itself."""
    document = _read_slowly(body, source)
    if isinstance(document, _Object) and document.fault:
        raise _refusal(source, document.fault, code="page.unsound")
    found = next((key for key in keys if isinstance(document, dict) and isinstance(document.get(key), list)), None)
    if found is None:
        raise _no_envelope(keys, source)
    decoder = _reader(cast(Any, record)).decoder
    items: list[T] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    for number, value in enumerate(document[found], start=1):
        reason = (value.fault or value.inner) if isinstance(value, _Object) else "is not an object"
        if not reason:
            try:
                items.append(decoder.decode(_encoder.encode(value)))
                numbers.append(number)
                continue
            except msgspec.ValidationError as error:
                reason = _shape(error)
            except UnicodeEncodeError:  # half of a surrogate pair
                reason = "holds a character that is none"
        faults.append(Fault(number, reason))
    return Records(items, numbers, tuple(faults))


def _read_slowly(body: bytes, source: str) -> Any:
    """The document, each object of which knows its faults."""
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_Constant,
            parse_float=Decimal,
            parse_int=Decimal,
        )
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    except RecursionError:
        raise _too_deep_refusal(source) from None
    except (ValueError, InvalidOperation):
        problem = _not_json(body)
    else:
        if _depth(document) > DEEPEST:
            raise _too_deep_refusal(source)
        return document
    raise _refusal(source, problem, code="page.not-json")


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add answers None on purpose
        named = f'the key "{twice}"' if twice.isidentifier() and len(twice) < 60 else "a key"
        made.fault = f"has {named} twice"
    made.inner = next((reason for value in made.values() if (reason := _fault_in(value))), "")
    return made


def _fault_in(value: Any) -> str:
    """What is wrong anywhere in ``value``, or nothing."""
    if isinstance(value, _Object):
        return value.fault or value.inner
    if isinstance(value, list):
        return next((reason for item in value if (reason := _fault_in(item))), "")
    return f"holds {value.name}, which is no number in JSON" if isinstance(value, _Constant) else ""


def _depth(document: Any) -> int:
    """How deep arrays and objects nest."""
    depth, level = 0, [document]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _not_json(body: bytes) -> str:
    start = body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "is empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "is a web page, perhaps to log in, instead of data"
    if start.startswith(b"<"):
        return "is XML instead of JSON"
    return "is not JSON, or is cut off" if start.startswith((b"{", b"[")) else "is not JSON"


def _shape(error: BaseException) -> str:
    """msgspec's message (types and a path like ``$.results[3].score``, no values), cut."""
    return str(error)[:160] if isinstance(error, msgspec.ValidationError) else "cannot be read"


def _require_sound(document: Any, source: str) -> None:
    fault = _fault_in(document)
    if fault:
        raise _refusal(source, fault, code="page.unsound")


def _too_deep_refusal(source: str) -> IncompletePullError:
    return _refusal(source, f"nests deeper than {DEEPEST} levels", code="page.too-deep")


def _no_envelope(keys: Sequence[str], source: str) -> IncompletePullError:
    names = " or ".join(f'"{key}"' for key in keys)
    return _refusal(source, f"lacks its list {names}", code="page.envelope")


def _refusal(source: str, problem: str, *, code: str) -> IncompletePullError:
    return IncompletePullError(
        f"The answer {problem}.",
        hint="Nothing is removed for it; the next run asks again.",
        code=code,
        place=Place(source),
    )
