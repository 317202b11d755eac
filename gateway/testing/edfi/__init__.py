"""A faithful fake of the Ed-Fi ODS/API, versions 5 to 8, Data Standard 3.2 to 6.0."""

from __future__ import annotations

from gateway.testing.edfi.gate import Claims, EdFiGate
from gateway.testing.edfi.host import Profile
from gateway.testing.edfi.service import FakeEdFi

__all__ = ["Claims", "EdFiGate", "FakeEdFi", "Profile"]
