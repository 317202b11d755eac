"""OneRoster served: pulled back without loss by the product's own connector, and asked in the standard's ways."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from gateway.api import roles
from gateway.api.app import create_app
from gateway.api.roles import ALLOWED, Role
from gateway.api.server import make_server, stop_server
from gateway.api.sites import Sites, open_sites
from gateway.documents.issue import check_record
from gateway.settings import load_district
from gateway.store import audit, disclosures, open_store, snapshots
from gateway.store.clients import create_client, create_key
from gateway.store.runs import RunState
from gateway.store.snapshots import read_snapshot
from gateway.sync import run_sync
from tests.api.conftest import district_folder, filled_district

R, G, R11 = "/ims/oneroster/rostering/v1p2", "/ims/oneroster/gradebook/v1p2", "/ims/oneroster/v1p1"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
COMPARED = (
    "academic_sessions", "orgs", "courses", "classes", "users", "enrollments", "roles", "demographics", "categories",
    "score_scales", "score_scale_values", "line_items", "line_item_learning_objectives", "results",
    "result_learning_objectives",
)  # fmt: skip


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """A district that pulled a sample and pushed what it made of it."""
    opened = filled_district(tmp_path_factory.mktemp("served"), "lakeside", 20)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def http(sites):
    site = sites.by_id["lakeside"]
    client = create_client(site.store, site.id, name="reader", role=Role.PRODUCT, scopes=sorted(ALLOWED[Role.PRODUCT]),
                           now=NOW)  # fmt: skip
    http = create_app(sites, now=lambda: NOW, per_minute=100_000).test_client()
    http.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {create_key(site.store, client, now=NOW)}"
    return http


@pytest.fixture(scope="module")
def held(sites) -> dict[str, pl.DataFrame]:
    """What the district holds: its snapshot."""
    site = sites.by_id["lakeside"]
    row = snapshots.last_good(site.store, site.id, "sis")
    snapshot = read_snapshot(site.district.data / "snapshots" / "sis" / row["snapshot_id"])
    return {name: snapshot.read(name, gone_after=2) for name in COMPARED if snapshot.has(name)}


def everything(http, path, name, limit=97):
    """All records of a list, page by page as ``Link`` leads."""
    found, address = [], f"{path}?limit={limit}"
    while address:
        answer = http.get(address)
        assert answer.status_code == 200, answer.text
        found += answer.json[name]
        following = re.search(r'<http://localhost([^>]+)>; rel="next"', answer.headers["Link"])
        address = following[1] if following else None
    assert len(found) == int(answer.headers["X-Total-Count"])
    return found


def test_the_own_connector_pulls_everything_back(sites, held, tmp_path: Path):
    site = sites.by_id["lakeside"]
    scopes = [roles.ROSTER, roles.DEMOGRAPHICS, roles.GRADEBOOK]
    client = create_client(site.store, site.id, name="pull", role=Role.PRODUCT, scopes=scopes, now=NOW)
    key = create_key(site.store, client, now=NOW)
    server = make_server(create_app(sites, now=lambda: NOW), host="127.0.0.1", port=0, threads=4)
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    try:
        again = pulled(tmp_path, f"http://127.0.0.1:{server.effective_port}", client.client_id, key)
    finally:
        stop_server(server)
        serving.join(10)
    for name, frame in held.items():
        left_out = ("date_last_modified", "status", "id", *(("org_id",) if name == "score_scales" else ()))
        mine = [column for column in frame.columns if column not in left_out]  # REST knows no org of a score scale
        identity = ["id"] if name in ("orgs", "users", "classes", "enrollments", "line_items", "results") else []
        there = again[name].select(identity + mine)
        ours = frame.select(identity + mine)
        missing = ours.join(there, on=ours.columns, how="anti", nulls_equal=True)
        assert missing.is_empty(), (name, missing.head(3))
    levels = again["result_learning_objectives"].filter(~pl.col("result_id").is_in(held["results"]["id"].implode()))
    assert levels.height > 50
    assert levels["source"].unique().to_list() == ["case"]


def pulled(folder: Path, base: str, client_id: str, key: str) -> dict[str, pl.DataFrame]:
    """The snapshot that the connector makes of the provider at ``base``."""
    path = district_folder(folder, "elsewhere")
    text = path.read_text()
    text = re.sub(
        r"  sis:\n(    .*\n|\n|  *#.*\n)*?(?=  \w)",
        f"""  sis:
    connector: oneroster
    settings:
      base_url: {base}
      version: "1.2"
      profile: {{page_size: 250}}
      auth:
        type: oauth2
        token_url: {base}/oauth/token
        client_id: ${{file:client}}
        client_secret: ${{file:secret}}
