"""The audit over HTTP: every entry once, in its order, to its own district's auditors."""

from __future__ import annotations

from gateway.api.roles import Role
from gateway.store import audit
from tests.api.conftest import FIRST, SECOND


def test_the_audit_is_read_page_by_page_each_entry_once(http, bearer, sites, clock):
    store = sites.by_id[FIRST].store
    numbers = [audit.note(store, FIRST, audit.Entry(clock(), "client_x", "mapping.apply", n)) for n in range(7)]
    headers, seen, cursor = bearer(Role.AUDITOR), [], ""
    while cursor is not None:
        page = http.get(f"/v1/audit?limit=3{'&cursor=' + cursor if cursor else ''}", headers=headers).json
        seen += page["entries"]
        cursor = page["next"]
    assert [entry["number"] for entry in seen] == list(range(1, numbers[-1] + 1))
    assert [entry["subjects"] for entry in seen[-7:]] == list(range(7))
    assert [entry["previous"] for entry in seen[1:]] == [entry["digest"] for entry in seen[:-1]]


def test_no_other_district_and_no_other_role_reads_it(http, bearer, sites, clock):
    audit.note(sites.by_id[FIRST].store, FIRST, audit.Entry(clock(), "client_secret", "gpa.compute", 1))
    assert "client_secret" not in http.get("/v1/audit?limit=200", headers=bearer(Role.AUDITOR, district=SECOND)).text
    assert http.get("/v1/audit", headers=bearer(Role.VENDOR)).status_code == 403


def test_a_cursor_that_names_no_entry_is_refused(http, bearer):
    for cursor in ("x", "MjAyNi0xMS0yMlQwODowMDowMCswMDowMHxhYg=="):
        assert http.get(f"/v1/audit?cursor={cursor}", headers=bearer(Role.AUDITOR)).status_code == 404
