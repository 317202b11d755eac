"""One record as rows of the files that carry it, and what a version of the binding cannot carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

from gateway.sdk import TABLES, Action, Change, oneroster

Form = oneroster.Form
ScaleValue = oneroster.ScaleValue

_LEFT_OUT_IN_1_1 = frozenset(
    {
        *("class_id", "school_id"),  # told by the line item and by its class
        *("user_master_identifier", "preferred_given_name", "preferred_middle_name", "preferred_family_name"),
        *("primary_org_id", "pronouns", "role_type", "begin_date", "end_date"),
    }
)
"""What 1.1 has no column for and nobody misses in it; anything else is refused rather than lost."""


class UnwritableError(Exception):
    """The record cannot be written. ``code`` and ``reason`` are those of its outcome."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@cache
def nested_tables(entity: str) -> tuple[str, ...]:
    """The tables whose rows are part of a record of ``entity``."""
    return tuple(table.name for table in TABLES.values() if table.part_of and table.part_of[0] == entity)


@cache
def writable_entities(version: str, *, delta: bool) -> tuple[str, ...]:
    """The tables that a bundle can carry, parents first.

    A 1.1 user's row holds the roles too; a delta, which is told of changes only, does not know the unchanged half.
    """
    lost = {"users", "roles"} if version == "1.1" and delta else set()
    carried = {table for file in oneroster.CSV_FILES[version].values() for table in file.tables} - lost
    return tuple(name for name, table in TABLES.items() if name in carried and not table.part_of)


@cache
def file_of(table: str, version: str) -> oneroster.CsvFile | None:
    """The file that carries ``table`` in ``version``."""
    return next((file for file in oneroster.CSV_FILES[version].values() if file.table == table), None)


def identity_column(file: oneroster.CsvFile) -> tuple[str, int]:
    """The table of the records to which the file's rows belong, and the index of the column with their ids."""
    table = TABLES[str(file.table)]
    parent, column = table.part_of or (table.name, "id")
    return parent, next(index for index, each in enumerate(file.columns) if each.column == column)


def rows_of(
    change: Change, version: str, *, delta: bool, now: datetime
) -> Iterator[tuple[oneroster.CsvFile, list[str]]]:
    """The rows of ``change``, each with its file: the record's own first, then those that are part of it.

    Raises :class:`UnwritableError` before the first row, so that a refused record leaves no trace.
    """
    file = file_of(change.entity, version)
    if file is None or change.entity not in writable_entities(version, delta=delta):
        kind = f"{version} delta" if delta else version
        raise UnwritableError(
            "oneroster.version", f"A OneRoster {kind} bundle has no {change.entity.replace('_', ' ')}."
        )
    if version == "1.1":
        _refuse_what_1_1_lacks(change, file)
    state = _state(change, delta=delta, now=now)
    rows = [(file, _row(file, {**change.record, "id": change.id, **state}))]
    for table in nested_tables(change.entity):
        nested = file_of(table, version)
        items = _items(change, table)
        if nested is not None and items:
            rows += _link_rows(nested, items, change.id, state)
    yield from rows


def _items(change: Change, table: str) -> Sequence[Mapping[str, object]]:
    items = change.record.get(table)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []


def _state(change: Change, *, delta: bool, now: datetime) -> dict[str, object]:
    """``status`` and ``dateLastModified``: both in a delta, neither in bulk."""
    if not delta:
        return {"status": None, "date_last_modified": None}
    status = "tobedeleted" if change.action is Action.INACTIVATE else "active"
    modified = change.record.get("date_last_modified") or now
    return {"status": status, "date_last_modified": format_value(modified, Form.TEXT)}


def _refuse_what_1_1_lacks(change: Change, file: oneroster.CsvFile) -> None:
    for table in nested_tables(change.entity):
        if _items(change, table):
            what = table.split("_", 1)[1].replace("item_", "").replace("_", " ")
            raise UnwritableError("oneroster.version", f'OneRoster 1.1 has no {what}; set version "1.2".')
    carried = {column.column for column in file.columns} | _LEFT_OUT_IN_1_1
    for column in TABLES[change.entity].names:
        if column not in carried and change.record.get(column) not in (None, False):
            raise UnwritableError("oneroster.version", f'OneRoster 1.1 has no {column} here; set version "1.2".')


def _row(file: oneroster.CsvFile, record: Mapping[str, object]) -> list[str]:
    return [_cell(column, record) for column in file.columns]


def _link_rows(
    file: oneroster.CsvFile, items: Sequence[Mapping[str, object]], parent_id: str, state: Mapping[str, object]
) -> Iterator[tuple[oneroster.CsvFile, list[str]]]:
    """The rows of a record's links, each with an id of its own out of what it links."""
    table = TABLES[str(file.table)]
    parent = table.part_of[1] if table.part_of else "id"
    place = file.header.index("sourcedId")
    for item in items:
        record = {**item, parent: parent_id, **state}
        row = _row(file, record)
        row[place] = oneroster.format_joined_id(*(str(record[key] or "") for key in table.key))
        yield file, row


def _cell(column: oneroster.CsvColumn, record: Mapping[str, object]) -> str:
    if column.form is Form.SCALE:
        value: object = record.get("score_scale_values")
    elif column.column is None or column.table is not None:
        return ""
    else:
        value = record.get(column.column)
    if value is None:
        return ""
    try:
        text = format_value(value, column.form)
    except ValueError as error:
        raise UnwritableError("csv.unwritable", f"{column.header}: {error}.") from error
    if "\0" in text or not _encodable(text):
        raise UnwritableError("csv.unwritable", f"{column.header} holds a character that no UTF-8 text file may have.")
    return text


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _scale(values: Sequence[object]) -> str:
    items = [item for item in values if isinstance(item, Mapping)]
    items.sort(key=lambda item: int(str(item["position"])))
    return oneroster.format_score_scale([ScaleValue(str(item["lhs"]), str(item["rhs"])) for item in items])


def format_value(value: object, form: oneroster.Form) -> str:
    """A canonical value as the text of a cell. Raises :class:`ValueError` for one that the form cannot carry."""
    match value:
        case str():
            return oneroster.format_objective(value) if form is Form.OBJECTIVE else value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value.normalize(), "f") if value else "0"
        case datetime():
            utc = value.astimezone(UTC)
            if form is Form.DATE:
                return utc.date().isoformat()
            return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
        case date():
            return value.isoformat()
        case list() | tuple():
            if form is Form.SCALE:
                return _scale(value)
            items = [str(item) for item in value]
            return oneroster.format_user_ids(items) if form is Form.USER_IDS else oneroster.format_list(items)
        case _:
            return str(value)
