"""``docs/gpa.md`` has every word of the policy language, every known word of course files, and every shipped policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from marshmallow import Schema, fields

from gateway.core.gpa.compute import COLUMNS, FURTHER, State
from gateway.core.gpa.language import COURSE_COLUMNS, ConditionSchema, MarkSchema, PolicySchema
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.students import FACTS
from gateway.core.gpa.trace import TRACE
from gateway.core.gpa.words import VOCABULARIES
from tests.core.gpa.builders import SHIPPED

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "gpa.md").read_text()


def words(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        yield field.data_key or name
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested) and not isinstance(inner.schema, ConditionSchema):
            yield from words(inner.schema)


LANGUAGE = sorted({*words(PolicySchema()), *words(MarkSchema()), *words(ConditionSchema())} - {"first", "last"})


@pytest.mark.parametrize("word", LANGUAGE)
def test_every_word_of_the_language_is_documented(word: str) -> None:
    assert word in PAGE


def test_every_column_fact_state_and_policy_is_documented() -> None:
    for name in (*COURSE_COLUMNS, *COLUMNS, *FURTHER, *TRACE, *FACTS, *State):
        assert f"`{name}`" in PAGE, name
    for path in SHIPPED.glob("*.yaml"):
        assert f"`{path.stem}`" in PAGE, path.stem


def test_every_word_of_course_files_is_documented() -> None:
    for vocabulary in VOCABULARIES.values():
        for word, others in vocabulary.items():
            assert (f"`{word}` ({', '.join(others)})" if others else f"`{word}`") in PAGE


def test_every_problem_is_documented_word_for_word() -> None:
    page = (DOCS / "errors.md").read_text()
    for problem in Problem:
        assert f"| `{problem.value}` | {problem.sentence} | {problem.hint} |" in page
