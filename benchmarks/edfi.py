"""How fast the gateway talks to an Ed-Fi host, and that nothing is lost; lightbeam beside it in the same run.

    python -m benchmarks.edfi                                   # all of it
    python -m benchmarks.edfi send lightbeam --records 5000     # some of it
    python -m benchmarks.edfi pull --students 5000 --version 6.1

``send``: the connector alone brings the records to the host. ``lightbeam``: its ``send`` with the same bodies.
``push``: a night with new scores only, from the records to the last answer: digests, plan, ledger, sending, reading a
sample back; then the next night, when nothing has changed (``edfi rerun``), measured in the same way. ``throttled``: a
night, and lightbeam, with every tenth POST answered 429. ``pull``: all streams. ``memory``: the largest resident sets
of a pull, of a plan, and after the push, of a tenth of the rows and of all.

The fake host runs in a process of its own and shares the processors with what is measured, which has a process of its
own too. Prints a line of JSON for each.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.edfi_host import NAMESPACE, SPAWN, district, entries, host, night, peak_mb, results
from benchmarks.measure import print_line
from benchmarks.measure import run as run_command
from gateway.core.exchange import Action, Change, Source, Target
from gateway.settings import open_connection

BARS = {"send": 1000, "push": 1000, "throttled": 0, "rerun": 2.0, "pull": 5000}
"""Records a second, lost records, seconds, rows a second."""
_FEW = 2_000
LIGHTBEAM = """\
state_dir: ./state
data_dir: ./data
edfi_api: {{base_url: "{host.address}", version: 3, mode: shared_instance, client_id: "{host.key}",
  client_secret: "{host.secret}"}}
connection: {{pool_size: 8, timeout: 60, num_retries: 10, backoff_factor: 1.5,
  retry_statuses: [429, 500, 501, 503, 504], verify_ssl: false}}
