"""Many documents at once: in their order, the same on several processes, and only what was made is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest

from gateway.documents.desk import AT_ONCE, Desk, make_documents
from gateway.documents.gpa_orders import report_orders
from gateway.documents.gpa_report import Student
from gateway.documents.issue import Release
from gateway.store import disclosures, open_store
from tests.documents.conftest import SCHOOL, computed, transcript

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    release = Release("lakeside", "State University", "admission", "R. M.", lambda: NOON)
    yield Desk(SCHOOL, ZoneInfo("America/New_York"), store, release, tmp_path / "out")
    store.close()


def orders(count, ending="csv", name=""):
    courses = transcript(3)
    (one,) = report_orders(
        computed(["school-weighted"], courses), courses, {"S100": Student("S100", name)}, None, ending=ending
    )
    return [replace(one, student_id=f"S{n}", name=f"S{n:03}") for n in range(count)]


def check_written(desk, records):
    for record in records:
        content = (desk.folder / record.file_name).read_bytes()
        assert sha256(content).hexdigest() == record.content_sha256
        assert "-".join(record.code[n : n + 4] for n in range(0, 16, 4)).encode() in content


def test_more_than_one_batch_is_recorded_in_order(desk):
    count = AT_ONCE + 3
    made = make_documents(desk, orders(count))
    assert [record.student_id for record in made.records] == [f"S{n}" for n in range(count)]
    assert disclosures.newest(desk.store, "lakeside")[0] == count
    assert disclosures.first_broken(desk.store, "lakeside") is None
    check_written(desk, made.records)


def test_several_processes_make_them_in_the_same_order(desk):
    unprintable = orders(1, "pdf", name="\U00010a60")
    made = make_documents(desk, [*orders(14), *unprintable, *orders(1, "pdf")], workers=2)
    assert [(order, error.code) for order, error in made.failures] == [(unprintable[0], "documents.font")]
    assert [record.student_id for record in made.records] == [*(f"S{n}" for n in range(14)), "S0"]
    check_written(desk, made.records[:-1])
    assert (desk.folder / made.records[-1].file_name).read_bytes().startswith(b"%PDF-1.7")


def test_a_preview_is_written_and_not_recorded(desk):
    made = make_documents(replace(desk, preview=True), orders(2))
    assert [path.name for path in made.previews] == ["preview-gpa-report-S000.csv", "preview-gpa-report-S001.csv"]
    assert "preview, not issued" in made.previews[0].read_text(encoding="utf-8")
    assert disclosures.newest(desk.store, "lakeside")[0] == 0
