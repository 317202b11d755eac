"""The settings of a district's file as marshmallow schemas; each field's description is its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from gateway.core.model import TABLES
from gateway.core.values import DateOrder
from gateway.engine import EngineName
from gateway.settings.cron import check_cron

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NAME_WORDS = "Use small letters, digits, - and _ for a name, at most 63, such as lakeside or sis-main."
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Duration(fields.Field[timedelta]):
    """A period such as ``90m``, ``6h`` or ``2d``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> timedelta:
        match = re.fullmatch(r"([0-9]{1,5})([mhd])", value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError("Write a period as a number and m, h or d, such as 90m, 6h or 2d.")
        return int(match[1]) * _UNITS[match[2]]


class Zone(fields.Field[ZoneInfo]):
    """A time zone by its name in the IANA list."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise ValidationError(
                "This time zone is not known; use a name such as America/New_York or Asia/Kolkata."
            ) from None


class Cron(fields.String):
    """A nightly time as five cron fields (see :mod:`gateway.settings.cron`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            return check_cron(str(super()._deserialize(value, attr, data, **kwargs)))
        except ValueError as error:
            raise error if isinstance(error, ValidationError) else ValidationError(str(error)) from None


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


def _described(kind: type[fields.Field[Any]], description: str, **kwargs: Any) -> fields.Field[Any]:
    return kind(metadata={"description": description}, **kwargs)


def _percent(description: str) -> fields.Field[Any]:
    bounds = validate.Range(Decimal(0), Decimal(100))
    return _described(fields.Decimal, description, allow_none=True, validate=bounds)


def _rows(description: str, *, allow_none: bool = False) -> fields.Field[Any]:
    return _described(fields.Integer, description, strict=True, allow_none=allow_none, validate=validate.Range(0))


class LimitsSchema(Strict):
    """When a guard holds a run. Every share has a floor in rows, below which nothing is held."""

    gone_percent = _percent("Hold when more than this share of a table vanished or would be inactivated.")
    gone_at_least = _rows("… but only if more rows than this are concerned.")
    gone_rows = _rows("Hold when more rows than this vanished, whatever the share.", allow_none=True)
    updated_percent = _percent("Hold when more than this share of a table changed.")
    updated_at_least = _rows("… but only if more rows than this are concerned.")
    quarantine_percent = _percent("Hold when more than this share of what was delivered went to quarantine.")
    quarantine_at_least = _rows("… but only if more rows than this are concerned.")
    rekeyed_percent = _percent("Hold when a key column (identifier, e-mail address, reference) changed for more.")
    rekeyed_at_least = _rows("… but only if more rows than this are concerned.")
    empty = _described(fields.Boolean, "Hold when a table that had rows is delivered empty.")


class GuardsSchema(LimitsSchema):
    """The limits for all tables, and for single ones."""

    tables = fields.Dict(
        keys=fields.String(validate=validate.OneOf(sorted(TABLES), error="There is no table of this name.")),
        values=fields.Nested(LimitsSchema),
        metadata={"description": "Limits for single tables, by name."},
    )


class PushSchema(Strict):
    """What travels back to the target."""

    category = _described(
        fields.String, "The title of the gradebook category.", load_default="Learner continuum",
        validate=validate.Length(1, 255),
    )  # fmt: skip
    inactivate = _described(fields.Boolean, "Inactivate at the target what is gone at the source.", load_default=True)


class SyncSchema(Strict):
    """One nightly job."""

    source = _described(fields.String, "The connection that is pulled from.", required=True)
    framework = _described(
        fields.String, "The connection that the framework is pulled from, if it is not a file of the mapping.",
        load_default=None,
    )  # fmt: skip
    mapping = _described(
        fields.String, "The mapping file; the path starts at this file's folder.", required=True,
        validate=validate.Length(1),
    )  # fmt: skip
    target = _described(fields.String, "The connection that is pushed to.", required=True)
    engine = _described(
        fields.String, "Where the mapping is worked out: `local`, or `dask`, on a cluster.",
        load_default="local",
        validate=validate.OneOf([each.value for each in EngineName], error="Write local or dask."),
    )  # fmt: skip
    scheduler = _described(
        fields.String, "The address of the Dask scheduler, such as tcp://host:8786.",
        load_default=None, allow_none=True, validate=validate.Regexp(
            r"(tcp|tls)://[^\s/@]+:\d{1,5}", error="Write it like tcp://host:8786 or tls://host:8786."
        ),
    )  # fmt: skip
    push = fields.Nested(
        PushSchema, load_default=lambda: PushSchema().load({}), metadata={"description": "What travels back."}
    )
    schedule = Cron(
        load_default=None,
        metadata={"description": "When it runs, in the district's time zone: minute, hour, day, month, day names."},
    )
    grace = Duration(
        load_default=timedelta(hours=6),
        validate=validate.Range(timedelta(minutes=10), error="A grace is at least 10m."),
        metadata={"description": "How late a missed run is still caught up."},
    )
    overlap = Duration(
        load_default=timedelta(hours=1),
        metadata={"description": "How far before the last pull a pull of changes starts again."},
    )
    missing_pulls = _described(
        fields.Integer, "In how many complete pulls in a row a record is missing before it counts as gone.",
        strict=True, load_default=2, validate=validate.Range(1, 100),
    )  # fmt: skip
    read_back = _described(
        fields.Integer, "How many pushed records of each kind are read back and compared.",
        strict=True, load_default=20, validate=validate.Range(0, 10_000),
    )  # fmt: skip
    guards = fields.Nested(GuardsSchema, load_default=dict, metadata={"description": "Limits of this sync only."})

    @validates_schema
    def _check_engine(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("engine") == EngineName.DASK and not data.get("scheduler"):
            raise ValidationError("The engine `dask` needs the address of its `scheduler`.", "engine")


class ConnectionSchema(Strict):
    """One configured connector."""

    connector = _described(fields.String, "The connector's name.", required=True)
    settings = _described(fields.Dict, "The connector's own settings.", load_default=dict)
    dates = _described(
        fields.Enum, "How this source writes dates that are not ISO 8601; without it they go to quarantine.",
        enum=DateOrder, by_value=True, load_default=None,
    )  # fmt: skip
    extra_credit = _described(fields.Boolean, "Accept scores above a line item's maximum.", load_default=False)


class RetentionSchema(Strict):
    """What is kept."""

    snapshots = _described(
        fields.Integer, "How many complete pulls are kept on disk.", strict=True, load_default=30,
        validate=validate.Range(2),
    )  # fmt: skip


class ContactSchema(Strict):
    """Whom readers of a document can ask."""

    name = _described(fields.String, "The person's name.", required=True, validate=validate.Length(1, 120))
    title = _described(fields.String, "The person's title, such as Registrar.", load_default="",
                       validate=validate.Length(max=120))  # fmt: skip
    email = _described(fields.String, "An e-mail address.", load_default="", validate=validate.Length(max=254))
    phone = _described(fields.String, "A telephone number, in quotes.", load_default="",
                       validate=validate.Length(max=40))  # fmt: skip


class SchoolSchema(Strict):
    """What stands at the head and foot of documents."""

    name = _described(fields.String, "The school's name; without it, the district's.", load_default=None,
                      validate=validate.Length(1, 200))  # fmt: skip
    address = fields.List(
        fields.String(validate=validate.Length(1, 120)), load_default=list, validate=validate.Length(max=6),
        metadata={"description": "The lines of the address."},
    )  # fmt: skip
    contact = fields.Nested(
        ContactSchema, load_default=None, metadata={"description": "Whom readers of a document can ask."}
    )
    ceeb = _described(fields.String, "The six-digit CEEB code, in quotes.", load_default="",
                      validate=validate.Regexp(r"([0-9]{6})?\Z", error="A CEEB code has six digits."))  # fmt: skip
    logo = _described(fields.String, "A PNG or SVG file of at most 512 KB.", load_default=None,
                      validate=validate.Length(1))  # fmt: skip
    footer = _described(fields.String, "Words at the foot of every page.", load_default="",
                        validate=validate.Length(max=300))  # fmt: skip


class CredentialsSchema(Strict):
    """Who signs credentials."""

    key = fields.String(
        load_default=None,
        metadata={"description": "The private key that signs: ${file:secrets/credentials.pem}.", "secret": True},
    )
    issuer = _described(fields.String, "The school's did:web address; without it, the key itself is the issuer.",
                        load_default=None, validate=validate.Regexp(r"did:web:[A-Za-z0-9.%:_-]+\Z",
                        error="Write it as did:web:school.example.org."))  # fmt: skip
    former_keys = fields.List(
        fields.String(validate=validate.Regexp(r"z[1-9A-HJ-NP-Za-km-z]{40,60}\Z", error="A public key begins z6Mk.")),
        load_default=list, metadata={"description": "Public keys that signed before; what they signed still verifies."},
    )  # fmt: skip
    contexts = _described(fields.String, "A folder of JSON-LD contexts that go before those of the program.",
                          load_default=None, validate=validate.Length(1))  # fmt: skip


class ApiSchema(Strict):
    """What the HTTP API of the district allows."""

    inbox = _described(fields.Boolean, "Products may write gradebook records into the district's inbox.",
                       load_default=False)  # fmt: skip
    inbox_records = _described(fields.Integer, "How many records each product may keep in the inbox.", strict=True,
                               load_default=500_000, validate=validate.Range(1, 10_000_000))  # fmt: skip
    private_webhooks = _described(fields.Boolean, "Webhooks may go to http and to addresses of the inner network.",
                                  load_default=False)  # fmt: skip
    sandbox = _described(fields.Boolean, "A made-up district for vendors to try their programs on; never a real one.",
                         load_default=False)  # fmt: skip


class DistrictSchema(Strict):
    """A district's file."""

    district = _described(fields.String, "The district's id, part of every key; never change it.", required=True,
                          validate=validate.Regexp(NAME.pattern + r"\Z", error=NAME_WORDS))  # fmt: skip
    name = _described(fields.String, "The district's name for people.", required=True, validate=validate.Length(1))
    time_zone = Zone(required=True, metadata={"description": "The zone of schedules and local dates."})
    data = _described(fields.String, "The folder of snapshots, runs and the database.", load_default="data")
    database = _described(
        fields.String, "The database's URL; without it, gateway.db in the data folder.", load_default=None
    )
    policies = _described(fields.String, "The folder of GPA policies (*.yaml).", load_default="mappings/gpa")
    school = fields.Nested(
        SchoolSchema,
        load_default=lambda: SchoolSchema().load({}),
        metadata={"description": "What stands at the head and foot of documents."},
    )
    credentials = fields.Nested(
        CredentialsSchema,
        load_default=lambda: CredentialsSchema().load({}),
        metadata={"description": "Who signs credentials."},
    )
    api = fields.Nested(
        ApiSchema,
        load_default=lambda: ApiSchema().load({}),
        metadata={"description": "What the HTTP API allows."},
    )
    connections = _described(fields.Dict, "The connections, by name.", required=True)
    syncs = _described(fields.Dict, "The nightly jobs, by name.", load_default=dict)
    guards = fields.Nested(GuardsSchema, load_default=dict, metadata={"description": "Limits of all syncs."})
    retention = fields.Nested(
        RetentionSchema,
        load_default=lambda: RetentionSchema().load({}),
        metadata={"description": "What is kept."},
    )
