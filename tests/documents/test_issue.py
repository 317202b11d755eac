"""Codes, the record of disclosures, and that every document goes through it first."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError, DataError
from gateway.documents import issue as issuing
from gateway.documents.code import ALPHABET, LENGTH, new_code, read_code, shown
from gateway.documents.issue import (
    DocumentKind,
    Draft,
    Release,
    Rules,
    Stamp,
    check_document,
    digest_of,
    file_name,
    issue,
)
from gateway.store import disclosures, open_store, webhooks
from gateway.store.schema import disclosures as table
from gateway.store.webhooks import Event, Webhook

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
RULES = (Rules("school-weighted", "2026.1", "d" * 64),)
codes = st.randoms(use_true_random=False).map(lambda chance: new_code(chance.randrange))


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    yield store
    store.close()


def release(district="lakeside", recipient="State University", now=lambda: NOON):
    return Release(district, recipient, "admission", "R. Martinez", now)


def draft(given, name="one.pdf", content=b"%PDF", student="s1", inputs="1", **more):
    return Draft(given.stamp(), DocumentKind.GPA_REPORT, student, RULES, inputs, name, content, **more)


@given(codes, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_noticed(code, place, sign):
    wrong = code[:place] + sign + code[place + 1 :]
    if wrong == code:
        assert read_code(wrong) == code
    else:
        with pytest.raises(DataError, match="no verification code"):
            read_code(wrong)


@given(codes)
def test_a_code_is_understood_as_people_type_it(code):
    typed = shown(code).lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert read_code(typed) == code


def test_codes_do_not_come_twice():
    assert len({new_code() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("text", ["", "7K3M", "7K3M-Q2XW-9ABC-DEF*", "é" * 16, "U" * 16])
def test_what_is_no_code_is_told(text):
    with pytest.raises(DataError) as caught:
        read_code(text)
    assert caught.value.code == "documents.code"


def test_the_row_is_written_before_the_file(store, tmp_path, monkeypatch):
    def no_disk(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(issuing, "atomic_file", no_disk)
    given_ = release()
    with pytest.raises(OSError, match="No space"):
        issue(store, given_, [draft(given_)], tmp_path / "out")
    assert [each.student_id for each in disclosures.listed(store, "lakeside")] == ["s1"]
    assert list((tmp_path / "out").iterdir()) == []


def test_no_file_without_its_row(store, tmp_path):
    given_ = release()
    one = draft(given_)
    issue(store, given_, [one], tmp_path)
    again = Draft(one.stamp, one.kind, "s2", RULES, "2", "two.pdf", b"%PDF two")
    with pytest.raises(sa.exc.IntegrityError):
        issue(store, given_, [again], tmp_path)
    assert not (tmp_path / "two.pdf").exists()


def test_an_issued_document_is_not_overwritten(store, tmp_path):
    given_ = release()
    issue(store, given_, [draft(given_, content=b"old")], tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        issue(store, given_, [draft(given_, content=b"new")], tmp_path)
    assert caught.value.code == "documents.exists"
    assert (tmp_path / "one.pdf").read_bytes() == b"old"
    assert disclosures.newest(store, "lakeside")[0] == 1


def test_a_document_is_looked_up_and_compared(store, tmp_path):
    given_ = release()
    (record,) = issue(store, given_, [draft(given_)], tmp_path)
    assert record.issued_at == NOON.replace(microsecond=0)
    assert record.content_sha256 == sha256(b"%PDF").hexdigest()
    checked = check_document(store, "lakeside", shown(record.code).lower(), b"%PDF")
    assert (checked.record, checked.same_content, checked.replaced_by) == (record, True, None)
    assert check_document(store, "lakeside", record.code, b"%PDF!").same_content is False
    assert check_document(store, "lakeside", record.code).same_content is None


def test_another_district_does_not_know_the_document(store, tmp_path):
    given_ = release()
    (record,) = issue(store, given_, [draft(given_)], tmp_path)
    with pytest.raises(DataError) as caught:
        check_document(store, "riverside", record.code)
    assert caught.value.code == "documents.unknown"
    issue(store, release("riverside"), [draft(release("riverside"), "two.pdf")], tmp_path)
    assert disclosures.newest(store, "riverside")[0] == 1  # a chain of its own


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE disclosures SET recipient = 'Nobody' WHERE sequence = 2", 2),
        ("UPDATE disclosures SET student_id = NULL WHERE sequence = 3", 3),
        ("DELETE FROM disclosures WHERE sequence = 1", 1),
        ("DELETE FROM disclosures WHERE sequence = 2", 2),
        ("UPDATE disclosures SET rules = '[]' WHERE sequence = 1", 1),
    ],
)
def test_tampering_shows(store, tmp_path, change, broken):
    given_ = release()
    (first, *_) = issue(store, given_, [draft(given_, f"{n}.pdf") for n in range(3)], tmp_path)
    with store.begin() as connection:
        for act in ("update", "delete"):
            connection.execute(sa.text(f"DROP TRIGGER disclosures_no_{act}"))
        connection.execute(sa.text(change))
    assert disclosures.first_broken(store, "lakeside") == broken
    if broken != 1:
        with pytest.raises(DataError, match="tampered"):
            check_document(store, "lakeside", first.code)


def test_a_cut_tail_shows_by_the_digest_that_was_kept_elsewhere(store, tmp_path):
    given_ = release()
    issue(store, given_, [draft(given_, f"{n}.pdf") for n in range(3)], tmp_path)
    kept = disclosures.newest(store, "lakeside")
    with store.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER disclosures_no_delete"))
        connection.execute(sa.delete(table).where(table.c.sequence == 3))
    assert disclosures.first_broken(store, "lakeside") is None
    assert disclosures.newest(store, "lakeside") != kept


def test_a_document_from_other_data_names_the_older_one(store, tmp_path):
    clock = iter(NOON + timedelta(days=n) for n in range(9))
    given_ = release(now=lambda: next(clock))

    def older(inputs):
        return issuing.replaced_code(
            store, "lakeside", DocumentKind.GPA_REPORT, "s1", "State University", RULES, inputs
        )

    assert older("1") is None
    (first,) = issue(store, given_, [draft(given_, "1.pdf", inputs="1")], tmp_path)
    assert older("1") is None  # a second copy replaces nothing
    assert older("2") == first.code
    (second,) = issue(store, given_, [draft(given_, "2.pdf", inputs="2", replaces=older("2"))], tmp_path)
    assert check_document(store, "lakeside", first.code).replaced_by == second


@pytest.mark.parametrize("missing", ["recipient", "purpose", "issued_by"])
def test_a_disclosure_says_to_whom_why_and_by_whom(missing):
    words = {"recipient": "a", "purpose": "b", "issued_by": "c"} | {missing: "  "}
    with pytest.raises(ConfigurationError) as caught:
        Release("lakeside", now=lambda: NOON, **words)
    assert caught.value.code == "documents.release"


def test_the_digest_of_data_sees_values_not_their_order():
    rows = pl.DataFrame({"student_id": ["s", "s"], "grade": ["A", None], "_line": [2, 3]})
    shuffled = rows.select("grade", "student_id", pl.col("_line") + 10).reverse()
    assert digest_of(rows) == digest_of(shuffled)
    assert digest_of(rows) != digest_of(rows.with_columns(pl.col("grade").fill_null("")))
    assert digest_of(rows) != digest_of(rows, words=["Ada"])


def test_file_names_are_plain():
    assert file_name("gpa-report", "../../etc/passwd", "S 1", ending="pdf") == "gpa-report-etc-passwd-S-1.pdf"
    assert file_name("..", "", ending="pdf") == "x-x.pdf"
    assert len(file_name("a" * 500, ending="pdf")) < 200


def test_random_codes_use_all_signs():
    chance = random.Random(1)
    assert set("".join(new_code(chance.randrange) for _ in range(200))) == set(ALPHABET)


def test_webhooks_are_told_of_documents_with_gpas_in_the_same_transaction(store, tmp_path):
    webhooks.create(
        store, Webhook("lakeside", "hook_1", "client_1", "https://x.example", (Event.GPA_ISSUED,), 1, NOON, None)
    )
    given_ = release()
    plain = dataclasses.replace(draft(given_, name="two.pdf"), kind=DocumentKind.MASTERY_TRANSCRIPT)
    (told, _) = issue(store, given_, [draft(given_), plain], tmp_path / "out")
    (sent,) = webhooks.log(store, webhooks.find(store, "lakeside", "hook_1"), after=None, limit=9)
    assert (sent.event, sent.payload["data"]) == (
        Event.GPA_ISSUED, {"district": "lakeside", "documents": [{"document": told.code, "kind": "gpa-report"}]},
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError):
        issue(store, given_, [dataclasses.replace(draft(given_, name="3.pdf"), stamp=Stamp(told.code, NOON))], tmp_path)
    assert len(webhooks.log(store, webhooks.find(store, "lakeside", "hook_1"), after=None, limit=9)) == 1
