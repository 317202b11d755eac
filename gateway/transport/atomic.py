"""Files and folders that are either there in full or not at all.

Content is written beside its destination, forced to disk and renamed into place. When anything fails on the way (a
full disk, a kill signal), the destination still holds what it held before. What a killed writer left beside it is
removed by the first write that comes a day later.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_LEFT_BEHIND = 24 * 3600.0


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write; it takes the place of ``path`` when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _remove_left_behind(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill; it takes the place of ``path`` when the block ends well, and vanishes otherwise.

    An existing folder ``path`` is replaced as a whole. That takes two renames: for an instant there is no folder, never
    a mixed one; :func:`recover_folder` mends a kill in that instant.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    recover_folder(path)
    temporary = _beside(path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _sync(file)
        _sync(temporary)
        _remove_left_behind(path, temporary)
        _put_in_place(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync(path.parent)


def recover_folder(path: Path) -> None:
    """Bring back the former ``path`` if a kill came between the two renames that replace it."""
    former = _former(path)
    if former.exists():
        if path.exists():
            shutil.rmtree(former)
        else:
            former.rename(path)


def _put_in_place(temporary: Path, path: Path) -> None:
    former = _former(path)
    if path.exists():
        path.rename(former)
    try:
        temporary.rename(path)
    except BaseException:
        recover_folder(path)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _former(path: Path) -> Path:
    return path.with_name(f".{path.name}.former")


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")


def _remove_left_behind(path: Path, temporary: Path) -> None:
    newest = temporary.stat().st_mtime
    for other in path.parent.glob(f".{glob.escape(path.name)}.partial-*"):
        if other != temporary and newest - other.stat().st_mtime > _LEFT_BEHIND:
            shutil.rmtree(other) if other.is_dir() else other.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
