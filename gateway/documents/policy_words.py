"""A policy's rules in plain sentences, made from the policy itself, so that no letter can drift from the arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.core.gpa.policy import (
    Action,
    Condition,
    CourseFilter,
    Do,
    NumberBand,
    Policy,
    Repeats,
    Requirement,
    Rule,
    Scale,
    Weigh,
)
from gateway.core.gpa.scale_range import shown_range
from gateway.core.mapping.rounding import MICROS, from_micros
from gateway.core.mapping.scales import plain

_TESTS = {
    "mean_at_least": "the mean is at least {}",
    "mean_above": "the mean is above {}",
    "mean_at_most": "the mean is at most {}",
    "mean_below": "the mean is below {}",
    "lowest_at_least": "no level is below {}",
    "lowest_below": "at least one level is below {}",
    "highest_at_least": "at least one level is {} or higher",
    "highest_below": "no level reaches {}",
    "half_at_least": "at least half of the levels are {} or higher",
    "most_at_least": "more than half of the levels are {} or higher",
}
_KEEP = {"highest": "the attempt with the highest grade", "latest": "the latest attempt",
         "average": "the average of the attempts"}  # fmt: skip
_FLAGS = {"core": "NCAA core", "ag": "a–g"}
_FACTS = {"residency": "residency is {}", "top_half": "class rank in the top half", "act": "ACT {}", "sat": "SAT {}"}
WORDS = {
    "ap": "AP", "ib": "IB", "at": "AT (advanced topic)", "ag": "a–g subject", "core": "NCAA core", "english": "English",
    "philosophy_religion": "philosophy or religion", "school_id": "school", "course_code": "code",
}  # fmt: skip


def number(micros: int) -> str:
    """Micros as people write a number."""
    return plain(from_micros(micros))


def words(name: str) -> str:
    """A word of course files as readers know it: ``social_science`` is social science."""
    return WORDS.get(name, name.replace("_", " "))


def joined(parts: Iterable[str], last: str = "and") -> str:
    """``A, B and C``."""
    listed = list(parts)
    return f"{', '.join(listed[:-1])} {last} {listed[-1]}" if len(listed) > 1 else "".join(listed)


def range_words(policy: Policy) -> str:
    """The scale as it stands beside every GPA: a bare 4.2 cannot be read."""
    lowest, highest = shown_range(policy)
    if policy.weighting is not None and policy.weighting.how is Weigh.ADD_AFTER_MEAN:
        return f"from {lowest}; weights are added to the mean"
    return f"{lowest} to {highest}"


def rule_words(rule: Rule) -> str:
    """When a rule of a conversion from levels holds."""
    if not rule.tests:
        return "in every other case"
    return joined(_TESTS[test].format(number(value)) for test, value in rule.tests.items())


def rule_result(rule: Rule) -> str:
    """What a rule of a conversion gives."""
    return "no grade yet: a person decides" if rule.wait or rule.grade is None else rule.grade


def band_words(band: NumberBand) -> str:
    """The numbers of a band."""
    low = "below" if band.low is None else number(band.low)
    if band.low is None:
        return f"up to {number(band.high)}" if band.high is not None else "any number"
    return f"{low} or more" if band.high is None else f"{low} to {number(band.high)}"


def band_result(band: NumberBand) -> str:
    """What the numbers of a band give."""
    if band.wait:
        return "no grade yet: a person decides"
    if band.grade is not None:
        return band.grade
    top = number(band.points or 0)
    return f"{top} points" if band.points_low is None else f"{number(band.points_low)} to {top} points, rising evenly"


def action_words(action: Action) -> str:
    """What a mark or a status does with its course."""
    days = f"{action.days} {'school' if action.school_days else 'calendar'} days"
    return {
        Do.COUNT: "counts with its grade",
        Do.COUNT_AS: f"counts as {action.grade}",
        Do.LEAVE_OUT: "is left out: no points, no credit",
        Do.CREDIT_ONLY: "gives credit, no points",
        Do.WAIT: "the GPA waits for the final grade",
        Do.DEADLINE: f"is left out for {days} from the end of the course, then counts as {action.grade}",
    }[action.do]


def years_words(scale: Scale) -> str:
    """The school years in which a table of grades holds, empty for all."""
    first, last = scale.first_year, scale.last_year
    if first is None and last is None:
        return ""
    named = [f"{year - 1}-{year % 100:02}" if year else "" for year in (first, last)]
    if not named[0]:
        return f"school years until {named[1]}"
    return f"school years {named[0]} to {named[1]}" if named[1] else f"school years from {named[0]}"


def weight_sentences(policy: Policy) -> Iterator[str]:
    """How the level of a course changes its points."""
    weighting = policy.weighting
    if weighting is None:
        yield "Courses are not weighted by their level."
        return
    yield {
        Weigh.ADD: "The weight of the course's level is added to its points.",
        Weigh.MULTIPLY: "The points of a course are multiplied by the weight of its level.",
        Weigh.ADD_AFTER_MEAN: "The weights of all courses are added after the mean has been taken.",
    }[weighting.how]
    if weighting.only_grades is not None:
        yield f"Only the grades {joined(sorted(weighting.only_grades))} get a weight."
    else:
        yield "Grades that earn no credit get no weight."
    if weighting.only_titles:
        yield f"The course's title must show one of the words {joined(weighting.only_titles, 'or')}."
    if weighting.at_most is not None:
        yield f"The weight of a course is at most {number(weighting.at_most)}."
    if weighting.points_at_most is not None:
        yield f"The points of a course are at most {number(weighting.points_at_most)} with its weight."
    if weighting.cap_total is not None:
        inner = [f"{number(most)} of them from grade {level}" for level, most in weighting.cap_grade_levels.items()]
        most = f", at most {joined(inner)}" if inner else ""
        yield f"At most {number(weighting.cap_total)} grades get a weight{most}."


def repeat_sentences(repeats: Repeats | None) -> Iterator[str]:
    """Which attempt at a repeated course counts."""
    if repeats is None:
        yield "Every attempt at a course counts."
        return
    same = joined(words(each) for each in repeats.same)
    yield f"Of a course that was taken again (same {same}), {_KEEP[repeats.keep]} counts, and credit is given once."
    if repeats.only_after is not None:
        yield f"This holds only if the first attempt had {joined(sorted(repeats.only_after), 'or')}; else all count."
    if repeats.keep != "average":
        yield f"Another attempt is shown as {repeats.dropped_as}."


def filter_sentences(courses: CourseFilter) -> Iterator[str]:
    """Which courses can count."""
    for column, values in courses.only.items():
        if column in _FLAGS:
            yield f"Only {_FLAGS[column]} courses count."
        else:
            yield f"Only courses whose {words(column)} is {_values(values)} count."
    for column, values in courses.leave_out.items():
        yield f"Courses whose {words(column)} is {_values(values)} do not count."


def _values(values: frozenset[str]) -> str:
    return joined((words(str(each)) for each in sorted(values)), "or")


def credit_sentences(policy: Policy) -> Iterator[str]:
    """How much a course counts."""
    credit = policy.credit
    yield {
        "attempted": "A course counts with the credit attempted, whether it was passed or not.",
        "earned": "A course counts with the credit earned; grades that earn no credit do not count.",
        "each_course": "Every course counts alike, whatever its credit.",
    }[credit.basis]
    if credit.times != 1:
        yield f"The credit of the transcript is multiplied by {plain(credit.times)}."
    if credit.at_most is not None:
        yield f"A course counts with at most {number(credit.at_most)}."
    if credit.by_term:
        terms = joined(f"{term} {number(value)}" for term, value in credit.by_term.items())
        yield f"Where the transcript has no credit: {terms}."


def selection_sentences(policy: Policy) -> Iterator[str]:
    """Which courses are chosen, where only the best count."""
    selection, semesters = policy.selection, policy.semesters
    if selection is not None:
        yield (
            f"The GPA is that of the best choice of whole courses with at least {number(selection.units)} and less "
            f"than {number(selection.below)} units that meets every requirement below. If no choice does, it "
            "is that of all courses so far, and is marked so."
        )
        for row in selection.requirements:
            yield f"{requirement_words(row)}."
        lock = selection.progression
        if lock is not None:
            inner = joined((words(each) for each in sorted(lock.subjects)), "or")
            yield (
                f"{number(lock.units)} of the units must be completed before the seventh semester, "
                f"{number(lock.subject_units)} of them in {inner}; a later repeat cannot replace them."
            )
    if semesters is not None:
        yield (
            f"Semester grades of grades {semesters.first_grade_level} to {semesters.last_grade_level} count, with the "
            f"summers {'before and ' if semesters.summer_before else ''}between; every {number(semesters.credit)} of "
            "credit is one grade."
        )
        if semesters.one_grade_levels:
            named = joined(words(each) for each in sorted(semesters.one_grade_levels))
            yield f"A course of the level {named} is one grade, whatever its credit."


def requirement_words(row: Requirement) -> str:
    """A requirement of a selection."""
    unit = "unit" if row.units == MICROS else "units"
    subjects = joined((words(each) for each in sorted(row.subjects)), "or")
    return f"{number(row.units)} {'additional ' if row.extra else ''}{unit} of {subjects}"


def condition_words(condition: Condition | None) -> str:
    """When a standing is given."""
    if condition is None:
        return "in every other case"
    parts = [f"GPA of at least {number(condition.gpa)}"] if condition.gpa is not None else []
    parts += [_fact(name, value) for name, value in condition.facts.items()]
    if condition.any_test:
        parts.append(
            joined((f"{test.upper()} of at least {number(v)}" for test, v in condition.any_test.items()), "or")
        )
    if condition.selection_met is not None:
        parts.append("all required units" if condition.selection_met else "required units are missing")
    if condition.progression_met is not None:
        parts.append("the early units" if condition.progression_met else "early units are missing")
    if condition.of:
        inner = "; ".join(condition_words(each) for each in condition.of)
        parts.append(f"at least {condition.at_least} of: {inner}")
    return joined(parts)


def _fact(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _FACTS.get(name, words(name)) if value else f"no {words(name)}"
    return _FACTS.get(name, f"{words(name)} is {{}}").format(value)


def weights_of(policy: Policy) -> Mapping[str, int]:
    """The weight of each course level that the policy names."""
    return policy.weighting.levels if policy.weighting is not None else {}
