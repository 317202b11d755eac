"""PDFs that screen readers can read, that fetch nothing, and that are the same for the same input."""

from __future__ import annotations

import io
import logging
import socket
from dataclasses import replace

import polars as pl
import pypdf
import pytest

from gateway.core.errors import DataError, InternalError
from gateway.documents.gpa_report import Student, report_parts
from gateway.documents.page import html_to_pdf, print_pdf
from gateway.documents.school import School
from tests.documents.conftest import CODE, SCHOOL, computed, flat, frame, text_of, transcript

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def report(names=("school-weighted", "ncaa-d1"), courses=None, student=None, **more):
    courses = transcript() if courses is None else courses
    parts = report_parts(computed(names, courses))["S100"]
    student = student or Student("S100", "Ada Lovelace", "12")
    return print_pdf("gpa_report.html", frame(**more), {"student": student, "parts": parts})


@pytest.fixture(scope="module")
def pdf():
    return report(school=replace(SCHOOL, logo=PIXEL))


@pytest.fixture(scope="module")
def reader(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


def elements(reader):
    """Every structure element in reading order."""
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop(0).get_object()
        if not isinstance(node, dict):
            continue
        if "/S" in node:
            yield node
        children = node.get("/K", [])
        waiting[:0] = children if isinstance(children, list) else [children]


def test_the_document_is_tagged_titled_and_in_a_language(reader):
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  a PDF boolean
    assert root["/Lang"] == "en-US"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert reader.metadata.title == "GPA report: Ada Lovelace (S100)"
    assert reader.metadata.author == "Lakeside High School"
    assert b"<pdfuaid:part>1" in root["/Metadata"].get_data() or b'pdfuaid:part="1"' in root["/Metadata"].get_data()


def test_headings_tables_and_pictures_have_their_tags(reader):
    tags = [node["/S"] for node in elements(reader)]
    assert tags.count("/H1") == 1
    assert tags.index("/H1") < tags.index("/Table") < tags.index("/H2")
    assert tags.count("/Table") >= 3
    pictures = [node.get("/Alt") for node in elements(reader) if node["/S"] == "/Figure"]
    assert pictures == ["Logo of Lakeside High School", f"QR code with the verification code {CODE}"]


def test_every_cell_of_a_table_names_its_heads(reader):
    nodes = list(elements(reader))
    heads = {node["/ID"] for node in nodes if node["/S"] == "/TH"}
    cells = [node["/A"].get_object() for node in nodes if node["/S"] == "/TD"]
    assert len(cells) > 100
    assert all(cell["/O"] == "/Table" and cell["/Headers"] and set(cell["/Headers"]) <= heads for cell in cells)


def test_text_comes_in_the_order_in_which_it_is_read(pdf):
    text = flat(text_of(pdf))
    words = [
        "Lakeside High School", "GPA report", "Ada Lovelace", "All grade point averages",
        "Weighted grade point average:",
        "Courses that count", "MATH course 001", "Sum", "Courses set aside", "NCAA Division I core-course GPA:",
        "Estimate: only the NCAA Eligibility Center certifies.", "How to verify this document", CODE,
    ]  # fmt: skip
    places = [text.index(word) for word in words[:-1]]
    assert places == sorted(places)
    assert text.rindex(CODE) > places[-2]


def test_the_same_input_gives_the_same_bytes():
    small = transcript(3)
    assert report(("school-weighted",), small) == report(("school-weighted",), small)


def test_sixty_courses_are_all_there_once_under_repeated_heads():
    content = report(("school-weighted",), transcript(60))
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    text = flat(text_of(content))
    assert [n for n in range(60) if text.count(f"course {n:03}") != 1] == []
    with_courses = [page.extract_text() for page in pages if "course 0" in page.extract_text()]
    assert len(with_courses) > 1
    assert all("Quality" in page and CODE in page for page in with_courses)


def test_long_titles_and_names_of_many_alphabets_are_printed_in_full():
    words = [f"Interdisziplinäre{n}" for n in range(30)]
    courses = transcript(4).with_columns(pl.lit(" ".join(words) + " " + "x" * 120).alias("title"))
    name = "Владимир Ἀριστοτέλης Nguyễn-Größmann Wołodyjowska"
    text = text_of(report(("school-weighted",), courses, Student("S100", name)))
    assert all(text.count(word) >= 4 for word in words)
    assert name in flat(text)
    assert "x" * 120 in "".join(text.split())


def test_a_name_without_a_font_is_refused_not_printed_as_a_box():
    with pytest.raises(DataError, match=r"U\+10A60") as caught:
        report(("school-weighted",), transcript(2), Student("S100", "\U00010a60"))  # Old South Arabian
    assert caught.value.code == "documents.font"


def test_nothing_of_a_person_reaches_the_log(caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(DataError):
        report(("school-weighted",), transcript(2), Student("S100", "\U00010a60Canary"))
    assert "Canary" not in caplog.text
    assert "\U00010a60" not in caplog.text


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="{url}" alt="x">',
        '<link rel="stylesheet" href="{url}">',
        "<style>body {{ background: url({url}) }}</style>",
        "<style>@import url({url});</style>",
        '<object data="{url}"></object>',
        '<img src="file:///etc/hostname" alt="x">',
        '<link rel="attachment" href="file:///etc/hostname">',
    ],
)
def test_a_document_fetches_nothing(markup):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"
        html = f'<html lang="en"><head><title>t</title></head><body>{markup.format(url=url)}</body></html>'
        with pytest.raises(InternalError, match="fetch nothing"):
            html_to_pdf(html)
        with pytest.raises(TimeoutError):
            server.accept()


def test_words_of_people_are_never_markup():
    evil = '<img src="http://127.0.0.1:1/x"> & <script>alert(1)</script>'
    school = School(evil, (evil,), None, "", 'x"} @import url(http://127.0.0.1:1/x); {"')
    text = flat(text_of(report(("school-weighted",), transcript(2), Student("S100", evil), school=school)))
    assert text.count("<script>alert(1)</script>") >= 3
    assert 'x"} @import url(http://127.0.0.1:1/x); {"' in text


def test_a_preview_says_so_on_every_page_and_has_no_code():
    content = report(("school-weighted",), transcript(60), code=None)
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert len(pages) > 1
    assert all("Preview, not issued" in page.extract_text() for page in pages)
    assert "Code " not in text_of(content)


def test_a_document_names_the_one_that_it_replaces():
    text = flat(text_of(report(("school-weighted",), transcript(2), replaces="AAAA-BBBB-CCCC-DDDD")))
    assert "the document AAAA-BBBB-CCCC-DDDD, which was made from earlier data" in text
