"""Compiles a policy file: structure, meaning and tables are checked, all faults told at once with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.core.document import Document, Path
from gateway.core.errors import MappingError, raise_problems
from gateway.core.gpa.compile_scales import compile_scale
from gateway.core.gpa.compile_selection import compile_selection, compile_semesters
from gateway.core.gpa.conversion import compile_conversion
from gateway.core.gpa.language import PolicySchema
from gateway.core.gpa.policy import (
    Action,
    Aggregate,
    Condition,
    CourseFilter,
    Credit,
    Do,
    Kind,
    Policy,
    Rank,
    Repeats,
    Scale,
    Source,
    Standing,
    Weigh,
    Weighting,
)
from gateway.core.gpa.words import folded, known_words, plain_grade
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import read_rounding, to_micros
from gateway.core.validation import validate


class PolicyReader(Reader):
    """A policy file under examination; its faults have codes of their own."""

    def load(self, schema: Any) -> dict[str, Any]:
        loaded, faults = validate(schema, self.document, error=MappingError, code="policy.invalid")
        raise_problems(faults)
        return dict(loaded)

    def note(self, path: Path, message: str, hint: str = "", code: str = "invalid") -> None:
        place = self.document.place(*path)
        self.problems.append(MappingError(message, hint=hint.strip(), code=f"policy.{code}", place=place))


def compile_policy(document: Document) -> Policy:
    """The policy that ``document`` states; raises :class:`MappingError` with every fault."""
    reader = PolicyReader(document)
    data = reader.load(PolicySchema())
    _check_kind(data, reader)
    scales = _scales(data, reader)
    grades = frozenset[str]().union(*(scale.points for scale in scales))
    words = known_words(data["words"])
    marks = frozenset(plain_grade(mark) for mark in data["marks"])
    policy = Policy(
        name=data["policy"],
        version=data["version"],
        title=data["title"],
        kind=Kind(data["kind"]),
        first_day=data["effective"]["first"],
        last_day=data["effective"].get("last"),
        source=Source(**data["source"]),
        scales=scales,
        digest=document.digest,
        file=document.name,
        aggregate=Aggregate(data["aggregate"]),
        label=data.get("label", ""),
        approved_by=data.get("approved_by", ""),
        chosen_by_us=tuple(data["chosen_by_us"]),
        open_questions=tuple(data["open_questions"]),
        marks=_actions(data["marks"], "marks", grades, scales, reader, plain=True),
        status=_statuses(data, grades, scales, reader, words),
        words=words,
        courses=_filter(data.get("courses"), words, reader),
        weighting=_weighting(data.get("weight"), data["round"], words, grades, reader),
        credit=_credit(data["credit"]),
        repeats=_repeats(data.get("repeats"), grades, reader),
        selection=compile_selection(data.get("select"), words, reader),
        semesters=compile_semesters(data.get("semesters"), words),
        standings=_standings(data["standing"], data, reader),
        compare_unrounded=data["compare"] == "unrounded",
        rank=_rank(data.get("rank")),
        conversion=compile_conversion(data.get("from_levels"), grades | marks, reader),
        round_points=read_rounding(data["round"]["points"]) if "points" in data["round"] else None,
        round_gpa=read_rounding(data["round"]["gpa"]),
        examples=tuple(data["examples"]),
    )
    _check_dates(policy, reader)
    reader.finish()
    return policy


def _check_kind(data: Mapping[str, Any], reader: Reader) -> None:
    for kind, part in ((Kind.SELECTION, "select"), (Kind.SEMESTERS, "semesters")):
        if (data["kind"] == kind) != (part in data):
            reader.note(("kind",), f'A policy of the kind "{kind}" needs `{part}`, and no other kind has it.')
    if data["kind"] == Kind.SELECTION and data.get("weight", {}).get("how", "add") != Weigh.ADD:
        reader.note(("weight", "how"), "A selection can only add its weight to a course's points.")
    if data["kind"] == Kind.SELECTION and data.get("repeats", {}).get("keep") == "average":
        reader.note(("repeats", "keep"), "A selection chooses whole courses: it cannot average attempts.")
    if data["kind"] != Kind.SEMESTERS and "cap" in data.get("weight", {}):
        reader.note(("weight", "cap"), "Only a policy of semester grades can cap its weight in total.")


def _scales(data: Mapping[str, Any], reader: Reader) -> tuple[Scale, ...]:
    scales = [compile_scale(data["grades"], ("grades",), reader)]
    for position, former in enumerate(data["former_grades"]):
        scales.append(compile_scale(former, ("former_grades", position), reader))
    for position, scale in enumerate(scales[1:]):
        for other in scales[: position + 1]:
            if _overlap(scale, other):
                path = ("former_grades", position)
                reader.note(path, "Two tables of grades hold in the same school year.", "Set `school_years`.", "two")
    return tuple(scales)


def _overlap(one: Scale, other: Scale) -> bool:
    last = min(each for each in (one.last_year, other.last_year, 9999) if each is not None)
    return max(one.first_year or 0, other.first_year or 0) <= last


def _actions(
    stated: Mapping[str, Mapping[str, Any]],
    part: str,
    grades: Iterable[str],
    scales: tuple[Scale, ...],
    reader: Reader,
    *,
    plain: bool = False,
) -> dict[str, Action]:
    actions: dict[str, Action] = {}
    for mark, said in stated.items():
        key = plain_grade(mark) if plain else mark
        if plain and key in grades:
            reader.note((part, mark), f'"{mark}" stands in `points` and in `marks`.', "Keep one of the two.", "two")
        target = said.get("count_as") or said.get("then")
        target = plain_grade(target) if target else None
        if target is not None and target not in grades and not any(scale.reads_numbers for scale in scales):
            reader.unknown((part, mark), "grade", target, grades, "unknown-grade")
        if plain and said.get("do") == Do.COUNT:
            reader.note((part, mark), f'The mark "{mark}" cannot just count.', "Put it into `points`, or `count_as`.")
        if "do" in said:
            actions[key] = Action(said["do"])
        elif "count_as" in said:
            actions[key] = Action(Do.COUNT_AS, target)
        else:
            actions[key] = Action(Do.DEADLINE, target, said["leave_out_days"], said["days"] == "school")
    return actions


def _statuses(
    data: Mapping[str, Any],
    grades: Iterable[str],
    scales: tuple[Scale, ...],
    reader: Reader,
    words: Mapping[str, Mapping[str, str]],
) -> dict[str, Action]:
    actions = {}
    for word, action in _actions(data["status"], "status", grades, scales, reader).items():
        status = words["status"].get(folded(word))
        if status is None:
            reader.unknown(("status", word), "status", word, set(words["status"].values()), "unknown-status")
        else:
            actions[status] = action
    return actions


def _filter(data: Mapping[str, Any] | None, words: Mapping[str, Mapping[str, str]], reader: Reader) -> CourseFilter:
    if data is None:
        return CourseFilter()
    parts = {
        part: {column: _values((part, column), said, words, reader) for column, said in data.get(key, {}).items()}
        for part, key in (("only", "only_where"), ("leave_out", "leave_out"))
    }
    return CourseFilter(**parts)


def _values(path: tuple[str, str], said: Any, words: Mapping[str, Mapping[str, str]], reader: Reader) -> frozenset[str]:
    column = path[1]
    items = [_text(item) for item in (said if isinstance(said, list) else [said])]
    if column in ("grade_level", "school_year") and not all(item.isdigit() for item in items):
        reader.note(("courses", *path), "Whole numbers are expected here.")
    if column in ("core", "ag") and items not in (["true"], ["false"]):
        reader.note(("courses", *path), "true or false is expected here.")
    known = words.get(column, {})
    return frozenset(known.get(folded(item), item) for item in items)


def _text(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _weighting(
    data: Mapping[str, Any] | None,
    rounds: Mapping[str, Any],
    words: Mapping[str, Mapping[str, str]],
    grades: Iterable[str],
    reader: Reader,
) -> Weighting | None:
    if data is None or not data["filed"]:
        return None
    levels = {words["level"].get(folded(k), k): to_micros(v) for k, v in data["levels"].items()}
    empty = data.get("empty_level")
    empty = words["level"].get(folded(empty), empty) if empty else None
    if empty is not None and empty not in levels:
        reader.unknown(("weight", "empty_level"), "level of this policy", empty, levels, "unknown-level")
    only = frozenset(plain_grade(grade) for grade in data["only_grades"]) if "only_grades" in data else None
    for grade in sorted((only or frozenset()) - frozenset(grades)):
        reader.unknown(("weight", "only_grades"), "grade", grade, grades, "unknown-grade")
    if data["how"] == Weigh.MULTIPLY and "points" not in rounds:
        reader.note(("weight", "how"), "A product needs `round.points`.", "Add it to `round`.")
    cap = data.get("cap", {})
    levels_capped = cap.get("grade_levels", {})
    if not all(level.isdigit() for level in levels_capped):
        reader.note(("weight", "cap", "grade_levels"), "Grade levels are whole numbers in quotes.")
        levels_capped = {}
    return Weighting(
        how=Weigh(data["how"]),
        levels=levels,
        other_levels=_micros(data.get("other_levels")),
        empty_level=None if empty is None else levels.get(empty),
        only_grades=only,
        only_titles=tuple(data.get("only_titles", ())),
        at_most=_micros(data.get("at_most")),
        points_at_most=_micros(data.get("points_at_most")),
        cap_total=_micros(cap.get("total")),
        cap_grade_levels={int(level): to_micros(most) for level, most in levels_capped.items()},
    )


def _micros(value: Any) -> int | None:
    return None if value is None else to_micros(value)


def _credit(data: Mapping[str, Any]) -> Credit:
    given = {key: data[key] for key in ("basis", "times") if key in data}
    return Credit(
        **given,
        at_most=_micros(data.get("at_most")),
        absurd_above=to_micros(data.get("absurd_above", 10)),
        by_term={folded(term): to_micros(value) for term, value in data.get("by_term", {}).items()},
    )


def _repeats(data: Mapping[str, Any] | None, grades: Iterable[str], reader: Reader) -> Repeats | None:
    if data is None:
        return None
    only = frozenset(plain_grade(grade) for grade in data["only_after"]) if "only_after" in data else None
    for grade in sorted((only or frozenset()) - frozenset(grades)):
        reader.unknown(("repeats", "only_after"), "grade", grade, grades, "unknown-grade")
    if not {"course_code", "title"} & set(data["same"]):
        reader.note(("repeats", "same"), "Repeats must be told by `course_code` or `title`.")
    return Repeats(tuple(data["same"]), data["keep"], only, data.get("dropped_as", "repeated"))


def _standings(items: list[dict[str, Any]], data: Mapping[str, Any], reader: Reader) -> tuple[Standing, ...]:
    standings = []
    for position, item in enumerate(items):
        parts = {key: value for key, value in item.items() if key != "name"}
        last = position == len(items) - 1
        if bool(parts) == last:
            words = "The last standing takes all the rest: it has a name only." if last else "It has no condition."
            reader.note(("standing", position), words)
        if ("selection" in parts or "locked_in" in parts) and "select" not in data:
            reader.note(("standing", position), "Only a policy with `select` knows `selection` and `locked_in`.")
        standings.append(Standing(item["name"], _condition(parts) if parts else None))
    return tuple(standings)


def _condition(data: Mapping[str, Any]) -> Condition:
    return Condition(
        gpa=_micros(data.get("gpa_at_least")),
        facts={key: data[key] for key in ("residency", "top_half") if key in data},
        any_test={test: to_micros(score) for test, score in data.get("any_test", {}).items()},
        selection_met=_met(data.get("selection")),
        progression_met=_met(data.get("locked_in")),
        at_least=data.get("at_least", 0),
        of=tuple(_condition(each) for each in data.get("of", ())),
    )


def _met(word: str | None) -> bool | None:
    return None if word is None else word == "met"


def _rank(data: Mapping[str, Any] | None) -> Rank | None:
    if data is None:
        return None
    return Rank(
        group=tuple(data["group"]),
        minimum_group=data["minimum_group"],
        dense=data["ties"] == "dense",
        percentile=data["percentile"],
    )


def _check_dates(policy: Policy, reader: Reader) -> None:
    if policy.last_day is not None and policy.last_day < policy.first_day:
        reader.note(("effective",), "The policy ends before it begins.", "Swap the two dates.", "dates")
