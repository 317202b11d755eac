"""What is written is there in full, or what was there before is untouched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.transport.atomic import atomic_file, atomic_folder, recover_folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.csv"
    with atomic_file(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert tree(tmp_path) == {"new/a.csv": b"one"}


def test_a_file_whose_writing_fails_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), atomic_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert tree(tmp_path) == {"a.csv": b"before"}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for content in ({"a": b"1", "b": b"2"}, {"b": b"3"}):
        with atomic_folder(path) as folder:
            for name, data in content.items():
                (folder / name).write_bytes(data)
    assert tree(tmp_path) == {"bundle/b": b"3"}


def test_a_folder_whose_writing_fails_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with atomic_folder(path) as folder:
        (folder / "a").write_bytes(b"before")
    with pytest.raises(RuntimeError), atomic_folder(path) as folder:
        (folder / "a").write_bytes(b"half")
        raise RuntimeError
    assert tree(tmp_path) == {"bundle/a": b"before"}


def test_a_kill_between_the_two_renames_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    former = tmp_path / ".bundle.former"
    former.mkdir()
    (former / "a").write_bytes(b"before")
    recover_folder(path)
    assert tree(tmp_path) == {"bundle/a": b"before"}
    path.joinpath("a").write_bytes(b"after")
    former.mkdir()
    recover_folder(path)
    assert tree(tmp_path) == {"bundle/a": b"after"}


def test_what_a_killed_writer_left_is_removed_a_day_later(tmp_path: Path) -> None:
    old, young = tmp_path / ".a[1].csv.partial-old", tmp_path / ".a[1].csv.partial-young"
    for left in (old, young):
        left.touch()
    os.utime(old, (1, 1))
    with atomic_file(tmp_path / "a[1].csv") as file:
        file.write(b"x")
    assert (old.exists(), young.exists()) == (False, True)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from gateway.transport.atomic import atomic_file, atomic_folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    if sys.argv[2] == "file":
        with atomic_file(Path(sys.argv[1]) / "a") as file:
            file.write(b"x" * 5000)
    else:
        with atomic_folder(Path(sys.argv[1]) / "a") as folder:
            (folder / "b").write_bytes(b"x" * 5000)
except OSError:
    sys.exit(7)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path), kind], check=False, timeout=60)
    assert done.returncode == 7
    assert list(tmp_path.iterdir()) == []
