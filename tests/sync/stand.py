"""A small district to run syncs on: a sample bundle, a mapping, settings, and a fake learning platform."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.sample import CLEAN, write_sample_district
from gateway.settings import District, database_url, load_district
from gateway.store import Store, open_store
from gateway.sync import RunReport, run_sync
from gateway.testing.fake_auth import Gate
from gateway.testing.fake_oneroster import FakeOneRoster

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "mappings"
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)

SETTINGS = """\
district: lakeside
name: Lakeside
time_zone: America/New_York
connections:
  sis:
    connector: oneroster_csv
    settings: {{path: sis/oneroster}}
  lms:
    connector: oneroster
    settings:
      base_url: {address}
      auth:
        type: oauth2
        token_url: {address}/token
        client_id: ${{file:client-id}}
        client_secret: ${{file:client-secret}}
syncs:
  nightly:
    source: sis
    mapping: mappings/schools/lakeside.yaml
    target: lms
    schedule: "30 1 * * *"
"""


def write_sample(folder: Path, *, results_per_student: int = 20) -> None:
    """The bundle that the tests of this folder share: 100 students, no mess."""
    write_sample_district(folder, students=100, seed=7, mess=CLEAN, results_per_student=results_per_student)


def write_district(folder: Path, sample: Path, *, address: str, settings: str = SETTINGS) -> Path:
    """A district's folder around a copy of the sample; returns its file."""
    shutil.copytree(sample, folder / "sis")
    shutil.copytree(MAPPINGS, folder / "mappings")
    for name, text in (("client-id", "key"), ("client-secret", "s3cret-of-the-platform")):
        (folder / name).write_text(text, encoding="utf-8")
    file = folder / "gateway.yaml"
    file.write_text(settings.format(address=address), encoding="utf-8")
    return file


def make_platform(sample: Path) -> FakeOneRoster:
    """A learning platform that knows the sample's users, classes and sessions and has an empty gradebook."""
    files = {"users": "users.csv", "classes": "classes.csv", "academicSessions": "academicSessions.csv"}
    records = {name: list(_known(sample / "oneroster" / file)) for name, file in files.items()}
    return FakeOneRoster(records, gate=Gate(key="key", secret="s3cret-of-the-platform"))


def _known(file: Path) -> Iterator[dict[str, object]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from ({"sourcedId": row["sourcedId"], "status": "active"} for row in csv.DictReader(stream))


def held(platform: FakeOneRoster) -> dict[str, object]:
    """What the platform's gradebook holds, without when it came and at which address it stands."""
    return {name: _content(platform.active(name)) for name in ("categories", "scoreScales", "lineItems", "results")}


def _content(value: object) -> object:
    if isinstance(value, dict):
        return {key: _content(part) for key, part in value.items() if key not in ("dateLastModified", "href")}
    return [_content(part) for part in value] if isinstance(value, list) else value


@dataclass
class Nights:
    """A district whose nights can be run one after the other, in process, against a fake platform."""

    file: Path
    platform: FakeOneRoster | None = None
    time: datetime = NOON

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def bundle(self) -> Path:
        return self.folder / "sis" / "oneroster"

    @property
    def district(self) -> District:
        return load_district(self.file)

    def now(self) -> datetime:
        return self.time

    def open(self) -> Store:
        return open_store(database_url(self.district))

    def run(self, **options: object) -> RunReport:
        """One run, a day after the last one."""
        self.time += timedelta(days=1)
        store = self.open()
        adapters = self.platform.adapters if self.platform else {}
        try:
            return run_sync(self.district, None, store=store, now=self.now, adapters=adapters, **options)  # type: ignore[arg-type]
        finally:
            store.close()

    def edit(self, name: str, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
        """Change the rows of one file of the bundle."""
        path = self.bundle / name
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            rows, header = change(list(reader)), list(reader.fieldnames or ())
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, header)
            writer.writeheader()
            writer.writerows(rows)

    def replace(self, old: str, new: str) -> None:
        """Change the district's file."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")


def without(**wanted: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    """Leave out the rows in which a column has a value."""
    return lambda rows: [row for row in rows if not all(row[k] == v for k, v in wanted.items())]


def setting(where: Mapping[str, str], **values: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    """Set values in the rows in which columns have values."""
    return lambda rows: [{**r, **values} if all(r[k] == v for k, v in where.items()) else r for r in rows]
