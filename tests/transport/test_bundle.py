"""Bundles: folders and zips are opened alike, and no zip is trusted."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from gateway.core.errors import DataError, GatewayError, IncompletePullError
from gateway.transport.bundle import ZipLimits, newest, open_bundle


def make_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            archive.writestr(entry, content)
    return path


@pytest.mark.parametrize("inside", ["", "export/", "a/b/"])
def test_a_zip_gives_its_files_at_the_top_or_in_one_folder_in_any_case(tmp_path: Path, inside: str) -> None:
    members = {f"{inside}Users.CSV": b"id\n1\n", "__MACOSX/._Users.csv": b"x", f"{inside}notes.txt": b"x"}
    bundle = open_bundle(make_zip(tmp_path / "b.zip", members))
    assert list(bundle.members) == ["users.csv"]
    assert bundle.has("users.csv")
    assert not bundle.has("orgs.csv")
    work = tmp_path / "work"
    work.mkdir()
    assert bundle.file("USERS.csv", work).read_bytes() == b"id\n1\n"


def test_a_folder_gives_its_csv_files(tmp_path: Path) -> None:
    (tmp_path / "Users.csv").write_bytes(b"id\n")
    (tmp_path / ".hidden.csv").write_bytes(b"")
    (tmp_path / "sub").mkdir()
    bundle = open_bundle(tmp_path)
    assert bundle.members == {"users.csv": "Users.csv"}
    assert bundle.file("users.csv", tmp_path / "unused") == tmp_path / "Users.csv"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "users.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError) as caught:
        open_bundle(folder)
    assert caught.value.code == "bundle.link"


def linked() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("users.csv")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def encrypted() -> bytes:
    """The flag of an encrypted member, in the local header and in the directory."""
    content = bytearray(zipped({"users.csv": b"id\n"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def understated() -> bytes:
    """A member that says it unpacks to one byte."""
    content = bytearray(zipped({"users.csv": b"id\n" * 1000}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (1).to_bytes(4, "little")
    return bytes(content)


REFUSED = {
    "a path that climbs out": (zipped({"../users.csv": b"id\n"}), "bundle.path"),
    "a path that climbs out with backslashes": (zipped({"..\\users.csv": b"id\n"}), "bundle.path"),
    "an absolute path": (zipped({"/etc/users.csv": b"id\n"}), "bundle.path"),
    "a drive": (zipped({"C:\\users.csv": b"id\n"}), "bundle.path"),
    "a link": (linked(), "bundle.link"),
    "an encrypted member": (encrypted(), "bundle.encrypted"),
    "a nested archive": (zipped({"users.csv": b"id\n", "inner.zip": b"PK"}), "bundle.nested"),
    "a bomb": (zipped({"users.csv": b"\0" * (30 << 20)}), "bundle.ratio"),
    "two files with one name": (zipped({"users.csv": b"id\n", "Users.csv": b"id\n"}), "bundle.same-name"),
    "several folders": (zipped({"a/users.csv": b"id\n", "b/orgs.csv": b"id\n"}), "bundle.several-folders"),
    "no zip at all": (b"sourcedId,status\n", "bundle.no-zip"),
    "too many entries": (zipped({f"{n}.csv": b"" for n in range(1001)}), "bundle.too-many"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_zip_with_this_is_refused(tmp_path: Path, what: str) -> None:
    content, code = REFUSED[what]
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_bundle(path)
    assert caught.value.code == code
    assert caught.value.hint


def test_the_total_is_limited_also_where_each_file_is_modest(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "b.zip", {f"{n}.csv": b"abc" * 100 for n in range(10)}, zipfile.ZIP_STORED)
    with pytest.raises(DataError) as caught:
        open_bundle(path, ZipLimits(total=2_999))
    assert caught.value.code == "bundle.too-large"


def test_a_zip_that_is_cut_off_is_incomplete_and_not_wrong(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "b.zip", {"users.csv": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(IncompletePullError) as caught:
        open_bundle(path)
    assert caught.value.code == "bundle.cut-off"


@pytest.mark.parametrize("damage", ["content", "size"])
def test_a_damaged_member_is_refused_and_leaves_no_copy(tmp_path: Path, damage: str) -> None:
    content = bytearray(zipped({"users.csv": bytes(range(256)) * 40}))
    content[60] ^= 0xFF
    path = tmp_path / "b.zip"
    path.write_bytes(bytes(content) if damage == "content" else understated())
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(DataError) as caught:
        open_bundle(path).file("users.csv", work)
    assert caught.value.code == "bundle.damaged"
    assert list(work.iterdir()) == []


def test_copies_of_former_archives_are_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    former = open_bundle(make_zip(tmp_path / "a.zip", {"users.csv": b"id\n1\n"})).file("users.csv", work)
    bundle = open_bundle(make_zip(tmp_path / "b.zip", {"users.csv": b"id\n12\n"}))
    copy = bundle.file("users.csv", work)
    bundle.remove_stale_copies(work)
    assert (former.exists(), copy.read_bytes()) == (False, b"id\n12\n")


def test_the_newest_match_is_the_last_in_alphabetical_order(tmp_path: Path) -> None:
    for name in ("sis-2026-09-01.zip", "sis-2026-10-01.zip", "sis-2025-12-31.zip", ".sis-2027.zip", "zzz.txt"):
        (tmp_path / name).touch()
    assert newest(tmp_path / "sis-*.zip").name == "sis-2026-10-01.zip"
    assert newest(tmp_path / "plain.zip") == tmp_path / "plain.zip"
    with pytest.raises(GatewayError) as caught:
        newest(tmp_path / "none-*")
    assert caught.value.code == "bundle.missing"


def test_a_path_to_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_bundle(tmp_path / "gone.zip")
    assert caught.value.code == "bundle.missing"
