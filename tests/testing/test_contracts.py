"""The contract suites find what they are there to find: each fault of a connector fails its test."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from marshmallow import EXCLUDE, RAISE, Schema, fields

from gateway.core.connector import Connector
from gateway.core.errors import IncompletePullError, RejectedError, TransientError
from gateway.core.exchange import Action, Change, CheckItem, Outcome, OutcomeState, Page, Source, Stream, Target
from gateway.core.model import LINE, SOURCE, TABLES
from gateway.testing import contract
from gateway.testing.contracts import Contract, HttpSourceContract, HttpTargetContract, SourceContract
from gateway.testing.fake_oneroster import FakeOneRoster
from gateway.testing.faults import Fault, FaultKind
from gateway.transport.auth import OAuth2ClientCredentials
from gateway.transport.http import HttpClient
from gateway.transport.json_body import Records, decode_records
from gateway.transport.paging import PageRequest, Received, fetch_pages, follow_offsets

TABLE = TABLES["categories"]


class Settings(Schema):
    class Meta:
        unknown = RAISE

    base_url = fields.String(required=True, metadata={"description": "Where."})
    token_url = fields.String(required=True, metadata={"description": "Where tokens are."})
    key = fields.String(required=True, metadata={"description": "Who.", "secret": True})
    secret = fields.String(required=True, metadata={"description": "The secret.", "secret": True})


class Sound(Connector, Source, Target):
    """A connector of categories that keeps its promises."""

    name = "sound"
    title = "Categories"
    Settings = Settings

    @property
    def client(self) -> HttpClient:
        auth = OAuth2ClientCredentials(self.settings["token_url"], self.settings["key"], self.settings["secret"])
        return HttpClient.for_connection(self.context, base_url=self.settings["base_url"], auth=auth)

    def check(self) -> Sequence[CheckItem]:
        try:
            self.client.request("GET", "categories", params={"limit": "1"})
        except Exception as error:
            return [CheckItem("categories", False, str(error), "Do something.")]
        return [CheckItem("categories", True)]

    def streams(self, since: datetime | None) -> Sequence[Stream]:
        return [Stream("categories", ("categories",))]

    def fetch(self, client: HttpClient, request: PageRequest) -> Received[Records[dict[str, Any]]]:
        answer = client.request("GET", request.path, params=request.params)
        found = decode_records(answer.body, dict[str, Any], ("categories",), source=f"page {request.number}")
        return Received(answer, [record["sourcedId"] for record in found.items], found)

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        first = PageRequest("categories", {"limit": "2"}) if resume is None else PageRequest.from_cursor(resume)
        client = self.client
        for page, after in fetch_pages(first, lambda request: self.fetch(client, request), follow_offsets):
            yield Page({"categories": self.frame(page.content)}, after.cursor() if after else None)

    def frame(self, found: Records[dict[str, Any]]) -> pl.DataFrame:
        if found.faults or any(isinstance(record["status"], dict) for record in found.items):
            raise IncompletePullError("A record cannot be read.", hint="Ask.")
        numbered = zip(found.items, found.numbers, strict=True)
        rows = [
            {"id": r["sourcedId"], "status": r["status"], "title": r["title"], SOURCE: "categories", LINE: number}
            for r, number in numbered
        ]
        return pl.DataFrame([{**dict.fromkeys(TABLE.names), **row} for row in rows], schema=TABLE.raw_schema)

    def entities(self) -> Sequence[str]:
        return ["categories"]

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        client = self.client
        for change in changes:
            try:
                if change.action is Action.INACTIVATE:
                    client.request("DELETE", f"categories/{change.id}")
                else:
                    record = {"sourcedId": change.id, "title": change.record["title"]}
                    client.request("PUT", f"categories/{change.id}", body=json.dumps({"category": record}).encode())
            except RejectedError as error:
                yield Outcome(change.key, OutcomeState.REJECTED, error.code, error.message)
            except TransientError as error:
                if error.code == "http.retry-after":
                    raise
                yield Outcome(change.key, OutcomeState.FAILED, error.code, error.message)
            else:
                yield Outcome(change.key, OutcomeState.ACCEPTED)

    def read_back(self, entity: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        answer = self.client.request("GET", "categories", params={"limit": "1000"})
        held = {record["sourcedId"]: record for record in json.loads(answer.body)["categories"]}
        return {id_: {"id": id_, "title": held[id_]["title"]} for id_ in ids if id_ in held}


def remote_of_categories() -> FakeOneRoster:
    records = [
        {"sourcedId": f"g-{number}", "status": "active", "dateLastModified": "", "title": f"Category {number}"}
        for number in range(7)
    ]
    return FakeOneRoster({"categories": records})


class _Made:
    """The parts of a contract test that any of the connectors here needs."""

    def make_remote(self, folder: Path) -> FakeOneRoster:
        return remote_of_categories()

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        return {
            "base_url": remote.gradebook_url,
            "token_url": remote.token_url,
            "key": remote.gate.key,
            "secret": remote.gate.secret,
        }

    def make_changes(self) -> Sequence[Change]:
        return [
            Change("categories", f"n-{n}", Action.CREATE, f"key-{n}", {"id": f"n-{n}", "title": f"New {n}"})
            for n in range(4)
        ]


@pytest.fixture(autouse=True)
def only_these_connectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "load_connector", lambda name: CONNECTORS[name])


class TestSoundSource(_Made, HttpSourceContract):
    connector = "sound"
    stream = "categories"
    list_path = "/categories"
    records_stand_alone = False


class TestSoundTarget(_Made, HttpTargetContract):
    connector = "sound"
    list_path = "/categories"


class EndsEarly(Sound):
    """Takes a page that is shorter than its limit for the last one."""

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        for page in super().pull(stream, since=since, resume=resume):
            last = page.frames["categories"].height < 2
            yield replace(page, resume=None) if last else page
            if last:
                return


class ForgetsItsPlace(Sound):
    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        return super().pull(stream, since=since, resume=None)


class ReadsAhead(Sound):
    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        yield from list(super().pull(stream, since=since, resume=resume))


class TypesItsColumns(Sound):
    def frame(self, found: Records[dict[str, Any]]) -> pl.DataFrame:
        return super().frame(found).with_columns(weight=pl.lit(None, pl.Float64))


class Repeats(Sound):
    def frame(self, found: Records[dict[str, Any]]) -> pl.DataFrame:
        return pl.concat([super().frame(found)] * 2)


class Tells(Sound):
    def check(self) -> Sequence[CheckItem]:
        logging.getLogger("tells").debug("asking with %s", self.settings["secret"])
        return super().check()


class WritesWhileChecking(Sound):
    def check(self) -> Sequence[CheckItem]:
        self.client.request("PUT", "categories/probe", body=b'{"category": {}}')
        return super().check()


class TakesAnything(Sound):
    class Settings(Settings):
        class Meta:
            unknown = EXCLUDE


class KeepsNoSecret(Sound):
    class Settings(Settings):
        secret = fields.String(required=True, metadata={"description": "The secret."})


class StopsAtRefusals(Sound):
    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        for outcome in super().push(changes):
            yield outcome
            if outcome.state is OutcomeState.REJECTED:
                return


class AnswersTwice(Sound):
    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        for outcome in super().push(changes):
            yield outcome
            yield outcome


class NeverTheSame(Sound):
    """Gives every request a new content."""

    count = 0

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        def numbered() -> Iterator[Change]:
            for change in changes:
                NeverTheSame.count += 1
                yield replace(change, record={**change.record, "title": f"New {NeverTheSame.count}"})

        return super().push(numbered())


class ForgetsToInactivate(Sound):
    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        return super().push(replace(change, action=Action.UPDATE) for change in changes)


SHRUNKEN = Fault(FaultKind.SHRUNKEN_PAGE)
CONNECTORS: Mapping[str, type[Connector]] = {"sound": Sound}
BROKEN: Sequence[tuple[type[Sound], type[Contract], str, Mapping[str, Any]]] = (
    (EndsEarly, HttpSourceContract, "test_a_fault_in_mid_pull_costs_no_record", {"fault": SHRUNKEN}),
    (ForgetsItsPlace, HttpSourceContract, "test_a_pull_goes_on_after_any_page", {}),
    (ReadsAhead, HttpSourceContract, "test_pages_are_not_fetched_ahead", {}),
    (TypesItsColumns, HttpSourceContract, "test_pages_fit_the_raw_schema_and_say_where_rows_come_from", {}),
    (Repeats, HttpSourceContract, "test_keys_are_unique_and_never_empty", {}),
    (Tells, HttpSourceContract, "test_secrets_are_never_told", {}),
    (WritesWhileChecking, HttpSourceContract, "test_check_is_content_and_changes_nothing", {}),
    (TakesAnything, HttpSourceContract, "test_unknown_settings_are_refused", {}),
    (KeepsNoSecret, HttpSourceContract, "test_settings_mark_the_secrets", {}),
    (Sound, SourceContract, "test_the_declaration_of_http_is_true", {}),
    (StopsAtRefusals, HttpTargetContract, "test_a_refused_record_does_not_stop_the_others", {}),
    (AnswersTwice, HttpTargetContract, "test_every_change_has_one_outcome", {}),
    (NeverTheSame, HttpTargetContract, "test_pushing_again_changes_nothing", {}),
    (ForgetsToInactivate, HttpTargetContract, "test_what_is_inactivated_is_gone_and_stays_so", {}),
)


@pytest.mark.parametrize(
    ("broken", "suite", "test", "arguments"),
    BROKEN,
    ids=[f"{broken.__name__} {suite.__name__}" for broken, suite, *_ in BROKEN],
)
def test_a_broken_promise_fails_its_test(
    broken: type[Sound],
    suite: type[Contract],
    test: str,
    arguments: Mapping[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Held(_Made, suite):
        connector = "broken"
        stream = "categories"
        list_path = "/categories"

    monkeypatch.setattr(contract, "load_connector", lambda name: broken)
    held = Held()
    remote = held.make_remote(tmp_path)
    around = {"remote": remote, "caplog": caplog, "stand": held.make_stand(remote, tmp_path, tmp_path), **arguments}
    method: Callable[..., None] = getattr(held, test)
    wanted = {name: around[name] for name in inspect.signature(method).parameters}
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        method(**wanted)
