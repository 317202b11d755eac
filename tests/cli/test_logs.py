"""The log never holds what an unexpected error says."""

from __future__ import annotations

import json
import logging
import sys

from gateway.cli.logs import JsonLines


def record_of(error: BaseException | None, **fields: object) -> logging.LogRecord:
    try:
        if error is not None:
            raise error
        information = None
    except BaseException:
        information = sys.exc_info()
    record = logging.LogRecord("gateway.worker", logging.ERROR, __file__, 1, "A run of %s.", ("x",), information)
    record.__dict__.update(fields)
    return record


def test_a_line_is_json_with_known_fields_only() -> None:
    line = json.loads(JsonLines().format(record_of(None, sync="nightly", student="Ada")))
    assert line["message"] == "A run of x."
    assert (line["level"], line["logger"], line["sync"]) == ("error", "gateway.worker", "nightly")
    assert "student" not in line


def test_an_error_leaves_its_type_and_code_lines_and_not_its_text() -> None:
    line = JsonLines().format(record_of(ValueError("Ada Lovelace")))
    assert "ValueError at" in line
    assert "test_logs.py" in line
    assert "Ada" not in line
