"""Compiles the parts of a policy that choose courses: NCAA selections and windows of semester grades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.gpa.policy import Progression, Requirement, Selection, Semesters
from gateway.core.gpa.words import folded
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import to_micros


def compile_selection(
    data: Mapping[str, Any] | None, words: Mapping[str, Mapping[str, str]], reader: Reader
) -> Selection | None:
    """The rules of a selection; faults are noted with ``reader``."""
    if data is None:
        return None
    requirements = tuple(
        Requirement(_subjects(each["subjects"], words), to_micros(each["units"]), each["extra"])
        for each in data["requirements"]
    )
    locked = data.get("locked_in")
    progression = None
    if locked is not None:
        progression = Progression(
            units=to_micros(locked["units"]),
            subjects=_subjects(locked["of_these"]["subjects"], words),
            subject_units=to_micros(locked["of_these"]["units"]),
            last_grade_level=locked["last_grade_level"],
            binds_selection=locked["binds"] == "selection",
        )
    units = data["units"]
    after = data.get("after_graduation")
    selection = Selection(
        units=to_micros(units["at_least"]),
        below=to_micros(units["below"]),
        requirements=requirements,
        progression=progression,
        after_units=to_micros(after["units"]) if after else None,
        after_years=after["years"] if after else None,
    )
    _check(selection, words, reader)
    return selection


def nested_minimums(selection: Selection) -> dict[frozenset[str], int]:
    """The least units over each set of subjects: what its own row asks, and what rows inside it ask beside."""
    least: dict[frozenset[str], int] = {}
    for position, requirement in enumerate(selection.requirements):
        inside = sum(each.units for each in selection.requirements[:position] if each.subjects <= requirement.subjects)
        least[requirement.subjects] = requirement.units + (inside if requirement.extra else 0)
    whole = selection.subjects
    least[whole] = max(least.get(whole, 0), selection.units)
    return least


def _check(selection: Selection, words: Mapping[str, Mapping[str, str]], reader: Reader) -> None:
    subjects = frozenset(words["subject"].values())
    for position, requirement in enumerate(selection.requirements):
        path = ("select", "requirements", position)
        for subject in sorted(requirement.subjects - subjects):
            reader.unknown(path, "subject", subject, subjects, "unknown-subject")
        for other in selection.requirements[:position]:
            common = requirement.subjects & other.subjects
            if common and common not in (requirement.subjects, other.subjects):
                reader.note(path, "The subjects of two requirements overlap without one holding the other.")
            if requirement.subjects < other.subjects:
                reader.note(path, "A requirement on fewer subjects must stand before the one that holds them.")
            if requirement.subjects == other.subjects and not requirement.extra:
                reader.note(path, "Two requirements have the same subjects.", "Join them, or say `extra: true`.", "two")
    least = nested_minimums(selection)
    if selection.below <= selection.units:
        reader.note(("select", "units"), "`below` must be more than `at_least`.")
    if max(least.values()) > selection.units:
        reader.note(("select", "requirements"), "The requirements ask for more units than the selection holds.")
    progression = selection.progression
    if progression is not None and progression.subject_units > progression.units:
        reader.note(("select", "locked_in"), "`of_these` asks for more units than there are.")


def compile_semesters(data: Mapping[str, Any] | None, words: Mapping[str, Mapping[str, str]]) -> Semesters | None:
    """The window of semester grades."""
    if data is None:
        return None
    return Semesters(
        credit=to_micros(data["credit"]),
        first_grade_level=min(data["grade_levels"]),
        last_grade_level=max(data["grade_levels"]),
        summer_terms=frozenset(folded(term) for term in data["summer_terms"]),
        summer_before=data["summer_before"],
        one_grade_levels=frozenset(words["level"].get(folded(w), w) for w in data.get("one_grade_levels", ())),
    )


def _subjects(said: tuple[str, ...], words: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    return frozenset(words["subject"].get(folded(word), word) for word in said)
