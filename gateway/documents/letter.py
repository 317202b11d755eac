"""The letter that explains how a school's levels become grades and points, made from the policy and the mapping.

Seven parts, as the NCAA and colleges ask for them: who and when; what teachers record; how evidence becomes a level;
how levels become a grade; how grades become points and a GPA; what the letter does not claim; version and approval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from functools import partial

from gateway.core.gpa.conversion import grade_of_levels
from gateway.core.gpa.policy import Aggregate, Conversion, Kind, Policy, Scale
from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.rounding import MICROS, from_micros
from gateway.core.mapping.scales import plain
from gateway.documents import policy_words as say
from gateway.documents.desk import Order
from gateway.documents.issue import DocumentKind, Rules, digest_of, rules_of
from gateway.documents.mapping_words import evidence_blocks, levels_block
from gateway.documents.page import print_pdf
from gateway.documents.sections import Block, Items, Paragraph, Section, Table


def letter_order(policy: Policy, mapping: CompiledMapping | None = None) -> Order:
    """The letter about ``policy``, and about the ``mapping`` that makes the levels, if there is one."""
    rules = [rules_of(policy)]
    if mapping is not None:
        rules.append(Rules(mapping.name, mapping.version, mapping.digest))
    return Order(
        kind=DocumentKind.LETTER,
        title="Letter of explanation: how our grades are made",
        make=partial(print_pdf, "letter.html"),
        content={"subject": policy.title, "sections": letter_sections(policy, mapping)},
        rules=tuple(rules),
        inputs_digest=digest_of(words=[each.digest for each in rules]),
        about=policy.title,
        name=policy.name,
    )


def letter_sections(policy: Policy, mapping: CompiledMapping | None = None) -> tuple[Section, ...]:
    """The parts of the letter after its head."""
    return (
        Section("What this letter covers", tuple(_scope(policy))),
        Section("What teachers record", tuple(_recorded(policy, mapping))),
        Section("How evidence becomes a level", tuple(_evidence(policy, mapping))),
        Section("How levels become a course grade", tuple(_grades(policy))),
        Section("How grades become points and a GPA", tuple(_points(policy))),
        Section("What this letter does not claim", tuple(_limits(policy))),
        Section("Version and approval", (_version(policy, mapping),)),
    )


def _scope(policy: Policy) -> Iterator[Block]:
    yield Paragraph(
        f"This letter explains “{policy.title}” to readers who receive grades or a GPA from us. It is made from the "
        f"rules by which the numbers are computed: version {policy.version}, in force "
        f"{_span(policy.first_day, policy.last_day)}."
    )
    years = [each for scale in policy.scales if (each := say.years_words(scale))]
    if years:
        yield Paragraph(f"Tables of grades: {say.joined(years)}.")
    if policy.aggregate is Aggregate.ON_REQUEST_ONLY:
        yield Paragraph("The school aggregates no GPA. The number described here is an approximation, made on request.")


def _span(first: date, last: date | None) -> str:
    return f"from {_day(first)} {'until ' + _day(last) if last else 'until further notice'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _recorded(policy: Policy, mapping: CompiledMapping | None) -> Iterator[Block]:
    if mapping is not None:
        yield from levels_block(mapping)
    conversion = policy.conversion
    if conversion is not None:
        levels = say.joined((say.number(each) for each in conversion.levels), "or")
        yield Paragraph(f"For each competency of a course, teachers record a level: {levels}.")
    for scale in policy.scales:
        yield from _grade_words(scale, conversion is not None)
    marks = [(mark, say.action_words(action)) for mark, action in policy.marks.items()]
    if marks:
        yield Table("Marks that are no grades", ("Mark", "What it means for the GPA"), tuple(marks))
    status = [(say.words(name), say.action_words(action)) for name, action in policy.status.items()]
    if status:
        yield Table("Courses that were not simply completed", ("Status", "What it means for the GPA"), tuple(status))


def _grade_words(scale: Scale, from_levels: bool) -> Iterator[Block]:
    where = f" ({years})" if (years := say.years_words(scale)) else ""
    if scale.points:
        source = "Course grades are" if from_levels else "Teachers give the course grades"
        yield Paragraph(f"{source} {say.joined(scale.points)}{where}.")
    if scale.reads_numbers:
        yield Paragraph(f"Number grades lie from {say.number(scale.lowest)} to {say.number(scale.highest)}{where}.")
    if scale.failing:
        passing = [grade for grade in scale.points if grade not in scale.failing]
        yield Paragraph(
            f"Passing grades: {say.joined(passing)}. Grades that earn no credit: {say.joined(sorted(scale.failing))}."
        )
    elif scale.points:
        yield Paragraph("All these grades pass and earn credit.")


def _evidence(policy: Policy, mapping: CompiledMapping | None) -> Iterator[Block]:
    if mapping is not None:
        yield from evidence_blocks(mapping)
    elif policy.conversion is not None:
        yield Paragraph(
            "Teachers judge a student's work against each competency; the level that stands at the end of the course "
            "is the one that is converted here."
        )
    else:
        yield Paragraph("Course grades are taken as they stand on the transcript; this policy does not make them.")


def _grades(policy: Policy) -> Iterator[Block]:
    conversion = policy.conversion
    if conversion is not None:
        yield from _conversion(policy, conversion)
    for scale in policy.scales:
        yield from _numbers(scale)
    if conversion is None and not any(scale.reads_numbers for scale in policy.scales):
        yield Paragraph("Course grades are not converted; they count as teachers gave them.")
    failing = sorted({grade for scale in policy.scales for grade in scale.failing})
    if failing:
        yield Paragraph(f"No credit is earned with {say.joined(failing, 'or')}.")


def _conversion(policy: Policy, conversion: Conversion) -> Iterator[Block]:
    yield Paragraph(
        f"The mean of the course's levels is rounded to {conversion.round.words}. A course needs at least "
        f"{conversion.at_least} level{'' if conversion.at_least == 1 else 's'}."
    )
    if conversion.weights:
        weights = say.joined(f"{name} {say.number(weight)}" for name, weight in conversion.weights.items())
        yield Paragraph(f"Levels have weights in the mean: {weights}.")
    if not conversion.rules:
        yield Paragraph("The rounded mean is the course's number grade.")
        return
    rows = tuple((say.rule_result(rule), say.rule_words(rule)) for rule in conversion.rules)
    yield Table("From levels to a grade: the first line that fits", ("Grade", "If"), rows)
    yield Paragraph(_worked(policy, conversion))


def _worked(policy: Policy, conversion: Conversion) -> str:
    """One conversion, computed by the program as it computes all others."""
    high = conversion.levels[-1]
    below = conversion.levels[-2] if len(conversion.levels) > 1 else high
    wanted = max(3, conversion.at_least)
    levels = [from_micros(below if place % 2 else high) for place in range(wanted)]
    grade, reason = grade_of_levels(policy, levels)
    listed = say.joined(plain(level) for level in levels)
    mean = conversion.round.exactly(Fraction(sum(levels)) * MICROS / len(levels))
    if grade is None:
        return f"Example: a course with the levels {listed} has no grade yet ({reason or 'a person decides'})."
    return f"Example: a course with the levels {listed} has the mean {say.number(mean)} and gets {grade}."


def _numbers(scale: Scale) -> Iterator[Block]:
    where = f" ({years})" if (years := say.years_words(scale)) else ""
    if scale.round is not None:
        yield Paragraph(f"A number grade is rounded to {scale.round.words} before it is looked up{where}.")
    if scale.bands:
        rows = tuple((say.band_words(band), say.band_result(band)) for band in scale.bands)
        yield Table(f"From number grades{where}", ("Number", "Gives"), rows)
    if scale.times is not None:
        plus = say.number(abs(scale.plus))
        sign = "minus" if scale.plus < 0 else "plus"
        yield Paragraph(f"Points are the number grade times {say.number(scale.times)}, {sign} {plus}{where}.")


def _points(policy: Policy) -> Iterator[Block]:
    for scale in policy.scales:
        where = f" ({years})" if (years := say.years_words(scale)) else ""
        if scale.points:
            rows = tuple((grade, say.number(points)) for grade, points in scale.points.items())
            yield Table(f"Points of each grade{where}", ("Grade", "Points"), rows)
            if scale.ignore_signs:
                yield Paragraph("Plus and minus make no difference: B+ and B− count as B.")
    yield Paragraph(" ".join(say.weight_sentences(policy)))
    weights = say.weights_of(policy)
    if weights:
        rows = tuple((say.words(level), say.number(weight)) for level, weight in weights.items())
        yield Table("Weight of each course level", ("Level", "Weight"), rows)
    yield Items(tuple(_sentences(policy)))
    yield Paragraph(f"{_formula(policy)} It lies on the scale {say.range_words(policy)}.")
    if policy.standings:
        rows = tuple((each.name, say.condition_words(each.when)) for each in policy.standings)
        yield Table("What the GPA entitles to: the first line that fits", ("Standing", "If"), rows)
        compared = "before" if policy.compare_unrounded else "after"
        yield Paragraph(f"The GPA is compared {compared} rounding.")


def _sentences(policy: Policy) -> Iterator[str]:
    yield from say.filter_sentences(policy.courses)
    yield from say.credit_sentences(policy)
    yield from say.repeat_sentences(policy.repeats)
    yield from say.selection_sentences(policy)
    if policy.round_points is not None:
        yield f"The points of a course are rounded to {policy.round_points.words}."


def _formula(policy: Policy) -> str:
    if policy.kind is Kind.SEMESTERS:
        made = "The GPA is the sum of the points of all semester grades that count, divided by their number"
    else:
        made = (
            "The GPA is made of all courses that count: the points of each are multiplied by its credit, the products "
            "are added up, and the sum is divided by the sum of the credits"
        )
    return f"{made}. It is rounded once, to {policy.round_gpa.words}."


def _limits(policy: Policy) -> Iterator[Block]:
    if policy.label:
        yield Paragraph(policy.label, strong=True)
    yield Paragraph(
        "The letter describes how numbers are made. It certifies no student's grades, credit or eligibility."
    )
    yield from _listed("What the source leaves open and the school has decided:", policy.chosen_by_us)
    yield from _listed("Questions that are still open:", policy.open_questions)


def _listed(head: str, items: Sequence[str]) -> Iterator[Block]:
    if items:
        yield Paragraph(head)
        yield Items(tuple(items))


def _version(policy: Policy, mapping: CompiledMapping | None) -> Table:
    rows: list[tuple[str, ...]] = [
        ("Policy", f"{policy.name}, version {policy.version}"),
        ("In force", _span(policy.first_day, policy.last_day)),
        ("Approved by", policy.approved_by or "not stated in the policy"),
        ("Source of the rules", _source(policy)),
        ("SHA-256 of the policy file", policy.digest),
    ]
    if mapping is not None:
        rows += [("Mapping", f"{mapping.name}, version {mapping.version}"), ("SHA-256 of the mapping", mapping.digest)]
    return Table("The rules that this letter was made from", ("What", "Which"), tuple(rows))


def _source(policy: Policy) -> str:
    source = policy.source
    return f"{source.name} ({source.year})" + (f", {source.url}" if source.url else "")
