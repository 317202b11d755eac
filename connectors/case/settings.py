"""The settings of a CASE connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

VERSIONS: Mapping[str, str] = {"1.0": "/ims/case/v1p0", "1.1": "/ims/case/v1p1"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NEEDED = {"oauth2": ("token_url", "client_id", "client_secret"), "bearer": ("token",)}
_ONLY_REST = ("documents", "package_hosts", "auth", "ca_bundle")
_ONLY_FILES = ("framework_title", "framework_id")


def _address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValidationError("Write a web address such as https://case.example.org.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValidationError("Write an address that begins with https://.")
    if parts.username or parts.password:
        raise ValidationError("Keep user names and passwords out of the address; they belong under auth.")


def _base_address(value: str) -> None:
    _address(value)
    if "/ims/case" in value:
        raise ValidationError("Write only what stands before /ims/case; the version is a setting of its own.")


def _described(description: str, *, secret: bool = False) -> dict[str, Any]:
    return {"description": description} | ({"secret": True} if secret else {})


def _count(description: str, default: int, low: int, high: int) -> fields.Integer:
    return fields.Integer(
        strict=True, load_default=default, validate=validate.Range(low, high), metadata=_described(description)
    )


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


class AuthSchema(Strict):
    """How the gateway proves who it is."""

    type = fields.String(
        required=True,
        validate=validate.OneOf(tuple(_NEEDED)),
        metadata=_described("oauth2 (client credentials) or bearer (a fixed token)."),
    )
    token_url = fields.String(
        load_default=None, validate=_address, metadata=_described("oauth2: the address that gives tokens.")
    )
    client_id = fields.String(
        load_default=None, metadata=_described("oauth2: the key that the provider issued.", secret=True)
    )
    client_secret = fields.String(
        load_default=None, metadata=_described("oauth2: the secret that belongs to it.", secret=True)
    )
    style = fields.String(
        load_default="header",
        validate=validate.OneOf(("header", "body", "query")),
        metadata=_described("oauth2: where key and secret go: header, body or query."),
    )
    scopes = fields.List(
        fields.String(validate=validate.Length(1)),
        load_default=list,
        metadata=_described("oauth2: the scopes to ask for, if the provider wants any."),
    )
    token = fields.String(load_default=None, metadata=_described("bearer: the token.", secret=True))

    @validates_schema
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name in _NEEDED[data["type"]] if not data.get(name)]
        if missing:
            raise ValidationError({name: ["This setting is missing for this type of auth."] for name in missing})


class SettingsSchema(Strict):
    """Where frameworks come from: a provider (``base_url``) or files (``path``)."""

    base_url = fields.String(
        load_default=None,
        validate=_base_address,
        metadata=_described("The provider's address, up to what stands before /ims/case."),
    )
    path = fields.String(
        load_default=None,
        validate=validate.Length(1),
        metadata=_described(
            "Instead of base_url: a file, or a folder of files (.json, .csv), from this file's folder."
        ),
    )
    version = fields.String(
        load_default="1.1",
        validate=validate.OneOf(tuple(VERSIONS)),
        metadata=_described("The version in the provider's paths: 1.0 or 1.1. Packages of both are read anyway."),
    )
    documents = fields.List(
        fields.String(validate=validate.Length(1)),
        load_default=list,
        metadata=_described("The frameworks to pull, by identifier or exact title; empty for all."),
    )
    package_hosts = fields.List(
        fields.String(validate=validate.Regexp(r"[A-Za-z0-9.-]+\Z")),
        load_default=list,
        metadata=_described("Further hosts from which packages may be fetched, without our credentials."),
    )
    auth = fields.Nested(
        AuthSchema,
        load_default=None,
        metadata=_described("How the gateway proves who it is; leave it out for a public provider."),
    )
    ca_bundle = fields.String(
        load_default=None,
        metadata=_described("A file with the authorities' certificates to trust, from this file's folder."),
    )
    page_size = _count("How many documents to list at once; a smaller answer is no harm.", 100, 1, 10_000)
    timeout_seconds = _count("The most seconds that one answer may take.", 120, 1, 900)
    max_megabytes = _count("The largest package that is taken in, unpacked.", 64, 1, 1024)
    framework_title = fields.String(
        load_default=None,
        validate=validate.Length(1),
        metadata=_described("For a single .csv file: the framework's title; without it, the file's name."),
    )
    framework_id = fields.String(
        load_default=None,
        validate=validate.Length(1),
        metadata=_described("For a single .csv file: the framework's identifier; without it, one made from the title."),
    )

    @validates_schema
    def _one_origin(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data["base_url"] is None) == (data["path"] is None):
            raise ValidationError({"base_url": ["Write either base_url or path."]})
        kept_for = ("path", _ONLY_REST) if data["path"] is not None else ("base_url", _ONLY_FILES)
        misplaced = [name for name in kept_for[1] if data[name]]
        if misplaced:
            raise ValidationError({name: [f"This setting has no meaning beside {kept_for[0]}."] for name in misplaced})
