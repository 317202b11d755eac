"""The tables of the page on the mapping, made of what the connector itself works by.

``python -m tests.connectors.edfi.reference`` writes them into ``docs/connectors/edfi-mapping.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from connectors.edfi.elements import ELEMENTS
from connectors.edfi.filling import CHANGED, Among, Filling, Listed, Rows, Word
from connectors.edfi.frameworks import FRAMEWORK_ROWS
from connectors.edfi.tables import DECLARED
from connectors.edfi.tables_levels import LEVELS
from connectors.edfi.versions import span

PAGE = Path(__file__).parents[3] / "docs" / "connectors" / "edfi-mapping.md"
BEGIN, END = "<!-- what is read: begin -->", "<!-- what is read: end -->"


def page_with_tables(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}{END}{after}"


def tables() -> str:
    """A table for each canonical table, a line for each column and resource."""
    declared = (*DECLARED, *LEVELS, *FRAMEWORK_ROWS)
    names = list(dict.fromkeys(rows.table for rows in declared))
    return "\n".join(_table(name, [rows for rows in declared if rows.table == name]) for name in names)


def _table(name: str, declared: list[Rows]) -> str:
    lines = [f"### {name}", "", "| column | Ed-Fi element | Data Standard |", "|---|---|---|"]
    for rows in declared:
        for column, filling in rows.columns.items():
            elements = list(dict.fromkeys(_elements(rows.resource, filling)))
            what = ", ".join(f"`{each}`" for each in elements) or _constant(filling)
            spans = [f"{_short(each, elements)} {_span(each)}" for each in elements if _span(each)]
            lines.append(f"| `{column}` | {what}{_how(column, filling)} | {', '.join(dict.fromkeys(spans))} |")
    return "\n".join([*lines, ""])


def _short(element: str, beside: list[str]) -> str:
    """The last part of an element; all of it where another beside it ends likewise."""
    last = element.rpartition(".")[2]
    alike = [each for each in beside if each.rpartition(".")[2] == last]
    return f"`{element if len(alike) > 1 else last}`"


def _elements(resource: str, filling: Filling) -> Iterator[str]:
    for name in _roots(filling):
        if name.startswith(("_", "framework_id", "type")) and name != CHANGED:
            continue
        yield name if name.split(".")[0] in ELEMENTS else f"{resource}.{name}"


def _roots(filling: Filling) -> list[str]:
    if isinstance(filling, pl.Expr):
        return filling.meta.root_names()
    return [filling if isinstance(filling, str) else filling.element]


def _how(column: str, filling: Filling) -> str:
    if isinstance(filling, Among):
        return f", whether it is the word `{filling.word}` (`words.{filling.kind}`)"
    if isinstance(filling, Word) or (isinstance(filling, Listed) and filling.kind):
        return f", as a word (`words.{filling.kind}`)"
    return ", as an id" if isinstance(filling, pl.Expr) and column.endswith("id") and _roots(filling) else ""


def _constant(filling: Filling) -> str:
    return f"always `{pl.select(filling).item()}`" if isinstance(filling, pl.Expr) else "worked out of several records"


def _span(element: str) -> str:
    """The versions of the element's member, or of the key that it is part of."""
    resource, *steps = element.split(".")
    owners = {"gradingPeriodReference": "gradingPeriods", "gradebookEntryReference": "gradebookEntries"}
    if steps and (owner := owners.get(steps[0].removesuffix("[]"))):
        resource, steps = owner, steps[1:]
    member = ".".join([resource, *(step.removesuffix("[]") for step in steps[:1])])
    return str(span(member)) or str(span(resource))


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
