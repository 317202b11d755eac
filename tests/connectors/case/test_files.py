"""Frameworks from files: JSON packages and OpenSALT spreadsheets, one page a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.case import CONNECTOR, CaseConnector
from gateway.sdk import FRAMEWORK_TABLES, REJECTS, ConfigurationError, Context, DataError, IncompletePullError, Page

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
Open = Callable[..., CaseConnector]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A connector over ``tmp_path/frameworks``, or over the path given."""

    def make(path: str = "frameworks", **settings: Any) -> CaseConnector:
        loaded = CONNECTOR.Settings().load({"path": path, **settings})
        return CONNECTOR(loaded, Context("lakeside", "frameworks", tmp_path, tmp_path / "work", lambda: NOW))

    (tmp_path / "frameworks").mkdir()
    return make


def package(number: int, **more: Any) -> dict[str, Any]:
    id = f"d0000000-0000-0000-0000-{number:012d}"
    item = {"identifier": f"a0000000-0000-0000-0000-{number:012d}", "fullStatement": "s", "humanCodingScheme": "A"}
    return {"CFDocument": {"identifier": id, "title": f"Framework {number}"}, "CFItems": [item]} | more


def put(folder: Path, name: str, content: object) -> Path:
    file = folder / "frameworks" / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def pull(connector: CaseConnector, resume: str | None = None) -> list[Page]:
    (stream,) = connector.streams(None)
    return list(connector.pull(stream, since=None, resume=resume))


def titles(pages: list[Page]) -> list[str]:
    return [title for page in pages for title in page.frames["frameworks"]["title"]]


def test_a_folder_is_pulled_file_by_file_and_the_last_page_ends_it(opened, tmp_path):
    put(tmp_path, "b.JSON", package(2))
    put(tmp_path, "a.json", [package(1), package(3)])
    put(tmp_path, "c.csv", b"humanCodingScheme,fullStatement\nX,s\n")
    put(tmp_path, "readme.txt", b"not a framework")
    pages = pull(opened())
    assert titles(pages) == ["Framework 1", "Framework 3", "Framework 2", "c"]
    assert [page.resume is None for page in pages] == [False, False, True]
    assert set(pages[0].frames) == set(FRAMEWORK_TABLES)
    assert pages[1].frames["competencies"]["_source"].to_list() == ["b.JSON#CFItems"]


def test_an_interrupted_pull_goes_on_after_the_page_that_was_kept(opened, tmp_path):
    for number in (1, 2, 3):
        put(tmp_path, f"{number}.json", package(number))
    whole = pull(opened())
    assert titles(pull(opened(), whole[0].resume)) == ["Framework 2", "Framework 3"]
    assert titles(pull(opened(), whole[1].resume)) == ["Framework 3"]


@pytest.mark.parametrize("change", ["new file", "new content"])
def test_an_interrupted_pull_starts_anew_when_the_files_changed(opened, tmp_path, change):
    for number in (1, 2):
        put(tmp_path, f"{number}.json", package(number))
    resume = pull(opened())[0].resume
    put(tmp_path, "0.json" if change == "new file" else "2.json", package(4, CFRubrics=[]))
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(), resume)
    assert caught.value.code == "paging.list-changed"


@pytest.mark.parametrize("resume", ["", "7", "x/y", "-1/"])
def test_a_foreign_cursor_is_refused(opened, tmp_path, resume):
    put(tmp_path, "1.json", package(1))
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(), resume)
    assert caught.value.code == "paging.list-changed"


def test_a_cursor_beyond_the_end_is_refused_and_never_an_empty_pull(opened, tmp_path):
    put(tmp_path, "1.json", package(1))
    put(tmp_path, "2.json", package(2))
    digest = pull(opened())[0].resume.partition("/")[2]
    with pytest.raises(IncompletePullError):
        pull(opened(), f"2/{digest}")


