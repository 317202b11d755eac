"""A client of the fake Ed-Fi host for its own tests: as little as it takes to send a request."""

from __future__ import annotations

from typing import Any

import requests

from gateway.testing.edfi import FakeEdFi


class Client:
    """Sends requests to the host, with a token of its credentials."""

    def __init__(self, remote: FakeEdFi, key: str = "", secret: str = "") -> None:
        self.remote = remote
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount(remote.host, remote.adapters[remote.host])
        self.key, self.secret = key or remote.gate.key, secret or remote.gate.secret
        self.login()

    def login(self) -> None:
        form = {"grant_type": "client_credentials"}
        answer = self.session.post(self.remote.token_url, data=form, auth=(self.key, self.secret))
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def url(self, path: str) -> str:
        return f"{self.remote.data_url}/ed-fi/{path}"

    def get(self, path: str, headers: dict[str, str] | None = None, **params: object) -> requests.Response:
        return self.session.get(
            self.url(path), params={name: str(each) for name, each in params.items()}, headers=headers
        )

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> requests.Response:
        return self.session.post(self.url(path), json=body, headers=headers)

    def put(self, path: str, body: Any, etag: str = "") -> requests.Response:
        return self.session.put(self.url(path), json=body, headers={"If-Match": etag} if etag else None)

    def delete(self, path: str, etag: str = "") -> requests.Response:
        return self.session.delete(self.url(path), headers={"If-Match": etag} if etag else None)

    def one(self, path: str, **params: object) -> dict[str, Any]:
        """The only item that a list has."""
        (found,) = self.get(path, **params).json()
        return dict(found)


def clean(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it may be sent back: without its etag, its date, and the links of its references."""
    kept = {name: value for name, value in item.items() if name not in ("_etag", "_lastModifiedDate")}
    return {
        name: {inner: each for inner, each in value.items() if inner != "link"} if isinstance(value, dict) else value
        for name, value in kept.items()
    }
