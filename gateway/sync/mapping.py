"""The map step: evidence of the snapshot, part by part, through the mapping; then the records for the target.

The same compiled mapping serves here, on the command line and in the API. Every part holds all results of its students,
so the result does not depend on how the snapshot is cut.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import raise_problems
from gateway.core.framework import Framework
from gateway.core.mapping import CompiledMapping, Mapped, gather_evidence, merge_mapped
from gateway.core.mapping.collect import NO_TIME, Collected
from gateway.core.mapping.gather import line_item_facts
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import plain
from gateway.core.model import SCORE, TABLES, TIME
from gateway.core.partition import STUDENT_TABLES
from gateway.core.records import Continuum, Gradebook, Naming, ScaleValue
from gateway.engine import open_engine
from gateway.mappings import in_force, load_mapping
from gateway.store.snapshots import Snapshot
from gateway.sync.planning import write_desired
from gateway.sync.work import Work

SHARED_TABLES = (
    "academic_sessions", "orgs", "courses", "classes", "users", "enrollments", "categories", "score_scales",
    "score_scale_values", "line_items", "line_item_learning_objectives", "line_item_score_scales",
)  # fmt: skip
OUTPUTS = ("levels", "continuum", "credits", "placement")
"""What stands under ``map/`` of a run, in the snapshot's parts, each sorted by student."""


def map_snapshot(
    work: Work, snapshot: Snapshot, framework: Framework | None = None, *, competencies: bool = False
) -> Mapping[str, Any]:
    """Write ``map/`` and ``desired/`` of the run; returns the counts for the report. A ``framework`` that was pulled
    takes the place of the file that the mapping names. ``competencies``: the target takes those that the mapping
    reports as records of their own.

    Raises :class:`MappingError` (``mapping.not-in-force``) outside the mapping's ``effective`` dates.
    """
    compiled = load_mapping(work.sync.mapping, framework=framework)
    as_of = work.run.started_at.astimezone(work.district.time_zone).date()
    raise_problems([fault] if (fault := in_force(compiled, as_of)) else [])
    tables = {
        name: snapshot.read(name, gone_after=work.sync.missing_pulls) for name in SHARED_TABLES if snapshot.has(name)
    }
    facts = line_item_facts(tables)
    domains = _domains(compiled)
    naming = Naming(work.district.id, work.sync.name, work.sync.push.category, compiled.name, _scale(compiled))
    gradebook = Gradebook(tables, domains.titles, naming)
    folder = work.folder / "map"
    desired = work.folder / "desired"
    shutil.rmtree(desired, ignore_errors=True)

    def evidence(part: int) -> pl.DataFrame:
        work.breathe()
        own = {
            name: snapshot.read(name, gone_after=work.sync.missing_pulls, part=part)
            for name in STUDENT_TABLES
            if snapshot.has(name)
        }
        return gather_evidence({**tables, **own}, line_items=facts)

    parts, levels, students = [], 0, 0
    # one part after the other: two at a time would be a little faster and need half as much memory again
    with open_engine(work.sync.engine, work.sync.scheduler) as engine:
        classes = {name: tables[name].select("id", "class_id") for name in ("line_items",) if name in tables}
        shared = _Shared(compiled, classes, as_of)
        for part, (mapped, where) in enumerate(engine.each(_map_part, shared, map(evidence, range(snapshot.parts)))):
            write_desired(desired, "results", part, gradebook.results(_continuum(compiled, domains, mapped, where)))
            work.progress("map", part, snapshot.parts)
            parts.append(_on_disk(folder, part, mapped))
            levels += mapped.levels.height
            students += mapped.levels["student_id"].n_unique()
    if competencies:
        write_desired(desired, "competencies", 0, _competencies(compiled, domains))
    whole = merge_mapped(parts)
    whole.unmatched.write_parquet(folder / "unmatched.parquet")
    for entity, rows in gradebook.frame().items():
        write_desired(desired, entity, 0, rows)
    return {
        "mapping": compiled.name,
        "version": compiled.version,
        "digest": compiled.digest,
        "evidence": whole.evidence,
        "used": whole.used,
        "set_aside": dict(whole.set_aside),
        "levels": levels,
        "students": students,
        "unmatched": int(whole.unmatched["rows"].sum()),
        "warnings": [finding.message for finding in compiled.framework.problems()],
    }


def _on_disk(folder: Path, part: int, mapped: Mapped) -> Mapped:
    """``mapped`` with its big tables in files and not in memory, so that memory holds one part at a time."""
    for name in OUTPUTS:
        _write_part(folder, name, part, getattr(mapped, name))
    return replace(
        mapped,
        levels=mapped.levels.clear(),
        continuum=mapped.continuum.clear(),
        credits=mapped.credits.clear(),
        placement=mapped.placement.clear(),
    )


def _write_part(folder: Path, name: str, part: int, rows: pl.DataFrame) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    rows.write_parquet(folder / name / f"part-{part:03}.parquet", compression="zstd")


