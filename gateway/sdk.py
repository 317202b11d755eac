"""All that the author of a connector needs, in one place."""

from __future__ import annotations

from gateway.core import oneroster
from gateway.core.case import CasePackages, case_identifier, read_packages
from gateway.core.case_csv import read_opensalt_csv
from gateway.core.check import read_rows
from gateway.core.competency import normal_id, package_identifier
from gateway.core.connector import Connector, Context
from gateway.core.errors import (
    AuthorizationError,
    ConfigurationError,
    DataError,
    GatewayError,
    IncompletePullError,
    Place,
    RejectedError,
    TransientError,
    did_you_mean,
)
from gateway.core.exchange import (
    REJECTS,
    REJECTS_SCHEMA,
    Action,
    Change,
    CheckItem,
    Outcome,
    OutcomeState,
    Page,
    PullMode,
    Source,
    Stream,
    Target,
)
from gateway.core.model import FRAMEWORK_TABLES, LINE, SOURCE, TABLES, Column, Kind, Table, empty
from gateway.core.values import read_values
from gateway.transport.atomic import atomic_file, atomic_folder
from gateway.transport.auth import Bearer, OAuth1HmacSha256, OAuth2ClientCredentials
from gateway.transport.bundle import Bundle, file_changed, newest, open_bundle
from gateway.transport.csv_file import CsvBatch, CsvTable, Position, open_csv, read_batches
from gateway.transport.http import Answer, HttpClient, Limits, origin
from gateway.transport.json_body import Fault, Records, decode_page, decode_records
from gateway.transport.lanes import Lanes
from gateway.transport.paging import PageRequest, Received, fetch_pages, follow_offsets, next_link
from gateway.transport.throttle import Throttle

__all__ = [
    "FRAMEWORK_TABLES",
    "LINE",
    "REJECTS",
    "REJECTS_SCHEMA",
    "SOURCE",
    "TABLES",
    "Action",
    "Answer",
    "AuthorizationError",
    "Bearer",
    "Bundle",
    "CasePackages",
    "Change",
    "CheckItem",
    "Column",
    "ConfigurationError",
    "Connector",
    "Context",
    "CsvBatch",
    "CsvTable",
    "DataError",
    "Fault",
    "GatewayError",
    "HttpClient",
    "IncompletePullError",
    "Kind",
    "Lanes",
    "Limits",
    "OAuth1HmacSha256",
    "OAuth2ClientCredentials",
    "Outcome",
    "OutcomeState",
    "Page",
    "PageRequest",
    "Place",
    "Position",
    "PullMode",
    "Received",
    "Records",
    "RejectedError",
    "Source",
    "Stream",
    "Table",
    "Target",
    "Throttle",
    "TransientError",
    "atomic_file",
    "atomic_folder",
    "case_identifier",
    "decode_page",
    "decode_records",
    "did_you_mean",
    "empty",
    "fetch_pages",
    "file_changed",
    "follow_offsets",
    "newest",
    "next_link",
    "normal_id",
    "oneroster",
    "open_bundle",
    "open_csv",
    "origin",
    "package_identifier",
    "read_batches",
    "read_opensalt_csv",
    "read_packages",
    "read_rows",
    "read_values",
]
