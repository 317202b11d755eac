"""The inbox's way on: what the product's own connector pushes arrives whole, and is read from the exported bundle."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.api.app import create_app
from gateway.api.roles import Role, usual
from gateway.api.server import make_server, stop_server
from gateway.api.sites import Site, open_sites
from gateway.cli.main import main
from gateway.core.check import read_rows
from gateway.core.connector import Context
from gateway.core.exchange import Action, Change, OutcomeState
from gateway.core.model import TABLES
from gateway.registry import load_connector
from gateway.store.clients import create_client, create_key
from tests.api.conftest import filled_district

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
COMPETENCY = "0f0a8f4e-6b1e-4f6e-9d5a-0d1c2b3a4f5e"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    opened = filled_district(tmp_path_factory.mktemp("export"), "lakeside", 1)
    yield opened.by_id["lakeside"]
    opened.close()


@pytest.fixture(scope="module")
def connector(site: Site) -> Iterator[Any]:
    """The product's own connector, pointed at the district's inbox over a socket."""
    client = create_client(site.store, site.id, name="ours", role=Role.GRADEBOOK, scopes=sorted(usual(Role.GRADEBOOK)),
                           now=NOW)  # fmt: skip
    key = create_key(site.store, client, now=NOW)
    sites = open_sites([site.district.file])
    server = make_server(create_app(sites, now=lambda: NOW, per_minute=100_000), host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    base = f"http://127.0.0.1:{server.effective_port}"
    auth = {"type": "oauth2", "token_url": f"{base}/oauth/token", "client_id": client.client_id, "client_secret": key}
    kind: Any = load_connector("oneroster")
    settings = kind.Settings().load({"base_url": base, "version": "1.2", "auth": auth})
    made = kind(settings, Context("lakeside", "inbox", site.district.folder, site.district.folder, lambda: NOW))
    yield made
    made.close()
    stop_server(server)
    sites.close()


def changes(site: Site) -> list[Change]:
    """A category, a scale, two line items and results of some students, with objectives."""
    incoming = site.district.folder / "incoming"
    enrolled = pl.read_csv(incoming / "enrollments.csv", infer_schema=False).filter(pl.col("role") == "student")
    class_id = enrolled["classSourcedId"][0]
    students = enrolled.filter(pl.col("classSourcedId") == class_id)["userSourcedId"].unique().sort().to_list()
    school = pl.read_csv(incoming / "classes.csv", infer_schema=False).filter(pl.col("sourcedId") == class_id)
    session = school["termSourcedIds"][0].split(",")[0]
    item = {
        "title": 'Lab "one", part 1', "description": "Grüße", "assign_date": NOW, "due_date": NOW,
        "class_id": class_id, "school_id": school["schoolSourcedId"][0], "category_id": "cat",
        "academic_session_id": session,
        "result_value_min": Decimal(0), "result_value_max": Decimal(4),
        "line_item_learning_objectives": [{"source": "case", "learning_objective_id": COMPETENCY}],
        "line_item_score_scales": [{"score_scale_id": "scale"}],
    }  # fmt: skip
    records: list[tuple[str, dict[str, Any]]] = [
        ("categories", {"id": "cat", "title": "Work", "weight": Decimal("0.25")}),
        ("score_scales", {
            "id": "scale", "title": "Levels", "type": "mastery", "class_id": class_id, "score_scale_values": [
                {"position": 1, "lhs": "1", "rhs": "Beginning"}, {"position": 2, "lhs": "4", "rhs": "Mastered"}]}),
        ("line_items", {"id": "li-1", **item}),
        ("line_items", {"id": "li 2/ü", **item, "title": "Second", "line_item_score_scales": []}),
        *(("results", {
            "id": f"r-{number}", "line_item_id": "li-1", "student_id": student, "class_id": class_id,
            "score_status": "fully graded", "score": Decimal("3.125"), "text_score": "Proficient",
            "score_date": date(2026, 3, 4), "comment": "ok, \"fine\"", "late": True, "missing": False,
            "result_learning_objectives": [{"source": "case", "learning_objective_id": COMPETENCY,
                                            "score": Decimal("3.5"), "text_score": None}],
        }) for number, student in enumerate(students)),
    ]  # fmt: skip
    return [
        Change(table, str(record["id"]), Action.CREATE, f"{table}/{record['id']}", record) for table, record in records
    ]


def test_what_our_own_connector_pushes_is_read_back_equal(site, connector):
    given = changes(site)
    for _ in range(2):
        outcomes = {each.key: each for each in connector.push(given)}
        assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}, outcomes
        assert len(outcomes) == len(given)
    for table in dict.fromkeys(change.entity for change in given):
        mine = {change.id: change.record for change in given if change.entity == table}
        found = connector.read_back(table, [*mine, "nobody"])
        assert set(found) == set(mine)
        for id, record in mine.items():
            there = {name: _plain(found[id][name]) for name in record}
            assert there == {name: _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    """Without what is empty."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [{name: each[name] for name in each if each[name] is not None} for each in value]
    return value


