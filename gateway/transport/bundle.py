"""A bundle: the files of one delivery, in a folder or in a zip.

A zip is never trusted: paths that climb out, links, encrypted or nested archives, too many entries and archives that
unpack to far more than they weigh are refused before a byte is unpacked. A member that is asked for is copied to the
work folder in small pieces (a plain file is what Polars reads fastest, and what a resumed pull can seek in).
"""

from __future__ import annotations

import errno
import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gateway.core.errors import DataError, IncompletePullError, Place, TransientError
from gateway.transport.atomic import atomic_file

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What a zip may hold at most. ``ratio`` (unpacked to packed) counts for what unpacks to over ``ratio_from``."""

    entries: int = 1_000
    total: int = 20 << 30
    ratio: int = 100
    ratio_from: int = 10 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle. ``members`` are its files by name in lower case; the values are their names as they stand."""

    path: Path
    members: Mapping[str, str]
    is_zip: bool

    def has(self, name: str) -> bool:
        return name.lower() in self.members

    def stamp(self, name: str) -> str:
        """Changes when the file (for a zip: the whole archive) is replaced or written to. "" when it is gone."""
        path = self.path if self.is_zip else self.path / self.members[name.lower()]
        try:
            state = path.stat()
        except FileNotFoundError:
            return ""
        return f"{self.path.name}:{state.st_size}:{state.st_mtime_ns}"

    def file(self, name: str, work: Path) -> Path:
        """A plain file with the content of ``name`` (in any case): the file itself, or its copy in the folder ``work``.

        Raises :class:`DataError` when the archive is damaged, :class:`TransientError` when the disk is full.
        """
        member = self.members[name.lower()]
        if not self.is_zip:
            return self.path / member
        copy = work / f"{self._copy_prefix()}{PurePosixPath(member).name.lower()}"
        if not copy.exists():
            self._copy_out(member, copy)
        return copy

    def remove_stale_copies(self, work: Path) -> None:
        """Remove from the folder ``work`` the copies of other archives than this one."""
        keep = self._copy_prefix() if self.is_zip else None
        for path in work.iterdir():
            if path.is_file() and (keep is None or not path.name.startswith(keep)):
                path.unlink()

    def _copy_prefix(self) -> str:
        state = self.path.stat()
        return f"{state.st_size}-{state.st_mtime_ns}-"

    def _copy_out(self, member: str, copy: Path) -> None:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as packed, atomic_file(copy) as plain:
                shutil.copyfileobj(packed, plain, _PIECE)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
            raise _damaged(self.path, str(error)) from error
        except KeyError as error:
            raise file_changed(member) from error
        except OSError as error:
            raise _disk_error(error, copy.parent) from error


def open_bundle(path: Path, limits: ZipLimits | None = None) -> Bundle:
    """Open the folder or zip at ``path``.

    Raises :class:`DataError` (``bundle.*``) for what is neither, or is refused; :class:`IncompletePullError`
    (``bundle.cut-off``) for a zip without its end, as while it is still being uploaded.
    """
    try:
        return _open(path, limits or ZipLimits())
    except PermissionError as error:
        raise DataError(
            f'"{path.name}" cannot be read.',
            hint="Give the account of the gateway the right to read it.",
            code="bundle.unreadable",
            detail=str(error),
        ) from error


def _open(path: Path, limits: ZipLimits) -> Bundle:
    if path.is_dir():
        return Bundle(path, _folder_members(path), is_zip=False)
    if not path.exists():
        raise DataError(
            f'There is no file or folder "{path.name}".',
            hint=f"Put the bundle into {path.parent} or change the path in the settings.",
            code="bundle.missing",
        )
    return Bundle(path, _zip_members(path, limits), is_zip=True)


def newest(pattern: Path) -> Path:
    """The path itself; or, with ``*``, ``?`` or ``[…]`` in its last part, the last match in alphabetical order.

    (A date in the name, year first, makes that the newest. Times of files are not asked: copying changes them.)
    """
    if not any(sign in pattern.name for sign in "*?["):
        return pattern
    found = sorted(path for path in pattern.parent.glob(pattern.name) if not path.name.startswith("."))
    if not found:
        raise DataError(
            f'No file or folder matches "{pattern.name}".',
            hint=f"Look into {pattern.parent}, or change the path in the settings.",
            code="bundle.missing",
        )
    return found[-1]


def _folder_members(folder: Path) -> dict[str, str]:
    names: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() != ".csv":
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise _refused(folder, f'"{path.name}" is a link that leads out of the folder.', "bundle.link")
        if path.is_file():
            names.append(path.name)
    return _by_lower_name(folder, names)


