"""OpenSALT's spreadsheet form becomes the same tables as a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.case import CasePackages, check_packages
from gateway.core.case_csv import read_opensalt_csv
from gateway.core.errors import DataError
from gateway.core.framework import Framework

ID = "7fbbd2fa-885d-11e7-a99d-449ef607a326"

PUBLIC = {
    "abbreviatedStatement.csv": (1, 1, 1),
    "ccsso_ela_item.csv": (1189, 1189, 12),
    "children.csv": (4, 4, 4),
    "sample_case.csv": (10, 14, 3),
    "sequenceNumber.csv": (2, 2, 2),
    "test_items.csv": (99, 99, 99),
}
"""Items, associations and items at the top level of the public sample files."""


def read(content: str) -> CasePackages:
    return read_opensalt_csv(content, source="items.csv", title="Lakeside")


def build(content: str) -> Framework:
    return Framework.from_tables(check_packages(read(content).frames).tables)


def tree(framework: Framework) -> list[str]:
    return ["." * item.depth + item.label for item in framework.competencies.values()]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_sample_reads_whole(shared_data: Path, name):
    file = shared_data / "case" / "opensalt" / name
    if not file.exists():
        pytest.skip(f"{name} is not there")
    found = read_opensalt_csv(file.read_text(encoding="utf-8"), source=name, title="Sample")
    checked = check_packages(found.frames)
    assert checked.quarantine.is_empty()
    assert found.rejects.is_empty()
    items, associations, top = PUBLIC[name]
    assert checked.tables["competencies"].height == items
    assert checked.tables["associations"].height == associations
    framework = Framework.from_tables(checked.tables)
    assert len(framework.competencies) == items
    assert len(framework.top_level) == top


def test_headers_are_read_in_any_spelling():
    header = (
        "\ufeffIdentifier,Full Statement,HUMAN CODING SCHEME,Abbreviated-Statement,Education Level,CF Item Type,parent"
    )
    framework = build(f'{header}\r\n{ID.upper()},Do,A,short,"K,3",Standard,\r\n')
    item = framework.competencies[ID]
    assert (item.code, item.statement, item.abbreviated_statement) == ("A", "Do", "short")
    assert (item.education_levels, item.item_type) == (("KG", "03"), "Standard")


def test_smart_levels_make_the_tree_and_its_order():
    rows = ["1.10,J", "1.2,B", "2,C", "1,A", "1.2.1,D", "1.2.7.1,F", "3.4.5,E"]
    framework = build("smartLevel,humanCodingScheme,fullStatement\n" + "\n".join(f"{row},s" for row in rows))
    assert tree(framework) == ["A", ".B", "..D", "..F", ".J", "C", "E"]


@pytest.mark.parametrize("column", ["isChildOf", "Is Child Of", "parent"])
def test_parents_are_named_by_code_or_identifier(column):
    framework = build(
        f"identifier,humanCodingScheme,fullStatement,{column},sequenceNumber\n"
        f"{ID},M,s,,\n,M.2,s,m,2\n,M.1,s,{ID.upper()},1\n"
    )
    assert tree(framework) == ["M", ".M.1", ".M.2"]


def test_several_ends_are_separated_by_bars_and_may_lie_outside():
    framework = build(
        "humanCodingScheme,fullStatement,isRelatedTo,precedes,isExactMatchOf,exemplar\n"
        "A,s,B | X.1,B,,\n"
        f"B,s,,,urn:uuid:{ID},https://Example.org/v\n"
    )
    a, b = (framework.find(code).id for code in "AB")
    assert [match.id for match in framework.matches(a, ["isRelatedTo"])] == [b, "x.1"]
    assert framework.successors(a) == (b,)
    assert [match.id for match in framework.matches(b, ["exactMatchOf"])] == [ID]
    assert [match.id for match in framework.matches(b, ["exemplar"])] == ["https://Example.org/v"]


def test_the_sequence_number_belongs_to_the_parent_alone():
    associations = read("humanCodingScheme,fullStatement,sequenceNumber,precedes\nA,s,3,B\nB,s,,\n").frames[
        "associations"
    ]
    assert associations.select("type", "sequence_number").rows() == [
        ("precedes", None), ("isChildOf", "3"), ("isChildOf", None)
    ]  # fmt: skip


def test_an_end_that_names_several_items_leads_outside_and_is_told():
    found = read("humanCodingScheme,fullStatement,isRelatedTo\nA,s,\nA,t,\nB,u,a\n")
    assert "Associations that name a code of several items: 1; they lead outside." in found.warnings
    related = found.frames["associations"].filter(type="isRelatedTo")
    assert related["destination_id"].to_list() == ["a"]


def test_made_identifiers_stay_the_same_when_lines_move():
    one = read("humanCodingScheme,fullStatement\nA,s\nB,t\n").frames["competencies"]
    other = read("humanCodingScheme,fullStatement,notes\nB,other words,n\nA,s,\n").frames["competencies"]
    assert dict(one.select("code", "id").rows()) == dict(other.select("code", "id").rows())
    assert one["id"].n_unique() == 2


def test_items_with_the_same_code_and_no_identifier_stay_apart():
    frame = read("humanCodingScheme,fullStatement\nA,s\nA,t\n,u\n,u\n").frames["competencies"]
    assert frame["id"].n_unique() == 4


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines_skipped():
    found = read('fullStatement,humanCodingScheme\n"two\nlines",A\n\n,\n,B\n')
    assert found.frames["competencies"].select("code", "_line").rows() == [("A", 2), ("B", 6)]
    quarantine = check_packages(found.frames).quarantine
    assert quarantine.select("code", "field", "_line").rows() == [("record.required", "statement", 6)]


def test_a_line_with_more_cells_than_the_header_is_rejected_and_its_neighbours_stay():
    found = read("humanCodingScheme,fullStatement\nA,s\nB,a, b and c,d\nC,t\n")
    assert found.frames["competencies"]["code"].to_list() == ["A", "C"]
    assert found.rejects.select("table", "code", "_line").rows() == [("competencies", "case.extra-cells", 3)]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("", "case.not-opensalt", 1),
        ("a,b\n1,2\n", "case.not-opensalt", 1),
        ("fullStatement;code\n1;2\n", "case.not-opensalt", 1),
        ("fullStatement,isChildOf,parent\ns,,\n", "case.not-opensalt", 1),
        ('fullStatement\ns\n"open\n', "case.not-csv", 3),
    ],
)
def test_what_is_no_item_table_is_refused_with_its_line(content, code, line):
    with pytest.raises(DataError) as caught:
        read(content)
    assert caught.value.code == code
    assert (caught.value.place.source, caught.value.place.line) == ("items.csv", line)


def test_the_framework_is_named_by_the_caller():
    found = read_opensalt_csv("fullStatement\ns\n", source="f", title="T", framework_id=ID.upper())
    assert found.frames["frameworks"].select("id", "title").rows() == [(ID, "T")]
    assert found.frames["competencies"]["framework_id"].to_list() == [ID]