""",
        text,
    )
    path.write_text(text)
    for name, content in (("client", client_id), ("secret", key)):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    district = load_district(path)
    with closing(open_store(f"sqlite:///{folder / 'data/gateway.db'}")) as store:
        report = run_sync(district, None, store=store, now=lambda: NOW, until="pull")
        assert report.state is RunState.PULLED, report.run.report
        assert report.quarantined == 0
        (row,) = store.rows(snapshots.snapshots.select())
    snapshot = read_snapshot(folder / "data" / "snapshots" / "sis" / row["snapshot_id"])
    return {name: snapshot.read(name, gone_after=2) for name in COMPARED if snapshot.has(name)}


@pytest.mark.parametrize(
    ("path", "name", "table"),
    [
        (f"{R}/orgs", "orgs", "orgs"),
        (f"{R}/users", "users", "users"),
        (f"{R}/enrollments", "enrollments", "enrollments"),
        (f"{R11}/users", "users", "users"),
        (f"{R11}/classes", "classes", "classes"),
    ],
)
def test_pages_give_every_record_once(http, held, path, name, table):
    found = [record["sourcedId"] for record in everything(http, path, name)]
    assert found == sorted(held[table]["id"])


def test_results_carry_levels_beside_the_scores(http, held):
    found = everything(http, f"{G}/results", "results", limit=5000)
    own = set(held["results"]["id"])
    made = [record for record in found if record["sourcedId"] not in own]
    assert {record["sourcedId"] for record in found} >= own
    assert made and all(each["learningObjectiveSet"][0]["source"] == "case" for each in made)
    assert all(isinstance(each.get("score", 0), int | float) for each in found)


@pytest.mark.parametrize(
    ("path", "name", "query", "expected"),
    [
        (f"{R}/users", "users", {"filter": "roles.role='teacher'"},
         lambda u: any(r["role"] == "teacher" for r in u["roles"])),
        (f"{R}/users", "users", {"filter": "givenName~'a' AND familyName>='M'"},
         lambda u: "a" in u["givenName"].lower() and u["familyName"] >= "M"),
        (f"{R}/orgs", "orgs", {"filter": "type='school' OR type='district'"},
         lambda o: o["type"] in ("school", "district")),
        (f"{R}/orgs", "orgs", {"filter": "name!='No''body'"}, lambda o: True),
        (f"{R}/classes", "classes", {"filter": "grades='09'"}, lambda c: "09" in c.get("grades", [])),
        (f"{R}/enrollments", "enrollments", {"filter": "primary='true'"}, lambda e: e.get("primary") == "true"),
        (f"{G}/results", "results", {"filter": "score>'3.5'"}, lambda r: r.get("score", 0) > 3.5),
        (f"{G}/results", "results", {"filter": "status='active' AND scoreDate>='2026-01-01'"},
         lambda r: r.get("scoreDate", "") >= "2026-01-01"),
    ],
)  # fmt: skip
def test_a_filter_gives_what_it_says(http, path, name, query, expected):
    whole = everything(http, path, name, limit=5000)
    answer = http.get(path, query_string={**query, "limit": 10_000})
    assert answer.status_code == 200, answer.text
    wanted = [record["sourcedId"] for record in whole if expected(record)]
    assert [record["sourcedId"] for record in answer.json[name]] == wanted
    assert int(answer.headers["X-Total-Count"]) == len(wanted)


def test_a_list_can_be_sorted_and_cut_to_fields(http):
    query = {"sort": "familyName", "orderBy": "desc", "fields": "sourcedId,familyName", "limit": 1000}
    found = http.get(f"{R}/users", query_string=query).json["users"]
    assert set().union(*found) == {"sourcedId", "familyName"}
    names = [record["familyName"] for record in found]
    assert names == sorted(names, reverse=True)


def test_what_belongs_to_a_class_or_school_is_found_below_it(http, held):
    lessons = held["enrollments"].filter(pl.col("role") == "student")
    class_id = lessons["class_id"].mode().sort()[0]
    expected = sorted(lessons.filter(pl.col("class_id") == class_id)["user_id"].unique())
    found = http.get(f"{R}/classes/{class_id}/students", query_string={"limit": 1000}).json["users"]
    assert [each["sourcedId"] for each in found] == expected
    items = held["line_items"].filter(pl.col("class_id") == class_id)["id"]
    results = held["results"].filter(pl.col("line_item_id").is_in(items.implode()))["id"]
    there = http.get(f"{G}/classes/{class_id}/results", query_string={"limit": 5000}).json["results"]
    assert {each["sourcedId"] for each in there} >= set(results)
    school = held["classes"].filter(pl.col("id") == class_id)["school_id"][0]
    below = http.get(f"{R}/schools/{school}/classes", query_string={"limit": 1000}).json["classes"]
    assert class_id in {each["sourcedId"] for each in below}
    student = expected[0]
    mine = http.get(f"{R}/students/{student}/classes", query_string={"limit": 1000}).json["classes"]
    assert class_id in {each["sourcedId"] for each in mine}


@pytest.mark.parametrize(
    ("path", "query", "status", "minor"),
    [
        (f"{R}/users", {"filter": "nothing='1'"}, 400, "invalid_filter_field"),
        (f"{R}/users", {"filter": "givenName='a' OR 1=1"}, 400, "invalid_filter_field"),
        (f"{R}/users", {"filter": "givenName='a'; DROP TABLE users"}, 400, "invalid_filter_field"),
        (f"{R}/users", {"filter": "_roles='student'"}, 400, "invalid_filter_field"),
        (f"{R}/users", {"filter": "password='x'"}, 400, "invalid_filter_field"),
        (f"{G}/results", {"filter": "score>'NaN'"}, 400, "invalid_filter_field"),
        (f"{G}/results", {"filter": "scoreDate>'yesterday'"}, 400, "invalid_filter_field"),
        (f"{R}/users", {"sort": "nothing"}, 400, "invalid_sort_field"),
        (f"{R}/users", {"sort": "givenName", "orderBy": "sideways"}, 400, "invalid_sort_field"),
        (f"{R}/users", {"fields": "sourcedId,secret"}, 400, "invalid_selection_field"),
        (f"{R}/users", {"limit": "0"}, 400, "invalid_selection_field"),
        (f"{R}/users", {"offset": "-1"}, 400, "invalid_selection_field"),
        (f"{R}/users", {"limit": "1e3"}, 400, "invalid_selection_field"),
        (f"{R}/users", {"color": "red"}, 400, "invalid_selection_field"),
        (f"{R}/users/nobody", {}, 404, "unknownobject"),
        (f"{R}/classes/none/students", {}, 404, "unknownobject"),
        (f"{R}/users/..%2f..%2fetc%2fpasswd", {}, 404, "unknownobject"),
    ],
)
def test_failures_are_told_as_the_standard_says(http, path, query, status, minor):
    answer = http.get(path, query_string=query)
    assert answer.status_code == status
    (field,) = answer.json["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert (answer.json["imsx_codeMajor"], field["imsx_codeMinorFieldValue"]) == ("failure", minor)


@pytest.mark.parametrize(
    ("scope", "opened", "closed"),
    [
        (roles.ROSTER_CORE, [f"{R}/users", f"{R}/schools"], [f"{R}/demographics", f"{G}/results", f"{R11}/users"]),
        (roles.DEMOGRAPHICS, [f"{R}/demographics"], [f"{R}/users"]),
        (roles.GRADEBOOK_CORE, [f"{G}/results"], [f"{R}/users", f"{G}/classes/x/results"]),
        (roles.ROSTER_11, [f"{R11}/users"], [f"{R}/users"]),
    ],
)
def test_a_scope_opens_what_the_standard_says(sites, http, scope, opened, closed):
    site = sites.by_id["lakeside"]
    name = scope.rsplit("/", 1)[1]
    client = create_client(site.store, site.id, name=name, role=Role.PRODUCT, scopes=[scope], now=NOW)
    headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW)}"}
    for path in opened:
        assert http.get(path, headers=headers).status_code == 200, path
    for path in closed:
        answer = http.get(path, headers=headers)
        assert answer.status_code == 403, path
        assert answer.json["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "forbidden"


def test_a_user_in_the_shape_of_1_1_has_one_role(http):
    found = everything(http, f"{R11}/teachers", "users")
    assert found
    assert {user["role"] for user in found} <= {"teacher", "administrator", "aide"}
    assert all("roles" not in user and user["orgs"][0]["type"] == "org" for user in found)


def test_a_district_without_a_pull_says_so(sites, http, tmp_path):
    path = district_folder(tmp_path, "empty")
    with closing(open_sites([path])) as empty:
        site = empty.by_id["empty"]
        client = create_client(site.store, site.id, name="r", role=Role.PRODUCT, scopes=[roles.ROSTER], now=NOW)
        headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW)}"}
        answer = create_app(empty, now=lambda: NOW).test_client().get(f"{R}/orgs", headers=headers)
    assert answer.status_code == 503


def test_what_leaves_stands_in_the_record_of_disclosures_once_for_each_client_list_and_snapshot(sites):
    site = sites.by_id["lakeside"]
    scopes = [roles.ROSTER, roles.GRADEBOOK]
    client = create_client(site.store, site.id, name="Reader Inc.", role=Role.PRODUCT, scopes=scopes, now=NOW)
    headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW)}"}
    for _ in range(2):  # the second server finds the rows of the first
        http = create_app(sites, now=lambda: NOW, per_minute=100_000).test_client()
        for path in ("rostering/v1p2/students?limit=5", "rostering/v1p2/users?limit=5&offset=5", "rostering/v1p2/orgs",
                     "gradebook/v1p2/results?limit=7", "gradebook/v1p2/lineItems?limit=1"):  # fmt: skip
            assert http.get(f"/ims/oneroster/{path}", headers=headers).status_code == 200
    mine = [each for each in disclosures.listed(site.store, site.id, kind="oneroster", most=None)
            if each.recipient == f"Reader Inc. ({client.client_id})"]  # fmt: skip
    assert sorted(each.purpose.split()[-1] for each in mine) == ["results", "users"]
    check_record(site.store, site.id)
    calls = [row for row in audit.read(site.store, site.id) if row["actor"] == client.client_id]
    assert [row["subjects"] for row in calls[:3]] == [5, 5, 0]
    assert 1 <= calls[3]["subjects"] <= 7