def test_the_exported_bundle_is_a_source(site, connector, tmp_path, capsys):
    given = changes(site)
    list(connector.push([*given, replace(given[-1], entity="results", id="late", key="late", record={
        **given[-1].record, "id": "late", "line_item_id": "nowhere"})]))  # fmt: skip
    list(connector.push([replace(given[-1], action=Action.INACTIVATE)]))
    gone = given[-1].id
    for out, more in ((tmp_path / "bulk", []), (tmp_path / "delta.zip", ["--delta"])):
        district = ["--district", str(site.district.file), "--json"]
        command = [*district, "inbox", "export", str(out), "--client", "ours", *more]
        assert main(command) == 3
        told = json.loads(capsys.readouterr().out)
        assert (told["waiting"], told["quarantined"], told["refused"]) == (1, 0, [])
        rows = read_bundle(out, tmp_path)
        results = rows["results"].filter(pl.col("id") != gone)
        assert sorted(results["id"]) == sorted(
            each.id for each in given if each.entity == "results" and each.id != gone
        )
        assert set(results["score"]) == {Decimal("3.125")}
        assert set(rows["result_learning_objectives"]["learning_objective_id"]) == {COMPETENCY}
        assert rows["line_items"].height == 2
        left = rows["results"].filter(pl.col("id") == gone)["status"].to_list()
        assert left == (["tobedeleted"] if more else [])


def read_bundle(path: Path, work: Path) -> dict[str, pl.DataFrame]:
    """The tables that the connector for bundles reads as a source."""
    kind: Any = load_connector("oneroster_csv")
    source = kind(kind.Settings().load({"path": str(path)}), Context("d", "inbox", path.parent, work, lambda: NOW))
    found: dict[str, list[pl.DataFrame]] = {}
    for stream in source.streams(None):
        for page in source.pull(stream, since=None, resume=None):
            for table, frame in page.frames.items():
                if table in TABLES:
                    checked = read_rows(frame, TABLES[table])
                    assert checked.quarantine.is_empty()
                    found.setdefault(table, []).append(checked.rows)
    return {table: pl.concat(frames) for table, frames in found.items()}


def test_the_inbox_can_be_looked_at(site, connector, capsys):
    list(connector.push(changes(site)[:1]))
    district = ["--district", str(site.district.file)]
    assert main([*district, "inbox", "list"]) == 0
    assert "categories  accepted" in capsys.readouterr().out
    assert main([*district, "inbox", "show", "categories", "cat"]) == 0
    assert '"title":"Work"' in capsys.readouterr().out
    assert main([*district, "inbox", "show", "categories", "none"]) == 1
    assert "inbox list" in capsys.readouterr().err
    assert main([*district, "inbox", "export", "x", "--since", "2026-01-01"]) == 1
