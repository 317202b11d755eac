"""CSV files: every cell and every line number right, and no neighbour of a bad record lost."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import DataError, IncompletePullError
from gateway.core.model import LINE
from gateway.transport.csv_file import CsvBatch, Position, open_csv, read_batches
from gateway.transport.csv_rows import MAX_CELL, MAX_RECORD, Layout, read_records

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TRICKY = st.text(st.sampled_from('a,"\r\n é\ufffd;'), max_size=8)


def write(folder: Path, content: bytes, name: str = "results.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, stretch: int = 1 << 20, encoding: str | None = None) -> list[CsvBatch]:
    table = open_csv(path, name=path.name, work=path.parent, fallback_encoding=encoding)
    return list(read_batches(table, stretch=stretch))


def rows(batches: list[CsvBatch]) -> list[tuple[str, ...]]:
    return [row[:-1] for batch in batches for row in batch.frame.iter_rows()]


def lines(batches: list[CsvBatch]) -> list[int]:
    return [line for batch in batches for line in batch.frame[LINE]]


def faults(batches: list[CsvBatch]) -> list[tuple[int, str, int | None]]:
    return [(fault.line, fault.code, fault.cell) for batch in batches for fault in batch.faults]


def notes(batches: list[CsvBatch]) -> dict[str, int]:
    return {name: line for batch in reversed(batches) for name, line in batch.notes.items()}


def written(records: list[list[str]], *, end: str, quoting: int) -> tuple[bytes, list[int]]:
    """The file's bytes, and the line on which each record begins, the header's first."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    begins = []
    for record in records:
        begins.append(1 + len(re.findall(r"\r\n|\n|\r", out.getvalue())))
        writer.writerow(record)
    return out.getvalue().encode(), begins


