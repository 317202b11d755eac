"""The settings of a OneRoster connection: what people may write, and the same as values for the rest of the connector.

A preset (:mod:`connectors.oneroster.presets`) is laid below what a person wrote before anything is checked, so that
every rule holds for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from connectors.oneroster.endpoints import ENDPOINTS
from connectors.oneroster.presets import PRESETS
from gateway.sdk import did_you_mean

VERSIONS = ("1.1", "1.2")
SERVICES = ("rostering", "gradebook")
_PATHS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "1.1": {"rostering": "/ims/oneroster/v1p1", "gradebook": "/ims/oneroster/v1p1"},
        "1.2": {"rostering": "/ims/oneroster/rostering/v1p2", "gradebook": "/ims/oneroster/gradebook/v1p2"},
    }
)
MERGE_KEYS = ("sourcedId", "identifier", "userMasterIdentifier", "email", "username")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SECRET_OF = {"oauth2": ("client_id", "client_secret"), "oauth1": ("key", "secret"), "bearer": ("token",)}


def _address(value: str) -> None:
    parts = urlsplit(value)
    local = parts.hostname in _LOOPBACK
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValidationError("Write a web address such as https://sis.example.org.")
    if parts.scheme == "http" and not local:
        raise ValidationError("Write an address that begins with https://; keys do not travel in the open.")
    if parts.username or parts.password:
        raise ValidationError("Keep user names and passwords out of the address; they belong under auth.")


def _base_address(value: str) -> None:
    _address(value)
    if "/ims/oneroster" in value:
        raise ValidationError(
            "Write only what stands before /ims/oneroster; whole addresses of services belong under services."
        )


def _service_address(value: str) -> None:
    if not value.startswith("/"):
        _address(value)


def _described(kind: type[fields.Field[Any]], description: str, **kwargs: Any) -> fields.Field[Any]:
    return kind(metadata={"description": description}, **kwargs)


def _secret(description: str) -> fields.Field[Any]:
    return fields.String(load_default=None, metadata={"description": description, "secret": True})


def _choice(description: str, words: Sequence[str], default: str | None) -> fields.Field[Any]:
    return _described(
        fields.String, description, load_default=default, allow_none=default is None, validate=validate.OneOf(words)
    )


def _flag(description: str, *, default: bool) -> fields.Field[Any]:
    return _described(fields.Boolean, description, load_default=default)


def _count(description: str, default: int | None, low: int, high: int) -> fields.Field[Any]:
    return _described(
        fields.Integer, description, strict=True, load_default=default, allow_none=default is None,
        validate=validate.Range(low, high),
    )  # fmt: skip


def _texts(description: str) -> fields.Field[Any]:
    return fields.List(
        fields.String(validate=validate.Length(1)), load_default=list, metadata={"description": description}
    )


def _streams(description: str, default: Sequence[str] = (), key: str | None = None) -> fields.Field[Any]:
    names = list(ENDPOINTS)
    return fields.List(
        fields.String(validate=validate.OneOf(names, error=f"There is no such list; use {', '.join(names)}.")),
        data_key=key,
        load_default=lambda: list(default),
        metadata={"description": description},
    )


def _aliases(description: str) -> fields.Field[Any]:
    return fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), load_default=dict,
        metadata={"description": description},
    )  # fmt: skip


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


class AuthSchema(Strict):
    """How the gateway proves who it is."""

    type = _described(
        fields.String, "oauth2 (client credentials), oauth1 (1.1 only) or bearer (a fixed token).", required=True,
        validate=validate.OneOf(tuple(_SECRET_OF)),
    )  # fmt: skip
    token_url = _described(
        fields.String, "oauth2: the address that gives tokens.", load_default=None, validate=_address
    )
    client_id = _secret("oauth2: the key that the provider issued.")
    client_secret = _secret("oauth2: the secret that belongs to it.")
    style = _choice("oauth2: where key and secret go: header, body or query.", ("header", "body", "query"), "header")
    scopes = _described(
        fields.List, "oauth2: the scopes to ask for; without it, those that reading and writing need; [] for none.",
        cls_or_instance=fields.String(validate=validate.Length(1)), load_default=None, allow_none=True,
    )  # fmt: skip
    key = _secret("oauth1: the consumer key.")
    secret = _secret("oauth1: the secret that belongs to it.")
    signature = _choice(
        "oauth1: how requests are signed: HMAC-SHA256 or HMAC-SHA1.", ("HMAC-SHA256", "HMAC-SHA1"), "HMAC-SHA256"
    )
    token = _secret("bearer: the token.")

    @validates_schema
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        needed = (*_SECRET_OF[data["type"]], *(("token_url",) if data["type"] == "oauth2" else ()))
        missing = {name: ["This setting is missing for this type of auth."] for name in needed if not data.get(name)}
        if missing:
            raise ValidationError(missing)


class ProfileSchema(Strict):
    """How this provider deviates from the standard."""

    page_size = _count("How many records to ask for at once; a smaller answer is no harm.", 1000, 1, 10_000)
    filters = _flag("The provider understands filter.", default=True)
    sort = _flag("Ask for lists sorted by sourcedId, so that rows do not move between pages.", default=True)
    delta = _flag(
        "Pull only what changed since the last pull. Only for providers that keep dateLastModified and deliver deleted "
        "records as tobedeleted.", default=False,
    )  # fmt: skip
    delta_overlap_minutes = _count("How much further back a pull of changes starts.", 10, 0, 1440)
    envelopes = _aliases("Other names of a list's envelope, by the standard's name; * for all lists.")
    single_envelopes = _aliases("Other names of a single object's envelope, by the standard's name; * for all.")
    included = _streams("Pull only these lists; empty for all.", key="include")
    excluded = _streams("Lists that are not pulled.", key="exclude")
    optional = _streams(
        "Lists that are left out, without failure, when the provider refuses them (403 or 404).",
        ("demographics", "scoreScales"),
    )
    user_prefixes = _texts("Prefixes to take away from users' sourcedIds, where a digit follows.")
    merge_users_by = _choice(
        "Merge several user records of one person that have this field in common: sourcedId (after the prefixes), "
        "identifier, userMasterIdentifier, email or username.", MERGE_KEYS, None,
    )  # fmt: skip
    write_style = _choice(
        "New records: put under our own ids, or post and take the provider's ids.", ("put", "post"), "put"
    )
    put_returns_id = _flag("The provider may answer a PUT with a record under an id of its own.", default=False)
    inactivate = _choice(
        "How a record is withdrawn: delete, or put with status tobedeleted.", ("delete", "tobedeleted"), "delete"
    )
    requests_per_minute = _count("The most requests a minute; empty for no limit of ours.", None, 1, 100_000)
    push_concurrency = _count("How many records are sent at the same time.", 4, 1, 32)
    headers = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[A-Za-z0-9-]+\Z")),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Headers to send with each request, such as a vendor's key.", "secret": True},
    )

    @validates_schema
    def _agree(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["delta"] and not data["filters"]:
            raise ValidationError(
                {"delta": ["A pull of changes needs filters; set filters to true or delta to false."]}
            )


class SettingsSchema(Strict):
    """A connection to a OneRoster provider."""

    preset = fields.String(
        load_default=None,
        metadata={"description": "A vendor's settings to start from; whatever stands beside it wins."},
    )
    base_url = _described(
        fields.String, "The provider's address, up to what stands before /ims/oneroster.", load_default=None,
        validate=_base_address,
    )  # fmt: skip
    services = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SERVICES)),
        values=fields.String(validate=_service_address),
        load_default=dict,
        metadata={
            "description": "The address of a service (rostering, gradebook), whole or as a path below base_url, where "
            "it is not the standard's."
        },
    )
    version = _choice("The shape of the records: 1.1 or 1.2.", VERSIONS, "1.2")
    path_version = _choice("The version in the standard's paths, where it is not that of the records.", VERSIONS, None)
    auth = fields.Nested(AuthSchema, required=True, metadata={"description": "How the gateway proves who it is."})
    profile = fields.Nested(
        ProfileSchema,
        load_default=lambda: ProfileSchema().load({}),
        metadata={"description": "How this provider deviates from the standard."},
    )
    ca_bundle = _described(
        fields.String, "A file with the authorities' certificates to trust, from this file's folder.",
        load_default=None,
    )  # fmt: skip

    @pre_load
    def _from_preset(self, data: Any, **_: Any) -> Any:
        name = data.get("preset") if isinstance(data, Mapping) else None
        if name is None:
            return data
        if name not in PRESETS:
            known = f"Use one of: {', '.join(sorted(PRESETS))}."
            raise ValidationError({"preset": [f"This preset is not known.{did_you_mean(str(name), PRESETS)} {known}"]})
        return _laid_over(PRESETS[name].settings, data)

    @validates_schema
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        relative = [name for name, address in data["services"].items() if address.startswith("/")]
        if data["base_url"] is None and (relative or not data["services"]):
            raise ValidationError({"base_url": ["This setting is missing: the provider's address."]})


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` wins; mappings are merged key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            value = _laid_over(under, value)
        merged[key] = value
    return merged


@dataclass(frozen=True, slots=True)
class Profile:
    """:class:`ProfileSchema`, loaded."""

    page_size: int
    filters: bool
    sort: bool
    delta: bool
    delta_overlap_minutes: int
    envelopes: Mapping[str, Sequence[str]]
    single_envelopes: Mapping[str, Sequence[str]]
    included: Sequence[str]
    excluded: Sequence[str]
    optional: Sequence[str]
    user_prefixes: Sequence[str]
    merge_users_by: str | None
    write_style: str
    put_returns_id: bool
    inactivate: str
    requests_per_minute: int | None
    push_concurrency: int
    headers: Mapping[str, str]

    def list_names(self, name: str) -> tuple[str, ...]:
        """The names that the envelope of the list ``name`` may have, the standard's first."""
        return tuple(dict.fromkeys((name, *self.envelopes.get(name, ()), *self.envelopes.get("*", ()))))

    def single_names(self, name: str) -> tuple[str, ...]:
        """The names that the envelope of a single object may have, the standard's first."""
        return tuple(dict.fromkeys((name, *self.single_envelopes.get(name, ()), *self.single_envelopes.get("*", ()))))


def service_addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    """The address of each service that the connection has, without a slash at its end."""
    base, own = settings["base_url"], settings["services"]
    standard = _PATHS[settings["path_version"] or settings["version"]] if base else {}
    addresses = {**standard, **own}
    return {
        name: (f"{base.rstrip('/')}{address}" if address.startswith("/") else address).rstrip("/")
        for name, address in addresses.items()
    }
