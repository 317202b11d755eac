"""``/v1/mappings`` and ``/v1/mapping-lint``: mappings read, evidence mapped, levels explained, a mapping checked."""

from __future__ import annotations

from typing import Any

import polars as pl
from flask import Response
from marshmallow import fields, validate

from gateway.api import catalogue_schemas as shown
from gateway.api.access import caller, needs, note
from gateway.api.catalogue import NotInCatalogueError
from gateway.api.encoding import answer, rows
from gateway.api.openapi import Blueprint, StrictSchema
from gateway.api.problems import Problem, not_found
from gateway.api.roles import CATALOGUE, MAPPING
from gateway.api.rows import FLAG, NUMBER, SCORE, TEXT, TIME, Columns, Kind, Rows
from gateway.core.errors import ConfigurationError
from gateway.core.mapping import CompiledMapping, compile_mapping, explain, lint, run_examples
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from gateway.core.model import LINE
from gateway.mappings import named_files
from gateway.transport.yaml_file import parse_document

blueprint = Blueprint("mappings", __name__, url_prefix="/v1", description="Evidence to levels.")

_KINDS: dict[str, Kind] = {
    "score": SCORE, "scored_at": TIME, "assigned_at": TIME, "due_at": TIME, "max_score": NUMBER, "min_score": NUMBER,
    "score_scale_value": NUMBER, "late": FLAG, "missing": FLAG, "incomplete": FLAG, "in_progress": FLAG,
}  # fmt: skip
EVIDENCE = Columns(
    "Evidence",
    {name: _KINDS.get(name, TEXT) for name in EVIDENCE_COLUMNS},
    ("student_id", "scored_at"),
    {
        "student_id": "Whose result; any id of yours.",
        "score": "A number or a mark, as the mapping's scales read them.",
        "scored_at": "When it was scored: a date, or a time with its offset.",
        "standard": "A code of yours; the mapping's crosswalks know it.",
        "competency": "The code or the CASE identifier of the competency.",
        "max_score": "The maximum of the score.",
        "result_id": "The id of the result; breaks ties between results of one time.",
    },
    always=("score",),
)


MOST_SIGNS = 600_000
"""Of a mapping file in a body: however it is written there, the body is not too large."""


class ApplySchema(StrictSchema):
    version = fields.String(metadata={"description": "A version of the mapping; the latest one otherwise."})
    as_of = fields.Date(metadata={"description": "As of the end of this day (UTC); all evidence otherwise."})
    evidence = Rows(EVIDENCE, metadata={"description": "All results of the students in it, in any order."})


class ExplainSchema(ApplySchema):
    student_id = fields.String(required=True, validate=validate.Length(1, 255))
    competency = fields.String(validate=validate.Length(1, 255), metadata={"description": "One only: code or id."})


class LintSchema(StrictSchema):
    mapping = fields.String(
        required=True, validate=validate.Length(1, MOST_SIGNS), metadata={"description": "The mapping file: YAML."}
    )
    framework = fields.String(required=True, metadata={"description": "The identifier of a framework of the district."})
    crosswalks = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))),
        metadata={"description": "The tables that the mapping names, by the name in it: one object a row."},
    )


def found(name: str, version: str | None = None) -> CompiledMapping:
    """The caller's district's mapping of this name. Raises :class:`Problem` (``not-found``)."""
    try:
        return caller().site.catalogue.mapping(name, version)
    except NotInCatalogueError as error:
        raise not_found(str(error)) from None


@blueprint.get("/mappings")
@blueprint.response(200, shown.MappingListSchema)
@needs(CATALOGUE)
def list_mappings() -> Response:
    """All mappings of the district, with versions and digests."""
    return answer({"mappings": [shown.mapping_summary(each) for each in caller().site.catalogue.mappings.all()]})


@blueprint.get("/mappings/<string:name>")
@blueprint.arguments(shown.VersionSchema, location="query")
@blueprint.response(200, shown.MappingSchema)
@needs(CATALOGUE)
def read_mapping(query: dict[str, Any], name: str) -> Response:
    """One mapping: its scales, its framework, and the file itself."""
    return answer(shown.mapping_in_full(found(name, query.get("version"))))


@blueprint.post("/mappings/<string:name>/apply")
@blueprint.told(writes=False)
@blueprint.arguments(ApplySchema)
@blueprint.response(200, shown.MappedSchema)
@needs(MAPPING)
def apply_mapping(body: dict[str, Any], name: str) -> Response:
    """Levels, continuum and credits of up to 10,000 results; what found no competency stands in ``unmatched``."""
    mapping = found(name, body.get("version"))
    evidence: pl.DataFrame = body["evidence"]
    note("mapping.apply", subjects=evidence["student_id"].n_unique(), mapping=mapping.name, version=mapping.version)
    mapped = mapping.apply(evidence, as_of=body.get("as_of"))
    tables = {each: rows(getattr(mapped, each)) for each in ("levels", "continuum", "credits", "unmatched")}
    counts = {"evidence": mapped.evidence, "used": mapped.used, "set_aside": dict(mapped.set_aside)}
    return answer({"mapping": shown.identity(mapping), "counts": counts, **tables})


@blueprint.post("/mappings/<string:name>/explain")
@blueprint.told(writes=False)
@blueprint.arguments(ExplainSchema)
@blueprint.response(200, shown.ExplanationSchema)
@needs(MAPPING)
def explain_level(body: dict[str, Any], name: str) -> Response:
    """Why a student has the levels that the evidence gives: every score, its conversion, weight, formula, rounding."""
    mapping = found(name, body.get("version"))
    note("mapping.explain", subjects=1, mapping=mapping.name, version=mapping.version)
    told = explain(
        mapping, body["evidence"], body["student_id"], competency=body.get("competency"), as_of=body.get("as_of")
    )
    return answer({"explanation": told.as_dict(), "text": told.text()})


@blueprint.post("/mapping-lint")
@blueprint.told(writes=False)
@blueprint.arguments(LintSchema)
@blueprint.response(200, shown.LintResultSchema)
@needs(MAPPING)
def lint_mapping(body: dict[str, Any]) -> Response:
    """Check a mapping and run its examples; nothing is stored."""
    framework = caller().site.catalogue.frameworks().get(body["framework"])
    if framework is None:
        raise not_found("There is no framework of this identifier.")
    try:
        document = parse_document(body["mapping"], "mapping.yaml")
        named = {name for where, name in named_files(document) if where[0] != "framework"}
        given = body.get("crosswalks", {})
        absent = sorted(named - set(given))
        if absent:
            raise Problem("invalid", f"The mapping names tables that are not in the body: {', '.join(absent)[:500]}.",
                          hint="Send them under crosswalks.", code="mapping.missing-file")  # fmt: skip
        tables = {name: _table(given[name]) for name in named}
        mapping = compile_mapping(document, framework=framework, crosswalks=tables)
    except ConfigurationError as error:
        faults = [shown.fault(one) for one in error.problems or [error]]
        return answer({"ok": False, "problems": faults, "remarks": [], "failed_examples": []})
    failures = run_examples(mapping)
    return answer(
        {
            "ok": not failures,
            "problems": [],
            "remarks": [shown.remark(each) for each in lint(mapping)],
            "failed_examples": [shown.failure(each) for each in failures],
        }
    )


def _table(given: list[dict[str, str | None]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in given for name in row))
    frame = pl.DataFrame(
        {name: [row.get(name) for row in given] for name in names}, schema=dict.fromkeys(names, pl.String)
    )
    return frame.with_row_index(LINE, offset=2).with_columns(pl.col(LINE).cast(pl.Int64))
