"""Descriptors as OneRoster's words: a table for the standard's values, and the connection's own beside it.

A value that neither knows is delivered as it is, so that nothing is lost, and the page says which value it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from connectors.edfi.keys import code

_GRADES = (
    "Kindergarten", "First grade", "Second grade", "Third grade", "Fourth grade", "Fifth grade", "Sixth grade",
    "Seventh grade", "Eighth grade", "Ninth grade", "Tenth grade", "Eleventh grade", "Twelfth grade",
)  # fmt: skip
_NO_LEVELS = (
    "Accepted as high school equivalent", "Career and Technical Education", "Core Subject", "Correspondence",
    "Distance Learning", "English Language Learner", "Gifted and Talented", "Graduation Credit", "Magnet", "Other",
    "Students with disabilities", "Untracked",
)  # fmt: skip
"""Characteristics of a course that say nothing of how demanding it is."""

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "gradeLevel": {
            "Infant/toddler": "IT", "Preschool/Prekindergarten": "PK", "Early Education": "PR",
            **{name: "KG" if number == 0 else f"{number:02d}" for number, name in enumerate(_GRADES)},
            "Grade 13": "13", "Postsecondary": "PS", "Ungraded": "UG", "Other": "Other",
        },
        "term": {
            "Fall Semester": "semester", "Spring Semester": "semester", "Summer Semester": "term",
            "First Quarter": "term", "Second Quarter": "term", "Third Quarter": "term", "Fourth Quarter": "term",
            "First Trimester": "term", "Second Trimester": "term", "Third Trimester": "term", "Quarter": "term",
            "Trimester": "term", "Semester": "semester", "MiniTerm": "term", "Year Round": "term", "Other": "term",
        },
        "classroomPosition": {
            "Teacher of Record": "teacher", "Assistant Teacher": "teacher", "Substitute Teacher": "teacher",
            "Support Teacher": "teacher",
        },
        "staffClassification": {
            "Teacher": "teacher", "Substitute Teacher": "teacher", "Principal": "principal",
            "Assistant Principal": "administrator", "School Administrator": "administrator",
            "LEA Administrator": "districtAdministrator", "LEA System Administrator": "systemAdministrator",
            "Superintendent": "districtAdministrator", "Assistant Superintendent": "districtAdministrator",
            "Counselor": "counselor", "School Counselor": "counselor", "Instructional Aide": "aide",
            "Instructional Coordinator": "administrator", "School Leader": "administrator",
        },
        "race": {
            "American Indian - Alaska Native": "americanIndianOrAlaskaNative", "Asian": "asian",
            "Black - African American": "blackOrAfricanAmerican", "White": "white",
            "Native Hawaiian - Pacific Islander": "nativeHawaiianOrOtherPacificIslander",
            "Other": "other", "Choose Not to Respond": "unspecified",
        },
        "relation": {
            **dict.fromkeys(("Father", "Mother", "Parent", "Father, step", "Mother, step", "Father, foster",
                             "Mother, foster", "Foster parent", "Adoptive parents"), "parent"),
            **dict.fromkeys(("Guardian", "Legal guardian", "Court appointed guardian"), "guardian"),
            **dict.fromkeys(("Aunt", "Brother", "Cousin", "Grandfather", "Grandmother", "Grandparent", "Sister",
                             "Uncle", "Other"), "relative"),
        },
        "sex": {"Female": "female", "Male": "male", "Not Selected": "unspecified"},
        "submissionStatus": {
            "Exempt": "exempt", "Graded": "fully graded", "Not Submitted": "not submitted",
            "Submitted": "submitted", "Returned": "fully graded",
        },
        "assignmentLateStatus": {"Late": "true", "Not Late": "false"},
        "courseAttemptResult": {"Pass": "pass", "Fail": "fail", "Incomplete": "incomplete", "Withdrawn": "withdrawn"},
        "courseLevelCharacteristic": {
            "Advanced Placement": "ap", "International Baccalaureate": "ib", "College-level": "college",
            "Dual Credit": "college", "Honors": "honors", "Advanced": "honors", "General": "regular",
            "Basic": "basic", "Remedial": "basic", **dict.fromkeys(_NO_LEVELS, ""),
        },
        "learningStandardEquivalenceStrength": {
            "Equivalent": "exactMatchOf", "Mostly equivalent": "isRelatedTo", "Partially equivalent": "isRelatedTo",
            "Minimally equivalent": "isRelatedTo",
        },
    }
)  # fmt: skip
"""By kind of descriptor, the code and OneRoster's (or CASE's) word."""

GRADE_LEVELS: Mapping[str, str] = MappingProxyType({word: grade for grade, word in WORDS["gradeLevel"].items()})
"""The code of each grade level by OneRoster's word."""


class Dictionary:
    """The words of a connection, and which values it lacked on the page at hand."""

    def __init__(self, own: Mapping[str, Mapping[str, str]]) -> None:
        self._words = {kind: {**WORDS.get(kind, {}), **own.get(kind, {})} for kind in {*WORDS, *own}}
        self._lacking: dict[str, set[str]] = {}

    def word(self, frame: pl.DataFrame, kind: str, element: str) -> pl.Expr:
        """The word for each descriptor in a column of ``frame``; its code where there is none."""
        words = self._words.get(kind)
        if words is None:  # any word will do
            return code(element)
        codes = frame.select(code(element).unique().drop_nulls()).to_series()
        lacking = set(codes) - words.keys()
        if lacking:
            self._lacking.setdefault(kind, set()).update(lacking)
        return code(element).replace(words)

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each kind with values that have no word, and forget them."""
        found = tuple(
            f"No word is known for these values of {kind}: {_listed(sorted(lacking))}. They are delivered as they are; "
            f"name them under words.{kind} in the settings."
            for kind, lacking in sorted(self._lacking.items())
        )
        self._lacking.clear()
        return found


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(f'"{value[:40]}"' for value in values[:5])
    return f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown
