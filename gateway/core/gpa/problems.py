"""What can be wrong with a course, so that its student's GPA waits; each with a code, a sentence and what to do."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """The value is the code in reports; :attr:`number` stands for it in columns."""

    ROW_UNREADABLE = "row-unreadable"
    NO_STUDENT = "no-student"
    NO_COURSE = "no-course-code"
    CREDIT_UNREADABLE = "credit-unreadable"
    CREDIT_NEGATIVE = "credit-negative"
    CREDIT_ABSURD = "credit-absurd"
    CREDIT_MISSING = "credit-missing"
    SCORE_UNREADABLE = "score-unreadable"
    SAME_SLOT = "same-slot"
    GRADE_MISSING = "grade-missing"
    GRADE_UNKNOWN = "grade-unknown"
    GRADE_OUTSIDE = "grade-outside-scale"
    GRADE_UNDEFINED = "grade-undefined"
    GRADE_WAITS = "grade-waits"
    NO_GRADE_FROM_LEVELS = "levels-give-no-grade"
    YEAR_OUTSIDE = "year-outside-every-table"
    DEADLINE_UNKNOWN = "deadline-unknown"
    LEVEL_MISSING = "level-missing"
    LEVEL_UNKNOWN = "level-unknown"
    STATUS_UNKNOWN = "status-unknown"
    SUBJECT_UNKNOWN = "subject-unknown"
    FLAG_UNREADABLE = "flag-unreadable"
    COLUMN_MISSING = "column-missing"
    REPEAT_WITHOUT_FIRST = "repeat-without-first"
    REPEAT_UNCLEAR = "repeat-unclear"
    REPEAT_ORDER = "repeat-order-unknown"
    GRADE_LEVEL_MISSING = "grade-level-missing"
    PART_OF_SEMESTER = "part-of-semester"
    CREDIT_TOO_FINE = "credit-too-fine"
    TOO_HARD = "selection-too-hard"
    OVERRIDE_UNCLEAR = "override-unclear"

    @property
    def number(self) -> int:
        return _NUMBERS[self]

    @property
    def sentence(self) -> str:
        return _SENTENCES[self][0]

    @property
    def hint(self) -> str:
        return _SENTENCES[self][1]


_NUMBERS = {problem: number for number, problem in enumerate(Problem, start=1)}
BY_NUMBER = {number: problem for problem, number in _NUMBERS.items()}
ALWAYS = (_NUMBERS[Problem.ROW_UNREADABLE], _NUMBERS[Problem.OVERRIDE_UNCLEAR])
"""Problems that make a GPA wait even where the policy would leave the row out: what it stands for is not known."""

TOLD_BY_ROW = (Problem.ROW_UNREADABLE, Problem.OVERRIDE_UNCLEAR, Problem.NO_GRADE_FROM_LEVELS)
"""Problems of which the row itself can say more than the general sentence."""

_SENTENCES: dict[Problem, tuple[str, str]] = {
    Problem.ROW_UNREADABLE: ("The row cannot be read.", "Correct the line."),
    Problem.NO_STUDENT: ("The row names no student.", "Fill student_id."),
    Problem.NO_COURSE: ("The row names no course.", "Fill course_code."),
    Problem.CREDIT_UNREADABLE: ("The credit is not a number.", "Write it such as 0.5, at most six places."),
    Problem.CREDIT_NEGATIVE: ("The credit is negative.", "Correct it."),
    Problem.CREDIT_ABSURD: ("The credit is larger than the policy thinks possible.", "Correct it, or `credit.times`."),
    Problem.CREDIT_MISSING: ("The course has no credit.", "Fill credit, or give the policy `credit.by_term`."),
    Problem.SCORE_UNREADABLE: ("The score is not a number.", "Write it such as 93.5."),
    Problem.SAME_SLOT: ("The same course stands twice in the same year and term.", "Remove one, or fill repeat_of."),
    Problem.GRADE_MISSING: ("A completed course has no grade.", "Fill the grade, or set status to in_progress."),
    Problem.GRADE_UNKNOWN: ("The policy does not know this grade.", "Correct it, or add it to the policy."),
    Problem.GRADE_OUTSIDE: ("The grade lies outside the policy's scale.", "Correct it."),
    Problem.GRADE_UNDEFINED: ("The policy's source leaves this grade undefined.", "A person must decide."),
    Problem.GRADE_WAITS: ("The mark says that the grade is still to come.", "Enter the final grade when it is there."),
    Problem.NO_GRADE_FROM_LEVELS: ("The competency levels give no grade.", "See the conversion's report."),
    Problem.YEAR_OUTSIDE: ("No table of grades holds in this school year.", "Add `former_grades`, or fill the year."),
    Problem.DEADLINE_UNKNOWN: ("Whether the deadline has passed is not known.", "Fill completed_on; give a calendar."),
    Problem.LEVEL_MISSING: ("The course has no level.", "Fill level, or give the policy `weight.empty_level`."),
    Problem.LEVEL_UNKNOWN: ("The policy does not know this course level.", "Correct it, or add it to `weight.levels`."),
    Problem.STATUS_UNKNOWN: ("The policy does not say what this status means.", "Add it to `status`."),
    Problem.SUBJECT_UNKNOWN: ("The policy does not know this subject.", "Correct it, or add it to `words`."),
    Problem.FLAG_UNREADABLE: ("A yes-or-no column holds something else.", "Write yes or no."),
    Problem.COLUMN_MISSING: ("The file lacks a column that the policy needs.", "Add it, or join a course catalogue."),
    Problem.REPEAT_WITHOUT_FIRST: ("A repeat's first attempt is not there.", "Add it, or correct repeat_of."),
    Problem.REPEAT_UNCLEAR: ("Which attempt this one repeats is not clear.", "Fill term so that it matches."),
    Problem.REPEAT_ORDER: ("Which attempt came first is not known.", "Fill school_year."),
    Problem.GRADE_LEVEL_MISSING: ("The student's grade level at that time is missing.", "Fill grade_level."),
    Problem.PART_OF_SEMESTER: ("The credit is not a whole number of semesters.", "Correct the credit."),
    Problem.CREDIT_TOO_FINE: ("A selection counts in hundredths of a unit.", "Give the credit at most two places."),
    Problem.OVERRIDE_UNCLEAR: ("An override does not fit exactly one course.", "Withdraw it, or name the course anew."),
    Problem.TOO_HARD: ("The best selection could not be proven in the time allowed.", "A person must decide."),
}
