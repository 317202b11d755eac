"""What a run tells: one object for the exit code, for ``--json``, and as plain lines for the morning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.errors import EXIT_ERROR, EXIT_HELD, EXIT_OK, EXIT_WARNINGS
from gateway.store.runs import Run, RunState
from gateway.transport.atomic import atomic_file

_WORDS = {
    RunState.DONE: "done",
    RunState.HELD: "held: a person has to decide",
    RunState.PLANNED: "planned, nothing pushed yet",
    RunState.PULLED: "pulled and checked",
    RunState.INCOMPLETE: "incomplete: nothing was deleted, the next run goes on here",
    RunState.STOPPED: "stopped: the next run goes on here",
    RunState.FAILED: "failed",
    RunState.RUNNING: "running",
    RunState.DISCARDED: "discarded",
    RunState.SUPERSEDED: "given way to a newer run",
    RunState.ABANDONED: "abandoned",
}


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run with everything that it counted. ``folder`` is where its files are."""

    run: Run
    folder: Path

    @property
    def state(self) -> RunState:
        return self.run.state

    def _part(self, name: str) -> Mapping[str, Any]:
        part = self.run.report.get(name)
        return part if isinstance(part, dict) else {}

    @property
    def quarantined(self) -> int:
        """Records in quarantine."""
        return sum(table["quarantined"] for table in self._part("check").get("tables", {}).values())

    @property
    def unmatched(self) -> int:
        """Scores that matched no competency or no level."""
        return int(self._part("map").get("unmatched", 0))

    @property
    def refused(self) -> int:
        """Records that the target refused or that could not be sent."""
        return sum(self._part("push").get(name, 0) for name in ("rejected", "failed"))

    @property
    def warnings(self) -> list[str]:
        """Deviations that were tolerated, as sentences."""
        return [w for name in ("pull", "check", "map", "verify") for w in self._part(name).get("warnings", ())]

    @property
    def exit_code(self) -> int:
        if self.state is RunState.HELD:
            return EXIT_HELD
        if self.state not in (RunState.DONE, RunState.PLANNED, RunState.PULLED):
            return EXIT_ERROR
        troubled = self.quarantined or self.unmatched or self.refused or self._part("verify").get("warnings")
        return EXIT_WARNINGS if troubled else EXIT_OK

    def as_dict(self) -> dict[str, Any]:
        run = self.run
        return {
            "run": run.run_id,
            "sync": run.sync,
            "state": run.state.value,
            "step": run.step.value,
            "run_key": run.run_key,
            "started_at": run.started_at.isoformat(),
            "ended_at": run.ended_at.isoformat() if run.ended_at else None,
            "plan_id": run.plan_id,
            "folder": str(self.folder),
            "exit_code": self.exit_code,
            "quarantined": self.quarantined,
            "unmatched": self.unmatched,
            "refused": self.refused,
            **run.report,
        }

    def lines(self) -> list[str]:
        """The report as a person reads it in the morning."""
        head = f"Run {self.run.run_id} of {self.run.sync}: {_WORDS[self.state]}."
        parts = [self._problem(), self._pull(), self._check(), self._map(), self._plan(), self._push(), self._tail()]
        return [head, *(line for part in parts for line in part)]

    def _problem(self) -> list[str]:
        problem = self._part("problem")
        return [f"  {problem['message']}", f"  {problem['hint']}"] if problem else []

    def _pull(self) -> list[str]:
        streams = self._part("pull").get("streams", {})
        if not streams:
            return []
        total = sum(stream["rows"] for stream in streams.values())
        told = ", ".join(f"{name} {stream['rows']:,}" for name, stream in streams.items() if stream["rows"])
        lines = [f"  Pulled       {total:,} rows: {told}"]
        deltas = [name for name, stream in streams.items() if stream["mode"] == "delta"]
        return [*lines, f"               changes only: {', '.join(deltas)}"] if deltas else lines

    def _check(self) -> list[str]:
        check = self._part("check")
        tables = check.get("tables", {})
        if not tables:
            return []
        total = {n: sum(t[n] for t in tables.values()) for n in ("added", "updated", "gone", "quarantined")}
        lines = [f"  Checked      {total['added']:,} new, {total['updated']:,} changed, {total['gone']:,} missing"]
        if total["quarantined"]:
            where = ", ".join(f"{n} {t['quarantined']:,}" for n, t in tables.items() if t["quarantined"])
            lines.append(f"  Quarantined  {total['quarantined']:,} records: {where}")
        warnings = check.get("warnings", ())
        tolerated = sum(check.get("notes", {}).values())
        if tolerated or warnings or self._part("pull").get("warnings"):
            count = len(warnings) + len(self._part("pull").get("warnings", ()))
            lines.append(
                f"  Tolerated    {tolerated:,} values and {count:,} oddities of the files, listed in the report"
            )
        return lines

    def _map(self) -> list[str]:
        found = self._part("map")
        if not found:
            return []
        lines = [
            f"  Mapped       {found['levels']:,} levels of {found['students']:,} students"
            f" by {found['mapping']} {found['version']}"
        ]
        if found["unmatched"]:
            lines.append(f"  Unmatched    {found['unmatched']:,} scores, listed in map/unmatched.parquet")
        return lines

    def _plan(self) -> list[str]:
        plan = self._part("plan")
        if not plan:
            return []
        total: dict[str, int] = {}
        for actions in plan["counts"].values():
            for action, count in actions.items():
                total[action] = total.get(action, 0) + count
        told = ", ".join(f"{total.get(action, 0):,} to {action}" for action in ("create", "update", "inactivate"))
        lines = [f"  Planned      {told}, {total.get('keep', 0):,} unchanged"]
        if self.state is not RunState.HELD:
            return lines
        for reason in plan["reasons"]:
            lines += [f"  Held back    {reason['message']}", f"               {reason['hint']}"]
        approve = f"mastery-gateway approve {self.run.plan_id} --by NAME --reason TEXT"
        return [
            *lines,
            f"  Decide       {approve}",
            "               add --decision discard, or additions-and-updates, or approve (once)",
        ]

    def _push(self) -> list[str]:
        push = self._part("push")
        if not push:
            return []
        lines = [f"  Pushed       {push['accepted']:,} accepted by {push['target']}"]
        if push["rejected"] or push["failed"]:
            lines.append(f"  Refused      {push['rejected']:,} for good, {push['failed']:,} for now")
        lines += [f"               {f['records']:,} {f['entity']}: {f['message']}" for f in push.get("failures", ())]
        verify = self._part("verify")
        if verify.get("read"):
            told = "all as sent" if not verify["warnings"] else "; ".join(verify["warnings"])
            lines.append(f"  Read back    {verify['read']:,} records: {told}")
        return lines

    def _tail(self) -> list[str]:
        lines = [f"  Where        {self.folder}"]
        following = []
        if self.state is RunState.PLANNED:
            following.append(f"mastery-gateway apply {self.run.run_id}")
        if self.quarantined:
            following.append("mastery-gateway quarantine list")
        return lines + [f"  {'' if n else 'Next':<12} {command}" for n, command in enumerate(following)]


def write_report(report: RunReport) -> None:
    """``report.json`` and ``report.txt`` in the run's folder, if the disk lets us; the database has the report too."""
    for name, text in (
        ("report.json", json.dumps(report.as_dict(), indent=1, default=str)),
        ("report.txt", "\n".join([*report.lines(), *(f"  Note         {w}" for w in report.warnings), ""])),
    ):
        with suppress(OSError), atomic_file(report.folder / name) as file:
            file.write(text.encode())