@settings(deadline=None)
@given(
    cells=st.lists(st.lists(TEXT | TRICKY, min_size=2, max_size=2), max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
    final_end=st.booleans(),
    stretch=st.integers(1, 200),
)
def test_any_text_comes_back_with_the_line_it_stands_on(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[list[str]],
    end: str,
    quote_all: bool,
    final_end: bool,
    stretch: int,
) -> None:
    records = [["id", "one", "two"], *([f"r{number}", *row] for number, row in enumerate(cells))]
    odd = any("\r" in cell or "\n" in cell for row in cells for cell in row)
    content, begins = written(records, end=end, quoting=csv.QUOTE_ALL if quote_all or odd else csv.QUOTE_MINIMAL)
    path = write(tmp_path_factory.mktemp("csv"), content if final_end else content.removesuffix(end.encode()))
    batches = read(path, stretch)
    assert rows(batches) == [tuple(record) for record in records[1:]]
    assert lines(batches) == begins[1:]
    assert faults(batches) == []


HEADER = b"id,one,two,three\n"
BAD = {
    "too few cells": (b"bad,1,2\n", "csv.too-few-cells", None, ("bad", "1", "2")),
    "too many cells": (b"bad,1,2,3,4\n", "csv.too-many-cells", None, ("bad", "1", "2", "3")),
    "not UTF-8": (b"bad,caf\xe9,2,3\n", "csv.not-utf8", 1, ("bad",)),
    "NUL": (b"bad,1,\0,3\n", "csv.nul", 2, ("bad", "1")),
    "an open quotation mark": (b'bad,1,"2,3\n', "csv.unbalanced-quote", 2, ("bad", "1")),
    "text after a closing quotation mark": (b'bad,"1"x,2,3\n', "csv.unbalanced-quote", 1, ("bad",)),
    "an overlong cell": (b"bad,1," + b"x" * (MAX_CELL + 1) + b",3\n", "csv.cell-too-long", 2, ("bad", "1")),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("stretch", [7, 40, 1 << 22])
@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_bad_record_is_reported_with_its_line_and_takes_no_neighbour_along(
    tmp_path: Path, bad: str, stretch: int, at: int
) -> None:
    if bad == "an overlong cell" and stretch < 1 << 20:
        stretch = 1 << 20
    content, code, cell, before = BAD[bad]
    good = [f'g{number},"x, y",,{number}\n'.encode() for number in range(6)]
    batches = read(write(tmp_path, HEADER + b"".join([*good[:at], content, *good[at:]])), stretch)
    assert rows(batches) == [(f"g{number}", "x, y", "", str(number)) for number in range(6)]
    assert lines(batches) == [2 + number + (number >= at) for number in range(6)]
    assert faults(batches) == [(2 + at, code, cell)]
    assert [fault.cells for batch in batches for fault in batch.faults] == [before]


def test_two_stray_quotation_marks_do_not_swallow_the_records_between_them(tmp_path: Path) -> None:
    good = b"".join(f"g{number},1,2,3\n".encode() for number in range(5))
    batches = read(write(tmp_path, HEADER + b'a,"1,2,3\n' + good + b'b,1",2,3\n'))
    assert [row[0] for row in rows(batches)] == ["g0", "g1", "g2", "g3", "g4", "b"]
    assert faults(batches) == [(2, "csv.unbalanced-quote", 1)]
    assert rows(batches)[-1][1] == '1"'
    assert notes(batches) == {"stray-quote": 8}


def test_an_open_quotation_mark_in_a_large_file_costs_one_record(tmp_path: Path) -> None:
    good = b"".join(f"g{number},1,2,{'x' * 1000}\n".encode() for number in range(MAX_RECORD // 1000 + 1000))
    batches = read(write(tmp_path, HEADER + b'a,"1,2,3\n' + good), 1 << 22)
    assert faults(batches) == [(2, "csv.unbalanced-quote", 1)]
    assert lines(batches) == list(range(3, good.count(b"\n") + 3))


def test_a_file_without_line_ends_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    batches = read(write(tmp_path, HEADER + b"x" * (2 * MAX_RECORD) + b"\ng,1,2,3\n"), 1 << 22)
    assert faults(batches) == [(2, "csv.record-too-long", None)]
    assert (rows(batches), lines(batches)) == ([("g", "1", "2", "3")], [3])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("stretch", [1, 3, 1 << 20])
def test_any_line_end_is_one(tmp_path: Path, end: bytes, final: bool, stretch: int) -> None:
    content = end.join([b"id,one", b"a,1", b"b,2"]) + (end if final else b"")
    batches = read(write(tmp_path, content), stretch)
    assert (rows(batches), lines(batches)) == ([("a", "1"), ("b", "2")], [2, 3])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-8"])
def test_unicode_is_recognized_by_its_mark(tmp_path: Path, encoding: str) -> None:
    text = 'id,name\r\n1,Zoë 😀\r\n2,"a\nb"\r\n3,ő\r\n'
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    batches = read(write(tmp_path, (mark + text).encode(encoding)))
    assert rows(batches) == [("1", "Zoë 😀"), ("2", "a\nb"), ("3", "ő")]
    assert lines(batches) == [2, 3, 5]


def test_a_broken_utf_16_character_costs_one_record(tmp_path: Path) -> None:
    content = "\ufeffid,name\n1,".encode("utf-16-le") + b"\x00\xd8" + "\n2,b\n".encode("utf-16-le")
    batches = read(write(tmp_path, content))
    assert (rows(batches), faults(batches)) == ([("2", "b")], [(2, "csv.not-utf8", 1)])


def test_rows_that_are_not_utf_8_are_read_as_told_and_only_as_told(tmp_path: Path) -> None:
    path = write(tmp_path, "id,name\n1,Zoë\n".encode() + "2,Zoë\n".encode("cp1252"))
    assert rows(read(path)) == [("1", "Zoë")]
    told = read(path, encoding="cp1252")
    assert rows(told) == [("1", "Zoë"), ("2", "Zoë")]
    assert notes(told) == {"other-encoding": 3}


def test_what_loses_nothing_is_tolerated_and_noted(tmp_path: Path) -> None:
    batches = read(write(tmp_path, b'id,one,two\n1,a,b,,\n,,\n\n2, "c" ,d\n'))
    assert rows(batches) == [("1", "a", "b"), ("2", "c", "d")]
    assert notes(batches) == {"extra-empty-cells": 2, "empty-row": 3}
    assert lines(batches) == [2, 5]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n \n"])
def test_an_empty_file_has_no_columns(tmp_path: Path, content: bytes) -> None:
    table = open_csv(write(tmp_path, content), name="x.csv", work=tmp_path)
    assert table.columns == ()


@pytest.mark.parametrize("content", [b"id,one", b"id,one\n", b"\nid,one\r\n"])
def test_a_header_alone_is_a_table_without_records(tmp_path: Path, content: bytes) -> None:
    table = open_csv(write(tmp_path, content), name="x.csv", work=tmp_path)
    assert table.columns == ("id", "one")
    assert rows(list(read_batches(table))) == []


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"id;one;two\n1;2;3\n", "csv.separator", '";"'),
        (b"id\tone\n", "csv.separator", "tabulators"),
        ("id,one\n1,2\n".encode("utf-16-le"), "csv.encoding", "NUL"),
        (b'id,"one\n', "csv.header", "first line"),
        (b"x" * (2 << 20), "csv.header", "first line"),
    ],
)
def test_a_first_line_that_is_no_header_is_refused_with_its_place(
    tmp_path: Path, content: bytes, code: str, words: str
) -> None:
    with pytest.raises(DataError) as caught:
        open_csv(write(tmp_path, content), name="users.csv", work=tmp_path)
    assert caught.value.code == code
    assert words in caught.value.message
    assert str(caught.value.place) == "users.csv:1"


@settings(deadline=None)
@given(stretch=st.integers(4, 60), stop=st.integers(0, 8))
def test_reading_goes_on_where_it_stopped(tmp_path_factory: pytest.TempPathFactory, stretch: int, stop: int) -> None:
    path = write(
        tmp_path_factory.mktemp("csv"),
        b"id,text\n" + b"".join(f'{n},"a\r\nb"\n{n},caf\u00e9\n{n}\n'.encode() for n in range(9)),
    )
    whole = read(path, stretch)
    position = ([None, *(batch.next for batch in whole)])[min(stop, len(whole))]
    table = open_csv(path, name="x.csv", work=path.parent)
    rest = list(read_batches(table, position, stretch=stretch))
    done = whole[: min(stop, len(whole))]
    assert rows(done) + rows(rest) == rows(whole)
    assert lines(done) + lines(rest) == lines(whole)
    assert faults(done) + faults(rest) == faults(whole) == [(5 + 4 * n, "csv.too-few-cells", None) for n in range(9)]


def test_a_file_that_shrank_below_the_position_is_incomplete(tmp_path: Path) -> None:
    table = open_csv(write(tmp_path, b"id,one\n1,2\n"), name="x.csv", work=tmp_path)
    with pytest.raises(IncompletePullError):
        list(read_batches(table, Position(1000, 50)))


def test_very_wide_files_are_read_too(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(400))
    batches = read(write(tmp_path, f"{header}\n{','.join('x' * 400)}\n".encode()))
    assert [len(row) for row in rows(batches)] == [400]


DAMAGE = st.lists(
    st.sampled_from(
        [
            b"a",
            b"b",
            b",",
            b'"',
            b"\n",
            b"\r\n",
            b"\r",
            b" ",
            b"\xff",
            b"\0",
            b'""',
            b'","',
            b"id,1,2\n",
            b'"q","r",s\r\n',
        ]
    ),
    max_size=40,
).map(b"".join)


@settings(deadline=None, max_examples=300)
@given(body=DAMAGE, stretch=st.integers(1, 30) | st.just(1 << 20))
def test_the_fast_way_reads_whatever_comes_as_the_precise_way_does(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, stretch: int
) -> None:
    batches = read(write(tmp_path_factory.mktemp("csv"), b"x,y,z\n" + body), stretch)
    precise = read_records(body, Layout(3), line=2, at_end=True)
    assert rows(batches) == [tuple(row) for row in precise.rows]
    assert lines(batches) == precise.lines
    assert faults(batches) == [(fault.line, fault.code, fault.cell) for fault in precise.faults]
