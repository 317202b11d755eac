"""The mapping language: read, check, compile, apply, explain.

``compile_mapping`` turns a file into a :class:`CompiledMapping`; its ``apply`` turns evidence into levels, a learner
continuum and credits, and says what matched nothing. The same compiled mapping serves the nightly run, the API and a
cluster. The language itself is documented in ``docs/mapping.md``.
"""

from __future__ import annotations

from gateway.core.mapping.compiled import CompiledMapping
from gateway.core.mapping.compiler import compile_mapping
from gateway.core.mapping.coverage import Difference, coverage, diff
from gateway.core.mapping.examples import Example, Failure, check_examples, run_examples
from gateway.core.mapping.explain import Explanation, explain
from gateway.core.mapping.gather import gather_evidence
from gateway.core.mapping.json_schema import json_schema
from gateway.core.mapping.lint import Remark, lint
from gateway.core.mapping.result import Mapped, merge_mapped

__all__ = [
    "CompiledMapping",
    "Difference",
    "Example",
    "Explanation",
    "Failure",
    "Mapped",
    "Remark",
    "check_examples",
    "compile_mapping",
    "coverage",
    "diff",
    "explain",
    "gather_evidence",
    "json_schema",
    "lint",
    "merge_mapped",
    "run_examples",
]
