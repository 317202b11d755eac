"""The mapping beside its peers, on the same machine in one run: CPU seconds, wall time and peak memory of each.

    python -m benchmarks.mapping                                # all but earthmover and 50,000,000 rows
    python -m benchmarks.mapping --earthmover                   # with earthmover, installed into a folder of its own
    python -m benchmarks.mapping --rows 20000 --kernel-rows 20000     # a quick look
    python -m benchmarks.mapping --kernel-rows 1000000 10000000 50000000 --rows

*task*: scores of a CSV file as one line of JSON for each student and competency (earthmover's trade). *kernel*:
conversion, evidence rules, decaying average and power law, roll-up, continuum, from Parquet parts to Parquet parts,
beside the floor: reading the same parts and grouping them by two keys. *call*: 100 scores, as an API call brings them.
What the programs write is compared line by line. One JSON line a measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks import mapping_data as data
from benchmarks.mapping_peers import EARTHMOVER, write_earthmover, write_tables
from benchmarks.measure import Cost, print_line, run

HERE = Path(__file__).resolve().parent
PROGRAM = Path(sys.executable).parent / "mastery-gateway"
OUTPUT = {"student_id": pl.String, "competency": pl.String, "n": pl.Int64, "mean": pl.Float64, "points": pl.Float64,
          "letter": pl.String, "date": pl.String}  # fmt: skip


def main() -> int:
    arguments = _arguments()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="gateway-mapping-"))
    try:
        return Benchmark(folder, arguments).run()
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 5_000_000], help="sizes of the task")
    parser.add_argument("--kernel-rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--earthmover", action="store_true", help="measure earthmover too, up to --default-up-to rows")
    parser.add_argument("--default-up-to", type=int, default=1_000_000, help="above that, earthmover only tuned")
    parser.add_argument("--peers", type=Path, help="a virtual environment that has earthmover (and so pandas) already")
    parser.add_argument("--repeat", type=int, default=1, help="run each of ours so often; the least CPU counts")
    parser.add_argument("--folder", type=Path, help="where to work, and to leave what was written")
    return parser.parse_args()


class Benchmark:
    """One run in one folder."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self.folder = folder.resolve()
        self.arguments = arguments
        self.mappings = self.folder / "mappings"
        self.ok = True

    def run(self) -> int:
        data.write_mappings(self.mappings)
        competencies = {data.standard(n): data.competency(n) for n in range(data.STANDARDS)}
        write_tables(self.mappings, competencies, data.MARKS)
        peers = self._peers() if self.arguments.rows else None
        for rows in self.arguments.rows:
            self._task(rows, peers)
        for rows in self.arguments.kernel_rows:
            self._kernel(rows)
        self._measured("call", 100, *_ours("call", self.mappings))
        return 0 if self.ok else 1

    def _peers(self) -> Path:
        """A virtual environment with earthmover, made where none is given."""
        if self.arguments.peers:
            return Path(self.arguments.peers).resolve()
        made = self.folder / "peers"
        venv.create(made, with_pip=True)
        subprocess.run([made / "bin" / "pip", "install", "--quiet", EARTHMOVER], check=True)
        return made

    def _task(self, rows: int, peers: Path | None) -> None:
        scores = self.folder / f"scores-{rows}.csv"
        data.write_peers_csv(scores, rows)
        ours = self.folder / "ours.jsonl"
        self._measured("floor", rows, *_ours("floor-csv", scores))
        cost = self._measured("gateway", rows, *_ours("task", self.mappings, scores, ours))
        self._command(rows, scores, ours)
        if peers:
            theirs = self.folder / "pandas.jsonl"
            command = [peers / "bin" / "python", HERE / "mapping_peers.py", scores, self.mappings, theirs]
            self._measured("pandas", rows, *command, compare=lambda: _same(ours, theirs), ours=cost)
        if peers and self.arguments.earthmover:
            for tuned in (False, True):
                if tuned or rows <= self.arguments.default_up_to:
                    self._earthmover(rows, scores, ours, peers, cost, tuned=tuned)
        scores.unlink()

    def _command(self, rows: int, scores: Path, ours: Path) -> None:
        """The same by the command line: one mapping, the mean, as a CSV table."""
        out = self.folder / "command"
        command = [PROGRAM, "map", "apply", self.mappings / "peers-mean.yaml", "--evidence", scores, "--out", out]

        def compare() -> bool:
            levels = pl.read_csv(out / "levels.csv", infer_schema=False)
            found = levels.select(
                "student_id", "competency", n=pl.col("evidence_count").cast(pl.Int64), mean=pl.col("level").cast(float)
            )
            return found.equals(_read(ours).select(found.columns))

        self._measured("map apply", rows, *command, compare=compare)

    def _earthmover(self, rows: int, scores: Path, ours: Path, peers: Path, cost: Cost, *, tuned: bool) -> None:
        out = self.folder / "earthmover"
        configuration = write_earthmover(self.mappings, scores, out, tuned=tuned)
        command = [peers / "bin" / "earthmover", "run", "-c", configuration]
        name = "earthmover tuned" if tuned else "earthmover"
        self._measured(name, rows, *command, compare=lambda: _same(ours, out / "levels.jsonl"), ours=cost)

    def _kernel(self, rows: int) -> None:
        parts, out = self.folder / f"parts-{rows}", self.folder / "kernel"
        data.write_kernel_parts(parts, rows)
        floor = self._measured("kernel floor", rows, *_ours("floor", parts))
        cost = self._measured("kernel", rows, *_ours("kernel", self.mappings, parts, out))
        print_line("mapping", program="kernel / floor", rows=rows, ratio=round(cost.cpu_s / floor.cpu_s, 2))
        shutil.rmtree(parts)
        shutil.rmtree(out)

    def _measured(
        self,
        name: str,
        rows: int,
        *command: str | Path,
        compare: Callable[[], bool] | None = None,
        ours: Cost | None = None,
    ) -> Cost:
        """Run a program, print its line, and remember if it failed or gave something else than ours."""
        times = self.arguments.repeat if command[0] == sys.executable else 1
        environment = {"PYTHONPATH": str(HERE.parent)}
        costs = [run(command, cwd=self.folder, environment=environment) for _ in range(times)]
        cost = min(costs, key=lambda each: each.cpu_s if each.exit_code == 0 else -1)
        figures: dict[str, object] = {"cpu_us_a_row": round(cost.cpu_s / rows * 1e6, 3)} if name != "call" else {}
        if ours is not None:
            figures["times_ours"] = round(cost.cpu_s / ours.cpu_s, 1)
        if compare is not None:
            figures["same"] = cost.exit_code == 0 and compare()
        found = cost.output.strip().splitlines()[-1:]
        if found and found[0].startswith("{"):
            figures |= json.loads(found[0])
        print_line("mapping", program=name, rows=rows, load=round(os.getloadavg()[0], 1), cost=cost, **figures)
        sys.stdout.flush()
        self.ok &= cost.exit_code == 0 and figures.get("same", True) is True
        return cost


def _ours(program: str, *arguments: str | Path) -> tuple[str | Path, ...]:
    return (sys.executable, "-m", "benchmarks.mapping_programs", program, *arguments)


def _read(path: Path) -> pl.DataFrame:
    """What a program wrote, sorted; means to six places, as ours are rounded there."""
    frame = pl.read_ndjson(path, schema=OUTPUT)
    return frame.with_columns(pl.col("mean").round(6)).sort("student_id", "competency")


def _same(ours: Path, theirs: Path) -> bool:
    """Whether both hold the same rows; means may differ by the last of six places, where binary sums do."""
    left, right = _read(ours), _read(theirs)
    if left.height != right.height:
        return False
    near = (left["mean"] - right["mean"]).abs().max()
    return isinstance(near, float) and near <= 1.000001e-6 and left.drop("mean").equals(right.drop("mean"))


if __name__ == "__main__":
    sys.exit(main())
