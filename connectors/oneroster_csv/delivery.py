"""What a bundle holds: its version, its files, and whether each is complete, a change list, or not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.oneroster_csv.headers import HeaderMatch, match_header, merged_file
from gateway.sdk import (
    TABLES,
    Bundle,
    CsvTable,
    DataError,
    PullMode,
    did_you_mean,
    oneroster,
    open_bundle,
    open_csv,
    read_batches,
)

MANIFEST_FILE = "manifest.csv"


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file that is there and wanted. ``name`` is the file's name as it stands in the bundle, without folders."""

    declared: oneroster.CsvFile
    name: str
    mode: PullMode


@dataclass(frozen=True, slots=True)
class Delivery:
    """An opened bundle. ``files`` by the binding's name, parents first."""

    bundle: Bundle
    work: Path
    version: str
    files: Mapping[str, DeliveredFile]
    warnings: tuple[str, ...]
    fallback_encoding: str | None

    def open(self, file: DeliveredFile) -> CsvTable:
        return _open(self.bundle, file.name, self.work, self.fallback_encoding)

    def match(self, file: DeliveredFile, table: CsvTable) -> HeaderMatch:
        """Find the columns of ``file`` in its header; raises :class:`DataError` where one is missing."""
        return match_header(
            file.declared, table.columns, name=file.name, line=max(table.start.line - 1, 1), version=self.version
        )

    def users_carry_roles(self) -> bool:
        """Whether the roles are columns of the users, as in 1.1."""
        if "roles" in self.files or "users" not in self.files:
            return False
        if self.version == "1.1":
            return True
        try:
            header = self.open(self.files["users"]).columns
        except DataError:
            return False
        return {"role", "orgSourcedIds"} <= set(header)


def open_delivery(path: Path, *, work: Path, version: str | None, fallback_encoding: str | None) -> Delivery:
    """Open the bundle at ``path`` and read its manifest.

    Raises :class:`DataError` when the bundle or its manifest cannot be read.
    """
    work.mkdir(parents=True, exist_ok=True)
    bundle = open_bundle(path)
    bundle.remove_stale_copies(work)
    properties, warnings = _read_manifest(bundle, work)
    if version is None:
        version = _version(properties, bundle, work, warnings)
    files = _files(bundle, version, properties, warnings)
    if not files:
        raise DataError(
            "The bundle holds no OneRoster file.",
            hint="It must hold files such as users.csv and classes.csv, and say in manifest.csv which are delivered.",
            code="bundle.nothing",
        )
    _note_unknown_files(bundle, warnings)
    return Delivery(bundle, work, version, files, tuple(warnings), fallback_encoding)


def _open(bundle: Bundle, name: str, work: Path, fallback_encoding: str | None) -> CsvTable:
    return open_csv(bundle.file(name, work), name=name, work=work, fallback_encoding=fallback_encoding)


def _read_manifest(bundle: Bundle, work: Path) -> tuple[dict[str, str], list[str]]:
    if not bundle.has(MANIFEST_FILE):
        return {}, [f"The bundle has no {MANIFEST_FILE}; each file that is there is taken as complete."]
    table = _open(bundle, MANIFEST_FILE, work, "utf-8")
    if len(table.columns) < 2:
        return {}, [f"{MANIFEST_FILE} is empty; each file that is there is taken as complete."]
    properties = {
        str(key).strip().lower(): str(value).strip()
        for batch in read_batches(table)
        for key, value in batch.frame.select("0", "1").iter_rows()
    }
    return properties, []


def _version(properties: Mapping[str, str], bundle: Bundle, work: Path, warnings: list[str]) -> str:
    said = properties.get("oneroster.version", "")
    if said in oneroster.VERSIONS:
        return said
    scores = dict.fromkeys(oneroster.VERSIONS, 0)
    for name in oneroster.CSV_FILES["1.2"]:
        if not bundle.has(f"{name}.csv"):
            continue
        try:
            header = set(_open(bundle, f"{name}.csv", work, None).columns)
        except DataError:
            continue  # that file's own stream reports it
        for version, files in oneroster.CSV_FILES.items():
            scores[version] += len(header & set(files[name].header)) if name in files else 0
    version = "1.2" if scores["1.2"] > scores["1.1"] else "1.1"
    reason = f'{MANIFEST_FILE} says version "{said[:20]}"' if said else "No manifest tells the version"
    warnings.append(f"{reason}; the columns look like {version}.")
    return version


def _files(
    bundle: Bundle, version: str, properties: Mapping[str, str], warnings: list[str]
) -> dict[str, DeliveredFile]:
    names = [name for name, file in oneroster.CSV_FILES["1.2"].items() if file.table is not None]
    names.sort(key=lambda name: list(TABLES).index(str(oneroster.CSV_FILES["1.2"][name].table)))
    files: dict[str, DeliveredFile] = {}
    for name in names:
        mode = _mode(name, bundle, properties, warnings)
        if mode is not None:
            stands = bundle.members[f"{name.lower()}.csv"]
            _note_name(f"{name}.csv", stands, warnings)
            files[name] = DeliveredFile(merged_file(name, version), stands.rsplit("/", 1)[-1], mode)
    if "roles" in files and "users" in files:  # 1.2, whatever the manifest says: the users need not tell their roles
        files["users"] = replace(files["users"], declared=merged_file("users", "1.2"))
    return files


def _mode(name: str, bundle: Bundle, properties: Mapping[str, str], warnings: list[str]) -> PullMode | None:
    """How the file is delivered; ``None`` if it is not."""
    said = properties.get(f"file.{name}".lower(), "").lower()
    there = bundle.has(f"{name}.csv")
    if said == oneroster.FileMode.ABSENT:
        if there:
            warnings.append(f"{MANIFEST_FILE} says that {name}.csv is absent, but it is there; it is passed over.")
        return None
    if not there:
        if said:
            warnings.append(f"{MANIFEST_FILE} says {said[:20]} for {name}.csv, but it is not there; nothing is known.")
        return None
    if said == oneroster.FileMode.DELTA:
        return PullMode.DELTA
    if said and said != oneroster.FileMode.BULK:
        warnings.append(f'{MANIFEST_FILE} says "{said[:20]}" for {name}.csv; it is taken as changes only.')
        return PullMode.DELTA
    if not said and properties:
        warnings.append(f"{MANIFEST_FILE} does not mention {name}.csv; it is taken as bulk.")
    return PullMode.FULL


def _note_name(name: str, stands: str, warnings: list[str]) -> None:
    folder, _, base = stands.rpartition("/")
    if base != name:
        warnings.append(f'The file {name} is named "{base}".')
    note = "The files stand in a folder of the zip instead of at its top."
    if folder and note not in warnings:
        warnings.append(note)


def _note_unknown_files(bundle: Bundle, warnings: list[str]) -> None:
    known = {f"{name}.csv".lower(): f"{name}.csv" for files in oneroster.CSV_FILES.values() for name in files}
    for lower, name in bundle.members.items():
        if lower not in known and lower != MANIFEST_FILE:
            guess = did_you_mean(lower, known)
            for key, spelled in known.items():
                guess = guess.replace(f'"{key}"', f'"{spelled}"')
            warnings.append(f'"{name}" is no OneRoster file; it is not read.{guess}')
