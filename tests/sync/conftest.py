"""The shared sample district, and nights to run on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.stand import Nights, make_platform, write_district, write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "sis"
    write_sample(folder)
    return folder


@pytest.fixture
def nights(sample, tmp_path) -> Nights:
    platform = make_platform(sample)
    return Nights(write_district(tmp_path / "district", sample, address=platform.host), platform)
