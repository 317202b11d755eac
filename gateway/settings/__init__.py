"""A district's file: read, checked with line numbers, and opened."""

from __future__ import annotations

from gateway.settings.connections import credential_key, database_url, open_connection, secret_files, secret_problems
from gateway.settings.district import (
    ApiSettings,
    ConnectionSettings,
    Contact,
    CredentialSettings,
    District,
    PushSettings,
    Retention,
    SchoolSettings,
    SyncSettings,
    load_district,
)

__all__ = [
    "ApiSettings",
    "ConnectionSettings",
    "Contact",
    "CredentialSettings",
    "District",
    "PushSettings",
    "Retention",
    "SchoolSettings",
    "SyncSettings",
    "credential_key",
    "database_url",
    "load_district",
    "open_connection",
    "secret_files",
    "secret_problems",
]
