"""Writes a bundle: all files into a folder beside the destination, then all at once into place.

Cells are written as they are. Text that a spreadsheet would take for a formula (``=``, ``+``, ``-``, ``@``) is not
defused: these files are read by programs, an id or a score such as ``-1`` must arrive unchanged, and a receiver would
store the additional apostrophe. Files for people's spreadsheets are another matter and are made elsewhere.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from connectors.oneroster_csv.cells import UnwritableError, file_of, identity_column, nested_tables, rows_of
from gateway.sdk import (
    Action,
    Change,
    ConfigurationError,
    Outcome,
    OutcomeState,
    RejectedError,
    TransientError,
    atomic_file,
    atomic_folder,
    oneroster,
    open_bundle,
)


@dataclass(frozen=True, slots=True)
class Delivering:
    """What is written, and where."""

    path: Path
    version: str
    delta: bool
    system_name: str
    system_code: str
    now: datetime


def write_bundle(changes: Iterable[Change], to: Delivering, work: Path) -> Iterator[Outcome]:
    """Write the bundle and, once it is in place, yield an outcome for each change; nothing if there is no change.

    Raises :class:`RejectedError` (``bundle.incomplete``) when a record that the receiver has cannot be written in a
    bulk bundle, since its absence would delete it; :class:`TransientError` (``disk.full``).
    """
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+", dir=work, encoding="utf-8", newline="") as answers:
        try:
            with _destination(to.path, work) as folder:
                count = _write_files(changes, to, folder, work, answers)
                if count == 0:
                    raise _NothingToWriteError
        except _NothingToWriteError:
            return
        except OSError as error:
            raise _disk_error(error, to.path) from error
        answers.seek(0)
        for key, state, code, message in csv.reader(answers):
            yield Outcome(key, OutcomeState(state), code, message)


class _NothingToWriteError(Exception):
    """There was no change; what stands at the destination stays."""


@contextlib.contextmanager
def _destination(path: Path, work: Path) -> Iterator[Path]:
    """A folder to fill; afterwards it, or a zip of its files, takes the place of ``path``."""
    if path.suffix.lower() != ".zip":
        with atomic_folder(path) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(dir=work) as name:
        yield Path(name)
        with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in sorted(Path(name).iterdir()):
                # A fixed time, so that equal content makes an equal file.
                entry = zipfile.ZipInfo(member.name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                with member.open("rb") as plain, archive.open(entry, "w", force_zip64=True) as packed:
                    shutil.copyfileobj(plain, packed, 1 << 20)


@dataclass(slots=True)
class _Files:
    """The files of the bundle that were begun."""

    folder: Path
    stack: contextlib.ExitStack
    open: dict[str, Any] = field(default_factory=dict)

    def begin(self, file: oneroster.CsvFile) -> None:
        if file.name not in self.open:
            self.open[file.name] = self._writer(file.file_name)
            self.open[file.name].writerow(file.header)

    def write(self, file: oneroster.CsvFile, row: list[str]) -> None:
        self.open[file.name].writerow(row)

    def write_manifest(self, to: Delivering) -> None:
        mode = oneroster.FileMode.DELTA if to.delta else oneroster.FileMode.BULK
        modes = dict.fromkeys((name for name in self.open if name in oneroster.CSV_FILES[to.version]), mode)
        manifest = self._writer(f"{oneroster.MANIFEST}.csv")
        manifest.writerow(oneroster.MANIFEST_HEADER)
        manifest.writerows(
            oneroster.manifest_rows(to.version, modes, system_name=to.system_name, system_code=to.system_code)
        )

    def _writer(self, name: str) -> Any:
        handle = self.stack.enter_context((self.folder / name).open("x", encoding="utf-8", newline=""))
        return csv.writer(handle, lineterminator="\r\n")


def _write_files(changes: Iterable[Change], to: Delivering, folder: Path, work: Path, answers: IO[str]) -> int:
    """Write all files; note an answer for each change, to be given when the bundle is in place."""
    note = csv.writer(answers)
    roles = _RolesOfUsers() if to.version == "1.1" else None
    written: dict[str, set[str]] = {}
    count = 0
    with contextlib.ExitStack() as stack:
        files = _Files(folder, stack)
        for change in changes:
            count += 1
            try:
                _begin_files(files, change.entity, to.version)
                if roles is not None and change.entity == "roles":
                    roles.add(change)
                elif to.delta or change.action is not Action.INACTIVATE:
                    for file, row in rows_of(change, to.version, delta=to.delta, now=to.now):
                        files.write(file, row)
                if to.delta:
                    written.setdefault(change.entity, set()).add(change.id)
            except UnwritableError as error:
                _refuse_gap(change, error, to)
                note.writerow((change.key, OutcomeState.REJECTED.value, error.code, error.reason))
            else:
                note.writerow((change.key, OutcomeState.ACCEPTED.value, "", ""))
        if to.delta and count and to.path.exists():
            _carry_over(to, files, written, work)
        files.write_manifest(to)
    if roles is not None and (folder / "users.csv").exists():
        roles.fill_in(folder / "users.csv")
    return count


def _carry_over(to: Delivering, files: _Files, written: Mapping[str, set[str]], work: Path) -> None:
    """Add what stands in the former delta, which nobody has collected, unless it is newly written."""
    former = open_bundle(to.path)
    for file in oneroster.CSV_FILES[to.version].values():
        if file.table is None or not former.has(file.file_name):
            continue
        files.begin(file)
        parent, column = identity_column(file)
        superseded = written.get(parent, set())
        with former.file(file.file_name, work).open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle)
            if tuple(next(reader, ())) != file.header:
                raise ConfigurationError(
                    f'The delta "{to.path.name}" was not written with these settings and has not been collected.',
                    hint="Collect and remove it, or give the new deltas another name.",
                    code="oneroster_csv.path",
                )
            for row in reader:
                if row[column] not in superseded:
                    files.write(file, row)


def _begin_files(files: _Files, entity: str, version: str) -> None:
    """Begin every file of the entity, so that one without rows is told from one that is not delivered."""
    for table in (entity, *nested_tables(entity)):
        file = file_of(table, version)
        if file is not None:
            files.begin(file)


def _refuse_gap(change: Change, error: UnwritableError, to: Delivering) -> None:
    if to.delta or change.action is Action.CREATE:
        return
    raise RejectedError(
        f"A record of {change.entity.replace('_', ' ')} that the receiver has cannot be written: {error.reason}",
        hint="A bulk bundle without it would delete it there, so none was written. Mend the record, or write deltas.",
        code="bundle.incomplete",
    ) from error


class _RolesOfUsers:
    """The one role and the orgs that a 1.1 user's row carries."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self.orgs: dict[str, list[str]] = {}

    def add(self, change: Change) -> None:
        if change.action is Action.INACTIVATE:
            return
        user, role, org = (str(change.record.get(name) or "") for name in ("user_id", "role", "org_id"))
        word = oneroster.ROLE_IN_1_1.get(role)
        if word is None:
            raise UnwritableError("oneroster.version", f'OneRoster 1.1 has no role "{role}"; set version "1.2".')
        if self.words.setdefault(user, word) != word:
            raise UnwritableError("oneroster.version", 'A OneRoster 1.1 user has one role only; set version "1.2".')
        orgs = self.orgs.setdefault(user, [])
        if org not in orgs:
            orgs.append(org)

    def fill_in(self, path: Path) -> None:
        """Add roles and orgs to the users that were written without."""
        bare = path.with_suffix(".bare")
        path.rename(bare)
        with bare.open(encoding="utf-8", newline="") as users, path.open("x", encoding="utf-8", newline="") as filled:
            reader, writer = csv.reader(users), csv.writer(filled, lineterminator="\r\n")
            header = next(reader)
            writer.writerow(header)
            user, role, orgs = (header.index(name) for name in ("sourcedId", "role", "orgSourcedIds"))
            for row in reader:
                row[role] = self.words.get(row[user], "")
                row[orgs] = oneroster.format_list(self.orgs.get(row[user], []))
                writer.writerow(row)
        bare.unlink()


def _disk_error(error: OSError, path: Path) -> TransientError:
    full = error.errno == errno.ENOSPC
    return TransientError(
        "The disk is full; the former bundle is untouched." if full else "The bundle cannot be written.",
        hint=f"Make room in {path.parent}." if full else f"Look at the rights of {path.parent}.",
        code="disk.full" if full else "disk",
        detail=str(error),
    )
