"""Bad deliveries: each gives a clear error or quarantine rows, loses no good record and stops nothing else.

The counterparts for JSON (doubled keys, NaN, cut-off bodies) are in the contract suite and in ``tests/transport``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.store.runs import RunState
from gateway.sync import list_quarantine
from tests.sync.stand import Nights, setting
from tests.sync.test_nights import rows_of

Edit = Callable[[Path], None]


@pytest.fixture
def clean_rows(nights) -> dict[str, int]:
    """Rows by table of an undisturbed pull."""
    return rows(nights.run(until="pull"))


def rows(report) -> dict[str, int]:
    return {name: table["rows"] for name, table in report.run.report["check"]["tables"].items()}


def bytes_of(name: str, change: Callable[[bytes], bytes]) -> Edit:
    def edit(bundle: Path) -> None:
        path = bundle / name
        path.write_bytes(change(path.read_bytes()))

    return edit


def first_line(name: str, change: Callable[[str], str]) -> Edit:
    return bytes_of(
        name, lambda data: change(data.split(b"\n", 1)[0].decode()).encode() + b"\n" + data.split(b"\n", 1)[1]
    )


HARMLESS: dict[str, Edit] = {
    "a byte order mark": bytes_of("users.csv", lambda data: b"\xef\xbb\xbf" + data),
    "UTF-16": bytes_of("orgs.csv", lambda data: data.decode().encode("utf-16")),
    "CRLF": bytes_of("results.csv", lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
    "no final newline": bytes_of("results.csv", lambda data: data.rstrip(b"\r\n")),
    "headers in capitals": first_line("enrollments.csv", str.upper),
    "a misspelt header": first_line("enrollments.csv", lambda line: line.replace("userSourcedId", "userSourcdId")),
    "an additional column": bytes_of(
        "orgs.csv",
        lambda data: b"\n".join(
            line + (b",metadata.x" if n == 0 else b",1")
            for n, line in enumerate(data.replace(b"\r", b"").rstrip(b"\n").split(b"\n"))
        ),
    ),
    "a missing optional column": bytes_of(
        "categories.csv", lambda data: data.replace(b",weight", b",wght-unknown-name")
    ),
    "file names in capitals": lambda bundle: (bundle / "orgs.csv").rename(bundle / "ORGS.CSV") and None,
}


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_oddities_that_cannot_be_misread_lose_nothing(edit, clean_rows, nights):
    edit(nights.bundle)
    report = nights.run(until="pull")
    assert (report.state, report.quarantined) == (RunState.PULLED, 0)
    assert rows(report) == clean_rows


def one(nights: Nights, name: str, **values: str) -> str:
    """Change one record that nothing depends on; returns its id."""
    records = rows_of(nights, name)
    record = next(r for r in records if r.get("score")) if name == "results.csv" else records[-1]
    nights.edit(name, setting({"sourcedId": record["sourcedId"]}, **values))
    return record["sourcedId"]


RECORDS = {
    "a date as day/month/year": ("results.csv", {"scoreDate": "3/4/2026"}, "record.not-a-date", "score_date"),
    "a reference to nowhere": (
        "results.csv",
        {"lineItemSourcedId": "no-such"},
        "record.refers-to-nowhere",
        "line_item_id",
    ),
    "a score above its maximum": ("results.csv", {"score": "1000"}, "record.score-above-maximum", "score"),
    "text in a number": ("results.csv", {"score": "three"}, "record.not-a-number", "score"),
    "a decimal comma": ("results.csv", {"score": "3,5"}, "record.not-a-number", "score"),
    "not a number": ("results.csv", {"score": "NaN"}, "record.not-a-number", "score"),
    "beyond any number": ("results.csv", {"score": "1e309"}, "record.not-a-number", "score"),
    "an unknown score status": ("results.csv", {"scoreStatus": "graded-ish"}, "record.unknown-word", "score_status"),
    "an id from a spreadsheet": ("demographics.csv", {"sourcedId": "1E+05"}, "record.damaged-id", "id"),
    "a missing required value": ("enrollments.csv", {"role": ""}, "record.required", "role"),
}


@pytest.mark.parametrize(("name", "values", "code", "column"), RECORDS.values(), ids=RECORDS)
def test_a_bad_record_is_set_aside_with_its_place(name, values, code, column, nights):
    one(nights, name, **values)
    report = nights.run(until="pull")
    store = nights.open()
    found = list_quarantine(store, nights.district)
    store.close()
    root = found.filter(~(found["code"] == "record.waiting"))
    row = root.row(0, named=True)
    assert (report.state, root.height, row["code"], row["field"], row["_source"]) == (
        RunState.PULLED,
        1,
        code,
        column,
        name,
    )
    assert nights.bundle.joinpath(name).read_text(encoding="utf-8").splitlines()[row["_line"] - 1]
    assert row["reason"]


def test_a_class_without_a_term_waits_with_all_that_needs_it_and_nothing_else(nights):
    chosen = rows_of(nights, "enrollments.csv")[-1]["classSourcedId"]
    good = (nights.bundle / "classes.csv").read_bytes()
    nights.edit("classes.csv", setting({"sourcedId": chosen}, termSourcedIds=""))
    report = nights.run(until="pull")
    store = nights.open()
    found = list_quarantine(store, nights.district)
    store.close()
    assert found.filter(found["code"] == "record.required").select("table", "id").rows() == [("classes", chosen)]
    waiting = {r["sourcedId"] for r in rows_of(nights, "enrollments.csv") if r["classSourcedId"] == chosen}
    assert waiting == set(found.filter(found["table"] == "enrollments")["id"])
    assert rows(report)["users"] == len(rows_of(nights, "users.csv"))
    (nights.bundle / "classes.csv").write_bytes(good)
    assert nights.run(until="pull").quarantined == 0


def test_nothing_waits_for_a_class_of_which_a_good_version_is_known(nights):
    before = rows(nights.run())
    chosen = rows_of(nights, "enrollments.csv")[-1]["classSourcedId"]
    nights.edit("classes.csv", setting({"sourcedId": chosen}, termSourcedIds=""))
    report = nights.run()
    assert (report.state, report.quarantined) == (RunState.DONE, 1)
    assert rows(report) == before


def test_equal_copies_count_once_and_contradicting_ones_not_at_all(nights):
    before = rows(nights.run())
    records = rows_of(nights, "results.csv")
    same, other = records[0], {**records[1], "score": "1.5" if records[1]["score"] != "1.5" else "2"}
    nights.edit("results.csv", lambda rows: [*rows, same, other])
    report = nights.run(until="pull")
    store = nights.open()
    found = list_quarantine(store, nights.district, table="results")
    store.close()
    assert report.run.report["check"]["notes"]["results/id/record.repeated"] == 1
    assert set(found["id"]) == {other["sourcedId"]}
    assert rows(report)["results"] == before["results"]  # the last good version of the contradicted one stays


def test_a_row_that_is_not_utf8_does_not_take_its_neighbours(nights):
    path = nights.bundle / "users.csv"
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3].replace(b",true,", b",true,\xe9\xe8", 1)
    path.write_bytes(b"\n".join(lines))
    before = len(rows_of_bytes(lines))
    report = nights.run(until="pull")
    assert rows(report)["users"] == before - 1
    store = nights.open()
    assert list_quarantine(store, nights.district, code="csv.not-utf8").row(0, named=True)["_line"] == 4
    store.close()


def rows_of_bytes(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines[1:] if line.strip()]


def test_a_missing_column_that_is_needed_stops_the_run_and_says_which(nights):
    first_line("results.csv", lambda line: line.replace("studentSourcedId", "pupil"))(nights.bundle)
    report = nights.run()
    problem = report.run.report["problem"]
    assert (report.state, report.exit_code, problem["code"]) == (RunState.FAILED, 1, "csv.missing-column")
    assert "studentSourcedId" in problem["message"]
    assert problem["file"] == "results.csv"
    assert nights.platform.writes == 0


def _zip(nights: Nights, *, more: dict[str, bytes] | None = None, cut: int = 0) -> None:
    path = nights.folder / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(nights.bundle.iterdir()):
            archive.write(file, file.name)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    nights.replace("settings: {path: sis/oneroster}", "settings: {path: bundle.zip}")


def test_a_zip_is_read_like_a_folder(clean_rows, nights):
    _zip(nights)
    assert rows(nights.run(until="pull")) == clean_rows


@pytest.mark.parametrize(
    ("more", "cut", "code"),
    [
        ({"../../climber.csv": b"x"}, 0, "bundle.path"),
        ({"bomb.csv": b"0" * 60_000_000}, 0, "bundle.ratio"),
        (None, 300, "bundle.cut-off"),
    ],
    ids=["climbs out", "unpacks to too much", "cut off"],
)
def test_a_dangerous_zip_is_refused(more, cut, code, nights):
    _zip(nights, more=more, cut=cut)
    report = nights.run()
    assert (report.exit_code, report.run.report["problem"]["code"]) == (1, code)
    assert nights.platform.writes == 0
    assert not list(nights.folder.parent.rglob("climber.csv"))
