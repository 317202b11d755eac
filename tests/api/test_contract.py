"""The contract as a whole: valid, complete, closed unless opened, and each district by itself."""

from __future__ import annotations

import re

import pytest
from openapi_spec_validator import validate

from gateway.api.access import scopes_of
from gateway.api.catalogue import Catalogue
from gateway.api.problems import TYPES
from gateway.api.roles import ALLOWED, SCOPES, Role, usual
from gateway.policies import load_policies
from gateway.settings import load_district
from gateway.shipped import shipped
from tests.api.conftest import FIRST, SECOND, district_folder

PUBLIC = {
    "/health/live", "/health/ready", "/metrics", "/oauth/token", "/v1/openapi.json", "/v1/docs", "/v1/docs.css",
    "/v1/problems/<type>",
}  # fmt: skip
IDS = {
    "name": "lakeside", "id": "00000000-0000-0000-0000-000000000000", "job_id": "job_" + "0" * 24, "table": "levels",
    "webhook_id": "hook_" + "0" * 24, "delivery_id": "delivery_" + "0" * 24, "type": "invalid",
}  # fmt: skip


def routes(app):
    """Every address with each of its methods."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: IDS.get(match[1], "none"), rule.rule)
            yield rule.rule, method, path, scopes_of(app.view_functions[rule.endpoint])


def test_the_contract_is_valid_and_names_every_address_of_v1(app, http):
    contract = http.get("/v1/openapi.json").json
    validate(contract)
    assert contract["openapi"].startswith("3.1")
    documented = {
        (path, method.upper())
        for path, methods in contract["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule), method)
        for rule, method, _, scopes in routes(app)
        if rule.startswith("/v1/") and scopes
    }
    assert served == {each for each in documented if each[0].startswith("/v1/")}


def test_every_operation_tells_its_scopes_and_its_failures(http):
    for path, methods in http.get("/v1/openapi.json").json["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            assert operation["security"], (method, path)
            assert operation["summary"], (method, path)
            assert {"401", "403", "429", "500"} <= set(operation["responses"]), (method, path)


def test_only_what_is_meant_to_be_is_public(app):
    assert {rule for rule, _, _, scopes in routes(app) if scopes == frozenset()} == PUBLIC


def test_no_address_was_forgotten(app):
    assert not [(rule, method) for rule, method, _, scopes in routes(app) if scopes is None]
    assert {scope for _, _, _, scopes in routes(app) for scope in scopes} <= set(SCOPES)


@pytest.mark.parametrize("district", [FIRST, SECOND])
@pytest.mark.parametrize("role", Role)
def test_every_address_is_open_to_its_scopes_alone(app, http, bearer, role, district):
    """Route × role × district: with all that the role can have, an address is open exactly if one of its scopes is
    among it; without a credential none is."""
    headers = bearer(role, ALLOWED[role], district)
    checked = 0
    for rule, method, path, scopes in routes(app):
        if not scopes:
            continue
        allowed = bool(scopes & ALLOWED[role])
        given = http.open(path, method=method, headers=headers)
        assert (given.status_code != 403) is allowed, (rule, method, given.status_code)
        assert given.status_code not in (401, 500), (rule, method)
        assert http.open(path, method=method).status_code == 401, (rule, method)
        checked += 1
    assert checked > 90


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_opens_its_addresses_and_no_other(app, http, bearer, scope):
    role = next(role for role in Role if scope in ALLOWED[role])
    headers = bearer(role, [scope])
    for rule, method, path, scopes in routes(app):
        if scopes and scope not in scopes:
            assert http.open(path, method=method, headers=headers).status_code == 403, (rule, method)


def test_usual_scopes_leave_out_what_must_be_asked_for():
    for role in Role:
        assert usual(role) <= ALLOWED[role]
        assert not any("demographics" in scope or "sandbox" in scope for scope in usual(role))


def test_problem_types_are_documented(http):
    page = (__import__("tests.error_codes", fromlist=["ROOT"]).ROOT / "docs" / "api.md").read_text()
    for name, (status, _) in TYPES.items():
        assert f"| `{name}` | {int(status)} |" in page
        shown = http.get(f"/v1/problems/{name}")
        assert shown.status_code == 200
        assert name in shown.text


def test_the_human_readable_page_needs_no_other_host(http):
    page = http.get("/v1/docs")
    assert page.status_code == 200
    assert "/v1/mappings/{name}/apply" in page.text
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    assert "<script" not in page.text


def test_shipped_policies_are_offered_unless_the_district_has_one_of_that_name(tmp_path):
    file = district_folder(tmp_path, "alone", api=())
    for policy in (tmp_path / "mappings" / "gpa").glob("*.yaml"):
        policy.unlink()
    came = shipped("mappings") / "gpa"
    own = (came / "school-weighted.yaml").read_text(encoding="utf-8")
    (tmp_path / "mappings" / "gpa" / "ours.yaml").write_text(re.sub(r"(?m)^version: .*$", 'version: "ours"', own))
    (tmp_path / "mappings" / "gpa" / "broken.yaml").write_text("policy: scholarship\nversion: [\n")
    catalogue = Catalogue(load_district(file))
    offered = {each.name: each.version for each in catalogue.policies.all()}
    names = {each.name for each in load_policies(came)}
    assert set(offered) == names - {"scholarship"}, "a faulty file of the district hides the shipped one"
    assert offered["school-weighted"] == "ours"
