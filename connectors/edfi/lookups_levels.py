"""What has to be known beside a level: the end of its grading period, its objective, the scales of its words."""

from __future__ import annotations

from functools import cached_property

import polars as pl

from connectors.edfi import keys, tables_levels
from connectors.edfi.elements import ROW
from connectors.edfi.filling import with_items
from connectors.edfi.lookups import Lookups
from connectors.edfi.tables_levels import OBJECTIVE_KEYS, PERIOD, PERIOD_END


class LevelLookups:
    """The lookups of one pull. Each list is read once, when first needed."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    @property
    def has_scale(self) -> bool:
        """Whether the host tells its competency levels."""
        return not self.levels.is_empty()

    @cached_property
    def levels(self) -> pl.DataFrame:
        """The competency levels of the host."""
        return self._lookups.told("competencyLevelDescriptors").rows

    @cached_property
    def test_levels(self) -> pl.DataFrame:
        """The performance levels that tests declare, a row each."""
        flat = self._lookups.assessments
        collection = "performanceLevels[]"
        return with_items(flat.rows.with_row_index(ROW), flat.parts[collection], collection)

    @cached_property
    def test_scale_ids(self) -> pl.Series:
        return self.test_levels.select(tables_levels.TEST_SCALE.alias("id")).to_series().unique()

    def with_period_ends(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with the last day of their grading period."""
        named = frame.with_columns(keys.period(PERIOD).alias("_period"))
        return named.join(self._ends, on="_period", how="left", maintain_order="left").drop("_period")

    def with_objectives(self, resource: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with what the list of objectives tells of theirs."""
        told = self._objectives[resource]
        names = [name for name in told.columns if name in frame.columns]
        return frame.join(told, on=names, how="left", maintain_order="left")

    @cached_property
    def _objectives(self) -> dict[str, pl.DataFrame]:
        """By resource of levels: the key of each objective, and what else is told of it."""
        kinds = {
            "studentCompetencyObjectives": ("competencyObjectives", "competencyObjectiveId"),
            "studentLearningObjectives": ("learningObjectives", "objective"),
        }
        return {
            resource: self._lookups.told(listed)
            .rows.select(
                *(pl.col(_own(name)).alias(f"{place}.{name}") for name in names),
                pl.col(more).alias(f"{listed}.{more}"),
            )
            .unique([f"{place}.{name}" for name in names], keep="first", maintain_order=True)
            for resource, (listed, more) in kinds.items()
            for place, names in (OBJECTIVE_KEYS[resource],)
        }

    @cached_property
    def _ends(self) -> pl.DataFrame:
        rows = self._lookups.told("gradingPeriods").rows
        key = keys.period("", "schoolReference.schoolId", "schoolYearTypeReference.schoolYear").alias("_period")
        return rows.select(key, pl.col("endDate").alias(PERIOD_END)).drop_nulls("_period").unique("_period")


def _own(name: str) -> str:
    """A member of an objective's key as it stands in the objective itself."""
    return f"educationOrganizationReference.{name}" if name == "educationOrganizationId" else name
