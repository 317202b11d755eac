"""Pages of transcripts, academic records and report cards become course attempts and the GPAs that the host states.

What a transcript line is silent of (subject, level, title, whether a GPA applies) is that of its course. GPAs of the
gateway's own namespace are ours, written by an earlier push, and are not taken for what the host states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from connectors.edfi import keys
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.filling import Listed, Rows, build, with_items, with_lists
from connectors.edfi.lookups import Lookups
from connectors.edfi.tables_transcripts import (
    ATTEMPTS,
    AVERAGES,
    CARD_GPAS,
    COURSE_KEY,
    ENDED,
    FLAT_GPAS,
    PERIOD_ENDED,
    RECORD_GPAS,
    STATED_TYPE,
)
from connectors.edfi.words import Dictionary
from gateway.sdk import empty

_SUBJECTS = "academicSubjects[].academicSubjectDescriptor"
_SUBJECTS_LISTED = Rows("courseTranscripts", "course_attempts", {"subjects": Listed(_SUBJECTS, "academicSubject")})
_LEVELS = "levelCharacteristics[]"
_LEVEL = "courseLevelCharacteristicDescriptor"
_HIGHEST_FIRST = ("ap", "ib", "college", "at", "honors", "regular", "basic")
_RECORD = "studentAcademicRecordReference"
_SESSION = ("schoolReference.schoolId", "schoolYearTypeReference.schoolYear", "termDescriptor")


@dataclass
class TranscriptMaker:
    """Makes the rows of one pull. ``namespace``: that of our own types of GPA, empty for none."""

    lookups: Lookups
    words: Dictionary
    namespace: str

    def attempts(self, flat: Flat, source: str) -> dict[str, pl.DataFrame]:
        """A course attempt for each transcript line."""
        frame = with_lists(_SUBJECTS_LISTED, flat, self.words)
        awards = flat.parts["partialCourseTranscriptAwards[]"].group_by(ROW).agg(
            pl.col("awardDate").max().alias("partialCourseTranscriptAwards[].awardDate")
        )  # fmt: skip
        frame = frame.join(awards, on=ROW, how="left", maintain_order="left")
        frame = frame.join(self._courses, on=COURSE_KEY, how="left", maintain_order="left")
        place = [f"{_RECORD}.{name}" for name in ("educationOrganizationId", "schoolYear", "termDescriptor")]
        return {"course_attempts": self._build(ATTEMPTS, self._with_end(frame, place), source)}

    def records(self, flat: Flat, source: str) -> dict[str, pl.DataFrame]:
        """The GPAs of academic records."""
        place = ["educationOrganizationReference.educationOrganizationId", *_SESSION[1:]]
        return self._stated("studentAcademicRecords", self._with_end(flat.rows, place), flat, source)

    def cards(self, flat: Flat, source: str) -> dict[str, pl.DataFrame]:
        """The GPAs of report cards."""
        rows = flat.rows.with_columns(keys.period("gradingPeriodReference").alias("_period"))
        rows = rows.join(self._period_ends, on="_period", how="left", maintain_order="left")
        return self._stated("reportCards", rows, flat, source)

    def _stated(self, resource: str, rows: pl.DataFrame, flat: Flat, source: str) -> dict[str, pl.DataFrame]:
        frame = rows.with_row_index(ROW)
        listed = with_items(frame, flat.parts[AVERAGES], AVERAGES)
        if self.namespace:
            listed = listed.filter(~pl.col(STATED_TYPE).str.starts_with(f"{self.namespace}/").fill_null(False))
        made = [self._build(CARD_GPAS if resource == "reportCards" else RECORD_GPAS, listed, source)]
        for each in FLAT_GPAS:
            if each.resource == resource:
                made.append(self._build(each, frame.drop_nulls(str(each.columns["value"])), source))
        return {"gpas": pl.concat(made)}

    def _build(self, rows: Rows, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        return build(rows, frame, self.words, source) if frame.height else empty(rows.table, raw=True)

    def _with_end(self, frame: pl.DataFrame, place: list[str]) -> pl.DataFrame:
        """The rows with the last day of the session of that school, year and term, where the host has one."""
        return frame.join(self._session_ends, left_on=place, right_on=list(_SESSION), how="left", maintain_order="left")

    @cached_property
    def _session_ends(self) -> pl.DataFrame:
        return self.lookups.sessions.rows.group_by(_SESSION).agg(pl.col("endDate").max().alias(ENDED))

    @cached_property
    def _period_ends(self) -> pl.DataFrame:
        rows = self.lookups.whole("gradingPeriods").rows
        key = keys.period("", "schoolReference.schoolId", "schoolYearTypeReference.schoolYear")
        return rows.select(key.alias("_period"), pl.col("endDate").alias(PERIOD_ENDED)).unique("_period", keep="first")

    @cached_property
    def _courses(self) -> pl.DataFrame:
        """What transcripts may be silent of, by the key of the course."""
        flat = self.lookups.whole("courses")
        frame = with_lists(
            Rows("courses", "courses", {"subjects": Listed(_SUBJECTS, "academicSubject")}), flat, self.words
        )
        frame = frame.join(self._levels(flat), on=ROW, how="left", maintain_order="left")
        return frame.select(
            pl.col("educationOrganizationReference.educationOrganizationId").alias(COURSE_KEY[0]),
            pl.col("courseCode").alias(COURSE_KEY[1]),
            *(pl.col(name).alias(f"courses.{name}")
              for name in ("courseTitle", _SUBJECTS, f"{_LEVELS}.{_LEVEL}", "courseGPAApplicabilityDescriptor")),
        ).unique(COURSE_KEY, keep="first", maintain_order=True)  # fmt: skip

    def _levels(self, flat: Flat) -> pl.DataFrame:
        """The level of each course that has one: of several the highest, a word that is not known last."""
        part = flat.parts[_LEVELS].drop(ITEM)
        words = part.with_columns(self.words.word(part, "courseLevelCharacteristic", _LEVEL).alias("_word"))
        ranks = pl.DataFrame({"_word": _HIGHEST_FIRST, "_rank": range(len(_HIGHEST_FIRST))})
        ranked = words.filter(pl.col("_word") != "").join(ranks, on="_word", how="left")
        first = ranked.sort(ROW, "_rank", "_word", nulls_last=True).unique(ROW, keep="first", maintain_order=True)
        return first.select(ROW, pl.col("_word").alias(f"{_LEVELS}.{_LEVEL}"))
