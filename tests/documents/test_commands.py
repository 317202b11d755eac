"""The commands in an empty folder, as a registrar would use them."""

from __future__ import annotations

import pypdf
import pytest

from tests.documents.conftest import text_of, transcript

TO = ("--to", "State University", "--purpose", "admission", "--by", "R. Martinez")


@pytest.fixture
def district(call, tmp_path):
    assert call("init", ".", "--id", "lakeside", "--name", "Lakeside", "--time-zone", "America/New_York").code == 0
    transcript(6).write_csv(tmp_path / "courses.csv")
    (tmp_path / "students.csv").write_text("Student ID,Name\nS100,Ada Lovelace\n", encoding="utf-8")
    return tmp_path


def report(call, *more, out="out"):
    return call(
        "documents", "gpa-report", "school-weighted", "--courses", "courses.csv", "--students", "students.csv",
        "--as-of", "2026-06-15", *TO, "--out", out, "--json", *more,
    )  # fmt: skip


def test_a_report_is_issued_listed_checked_and_replaced(call, district):
    answer = report(call, "--student", "S100")
    assert answer.code == 0, answer.err
    (issued,) = answer.data["issued"]
    path = district / "out" / issued["file_name"]
    code = "-".join(issued["code"][n : n + 4] for n in range(0, 16, 4))
    assert code in text_of(path.read_bytes())
    assert pypdf.PdfReader(path).metadata.title == "GPA report: Ada Lovelace (S100)"

    listed = call("documents", "list", "--json").data
    assert [each["code"] for each in listed["documents"]] == [issued["code"]]
    assert (issued["recipient"], issued["purpose"], issued["issued_by"]) == (
        "State University",
        "admission",
        "R. Martinez",
    )

    assert "The file is the one that was issued." in call("documents", "check", code.lower(), path).out
    path.write_bytes(path.read_bytes() + b"\n")
    changed = call("documents", "check", code, path)
    assert (changed.code, "CHANGED" in changed.out) == (1, True)

    courses = transcript(6).to_dicts()
    courses[0]["grade"] = "C"
    type(transcript(1))(courses).write_csv(district / "courses.csv")
    (newer,) = report(call, "--student", "S100").data["issued"]
    assert newer["replaces"] == issued["code"]
    assert "It was REPLACED" in call("documents", "check", code).out


def test_a_preview_leaves_no_trace_in_the_record(call, district):
    answer = report(call, "--all", "--preview")
    (path,) = answer.data["previews"]
    assert "Preview: this document was not issued" in text_of((district / path).read_bytes())
    assert call("documents", "list", "--json").data == {"issued": 0, "newest": "0" * 64, "documents": []}


def test_mistakes_are_told_in_plain_words(call, district):
    assert report(call).code == 2  # nobody named
    wrong = report(call, "--student", "S999")
    assert (wrong.code, wrong.data["error"]["code"]) == (1, "documents.student")
    refused = call(
        "documents", "gpa-report", "tilton", "--courses", "courses.csv", "--all", *TO, "--out", "out", "--json"
    )
    assert (refused.code, refused.data["error"]["code"]) == (1, "documents.no-gpa")
    unknown = call("documents", "check", "0000-0000-0000-0000", "--json")
    assert (unknown.code, unknown.data["error"]["code"]) == (1, "documents.unknown")
    assert not (district / "out").exists()


def test_one_that_cannot_be_made_does_not_stop_the_others(call, district):
    two = transcript(3).vstack(transcript(3, "S200"))
    two.write_csv(district / "courses.csv")
    (district / "students.csv").write_text("Student ID,Name\nS100,\U00010a60\nS200,Ada\n", encoding="utf-8")
    answer = report(call, "--all")
    assert answer.code == 3
    assert [each["student_id"] for each in answer.data["issued"]] == ["S200"]
    assert [(each["student_id"], each["error"]["code"]) for each in answer.data["failed"]] == [
        ("S100", "documents.font")
    ]
