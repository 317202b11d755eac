"""The deterministic sample district: for the demo, the tests, the benchmarks and a vendor's first steps."""

from __future__ import annotations

from gateway.sample.bad_records import BadRecord
from gateway.sample.mess import CLEAN, Mess
from gateway.sample.sample import DEFAULT_AS_OF, DEFAULT_STUDENTS, SampleSummary, write_sample_district

__all__ = ["CLEAN", "DEFAULT_AS_OF", "DEFAULT_STUDENTS", "BadRecord", "Mess", "SampleSummary", "write_sample_district"]
