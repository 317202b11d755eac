"""What line items are aligned to: the targets of a framework by subject and performance level, and a crosswalk.

A subject is its place in :data:`gateway.sample.schools.KINDS`.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gateway.core.case import check_packages, read_packages
from gateway.core.competency import Competency
from gateway.core.errors import MappingError, Place
from gateway.core.framework import Framework
from gateway.sample.framework import LOCAL_PREFIX, lakeside_items
from gateway.sample.framework_words import LEVELS
from gateway.sample.schools import KINDS

SUBJECT_WORDS: Mapping[str, str] = {
    "HOW": r"homeroom|advisory|habits?",
    "MATH": r"math\w*|algebra|geometry|calculus|statistics",
    "ELA": r"english|language arts|ela|reading|writing|literacy|literature",
    "SOC": r"social|history|civics|government|geography|economics",
    "SCI": r"sciences?|biology|chemistry|physics",
}
"""How a subject is told from the words of a course, a class or a framework; social science comes before science."""

_ACADEMIC = (1, 2, 3, 4)
_GRADES = frozenset(f"{level:02}" for level in LEVELS)
_NOT_ASSESSED = frozenset(
    (
        "accessibility", "clarification", "example", "general requirements", "rubric", "section heading", "stem",
        "task description", "task model",
    )
)  # fmt: skip
"""Item types under which public frameworks keep notes that nobody is scored on."""


@dataclass(frozen=True, slots=True)
class Target:
    """One item that can be assessed. ``strand`` numbers what a student is alike good at; no levels: fits all."""

    objective: str
    code: str
    local: str
    title: str
    kinds: tuple[int, ...]
    strand: int
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TargetPool:
    """``rows``: the targets, so ordered that ``ranges`` (``kind``, ``level``, ``first``, ``count``) are stretches."""

    targets: tuple[Target, ...]
    rows: pl.DataFrame
    ranges: pl.DataFrame

    @property
    def kinds(self) -> tuple[int, ...]:
        """The subjects that have targets."""
        return tuple(sorted(set(self.ranges["kind"].to_list())))

    def crosswalk(self) -> pl.DataFrame:
        """Local code (``standard``) to competency, each target once; a table as mappings read them."""
        rows = [(target.local, target.code, "1") for target in self.targets]
        return pl.DataFrame(rows, schema=["standard", "competency", "weight"], orient="row")


def make_pool(targets: Sequence[Target]) -> TargetPool:
    """Order ``targets`` by subject and level; a level without targets of its own takes those of the nearest one."""
    rows: list[tuple[str, str, str, int]] = []
    ranges: list[tuple[int, int, int, int]] = []
    for kind in range(len(KINDS)):
        fitting = [target for target in targets if kind in target.kinds]
        known = sorted({level for target in fitting for level in target.levels})
        for level in LEVELS if fitting else ():
            nearest = min(known, key=lambda each: (abs(each - level), each), default=None)
            chosen = [target for target in fitting if not target.levels or nearest in target.levels]
            ranges.append((kind, level, len(rows), len(chosen)))
            rows += [(target.objective, target.local, target.title, target.strand) for target in chosen]
    columns = {"objective": pl.String, "local": pl.String, "topic": pl.String, "strand": pl.UInt64}
    stretches = dict.fromkeys(("kind", "level", "first", "count"), pl.Int64)
    return TargetPool(
        tuple(targets),
        pl.DataFrame(rows, schema=columns, orient="row"),
        pl.DataFrame(ranges, schema=stretches, orient="row"),
    )


def lakeside_pool() -> TargetPool:
    """The targets of our own framework."""
    return make_pool(
        [
            Target(
                objective=item.id,
                code=item.code,
                local=f"{LOCAL_PREFIX}{item.code}",
                title=item.title.rstrip("123 "),
                kinds=(KINDS.index(item.domain),),
                strand=item.strand or 0,
                levels=() if item.level is None else (item.level,),
            )
            for item in lakeside_items()
            if item.kind == "Target"
        ]
    )


def subjects_of(text: str) -> tuple[int, ...]:
    """The subjects that the words of ``text`` name."""
    return tuple(
        KINDS.index(kind)
        for kind, words in SUBJECT_WORDS.items()
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
    )


# An existing framework -----------------------------------------------------------------------------------------------


def read_pool(path: Path) -> tuple[TargetPool, str]:
    """The targets of a CASE package (its leaves, notes left out) and the framework's id.

    An item belongs to the subjects that its own subject names, else to those that the document's subject or title
    names, else to every academic subject.
    """
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MappingError(
            "The framework cannot be read as JSON.", hint="Give the file of a CASE package.", code="sample.framework",
            place=Place(path.name), detail=str(error),
        ) from None  # fmt: skip
    tables = check_packages(read_packages(data, source=path.name).frames).tables
    framework = Framework.from_tables(tables)
    leaves = [framework.competencies[id] for id in framework.leaves]
    assessed = [leaf for leaf in leaves if (leaf.item_type or "").lower() not in _NOT_ASSESSED] or leaves
    if not assessed:
        raise MappingError(
            "The framework has no items to align to.", hint="Choose another CASE package.", code="sample.framework",
            place=Place(path.name),
        )  # fmt: skip
    return make_pool(list(_targets(assessed, tables, framework.id))), framework.id


def _targets(items: Sequence[Competency], tables: Mapping[str, pl.DataFrame], framework: str) -> Iterable[Target]:
    named = dict(tables["competencies"].select("id", pl.col("subjects").list.join(" ")).iter_rows())
    document = tables["frameworks"].filter(pl.col("id").str.to_lowercase() == framework)
    words = pl.concat_str(pl.col("subjects").list.join(" "), "title", separator=" ", ignore_nulls=True)
    otherwise = subjects_of(document.select(words).item()) or _ACADEMIC
    codes = [item.code for item in items]
    taken: set[str] = set()
    for number, item in enumerate(items):
        code = item.code if item.code and codes.count(item.code) == 1 else item.id
        local = "LOC." + re.sub(r"[^A-Za-z0-9.-]+", "-", code)
        local = local if local not in taken else f"LOC.{item.id}"
        taken.add(local)
        yield Target(
            objective=item.id,
            code=code,
            local=local,
            title=_title(item),
            kinds=subjects_of(named.get(item.id) or "") or otherwise,
            strand=number,
            levels=tuple(sorted({int(level) for level in item.education_levels if level in _GRADES})),
        )


def _title(item: Competency) -> str:
    words = re.sub(r"[^\w .,-]+", " ", item.abbreviated_statement or item.statement)
    return textwrap.shorten(words, 60, placeholder=" …")
