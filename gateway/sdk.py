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

__all__ = [
    "LINE",
    "SOURCE",
    "TABLES",
    "Action",
    "AuthorizationError",
    "Change",
    "CheckItem",
    "ConfigurationError",
    "Connector",
    "Context",
    "DataError",
    "GatewayError",
    "IncompletePullError",
    "Outcome",
    "OutcomeState",
    "Page",
    "Place",
    "PullMode",
    "RejectedError",
    "Source",
    "Stream",
    "Table",
    "Target",
    "TransientError",
    "did_you_mean",
    "empty",
]
