"""Grade point averages as items of an Ed-Fi host: one in a collection that others fill as well.

The key of ``gradePointAverages`` is the type alone: a cumulative and a term GPA of one type cannot stand in one record,
and a value of ours with the standard's ``Unweighted`` would take the place of the student information system's. So
values of ours need types of a namespace of their own; one of the standard is written only where there is none yet, or
where the ledger says that it is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.merging import Body, Part, Piece, Wanted
from connectors.edfi.places import Places, own_part
from gateway.sdk import Action, Change

_PLACES = Decimal("0.0001")
_TYPE = "gradePointAverageTypeDescriptor"


def gpa_wishes(change: Change, target: Mapping[str, Any], descriptors: Descriptors, places: Places) -> Iterator[Wanted]:
    """What one row of ``gpas`` wants. Raises :class:`Unfit`."""
    record: Mapping[str, Any] = change.record
    item = _average(record, target, descriptors)
    own = target["namespace"].rstrip("/")
    mine = frozenset({item[_TYPE]}) if own and item[_TYPE].startswith(f"{own}/") else frozenset[str]()
    part = Part("gradePointAverages", (_TYPE,), (item,), own_keys=mine)
    on_card = target["gpa"]["place"] == "report_card"
    resource = "reportCards" if on_card else "studentAcademicRecords"
    identity = (_report_card if on_card else _academic_record)(record, target, descriptors, places)
    creates = target["gpa"]["creates"] and not on_card
    yield Wanted(Piece(resource, identity, parts=(part,), creates=creates), change.action is Action.INACTIVATE)


def _average(record: Mapping[str, Any], target: Mapping[str, Any], descriptors: Descriptors) -> Body:
    kind = target["gpa"]["types"].get(record["type"])
    if kind is None:
        raise Unfit("edfi.gpa-type", "The setting types names no type of grade point average for a policy.")
    item = {
        _TYPE: descriptors.value("GradePointAverageType", kind),
        "gradePointAverageValue": _number(record["value"]),
        "maxGradePointAverageValue": _number(record.get("maximum")),
        "isCumulative": record.get("cumulative"),
    }
    return {name: value for name, value in item.items() if value is not None}


def _academic_record(
    record: Mapping[str, Any], target: Mapping[str, Any], descriptors: Descriptors, places: Places
) -> Body:
    term = record.get("term")
    if not term:
        raise Unfit("edfi.required", "A student's academic record needs a term, and this value has none.")
    return {
        "educationOrganizationReference": {"educationOrganizationId": _whole(record, "school_id")},
        "schoolYearTypeReference": {"schoolYear": _whole(record, "school_year")},
        "studentReference": places.student(record["student_id"]),
        "termDescriptor": descriptors.value("Term", target["gpa"]["terms"].get(term, term)),
    }


def _report_card(
    record: Mapping[str, Any], target: Mapping[str, Any], descriptors: Descriptors, places: Places
) -> Body:
    if record.get("as_of") is None:
        raise Unfit("edfi.required", "A report card needs a day, and this value has none.")
    school = _whole(record, "school_id")
    return {
        "educationOrganizationReference": {"educationOrganizationId": school},
        "gradingPeriodReference": places.period(school, record["as_of"]),
        "studentReference": places.student(record["student_id"]),
    }


def _whole(record: Mapping[str, Any], column: str) -> int:
    text = own_part(str(record.get(column) or ""), "org")
    if not text.isascii() or not text.isdigit():
        raise Unfit("edfi.required", f"Ed-Fi needs the {column} as a number, and this value has none.")
    return int(text)


def _number(value: Decimal | None) -> Decimal | None:
    """A value with the four decimals of Ed-Fi, rounded half up, without needless zeros."""
    if value is None:
        return None
    short = value.quantize(_PLACES, ROUND_HALF_UP).normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
