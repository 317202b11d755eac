"""The connection test: credentials, each list with one record, the filter, the version, and what writing would need.

Nothing is ever written; reading one record of each list shows what scopes allow.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from connectors.oneroster.endpoints import PUSHED, Endpoint
from connectors.oneroster.provider import Provider
from connectors.oneroster.pulling import NOT_OFFERED, Puller
from gateway.sdk import AuthorizationError, CheckItem, GatewayError, RejectedError

_DISCOVERY = {
    "rostering": ("onerosterv1p2rostersservice_openapi3_v1p0.json", "imsorv1p2_rostering_openapi3_v1p0.json"),
    "gradebook": ("onerosterv1p2gradebookservice_openapi3_v1p0.json", "imsorv1p2_gradebook_openapi3_v1p0.json"),
}
_HINT = "Check the address and the credentials of this connection."


def check_provider(reading: Provider, writing: Provider) -> Iterator[CheckItem]:
    """One item for each thing tried; ends early when the provider cannot be reached or takes no credentials."""
    puller = Puller(reading)
    for endpoint in reading.endpoints():
        try:
            yield _check_list(puller, endpoint)
        except GatewayError as error:
            yield CheckItem("credentials and address", False, error.message, error.hint or _HINT)
            return
    if reading.profile.delta:
        yield _check_filter(puller)
    yield from _discovered(reading)
    yield _check_writing(writing)


def _check_list(puller: Puller, endpoint: Endpoint) -> CheckItem:
    """One record of a list. Raises what concerns all lists."""
    try:
        found = puller.one_record(endpoint)
    except (AuthorizationError, RejectedError) as refusal:
        if refusal.code not in NOT_OFFERED and not isinstance(refusal, RejectedError):
            raise
        if refusal.code in NOT_OFFERED and endpoint.name in puller.profile.optional:
            return CheckItem(endpoint.name, True, "Not available with these credentials; it is left out.", refusal.hint)
        return CheckItem(endpoint.name, False, refusal.message, refusal.hint or _HINT)
    some = found.items or found.faults
    return CheckItem(endpoint.name, True, "Records can be read." if some else "The list can be read; it is empty.")


def _check_filter(puller: Puller) -> CheckItem:
    endpoint = next(puller.provider.endpoints(), None)
    if endpoint is None:
        return CheckItem("pull of changes", False, "No list is pulled.", "Change include or exclude in the profile.")
    try:
        puller.require_filter(endpoint)
    except GatewayError as error:
        return CheckItem("pull of changes", False, error.message, error.hint or _HINT)
    return CheckItem("pull of changes", True, "The provider honours the filter on dateLastModified.")


def _discovered(provider: Provider) -> Iterator[CheckItem]:
    """The version that the provider's own description states, where it publishes one (1.2)."""
    seen: dict[str, Endpoint] = {endpoint.service: endpoint for endpoint in provider.endpoints()}
    for service, endpoint in seen.items() if provider.version != "1.1" else ():
        for name in _DISCOVERY[service]:
            try:
                answer = provider.request("GET", endpoint, f"discovery/{name}")
                version = msgspec.json.decode(answer.body)["info"]["version"]
            except (GatewayError, msgspec.DecodeError, KeyError, TypeError):
                continue
            yield CheckItem(f"{service} version", True, f"The provider describes its version as {str(version)[:20]}.")
            break


def _check_writing(provider: Provider) -> CheckItem:
    """Whether the provider gives credentials for writing; a connection that is only pulled from needs none."""
    what = "writing to the gradebook"
    endpoint = PUSHED["categories"]
    if endpoint.service not in provider.addresses:
        return CheckItem(what, True, "There is no gradebook service in the settings; this connection is only read.")
    try:
        Puller(provider).one_record(endpoint)
    except GatewayError as error:
        return CheckItem(what, True, f"Not available, so this connection can only be read: {error.message}", error.hint)
    return CheckItem(what, True, "Credentials for writing are given. Writing itself was not tried.")