def test_what_is_no_record_comes_as_a_reject_and_warnings_name_the_file(opened, tmp_path):
    loose = {
        "associationType": "isChildOf",
        "originNodeURI": "http://a.example",
        "destinationNodeURI": "http://b.example",
    }
    put(tmp_path, "a.json", package(1, CFItems=["text"], CFAssociations=[loose]))
    (page,) = pull(opened())
    assert page.frames[REJECTS].select("code", "_source", "_line").rows() == [
        ("case.not-an-object", "a.json#CFItems", 1)
    ]
    assert page.warnings == ("a.json: Associations without an identifier: 1; each got one made from what it links.",)


def test_a_spreadsheet_takes_its_framework_from_the_settings(opened, tmp_path):
    put(tmp_path, "c.csv", b"humanCodingScheme,fullStatement\nX,s\n")
    (page,) = pull(opened("frameworks/c.csv", framework_title="Lakeside", framework_id="ABC"))
    assert page.frames["frameworks"].select("id", "title").rows() == [("abc", "Lakeside")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_spreadsheet_may_be_in_any_unicode_encoding(opened, tmp_path, encoding):
    put(tmp_path, "c.csv", "fullStatement\r\nÉtude 𝑑\r\n".encode(encoding))
    (page,) = pull(opened())
    assert page.frames["competencies"]["statement"].to_list() == ["Étude 𝑑"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", b"", "case.not-json"),
        ("a.json", b'{"CFDocument": {"identifier"', "case.not-json"),
        ("a.json", b'{"CFDocument": {"identifier": "a", "identifier": "b"}}', "case.not-json"),
        ("a.json", b'{"CFDocument": {"identifier": "a"}, "CFItems": [NaN]}', "case.not-json"),
        ("a.json", b"[" * 5000 + b"]" * 5000, "case.not-json"),
        ("a.json", b"<html></html>", "case.not-json"),
        ("a.json", b'{"CFDocuments": []}', "case.not-a-package"),
        ("a.csv", "fullStatement\nÉtude\n".encode("latin-1"), "case.encoding"),
        ("a.csv", b"a,b\n1,2\n", "case.not-opensalt"),
    ],
)
def test_a_bad_file_is_refused_by_name_in_the_pull_and_the_check(opened, tmp_path, name, content, code):
    put(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        pull(opened())
    assert caught.value.code == code
    assert caught.value.place.source == name
    assert caught.value.hint
    (item,) = opened().check()
    assert not item.ok
    assert name in item.what


def test_a_bad_file_does_not_hide_what_the_check_finds_in_the_others(opened, tmp_path):
    put(tmp_path, "a.json", b"{")
    put(tmp_path, "b.json", package(1))
    bad, good = opened().check()
    assert (bad.ok, good.ok) == (False, True)
    assert good.message == "Framework 1 (items: 1)"


def test_a_file_that_is_too_large_is_not_read(opened, tmp_path):
    put(tmp_path, "a.json", b" " * (1024 * 1024 + 1))
    with pytest.raises(DataError) as caught:
        pull(opened(max_megabytes=1))
    assert caught.value.code == "case.too-large"


@pytest.mark.parametrize(("path", "code"), [("nowhere", "case.no-path"), ("frameworks", "case.no-files")])
def test_nothing_to_read_is_an_error_and_never_an_empty_pull(opened, path, code):
    with pytest.raises(ConfigurationError) as caught:
        pull(opened(path))
    assert caught.value.code == code
    (item,) = opened(path).check()
    assert not item.ok


@pytest.mark.parametrize("setting", ["framework_title", "framework_id"])
def test_one_title_does_not_do_for_a_folder(opened, tmp_path, setting):
    put(tmp_path, "c.csv", b"fullStatement\ns\n")
    with pytest.raises(ConfigurationError) as caught:
        pull(opened(**{setting: "x"}))
    assert caught.value.code == "case.not-one-file"


def test_every_public_package_is_pulled_from_its_folder(shared_data, tmp_path):
    folder = shared_data / "case" / "smarterbalanced"
    if not folder.is_dir():
        pytest.skip("the public packages are not there")
    loaded = CONNECTOR.Settings().load({"path": str(folder)})
    pages = pull(CONNECTOR(loaded, Context("d", "c", tmp_path, tmp_path, lambda: NOW)))
    assert len(pages) == 3
    assert sum(page.frames["competencies"].height for page in pages) == 135 + 164 + 164
