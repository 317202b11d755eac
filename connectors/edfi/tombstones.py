"""What ``/deletes`` and ``/keyChanges`` tell, as rows that are gone: the id out of the natural key that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from connectors.edfi import keys
from connectors.edfi.keys import code
from gateway.sdk import LINE, SOURCE, TABLES, IncompletePullError, empty

_SECTION = tuple(keys.section_parts(""))
_GRADE = keys.key(
    "grade", *_SECTION, code("gradingPeriodDescriptor"), pl.coalesce("gradingPeriodName", "periodSequence"),
    code("gradeTypeDescriptor"),
)  # fmt: skip

_LEVELED = (
    "gradingPeriodSchoolId", "gradingPeriodSchoolYear", code("gradingPeriodDescriptor"),
    pl.coalesce("gradingPeriodName", "periodSequence"),
)  # fmt: skip

GONE: Mapping[str, tuple[str, pl.Expr]] = MappingProxyType(
    {
        "studentSectionAssociations": (
            "enrollments", keys.key("enrollment", *_SECTION, "studentUniqueId", "beginDate")
        ),
        "staffSectionAssociations": ("enrollments", keys.key("teaching", *_SECTION, "staffUniqueId", "beginDate")),
        "gradebookEntries": ("line_items", keys.entry("", "")),
        "studentGradebookEntries": ("results", keys.below(keys.entry("", ""), "studentUniqueId")),
        **{
            resource: ("results", keys.key("level", *_LEVELED, *parts, "studentUniqueId"))
            for resource, parts in (
                ("studentCompetencyObjectives", (
                    "objectiveEducationOrganizationId", code("objectiveGradeLevelDescriptor"), "objective")),
                ("studentLearningObjectives", ("namespace", "learningObjectiveId")),
            )
        },
        "grades": ("results", keys.below(_GRADE, "studentUniqueId", "beginDate")),
    }
)  # fmt: skip
"""By resource, the table and the id of what is gone. A test gives results of several methods, which its key does not
tell; a pull of changes in which one is gone reads the gradebook as a whole."""

_NAMES = sorted({name for _, id_ in GONE.values() for name in id_.meta.root_names()})


def gone_rows(resource: str, kind: str, found: Sequence[Mapping[str, object]]) -> dict[str, pl.DataFrame]:
    """The rows that are gone, by table, called ``tobedeleted``.

    Raises :class:`IncompletePullError` (``edfi.no-keys``) where the host does not tell the whole key.
    """
    table, id_ = GONE[resource]
    told = [each.get("oldKeyValues" if kind == "keyChanges" else "keyValues") for each in found]
    keyed = [{name: str(value) for name, value in key.items()} if isinstance(key, dict) else {} for key in told]
    schema = dict.fromkeys(_NAMES, pl.String)
    ids = pl.DataFrame([{name: key.get(name) for name in _NAMES} for key in keyed], schema=schema).select(id_)
    named = ids.to_series()
    if named.null_count():
        raise IncompletePullError(
            f"The host does not tell the keys of {resource} that are gone.",
            hint="Set delta to false in the settings of this connection; every pull is then complete.",
            code="edfi.no-keys",
        )
    rows = empty(table, raw=True).clear(len(named)).with_columns(
        named.alias("id"), pl.lit("tobedeleted").alias("status"), pl.lit(f"{resource}/{kind}").alias(SOURCE),
        pl.int_range(1, len(named) + 1, dtype=pl.UInt32).alias(LINE),
    )  # fmt: skip
    return {table: rows.unique("id", keep="first", maintain_order=True).select(list(TABLES[table].raw_schema))}
