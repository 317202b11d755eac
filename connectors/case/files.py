"""Frameworks out of files: CASE packages as JSON, and OpenSALT's spreadsheets as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from connectors.case.pages import contents, list_digest, make_pages, start_of
from gateway.sdk import (
    CasePackages,
    CheckItem,
    ConfigurationError,
    Context,
    DataError,
    GatewayError,
    IncompletePullError,
    Page,
    Place,
    decode_page,
    read_opensalt_csv,
    read_packages,
)

_BYTES = 1024 * 1024
_ANYTHING = cast(type[object], Any)


class FrameworkFiles:
    """One file, or the ``.json`` and ``.csv`` files of a folder by name."""

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = settings
        self.path = context.folder / settings["path"]

    def check(self) -> Iterator[CheckItem]:
        """Each file, and what is in it."""
        try:
            files = self._files()
        except GatewayError as error:
            yield CheckItem("files", False, error.message, error.hint)
            return
        for file in files:
            try:
                found = self._read(file)
            except GatewayError as error:
                yield CheckItem(file.name, False, str(error))
            else:
                yield CheckItem(file.name, True, contents(found))

    def pull(self, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        """One page a file."""
        files = self._files()
        states = [(file.name, state.st_size, state.st_mtime_ns) for file in files for state in [file.stat()]]
        digest = list_digest(states)
        start = start_of(resume, count=len(files), digest=digest)
        entries = ((file.name, self._read(file)) for file in files[start:])
        return make_pages(entries, start=start, count=len(files), digest=digest)

    def _files(self) -> list[Path]:
        if not self.path.exists():
            raise ConfigurationError(
                f"{self.path} does not exist.",
                hint="Correct path in the settings of this connection.",
                code="case.no-path",
            )
        if not self.path.is_dir():
            return [self.path]
        if self.settings["framework_title"] or self.settings["framework_id"]:
            raise ConfigurationError(
                f"{self.path} is a folder, but framework_title and framework_id are for a single .csv file.",
                hint="Name the file in path, or let each file's name be its framework's title.",
                code="case.not-one-file",
            )
        files = sorted(file for file in self.path.iterdir() if file.suffix.lower() in (".json", ".csv"))
        if not files:
            raise ConfigurationError(
                f"{self.path} holds no .json or .csv file.",
                hint="Put the frameworks there, or correct path in the settings of this connection.",
                code="case.no-files",
            )
        return files

    def _read(self, file: Path) -> CasePackages:
        if file.stat().st_size > self.settings["max_megabytes"] * _BYTES:
            raise DataError(
                f"The file is larger than {self.settings['max_megabytes']} MB.",
                hint="Split it, or raise max_megabytes in the settings of this connection.",
                code="case.too-large",
                place=Place(file.name),
            )
        content = file.read_bytes()
        return self._read_csv(file, content) if file.suffix.lower() == ".csv" else _read_json(file, content)

    def _read_csv(self, file: Path, content: bytes) -> CasePackages:
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        try:
            text = content.decode("utf-16" if utf16 else "utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(
                "The file is not text as UTF-8.",
                hint="Save it as UTF-8; spreadsheet programs call it CSV UTF-8.",
                code="case.encoding",
                place=Place(file.name, None if utf16 else line),
            ) from error
        title = self.settings["framework_title"] or file.stem
        return read_opensalt_csv(text, source=file.name, title=title, framework_id=self.settings["framework_id"])


def _read_json(file: Path, content: bytes) -> CasePackages:
    try:
        data = decode_page(content, _ANYTHING, source=file.name)
    except IncompletePullError as error:
        raise DataError(
            error.message.replace("The answer", "The file", 1),
            hint="Have the framework exported again as a CASE package.",
            code="case.not-json",
            place=error.place,
        ) from error
    return read_packages(data, source=file.name)
