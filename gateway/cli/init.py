"""``init``: a starter folder for a district."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.invocation import DEFAULT_DISTRICT, Invocation
from gateway.core.errors import ConfigurationError, raise_problems
from gateway.shipped import shipped

FOLDERS = ("incoming", "outgoing", "secrets")
MAPPINGS = ("schools/lakeside.yaml", "frameworks/lakeside.json", "crosswalks/lakeside.csv")
"""The mapping of the sample district, to start from."""


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--id", "district_id", help="The district's id: small letters, digits, - and _.")
@click.option("--name", help="The district's name for people.")
@click.option("--time-zone", help="The district's time zone, such as America/New_York.")
@click.pass_obj
def init(invocation: Invocation, folder: Path, district_id: str | None, name: str | None, time_zone: str | None) -> int:
    """Write a starter folder for a district into FOLDER (default: here): settings, a mapping, a framework.

    Nothing that exists is overwritten.
    """
    text = (shipped("config") / "starter" / DEFAULT_DISTRICT).read_text(encoding="utf-8")
    for starter, wanted in (
        ("my-district", district_id),
        ("My School District", name),
        ("America/New_York", time_zone),
    ):
        text = text.replace(starter, starter if wanted is None else json.dumps(wanted, ensure_ascii=False), 1)
    _check(text, folder / DEFAULT_DISTRICT)
    written = _write(folder, text)
    lines = [f"Wrote {path}" for path in written]
    place = "" if folder == Path() else f"cd {folder}, then "
    lines += [
        "Next:",
        f"  {place}put the files of a OneRoster CSV export into incoming/ (for a zip: path: incoming/*.zip)",
        "  mastery-gateway check       # the files you edit",
        "  mastery-gateway sync --dry-run",
    ]
    invocation.answer({"written": [str(path) for path in written]}, lines)
    return 0


def _check(text: str, path: Path) -> None:
    """Refuse what ``check`` would refuse before anything is written."""
    from gateway.core.validation import validate
    from gateway.settings.schema import DistrictSchema
    from gateway.transport.yaml_file import parse_document

    raise_problems(validate(DistrictSchema(), parse_document(text, str(path)))[1])


def _write(folder: Path, text: str) -> list[Path]:
    """All files of the starter folder; none if one of them exists."""
    copies = {folder / "mappings" / name: shipped("mappings") / name for name in MAPPINGS}
    settings, ignored = folder / DEFAULT_DISTRICT, folder / ".gitignore"
    for path in (settings, *copies):
        if path.exists():
            raise ConfigurationError(
                f"{path} exists already.", hint="Name another folder, or remove it first.", code="init.exists"
            )
    for each in FOLDERS:
        (folder / each).mkdir(parents=True, exist_ok=True)
    (folder / "secrets").chmod(0o700)
    for path, source in copies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    settings.write_text(text, encoding="utf-8")
    if not ignored.exists():
        ignored.write_text("data/\nincoming/\noutgoing/\nsecrets/\n", encoding="utf-8")
    return [settings, *copies]
