"""The provider at the other end: an HTTP client per service, with the credentials, the pace and the headers of the
connection.

Reading and writing ask for tokens of their own, each with no more scopes than it needs.
Source: OneRoster 1.2, section on scopes; 1.1 has the same names under ``/v1p1/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from requests.auth import AuthBase

from connectors.oneroster.endpoints import ENDPOINTS, Endpoint
from connectors.oneroster.settings import Profile, service_addresses
from gateway.sdk import (
    Answer,
    AuthorizationError,
    Bearer,
    ConfigurationError,
    Context,
    GatewayError,
    HttpClient,
    Limits,
    OAuth1HmacSha256,
    OAuth2ClientCredentials,
    RejectedError,
    Throttle,
)

_SCOPE = "https://purl.imsglobal.org/spec/or/{}/scope/{}"


class Provider:
    """One provider, as the settings of a connection describe it. Several threads may use it."""

    def __init__(self, settings: Mapping[str, Any], context: Context, *, writes: bool = False) -> None:
        self.profile = Profile(**settings["profile"])
        self.version: str = settings["version"]
        self.addresses = service_addresses(settings)
        self.scopes = self._scopes(settings, writes=writes)
        self._throttle = Throttle(self.profile.requests_per_minute, context.sleep)
        auth = _auth(settings["auth"], self.scopes)
        ca_bundle = context.folder / settings["ca_bundle"] if settings["ca_bundle"] else None
        limits = Limits(connections=max(8, self.profile.push_concurrency))
        self._clients = {
            name: HttpClient.for_connection(context, base_url=address, auth=auth, limits=limits, ca_bundle=ca_bundle)
            for name, address in self.addresses.items()
        }

    def endpoints(self) -> Iterator[Endpoint]:
        """The lists that the connection pulls, parents first."""
        for endpoint in ENDPOINTS.values():
            wanted = endpoint.name in self.profile.included if self.profile.included else True
            offered = endpoint.service in self.addresses and (endpoint.in_1_1 or self.version != "1.1")
            if wanted and offered and endpoint.name not in self.profile.excluded:
                yield endpoint

    def request(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request to the endpoint's service; see :meth:`gateway.sdk.HttpClient.request`.

        Raises :class:`ConfigurationError` (``oneroster.no-service``) when the connection has no address of it.
        """
        client = self._clients.get(endpoint.service)
        if client is None:
            raise ConfigurationError(
                f"This connection has no address of the {endpoint.service} service.",
                hint=f"Add base_url, or {endpoint.service} under services, to its settings.",
                code="oneroster.no-service",
            )
        self._throttle.wait()
        return client.request(method, path, params=params, body=body, headers=self.profile.headers)

    def read(self, endpoint: Endpoint, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET; a refusal says which list and which right it is about."""
        try:
            return self.request("GET", endpoint, path, params=params)
        except (AuthorizationError, RejectedError) as refusal:
            raise _explained(refusal, endpoint, self.version) from refusal

    def _scopes(self, settings: Mapping[str, Any], *, writes: bool) -> Sequence[str]:
        own = settings["auth"]["scopes"]
        return (
            own
            if own is not None
            else default_scopes(self.version, list(self.endpoints()), self.profile, writes=writes)
        )


def default_scopes(version: str, endpoints: Sequence[Endpoint], profile: Profile, *, writes: bool) -> list[str]:
    """The scopes that pulling ``endpoints`` needs, or pushing into the gradebook."""
    services = {"gradebook"} if writes else {endpoint.service for endpoint in endpoints}
    names = ["roster.readonly"] if "rostering" in services else []
    if not writes and any(endpoint.name == "demographics" for endpoint in endpoints):
        names.append("roster-demographics.readonly")
    if "gradebook" in services:
        names.append("gradebook.readonly")
    if writes:
        names.append("gradebook.createput")
        names += ["gradebook.createpost"] if profile.write_style == "post" else []
        names += ["gradebook.delete"] if profile.inactivate == "delete" else []
    return [scope(version, name) for name in names]


def scope(version: str, name: str) -> str:
    """The whole name of a scope: ``https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly``."""
    return _SCOPE.format("v1p1" if version == "1.1" else "v1p2", name)


def reading_scope(version: str, endpoint: Endpoint) -> str:
    """The scope without which a list is refused."""
    if endpoint.name == "demographics":
        return scope(version, "roster-demographics.readonly")
    return scope(version, "gradebook.readonly" if endpoint.service == "gradebook" else "roster.readonly")


def _auth(settings: Mapping[str, Any], scopes: Sequence[str]) -> AuthBase:
    if settings["type"] == "bearer":
        return Bearer(settings["token"])
    if settings["type"] == "oauth1":
        return OAuth1HmacSha256(settings["key"], settings["secret"], settings["signature"])
    return OAuth2ClientCredentials(
        settings["token_url"], settings["client_id"], settings["client_secret"], " ".join(scopes), settings["style"]
    )


def _explained(refusal: GatewayError, endpoint: Endpoint, version: str) -> GatewayError:
    """The refusal of a list, with what to do about that list."""
    hints = {
        "http.forbidden": f"Ask for the scope {reading_scope(version, endpoint)}, or name {endpoint.name} under "
        "exclude in the profile of this connection.",
        "http.not-found": f"Check the addresses of this connection; if the provider has no {endpoint.name}, name it "
        "under exclude in the profile.",
        "http.refused": "If the provider does not know sort, limit or filter, set sort or filters to false in the "
        "profile of this connection.",
    }
    if refusal.code not in hints:
        return refusal
    explained = type(refusal)(refusal.message, hint=hints[refusal.code], code=refusal.code, place=refusal.place)
    if isinstance(refusal, RejectedError) and isinstance(explained, RejectedError):
        explained.status, explained.reason = refusal.status, refusal.reason
    return explained
