"""From levels, courses and GPAs to claims: what of a student's record becomes a credential, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.competency import Criterion, RubricLevel
from gateway.core.errors import DataError
from gateway.core.framework import Framework
from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import Scale, plain, read_number
from gateway.documents.credentials.achievements import (
    Claim,
    Competency,
    Course,
    GpaEquivalent,
    Level,
    associations,
    competency_claim,
    course_claim,
    gpa_claim,
)
from gateway.documents.pesc.record import Record


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims about one student, how achievements belong together, and how much that is known was left out."""

    claims: tuple[Claim, ...]
    links: tuple[dict[str, str], ...]
    left_out: int


def all_claims(
    district: str,
    student_id: str,
    *,
    mapping: CompiledMapping | None,
    levels: pl.DataFrame | None,
    results: Sequence[GpaResult],
    record: Record | None,
) -> Claims:
    """What can be claimed of a student: mastered competencies, passed courses, and GPAs under the named policies.

    ``levels`` are those of a mapping; with a ``course_code``, the course is shown as the parent of its competencies.
    Raises :class:`DataError` (``credentials.levels``, ``credentials.empty``).
    """
    mastered, not_yet = _competencies(district, student_id, mapping, levels)
    passed, not_passed = _courses(district, results, record)
    gpas = [gpa_claim(district, each) for each in _gpas(results, record)]
    claims = (*(claim for claim, _ in mastered), *(claim for claim, _ in passed), *gpas)
    if not claims:
        raise DataError(
            "Nothing of this student's record can be claimed: no competency is mastered and no course passed.",
            hint="Check the student's number, the table of levels and the course file.",
            code="credentials.empty",
        )
    links = [
        link
        for course, code in passed
        for link in associations(
            course.achievement["id"], [claim.achievement["id"] for claim, own in mastered if own == code]
        )
    ]
    return Claims(claims, tuple(links), not_yet + not_passed)


def _competencies(
    district: str, student_id: str, mapping: CompiledMapping | None, levels: pl.DataFrame | None
) -> tuple[list[tuple[Claim, str]], int]:
    """The claims with the course that each belongs to, and how many competencies are not mastered."""
    if levels is None or mapping is None:
        return [], 0
    missing = [name for name in ("student_id", "competency", "level", "proficient") if name not in levels.columns]
    if missing:
        raise DataError(
            f"The table of levels lacks {', '.join(missing)}.",
            hint="Use levels.csv of `mastery-gateway map apply --out FOLDER`.",
            code="credentials.levels",
        )
    mine = levels.filter(pl.col("student_id").cast(pl.String) == student_id).to_dicts()
    mastered = [row for row in mine if str(row["proficient"]).lower() == "true"]
    claims = [
        (competency_claim(district, _competency(mapping, row)), str(row.get("course_code") or "")) for row in mastered
    ]
    return claims, len(mine) - len(mastered)


def _competency(mapping: CompiledMapping, row: Mapping[str, Any]) -> Competency:
    framework = mapping.framework
    found = framework.find(str(row["competency"]))
    level = read_number(str(row["level"] or "").strip())
    if found is None or level is None:
        raise DataError(
            "The table of levels names a competency that the framework does not have, or has no level for it.",
            hint="Use the levels and the mapping of one run.",
            code="credentials.levels",
        )
    scale = mapping.summarizer.summaries.scale_of[found.id]
    steps = _steps(framework, found.id, scale)
    threshold = None if scale.proficient is None else from_micros(scale.proficient)
    reached = [step for step in steps if Decimal(step.value) <= level]
    required = [step for step in steps if threshold is not None and Decimal(step.value) >= threshold]
    return Competency(
        uri=found.uri or f"urn:uuid:{found.id}",
        code=found.code or "",
        statement=found.statement,
        framework=framework.title,
        score=f"{level:.{mapping.places}f}",
        lowest=plain(from_micros(scale.lowest)),
        highest=plain(from_micros(scale.highest)),
        levels=steps,
        reached=reached[-1] if reached else None,
        required=required[0] if reached and required else None,
        rules=f"the mapping {mapping.name} {mapping.version}",
        mastered_at=_moment(row.get("last_scored_at")),
    )


def _steps(framework: Framework, id: str, scale: Scale) -> tuple[Level, ...]:
    """The steps of the competency's CASE rubric, from the lowest; without one, the named levels of the scale."""
    for criterion in framework.rubrics.get(id, ()):
        if steps := tuple(_rubric_steps(criterion)):
            return steps
    return tuple(Level(plain(from_micros(value)), name) for value, name in sorted(scale.names.items()))


def _rubric_steps(criterion: Criterion) -> Iterator[Level]:
    seen: set[Decimal] = set()
    for step in criterion.levels:
        if step.score is not None and step.score not in seen:
            seen.add(step.score)
            yield Level(plain(step.score), step.quality or plain(step.score), step.description or "", _uri(step))


def _uri(step: RubricLevel) -> str:
    return step.id if ":" in step.id else f"urn:uuid:{step.id}"


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _courses(district: str, results: Sequence[GpaResult], record: Record | None) -> tuple[list[tuple[Claim, str]], int]:
    """The passed courses with their codes, and how many were not passed or not finished."""
    if record is None or not results:
        return [], 0
    policy = results[0].policy
    placed = [(course, f"{session.school_year} {session.name}") for session in record.sessions
              for course in session.courses]  # fmt: skip
    placed += [(course, "") for course in record.courses]
    passed: list[tuple[Claim, str]] = []
    left = 0
    for course, when in placed:
        if course.earned in ("", "0") or not course.grade:
            left += 1
            continue
        grades = _grades(policy, course.grade)
        described = f"{course.title or course.number}, {course.earned} credit{'' if course.earned == '1' else 's'}."
        claim = course_claim(
            district, Course(course.number, course.title or course.number, when, course.grade, grades, described)
        )
        passed.append((claim, course.number))
    return passed, left


def _grades(policy: Policy, grade: str) -> tuple[str, ...]:
    """The grades of the table that knows ``grade``, from low to high; none for a number or a mark.

    Where the policy does not look at plus and minus, passing letters are listed with both.
    """
    written = plain_grade(grade)
    for scale in policy.scales:
        listed = tuple(sorted(scale.points, key=lambda each: (scale.points[each], each)))
        if scale.ignore_signs:
            listed = tuple(each for letter in listed for each in _signed(letter, failing=letter in scale.failing))
        if written in listed:
            return listed
    return ()


def _signed(letter: str, *, failing: bool) -> tuple[str, ...]:
    return (letter,) if failing else (f"{letter}-", letter, f"{letter}+")


def _gpas(results: Sequence[GpaResult], record: Record | None) -> Iterator[GpaEquivalent]:
    for result, summary in zip(results, record.summaries if record else (), strict=True):
        policy = result.policy
        rules = f"Policy {policy.name}, version {policy.version}, SHA-256 {policy.digest}."
        rest = " ".join(_sentences(summary.notes[2:]))
        yield GpaEquivalent(
            policy=policy.name,
            version=policy.version,
            digest=policy.digest,
            title=policy.title,
            value=summary.gpa,
            lowest=summary.lowest,
            highest=summary.highest,
            narrative=f"{rules} Source: {policy.source.name} ({policy.source.year}). {rest}".strip(),
        )


def _sentences(notes: Iterable[str]) -> Iterator[str]:
    yield from (note if note.endswith(".") else f"{note}." for note in notes)
