"""A sandbox district: written, filled with made-up students, pulled and mapped; and made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.core.errors import ConfigurationError, DataError, LockedError, raise_problems
from gateway.core.validation import validate
from gateway.settings import District
from gateway.settings.schema import DistrictSchema
from gateway.store import Store
from gateway.store.api_schema import api_replies, deliveries, inbox, jobs, webhooks
from gateway.store.runs import RunState
from gateway.transport.yaml_file import parse_document

if TYPE_CHECKING:
    from gateway.sync import RunReport

FEWEST, MOST = 100, 300
RESULTS_PER_STUDENT = 40
PLAN = "sandbox.json"
SETTINGS = """\
# A sandbox district, written by `mastery-gateway sandbox create`. Nobody in it is real.
district: {id}
name: Sandbox District
time_zone: America/New_York

api:
  inbox: true
  sandbox: true
  private_webhooks: {private_webhooks}

connections:
  sis:
    connector: oneroster_csv
    settings:
      path: sis/oneroster
  continuum:
    connector: oneroster_csv
    settings:
      path: outgoing
      mode: bulk

syncs:
  nightly:
    source: sis
    mapping: mappings/schools/lakeside.yaml
    target: continuum
    schedule: "30 1 * * mon-fri"
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sandbox district is made of."""

    seed: int
    students: int


def write_district(folder: Path, id: str, plan: Plan, mappings: Path, *, private_webhooks: bool = False) -> Path:
    """The files of a sandbox district in an empty folder; its settings' path. ``mappings``: those to copy.
    ``private_webhooks``: whether its webhooks may call private addresses.

    Raises :class:`ConfigurationError` (``sandbox.folder``, or for an id that cannot be one).
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            f"The folder {folder} is not empty.", hint="Name another one, or empty it first.", code="sandbox.folder"
        )
    path = folder / "gateway.yaml"
    text = SETTINGS.format(id=json.dumps(id), private_webhooks=json.dumps(private_webhooks))
    raise_problems(validate(DistrictSchema(), parse_document(text, str(path)))[1])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(mappings, folder / "mappings")
    (folder / PLAN).write_text(json.dumps(asdict(plan)) + "\n", encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return path


def plan_of(district: District) -> Plan:
    """Raises :class:`LockedError` (``sandbox.plan``) for a district that was not written as a sandbox: its data are
    somebody's own."""
    try:
        return Plan(**json.loads((district.folder / PLAN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise LockedError(
            "This district was not made by `mastery-gateway sandbox create`, and is left as it is.",
            hint="Make a sandbox of its own.",
            code="sandbox.plan",
        ) from None


def fill(district: District, store: Store, *, now: Callable[[], datetime]) -> RunReport:
    """Write the students anew, pull and map them.

    Raises :class:`DataError` (``sandbox.not-filled``) if the run does not end well.
    """
    from gateway.sample import CLEAN, write_sample_district  # 8 MB that no other server needs
    from gateway.sync import run_sync

    plan = plan_of(district)
    fresh, there = district.folder / "sis-new", district.folder / "sis"
    shutil.rmtree(fresh, ignore_errors=True)
    write_sample_district(
        fresh, seed=plan.seed, students=plan.students, results_per_student=RESULTS_PER_STUDENT, mess=CLEAN
    )
    shutil.rmtree(there, ignore_errors=True)
    fresh.rename(there)
    report = run_sync(district, None, store=store, now=now)
    if report.state is not RunState.DONE:
        raise DataError(
            f"The sandbox could not be filled: its run is {report.state}.",
            hint="See `mastery-gateway runs show`.",
            code="sandbox.not-filled",
        )
    return report


def empty(district: District, store: Store) -> dict[str, int]:
    """Remove what clients left: records of the inbox, jobs with their files, webhooks with their deliveries, and kept
    answers; how many of each."""
    tables = {"inbox": inbox, "jobs": jobs, "deliveries": deliveries, "webhooks": webhooks}
    with store.begin() as connection:
        removed = {
            name: int(connection.execute(sa.delete(table).where(table.c.district == district.id)).rowcount)
            for name, table in tables.items()
        }
        answered = (api_replies.c.district == district.id) & api_replies.c.status.is_not(None)
        connection.execute(sa.delete(api_replies).where(answered))
    return removed
