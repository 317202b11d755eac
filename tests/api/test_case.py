"""CASE served: strictly by the standard's schema, with stable identifiers, and read back by the own connector."""

from __future__ import annotations

import json
import threading
from contextlib import closing

import jsonschema
import polars as pl
import pytest
from jsonschema.validators import Draft202012Validator

from gateway.api.roles import FRAMEWORKS, ONEROSTER, Role
from gateway.api.server import make_server, stop_server
from gateway.core.case import check_packages, read_packages
from gateway.core.framework import Framework
from gateway.core.model import FRAMEWORK_TABLES, empty
from gateway.settings import load_district, open_connection
from tests.api.conftest import FIRST, district_folder

V11, V10 = "/ims/case/v1p1", "/ims/case/v1p0"
CONTENT = {"CFDocuments": "CFDocument", "CFItems": "CFItem", "CFAssociations": "CFAssociation", "CFRubrics": "CFRubric",
           "CFItemAssociations": "CFAssociationSet"}  # fmt: skip


@pytest.fixture
def headers(bearer):
    return bearer(scopes=[FRAMEWORKS])


@pytest.fixture
def package(http, headers):
    """The package of the district's own framework."""
    documents = http.get(f"{V11}/CFDocuments", headers=headers).json["CFDocuments"]
    (own,) = [each for each in documents if each["title"] == "Lakeside Competencies"]
    address = own["CFPackageURI"]["uri"].removeprefix("http://localhost")
    return http.get(address, headers=headers).json


def test_a_package_passes_the_published_schema(package, http, headers, shared_data):
    schema = json.loads((shared_data / "case/schema/case-v1p1-cfpackage-official.json").read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(package)
    assert len(package["CFItems"]) > 50
    assert {each["associationType"] for each in package["CFAssociations"]} >= {"isChildOf"}


@pytest.mark.parametrize("name", CONTENT)
def test_single_answers_pass_the_published_contract(package, http, headers, shared_data, name):
    contract = json.loads((shared_data / "case/schema/imscasev1p1_openapi3_v1p0.json").read_text())
    schemas = contract["components"]["schemas"]
    listed = {"CFDocuments": [package["CFDocument"]], "CFItemAssociations": package["CFItems"]}
    parts = listed.get(name, package.get(name)) or []
    if not parts:
        pytest.skip("the shipped framework has none of these")
    kind = next(key for key in (f"{CONTENT[name]}DType", CONTENT[name], f"{CONTENT[name]}Type") if key in schemas)
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{kind}", "components": contract["components"]})
    for part in parts[:5]:
        answer = http.get(f"{V11}/{name}/{part['identifier']}", headers=headers)
        assert answer.status_code == 200
        validator.validate(answer.json)


def test_everything_is_the_framework_that_the_mapping_stands_on(package, site):
    mapping = site.catalogue.mapping("lakeside")
    checked = check_packages(read_packages(package, source="served").frames)
    served = Framework.from_tables(checked.tables)
    assert (served.id, served.digest) == (mapping.framework.id, mapping.framework.digest)


def test_identifiers_are_the_same_at_every_address(http, headers, package):
    again = http.get(f"{V11}/CFPackages/{package['CFDocument']['identifier']}", headers=headers,
                     base_url="https://other.example").json  # fmt: skip
    assert [each["identifier"] for each in again["CFItems"]] == [each["identifier"] for each in package["CFItems"]]


def test_1_0_leaves_out_what_it_does_not_know(http, headers, package):
    old = http.get(f"{V10}/CFPackages/{package['CFDocument']['identifier']}", headers=headers).json
    assert len(old["CFItems"]) == len(package["CFItems"])
    assert not {"frameworkType", "caseVersion"} & set(old["CFDocument"])
    assert not any({"subject", "subjectURI"} & set(item) for item in old["CFItems"])


def test_the_list_is_paged_filtered_and_cut(http, headers):
    whole = http.get(f"{V11}/CFDocuments", headers=headers)
    assert int(whole.headers["X-Total-Count"]) == len(whole.json["CFDocuments"]) == 2
    first = http.get(f"{V11}/CFDocuments?limit=1&fields=identifier,title", headers=headers)
    assert 'rel="next"' in first.headers["Link"]
    assert set(first.json["CFDocuments"][0]) == {"identifier", "title"}
    found = http.get(f"{V11}/CFDocuments", query_string={"filter": "title~'LAKESIDE'"}, headers=headers)
    assert [each["title"] for each in found.json["CFDocuments"]] == ["Lakeside Competencies"]


@pytest.mark.parametrize(
    ("path", "status", "minor"),
    [
        (f"{V11}/CFItems/7", 400, "invalid_uuid"),
        (f"{V10}/CFItems/7", 400, "invaliduuid"),
        (f"{V11}/CFItems/00000000-0000-0000-0000-000000000000", 404, "unknownobject"),
        (f"{V11}/CFPackages/00000000-0000-0000-0000-000000000000", 404, "unknownobject"),
        (f"{V11}/CFDocuments?limit=0", 400, "invalid_selection_field"),
        (f"{V11}/CFDocuments?sort=nothing", 400, "invalid_sort_field"),
        (f"{V11}/CFDocuments?filter=x", 400, "invalid_selection_field"),
        (f"{V11}/CFDocuments?fields=title,secret", 400, "invalid_selection_field"),
    ],
)
def test_failures_are_told_as_the_standard_says(http, headers, path, status, minor):
    answer = http.get(path, headers=headers)
    assert answer.status_code == status
    assert answer.json["imsx_codeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == minor


def test_another_scope_does_not_open_it(http, bearer):
    answer = http.get(f"{V11}/CFDocuments", headers=bearer(Role.PRODUCT, [f"{ONEROSTER}roster.readonly"]))
    assert answer.status_code == 403
    assert answer.json["imsx_codeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "forbidden"


def test_the_own_connector_reads_it_back(app, new_client, site, tmp_path, clock):
    _, key = new_client(scopes=[FRAMEWORKS], district=FIRST)
    (tmp_path / "token").write_text(key)
    (tmp_path / "token").chmod(0o600)
    server = make_server(app, host="127.0.0.1", port=0, threads=2)
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    path = district_folder(tmp_path, "elsewhere")
    connection = f"""connections:
  standards:
    connector: case
    settings:
      base_url: http://127.0.0.1:{server.effective_port}
      auth: {{type: bearer, token: "${{file:token}}"}}
"""
    path.write_text(path.read_text().replace("connections:\n", connection, 1))
    try:
        with closing(open_connection(load_district(path), "standards", now=clock)) as source:
            frames = [page.frames for stream in source.streams(None) for page in
                      source.pull(stream, since=None, resume=None)]  # fmt: skip
    finally:
        stop_server(server)
        serving.join(10)
    together = {name: pl.concat([each[name] for each in frames if name in each]) for name in FRAMEWORK_TABLES
                if any(name in each for each in frames)}  # fmt: skip
    tables = check_packages({**{name: empty(name, raw=True) for name in FRAMEWORK_TABLES}, **together}).tables
    expected = site.catalogue.frameworks()
    assert set(tables["frameworks"]["id"]) == set(expected)
    for id, framework in expected.items():
        assert Framework.from_tables(tables, framework_id=id).digest == framework.digest
