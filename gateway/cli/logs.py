"""The log: one JSON object a line in the data folder, warnings on the terminal; never personal data.

Only the message of a record, its level, its logger and the fields named in :data:`FIELDS` are written. The text of an
unexpected exception may hold anything, so only its type and its code lines are logged, and those only where asked.
"""

from __future__ import annotations

import json
import logging
import tempfile
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from gateway.core.errors import code_lines

FIELDS = (
    "district", "sync", "run", "key", "state", "code", "method", "route", "status", "milliseconds", "client", "request",
)  # fmt: skip
_FILE_BYTES, _FILES = 5_000_000, 5


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1]:
            line["trace"] = "; ".join(code_lines(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """A line for people, with the same fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        facts = [f"{name}={getattr(record, name)}" for name in FIELDS if hasattr(record, name)]
        if record.exc_info and record.exc_info[1]:
            facts.append("; ".join(code_lines(record.exc_info[1])))
        return " ".join([f"{at:%Y-%m-%d %H:%M:%S}", record.getMessage(), *facts])


def log_to_terminal(*, level: int = logging.WARNING, lines_as_json: bool = False) -> None:
    """Warnings (or more) on standard error, as plain lines or as JSON."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(JsonLines() if lines_as_json else PlainLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    _quiet_libraries()


def log_into(folder: Path, *, debug: bool) -> Path | None:
    """Write the log into ``folder`` too; nothing is logged there if it cannot be written."""
    path = folder / "gateway.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in ("gateway", "connectors") if debug else ():
        logging.getLogger(name).setLevel(logging.DEBUG)
    _quiet_libraries()
    return path


def _quiet_libraries() -> None:
    """The timer warns whenever a run outlasts its interval, migrations and connections tell of each step; the web
    server names addresses, in which students' ids may stand, when an answer breaks off."""
    levels = {"apscheduler": logging.ERROR, "alembic": logging.WARNING, "urllib3": logging.WARNING,
              "waitress": logging.CRITICAL, "waitress.queue": logging.WARNING}  # fmt: skip
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def write_fault(error: BaseException, log_file: Path | None, *, debug: bool) -> Path:
    """Write an unexpected exception where a person can send it from; its text only if ``debug``."""
    lines = [f"{datetime.now(UTC).isoformat(timespec='seconds')} unexpected fault", *code_lines(error)]
    if debug:
        lines += ["".join(traceback.format_exception(error))]
    path = log_file.with_name("faults.log") if log_file else Path(tempfile.gettempdir()) / "mastery-gateway-faults.log"
    with path.open("a", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return path
