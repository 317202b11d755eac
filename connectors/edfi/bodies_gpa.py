"""Grade point averages as items of an Ed-Fi host: one in a collection that others fill as well.

The key of ``gradePointAverages`` is the type alone: a cumulative and a term GPA of one type cannot stand in one record,
and a value of ours with the standard's ``Unweighted`` would take the place of the student information system's. So
values of ours need types of a namespace of their own; one of the standard is written only where there is none yet, or
where the ledger says that it is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.edfi.bodies_transcripts import academic_record, places_of, whole_number
from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.merging import Body, Part, Piece, Wanted
from connectors.edfi.places import Places
from connectors.edfi.versions import span
from gateway.sdk import Action, Change, ConfigurationError

_TYPE = "gradePointAverageTypeDescriptor"


def gpa_wishes(change: Change, target: Mapping[str, Any], descriptors: Descriptors, places: Places) -> Iterator[Wanted]:
    """What one row of ``gpas`` wants. Raises :class:`Unfit`, and :class:`ConfigurationError` (``edfi.no-flat-gpa``)."""
    record: Mapping[str, Any] = change.record
    item = _average(record, target, descriptors)
    own = target["namespace"].rstrip("/")
    mine = frozenset({item[_TYPE]}) if own and item[_TYPE].startswith(f"{own}/") else frozenset[str]()
    part = Part("gradePointAverages", (_TYPE,), (item,), own_keys=mine)
    on_card = target["gpa"]["place"] == "report_card"
    resource = "reportCards" if on_card else "studentAcademicRecords"
    identity = (_report_card if on_card else academic_record)(record, target, descriptors, places)
    gone = change.action is Action.INACTIVATE
    members = _flat(record, target, places, resource, gone=gone)
    yield Wanted(Piece(resource, identity, members, (part,), creates=target["gpa"]["creates"]), gone)


def _average(record: Mapping[str, Any], target: Mapping[str, Any], descriptors: Descriptors) -> Body:
    setting = "term_types" if record.get("cumulative") is False else "types"
    kind = target["gpa"][setting].get(record["type"])
    if kind is None:
        raise Unfit("edfi.gpa-type", f"The setting {setting} names no type of grade point average for a policy.")
    item = {
        _TYPE: descriptors.value("GradePointAverageType", kind),
        "gradePointAverageValue": _number(record["value"]),
        "maxGradePointAverageValue": _number(record.get("maximum")),
        "isCumulative": record.get("cumulative"),
    }
    return {name: value for name, value in item.items() if value is not None}


_FLAT: Mapping[tuple[str, bool], tuple[str, str]] = {
    ("studentAcademicRecords", True): ("cumulativeGradePointAverage", "cumulativeGradePointsEarned"),
    ("studentAcademicRecords", False): ("sessionGradePointAverage", "sessionGradePointsEarned"),
    ("reportCards", True): ("gpaCumulative", ""),
    ("reportCards", False): ("gpaGivenGradingPeriod", ""),
}
"""By resource, and whether it is cumulative: the member of a GPA up to Data Standard 4.0, and that of its points."""


def _flat(record: Mapping[str, Any], target: Mapping[str, Any], places: Places, resource: str, *, gone: bool) -> Body:
    """The single members beside the list, for the policy that the settings name. What the points mean stays."""
    gpa = target["gpa"]
    if not gpa["flat"] or record["type"] != gpa["flat"]:
        return {}
    value, points = _FLAT[resource, record.get("cumulative") is not False]
    if not span(f"{resource}.{value}").holds(places.data_standard):
        raise ConfigurationError(
            "This host has no single members for grade point averages: they are gone since Data Standard 5.0.",
            hint="Take target.gpa.flat out of the settings of this connection.",
            code="edfi.no-flat-gpa",
        )
    members = {value: _number(record["value"])}
    if points:
        members[points] = _number(record.get("points"))
    told = {name: number for name, number in members.items() if number is not None}
    if gpa["grade_value_qualifier"] and points and not gone:
        return {**told, "gradeValueQualifier": gpa["grade_value_qualifier"]}
    return told


def _report_card(
    record: Mapping[str, Any], target: Mapping[str, Any], descriptors: Descriptors, places: Places
) -> Body:
    if record.get("as_of") is None:
        raise Unfit("edfi.required", "A report card needs a day, and this value has none.")
    school = whole_number(record, "school_id")
    return {
        "educationOrganizationReference": {"educationOrganizationId": school},
        "gradingPeriodReference": places.period(school, record["as_of"]),
        "studentReference": places.student(record["student_id"]),
    }


def _number(value: Decimal | None) -> Decimal | None:
    """A value with the four decimals of Ed-Fi, rounded half up, without needless zeros."""
    return places_of(value, "0.0001")
