"""Sample districts that several tests read, and a reader of their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from gateway.sample import Mess, SampleSummary, write_sample_district

MESSY = Mess(mover=0.2, co_taught=0.2)
"""Enough movers and co-taught classes for a small district."""


@dataclass(frozen=True)
class Sample:
    """A written district and its summary."""

    folder: Path
    summary: SampleSummary

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_csv(self.folder / "oneroster" / f"{name}.csv", infer_schema=False)


Grow = Callable[..., Sample]


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Write a district into a folder of its own."""

    def write(name: str, **arguments: object) -> Sample:
        return Sample(tmp_path / name, write_sample_district(tmp_path / name, **{"seed": 5, **arguments}))

    return write


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """700 students with all kinds of mess; 30 results each keep it small."""
    folder = tmp_path_factory.mktemp("district")
    return Sample(folder, write_sample_district(folder, students=700, seed=5, mess=MESSY, results_per_student=30))


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """150 students with the default mess and a whole year of results."""
    folder = tmp_path_factory.mktemp("year")
    return Sample(folder, write_sample_district(folder, students=150, seed=5))
