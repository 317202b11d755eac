"""CASE packages become tables with the tolerance that real exports need, and tables become strict packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.case import check_packages, read_packages
from gateway.core.case_package import case_package
from gateway.core.errors import DataError
from gateway.core.framework import Framework
from gateway.core.model import FRAMEWORK_TABLES, TABLES, TIME, empty

BASE = "https://gateway.example/ims/case/v1p1"
DOC = "d0000000-0000-0000-0000-000000000000"
A = "a0000000-0000-0000-0000-00000000000a"
B = "b0000000-0000-0000-0000-00000000000b"
WHEN = "2026-01-02T03:04:05Z"


def link(id: str, kind: str = "CFItems") -> dict[str, Any]:
    return {"title": "Origin", "identifier": id, "uri": f"https://x.example/ims/case/v1p0/{kind}/{id}"}


def item(id: str, **more: Any) -> dict[str, Any]:
    head = {"identifier": id, "uri": f"{BASE}/CFItems/{id}", "lastChangeDateTime": WHEN}
    return head | {"fullStatement": f"Statement {id[0]}"} | more


def association(n: int, kind: str, origin: Any, destination: Any, **more: Any) -> dict[str, Any]:
    id = f"e0000000-0000-0000-0000-{n:012d}"
    return {
        "identifier": id, "uri": f"{BASE}/CFAssociations/{id}", "lastChangeDateTime": WHEN, "associationType": kind,
        "originNodeURI": origin, "destinationNodeURI": destination,
    } | more  # fmt: skip


def package(*, items: Any = (), associations: Any = (), **more: Any) -> dict[str, Any]:
    document = {
        "identifier": DOC, "uri": f"{BASE}/CFDocuments/{DOC}", "lastChangeDateTime": WHEN, "creator": "Us",
        "title": "Lakeside",
    }  # fmt: skip
    document |= more.pop("document", {})
    return {"CFDocument": document, "CFItems": list(items), "CFAssociations": list(associations)} | more


def read(data: object) -> Mapping[str, pl.DataFrame]:
    return check_packages(read_packages(data, source="f.json").frames).tables


def only(frame: pl.DataFrame) -> dict[str, Any]:
    return frame.row(0, named=True) if frame.height == 1 else pytest.fail(f"{frame.height} rows")


# ---- real packages ----

PUBLIC = {
    "compeito/opencase_round_trip_baseline.json": (1, 36, 36, 2, 7, 28),
    "opensalt/AdoptedTestFramework.json": (1, 1, 1, 0, 0, 0),
    "opensalt/EmptyExternalFramework.json": (1, 0, 0, 0, 0, 0),
    "opensalt/ItemTypeTestFramework.json": (1, 1, 1, 0, 0, 0),
    "opensalt/MarkdownFramework.json": (1, 2, 2, 0, 0, 0),
    "opensalt/Ordering.json": (1, 28, 28, 0, 0, 0),
    "opensalt/SequenceNumberFramework.json": (1, 2, 2, 0, 0, 0),
    "opensalt/SmartLevelFramework.json": (1, 14, 14, 0, 0, 0),
    "opensalt/Utf8TestFramework.json": (1, 1, 1, 0, 0, 0),
    "opensalt/opensalt-framework-20c5134f.json": (1, 16, 39, 0, 0, 0),
    "smarterbalanced/mockELAPackage__mockPack.ela-only.json": (3, 133, 205, 0, 0, 0),
    "smarterbalanced/mockPT__mockPT.json": (1, 164, 240, 0, 0, 0),
    "smarterbalanced/mockSingleGradePT__singleGradePT.json": (1, 164, 244, 0, 0, 0),
}
"""Rows by table, after the two contradictory records of one identifier in the list of packages were set aside."""


def public(shared_data: Path, name: str) -> Any:
    file = shared_data / "case" / name
    if not file.exists():
        pytest.skip(f"{name} is not there")
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_package_reads_whole_and_builds_its_frameworks(shared_data, name):
    found = read_packages(public(shared_data, name), source=name)
    checked = check_packages(found.frames)
    assert tuple(checked.tables[table].height for table in FRAMEWORK_TABLES) == PUBLIC[name]
    assert found.warnings == ()
    assert found.rejects.is_empty()
    in_trees = 0
    for id in checked.tables["frameworks"]["id"]:
        framework = Framework.from_tables(checked.tables, framework_id=id)
        in_trees += len(framework.competencies)
        assert not {"framework.cycle", "framework.several-parents"} & {f.code for f in framework.problems()}
    assert in_trees == PUBLIC[name][1]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_package_is_written_by_the_strict_schema_and_reads_back_the_same(shared_data, name):
    schema = public(shared_data, "schema/case-v1p1-cfpackage-official.json")
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    tables = read(public(shared_data, name))
    for id in tables["frameworks"]["id"]:
        written = json.loads(json.dumps(case_package(tables, base_uri=BASE, framework_id=id)))
        assert [error.message for error in validator.iter_errors(written)] == []
        again = read(written)
        assert Framework.from_tables(again).digest == Framework.from_tables(tables, framework_id=id).digest
        if tables["frameworks"].height == 1:
            for table in FRAMEWORK_TABLES:
                assert again[table].equals(tables[table]), table


def test_a_doubled_identifier_with_two_contents_is_set_aside_with_its_places(shared_data):
    name = "smarterbalanced/mockELAPackage__mockPack.ela-only.json"
    quarantine = check_packages(read_packages(public(shared_data, name), source="ela.json").frames).quarantine
    assert quarantine.select("code", "_source", "_line").rows() == [
        ("record.duplicate", "ela.json#1/CFItems", 3),
        ("record.duplicate", "ela.json#1/CFItems", 4),
    ]


def test_public_rubrics_become_scales(shared_data):
    tables = read(public(shared_data, "compeito/opencase_round_trip_baseline.json"))
    framework = Framework.from_tables(tables)
    assert len(framework.rubrics) == 7
    for criteria in framework.rubrics.values():
        scores = [level.score for level in criteria[0].levels]
        assert len(scores) == 4
        assert scores == sorted(set(scores))


# ---- tolerances, one by one ----


def test_a_1_0_package_reads_as_1_1_and_needless_links_are_dropped():
    document_link = link(DOC, "CFDocuments")
    older = package(
        items=[item(A, CFDocumentURI=document_link, CFItemAssociationURI="https://x.example/y")],
        associations=[association(1, "isChildOf", link(A), document_link, CFDocumentURI=document_link)],
        document={"CFPackageURI": link(DOC, "CFPackages")},
    )
    plain = package(items=[item(A)], associations=[association(1, "isChildOf", link(A), document_link)])
    assert all(read(older)[name].equals(read(plain)[name]) for name in FRAMEWORK_TABLES)


@pytest.mark.parametrize("wrap", [lambda p: {"CFPackage": p}, lambda p: [p], lambda p: [{"CFPackage": p}]])
def test_a_package_may_be_wrapped_or_stand_in_a_list(wrap):
    assert only(read(wrap(package(items=[item(A)])))["competencies"])["id"] == A


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (f"https://x.example/CFItems/{A}", A),
        (f"https://x.example/CFItems/{A.upper()}/", A),
        (A.upper(), A),
        (f"urn:uuid:{A}", A),
        ({"uri": f"https://x.example/CFItems/{A}"}, A),
        ({"title": "x", "identifier": A.upper(), "uri": "http://localhost/1"}, A),
        ({"title": "x", "uri": "https://Example.org/Page"}, "https://Example.org/Page"),
        ("https://Example.org/Page", "https://Example.org/Page"),
    ],
)
def test_an_end_is_read_from_whatever_form_a_link_has(end, expected):
    tables = read(package(items=[item(A)], associations=[association(1, "isRelatedTo", end, link(B))]))
    assert only(tables["associations"])["origin_id"] == expected


@pytest.mark.parametrize("end", [None, "", {}, {"title": "only a title"}, 7, []])
def test_an_association_without_an_end_is_set_aside_and_its_neighbour_stays(end):
    data = package(
        associations=[association(1, "isChildOf", end, link(B)), association(2, "isChildOf", link(A), link(B))]
    )
    checked = check_packages(read_packages(data, source="f.json").frames)
    assert checked.tables["associations"].height == 1
    assert checked.quarantine.select("code", "field", "_source", "_line").rows() == [
        ("record.required", "origin_id", "f.json#CFAssociations", 1)
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"educationLevel": ["KG", "01"]}, ["KG", "01"]),
        ({"educationalLevel": "K,1, 2,12"}, ["KG", "01", "02", "12"]),
        ({"educationLevel": "09,10"}, ["09", "10"]),
        ({"educationLevel": ["Kindergarten", "K", "PK", "pre-k", "UG"]}, ["KG", "PK", "UG"]),
        ({"educationLevel": None}, None),
        ({}, None),
    ],
)
def test_education_levels_are_normalised(more, expected):
    assert only(read(package(items=[item(A, **more)]))["competencies"])["education_levels"] == expected


@pytest.mark.parametrize("when", ["2017-05-25T18:05:33", "2017-05-25 18:05:33", "2017-05-25T20:05:33+02:00"])
def test_a_time_without_a_zone_is_utc(when):
    row = only(read(package(items=[item(A, lastChangeDateTime=when)]))["competencies"])
    assert row["date_last_modified"] == datetime(2017, 5, 25, 18, 5, 33, tzinfo=UTC)


@pytest.mark.parametrize(("given_number", "expected"), [(7, 7), ("7", 7), (7.0, 7), (None, None), ("seventh", None)])
def test_a_sequence_number_may_be_text_or_absent(given_number, expected):
    tables = read(package(associations=[association(1, "isChildOf", link(A), link(B), sequenceNumber=given_number)]))
    assert only(tables["associations"])["sequence_number"] == expected


def test_nulls_are_the_same_as_nothing():
    nulls = dict.fromkeys(["humanCodingScheme", "abbreviatedStatement", "educationLevel", "CFItemType", "subject"])
    data = package(items=[item(A, **nulls)], CFRubrics=None, CFDefinitions=None)
    assert all(read(data)[name].equals(read(package(items=[item(A)]))[name]) for name in FRAMEWORK_TABLES)


def test_ends_outside_the_package_are_kept():
    tables = read(package(items=[item(A)], associations=[association(1, "exactMatchOf", link(A), link(B))]))
    assert [m.id for m in Framework.from_tables(tables).matches(A, ["exactMatchOf"])] == [B]


def test_letter_case_of_identifiers_does_not_matter():
    data = package(
        items=[item(A.upper()), item(B)],
        associations=[
            association(1, "isChildOf", link(B.upper()), link(A)),
            association(2, "isChildOf", link(A), link(DOC.upper())),
        ],
    )
    framework = Framework.from_tables(read(data))
    assert framework.children(A) == (B,)
    assert framework.problems()[0].code == "framework.no-code"


def test_text_is_kept_as_it_is():
    statement = "Solve $x^2$ for **𝑑** <b>&amp;</b> \\frac{1}{2}"
    assert only(read(package(items=[item(A, fullStatement=statement)]))["competencies"])["statement"] == statement


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("IsChildOf", "isChildOf"),
        ("is child of", "isChildOf"),
        ("isExactMatchOf", "exactMatchOf"),
        ("ext:x.y", "ext:x.y"),
    ],
)
def test_association_types_are_spelt_as_the_standard_does(written, expected):
    found = read_packages(package(associations=[association(1, written, link(A), link(B))]), source="f.json")
    assert found.frames["associations"]["type"].to_list() == [expected]
    assert found.warnings == ()


def test_an_unknown_association_type_is_kept_and_told():
    data = package(associations=[association(n, "is{count}Of", link(A), link(B)) for n in range(3)])
    found = read_packages(data, source="f.json")
    assert found.frames["associations"]["type"].unique().to_list() == ["is{count}Of"]
    assert found.warnings == ('Associations of the type "is{count}Of", which CASE does not know: 3; kept.',)


def test_warnings_stay_few_however_many_types_are_unknown():
    data = package(associations=[association(n, f"kind{n}", link(A), link(B)) for n in range(100)])
    warnings = read_packages(data, source="f.json").warnings
    assert len(warnings) == 21
    assert warnings[-1] == "Associations of further types, which CASE does not know: 80; kept."


def test_an_item_without_an_identifier_takes_the_one_in_its_address_or_is_set_aside():
    lost = item(A) | {"identifier": None, "uri": "https://x.example/no/id"}
    data = package(items=[item(A) | {"identifier": " "}, lost, item(B)])
    checked = check_packages(read_packages(data, source="f.json").frames)
    assert checked.tables["competencies"]["id"].to_list() == [A, B]
    assert checked.quarantine.select("code", "field", "_line").rows() == [("record.required", "id", 2)]


def test_an_association_without_an_identifier_gets_the_same_one_every_time():
    bare = association(1, "isChildOf", link(A), link(DOC)) | {"identifier": None, "uri": None}
    first, second = (read_packages(package(associations=[bare]), source="f.json") for _ in range(2))
    assert first.frames["associations"].equals(second.frames["associations"])
    assert first.frames["associations"]["id"][0] is not None
    assert first.warnings == ("Associations without an identifier: 1; each got one made from what it links.",)


def test_records_of_one_identifier_count_once_when_equal_and_the_newest_wins_when_not():
    newer = item(B, lastChangeDateTime="2026-05-05T00:00:00Z", fullStatement="Newer")
    checked = check_packages(read_packages(package(items=[item(A), item(A), newer, item(B)]), source="f").frames)
    assert checked.tables["competencies"].select("id", "statement").rows() == [(A, "Statement a"), (B, "Newer")]
    assert checked.quarantine.is_empty()


@pytest.mark.parametrize("name", ["CFItems", "CFAssociations", "CFRubrics"])
def test_what_is_no_object_is_rejected_with_its_place_and_the_rest_is_read(name):
    data = package(items=[item(A)])
    data[name] = ["text", None, *data.get(name, [])]
    found = read_packages(data, source="f.json")
    assert found.rejects.select("code", "_source", "_line").rows() == [
        ("case.not-an-object", f"f.json#{name}", 1),
        ("case.not-an-object", f"f.json#{name}", 2),
    ]
    assert found.frames["competencies"].height == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "case.not-a-package"),
        ([], "case.not-a-package"),
        (None, "case.not-a-package"),
        ("text", "case.not-a-package"),
        ({"CFDocuments": []}, "case.not-a-package"),
        ({"CFPackage": None}, "case.not-a-package"),
        ([package(), {"CFDocument": []}], "case.not-a-package"),
        ({"CFDocument": {"title": "x"}}, "case.no-identifier"),
    ],
)
def test_what_is_no_package_is_refused(data, code):
    with pytest.raises(DataError) as caught:
        read_packages(data, source="f.json")
    assert caught.value.code == code
    assert caught.value.place.source == "f.json"


def test_names_come_from_the_definitions_and_never_from_link_titles():
    kinds = {"identifier": B, "uri": f"{BASE}/CFItemTypes/{B}", "title": "Standard", "description": None}
    subject = {"identifier": A, "uri": f"{BASE}/CFSubjects/{A}", "title": "Mathematics"}
    definitions = {"CFItemTypes": [kinds, None], "CFSubjects": [subject], "CFLicenses": None}
    data = package(
        items=[item(A, CFItemTypeURI=link(B, "CFItemTypes"), subjectURI=[link(A, "CFSubjects"), link(DOC)])],
        document={"licenseURI": link(DOC, "CFLicenses")},
        CFDefinitions=definitions,
    )
    tables = read(data)
    row = only(tables["competencies"])
    assert (row["item_type"], row["subjects"]) == ("Standard", ["Mathematics"])
    assert only(tables["frameworks"])["license"] == link(DOC, "CFLicenses")["uri"]


def test_rubrics_are_read_with_exact_scores():
    level = {"identifier": A, "quality": "Proficient", "score": 3.1, "position": None}
    criterion = {"identifier": B, "CFItemURI": link(A), "weight": 0.1, "CFRubricCriterionLevels": [level]}
    tables = read(package(CFRubrics=[{"identifier": DOC, "title": "R", "CFRubricCriteria": [criterion]}]))
    assert only(tables["rubric_levels"])["score"] == Decimal("3.1")
    assert only(tables["rubric_criteria"])["weight"] == Decimal("0.1")
    assert only(tables["rubric_criteria"])["competency_id"] == A


# ---- writing ----

UUIDS = st.uuids().map(str)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda t: t == t.strip()
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.replace(tzinfo=UTC, microsecond=t.microsecond // 1000 * 1000)
)
SCORES = st.none() | st.decimals(0, 10**6, places=6)
SMALL = st.none() | st.integers(0, 99)


def record(table: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A row with what CASE requires present, and everything else present or not."""
    strategies: dict[str, st.SearchStrategy[Any]] = {}
    for column in TABLES[table].columns:
        always = column.required or column.name in ("creator", "uri", "date_last_modified")
        plain = {
            "text": WORDS, "text list": st.lists(WORDS, min_size=1, max_size=2), "time": TIMES, "integer": SMALL,
            "decimal": SCORES,
        }[column.kind.value]  # fmt: skip
        strategies[column.name] = columns.get(column.name, plain if always else st.none() | plain)
    return st.fixed_dictionaries(strategies)


