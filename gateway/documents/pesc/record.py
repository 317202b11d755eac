"""From computed GPAs and a course file to a transcript: what each course and each GPA is in the standard's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.compute import GpaResult, Period, State
from gateway.core.gpa.courses import UNREADABLE, Courses
from gateway.core.gpa.explain import gpa_text
from gateway.core.gpa.policy import Kind, Policy, Weigh
from gateway.core.gpa.scale_range import shown_range
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import plain
from gateway.documents.pesc.transcript import Course, Proficiency, Session, Summary
from gateway.documents.pesc.words import BASIS, GRADES, LEVELS, MARKS, STATUSES, plain_word, session_of

_DROPPED = "another attempt counts"


@dataclass(frozen=True, slots=True)
class Record:
    """The academic part of a transcript."""

    student_level: str
    summaries: tuple[Summary, ...]
    sessions: tuple[Session, ...]
    courses: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A row of the course file beside what the first policy says of it (empty without any policy)."""

    line: int
    code: str
    title: str
    name: str
    year: int | None
    term: str
    grade_level: int | None
    grade: str
    status: str
    level: str
    credit: Decimal | None
    ended_on: date | None
    judged: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dropped(self) -> bool:
        return str(self.judged.get("why", "")).startswith(_DROPPED)

    @property
    def used(self) -> bool:
        return bool(self.judged.get("used"))


def build_record(
    results: Sequence[GpaResult],
    courses: Courses,
    student_id: str,
    *,
    grade_level: str = "",
    units: str = "Units",
    ranks: Mapping[str, tuple[int, int]] | None = None,
    levels: pl.DataFrame | None = None,
    terms: Sequence[GpaResult] = (),
) -> Record:
    """The record of one student. ``results`` have traces; the first one judges the courses (credit earned, repeats,
    quality points). ``ranks``: by policy, rank and size of the class. ``levels``: results in competencies;
    ``terms``: the school's own GPAs by term.

    Raises :class:`DataError`: ``documents.pending`` where a GPA has no number, ``pesc.levels`` where a competency
    stands at no course.
    """
    attempts = _attempts(courses, results[0] if results else None, student_id)
    proficiencies = _proficiencies(levels, student_id, {each.code for each in attempts})
    repeats = _repeat_codes(attempts)
    written = {
        each.line: _course(each, results[0].policy if results else None, units, repeats.get(each.line, ""),
                           proficiencies.get(each.code, ()))
        for each in attempts
    }  # fmt: skip
    highest = max((each.grade_level for each in attempts if each.grade_level), default=None)
    level = int(grade_level) if grade_level.isdigit() else highest
    return Record(
        student_level=GRADES.get(level or 0, ""),
        summaries=tuple(_summary(each, student_id, (ranks or {}).get(each.policy.name)) for each in results),
        sessions=tuple(_sessions(attempts, written, terms, student_id)),
        courses=tuple(written[each.line] for each in attempts if each.year is None),
    )


def _attempts(courses: Courses, result: GpaResult | None, student_id: str) -> list[_Attempt]:
    judged: dict[int, Mapping[str, Any]] = {}
    if result is not None and result.trace is not None:
        mine = result.trace.filter((pl.col("student_id") == student_id) & (pl.col("period") == Period.CUMULATIVE.value))
        judged = {row["line"]: row for row in mine.iter_rows(named=True)}
    by_title = result is not None and result.policy.repeats is not None and "title" in result.policy.repeats.same
    found = []
    for row in courses.rows.filter(pl.col("student_id") == student_id).sort("line").iter_rows(named=True):
        word = {name: _decoded(courses, row, name) for name in ("grade", "status", "level", "term")}
        own = (row["title"] if by_title else row["course_code"]) or ""
        found.append(_Attempt(
            line=row["line"],
            code=row["course_code"] or "",
            title=row["title"] or "",
            name=row["repeat_of"] or own,
            year=row["year"],
            term=word["term"],
            grade_level=row["level_of_student"],
            grade=word["grade"] or _number(row["score_micros"]),
            status=plain_word("status", word["status"]) or "completed",
            level=plain_word("level", word["level"]),
            credit=_decimal(row["credit_micros"]),
            ended_on=row["completed"],
            judged=judged.get(row["line"], {}),
        ))  # fmt: skip
    return found


def _decoded(courses: Courses, row: Mapping[str, Any], name: str) -> str:
    code = row[f"{name}_code"]
    return "" if code is None else courses.vocabulary[name][code]


