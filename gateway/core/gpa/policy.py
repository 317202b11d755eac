"""A compiled GPA policy: what :mod:`gateway.core.gpa.compile` makes of a policy file.

Points, weights and number grades are kept in micros (millionths), credits in micros as well; nothing is a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.core.mapping.rounding import Rounding


class Kind(StrEnum):
    """What is done with the courses: the mean of all, the best selection, or the mean of semester grades."""

    MEAN = "mean"
    SELECTION = "selection"
    SEMESTERS = "semesters"


class Aggregate(StrEnum):
    """Whether a GPA may be computed and kept as a matter of course, or only when a person asks for one."""

    ALWAYS = "always"
    ON_REQUEST_ONLY = "on_request_only"


class Do(StrEnum):
    """What a mark or a status does with its course."""

    COUNT = "count"
    COUNT_AS = "count_as"
    LEAVE_OUT = "leave_out"
    CREDIT_ONLY = "credit_only"
    WAIT = "wait"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Action:
    """``grade`` is what the course counts as, at once or (``DEADLINE``) when ``days`` have passed."""

    do: Do
    grade: str | None = None
    days: int = 0
    school_days: bool = False


@dataclass(frozen=True, slots=True)
class NumberBand:
    """Number grades in a range: a grade of the table, or points (interpolated from ``points_low`` to ``points``).

    ``low`` and ``high`` are micros, ``None`` is open; ``wait`` is a range that the source leaves undefined.
    """

    low: int | None
    high: int | None
    grade: str | None = None
    points: int | None = None
    points_low: int | None = None
    wait: bool = False
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What grades are worth in the school years ``first_year`` … ``last_year`` (``None`` is open)."""

    points: Mapping[str, int]
    ignore_signs: bool = False
    failing: frozenset[str] = frozenset()
    bands: tuple[NumberBand, ...] = ()
    times: int | None = None
    plus: int = 0
    lowest: int = 0
    highest: int = 0
    round: Rounding | None = None
    prefer_score: bool = False
    empty: Do = Do.WAIT
    first_year: int | None = None
    last_year: int | None = None

    @property
    def reads_numbers(self) -> bool:
        return bool(self.bands) or self.times is not None


class Weigh(StrEnum):
    """How a course's level changes the number."""

    ADD = "add"
    MULTIPLY = "multiply"
    ADD_AFTER_MEAN = "add_after_mean"


@dataclass(frozen=True, slots=True)
class Weighting:
    """The weight of each course level; ``None`` for a level or an empty cell that the policy does not name."""

    how: Weigh
    levels: Mapping[str, int]
    other_levels: int | None = None
    empty_level: int | None = None
    only_grades: frozenset[str] | None = None
    only_titles: tuple[str, ...] = ()
    at_most: int | None = None
    points_at_most: int | None = None
    cap_total: int | None = None
    cap_grade_levels: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credit:
    """How much a course counts. ``each_course``: one each; ``earned``: failing grades do not count."""

    basis: str = "attempted"
    times: Decimal = Decimal(1)
    at_most: int | None = None
    absurd_above: int = 10_000_000
    by_term: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeats:
    """When two rows are the same course, and which of them counts."""

    same: tuple[str, ...]
    keep: str
    only_after: frozenset[str] | None = None
    dropped_as: str = "repeated"


@dataclass(frozen=True, slots=True)
class Requirement:
    """At least ``units`` micros in ``subjects``; with ``extra``, beyond what the rows above already ask of them."""

    subjects: frozenset[str]
    units: int
    extra: bool


@dataclass(frozen=True, slots=True)
class Progression:
    """Units to be completed before a point in time, part of them in some subjects; then they are locked in.

    ``binds_selection``: the locked units must be among those chosen. Otherwise they need only stay as they are: a later
    repeat cannot take the place of an attempt without which they would be too few.
    """

    units: int
    subjects: frozenset[str]
    subject_units: int
    last_grade_level: int
    binds_selection: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """The best whole courses: at least ``units`` and less than ``below``, with the minimum of each requirement.

    Of courses after graduation at most ``after_units`` count, and none later than ``after_years``.
    """

    units: int
    below: int
    requirements: tuple[Requirement, ...]
    progression: Progression | None = None
    after_units: int | None = None
    after_years: int | None = None

    @property
    def subjects(self) -> frozenset[str]:
        """Every subject that can count at all."""
        return frozenset[str]().union(*(each.subjects for each in self.requirements))


@dataclass(frozen=True, slots=True)
class Semesters:
    """Semester grades: a course counts once for each ``credit`` of its credit, one in all for ``one_grade_levels``."""

    credit: int
    first_grade_level: int
    last_grade_level: int
    summer_terms: frozenset[str]
    summer_before: bool
    one_grade_levels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Condition:
    """All stated parts must hold. ``at_least`` counts how many of ``of`` must."""

    gpa: int | None = None
    facts: Mapping[str, int | bool | str] = field(default_factory=dict)
    any_test: Mapping[str, int] = field(default_factory=dict)
    selection_met: bool | None = None
    progression_met: bool | None = None
    at_least: int = 0
    of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A name for those who meet the condition; the first that fits is given."""

    name: str
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Rank:
    """Class rank: who is compared with whom, from which size on. The printed (rounded) GPAs are compared."""

    group: tuple[str, ...]
    minimum_group: int
    dense: bool
    percentile: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a conversion from levels to a grade; every stated part must hold, none stated always holds."""

    grade: str | None
    wait: bool
    tests: Mapping[str, int]
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """From the levels of a course's competencies to its grade: the first rule that fits.

    ``in_between``: a level between two of ``levels``, such as the average that a mapping makes, counts as it is.
    ``leave_out``: codes of competencies that are no part of a grade, such as habits; ``*`` stands for anything.
    """

    levels: tuple[int, ...]
    round: Rounding
    at_least: int
    weights: Mapping[str, int]
    rules: tuple[Rule, ...]
    in_between: bool = False
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseFilter:
    """The courses that can count: those with one of the values of every ``only``, and of no ``leave_out``."""

    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def stated(self) -> bool:
        """Whether there is any filter at all."""
        return bool(self.only or self.leave_out)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rules come from."""

    name: str
    year: str
    url: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One version of a GPA policy, checked and ready to compute with; its ``digest`` tells versions apart."""

    name: str
    version: str
    title: str
    kind: Kind
    first_day: date
    last_day: date | None
    source: Source
    scales: tuple[Scale, ...]
    digest: str
    file: str
    aggregate: Aggregate = Aggregate.ALWAYS
    label: str = ""
    approved_by: str = ""
    chosen_by_us: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    marks: Mapping[str, Action] = field(default_factory=dict)
    status: Mapping[str, Action] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    courses: CourseFilter = field(default_factory=CourseFilter)
    weighting: Weighting | None = None
    credit: Credit = field(default_factory=Credit)
    repeats: Repeats | None = None
    selection: Selection | None = None
    semesters: Semesters | None = None
    standings: tuple[Standing, ...] = ()
    compare_unrounded: bool = True
    rank: Rank | None = None
    conversion: Conversion | None = None
    round_points: Rounding | None = None
    round_gpa: Rounding = field(default_factory=lambda: Rounding(1000))
    examples: tuple[Mapping[str, object], ...] = ()

    def in_force(self, day: date) -> bool:
        """Whether this version holds on ``day``."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)