def _by_lower_name(path: Path, names: list[str]) -> dict[str, str]:
    members: dict[str, str] = {}
    for name in names:
        key = PurePosixPath(name).name.lower()
        if key in members:
            raise DataError(
                f'Two files have the same name but for capitals: "{members[key]}" and "{name}".',
                hint="Remove the one that is not meant.",
                code="bundle.same-name",
                place=Place(path.name),
            )
        members[key] = name
    return members


def _zip_members(path: Path, limits: ZipLimits) -> dict[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _no_zip(path) from error
    _check_size(path, entries, limits)
    for entry in entries:
        _check_entry(path, entry)
    names = [entry.filename for entry in entries if _is_data(entry)]
    folders = sorted({str(PurePosixPath(name).parent) for name in names})
    if len(folders) > 1:
        raise DataError(
            f"The zip holds CSV files in several folders: {', '.join(folders[:5])}.",
            hint="Put the files of one delivery at the top of one zip.",
            code="bundle.several-folders",
            place=Place(path.name),
        )
    return _by_lower_name(path, names)


def _check_size(path: Path, entries: list[zipfile.ZipInfo], limits: ZipLimits) -> None:
    if len(entries) > limits.entries:
        raise _refused(path, f"It has {len(entries):,} entries; the most is {limits.entries:,}.", "bundle.too-many")
    total = sum(entry.file_size for entry in entries)
    if total > limits.total:
        raise _refused(
            path, f"It unpacks to {total >> 30:,} GiB; the most is {limits.total >> 30:,}.", "bundle.too-large"
        )
    packed = min(sum(entry.compress_size for entry in entries), path.stat().st_size)
    worst = max(
        [total / max(packed, 1), *(e.file_size / max(e.compress_size, 1) for e in entries if _large(e, limits))]
    )
    if total > limits.ratio_from and worst > limits.ratio:
        raise _refused(path, f"It unpacks to {worst:,.0f} times its size, as a zip bomb does.", "bundle.ratio")


def _large(entry: zipfile.ZipInfo, limits: ZipLimits) -> bool:
    return entry.file_size > limits.ratio_from


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]) or "\0" in name:
        raise _refused(path, "It holds a file whose path leads out of the zip.", "bundle.path")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused(path, "It holds a link instead of a file.", "bundle.link")
    if entry.flag_bits & 0x1:
        raise _refused(path, "It is encrypted.", "bundle.encrypted", hint="Send it without a password.")
    if name.lower().endswith((".zip", ".7z", ".gz", ".tar", ".rar")):
        raise _refused(path, "It holds another archive.", "bundle.nested", hint="Zip the CSV files themselves.")


def _is_data(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not entry.is_dir() and path.suffix.lower() == ".csv" and not hidden


def file_changed(name: str) -> IncompletePullError:
    """The error for a file of a bundle that is not any more what it was when the pull began."""
    return IncompletePullError(
        "The file was replaced or written to while it was being read.",
        hint="It is read again from its beginning. Deliver bundles under a new name, or rename them into place when "
        "they are complete.",
        code="paging.file-changed",
        place=Place(name),
    )


def _refused(path: Path, why: str, code: str, *, hint: str = "") -> DataError:
    hint = hint or "Ask the sender for a plain zip of the CSV files; do not unpack this one by hand."
    return DataError(f"The bundle is refused. {why}", hint=hint, code=code, place=Place(path.name))


def _no_zip(path: Path) -> DataError | IncompletePullError:
    with path.open("rb") as file:
        begins_as_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    if begins_as_zip:
        return IncompletePullError(
            "The zip has no end: it is cut off, or still being uploaded.",
            hint="Wait until the upload is finished; the next run tries again.",
            code="bundle.cut-off",
            place=Place(path.name),
        )
    return DataError(
        "The file is neither a folder nor a zip.",
        hint="Give the folder that holds the CSV files, or a zip of them.",
        code="bundle.no-zip",
        place=Place(path.name),
    )


def _damaged(path: Path, detail: str) -> DataError:
    return DataError(
        "The zip is damaged.",
        hint="Ask for it again, or wait until its upload is finished.",
        code="bundle.damaged",
        place=Place(path.name),
        detail=detail,
    )


def _disk_error(error: OSError, folder: Path) -> TransientError:
    full = error.errno == errno.ENOSPC
    return TransientError(
        "The disk is full." if full else "A file of the bundle cannot be copied to the work folder.",
        hint=f"Make room in {folder}; the next run goes on." if full else f"Look at the rights of {folder}.",
        code="disk.full" if full else "disk",
        detail=str(error),
    )
