"""What records refer to, as the host knows it: students, sections, grading periods, objectives and standards.

The ids of the records are those of the system that was pulled from. A student's id is the ``studentUniqueId`` and a
class's id the ``sectionIdentifier``, unless a file of the settings says otherwise; the ids that this connector makes
when it pulls (``student:604822``) are understood as well. The other lists are read from the host, once, when they are
first needed. What cannot be found keeps its record back until it is there.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from connectors.edfi.descriptors import Unfit, descriptor
from connectors.edfi.items import Items
from connectors.edfi.keys import section_parts, written_id
from connectors.edfi.merging import Item, stripped
from connectors.edfi.versions import GRADING_PERIOD_KEY, Version, key_of
from gateway.sdk import ConfigurationError, OutcomeState, package_identifier

SECTION_KEY = ("localCourseCode", "schoolId", "schoolYear", "sectionIdentifier", "sessionName")
OBJECTIVE_KEY = ("educationOrganizationId", "objective", "objectiveGradeLevelDescriptor")
_NUMBERS = frozenset({"schoolId", "schoolYear", "educationOrganizationId", "periodSequence"})
Rows: TypeAlias = "list[dict[str, str]]"
Value = TypeVar("Value")


def waits(code: str, reason: str) -> Unfit:
    """A record that is kept back until something else is there."""
    return Unfit(code, reason, OutcomeState.FAILED)


@dataclass(frozen=True, slots=True)
class Period:
    """A grading period: its key, and its days."""

    key: Mapping[str, Any]
    begins: date
    ends: date


class Places:
    """Finds what records refer to. Several threads may use it."""

    def __init__(self, items: Items, settings: Mapping[str, Any], folder: Path, standard: Version) -> None:
        self._items = items
        self._settings = settings
        self._folder = folder
        self._standard = standard
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}

    def student(self, student_id: str) -> dict[str, Any]:
        """The reference to a student. Raises :class:`Unfit` (``edfi.no-student``)."""
        known = self._once("students", lambda: self._file("students", "student_id"))
        if known is None:
            return {"studentUniqueId": own_part(student_id, "student")}
        row = known.get(student_id)
        if row is None:
            raise waits("edfi.no-student", "The file of students does not name the student of this record.")
        return {"studentUniqueId": row["studentUniqueId"]}

    def section(self, class_id: str) -> dict[str, Any]:
        """The reference to a section. Raises :class:`Unfit` (``edfi.no-section``)."""
        sections = self._once("sections", self._sections)
        found = sections.get(class_id)
        if found is None:
            raise waits("edfi.no-section", "The host has no section whose identifier is the id of this record's class.")
        if len(found) > 1:
            raise Unfit(
                "edfi.no-section",
                "The host has several sections with the id of this record's class: name them in the file of classes.",
            )
        return dict(found[0])

    def period(self, school: int, day: date) -> dict[str, Any]:
        """The reference to the grading period of a school in which a day lies, or to the last one before it.

        Raises :class:`Unfit` (``edfi.no-grading-period``)."""
        begun = [each for each in self._once("periods", self._periods).get(school, ()) if each.begins <= day]
        if not begun:
            raise waits("edfi.no-grading-period", "The host has no grading period for the day and school of a record.")
        open_ones = [each for each in begun if day <= each.ends] or [max(begun, key=lambda each: each.ends)]
        return dict(min(open_ones, key=lambda each: (each.ends - each.begins, each.begins)).key)

    def objective(self, competency_id: str) -> dict[str, Any]:
        """The reference to a competency objective. Raises :class:`Unfit` (``edfi.no-objective``)."""
        found = self._once("objectives", self._objectives).get(competency_id)
        if found is None:
            raise waits(
                "edfi.no-objective",
                "The host has no competency objective with the identifier of a competency of this record.",
            )
        return dict(found)

    def known_objective(self, competency_id: str) -> Mapping[str, Any] | None:
        """The key of the objective for this competency, ``None`` if there is none yet."""
        found: Mapping[str, Any] | None = self._once("objectives", self._objectives).get(competency_id)
        return found

    def claim_objective(self, competency_id: str, key: dict[str, Any]) -> bool:
        """Note that the objective with this key is made for this competency; false if the key is another's."""
        with self._lock:
            known = self._once("objectives", self._objectives)
            taken = self._once(
                "titles", lambda: {tuple(each[name] for name in OBJECTIVE_KEY) for each in known.values()}
            )
            whole = tuple(key[name] for name in OBJECTIVE_KEY)
            if whole in taken:
                return False
            taken.add(whole)
            known[competency_id] = key
            return True

    def standard(self, competency_id: str) -> dict[str, Any] | None:
        """The reference to a learning standard; ``None`` if the host has none for this competency."""
        found = self._once("standards", self._standards).get(competency_id)
        return None if found is None else {"learningStandardId": found}

    def course(self, course_id: str | None, code: str) -> dict[str, Any]:
        """The reference to a course: by the id with which it was pulled, else by its code.

        Raises :class:`Unfit` (``edfi.no-course``)."""
        courses = self._once("courses", self._courses)
        found = courses.get(course_id or "") or courses.get(code)
        if found is None:
            raise waits("edfi.no-course", "The host has no course with the code of this record.")
        if len(found) > 1:
            raise Unfit(
                "edfi.no-course", "Several organizations of the host have a course with the code of this record."
            )
        return dict(found[0])

    @property
    def data_standard(self) -> Version:
        """The version of the Data Standard."""
        return self._standard

    def _courses(self) -> dict[str, list[dict[str, Any]]]:
        """The keys of the courses by their code, and by the id with which they are pulled."""
        found: dict[str, list[dict[str, Any]]] = {}
        for item in self._items.listed("courses"):
            owner = _reference(item, "educationOrganizationReference")
            key = {"courseCode": item.get("courseCode"), **owner}
            pulled = written_id("course", (str(owner.get("educationOrganizationId")), str(key["courseCode"])))
            for own in (str(key["courseCode"]), pulled):
                found.setdefault(own, []).append(key)
        return found

    def _once(self, name: str, make: Callable[[], Value]) -> Value:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            made: Value = self._made[name]
            return made

    def _sections(self) -> dict[str, list[dict[str, Any]]]:
        """The keys of the sections by the id of their class."""
        found: dict[str, list[dict[str, Any]]] = {}
        for class_id, row in (self._file("classes", "class_id") or {}).items():
            found[class_id] = [_typed(row, SECTION_KEY)]
        if self._settings["classes"]:
            return found
        for item in self._items.listed("sections"):
            key = {**_reference(item, "courseOfferingReference"), "sectionIdentifier": item.get("sectionIdentifier")}
            pulled = written_id("class", (str(key.get(name)) for name in section_parts("")))
            for class_id in (str(key["sectionIdentifier"]), pulled):
                found.setdefault(class_id, []).append({name: key.get(name) for name in SECTION_KEY})
        return found

    def _periods(self) -> dict[int, list[Period]]:
        found: dict[int, list[Period]] = {}
        names = key_of(GRADING_PERIOD_KEY, self._standard)
        kind = self._settings["grading_period"]
        wanted = descriptor("GradingPeriod", kind) if kind else ""
        for item in self._items.listed("gradingPeriods"):
            flat = {**item, **_reference(item, "schoolReference"), **_reference(item, "schoolYearTypeReference")}
            if wanted in ("", flat.get("gradingPeriodDescriptor")):
                begins, ends = (date.fromisoformat(str(flat[name])[:10]) for name in ("beginDate", "endDate"))
                period = Period({name: flat.get(name) for name in names}, begins, ends)
                found.setdefault(int(flat["schoolId"]), []).append(period)
        return found

    def _objectives(self) -> dict[str, dict[str, Any]]:
        """The keys of the objectives by the identifier of the competency."""
        named = self._file("objectives", "competency_id") or {}
        found: dict[str, dict[str, Any]] = {id_: _typed(row, OBJECTIVE_KEY) for id_, row in named.items()}
        for key in found.values():
            key["objectiveGradeLevelDescriptor"] = descriptor("GradeLevel", key["objectiveGradeLevelDescriptor"])
        for item in self._items.listed("competencyObjectives"):
            whole = {**item, **_reference(item, "educationOrganizationReference")}
            key = {name: whole.get(name) for name in OBJECTIVE_KEY}
            level = str(key["objectiveGradeLevelDescriptor"]).rpartition("#")[2]
            pulled = written_id("objective", (str(key["educationOrganizationId"]), level, str(key["objective"])))
            for own in (item.get("competencyObjectiveId"), pulled, package_identifier(pulled)):
                if own:
                    found.setdefault(str(own), key)
        return found

    def _standards(self) -> dict[str, str]:
        """The ids of the learning standards by the identifier of the competency."""
        named = self._file("standards", "competency_id") or {}
        found = {id_: row["learningStandardId"] for id_, row in named.items()}
        for item in self._items.listed("learningStandards"):
            own = str(item["learningStandardId"])
            codes = [each.get("identificationCode") for each in item.get("identificationCodes") or ()]
            for id_ in (own, *codes, str(item.get("uri") or "").rpartition("/")[2], package_identifier(own)):
                if id_:
                    found.setdefault(str(id_), own)
        return found

    def _file(self, setting: str, key: str) -> dict[str, dict[str, str]] | None:
        """The rows of a file of the settings by their first column; ``None`` if there is no such file."""
        name = self._settings[setting]
        if not name:
            return None
        return {row[key]: row for row in _read(self._folder / name, setting, (key, *_COLUMNS[setting]))}