def records(table: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(record(table, **columns), max_size=4, unique_by=lambda row: row["id"])


@st.composite
def frameworks(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    framework = draw(UUIDS)
    mine = {"id": UUIDS, "framework_id": st.just(framework)}
    levels = st.lists(st.sampled_from(["KG", "01", "12", "UG"]), min_size=1, max_size=2, unique=True)
    found = {
        "frameworks": [draw(record("frameworks", id=st.just(framework)))],
        "competencies": draw(records("competencies", **mine, education_levels=st.none() | levels)),
        "rubrics": draw(records("rubrics", **mine)),
    }
    ends = (
        st.sampled_from([framework, *(row["id"] for row in found["competencies"])]) | UUIDS | st.just("https://X.org/A")
    )
    kinds = st.sampled_from(["isChildOf", "precedes", "exactMatchOf", "ext:mine"])
    found["associations"] = draw(records("associations", **mine, type=kinds, origin_id=ends, destination_id=ends))
    found["rubric_criteria"] = _below(
        draw, "rubric_criteria", "rubric_id", found["rubrics"], competency_id=st.none() | UUIDS
    )
    found["rubric_levels"] = _below(draw, "rubric_levels", "criterion_id", found["rubric_criteria"])
    return {t: pl.DataFrame(found[t], schema=TABLES[t].schema, orient="row") for t in FRAMEWORK_TABLES}


def _below(
    draw: st.DrawFn, table: str, column: str, parents: list[dict[str, Any]], **columns: st.SearchStrategy[Any]
) -> list[dict[str, Any]]:
    if not parents:
        return []
    order = [parent["id"] for parent in parents]
    found = draw(records(table, id=UUIDS, **{column: st.sampled_from(order)}, **columns))
    return sorted(found, key=lambda row: order.index(row[column]))


@settings(max_examples=30)
@given(frameworks())
def test_what_is_written_reads_back_the_same(tables):
    written = json.loads(json.dumps(case_package(tables, base_uri=BASE)))
    again = check_packages(read_packages(written, source="f").frames)
    assert again.quarantine.is_empty()
    for name in FRAMEWORK_TABLES:
        assert again.tables[name].equals(tables[name]), name


def test_a_written_package_has_no_nulls_and_no_links_that_belong_outside():
    text = json.dumps(case_package(read(package(items=[item(A)])), base_uri=f"{BASE}/"))
    assert "null" not in text
    assert "CFDocumentURI" not in text
    assert "CFPackageURI" not in text
    assert f"{BASE}/" in text


def test_what_the_tables_lack_is_filled_so_that_the_package_stays_valid(shared_data):
    schema = public(shared_data, "schema/case-v1p1-cfpackage-official.json")
    tables = {name: empty(name) for name in FRAMEWORK_TABLES}
    tables["frameworks"] = pl.DataFrame(
        [{"id": "lakeside", "title": "L", "license": "CC BY"}], schema=TABLES["frameworks"].schema
    )
    when = datetime(2026, 1, 1, tzinfo=UTC)
    tables["frameworks"] = tables["frameworks"].with_columns(pl.lit(when, TIME).alias("date_last_modified"))
    tables["competencies"] = pl.DataFrame([{"id": "math.1", "statement": "s"}], schema=TABLES["competencies"].schema)
    edge = {"id": "e", "type": "odd type", "origin_id": "math.1", "destination_id": "lakeside"}
    tables["associations"] = pl.DataFrame([edge], schema=TABLES["associations"].schema)
    written = case_package(tables, base_uri=BASE)
    jsonschema.validate(written, schema, format_checker=jsonschema.FormatChecker())
    again = read(json.loads(json.dumps(written)))
    assert again["associations"]["origin_id"].to_list() == again["competencies"]["id"].to_list()
    assert again["associations"]["destination_id"].to_list() == again["frameworks"]["id"].to_list()
    assert again["associations"]["type"].to_list() == ["ext:odd_type"]
    assert again["competencies"]["date_last_modified"].to_list() == [when]
    assert written == case_package(tables, base_uri=BASE)
