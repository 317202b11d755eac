"""The settings of an Ed-Fi connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from connectors.edfi.target_settings import refuse_unwritable, target_field, writes_field
from connectors.edfi.versions import STANDARDS

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STEP = r"[A-Za-z0-9._-]+\Z"
STREAM_NAMES = ("orgs", "sessions", "courses", "classes", "users", "enrollments", "gradebook", "demographics",
                "transcripts", "frameworks")  # fmt: skip
WORD_KINDS = (
    "academicSubject", "assignmentLateStatus", "classroomPosition", "competencyLevel", "courseAttemptResult",
    "courseLevelCharacteristic", "gradeLevel", "learningStandardEquivalenceStrength", "race", "relation", "sex",
    "staffClassification", "submissionStatus", "term",
)  # fmt: skip
STANDARD_WORDS = ("auto", *(f"{major}.{minor}" for major, minor in STANDARDS))


def _address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValidationError("Write a web address such as https://api.example.org/v7.3/api.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValidationError("Write an address that begins with https://; keys do not travel in the open.")
    if parts.username or parts.password:
        raise ValidationError("Keep user names and passwords out of the address; they belong under auth.")
    if "/data/v3" in parts.path or parts.path.rstrip("/").endswith("/oauth/token"):
        raise ValidationError(
            "Write the address of the host itself, where its own description stands; the others are read from there."
        )


def _described(description: str, *, secret: bool = False) -> dict[str, Any]:
    return {"description": description} | ({"secret": True} if secret else {})


def _step(description: str) -> fields.Field[Any]:
    return fields.String(load_default="", validate=validate.Regexp(rf"|{_STEP}"), metadata=_described(description))


def _count(description: str, default: int | None, low: int, high: int) -> fields.Field[Any]:
    return fields.Integer(
        strict=True, load_default=default, allow_none=default is None, validate=validate.Range(low, high),
        metadata=_described(description),
    )  # fmt: skip


def _choice(description: str, words: Sequence[str], default: str) -> fields.Field[Any]:
    return fields.String(load_default=default, validate=validate.OneOf(words), metadata=_described(description))


def _names(description: str) -> fields.Field[Any]:
    return fields.List(fields.String(validate=validate.Length(1)), load_default=list, metadata=_described(description))


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


class AuthSchema(Strict):
    """How the gateway proves who it is: OAuth 2 client credentials."""

    client_id = fields.String(
        required=True, validate=validate.Length(1), metadata=_described("The key of the API client.", secret=True)
    )
    client_secret = fields.String(
        required=True, validate=validate.Length(1), metadata=_described("The secret that belongs to it.", secret=True)
    )
    style = _choice("Where key and secret go: header (HTTP Basic) or body.", ("header", "body"), "header")


class SettingsSchema(Strict):
    """A connection to an Ed-Fi ODS/API, 5.x to 7.x, or to v8."""

    base_url = fields.String(
        required=True,
        validate=_address,
        metadata=_described("The host's address, where its description of itself (version, urls) stands."),
    )
    auth = fields.Nested(AuthSchema, required=True, metadata=_described("How the gateway proves who it is."))
    tenant = _step("The tenant, for a host with several (7.0 and later).")
    instance = _step("The instance, for a host with several (up to 6.x).")
    school_year = _count("The school year in the address, for a host with one database a year.", None, 1990, 2100)
    data_standard = _choice(
        "The version of the Data Standard, if not the one that the host tells.", STANDARD_WORDS, "auto"
    )
    trusted_hosts = fields.List(
        fields.String(validate=validate.Regexp(r"[A-Za-z0-9.-]+(?::\d+)?\Z")),
        load_default=list,
        metadata=_described("Further hosts (name or name:port) to which the host's own description may send us."),
    )
    streams = fields.List(
        fields.String(validate=validate.OneOf(STREAM_NAMES)),
        load_default=list,
        metadata=_described(
            f"What is pulled: {', '.join(STREAM_NAMES)}; empty for all but demographics, transcripts and frameworks."
        ),
    )
    contacts = fields.Boolean(
        load_default=False,
        metadata=_described("Pull students' contacts (parents up to 4.0) as users too, with whom they belong to."),
    )
    frameworks = fields.List(
        fields.String(validate=validate.Length(1)),
        load_default=list,
        metadata=_described("The frameworks to pull, by title or id; empty for all. A sync needs exactly one."),
    )
    excluded = fields.List(
        fields.String(validate=validate.Length(1)),
        data_key="exclude",
        load_default=list,
        metadata=_described("Resources that are not read, such as studentAssessments."),
    )
    words = fields.Dict(
        keys=fields.String(validate=validate.OneOf(WORD_KINDS)),
        values=fields.Dict(keys=fields.String(), values=fields.String()),
        load_default=dict,
        metadata=_described(
            f"OneRoster's words for the host's own descriptor codes, by kind: {', '.join(WORD_KINDS)}."
        ),
    )
    delta = fields.Boolean(
        load_default=False,
        metadata=_described("Pull only what changed of enrolments and results; the host's change queries must be on."),
    )
    snapshot = fields.Boolean(
        load_default=False, metadata=_described("Read from the host's snapshot, so that nothing moves meanwhile.")
    )
    page_size = _count("How many records to ask for at once; hosts allow 500 unless set otherwise.", 500, 1, 10_000)
    requests_per_minute = _count("The most requests a minute; empty for no limit of ours.", None, 1, 1_000_000)
    push_concurrency = _count("How many records are sent at the same time.", 8, 1, 32)
    timeout_seconds = _count("The most seconds that one answer may take.", 120, 1, 900)
    ca_bundle = fields.String(
        load_default=None,
        metadata=_described("A file with the authorities' certificates to trust, from this file's folder."),
    )
    write = writes_field()
    target = target_field()

    @validates_schema
    def _writable(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_unwritable(data)