_NOWHERE = pl.DataFrame(schema={"student_id": pl.String, "class_id": pl.String, "number": pl.Int64, "time": pl.Int64})


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the work on each part needs beside its evidence; of ``tables`` only what tells the class of a line item."""

    compiled: CompiledMapping
    tables: Mapping[str, pl.DataFrame]
    as_of: date


def _map_part(shared: _Shared, evidence: pl.DataFrame) -> tuple[Mapped, pl.DataFrame]:
    """One part mapped, and where its evidence was scored: student, class, competency's number, last time."""
    compiled = shared.compiled
    collected = compiled.collect(evidence, as_of=shared.as_of)
    where = where_scored(collected, len(compiled.ids), shared.tables)
    return compiled.summarise(collected, evidence=evidence.height, as_of=shared.as_of), where


def where_scored(collected: Collected, numbers: int, shared: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Where levels come from: ``student_id``, ``class_id``, the competency's ``number``, and the last ``time``."""
    counted = collected.counted
    if "line_items" not in shared or "line_item_id" not in counted.columns:
        return _NOWHERE
    classes = shared["line_items"].select(pl.col("id").alias("line_item_id"), "class_id")
    return (
        counted.group_by("key", "line_item_id")
        .agg(pl.col("time").max())
        .join(classes, on="line_item_id")
        .group_by("key", "class_id")
        .agg(pl.col("time").max())
        .select(
            pl.lit(collected.students).gather(pl.col("key") // numbers).alias("student_id"),
            "class_id",
            (pl.col("key") % numbers).alias("number"),
            "time",
        )
    )


@dataclass(frozen=True, slots=True)
class _Domains:
    """The domain of each competency, by number, and the domains' titles."""

    of: list[str | None]
    titles: Mapping[str, str]


def _competencies(compiled: CompiledMapping, domains: _Domains) -> pl.DataFrame:
    """The competencies of which a record may tell a level."""
    found = [compiled.framework.competencies[id] for id, domain in zip(compiled.ids, domains.of, strict=True) if domain]
    told = {
        "id": [each.id for each in found],
        "code": [each.code for each in found],
        "statement": [each.statement for each in found],
        "abbreviated_statement": [each.abbreviated_statement for each in found],
        "education_levels": [list(each.education_levels) for each in found],
    }
    return pl.DataFrame(told, schema={name: TABLES["competencies"].schema[name] for name in told}).sort("id")


def _domains(compiled: CompiledMapping) -> _Domains:
    """As the mapping's continuum says, or else the framework's top level."""
    framework = compiled.framework
    if compiled.continuum is not None:
        of = list(compiled.continuum.domain_of)
    else:
        of = [_top(framework, id) for id in compiled.ids]
    return _Domains(of, {name: _title(framework, name) for name in dict.fromkeys(of) if name is not None})


def _top(framework: Framework, id: str) -> str:
    chain = [id, *framework.ancestors(id)]
    top = framework.competencies[chain[-1]]
    return top.code or top.id


def _title(framework: Framework, name: str) -> str:
    found = framework.find(name)
    return (found.abbreviated_statement or found.statement)[:100] if found else name


def _continuum(compiled: CompiledMapping, domains: _Domains, mapped: Mapped, taught: pl.DataFrame) -> Continuum:
    """The mapping's result in the form in which records are made of it."""
    numbers = pl.DataFrame(
        {"competency": list(compiled.labels), "competency_id": list(compiled.ids), "domain": domains.of},
        schema={"competency": pl.String, "competency_id": pl.String, "domain": pl.String},
    )
    named = {value.level: value.label for value in _scale(compiled)}
    levels = (
        mapped.levels.select("student_id", "competency", "level")
        .filter(pl.col("level").is_not_null())
        .join(numbers.drop_nulls(), on="competency")
    )
    text = pl.col("level").cast(pl.String).str.replace(r"\.?0+$", "")
    placed = taught.with_columns(
        pl.Series(domains.of, dtype=pl.String).gather(taught["number"]).alias("domain")
    ).drop_nulls("domain")
    known = pl.col("time").filter(pl.col("time") != NO_TIME)
    last = placed.group_by("student_id", "domain").agg(known.max().cast(TIME).alias("last_scored_at"))
    return Continuum(
        levels=levels.select(
            "student_id",
            "domain",
            "competency_id",
            pl.col("level").cast(SCORE),
            text.replace_strict(named, default=None, return_dtype=pl.String).alias("label"),
        ),
        domains=_domain_levels(mapped, levels).join(last, on=["student_id", "domain"]),
        taught=placed.select("student_id", "class_id", "domain").unique(),
    )


def _domain_levels(mapped: Mapped, levels: pl.DataFrame) -> pl.DataFrame:
    """Per student and domain what a result says: the performance level as text and, where the mapping rolls levels up
    to the domain itself, that level as the score. There is no other number: a stage of the framework is not a level
    on the scale."""
    if mapped.continuum.is_empty():
        placed = levels.select("student_id", "domain", pl.lit(None, pl.String).alias("label")).unique()
    else:
        placed = mapped.continuum.select("student_id", "domain", pl.col("performance_level").alias("label"))
    rolled_up = mapped.levels.select(
        "student_id", pl.col("competency").alias("domain"), pl.col("level").cast(SCORE).alias("score")
    )
    return placed.join(rolled_up, on=["student_id", "domain"], how="left")


def _scale(compiled: CompiledMapping) -> list[ScaleValue]:
    """The steps of the mapping's main scale that have a name, lowest first."""
    return [ScaleValue(plain(from_micros(level)), name) for level, name in sorted(compiled.scale.names.items())]
