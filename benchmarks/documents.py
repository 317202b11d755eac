"""GPA reports as PDF: one JSON line with pages, wall seconds, CPU seconds and peak memory.

python -m benchmarks.documents                  # 250 students with 30 courses, two processes
python -m benchmarks.documents --students 20 --workers 1
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pypdf

from benchmarks.gpa import FOLDER, transcripts
from benchmarks.measure import print_line, run
from gateway.core.gpa.compute import compute_gpa, prepare_courses
from gateway.documents.desk import Desk, make_documents
from gateway.documents.gpa_orders import known_students, report_orders
from gateway.documents.issue import Release
from gateway.documents.school import School
from gateway.policies import load_policy
from gateway.store import open_store

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=250)
    parser.add_argument("--courses", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--policies", nargs="*", default=["school-weighted"])
    parser.add_argument("--into", type=Path, help="Make the documents into this folder; the measured part.")
    options = parser.parse_args()
    if options.into:
        make(options.into, options.students, options.courses, options.workers, options.policies)
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.documents", *sys.argv[1:], "--into", folder]
        cost = run(command, cwd=Path(__file__).parents[1])
        made = sorted(Path(folder).glob("*.pdf"))
        pages = sum(len(pypdf.PdfReader(path).pages) for path in made)
        size = sum(path.stat().st_size for path in made)
    print_line(
        "documents", students=options.students, documents=len(made), pages=pages, workers=options.workers, cost=cost,
        pages_per_s=round(pages / cost.wall_s, 1), cpu_s_per_page=round(cost.cpu_s / pages, 3),
        kb_per_document=round(size / len(made) / 1024),
    )  # fmt: skip


def make(folder: Path, students: int, courses: int, workers: int, policies: list[str]) -> None:
    """Compute, print, record and write the reports of all students."""
    rows = transcripts(0, students, "semesters").with_columns(pl.int_range(pl.len()).over("student_id").alias("n"))
    mine = rows.filter(pl.col("n") < courses).drop("n")
    prepared = prepare_courses(mine)
    results = [
        compute_gpa(load_policy(FOLDER / f"{name}.yaml"), prepared, as_of=date(2026, 6, 15), trace=True)
        for name in policies
    ]
    orders = report_orders(results, mine, known_students(mine, None, []), None)
    store = open_store(f"sqlite:///{folder}/gateway.db")
    release = Release("benchmark", "State University", "admission", "R. Martinez", lambda: NOON)
    desk = Desk(School("Lakeside High School"), ZoneInfo("America/New_York"), store, release, folder)
    made = make_documents(desk, orders, workers=workers)
    store.close()
    assert len(made.records) == students, made.failures[:1]


if __name__ == "__main__":
    main()
