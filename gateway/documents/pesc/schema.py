"""Validates a transcript against the published schema, where somebody has it: PESC's files are not shipped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from lxml import etree

from gateway.core.errors import ConfigurationError, DataError
from gateway.documents.pesc.order import NAMESPACE
from gateway.documents.pesc.write import parser

_MOST = 20


@lru_cache(maxsize=4)
def load_schema(folder: Path) -> etree.XMLSchema:
    """The schema of version 1.5.0 in ``folder``, with those that it imports beside it.

    Raises :class:`ConfigurationError` (``pesc.schema``).
    """
    for path in sorted(folder.glob("*.xsd")):
        try:
            tree = etree.parse(path, parser())
        except etree.XMLSyntaxError as error:
            raise _unusable(folder, f"{path.name} is no XML, line {error.lineno}") from error
        if tree.getroot().get("targetNamespace") == NAMESPACE:
            try:
                return etree.XMLSchema(tree)
            except etree.XMLSchemaParseError as error:
                raise _unusable(folder, f"{path.name} or what it imports does not compile") from error
    raise _unusable(folder, "no file declares HighSchoolTranscript v1.5.0")


def _unusable(folder: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The schema in {folder} cannot be used: {why}.",
        hint="Put HighSchoolTranscript v1.5.0 there, with its AcademicRecord and CoreMain, as PESC publishes them.",
        code="pesc.schema",
    )


def check_against(schema: etree.XMLSchema, content: bytes) -> None:
    """Raises :class:`DataError` (``pesc.invalid``) with lines and rules, never values, of what is not valid."""
    faults = schema_faults(schema, content)
    if faults:
        more = f" and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        raise DataError(
            f"The transcript is not valid against the schema: {'; '.join(faults[:_MOST])}{more}.",
            hint="Nothing was issued. Mend the data at fault, or check that the schema is the receiver's.",
            code="pesc.invalid",
        )


def schema_faults(schema: etree.XMLSchema, content: bytes) -> list[str]:
    """``line 12: Course/CourseTitle breaks SCHEMAV_CVC_MINLENGTH_VALID``, one for each fault."""
    document = etree.fromstring(content, parser())
    if schema.validate(document):
        return []
    entries: Iterable[Any] = cast(Any, schema.error_log)  # the stubs of lxml do not know that a log can be read
    return [
        f"line {entry.line}: {'/'.join((entry.path or '').split('/')[-2:])} breaks {entry.type_name}"
        for entry in entries
    ]
