"""The words of course files: subjects, levels and statuses as schools write them, and the one word used here.

A policy's own ``words`` come first. Comparison ignores case, spaces, hyphens and full stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SUBJECTS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "english": ("ENG", "ELA", "English language arts", "language arts"),
    "mathematics": ("MATH", "MAT", "maths", "math"),
    "science": ("SCI", "natural science", "physical science", "laboratory science", "lab science",
                "life and physical sciences"),
    "social_science": ("SOC", "SS", "social studies", "history", "HIST", "history/social science",
                       "social sciences and history"),
    "world_language": ("LANG", "WL", "foreign language", "world languages", "languages", "LOTE",
                       "foreign language and literature"),
    "philosophy_religion": ("REL", "PHIL", "religion", "philosophy", "comparative religion",
                            "religious education and theology"),
    "arts": ("ART", "VPA", "fine arts", "visual and performing arts", "music", "theatre", "fine and performing arts"),
    "physical_education": ("PE", "physed", "physical ed", "physical, health, and safety education"),
    "health": ("HEA", "health education"),
    "computing": ("CS", "computer science"),
    "career_technical": ("CTE", "vocational", "career and technical education"),
    "elective": ("ELEC", "ELE", "electives", "college preparatory elective", "other"),
})  # fmt: skip

LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "regular": ("REG", "R", "standard", "general", "college prep", "college preparatory", "CP"),
    "honors": ("H", "HON", "honours", "HN", "advanced", "accelerated"),
    "ap": ("advanced placement",),
    "ib": ("international baccalaureate", "IB HL", "IB SL"),
    "at": ("advanced topic", "advanced topics"),
    "college": ("DE", "dual", "dual enrollment", "dual enrolment", "concurrent", "CE", "early college"),
    "basic": ("remedial", "modified", "below"),
})  # fmt: skip

STATUSES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "completed": ("complete", "final", "posted", "done", "C"),
    "in_progress": ("in progress", "IP", "current", "ongoing", "enrolled", "scheduled"),
    "incomplete": ("I", "INC"),
    "withdrawn": ("W", "withdrew", "dropped", "drop"),
    "transfer": ("T", "TR", "transferred", "transfer credit"),
    "audit": ("AU", "audited"),
    "repeat": ("repeated", "retake", "retaken"),
})  # fmt: skip

VOCABULARIES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"subject": SUBJECTS, "level": LEVELS, "status": STATUSES}
)


def folded(word: str) -> str:
    """``word`` for comparison: small letters, without spaces, underscores, hyphens and full stops."""
    return "".join(c for c in word.lower() if c not in " _-.")


def known_words(own: Mapping[str, Mapping[str, tuple[str, ...]]]) -> dict[str, dict[str, str]]:
    """For each vocabulary (and each column that only ``own`` has), the folded word → the word used here."""
    known: dict[str, dict[str, str]] = {}
    for column in {**VOCABULARIES, **own}:
        known[column] = {}
        for vocabulary in (VOCABULARIES.get(column, {}), own.get(column, {})):
            for word, written in vocabulary.items():
                for each in (word, *written):
                    known[column][folded(each)] = word
    return known


def plain_grade(grade: str) -> str:
    """A grade as it is compared: ``a −`` is ``A-``, ``4.0`` is ``4``, ``93.50`` is ``93.5``."""
    text = "".join(grade.split()).upper().replace("−", "-").replace("–", "-")
    whole, point, fraction = text.partition(".")
    if point and whole.lstrip("-").isdigit() and fraction.isdigit():
        fraction = fraction.rstrip("0")
        return f"{whole}.{fraction}" if fraction else whole
    return text
