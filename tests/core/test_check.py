"""Raw rows become typed rows or quarantine; none is dropped uncounted."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from gateway.core.check import (
    REASONS,
    check_references,
    check_scores,
    find_duplicates,
    fingerprints,
    leave_out,
    read_rows,
)
from gateway.core.model import LINE, SCORE, SOURCE, TABLES

RESULTS = TABLES["results"]


def raw(table, *rows):
    schema = TABLES[table].raw_schema
    filled = [{SOURCE: f"{table}.csv", LINE: n, **row} for n, row in enumerate(rows, start=2)]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in filled], schema=schema)


def result(**values):
    return {"id": "r1", "line_item_id": "l1", "student_id": "s1", "score": "3", "score_date": "2026-09-01", **values}


def codes(checked):
    return checked.quarantine.select("id", "code", "field").rows()


def test_good_rows_are_typed_and_keep_their_place():
    checked = read_rows(raw("results", result(score="3.50")), RESULTS)
    assert checked.rows["score"].to_list() == [Decimal("3.5")]
    assert checked.rows.select(SOURCE, LINE).row(0) == ("results.csv", 2)
    assert checked.quarantine.is_empty()


def test_a_bad_record_names_file_line_field_reason_and_a_masked_value():
    checked = read_rows(raw("results", result(), result(id="r2", score="Ann: 3,5")), RESULTS)
    assert checked.rows["id"].to_list() == ["r1"]
    row = checked.quarantine.row(0, named=True)
    assert (row["id"], row["code"], row["field"], row[SOURCE], row[LINE]) == (
        "r2", "record.not-a-number", "score", "results.csv", 3,
    )  # fmt: skip
    assert row["reason"] == REASONS["record.not-a-number"]
    assert row["value"] == "Aaa: 9,9"


def test_a_record_with_two_faults_is_listed_twice_and_left_out_once():
    checked = read_rows(raw("results", result(student_id=None, score="x"), result(id="r2")), RESULTS)
    assert checked.rows["id"].to_list() == ["r2"]
    assert sorted(codes(checked)) == [
        ("r1", "record.not-a-number", "score"),
        ("r1", "record.required", "student_id"),
    ]


def test_an_unreadable_optional_value_is_dropped_and_counted():
    checked = read_rows(raw("enrollments", {"id": "e", "class_id": "c", "user_id": "u", "role": "student",
                                            "begin_date": "soon"}), TABLES["enrollments"])  # fmt: skip
    assert checked.rows["begin_date"].to_list() == [None]
    assert checked.notes[("enrollments", "begin_date", "record.not-a-date")] == 1


def test_an_unknown_score_status_is_quarantined():
    assert codes(read_rows(raw("results", result(score_status="pending?")), RESULTS)) == [
        ("r1", "record.unknown-word", "score_status")
    ]


def test_a_class_without_a_term_is_quarantined():
    row = {"id": "c1", "title": "Math", "school_id": "o1", "term_ids": []}
    assert codes(read_rows(raw("classes", row), TABLES["classes"])) == [("c1", "record.required", "term_ids")]


def _deduplicate(*pages):
    typed = [read_rows(raw("results", *page), RESULTS).rows for page in pages]
    found = find_duplicates(pl.concat([fingerprints(rows, RESULTS, n) for n, rows in enumerate(typed)]))
    return [leave_out(rows, RESULTS, n, found) for n, rows in enumerate(typed)]


def test_equal_copies_count_once_across_pages():
    first, second = _deduplicate([result()], [result(), result(id="r2")])
    assert (first.rows["id"].to_list(), second.rows["id"].to_list()) == (["r1"], ["r2"])
    assert second.notes[("results", "id", "record.repeated")] == 1


def test_the_newest_of_different_copies_wins():
    old = result(score="2", date_last_modified="2026-09-01T00:00:00Z")
    new = result(score="4", date_last_modified="2026-09-02T00:00:00Z")
    (page,) = _deduplicate([new, old])
    assert page.rows["score"].to_list() == [Decimal(4)]
    assert page.notes[("results", "id", "record.superseded")] == 1


def test_contradictory_copies_are_all_set_aside():
    (page,) = _deduplicate([result(score="2"), result(score="4"), result(id="r2")])
    assert page.rows["id"].to_list() == ["r2"]
    assert codes(page) == [("r1", "record.duplicate", "id")] * 2


def test_ids_that_differ_only_in_case_are_different():
    (page,) = _deduplicate([result(id="a"), result(id="A")])
    assert page.rows.height == 2


def ids(*values):
    return pl.Series("id", values, pl.String)


def test_a_hard_reference_to_nowhere_and_one_that_waits():
    rows = read_rows(
        raw("results", result(), result(id="r2", student_id="s2"), result(id="r3", student_id="s3")), RESULTS
    )
    checked = check_references(rows.rows, RESULTS, {"users": ids("s1")}, {"users": ids("s2")})
    assert checked.rows["id"].to_list() == ["r1"]
    assert checked.quarantine.select("id", "code", "waits_for").rows() == [
        ("r2", "record.waiting", "users/s2"),
        ("r3", "record.refers-to-nowhere", "users/s3"),
    ]


def test_a_soft_reference_to_nowhere_is_dropped():
    rows = read_rows(raw("line_items", {"id": "l1", "title": "Quiz", "class_id": "c1", "category_id": "gone"}),
                     TABLES["line_items"]).rows  # fmt: skip
    checked = check_references(rows, TABLES["line_items"], {"categories": ids("k"), "classes": ids("c1")}, {})
    assert checked.rows["category_id"].to_list() == [None]
    assert checked.notes[("line_items", "category_id", "record.refers-to-nowhere")] == 1


def test_a_table_that_was_never_delivered_is_not_checked():
    rows = read_rows(raw("results", result()), RESULTS).rows
    assert check_references(rows, RESULTS, {}, {}).rows.height == 1


def test_terms_that_exist_stay_and_a_class_without_any_is_set_aside():
    rows = read_rows(
        raw("classes", {"id": "c1", "title": "A", "school_id": "o", "term_ids": ["t1", "t9"]},
            {"id": "c2", "title": "B", "school_id": "o", "term_ids": ["t9"]}),
        TABLES["classes"],
    ).rows  # fmt: skip
    checked = check_references(rows, TABLES["classes"], {"academic_sessions": ids("t1")}, {})
    assert checked.rows.select("id", "term_ids").rows() == [("c1", ["t1"])]
    assert codes(checked) == [("c2", "record.refers-to-nowhere", "term_ids")]


def test_scores_outside_their_range_are_set_aside():
    changed = ({}, {"score": "5"}, {"score": "-1"}, {"score": None}, {"score": "99", "line_item_id": "l2"})
    given = [result(**{"id": f"r{number}", **values}) for number, values in enumerate(changed, start=1)]
    rows = read_rows(raw("results", *given), RESULTS).rows
    limits = pl.DataFrame(
        {"id": ["l1", "l2"], "result_value_min": [Decimal(0), None], "result_value_max": [Decimal(4), None]},
        schema={"id": pl.String, "result_value_min": SCORE, "result_value_max": SCORE},
    )
    checked = check_scores(rows, RESULTS, limits)
    assert checked.rows["id"].to_list() == ["r1", "r4", "r5"]
    assert codes(checked) == [
        ("r2", "record.score-above-maximum", "score"),
        ("r3", "record.score-below-minimum", "score"),
    ]
