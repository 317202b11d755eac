"""Rows of tables as the objects of the standard, written column by column: references with addresses, texts for
booleans, numbers as they are. What is empty is left out, unless the standard requires it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import msgspec
import polars as pl

from gateway.api.oneroster.lists import Field, How

encode = msgspec.json.Encoder(decimal_format="number").encode

_PATHS = {
    "academicSession": "academicSessions", "org": "orgs", "course": "courses", "class": "classes", "user": "users",
    "category": "categories", "lineItem": "lineItems", "scoreScale": "scoreScales",
}  # fmt: skip
_OF_GRADEBOOK = frozenset({"category", "lineItem", "scoreScale"})
_CONTROL = {chr(code): f"\\u{code:04x}" for code in range(32)}
_ESCAPES = _CONTROL | {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
"""What may not stand in a text of JSON as it is (RFC 8259, 7)."""


@dataclass(frozen=True, slots=True)
class Records:
    """Writes records for one service address. ``rostering`` and ``gradebook`` are the addresses of the two services."""

    rostering: str
    gradebook: str
    fields: Sequence[Field]

    def texts(self, frame: pl.DataFrame) -> pl.Series:
        """The records as JSON, each an object."""
        kinds = tuple(frame.schema[field.column] for field in self.fields)
        return frame.select(_record(self.rostering, self.gradebook, tuple(self.fields), kinds))["record"]

    def listed(self, name: str, frame: pl.DataFrame) -> bytes:
        """The records as a list under ``name``."""
        together: str = self.texts(frame).str.join(",").item()
        return f'{{"{name}":[{together}]}}'.encode()

    def single(self, name: str, frame: pl.DataFrame) -> bytes:
        """The one record of ``frame`` under ``name``."""
        return f'{{"{name}":{self.texts(frame).item()}}}'.encode()


@lru_cache(256)
def _record(rostering: str, gradebook: str, fields: Sequence[Field], kinds: Sequence[pl.DataType]) -> pl.Expr:
    """A row as an object; kept, because it is the same for every page of a list."""
    bases = {
        kind: encode(f"{gradebook if kind in _OF_GRADEBOOK else rostering}/{path}/")[1:-1].decode()
        for kind, path in _PATHS.items()
    }
    pieces = []
    for field, kind in zip(fields, kinds, strict=True):
        value = _value(field, kind, bases)
        if field.fallback is not None:
            value = value.fill_null(pl.lit(encode(field.fallback).decode()))
        pieces.append(pl.concat_str(pl.lit(f',"{field.name}":'), value))
    inside = pl.concat_str(pieces, ignore_nulls=True).str.slice(1)  # without the first comma
    return _joined("{", inside, "}").alias("record")


def _value(field: Field, kind: pl.DataType, bases: Mapping[str, str]) -> pl.Expr:
    """A column as JSON; null where it is empty."""
    column = pl.col(field.column)
    lists: Mapping[How, Callable[[pl.Expr], pl.Expr]] = {
        How.PLAIN: _text,
        How.REFERENCES: lambda each: _reference(bases, field.kind, each),
        How.USER_IDS: _user_id,
        How.SCALE_VALUES: _scale_value,
        How.ROLES: lambda each: _role(bases, each),
    }
    match field.how:
        case How.TIME:
            return _joined('"', column.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"), '"')
        case How.FLAG:
            return _joined('"', column.cast(pl.String), '"')
        case How.REFERENCE:
            return _reference(bases, field.kind, column)
        case How.SCALE:
            return _reference(bases, "scoreScale", column.list.first().struct.field("score_scale_id"))
        case How.FIRST_ROLE:
            return _text(_first_role(column))
        case How.ROLE_ORGS:
            orgs = column.list.eval(pl.element().struct.field("org_id")).list.unique(maintain_order=True)
            return _list(orgs, lambda each: _reference(bases, "org", each))
        case How.OBJECTIVES:
            return _by_source(column, "learningObjectiveIds", _objective_id)
        case How.OBJECTIVE_RESULTS:
            return _by_source(column, "learningObjectiveResults", _objective_result)
    return _list(column, lists[field.how]) if isinstance(kind, pl.List) else _plain(column, kind)


def _reference(bases: Mapping[str, str], kind: str, id: pl.Expr) -> pl.Expr:
    address = id.map_batches(_percent_encoded, return_dtype=pl.String, is_elementwise=True)
    return _joined(f'{{"href":"{bases[kind]}', address, '","sourcedId":', _text(id), f',"type":"{kind}"}}')


def _role(bases: Mapping[str, str], role: pl.Expr) -> pl.Expr:
    part = role.struct.field
    dates = [
        _joined(f',"{name}":"', part(column).cast(pl.String), '"').fill_null("")
        for name, column in (("beginDate", "begin_date"), ("endDate", "end_date"))
    ]
    org = _reference(bases, "org", part("org_id"))
    kind, name = _text(part("role_type").fill_null("primary")), _text(part("role"))
    return _joined('{"roleType":', kind, ',"role":', name, ',"org":', org, *dates, "}")


def _joined(*parts: pl.Expr | str) -> pl.Expr:
    """Texts one after another; null if one is."""
    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


def _text(value: pl.Expr) -> pl.Expr:
    return _joined('"', value.str.replace_many(_ESCAPES), '"')


def _plain(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    written = value.cast(pl.String)
    if isinstance(kind, pl.String):
        return _text(written)
    return _joined('"', written, '"') if isinstance(kind, pl.Date) else written


def _list(column: pl.Expr, write: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """A list of what ``write`` makes of each element; null for an empty one."""
    together = column.list.eval(write(pl.element())).list.join(",")
    return pl.when(column.list.len() > 0).then(_joined("[", together, "]"))


def _percent_encoded(ids: pl.Series) -> pl.Series:
    """Ids as they stand in addresses (RFC 3986); hardly any has signs that must be encoded."""
    odd = ids.filter(ids.str.contains("[^A-Za-z0-9_.~-]")).unique()
    return ids.replace(odd, [quote(id, safe="") for id in odd]) if len(odd) else ids


def _user_id(value: pl.Expr) -> pl.Expr:
    """``{type:identifier}`` of the CSV binding as an object."""
    parts = value.str.strip_chars("{}").str.splitn(":", 2).struct
    identifier = parts.field("field_1").fill_null("")
    return _joined('{"type":', _text(parts.field("field_0")), ',"identifier":', _text(identifier), "}")


def _scale_value(value: pl.Expr) -> pl.Expr:
    part = value.struct.field
    return _joined('{"itemValueLHS":', _text(part("lhs")), ',"itemValueRHS":', _text(part("rhs")), "}")


def _first_role(roles: pl.Expr) -> pl.Expr:
    """The primary role, in the words of 1.1."""
    role, kind = pl.element().struct.field("role"), pl.element().struct.field("role_type")
    primary = roles.list.eval(role.filter(kind == "primary")).list.first()
    return pl.coalesce(primary, roles.list.eval(role).list.first()).replace(_ROLES_11)


_ROLES_11 = {
    "counselor": "aide", "principal": "administrator", "districtAdministrator": "administrator",
    "siteAdministrator": "administrator", "systemAdministrator": "administrator",
}  # fmt: skip
"""Roles that 1.1 does not know, by the nearest that it does."""


def _objective_id(objective: pl.Expr) -> pl.Expr:
    return _text(objective.struct.field("learning_objective_id"))


def _objective_result(objective: pl.Expr) -> pl.Expr:
    part = objective.struct.field
    score = _joined(',"score":', part("score").cast(pl.String)).fill_null("")
    text = _joined(',"textScore":', _text(part("text_score"))).fill_null("")
    return _joined('{"learningObjectiveId":', _objective_id(objective), score, text, "}")


def _by_source(column: pl.Expr, name: str, write: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Objectives as one list for each source, under ``name``."""

    def written(lists: pl.Series) -> pl.Series:
        rows = pl.DataFrame({"row": pl.int_range(len(lists), eager=True), "each": lists})
        each = pl.col("each")
        source = _text(each.struct.field("source").fill_null("unknown")).alias("source")
        flat = rows.filter(each.list.len() > 0).explode("each")
        groups = flat.group_by("row", source, maintain_order=True).agg(write(each).str.join(",").alias("inside"))
        group = _joined('{"source":', pl.col("source"), f',"{name}":[', pl.col("inside"), "]}")
        found = groups.group_by("row", maintain_order=True).agg(group.str.join(",").alias("text"))
        texts = found.select("row", _joined("[", pl.col("text"), "]").alias("text"))
        return rows.select("row").join(texts, on="row", how="left", maintain_order="left")["text"]

    return column.map_batches(written, return_dtype=pl.String)
