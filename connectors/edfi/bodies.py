"""Gradebook records as what they want of the items of an Ed-Fi host.

===============  =====================================  ===================================================
``write``        a line item becomes                    a result becomes
===============  =====================================  ===================================================
gradebook        ``gradebookEntries``                   ``studentGradebookEntries``
competencies                                            ``studentCompetencyObjectives``, one a competency
grades                                                  ``learningStandardGrades`` inside the grade of the SIS
assessments                                             ``studentAssessments`` with one objective a competency
===============  =====================================  ===================================================

Categories and score scales have no resource of their own: levels travel as descriptors. Scores have two decimals,
rounded half up. Section, grading period and student are those of the host; see :mod:`.places`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from connectors.edfi.bodies_transcripts import RESOURCE, transcript_wishes
from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.items import Items
from connectors.edfi.merging import Body, Found, Mark, Part, Piece, Wanted, same
from connectors.edfi.objectives import objective_wishes
from connectors.edfi.places import Places, waits
from connectors.edfi.shaping import Row, cut, day_of, parts_of, rounded, scored, step_of
from connectors.edfi.versions import Version
from gateway.sdk import Action, Change

_STANDARD_KEY = ("learningStandardReference", "learningStandardId")
_OBJECTIVE_KEY = ("objectiveAssessmentReference", "identificationCode")
_LEVEL_KEY = ("gradingPeriodReference", "objectiveCompetencyObjectiveReference", "studentReference")
_ENROLMENT = "studentSectionAssociationReference"
_GRADE_KEY = ("gradingPeriodReference", _ENROLMENT, "gradeTypeDescriptor")


class Bodies:
    """Says what a change wants. Several threads may use it."""

    def __init__(
        self, settings: Mapping[str, Any], standard: Version, items: Items, places: Places, descriptors: Descriptors
    ) -> None:
        self.writes: Sequence[str] = settings["write"]
        self._target = settings["target"]
        self._standard = standard
        self._items = items
        self.places = places
        self._descriptors = descriptors
        self._lock = threading.Lock()
        self._made: set[str] = set()

    def wishes(self, change: Change) -> list[Iterator[Wanted]]:
        """What a change wants, of each item of the host, kind by kind. Each raises :class:`Unfit` as it is read, and
        does not stop the next."""
        gone = change.action is Action.INACTIVATE
        if change.entity == "competencies":
            return [objective_wishes(change, self._target, self._descriptors, self.places)]
        if change.entity == "line_items":
            return [self._line_item(change.record, gone)] if "gradebook" in self.writes else []
        if change.entity == "course_attempts":
            return [transcript_wishes(change, self._target, self._descriptors, self.places, self._standard)]
        if change.entity != "results":
            return []
        return [_RESULTS[kind](self, change.record, gone) for kind in self.writes]

    def primary(self, entity: str) -> str:
        """The resource under whose id the gateway remembers a record; empty if there is none."""
        if entity == "competencies":
            return "competencyObjectives"
        if entity == "course_attempts":
            return RESOURCE
        if "gradebook" in self.writes:
            return {"line_items": "gradebookEntries", "results": "studentGradebookEntries"}.get(entity, "")
        return ""

    def entry_identity(self, line_item_id: str) -> Body:
        return {"gradebookEntryIdentifier": line_item_id, "namespace": self._target["namespace"]}

    def _line_item(self, record: Row, gone: bool) -> Iterator[Wanted]:
        yield Wanted(self._entry(record), gone)

    def _entry(self, record: Row) -> Piece:
        identity = self.entry_identity(record["id"])
        days = [day_of(record.get(name)) for name in ("assign_date", "due_date")]
        assigned, due = days[0] or days[1], days[1] or days[0]
        if assigned is None or due is None:
            raise Unfit("edfi.required", "Ed-Fi requires the day of a gradebook entry, and this one has none.")
        section = self.places.section(record["class_id"])
        kind = self._target["entry_type"]
        members = {
            "title": record["title"][:100],
            "description": cut(record.get("description"), 1024),
            "dateAssigned": assigned.isoformat(),
            "dueDate": due.isoformat(),
            "maxPoints": rounded(record.get("result_value_max")),
            "sourceSectionIdentifier": section["sectionIdentifier"],
            "sectionReference": section,
            "gradingPeriodReference": self._period_or_none(section["schoolId"], due),
            "gradebookEntryTypeDescriptor": self._descriptors.value("GradebookEntryType", kind) if kind else None,
        }
        parts = (Part("learningStandards", _STANDARD_KEY, tuple(self._entry_standards(record)), whole=True),)
        return Piece("gradebookEntries", identity, members, parts, own=True)

    def _entry_standards(self, record: Row) -> Iterator[Body]:
        if "grades" in self.writes or self._target["standards"]:
            for row in parts_of(record, "line_item_learning_objectives"):
                found = self.places.standard(row["learning_objective_id"])
                if found:
                    yield {"learningStandardReference": found}

    def _period_or_none(self, school: int, day: date) -> Body | None:
        try:
            return self.places.period(school, day)
        except Unfit:
            return None

    def _gradebook(self, record: Row, gone: bool) -> Iterator[Wanted]:
        identity = {
            "gradebookEntryReference": self.entry_identity(record["line_item_id"]),
            "studentReference": self.places.student(record["student_id"]),
        }
        text, day = record.get("text_score"), record.get("score_date")
        members = {
            "numericGradeEarned": rounded(record.get("score")),
            "letterGradeEarned": cut(text, 20),
            "competencyLevelDescriptor": self._level("CompetencyLevel", text) if self._knows(text) else None,
            "dateFulfilled": None if day is None else day.isoformat(),
        }
        if record.get("comment"):
            members["diagnosticStatement"] = cut(record["comment"], 1024)
        yield Wanted(Piece("studentGradebookEntries", identity, members, own=True), gone)

    def _competencies(self, record: Row, gone: bool) -> Iterator[Wanted]:
        """One a competency; and those of this grading period that bear our tag and are wanted no longer. What cannot be
        told of one competency does not hold back the others; but then nothing goes."""
        student = self.places.student(record["student_id"])
        period = self._period_of(record)
        mark = self._mark(record)
        wanted: list[Piece] = []
        unfit: list[Unfit] = []
        for row in () if gone else scored(record):
            try:
                wanted.append(self._told(row, period, student, mark))
            except Unfit as problem:
                unfit.append(problem)
        there = self._items.select("studentCompetencyObjectives", student)
        for found in there if not unfit else ():
            identity = {name: found.body[name] for name in _LEVEL_KEY}
            mine = mark.tag in (mark.tags(found.body) or ()) and same(identity["gradingPeriodReference"], period)
            if mine and not any(found.has(piece.identity) for piece in wanted):
                piece = Piece("studentCompetencyObjectives", identity, {"competencyLevelDescriptor": None}, mark=mark)
                yield Wanted(piece, gone=True, read=True, found=found)
        for piece in wanted:
            yield Wanted(piece, read=True, found=next((each for each in there if each.has(piece.identity)), None))
        if unfit:
            raise unfit[0]

    def _told(self, row: Row, period: Body, student: Body, mark: Mark) -> Piece:
        """The level of one competency. Raises :class:`Unfit`."""
        identity = {
            "gradingPeriodReference": period,
            "objectiveCompetencyObjectiveReference": self.places.objective(row["learning_objective_id"]),
            "studentReference": student,
        }
        level = self._level("CompetencyLevel", row.get("text_score"), row.get("score"))
        return Piece("studentCompetencyObjectives", identity, {"competencyLevelDescriptor": level}, mark=mark)

    def _grades(self, record: Row, gone: bool) -> Iterator[Wanted]:
        """Scores by standard inside the grade that the student information system keeps."""
        section = self.places.section(record["class_id"])
        carrier = self._carrier(record, section)
        if carrier is None:
            if gone:
                return
            raise waits("edfi.no-grade", "The host has no grade of the student and section yet that could carry these.")
        items = tuple(self._standard_grades(record))
        if not items and not gone and scored(record):
            raise waits("edfi.no-standard", "The host has no learning standard for the competencies of this record.")
        part = Part("learningStandardGrades", _STANDARD_KEY, items, self._mark(record))
        identity = {name: carrier.body[name] for name in _GRADE_KEY}
        yield Wanted(Piece("grades", identity, parts=(part,), creates=False), gone, read=True, found=carrier)

    def _standard_grades(self, record: Row) -> Iterator[Body]:
        for row in scored(record):
            standard = self.places.standard(row["learning_objective_id"])
            if standard:
                text = row.get("text_score")
                yield {
                    "learningStandardReference": standard,
                    "letterGradeEarned": cut(text, 20),
                    "numericGradeEarned": rounded(row.get("score")),
                    "performanceBaseConversionDescriptor": self._level("PerformanceBaseConversion", text)
                    if self._knows(text)
                    else None,
                }

    def _carrier(self, record: Row, section: Body) -> Found | None:
        """The grade of this student, section, grading period and kind; of the latest enrolment."""
        period = self._period_of(record)
        asked = {
            "studentUniqueId": self.places.student(record["student_id"])["studentUniqueId"],
            "sectionIdentifier": section["sectionIdentifier"],
            "gradeTypeDescriptor": self._descriptors.value("GradeType", self._target["grade_type"]),
        }
        fitting = [
            found
            for found in self._items.select("grades", asked)
            if same(found.body.get("gradingPeriodReference"), period)
            and section.items() <= found.body[_ENROLMENT].items()
        ]
        return max(fitting, key=lambda found: str(found.body[_ENROLMENT].get("beginDate")), default=None)

    def _assessments(self, record: Row, gone: bool) -> Iterator[Wanted]:
        own = {"assessmentIdentifier": self._target["assessment"]["identifier"],
               "namespace": self._target["namespace"]}  # fmt: skip
        identity = {
            "assessmentReference": own,
            "studentReference": self.places.student(record["student_id"]),
            "studentAssessmentIdentifier": record["id"],
        }
        objectives = [] if gone else [self._assessed(own, row) for row in scored(record)]
        day = record.get("score_date")
        members: Body = {"administrationDate": None if day is None else f"{day.isoformat()}T00:00:00Z"}
        if self._standard >= (6, 0):  # required from there on
            members["schoolYearTypeReference"] = {"schoolYear": self.places.section(record["class_id"])["schoolYear"]}
        part = Part("studentObjectiveAssessments", _OBJECTIVE_KEY, tuple(objectives), whole=True)
        yield Wanted(Piece("studentAssessments", identity, members, (part,), own=True), gone)

    def _assessed(self, own: Body, row: Row) -> Body:
        """The score of one objective of our assessment, which is made where it is missing."""
        settings = self._target["assessment"]
        objective = {**own, "identificationCode": row["learning_objective_id"][:60]}
        kind = settings["subject"]
        subjects = [{"academicSubjectDescriptor": self._descriptors.value("AcademicSubject", kind)}] if kind else []
        members = {"assessmentTitle": settings["title"], **({"academicSubjects": subjects} if subjects else {})}
        self._make("assessments", own, members)
        whole = {"assessmentReference": own, "identificationCode": objective["identificationCode"]}
        self._make("objectiveAssessments", whole, {})
        method = self._descriptors.value("AssessmentReportingMethod", settings["reporting_method"])
        level = self._level("PerformanceLevel", row.get("text_score"), row.get("score"))
        score = rounded(row.get("score"))
        datatype = "Level" if score is None else "Decimal"
        return {
            "objectiveAssessmentReference": objective,
            "performanceLevels": [
                {"assessmentReportingMethodDescriptor": method, "performanceLevelDescriptor": level}
            ],
            "scoreResults": [{
                "assessmentReportingMethodDescriptor": method,
                "resultDatatypeTypeDescriptor": self._descriptors.value("ResultDatatypeType", datatype),
                "result": str(row.get("text_score") if score is None else score)[:35],
            }],
        }  # fmt: skip

    def _make(self, resource: str, identity: Body, members: Body) -> None:
        """Create an item of our own, once, unless it is there."""
        key = f"{resource}/{identity.get('identificationCode', '')}"
        with self._lock:
            if key not in self._made:
                if self._items.find(resource, identity) is None:
                    self._items.post(resource, {**identity, **members})
                self._made.add(key)

    def _period_of(self, record: Row) -> Body:
        """The grading period in which the student was last scored, at the school of the class."""
        section = self.places.section(record["class_id"])
        day = record.get("score_date")
        if day is None:
            raise Unfit("edfi.required", "A competency level needs the day of its evidence, and this record has none.")
        return self.places.period(section["schoolId"], day)

    def _mark(self, record: Row) -> Mark:
        return Mark(self._target["mark"], blake2b(record["id"].encode(), digest_size=4).hexdigest())

    def _knows(self, label: str | None) -> bool:
        return label in self._target["levels"]

    def _level(self, kind: str, label: str | None, score: Decimal | None = None) -> str:
        """The descriptor of a level: by its label, or by the highest number of the settings that it reaches.

        Raises :class:`Unfit` (``edfi.descriptor``)."""
        levels = self._target["levels"]
        value = levels.get(label) or step_of(levels, score) or label
        if not value:
            raise Unfit("edfi.descriptor", f"The setting levels names no {kind} for a level of this record.")
        return self._descriptors.value(kind, value)


_RESULTS: Mapping[str, Callable[[Bodies, Row, bool], Iterator[Wanted]]] = {
    "gradebook": Bodies._gradebook,
    "competencies": Bodies._competencies,
    "grades": Bodies._grades,
    "assessments": Bodies._assessments,
}
