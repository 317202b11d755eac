"""What all reports share: their options, what they are made of, and how they are handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.invocation import Invocation, now

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.mapping import CompiledMapping

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def report_options(command: _Decorated) -> _Decorated:
    """``--evidence``, ``--mapping``, ``--sync``, ``--as-of`` and ``--out``."""
    for option in reversed(
        (
            click.option("--evidence", type=_FILE, help="A file of evidence, instead of the newest pull."),
            click.option("--mapping", type=_FILE, help="The mapping (default: the one of the sync)."),
            click.option(
                "--sync",
                "sync_name",
                metavar="NAME",
                help="The sync whose newest pull is used (default: the only one).",
            ),
            click.option(
                "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As of the end of this day (default: today)."
            ),
            click.option(
                "--out",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Write the report into this .csv, .parquet or .xlsx file.",
            ),
        )
    ):
        command = option(command)
    return command


minimum_option = click.option(
    "--minimum",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Hide numbers about fewer students than this.",
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The shared options of one call."""

    evidence: Path | None
    mapping: Path | None
    sync_name: str | None
    as_of: datetime | None
    out: Path | None

    @property
    def day(self) -> date | None:
        return self.as_of.date() if self.as_of else None

    def check(self) -> None:
        """Refuse what does not go together before anything is read."""
        from gateway.report_file import check_report_path

        if self.evidence is not None and self.mapping is None:
            raise click.UsageError("--evidence needs --mapping.")
        if self.out is not None:
            check_report_path(self.out)


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of: the mapping, the day, and evidence with its students, part by part.

    ``roster`` are all students of a pull. ``schools`` and ``classes`` give ids their titles, where they are known.
    """

    mapping: CompiledMapping
    as_of: date
    parts: Iterator[tuple[pl.DataFrame, pl.DataFrame]]
    made_of: str
    roster: pl.DataFrame
    schools: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def opened_material(invocation: Invocation, chosen: Chosen) -> Iterator[Material]:
    """The file of evidence that was named, or else the newest pull."""
    chosen.check()
    if chosen.evidence is not None and chosen.mapping is not None:
        with _from_file(chosen.evidence, chosen.mapping, chosen.day) as material:
            yield material
    else:
        yield _from_pull(invocation, chosen)


@contextmanager
def _from_file(evidence: Path, mapping: Path, day: date | None) -> Iterator[Material]:
    import polars as pl

    from gateway.core.reports.standing import students_of_evidence
    from gateway.evidence_file import open_evidence
    from gateway.mappings import load_mapping

    compiled = load_mapping(mapping)
    with open_evidence(evidence) as parts:
        told = ((part, students_of_evidence(part)) for part in parts)
        yield Material(compiled, day or now().astimezone(UTC).date(), told, evidence.name, pl.DataFrame())


def _from_pull(invocation: Invocation, chosen: Chosen) -> Material:
    from gateway.mappings import load_mapping
    from gateway.sync.frameworks import last_framework
    from gateway.sync.kept import newest_pull

    district = invocation.load()
    sync = district.sync(chosen.sync_name)
    with invocation.store(district) as store:
        pull = newest_pull(store, district, chosen.sync_name)
    compiled = load_mapping(chosen.mapping or sync.mapping, framework=last_framework(district, sync))
    today = now().astimezone(district.time_zone).date()
    return Material(
        compiled,
        chosen.day or today,
        pull.parts(),
        f"pull {pull.snapshot.id} of {sync.name}",
        pull.students,
        _titles(pull.tables, "orgs", "name"),
        _titles(pull.tables, "classes", "title"),
    )


def _titles(tables: Mapping[str, pl.DataFrame], table: str, column: str) -> dict[str, str]:
    return dict(tables[table].select("id", column).iter_rows()) if table in tables else {}


def with_titles(table: pl.DataFrame, material: Material, *names: str) -> pl.DataFrame:
    """``table`` with the titles of schools and classes behind the columns ``names`` that hold their ids, where titles
    are known: ``school`` behind ``school_id``, ``class`` behind ``class_id``."""
    import polars as pl

    titles = {**material.schools, **material.classes}
    columns: list[pl.Expr] = []
    for name in table.columns:
        columns.append(pl.col(name))
        if name in names and titles:
            title = pl.col(name).replace_strict(titles, default=None, return_dtype=pl.String)
            columns.append(title.alias(name.removesuffix("_id") if name.endswith("_id") else "title"))
    return table.select(columns)


def hand_out(
    invocation: Invocation,
    chosen: Chosen,
    tables: Mapping[str, pl.DataFrame],
    about: Mapping[str, str],
    lines: list[str],
) -> None:
    """Write the file, if one was named, and answer."""
    from gateway.report_file import write_report

    written = write_report(tables, about, chosen.out) if chosen.out else []
    data: dict[str, Any] = {"about": dict(about), "written": [str(path) for path in written]}
    if invocation.as_json:
        data |= {name: table.to_dicts() for name, table in tables.items()}
    invocation.answer(data, [*lines, *(f"Written to {path}" for path in written)])


def about_material(title: str, material: Material, **options: object) -> dict[str, str]:
    """What the reader must know of a report: of what, by which mapping, as of when, with which options."""
    mapping = material.mapping
    return {
        "report": title,
        "made of": material.made_of,
        "mapping": f"{mapping.name} {mapping.version}",
        "digest of the mapping": mapping.digest,
        "as of": str(material.as_of),
        **{name.replace("_", " "): str(value) for name, value in options.items() if value is not None},
    }
