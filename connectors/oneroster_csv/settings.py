"""The settings of a OneRoster CSV connection."""

from __future__ import annotations

import codecs

from marshmallow import Schema, ValidationError, fields, validate

VERSIONS = ("1.1", "1.2")


def _ascii_compatible(name: str) -> None:
    try:
        known = codecs.lookup(name)
        plain = known.decode(b'abc,"1"\r\n')[0]
    except (LookupError, ValueError):
        raise ValidationError("This is not an encoding that is known here (cp1252, iso-8859-1, …).") from None
    if plain != 'abc,"1"\r\n':
        raise ValidationError("Only an encoding that extends ASCII can stand in for UTF-8 (cp1252, iso-8859-1, …).")


class Settings(Schema):
    """Unknown settings are refused. Every field is described in ``docs/connectors/oneroster-csv.md``."""

    path = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "The folder or zip, from the folder of the district's file. See below for patterns."},
    )
    version = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(VERSIONS),
        metadata={
            "description": 'Source: leave it out; the manifest or the headers tell. Target: "1.2" unless said here.'
        },
    )
    fallback_encoding = fields.String(
        load_default=None,
        allow_none=True,
        validate=_ascii_compatible,
        metadata={"description": "Source: how to read rows that are not UTF-8. Without it they are set aside."},
    )
    mode = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(("bulk", "delta")),
        metadata={"description": "Target only, and needed there: the whole gradebook each night, or changes only."},
    )
    system_name = fields.String(
        load_default="mastery-gateway",
        metadata={"description": "Target: `source.systemName` in the manifest."},
    )
    system_code = fields.String(
        load_default="",
        metadata={"description": "Target: `source.systemCode` in the manifest."},
    )
