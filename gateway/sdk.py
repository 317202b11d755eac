"""All that the author of a connector needs, in one place."""

from __future__ import annotations

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
from gateway.core.model import LINE, SOURCE, TABLES, Table, empty
from gateway.transport.auth import Bearer, OAuth1HmacSha256, OAuth2ClientCredentials
from gateway.transport.http import Answer, HttpClient, Limits
from gateway.transport.json_body import Fault, Records, decode_page, decode_records
from gateway.transport.paging import PageRequest, Received, fetch_pages, follow_offsets, next_link

__all__ = [
    "LINE",
    "SOURCE",
    "TABLES",
    "Action",
    "Answer",
    "AuthorizationError",
    "Bearer",
    "Change",
    "CheckItem",
    "ConfigurationError",
    "Connector",
    "Context",
    "DataError",
    "Fault",
    "GatewayError",
    "HttpClient",
    "IncompletePullError",
    "Limits",
    "OAuth1HmacSha256",
    "OAuth2ClientCredentials",
    "Outcome",
    "OutcomeState",
    "Page",
    "PageRequest",
    "Place",
    "PullMode",
    "Received",
    "Records",
    "RejectedError",
    "Source",
    "Stream",
    "Table",
    "Target",
    "TransientError",
    "decode_page",
    "decode_records",
    "did_you_mean",
    "empty",
    "fetch_pages",
    "follow_offsets",
    "next_link",
]
