"""An address that will go says so in every answer."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.api.access import needs, public
from gateway.api.deprecation import deprecated
from gateway.api.roles import CATALOGUE

old = deprecated(datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC), "/v1/docs")


def test_a_deprecated_address_says_since_when_until_when_and_where_to_read_on(app):
    @app.get("/v1/old")
    @old
    @public
    def answered():
        return "still here"

    @app.get("/v1/old-and-closed")
    @needs(CATALOGUE)
    @old
    def closed():
        return ""

    http = app.test_client()
    for path, status in (("/v1/old", 200), ("/v1/old-and-closed", 401)):
        answer = http.get(path)
        assert answer.status_code == status
        assert answer.headers["Deprecation"] == "@1793491200"
        assert answer.headers["Sunset"] == "Wed, 30 Jun 2027 23:59:59 GMT"
        assert answer.headers["Link"] == '</v1/docs>; rel="deprecation"; type="text/html"'


def test_other_addresses_say_nothing_of_the_kind(http):
    answer = http.get("/health/live")
    assert not {"Deprecation", "Sunset", "Link"} & set(answer.headers.keys())