def _decimal(micros: int | None) -> Decimal | None:
    return None if micros is None or micros == UNREADABLE else from_micros(micros)


def _number(micros: int | None) -> str:
    number = _decimal(micros)
    return "" if number is None else plain(number)


def _repeat_codes(attempts: Iterable[_Attempt]) -> dict[int, str]:
    """CourseRepeatCode by line, for courses of which an attempt was set aside or several are averaged."""
    groups: dict[str, list[_Attempt]] = {}
    for each in attempts:
        groups.setdefault(each.name, []).append(each)
    found: dict[int, str] = {}
    for group in groups.values():
        ordered = sorted(group, key=lambda each: (each.year or 0, each.ended_on or date.min, each.line))
        used = [position for position, each in enumerate(ordered) if each.used]
        for position, each in enumerate(ordered):
            if each.dropped:
                replaced = any(position < other for other in used)
                found[each.line] = "ReplacedNotCounted" if replaced else "RepeatNotCounted"
            elif each.used and any(other.dropped for other in ordered[:position]):
                found[each.line] = "ReplacementCounted"
            elif each.used and int(each.judged.get("attempts_averaged") or 1) > 1 and position:
                found[each.line] = "RepeatCounted"
    return found


def _course(
    attempt: _Attempt, policy: Policy | None, units: str, repeat: str, proficiencies: Sequence[Proficiency]
) -> Course:
    judged = attempt.judged
    quality, status = judged.get("quality_points"), _status(attempt, policy)
    return Course(
        basis="HighSchoolTransferCredit" if attempt.status == "transfer" else BASIS.get(attempt.level, "Regular"),
        units=units,
        credit="" if attempt.credit is None else plain(attempt.credit),
        earned=_earned(attempt, policy) if status in ("Completed", "TransferNoGrade") else "",
        grade=attempt.grade,
        status=status,
        repeat=repeat,
        quality_points="" if quality is None else plain(quality),
        level=LEVELS.get(attempt.level, ""),
        applicability=_applicability(attempt, policy),
        number=attempt.code,
        title=attempt.title,
        ended_on=attempt.ended_on,
        proficiencies=tuple(proficiencies),
    )


def _status(attempt: _Attempt, policy: Policy | None) -> str:
    """A mark in the grade's place (I, W) says more than the status of the row."""
    if attempt.status == "transfer" and not attempt.grade:
        return "TransferNoGrade"
    grade = plain_grade(attempt.grade)
    known = policy is not None and any(grade in scale.points for scale in policy.scales)
    own = "" if known or attempt.status != "completed" else MARKS.get(grade, "")
    return own or STATUSES.get(attempt.status, "")


def _earned(attempt: _Attempt, policy: Policy | None) -> str:
    """The credit that a finished course gives; of a repeated one only the attempt that counts. Without a policy nobody
    knows which grades fail, and of a course that is outside the policy nobody says."""
    if policy is None or attempt.credit is None:
        return ""
    counted = attempt.judged.get("counted_as")
    failing = any(counted in scale.failing for scale in policy.scales)
    gives = attempt.used or attempt.judged.get("why") == "gives credit, not points"
    outside = str(attempt.judged.get("why", "")) in _NO_JUDGEMENT
    if outside and not failing:
        return ""
    return plain(attempt.credit) if gives and not failing else "0"


_NO_JUDGEMENT = ("not a course of this GPA", "outside the years that count", "a better selection does without it")


def _applicability(attempt: _Attempt, policy: Policy | None) -> str:
    if policy is None:
        return ""
    if not attempt.used:
        return "NotApplicable"
    neutral = 1 if policy.weighting is not None and policy.weighting.how is Weigh.MULTIPLY else 0
    weighted = policy.weighting is not None and attempt.judged.get("weight") not in (None, neutral)
    return "Weighted" if weighted else "Applicable"


def _summary(result: GpaResult, student_id: str, rank: tuple[int, int] | None) -> Summary:
    rows = result.gpas.filter(
        (pl.col("student_id") == student_id) & (pl.col("period") == Period.CUMULATIVE.value)
    ).to_dicts()
    row: Mapping[str, Any] = rows[0] if rows else {"gpa": None, "state": State.NO_COURSES, "reason": None}
    if row["gpa"] is None:
        raise DataError(
            f"There is no GPA under {result.policy.name} for this student: "
            f"{row['reason'] or str(row['state']).replace('_', ' ')}",
            hint="Mend the course file, or leave this policy out.",
            code="documents.pending",
        )
    return _summed(result.policy, row, rank, tuple(_notes(result, row)))