def own_part(id_: str, kind: str) -> str:
    """The last part of an id that this connector made when it pulled; any other id as it is."""
    head, _, rest = id_.partition(":")
    return rest.replace("%3A", ":").replace("%25", "%") if head == kind and rest else id_


_COLUMNS: Mapping[str, Sequence[str]] = {
    "students": ("studentUniqueId",),
    "classes": SECTION_KEY,
    "objectives": OBJECTIVE_KEY,
    "standards": ("learningStandardId",),
}


_ALIASES: Mapping[str, str] = {"student_id": "sourcedId", "studentUniqueId": "identifier"}
"""The columns of OneRoster's ``users.csv``, which says the same."""


def _read(path: Path, setting: str, columns: Sequence[str]) -> Rows:
    """The rows of a CSV file that have all the columns. Raises :class:`ConfigurationError` (``edfi.file``)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            header = reader.fieldnames or ()
            named = {name: name if name in header else _ALIASES.get(name, name) for name in columns}
            lacking = [name for name in columns if named[name] not in header]
            found = [] if lacking else [{name: (row[named[name]] or "").strip() for name in columns} for row in reader]
            rows = [row for row in found if all(row.values())]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise ConfigurationError(
            f"The file {path.name} that the setting {setting} names cannot be read.",
            hint="Write the path from the folder of the district's file; the file is CSV in UTF-8.",
            code="edfi.file",
        ) from None
    if lacking:
        raise ConfigurationError(
            f"The file {path.name} lacks the column {lacking[0]}.",
            hint=f"It needs the columns {', '.join(columns)}.",
            code="edfi.file",
        )
    return rows


def _typed(row: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    try:
        return {name: int(row[name]) if name in _NUMBERS else row[name] for name in names}
    except ValueError:
        raise ConfigurationError(
            "A file of the settings has a word where a number belongs.",
            hint=f"Write {', '.join(sorted(_NUMBERS & set(names)))} as numbers.",
            code="edfi.file",
        ) from None


def _reference(item: Item, name: str) -> dict[str, Any]:
    return stripped(item.get(name) or {})
