"""``demo``: the whole nightly job on a made-up district, twice, against a fake learning platform on this machine."""

from __future__ import annotations

import csv
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.invocation import DEFAULT_DISTRICT, Invocation, now
from gateway.cli.progress import Progress, shown_progress
from gateway.core.errors import EXIT_WARNINGS, ConfigurationError
from gateway.shipped import shipped

if TYPE_CHECKING:
    from gateway.settings import District
    from gateway.sync import RunReport
    from gateway.testing.fake_oneroster import FakeOneRoster

MARK = ".mastery-gateway-demo"
SEED = 20260901
SETTINGS = """\
# The demo district, written by `mastery-gateway demo`. Its learning platform lives only while the demo runs.
district: lakeside-demo
name: Lakeside Demo District
time_zone: America/New_York

connections:
  sis:
    connector: oneroster_csv
    settings:
      path: sis/oneroster
  lms:
    connector: oneroster
    settings:
      base_url: {address}
      auth:
        type: oauth2
        token_url: {address}/token
        client_id: ${{file:secrets/lms-client-id}}
        client_secret: ${{file:secrets/lms-client-secret}}

syncs:
  nightly:
    source: sis
    mapping: mappings/schools/lakeside.yaml
    target: lms
    schedule: "30 1 * * mon-fri"
"""


@click.command(cls=Command)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The folder; an earlier demo in it is replaced.",
)
@click.option(
    "--students", type=click.IntRange(100, 100_000), default=300, show_default=True, help="How many students."
)
@click.pass_obj
def demo(invocation: Invocation, out: Path, students: int) -> int:
    """Run the whole nightly job on a made-up district, twice, and say what happened and where to look.

    Writes a student information system's export, serves a fake learning platform on this machine, and syncs from one
    to the other. Everything stays in the folder to be looked at.
    """
    with shown_progress() as progress:
        _write_district(out, students, progress)
        with _learning_platform(out) as (platform, address):
            district = _write_settings(invocation, out, platform, address)
            nights = [_night(invocation, district, progress, number) for number in (1, 2)]
        held = _write_platform(out, platform)
    told = {"folder": str(out), "nights": [night.as_dict() for night in nights], "at_the_platform": held}
    invocation.answer(told, _summary(out, students, nights, held))
    return max(0 if night.exit_code == EXIT_WARNINGS else night.exit_code for night in nights)


def _write_district(out: Path, students: int, progress: Progress) -> None:
    from gateway.sample import write_sample_district

    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise ConfigurationError(
            f"The folder {out} holds something else than a demo.",
            hint="Name another one with --out.",
            code="demo.folder",
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARK).touch()
    write_sample_district(
        out / "sis", seed=SEED, students=students, progress=lambda done, total: progress("write students", done, total)
    )
    shutil.copytree(shipped("mappings"), out / "mappings")


@contextmanager
def _learning_platform(out: Path) -> Iterator[tuple[FakeOneRoster, str]]:
    """A OneRoster 1.2 provider that knows the district's users and classes and has an empty gradebook."""
    from gateway.testing.fake_auth import Gate
    from gateway.testing.fake_oneroster import FakeOneRoster
    from gateway.testing.wsgi import serve

    files = {"users": "users.csv", "classes": "classes.csv", "academicSessions": "academicSessions.csv"}
    records = {name: list(_known(out / "sis" / "oneroster" / file)) for name, file in files.items()}
    gate = Gate(key="demo", secret=secrets.token_urlsafe(24))
    platform = FakeOneRoster(records, gate=gate, now=now)
    with serve(platform) as address:
        yield platform, address


def _known(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {"sourcedId": row["sourcedId"], "status": "active"}


def _write_settings(invocation: Invocation, out: Path, platform: FakeOneRoster, address: str) -> District:
    from gateway.settings import load_district

    folder = out / "secrets"
    folder.mkdir(mode=0o700)
    for name, secret in (("lms-client-id", platform.gate.key), ("lms-client-secret", platform.gate.secret)):
        (folder / name).write_text(secret + "\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    (out / DEFAULT_DISTRICT).write_text(SETTINGS.format(address=address), encoding="utf-8")
    return load_district(out / DEFAULT_DISTRICT)


def _night(invocation: Invocation, district: District, progress: Progress, number: int) -> RunReport:
    from gateway.sync import run_sync

    with invocation.store(district) as store:
        return run_sync(
            district, None, store=store, now=now,
            progress=lambda step, done, total: progress(f"night {number}: {step}", done, total),
        )  # fmt: skip


def _write_platform(out: Path, platform: FakeOneRoster) -> dict[str, int]:
    """What the platform holds at the end, as JSON files; returns how many records of each kind."""
    folder = out / "lms"
    folder.mkdir()
    held: dict[str, int] = {}
    for name in ("categories", "lineItems", "results", "scoreScales"):
        records = list(platform.active(name).values())
        held[name] = len(records)
        (folder / f"{name}.json").write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return held


def _summary(out: Path, students: int, nights: list[RunReport], held: dict[str, int]) -> list[str]:
    first, second = nights
    here = f"--district {out / DEFAULT_DISTRICT}"
    told = ", ".join(f"{count:,} {name}" for name, count in held.items() if count)
    places = {
        "sis/oneroster": "what the student information system delivered",
        "mappings/schools/lakeside.yaml": "how scores became levels",
        f"data/runs/{first.run.run_id}": "every step of the first night, and report.txt",
        "lms": "what arrived at the learning platform",
    }
    return [
        f"A made-up district of {students:,} students, two nights.",
        "",
        "The first night",
        *first.lines(),
        "",
        "The second night, with nothing changed at the source",
        *second.lines(),
        "",
        f"The learning platform now holds {told}.",
        "",
        "Where to look",
        *(f"  {out / place!s:<48}{what}" for place, what in places.items()),
        "",
        "What to try",
        f"  mastery-gateway {here} quarantine list",
        f"  mastery-gateway {here} runs show",
        f"  mastery-gateway {here} map apply {out}/mappings/schools/lakeside.yaml --out {out}/tables",
    ]