def _summed(policy: Policy, row: Mapping[str, Any], rank: tuple[int, int] | None, notes: Sequence[str]) -> Summary:
    lowest, highest = shown_range(policy)
    return Summary(
        kind=summary_type(policy),
        gpa=gpa_text(policy, row["gpa"]),
        lowest=lowest,
        highest=highest,
        credits=plain(row["credits"]),
        earned=plain(row["credits_earned"]),
        quality_points=plain(row["quality_points"]),
        rank=rank[0] if rank else None,
        size=rank[1] if rank else None,
        notes=tuple(notes),
    )


def summary_type(policy: Policy) -> str:
    """AcademicSummaryType: what others certify or choose is UserDefined, and its notes say what it is."""
    if policy.kind is not Kind.MEAN or policy.label or policy.courses.stated:
        return "UserDefined"
    return "NonWeighted" if policy.weighting is None else "Weighted"


def _notes(result: GpaResult, row: Mapping[str, Any]) -> Iterator[str]:
    policy = result.policy
    yield policy.title
    yield f"Rule {policy.name}, version {policy.version}, digest {policy.digest[:12]}"
    if policy.label:
        yield policy.label
    if row["state"] == State.SO_FAR:
        yield "So far: the courses taken do not meet all requirements yet."
    if row["state"] == State.APPROXIMATION:
        yield "An approximation made on request: the school aggregates no GPA."
    if row["state"] == State.OVERRIDDEN:
        yield f"Set by hand: {row['reason']}"
    if row["standing"]:
        yield f"Standing: {row['standing']}"


def _sessions(
    attempts: Sequence[_Attempt], written: Mapping[int, Course], terms: Sequence[GpaResult], student_id: str
) -> Iterator[Session]:
    groups: dict[tuple[int, str], list[_Attempt]] = {}
    for each in attempts:
        if each.year is not None:
            groups.setdefault((each.year, each.term), []).append(each)
    described = {key: session_of(*key) for key in groups}
    for key in sorted(groups, key=lambda key: (described[key][1], key[1])):
        (year, term), group = key, groups[key]
        kind, designator = described[key]
        level = max((each.grade_level for each in group if each.grade_level), default=0)
        yield Session(
            designator=designator,
            name=term or "Full year",
            kind=kind,
            school_year=f"{year - 1:04}-{year:04}",
            student_level=GRADES.get(level, ""),
            courses=tuple(written[each.line] for each in group),
            summaries=tuple(_of_term(terms, student_id, year, term)),
        )


def _of_term(terms: Sequence[GpaResult], student_id: str, year: int, term: str) -> Iterator[Summary]:
    """The GPAs of one term that have a number."""
    for result in terms:
        mine = result.gpas.filter((pl.col("student_id") == student_id) & (pl.col("period") == f"{year} {term}"))
        for row in mine.iter_rows(named=True):
            if row["gpa"] is not None:
                yield _summed(result.policy, row, None, tuple(_notes(result, row)))


def _proficiencies(levels: pl.DataFrame | None, student_id: str, codes: set[str]) -> dict[str, tuple[Proficiency, ...]]:
    """By course code: one for each competency; ``proficient`` and ``last_scored_at`` say whether and since when."""
    if levels is None:
        return {}
    mine = levels.filter(pl.col("student_id").cast(pl.String) == student_id)
    found: dict[str, list[Proficiency]] = {}
    for row in mine.iter_rows(named=True):
        code = str(row.get("course_code") or "")
        if code not in codes:
            raise DataError(
                "A competency stands at a course that is not on the transcript.",
                hint="Each row of the table of levels needs the course_code of one of the student's courses.",
                code="pesc.levels",
            )
        if row.get("level") in (None, ""):
            continue
        met = _yes(row.get("proficient"))
        found.setdefault(code, []).append(Proficiency(
            name=str(row["competency"]),
            sub_name=str(row.get("title") or ""),
            met=met,
            met_on=_day(row.get("last_scored_at")) if met else None,
            notes=(f"Level {plain_grade(str(row['level']))}",),
        ))  # fmt: skip
    return {code: tuple(each) for code, each in found.items()}


def _yes(value: object) -> bool | None:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(value).lower())


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value or "")[:10])
    except ValueError:
        return None
