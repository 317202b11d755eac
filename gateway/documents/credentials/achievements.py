"""What a student achieved, as Open Badges 3.0 says it: competencies, courses and GPA equivalents.

Every id is made from what the thing is (district, code, policy version), so that two credentials about one competency
speak of the same achievement. Values are texts, written once with the places of their rules; the text is what is
signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from gateway.core.mapping.scales import read_number

TEXT = 4_000
"""Longest text taken over from a framework or policy."""


def made_id(*parts: str) -> str:
    """A ``urn:uuid:`` that is always the same for the same parts."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, '|'.join(parts))}"


@dataclass(frozen=True, slots=True)
class Level:
    """A step of a scale. ``uri`` is the address or ``urn:uuid:`` of the CASE rubric level, if it is one."""

    value: str
    name: str
    description: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Competency:
    """A mastered competency. ``uri`` addresses the CASE item; ``reached`` is the step of ``levels`` that was reached,
    ``score`` the calculated level on the scale ``lowest`` to ``highest``, all as text."""

    uri: str
    code: str
    statement: str
    framework: str
    score: str
    lowest: str
    highest: str
    levels: tuple[Level, ...]
    reached: Level | None
    required: Level | None
    rules: str
    mastered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """A course that was passed. ``grades`` are those that the policy knows, from low to high."""

    code: str
    title: str
    when: str
    grade: str
    grades: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class GpaEquivalent:
    """A GPA under a policy; ``narrative`` says by which rules, and what it does not claim."""

    policy: str
    version: str
    digest: str
    title: str
    value: str
    lowest: str
    highest: str
    narrative: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An achievement, the result in it, and since when: what one credential is about."""

    achievement: dict[str, Any]
    results: tuple[dict[str, Any], ...]
    since: datetime | None


def competency_claim(district: str, competency: Competency) -> Claim:
    """A competency at mastery, aligned to its CASE item and rubric levels."""
    id = made_id(district, "competency", competency.uri)
    scaled = _description(id, "score", f"Level from {competency.lowest} to {competency.highest}", "ScaledScore")
    scaled |= {"valueMin": competency.lowest, "valueMax": competency.highest}
    descriptions, results = [scaled], [_result(scaled["id"], value=competency.score)]
    if competency.reached is not None:
        levels = {level.value: _level(id, level) for level in competency.levels}
        rubric = _description(id, "rubric", "Level of proficiency", "RubricCriterionLevel")
        rubric["rubricCriterionLevel"] = list(levels.values())
        if competency.required is not None:
            rubric["requiredLevel"] = levels[competency.required.value]["id"]
        descriptions.insert(0, rubric)
        results.insert(0, _result(rubric["id"], achievedLevel=levels[competency.reached.value]["id"]))
    alignment = {
        "type": ["Alignment"],
        "targetName": _short(competency.statement),
        "targetUrl": competency.uri,
        "targetType": "CFItem",
        "targetFramework": competency.framework,
    } | ({"targetCode": competency.code} if competency.code else {})
    achievement = _achievement(
        id, "Competency", _short(competency.statement), competency.statement,
        f"Mastered by the rules of {competency.rules}.",
    )  # fmt: skip
    achievement |= {"alignment": [alignment], "resultDescription": descriptions}
    if competency.code:
        achievement["humanCode"] = competency.code
    return Claim(achievement, tuple(results), competency.mastered_at)


def course_claim(district: str, course: Course) -> Claim:
    """A course with the grade that was given in it: a letter of a scale, a number, or a mark."""
    id = made_id(district, "course", course.code, course.when)
    kind = "LetterGrade" if course.grades else "RawScore" if read_number(course.grade) is not None else "Result"
    grade = _description(id, "grade", "Final grade", kind)
    if course.grades:
        grade["allowedValue"] = list(course.grades)
    what = f"{course.title} ({course.when})" if course.when else course.title
    achievement = _achievement(id, "Course", what, course.description, "Passed with the grade that is given.")
    achievement |= {"humanCode": course.code, "resultDescription": [grade]}
    return Claim(achievement, (_result(grade["id"], value=course.grade),), None)


def gpa_claim(district: str, gpa: GpaEquivalent) -> Claim:
    """A GPA equivalent; the criteria name policy, version and digest."""
    id = made_id(district, "policy", gpa.policy, gpa.version, gpa.digest)
    described = _description(id, "gpa", gpa.title, "GradePointAverage")
    described |= {"valueMin": gpa.lowest, "valueMax": gpa.highest}
    achievement = _achievement(id, "Achievement", gpa.title, f"{gpa.title}, from {gpa.lowest} to {gpa.highest}.",
                               gpa.narrative)  # fmt: skip
    achievement |= {"version": gpa.version, "resultDescription": [described]}
    return Claim(achievement, (_result(described["id"], value=gpa.value),), None)


def _achievement(id: str, kind: str, name: str, description: str, criteria: str) -> dict[str, Any]:
    return {
        "id": id,
        "type": ["Achievement"],
        "achievementType": kind,
        "name": _short(name),
        "description": description[:TEXT],
        "criteria": {"narrative": criteria[:TEXT]},
    }


def _description(achievement: str, part: str, name: str, kind: str) -> dict[str, Any]:
    return {"id": made_id(achievement, part), "type": ["ResultDescription"], "name": name, "resultType": kind}


def _level(achievement: str, level: Level) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": made_id(achievement, "level", level.value),
        "type": ["RubricCriterionLevel"],
        "name": level.name,
        "level": level.value,
        "points": level.value,
    }
    if level.description:
        found["description"] = level.description[:TEXT]
    if level.uri:
        found["alignment"] = [{
            "type": ["Alignment"], "targetName": level.name, "targetUrl": level.uri,
            "targetType": "CFRubricCriterionLevel",
        }]  # fmt: skip
    return found


def _result(description: str, **said: str) -> dict[str, Any]:
    return {"type": ["Result"], "resultDescription": description, **said}


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"


def associations(parent: str, children: Sequence[str]) -> list[dict[str, str]]:
    """``children`` as parts of ``parent``, by the ids of achievements."""
    return [
        {"type": "Association", "associationType": "isParentOf", "sourceId": parent, "targetId": child}
        for child in dict.fromkeys(children)
    ]
