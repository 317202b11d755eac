"""The streams: the tables that each fills, the resources that it reads page by page, and what makes rows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.edfi import tables, tables_people
from connectors.edfi.elements import Flat
from connectors.edfi.levels import LevelMaker
from connectors.edfi.making import Frames, Maker
from connectors.edfi.making_transcripts import TranscriptMaker
from connectors.edfi.people import PeopleMaker
from connectors.edfi.tables_levels import LEVELS, OBJECTIVE_KEYS
from gateway.sdk import FRAMEWORK_TABLES, TABLES

GRADEBOOK = (
    "categories", "score_scales", "score_scale_values", "line_items", "line_item_learning_objectives",
    "line_item_score_scales", "results", "result_learning_objectives", "result_score_scales",
)  # fmt: skip
STREAMS: Mapping[str, tuple[str, ...]] = {
    "orgs": ("orgs",),
    "sessions": ("academic_sessions",),
    "courses": ("courses",),
    "classes": ("classes",),
    "users": ("users", "roles"),
    "demographics": ("demographics",),
    "enrollments": ("enrollments",),
    "gradebook": GRADEBOOK,
    "transcripts": ("gpas", "course_attempts"),
    "frameworks": FRAMEWORK_TABLES,
}
"""The tables that each stream fills, parents first."""

STEPS: Mapping[str, tuple[str, ...]] = {
    "orgs": ("localEducationAgencies", "schools"),
    "courses": ("courses",),
    "classes": ("sections", "sessions"),
    "users": ("students", "staffs", "contacts", "parents"),
    "demographics": ("students",),
    "enrollments": ("studentSectionAssociations", "staffSectionAssociations"),
    "gradebook": (
        "gradebookEntries",
        "studentGradebookEntries",
        "grades",
        "studentAssessments",
        "studentCompetencyObjectives",
        "studentLearningObjectives",
    ),
    "transcripts": ("studentAcademicRecords", "reportCards", "courseTranscripts"),
}
"""The resources that a stream reads page by page, in their order."""

UNASKED = ("frameworks", "demographics", "transcripts")
"""The streams that are pulled only where the settings name them."""

CLASSLESS = frozenset({"studentAssessments", *OBJECTIVE_KEYS})
"""The resources that know no class, for which each school has one a year."""

DELTA_STREAMS = ("enrollments", "gradebook")
"""What a pull of changes may leave unread. The other lists are small, and rows in them are made of several records."""


def makers(
    maker: Maker, people: PeopleMaker, transcripts: TranscriptMaker, stream: str
) -> Mapping[str, Callable[[Flat, str], Frames]]:
    """What makes the rows of a page, by resource."""
    return {
        "localEducationAgencies": maker.plain(tables.ORGS[0]),
        "schools": maker.plain(tables.ORGS[1]),
        "courses": maker.plain(tables.COURSES),
        "sections": maker.sections,
        "sessions": maker.test_classes,
        "students": people.demographics if stream == "demographics" else people.students,
        "staffs": people.staffs,
        "contacts": people.contacts_of("contacts"),
        "parents": people.contacts_of("parents"),
        "studentSectionAssociations": maker.plain(tables_people.STUDENT_ENROLLMENTS),
        "staffSectionAssociations": maker.plain(tables_people.STAFF_ENROLLMENTS),
        "gradebookEntries": maker.entries,
        "studentGradebookEntries": maker.entry_results,
        "grades": maker.grades,
        "studentAssessments": maker.tests,
        **{resource: LevelMaker(maker).told(resource) for resource in OBJECTIVE_KEYS},
        "studentAcademicRecords": transcripts.records,
        "reportCards": transcripts.cards,
        "courseTranscripts": transcripts.attempts,
    }


def tables_of(stream: str, resource: str) -> list[str]:
    """The tables in which a record of the resource makes records of their own: absence must not count in any."""
    made = {rows.table for rows in (*tables.DECLARED, *LEVELS) if rows.resource == resource}
    made |= {"roles"} if stream == "users" else set()
    return [name for name in STREAMS[stream] if name in made and TABLES[name].part_of is None]
