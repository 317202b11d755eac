"""Evidence from files in every form, in parts, and tables out: the same bytes however the file was cut."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from gateway.core.errors import ConfigurationError, DataError, Place
from gateway.core.mapping import merge_mapped
from gateway.evidence_file import column_name, map_parts, open_evidence
from gateway.mapped_file import Format, TableWriter
from tests.core.mapping.conftest import BASE, compiled

ROWS = [
    {"student_id": f"{n % 23:04}", "score": str(n % 9 / 2), "scored_at": f"2026-09-{n % 28 + 1:02}",
     "standard": ("MATH.7.PS", "MATH.8.RE", "ELA.7.R")[n % 3], "result_id": f"r{n}"}
    for n in range(400)
]  # fmt: skip
MAPPING = compiled(
    BASE.replace("most_recent", "decaying_average, newest: 0.65") + "continuum: {domains: [MATH, ELA]}\n"
)


def write(path: Path) -> Path:
    frame = pl.DataFrame(ROWS)
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.with_columns(pl.col("score").cast(pl.Float64)).write_parquet(path)
    elif path.suffix == ".ndjson":
        frame.with_columns(pl.col("score").cast(pl.Float64)).write_ndjson(path)
    elif path.suffix == ".xlsx":
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, frame.columns)
            for n, row in enumerate(frame.rows(), start=1):
                sheet.write_row(n, 0, row)
    else:
        path.mkdir()
        for n, part in enumerate(frame.iter_slices(150)):
            part.write_parquet(path / f"{n}.parquet")
    return path


def levels(path: Path, out: Path, form: Format = Format.CSV, **more: int) -> dict[str, bytes]:
    with open_evidence(path, **more) as parts, TableWriter(out, form) as writer:
        for part in parts:
            writer.add(MAPPING.apply(part))
    return {file.name: file.read_bytes() for file in sorted(out.iterdir())}


@pytest.mark.parametrize("name", ["e.csv", "e.xlsx", "e.ndjson", "e.parquet", "folder"])
def test_every_form_of_file_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    expected = levels(write(tmp_path / "expected.csv"), tmp_path / "out")
    assert levels(write(tmp_path / name), tmp_path / "other") == expected
    assert expected["levels.csv"].startswith(
        b"student_id,competency,level,proficient,state,evidence_count,first_scored_at,last_scored_at,mapping,version\n"
        b"0000,ELA.7.R,"
    )


@pytest.mark.parametrize("form", list(Format))
def test_the_number_of_parts_changes_nothing(tmp_path: Path, form: Format) -> None:
    path = write(tmp_path / "e.csv")
    whole = levels(path, tmp_path / "whole", form)
    for rows in (7, 100, 399):
        assert levels(path, tmp_path / str(rows), form, rows_per_part=rows) == whole


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", list(Format))
def test_neither_the_order_of_rows_nor_of_parts_nor_their_size_changes_a_byte(
    tmp_path: Path, form: Format, seed: int
) -> None:
    expected = levels(write(tmp_path / "e.csv"), tmp_path / "expected", form)
    shuffled = pl.DataFrame(ROWS).sample(fraction=1, shuffle=True, seed=seed)
    shuffled.write_csv(tmp_path / "shuffled.csv")
    size = (1, 13, 77, 1000)[seed]
    with open_evidence(tmp_path / "shuffled.csv", rows_per_part=size) as parts:
        mapped = list(map_parts(MAPPING, parts))
    random.Random(seed).shuffle(mapped)
    with TableWriter(tmp_path / "out", form) as writer:
        for part in mapped:
            writer.add(part)
    assert {file.name: file.read_bytes() for file in sorted((tmp_path / "out").iterdir())} == expected


def test_one_students_evidence_is_read_alone(tmp_path: Path) -> None:
    for name in ("e.csv", "e.xlsx", "e.ndjson", "e.parquet"):
        with open_evidence(write(tmp_path / name), student="0007", rows_per_part=1) as parts:
            (part,) = parts
        assert set(part["student_id"]) == {"0007"}
        assert part.height == sum(row["student_id"] == "0007" for row in ROWS)


def noted(path: Path, text: str, *declared: str) -> dict[str, tuple[int | None, int]]:
    """The notes on a file by their codes: the line and how many rows."""
    path.write_text(text, encoding="utf-8")
    with open_evidence(path, today=datetime.date(2026, 10, 1), rows_per_part=2) as parts:
        list(parts)
        return {note.code: (note.place.line, note.rows) for note in parts.notes(declared)}


HEAD = "Student ID,score,scored_at,standard,mood\n"


@pytest.mark.parametrize(
    ("rows", "code", "line", "count"),
    [
        ("S1,3,2026-09-01,A,x\n,3,2026-09-01,A,x\n\n ,3,2026-09-01,A,x\n", "evidence.no-student", 3, 2),
        ("S1,3,2026-09-01,A,x\nS2,3,1.9.2026,A,x\nS3,3,,A,x\n", "evidence.no-date", 3, 1),
        ("S1,3,2026-10-01T23:59:59Z,A,x\nS2,3,2026-10-02,A,x\n", "evidence.future", 3, 1),
    ],
)
def test_rows_that_are_odd_are_counted_with_the_first_line(
    tmp_path: Path, rows: str, code: str, line: int, count: int
) -> None:
    assert noted(tmp_path / "e.csv", HEAD + rows, "mood") == {"evidence.renamed": (None, 0), code: (line, count)}


def test_columns_that_nothing_uses_are_told_with_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("student_id,score,scored_at,standart,mood\nS1,3,2026-09-01,A,x\n", encoding="utf-8")
    with open_evidence(path) as parts:
        notes = parts.notes(["mood"])
    assert [(note.code, note.message, note.hint) for note in notes] == [
        ("evidence.unknown-column", 'Nothing uses the column "standart".', 'Did you mean "standard"?')
    ]


def test_rows_without_a_student_reach_no_level(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("student_id,score,scored_at,standard\nS1,3,,MATH.7.PS\n,4,,MATH.7.PS\n", encoding="utf-8")
    assert levels(path, tmp_path / "out")["levels.csv"].count(b"\n") == 2


def test_numbers_of_json_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    lines = [
        '{"studentId": 12, "score": 2.5, "scoredAt": "2026-09-01", "standard": "MATH.7.PS"}',
        '{"studentId": 12, "score": "M", "scoredAt": "2026-09-02", "standard": "MATH.7.PS", "late": true}',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_evidence(path) as parts:
        (part,) = parts
    assert part.select("student_id", "score", "late").rows() == [("12", "2.5", None), ("12", "M", "true")]
    assert MAPPING.apply(part).levels["level"].to_list() == [Decimal("2.50")]


def test_the_parts_come_by_rising_student_and_hold_all_of_each(tmp_path: Path) -> None:
    with open_evidence(write(tmp_path / "e.csv"), rows_per_part=60) as parts:
        students = [sorted(set(part["student_id"])) for part in parts]
    assert len(students) > 3
    assert [each for part in students for each in part] == sorted({row["student_id"] for row in ROWS})


def test_the_writer_sums_up_what_it_wrote(tmp_path: Path) -> None:
    with open_evidence(write(tmp_path / "e.csv"), rows_per_part=100) as parts, TableWriter(tmp_path / "out") as writer:
        for part in parts:
            writer.add(MAPPING.apply(part))
    assert (writer.evidence, writer.used, writer.set_aside) == (400, 400, {})
    assert writer.rows["levels"] == len((tmp_path / "out" / "levels.csv").read_text().splitlines()) - 1


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), TableWriter(tmp_path / "out"):
        _ = 1 / 0
    assert list((tmp_path / "out").iterdir()) == []


def test_identifiers_keep_their_leading_zeros(tmp_path: Path) -> None:
    for name in ("e.csv", "e.xlsx"):
        with open_evidence(write(tmp_path / name)) as parts:
            assert next(parts)["student_id"][0] == "0000"


@pytest.mark.parametrize("written", ["student_id", "Student ID", "studentId", " STUDENT-ID ", "Student_Id"])
def test_column_names_are_read_however_they_are_written(written: str) -> None:
    assert column_name(written) == "student_id"


@pytest.mark.parametrize(
    ("name", "content", "error", "code"),
    [
        ("e.csv", "student_id,score,scored_at\nS1,3,\nS2,4,5,6\n", DataError, "evidence.unreadable"),
        ("e.csv", "", DataError, "evidence.empty"),
        ("e.csv", "student_id;score;scored_at\nS1;3;\n", DataError, "csv.separator"),
        ("e.csv", "student_id,Student ID,score,scored_at\n", ConfigurationError, "evidence.column-twice"),
        ("e.csv", "student,score,scored_at\n", ConfigurationError, "mapping.evidence-columns"),
        ("e.ndjson", "", DataError, "evidence.empty"),
        ("e.parquet", "no parquet", DataError, "evidence.unreadable"),
        ("e.ndjson", "{", DataError, "evidence.unreadable"),
        ("e.ods", "", ConfigurationError, "evidence.kind"),
        (None, "", ConfigurationError, "evidence.missing"),
    ],
)
def test_what_is_no_evidence_is_refused(
    tmp_path: Path, name: str | None, content: str, error: type[Exception], code: str
) -> None:
    path = tmp_path / (name or "nowhere.csv")
    if name:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(error) as refused, open_evidence(path) as parts:
        list(parts)
    assert getattr(refused.value, "code", None) == code


def test_the_first_line_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes("student_id,score,scored_at\nS1,3,\nJosé,3,\n".encode("latin-1"))
    with pytest.raises(DataError) as refused, open_evidence(path) as parts:
        list(parts)
    assert (refused.value.code, refused.value.place) == ("evidence.unreadable", Place(str(path), 3))
    assert "UTF-8" in refused.value.message


def test_the_first_line_that_is_no_object_is_told(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text('{"student_id": "S1", "score": 3, "scored_at": ""}\n\n[1]\n{', encoding="utf-8")
    with pytest.raises(DataError) as refused, open_evidence(path) as parts:
        list(parts)
    assert refused.value.place == Place(str(path), 3)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("student_id,points\nS1,3\n", encoding="utf-8")
    with (
        pytest.raises(ConfigurationError, match="The evidence has no column score and no column scored_at"),
        open_evidence(path) as parts,
    ):
        MAPPING.apply(next(parts))


def test_an_empty_file_gives_empty_tables(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("student_id,score,scored_at,standard\n", encoding="utf-8")
    with open_evidence(path) as parts:
        mapped = merge_mapped(MAPPING.apply(part) for part in parts)
    assert mapped.levels.is_empty()
    assert mapped.levels.schema["level"] == pl.Decimal(18, 2)


def test_scores_with_many_places_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("student_id,score,scored_at,standard\nS1,2.5,2026-09-01,MATH.7.PS\n", encoding="utf-8")
    with open_evidence(path) as parts:
        assert MAPPING.apply(next(parts)).levels["level"].to_list() == [Decimal("2.50")]
