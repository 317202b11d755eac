"""The YAML that people write: exact values, lines, and plain refusals."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError
from gateway.transport.yaml_file import MAX_BYTES, MAX_LINES, MAX_VALUES, parse_document, read_document

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        ("0.10", Decimal("0.10")),
        ("-4.125", Decimal("-4.125")),
        ("true", True),
        ("false", False),
        ("", None),
        ("null", None),
        ("~", None),
        ("NO", "NO"),
        ("yes", "yes"),
        ("True", "True"),
        ("1:30", "1:30"),
        ("0123", "0123"),
        ("00", "00"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("1e5", "1e5"),
        ("1.", "1."),
        ("+1", "+1"),
        ("A-", "A-"),
        ("2026-08-15", "2026-08-15"),
        ("9" * 39, "9" * 39),
        ('"3"', "3"),
        ("'true'", "true"),
        ('""', ""),
        ('"null"', "null"),
        ("|\n  3\n", "3\n"),
        ("[1, NO, 2.50]", [1, "NO", Decimal("2.50")]),
        ("{a: 1, '2': b}", {"a": 1, "2": "b"}),
    ],
)
def test_values_are_what_was_written(written: str, value: object) -> None:
    found = parse_document(f"key: {written}", "x.yaml").data["key"]
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)


def test_keys_are_text_as_written() -> None:
    data = parse_document('1: a\n0123: b\ntrue: c\n"x y": d\n1.50: e', "x.yaml").data
    assert list(data) == ["1", "0123", "true", "x y", "1.50"]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufeff"), max_size=20)
WHOLE = st.integers(-(10**30), 10**30)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(bool), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT.filter(bool), VALUES, min_size=1, max_size=4))
def test_json_is_read_as_what_it_says(data: dict[str, object]) -> None:
    assert parse_document(json.dumps(data, ensure_ascii=False, indent=1), "x.yaml").data == data


def test_every_key_and_item_knows_its_line() -> None:
    document = parse_document("# a comment\n\na:\n  b: 1\n  c:\n    - x\n    - {d: 1,\n       e: 2}\n", "x.yaml")
    assert document.lines == {
        (): 3, ("a",): 3, ("a", "b"): 4, ("a", "c"): 5, ("a", "c", 0): 6, ("a", "c", 1): 7,
        ("a", "c", 1, "d"): 7, ("a", "c", 1, "e"): 8,
    }  # fmt: skip
    assert str(document.place("a", "c", 1, "missing")) == "x.yaml:7 (a.c.1.missing)"


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    content = b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n"
    path.write_bytes(content)
    document = read_document(path)
    assert document.data == {"a": 1, "b": "é"}
    assert document.digest == hashlib.sha256(content).hexdigest()
    assert document.name == str(path)


BAD = [
    pytest.param(b"a: 1\nb:\n  - x\na: 2\n", "yaml.duplicate-key", 4, "lines 1 and 4", id="duplicate key"),
    pytest.param(b'1: a\n"1": b\n', "yaml.duplicate-key", 2, "lines 1 and 2", id="number and text as one key"),
    pytest.param(b"a: &x 1\n", "yaml.alias", 1, "Anchors", id="anchor"),
    pytest.param(b"a: 1\nb: *x\n", "yaml.alias", 2, "Anchors", id="alias"),
    pytest.param(b"a:\n  <<: *x\n", "yaml.alias", 2, "Anchors", id="merge"),
    pytest.param(b"a: !!python/object/apply:os.system [x]\n", "yaml.tag", 1, "Tags", id="python tag"),
    pytest.param(b"a: !!str 1\n", "yaml.tag", 1, "Tags", id="tag"),
    pytest.param(b"a: 1\n---\nb: 1\n", "yaml.documents", 2, "second document", id="two documents"),
    pytest.param(b"%YAML 1.1\n---\na: NO\n", "yaml.directive", 2, "directives", id="directive"),
    pytest.param(b"a:\n\tb: 1\n", "yaml.syntax", 2, "A tab", id="tab"),
    pytest.param(b"a: b: c\n", "yaml.syntax", 1, "colon", id="two colons"),
    pytest.param(b"a:\n  b: 1\n c: 2\n", "yaml.syntax", 3, "indentation", id="indentation"),
    pytest.param(b"a: [1, 2\nb: 3\n", "yaml.syntax", 2, "comma or a closing bracket", id="open bracket"),
    pytest.param(b'a: "x\nb: 1\n', "yaml.syntax", 3, "never closed", id="open quote"),
    pytest.param(b"a: @x\n", "yaml.syntax", 1, "cannot start a value", id="reserved sign"),
    pytest.param(b"a: 1\nb: \xff\n", "yaml.encoding", 2, "not UTF-8", id="not utf-8"),
    pytest.param("a: 1\n".encode("utf-16"), "yaml.encoding", 1, "not UTF-8", id="utf-16"),
    pytest.param(b"a: 1\nb: x\x00y\n", "yaml.encoding", 2, "control character", id="nul"),
    pytest.param(b"", "yaml.root", 1, "empty", id="empty"),
    pytest.param(b"# only a comment\n", "yaml.root", 1, "empty", id="comment only"),
    pytest.param(b"- a\n- b\n", "yaml.root", 1, "does not hold keys", id="list"),
    pytest.param(b"just text\n", "yaml.root", 1, "does not hold keys", id="text"),
    pytest.param(b"? [a]\n: 1\n", "yaml.key", 1, "key must be", id="list as key"),
    pytest.param(b"a: 1\n: 2\n", "yaml.key", 2, "key must be", id="empty key"),
]


@pytest.mark.parametrize(("content", "code", "line", "words"), BAD)
def test_what_is_refused_names_its_line(tmp_path: Path, content: bytes, code: str, line: int, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_document(path)
    assert caught.value.code == code
    assert caught.value.place is not None
    assert (caught.value.place.source, caught.value.place.line) == (str(path), line)
    assert words in caught.value.message
    assert caught.value.hint


def test_all_duplicate_keys_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_document("a: 1\nb: {c: 1, c: 2}\na: {d: 1, d: 2}\n", "x.yaml")
    assert [problem.place.line for problem in caught.value.problems if problem.place] == [2, 3, 3]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigurationError, match="does not exist"):
            read_document(path)


HOSTILE = {
    "alias bomb": "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n" * 1000,
    "too many bytes": "a: " + "x" * MAX_BYTES,
    "too many lines": "\n" * (MAX_LINES + 1),
    "too many values": "{" + "a," * MAX_VALUES,
    "opening brackets": "a: " + "[" * 500_000,
    "opening keys": "a: " + "{x: " * 200_000,
    "nested dashes": "- " * 400_000,
    "question marks": "? " * 400_000,
    "deep indentation": "".join(" " * level + "a:\n" for level in range(1_300)),
    "endless anchor": "&" + "a" * 900_000,
    "endless tag": "!<" + "a" * 900_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_input_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_document(text, "x.yaml")


def test_hostile_input_needs_little_memory() -> None:
    code = """
import resource
from gateway.core.errors import ConfigurationError
from gateway.transport.yaml_file import parse_document
from tests.transport.test_yaml_file import HOSTILE
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for text in HOSTILE.values():
    try:
        parse_document(text, "x.yaml")
    except ConfigurationError:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout) < 100_000  # kilobytes
