"""Rows written as the objects of the standard: sound JSON whatever texts hold, nothing of what is empty."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.oneroster.lists import COMMON, LISTINGS, LISTINGS_11
from gateway.api.oneroster.records import Records
from gateway.core.model import TABLES

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def written(name, row, listings=LISTINGS):
    """One row through the writer of a list, with all columns of the list's table and parts."""
    listing = listings[name]
    fields = (*COMMON, *listing.fields)
    parts = {part: pl.List(pl.Struct(dict(TABLES[part].schema))) for part in listing.parts}
    schema = {column: {**TABLES[listing.table].schema, **parts}[column] for column in {f.column for f in fields}}
    frame = pl.DataFrame([{column: row.get(column) for column in schema}], schema=schema)
    return json.loads(Records("R", "G", fields).listed(name, frame))[name][0]


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_comes_out_as_it_went_in(id, text, source):
    objectives = [
        {"source": source, "learning_objective_id": id, "score": Decimal("3.5"), "text_score": text},
        {"source": source, "learning_objective_id": text},
    ]
    found = written("results", {"id": id, "student_id": id, "comment": text, "result_learning_objectives": objectives})
    assert (found["sourcedId"], found["comment"]) == (id, text)
    assert found["student"] == {"href": found["student"]["href"], "sourcedId": id, "type": "user"}
    assert unquote(found["student"]["href"].removeprefix("R/users/")) == id
    assert set(found["student"]["href"]) <= set(map(chr, range(33, 127))) - set('"<>\\^`{|}')
    results = [{"learningObjectiveId": id, "score": 3.5, "textScore": text}, {"learningObjectiveId": text}]
    assert found["learningObjectiveSet"] == [{"source": source, "learningObjectiveResults": results}]


def test_what_is_empty_is_left_out_unless_it_is_required():
    assert written("results", {"id": "r"}) == {"sourcedId": "r", "status": "active", "scoreStatus": "submitted"}
    empty = {"id": "u", "grades": [], "roles": [], "user_ids": []}
    required = {"sourcedId": "u", "status": "active", "enabledUser": "true", "familyName": ""}
    assert written("users", empty) == required
    assert written("users", empty, LISTINGS_11) == required | {"role": "student"}


@pytest.mark.parametrize(
    ("name", "column", "value", "field", "shown"),
    [
        ("results", "score", Decimal("96"), "score", 96),
        ("results", "score_date", date(2026, 3, 1), "scoreDate", "2026-03-01"),
        ("results", "late", False, "late", "false"),
        ("results", "date_last_modified", datetime(2026, 3, 1, 7, 5, 4, 30_900, tzinfo=UTC), "dateLastModified",
         "2026-03-01T07:05:04.030Z"),
        ("users", "user_ids", ["{sis:a:1}", "{x}", "y"], "userIds",
         [{"type": "sis", "identifier": "a:1"}, {"type": "x", "identifier": ""}, {"type": "y", "identifier": ""}]),
        ("users", "grades", ["09", 'a"b'], "grades", ["09", 'a"b']),
        ("classes", "term_ids", ["a b"], "terms",
         [{"href": "R/academicSessions/a%20b", "sourcedId": "a b", "type": "academicSession"}]),
        ("lineItems", "line_item_learning_objectives",
         [{"source": "b", "learning_objective_id": "1"}, {"source": None, "learning_objective_id": "2"},
          {"source": "b", "learning_objective_id": "3"}], "learningObjectiveSet",
         [{"source": "b", "learningObjectiveIds": ["1", "3"]}, {"source": "unknown", "learningObjectiveIds": ["2"]}]),
        ("lineItems", "line_item_score_scales", [{"score_scale_id": "s"}, {"score_scale_id": "t"}], "scoreScale",
         {"href": "G/scoreScales/s", "sourcedId": "s", "type": "scoreScale"}),
        ("scoreScales", "score_scale_values", [{"lhs": "A", "rhs": "4.0"}], "scoreScaleValue",
         [{"itemValueLHS": "A", "itemValueRHS": "4.0"}]),
        ("users", "roles", [{"role": "aide", "org_id": "o", "begin_date": date(2026, 8, 1)}], "roles",
         [{"roleType": "primary", "role": "aide", "beginDate": "2026-08-01",
           "org": {"href": "R/orgs/o", "sourcedId": "o", "type": "org"}}]),
    ],
)  # fmt: skip
def test_each_kind_of_value_is_written_as_the_standard_says(name, column, value, field, shown):
    assert written(name, {"id": "1", column: value})[field] == shown


def test_1_1_knows_the_primary_role_in_its_own_words_and_each_org_once():
    roles = [
        {"role": "teacher", "role_type": "secondary", "org_id": "a"},
        {"role": "principal", "role_type": "primary", "org_id": "b"},
        {"role": "aide", "role_type": "secondary", "org_id": "a"},
    ]
    found = written("users", {"id": "u", "roles": roles}, LISTINGS_11)
    assert found["role"] == "administrator"
    assert [org["sourcedId"] for org in found["orgs"]] == ["a", "b"]