"""


def send(options: argparse.Namespace) -> None:
    print_line("edfi send", bar=BARS["send"], **_alone(_send, options.records))


def push(options: argparse.Namespace) -> None:
    figures = _alone(_push, options.records, False, True)
    print_line("edfi push", bar=BARS["push"], **figures.pop("first"))
    print_line("edfi rerun", bar=BARS["rerun"], **figures.pop("again"))


def throttled(options: argparse.Namespace) -> None:
    figures = _alone(_push, min(options.records, _FEW), True, False)["first"]
    print_line("edfi push with 429", bar=BARS["throttled"], **figures)
    print_line("edfi lightbeam with 429", **_lightbeam(min(options.records, _FEW), throttled=True))


def lightbeam(options: argparse.Namespace) -> None:
    print_line("edfi lightbeam", **_lightbeam(options.records, throttled=False))


def pull(options: argparse.Namespace) -> None:
    figures = _alone(_pull, options.version, options.students)
    print_line("edfi pull", bar=BARS["pull"], version=options.version, **figures)


def memory(options: argparse.Namespace) -> None:
    """The largest resident sets, of a tenth of the rows and of all."""
    students, records = options.students, options.records
    pulls = [_alone(_pull, options.version, many) for many in (students // 10, students)]
    pushes = [_alone(_push, many, False, False)["first"] for many in (records // 10, records)]
    print_line(
        "edfi memory",
        pull={f"{each['rows']} rows": each["peak_mb"] for each in pulls},
        plan={f"{each['records']} records": each["planned_mb"] for each in pushes},
        push={f"{each['records']} records": each["peak_mb"] for each in pushes},
    )


def _send(count: int) -> dict[str, Any]:
    with host() as to, TemporaryDirectory() as folder:
        of = district(Path(folder), to)
        night(of, {"line_items": entries(count)})
        target = open_connection(of, "ods", now=lambda: datetime.now(UTC))
        assert isinstance(target, Target)
        rows = results(count).iter_rows(named=True)
        changes = [Change("results", row["id"], Action.CREATE, row["id"], row) for row in rows]
        measured, states = _measured(lambda: Counter(outcome.state.value for outcome in target.push(changes)))
        lost = count - to.told()["there"]
    return {"records": count, **states, "lost": lost, **measured,
            "records_per_second": round(count / measured["wall_s"])}  # fmt: skip


def _push(count: int, throttled: bool, twice: bool) -> dict[str, Any]:
    """A night with new scores, and if asked for one without any difference."""
    with host(throttled=throttled) as to, TemporaryDirectory() as folder:
        of = district(Path(folder), to)
        night(of, {"line_items": entries(count)})
        before = to.told()["writes"]
        tables = {"line_items": entries(count), "results": results(count)}
        measured, report = _measured(lambda: night(of, tables))
        told = to.told()
        first = {
            "records": count, "accepted": report["push"]["accepted"], "lost": count - told["there"],
            "writes": told["writes"] - before, "most_effects_each": told["most"], **measured,
            "planned_mb": report["planned_mb"],
            "records_per_second": round(count / measured["wall_s"]),
        }  # fmt: skip
        if not twice:
            return {"first": first}
        measured, report = _measured(lambda: night(of, tables))
        again = {
            "records": count,
            "accepted": report["push"]["accepted"],
            "writes": to.told()["writes"] - told["writes"],
        }
        return {"first": first, "again": {**again, **measured}}


def _measured(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}, result


def _lightbeam(count: int, *, throttled: bool) -> dict[str, Any]:
    """The same bodies through lightbeam's ``send``, from an environment of its own."""
    from tests.testing.edfi_peer_environment import peer_programs

    program = peer_programs() / "lightbeam"
    with host(throttled=throttled) as to, TemporaryDirectory() as name:
        folder = Path(name)
        night(district(folder, to), {"line_items": entries(count)})
        (folder / "data").mkdir(exist_ok=True)
        with (folder / "data" / "studentGradebookEntries.jsonl").open("w", encoding="utf-8") as stream:
            for row in results(count).iter_rows(named=True):
                stream.write(f"{json.dumps(_body(row))}\n")
        (folder / "lightbeam.yaml").write_text(LIGHTBEAM.format(host=to), encoding="utf-8")
        cost = run_command([program, "send", "-c", "lightbeam.yaml"], cwd=folder, environment={"HOME": name})
        lost = count - to.told()["there"]
    return {
        "records": count, "exit_code": cost.exit_code, "lost": lost, "wall_s": cost.wall_s, "cpu_s": cost.cpu_s,
        "peak_mb": cost.peak_mb, "records_per_second": round((count - lost) / cost.wall_s),
    }  # fmt: skip


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "gradebookEntryReference": {"gradebookEntryIdentifier": row["line_item_id"], "namespace": NAMESPACE},
        "studentReference": {"studentUniqueId": row["student_id"]},
        "numericGradeEarned": float(row["score"]), "letterGradeEarned": row["text_score"],
        "competencyLevelDescriptor": f"uri://ed-fi.org/CompetencyLevelDescriptor#{row['text_score']}",
        "dateFulfilled": row["score_date"].isoformat(),
    }  # fmt: skip


def _pull(version: str, students: int) -> dict[str, Any]:
    """All streams of a host with so many students."""
    with host(version, students=students) as to, TemporaryDirectory() as folder:
        source = open_connection(district(Path(folder), to), "ods", now=lambda: datetime.now(UTC))
        assert isinstance(source, Source)
        measured, rows = _measured(lambda: _rows(source))
    return {"students": students, "rows": rows, **measured, "rows_per_second": round(rows / measured["wall_s"])}


def _rows(source: Source) -> int:
    """How many canonical rows come; none is kept."""
    pages = (page for stream in source.streams(None) for page in source.pull(stream, since=None, resume=None))
    return sum(frame.height for page in pages for frame in page.frames.values())


def _alone(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What ``work`` returns in a process of its own, with the largest resident set of that process."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_in_process, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    figures: dict[str, Any] = ours.recv()
    process.join()
    return figures


def _in_process(pipe: Any, work: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> None:
    figures = work(*arguments)
    peak = peak_mb()
    pipe.send({name: {**each, "peak_mb": peak} for name, each in figures.items()} if "first" in figures
              else {**figures, "peak_mb": peak})  # fmt: skip


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "send": send, "lightbeam": lightbeam, "push": push, "throttled": throttled, "pull": pull, "memory": memory,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure (all)")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--students", type=int, default=20_000, help="of the pull")
    parser.add_argument("--version", default="7.3", help="of the host that is pulled from")
    options = parser.parse_args()
    for name in options.parts or PARTS:
        PARTS[name](options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
