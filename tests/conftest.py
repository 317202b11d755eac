"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(  # a busy machine is no fault of the code
    "mastery-gateway", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("mastery-gateway")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy or certificate setting of the machine reaches a test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public sample data, where the machine has it; the test is skipped otherwise."""
    if not SHARED.is_dir():
        pytest.skip("the public sample data is not beside this checkout")
    return SHARED
