"""The reasons of other systems, without what may be somebody's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.reason import LONGEST, error_reason


def minor(word: object) -> dict[str, object]:
    return {"imsx_codeMinorField": [{"imsx_codeMinorFieldName": "sourcedId", "imsx_codeMinorFieldValue": word}]}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"imsx_CodeMinor": minor("invaliddata"), "imsx_description": "Bad date"}, "invaliddata; Bad date"),
        ({"imsx_StatusInfo": {"imsx_codeMinor": minor("unknownobject")}}, "unknownobject"),
        ({"imsx_codeMinor": "invalid_data"}, "invalid_data"),
        ({"statusInfoSet": [{"imsx_description": "Not found"}]}, "Not found"),
        ({"title": "Conflict", "detail": "It exists already.", "status": 409}, "Conflict; It exists already."),
        (
            {"error": "invalid_scope", "error_description": "The scope is unknown"},
            "invalid_scope; The scope is unknown",
        ),
        ({"error": {"message": "No such class"}}, "No such class"),
        ({"errors": [{"detail": "Closed"}]}, "Closed"),
        ({"imsx_codeMinor": minor(7), "message": ["a"]}, ""),
        ({"message": "The grading window is closed for Emma Johnson (4711)"}, "The grading window is closed for …"),
        ({"message": "emma.johnson@lakeside.example is unknown"}, "… is unknown"),
        ({"message": "The score is above its maximum. Ask Emma."}, "The score is above its maximum. Ask …"),
        ({"message": "value brilliant for comment"}, "value … for comment"),
        ([], ""),
        ("no", ""),
        (None, ""),
    ],
)
def test_reasons_are_found_and_masked(document: object, reason: str) -> None:
    sent = b'{"comment": "brilliant", "score": 4}'
    assert error_reason(json.dumps(document).encode(), sent) == reason


@pytest.mark.parametrize(
    "body", [b"<html>Emma</html>", b"", b"[" * 9999, b"\xff", b'{"message": "' + b"x" * 70_000 + b'"}']
)
def test_what_is_no_document_gives_no_reason(body: bytes) -> None:
    assert error_reason(body) == ""


@given(st.dictionaries(st.sampled_from(["message", "title", "detail", "imsx_description"]), st.text(max_size=900)))
def test_reasons_are_short_and_on_one_line(document: dict[str, str]) -> None:
    reason = error_reason(json.dumps(document).encode())
    assert len(reason) <= LONGEST
    assert reason.isprintable()
    assert not any(sign.isdigit() or sign == "@" for sign in reason)


@given(st.lists(st.from_regex(r"[a-z]{3,12}", fullmatch=True), min_size=1, max_size=6))
def test_what_was_sent_does_not_come_back(words: list[str]) -> None:
    sent = json.dumps({"comment": " ".join(words)}).encode()
    reason = error_reason(json.dumps({"message": " - ".join(words)}).encode(), sent)
    assert not any(word in reason for word in words)
