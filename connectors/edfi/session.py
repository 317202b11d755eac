"""The host at the other end: its description, the requests to it, the credentials and the pace of the connection.

The token is fetched where the host's description says, kept until shortly before it expires, shared by all threads and
fetched once more on 401. 429 and 5xx are tried again after ``Retry-After``. A refusal is told in plain words, with what
to do about it, whichever of the two forms of error bodies the host has.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.edfi.discovery import Host, read_host
from connectors.edfi.problems import hint_of
from connectors.edfi.versions import Abilities, Version
from gateway.sdk import (
    Answer,
    AuthorizationError,
    ConfigurationError,
    Context,
    HttpClient,
    Limits,
    OAuth2ClientCredentials,
    RejectedError,
    Throttle,
)

_NOT_FOUND = 404


class Session:
    """One host, as the settings of a connection describe it. Several threads may use it; nothing is asked before it is
    needed."""

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = settings
        self.context = context
        self._throttle = Throttle(settings["requests_per_minute"], context.sleep)
        self._limits = Limits(
            attempt_seconds=settings["timeout_seconds"], connections=max(8, settings["push_concurrency"])
        )
        self._lock = threading.RLock()
        self._host: Host | None = None
        self._auth: OAuth2ClientCredentials | None = None
        self._clients: dict[tuple[str, bool], HttpClient] = {}

    @property
    def host(self) -> Host:
        """The host's description of itself, read once.

        Raises :class:`ConfigurationError` (``edfi.discovery``, ``edfi.version``, ``edfi.context``,
        ``edfi.other-host``) and what :meth:`gateway.sdk.HttpClient.request` raises.
        """
        with self._lock:
            if self._host is None:
                self._host = self._discover()
            return self._host

    @property
    def standard(self) -> Version:
        """The version of the Data Standard, such as ``(5, 2)``."""
        return self.host.standard

    @property
    def abilities(self) -> Abilities:
        return self.host.abilities

    def data(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        patient: bool = True,
    ) -> Answer:
        """A request below the data address: ``path`` is ``students``, ``students/{id}``, or with the schema of an
        extension ``tpdm/candidates``.

        ``patient=False`` tries twice only, for what can be done without. A POST has the effect of one when it is sent
        twice (it updates by the natural key); say so with ``repeatable``.

        Raises :class:`AuthorizationError` (a read that is refused) and :class:`RejectedError`, both with
        what to do and with the host's own ``answer``; :class:`TransientError` when all tries were in vain.
        """
        return self._request(
            method, self.host.data, path if "/" in path and path.split("/")[0] in _SCHEMAS else f"ed-fi/{path}",
            params=params, body=body, headers=headers, repeatable=repeatable, patient=patient,
        )  # fmt: skip

    def changes(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A request below the address of the change queries, such as ``availableChangeVersions``.

        Raises :class:`ConfigurationError` (``edfi.no-changes``) where they are off.
        """
        if not self.host.changes:
            raise ConfigurationError(
                "The host's change queries are off.",
                hint="Ask the host's operator to switch the feature on; until then every pull is complete.",
                code="edfi.no-changes",
            )
        return self._request("GET", self.host.changes, path, headers=headers)

    def dependencies(self) -> Answer | None:
        """The host's list of resources in the order of writing; ``None`` where it tells none."""
        if not self.host.dependencies:
            return None
        base, _, last = self.host.dependencies.rpartition("/")
        return self._request("GET", base, last)

    def token_answer(self) -> None:
        """Fetch a token if there is none, and see that the host takes it, whatever it lets us read.

        Raises :class:`AuthorizationError` when it is refused.
        """
        try:
            self._request("GET", self.host.data, "ed-fi/schoolYearTypes", params={"limit": "1", "offset": "0"})
        except (AuthorizationError, RejectedError) as refusal:
            if refusal.code not in ("http.forbidden", "http.not-found"):
                raise

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _discover(self) -> Host:
        base = self.settings["base_url"]
        client = self._new_client(base, None, self._limits)
        try:
            self._throttle.wait()
            body = client.request("GET", "").body
        except RejectedError as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            raise ConfigurationError(
                "There is no Ed-Fi ODS/API at this address (404).",
                hint="Check base_url: it is the address at which the host describes itself.",
                code="edfi.discovery",
            ) from refusal
        finally:
            client.close()
        return read_host(body, base, self.settings)

    def _request(
        self,
        method: str,
        base: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        patient: bool = True,
    ) -> Answer:
        client = self._client(base, patient)
        self._throttle.wait()
        try:
            return client.request(method, path, params=params, body=body, headers=headers, repeatable=repeatable)
        except (AuthorizationError, RejectedError) as refusal:
            refusal.hint = hint_of(refusal.answer) or refusal.hint
            raise

    def _client(self, base: str, patient: bool) -> HttpClient:
        with self._lock:
            if (base, patient) not in self._clients:
                limits = self._limits if patient else replace(self._limits, tries=2)
                self._clients[base, patient] = self._new_client(base, self._credentials(), limits)
            return self._clients[base, patient]

    def _credentials(self) -> OAuth2ClientCredentials:
        if self._auth is None:
            auth = self.settings["auth"]
            self._auth = OAuth2ClientCredentials(
                self.host.token, auth["client_id"], auth["client_secret"], style=auth["style"]
            )
        return self._auth

    def _new_client(self, base: str, auth: OAuth2ClientCredentials | None, limits: Limits) -> HttpClient:
        bundle = self.settings["ca_bundle"]
        return HttpClient.for_connection(
            self.context,
            base_url=base,
            auth=auth,
            limits=limits,
            ca_bundle=self.context.folder / bundle if bundle else None,
        )


_SCHEMAS = ("ed-fi", "tpdm")
