"""A framework answers for its tree, codes, associations and rubrics, and names its faults without failing on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.competency import package_identifier
from gateway.core.errors import MappingError, Place
from gateway.core.framework import Direction, Framework
from gateway.core.graph import natural_key
from gateway.core.model import TABLES

Edge = tuple[str, str, str] | tuple[str, str, str, int | None]


def table(name: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    complete = [{column: row.get(column) for column in TABLES[name].names} for row in rows]
    return pl.DataFrame(complete, schema=TABLES[name].schema, orient="row")


def tables(
    items: Sequence[Mapping[str, object] | str], edges: Sequence[Edge] = (), **more: list[Mapping[str, object]]
) -> dict[str, pl.DataFrame]:
    """The tables of a framework ``doc``; an item that is only a name has it as its id, its code and its statement."""
    full = [
        {"id": i, "code": i.upper(), "statement": i} if isinstance(i, str) else {"statement": "s", **i} for i in items
    ]
    associations = [
        {
            "id": f"e{n}",
            "framework_id": "doc",
            "type": e[0],
            "origin_id": e[1],
            "destination_id": e[2],
            "sequence_number": e[3] if len(e) > 3 else None,
        }
        for n, e in enumerate(edges)
    ]
    return {
        "frameworks": table("frameworks", [{"id": "DOC", "title": "Lakeside", "version": "1"}]),
        "competencies": table("competencies", [{"framework_id": "doc"} | item for item in full]),
        "associations": table("associations", associations),
        **{name: table(name, rows) for name, rows in more.items()},
    }


def build(items: Sequence[Mapping[str, object] | str], edges: Sequence[Edge] = ()) -> Framework:
    return Framework.from_tables(tables(items, edges))


def child(origin: str, parent: str, sequence: int | None = None) -> Edge:
    return ("isChildOf", origin, parent, sequence)


def codes(framework: Framework) -> list[str]:
    return [finding.code for finding in framework.problems()]


MATH = build(
    ["math", "ps", "ps.1", "ps.2", "num", "num.1", "how"],
    [
        child("math", "doc", 1), child("how", "doc", 2), child("ps", "math", 2), child("num", "math", 1),
        child("ps.1", "ps"), child("ps.2", "ps"), child("num.1", "num"), ("precedes", "num.1", "ps.1"),
        ("precedes", "ps.1", "ps.2"),
    ],
)  # fmt: skip


def test_the_tree_is_listed_parents_first_with_siblings_in_order():
    assert list(MATH.competencies) == ["math", "num", "num.1", "ps", "ps.1", "ps.2", "how"]
    assert [item.depth for item in MATH.competencies.values()] == [0, 1, 2, 1, 2, 2, 0]
    assert [item.position for item in MATH.competencies.values()] == list(range(7))
    assert MATH.top_level == ("math", "how")
    assert MATH.leaves == ("num.1", "ps.1", "ps.2", "how")
    assert MATH.problems() == []


def test_what_is_above_and_below_an_item():
    assert MATH.children("math") == ("num", "ps")
    assert MATH.ancestors("ps.2") == ("ps", "math")
    assert MATH.descendants("math") == ("num", "num.1", "ps", "ps.1", "ps.2")
    assert MATH.descendants("how") == ()
    assert MATH.is_descendant("ps.2", "math")
    assert not MATH.is_descendant("math", "math")
    assert not MATH.is_descendant("how", "math")


@pytest.mark.parametrize(
    ("id", "domain"), [("ps.1", "ps"), ("ps", "ps"), ("num.1", "math"), ("math", "math"), ("how", None)]
)
def test_a_domain_is_the_nearest_one_at_or_above_an_item(id, domain):
    assert MATH.domain_of(id, {"math", "ps"}) == domain


def test_what_comes_before_and_after():
    assert MATH.successors("num.1") == ("ps.1",)
    assert MATH.predecessors("ps.2") == ("ps.1",)
    assert MATH.successors("how") == MATH.predecessors("how") == ()


@pytest.mark.parametrize("word", ["ps.1", "PS.1", "Ps.1", " ps.1 ", "urn:uuid:ps.1", "URN:UUID:PS.1"])
def test_items_are_found_by_id_and_code(word):
    assert MATH.find(word) is MATH.competencies["ps.1"]


def test_an_item_whose_source_has_no_uuids_is_found_by_its_id_there():
    id = package_identifier("CCSS.Math.6.EE.3")
    framework = Framework.from_tables(tables([{"id": id, "code": "6.EE.A.3"}]))
    assert framework.find("6.EE.A.3") is framework.find("CCSS.Math.6.EE.3") is framework.competencies[id]


def test_an_exact_code_goes_before_one_in_another_case():
    framework = build([{"id": "1", "code": "a"}, {"id": "2", "code": "A"}])
    assert framework.find("a").id == "1"
    assert framework.find("A").id == "2"


def test_an_unknown_code_is_nothing_and_a_near_one_is_suggested():
    assert MATH.find("NUMM.1") is None
    assert MATH.suggest("NUMM.1") == ' Did you mean "NUM.1"?'
    assert MATH.suggest("xyz") == ""


def test_a_code_of_several_items_is_refused_with_their_ids_and_the_place():
    framework = build([{"id": "i1", "code": "RL.1"}, {"id": "i2", "code": "RL.1"}])
    with pytest.raises(MappingError) as caught:
        framework.find("rl.1", place=Place("lakeside.yaml", 7))
    assert caught.value.code == "mapping.ambiguous-competency"
    assert "i1, i2" in caught.value.message
    assert caught.value.place == Place("lakeside.yaml", 7)
    assert "framework.shared-code" in codes(framework)


@pytest.mark.parametrize(
    ("items", "sequences", "expected"),
    [
        ([{"id": "x", "code": "A.2"}, {"id": "y", "code": "A.10"}], (2, 1), "yx"),
        ([{"id": "x", "code": "A.10"}, {"id": "y", "code": "A.2"}], (None, None), "yx"),
        ([{"id": "x", "code": "A", "list_enumeration": "2."}, {"id": "y", "list_enumeration": "1."}], (1, 1), "yx"),
        ([{"id": "x", "list_enumeration": "1"}, {"id": "y", "code": "Z"}], (None, 5), "yx"),
        ([{"id": "x", "code": "A"}, {"id": "y", "list_enumeration": "1", "code": "B"}], (None, None), "yx"),
        ([{"id": "x"}, {"id": "y", "code": "Z"}], (None, None), "yx"),
        ([{"id": "x"}, {"id": "y"}], (None, None), "xy"),
        ([{"id": "x", "code": "B"}, {"id": "y", "code": "A"}], (1, 1), "yx"),
    ],
    ids=[
        "sequence first", "code in natural order", "enumeration before code", "numbered before unnumbered",
        "enumerated before not", "coded before uncoded", "the file's order", "equal numbers",
    ],
)  # fmt: skip
def test_siblings_are_ordered_by_number_enumeration_code_and_file(items, sequences, expected):
    framework = build(items, [child(item["id"], "doc", n) for item, n in zip(items, sequences, strict=True)])
    assert "".join(framework.top_level) == expected


@given(st.text(alphabet="aB.-", max_size=4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_natural_order_is_the_order_of_the_numbers(prefix, one, other):
    assert (natural_key(f"{prefix}{one}x") < natural_key(f"{prefix}{other}x")) == (one < other)
    assert natural_key(f"{prefix}00{one}") == natural_key(f"{prefix}{one}")


def test_a_digit_run_of_any_length_is_ordered():
    assert natural_key("9" * 50_000) < natural_key("1" + "0" * 50_000)


def test_identifiers_of_both_ends_are_compared_in_any_case():
    framework = build([{"id": "AB"}, {"id": "cd"}], [child("ab", "DOC"), child("CD", "Ab")])
    assert framework.children("ab") == ("cd",)


def test_items_without_a_parent_stand_at_the_top_and_are_reported():
    framework = build(["a", "b", "c"], [child("a", "doc"), child("b", "elsewhere")])
    assert set(framework.top_level) == {"a", "b", "c"}
    orphans = next(f for f in framework.problems() if f.code == "framework.orphans")
    assert orphans.ids == ("b", "c")
    assert ": 2 of 3;" in orphans.message


def test_one_parent_is_shown_and_the_others_reported():
    framework = build(["a", "b", "x"], [child("a", "doc"), child("b", "doc"), child("x", "a"), child("x", "b", 1)])
    assert framework.competencies["x"].parent_id == "b"
    (finding,) = framework.problems()
    assert finding.code == "framework.several-parents"
    assert finding.message == "X has 2 parents (B, A); it is shown under B."


@pytest.mark.parametrize("ring", [("a",), ("a", "b"), ("a", "b", "c")], ids=["itself", "two", "three"])
@pytest.mark.parametrize("kind", ["isChildOf", "isPartOf", "precedes"])
def test_a_circle_is_named_with_its_way_and_does_no_harm(ring, kind):
    edges = [(kind, here, there) for here, there in zip(ring, ring[1:] + ring[:1], strict=True)]
    framework = build(["a", "b", "c", "d"], [*edges, child("d", "a")])
    assert set(framework.competencies) == {"a", "b", "c", "d"}
    (circle,) = [f for f in framework.problems() if f.code == "framework.cycle"]
    assert set(circle.ids) == set(ring)
    assert f"a circle of {kind}: " in circle.message
    assert circle.message.count("→") == len(ring)


def test_a_circle_in_another_framework_of_the_same_tables_is_not_ours():
    framework = build(["a"], [child("a", "doc"), ("precedes", "x", "y"), ("precedes", "y", "x")])
    assert framework.problems() == []


def test_a_very_deep_framework_needs_no_recursion():
    names = [f"i{n}" for n in range(20_000)]
    chain = [child(here, above) for here, above in zip(names, ["doc", *names], strict=False)]
    framework = build([{"id": n, "code": n} for n in names], [*chain, ("precedes", names[-1], names[0])])
    assert framework.competencies[names[-1]].depth == 19_999
    assert framework.descendants("i0") == tuple(names[1:])
    assert framework.problems() == []


def test_a_long_circle_is_told_briefly():
    names = [f"i{n}" for n in range(5_000)]
    framework = build(names, [("precedes", a, b) for a, b in zip(names, names[1:] + names[:1], strict=True)])
    (circle,) = [f for f in framework.problems() if f.code == "framework.cycle"]
    assert len(circle.ids) == 5_000
    assert len(circle.message) < 300


def test_an_association_that_stands_twice_counts_once_and_is_reported():
    framework = build(
        ["a", "b"], [child("a", "doc"), child("b", "doc"), ("precedes", "a", "b"), ("precedes", "A", "b")]
    )
    assert framework.successors("a") == ("b",)
    assert codes(framework) == ["framework.doubled-associations"]


def test_items_without_a_code_are_counted_in_one_finding():
    framework = build([{"id": "a"}, {"id": "b", "code": "B"}], [child("a", "doc"), child("b", "doc")])
    (finding,) = framework.problems()
    assert (finding.code, finding.ids) == ("framework.no-code", ("a",))


LINKED = build(
    ["a", "b"],
    [
        child("a", "doc"), child("b", "doc"), ("exactMatchOf", "a", "state.1"), ("exactMatchOf", "state.1", "other.1"),
        ("isRelatedTo", "b", "state.1"), ("exactMatchOf", "other.1", "a"), ("exemplar", "b", "https://Example.org/B"),
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "types", "depth", "direction", "expected"),
    [
        ("a", ["exactMatchOf"], 1, Direction.FORWARD, {"state.1": 1}),
        ("a", ["exactMatchOf"], 2, Direction.FORWARD, {"state.1": 1, "other.1": 2}),
        ("a", ["exactMatchOf"], 9, Direction.FORWARD, {"state.1": 1, "other.1": 2}),
        ("A", ["exactMatchOf"], 1, Direction.BOTH, {"state.1": 1, "other.1": 1}),
        ("urn:uuid:STATE.1", ["exactMatchOf"], 1, Direction.BACKWARD, {"a": 1}),
        ("state.1", ["exactMatchOf", "isRelatedTo"], 1, Direction.BACKWARD, {"a": 1, "b": 1}),
        ("state.1", ["exactMatchOf"], 2, Direction.FORWARD, {"other.1": 1, "a": 2}),
        ("b", ["exemplar"], 1, Direction.FORWARD, {"https://Example.org/B": 1}),
        ("a", ["isPeerOf"], 3, Direction.BOTH, {}),
        ("nowhere", ["exactMatchOf"], 3, Direction.BOTH, {}),
    ],
)
def test_associations_are_followed_to_the_stated_depth(start, types, depth, direction, expected):
    found = LINKED.matches(start, types, max_depth=depth, direction=direction)
    assert {match.id: match.depth for match in found} == expected
    assert all(match.path[-1] == match.id for match in found)
    assert [match.depth for match in found] == sorted(match.depth for match in found)


def test_a_crosswalk_may_stand_in_a_package_of_its_own():
    frames = tables(["a"], [child("a", "doc")])
    bridge = [{"id": "x", "framework_id": "bridge", "type": "exactMatchOf", "origin_id": "st.1", "destination_id": "a"}]
    frames["associations"] = pl.concat([frames["associations"], table("associations", bridge)])
    framework = Framework.from_tables(frames)
    assert [match.id for match in framework.matches("st.1", ["exactMatchOf"])] == ["a"]


def test_the_order_is_the_frameworks_own_and_not_that_of_another_package():
    frames = tables(["a", "b"], [child("a", "doc", 1), child("b", "doc", 2)])
    other = {"id": "x", "framework_id": "else", "type": "isChildOf", "origin_id": "b", "destination_id": "doc"}
    frames["associations"] = pl.concat(
        [frames["associations"], table("associations", [{**other, "sequence_number": 0}])]
    )
    framework = Framework.from_tables(frames)
    assert framework.top_level == ("a", "b")
    assert framework.problems() == []


def test_the_nearest_code_is_found_among_many():
    framework = build(
        [{"id": f"i{n}", "code": f"A.{n:04}.{'x' * 40}"} for n in range(6_000)] + [{"id": "y", "code": "A.B"}]
    )
    assert framework.suggest("A.b") == ' Did you mean "A.B"?'


RUBRICS: dict[str, list[Mapping[str, object]]] = {
    "rubrics": [{"id": "r", "framework_id": "doc", "title": "Argument"}, {"id": "q", "framework_id": "else"}],
    "rubric_criteria": [
        {"id": "c2", "rubric_id": "r", "position": 2, "competency_id": "B", "weight": Decimal("0.5")},
        {"id": "c1", "rubric_id": "R", "position": 1, "competency_id": "a"},
        {"id": "c0", "rubric_id": "q", "position": 1, "competency_id": "a"},
    ],
    "rubric_levels": [
        {"id": "l4", "criterion_id": "c1", "score": Decimal("4"), "quality": "Exemplary", "position": 1},
        {"id": "l3", "criterion_id": "c1", "score": Decimal("3.5"), "quality": "Proficient", "position": 2},
        {"id": "m2", "criterion_id": "c2", "score": None, "quality": "Yes", "position": 2},
        {"id": "m1", "criterion_id": "c2", "score": Decimal("9"), "quality": "No", "position": 1},
    ],
}


def test_rubric_levels_rise_by_score_or_by_position_when_a_score_is_missing():
    framework = Framework.from_tables(tables(["a", "b"], **RUBRICS))
    assert [criterion.id for criterion in framework.criteria] == ["c1", "c2"]
    (of_a,) = framework.rubrics["a"]
    assert [(level.score, level.quality) for level in of_a.levels] == [(Decimal("3.5"), "Proficient"), (4, "Exemplary")]
    assert of_a.rubric_title == "Argument"
    (of_b,) = framework.rubrics["b"]
    assert [level.quality for level in of_b.levels] == ["No", "Yes"]
    assert of_b.weight == Decimal("0.5")


def test_several_frameworks_need_a_choice():
    frames = tables(["a"], [child("a", "doc")])
    second = table("frameworks", [{"id": "two", "title": "Second"}])
    frames["frameworks"] = pl.concat([frames["frameworks"], second])
    with pytest.raises(MappingError, match="Lakeside") as caught:
        Framework.from_tables(frames)
    assert caught.value.code == "mapping.framework-count"
    assert list(Framework.from_tables(frames, framework_id="urn:uuid:Doc").competencies) == ["a"]
    assert not Framework.from_tables(frames, framework_id="two").competencies
    with pytest.raises(MappingError, match="There is no framework three") as caught:
        Framework.from_tables(frames, framework_id="three")
    assert caught.value.code == "mapping.unknown-framework"


def test_no_framework_at_all_is_an_error():
    with pytest.raises(MappingError, match="0 are here"):
        Framework.from_tables({})


BASE_EDGES: list[Edge] = [child("a", "doc"), child("b", "doc"), ("exactMatchOf", "a", "out.1")]


@pytest.mark.parametrize(
    ("items", "edges"),
    [
        ([{"id": "a", "code": "A", "statement": "changed"}, "b"], BASE_EDGES),
        ([{"id": "a", "code": "A1", "statement": "a"}, "b"], BASE_EDGES),
        (["a", "b", "c"], BASE_EDGES),
        (["a"], BASE_EDGES),
        ([{"id": "a", "code": "A", "statement": "a", "list_enumeration": "1"}, "b"], BASE_EDGES),
        (["a", "b"], [child("a", "doc"), child("b", "a"), BASE_EDGES[2]]),
        (["a", "b"], [child("a", "doc", 2), child("b", "doc", 1), BASE_EDGES[2]]),
        (["a", "b"], [*BASE_EDGES[:2], ("exactMatchOf", "a", "out.2")]),
        (["a", "b"], [*BASE_EDGES[:2], ("isRelatedTo", "a", "out.1")]),
    ],
    ids=["statement", "code", "new item", "gone item", "enumeration", "moved", "re-ordered", "other end", "other type"],
)  # fmt: skip
def test_the_digest_tells_a_framework_that_changed(items, edges):
    assert build(items, edges).digest != build(["a", "b"], BASE_EDGES).digest


def test_the_digest_tells_a_rubric_that_changed():
    more = dict(RUBRICS)
    before = Framework.from_tables(tables(["a", "b"], **more)).digest
    more["rubric_levels"] = [*RUBRICS["rubric_levels"][:-1], {**RUBRICS["rubric_levels"][-1], "quality": "Never"}]
    assert Framework.from_tables(tables(["a", "b"], **more)).digest != before


@given(st.permutations(range(3)), st.permutations(range(2)))
def test_the_digest_does_not_depend_on_the_order_of_the_rows(edge_order, item_order):
    items = ["a", "b"]
    shuffled = build([items[n] for n in item_order], [BASE_EDGES[n] for n in edge_order])
    assert shuffled.digest == build(items, BASE_EDGES).digest


def test_the_digest_ignores_letter_case_of_ids_and_doubled_associations():
    other = build([{"id": "A", "code": "A", "statement": "a"}, "b"], [*BASE_EDGES, ("exactMatchOf", "A", "OUT.1")])
    assert other.digest == build(["a", "b"], BASE_EDGES).digest


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 7), st.none() | st.integers(0, 3)), max_size=30))
def test_any_graph_becomes_a_forest_of_all_its_items(pairs):
    names = [f"i{n}" for n in range(8)]
    framework = build(names, [child(names[a], names[b] if b >= 0 else "doc", n) for a, b, n in pairs])
    assert set(framework.competencies) == set(names)
    for id, item in framework.competencies.items():
        assert len(framework.ancestors(id)) == item.depth
        assert set(framework.descendants(id)) == {each for each in names if id in framework.ancestors(each)}
    circles = [f for f in framework.problems() if f.code == "framework.cycle"]
    assert bool(circles) == _has_circle({(a, b) for a, b, _ in pairs if b >= 0})


def _has_circle(edges: set[tuple[int, int]]) -> bool:
    left = set(edges)
    while left:
        ends = {a for a, _ in left}
        kept = {(a, b) for a, b in left if b in ends}
        if kept == left:
            return True
        left = kept
    return False
