"""The peers' task done by others: the configuration for earthmover, and a program with pandas.

    python mapping_peers.py SCORES TABLES OUT      # with any Python that has pandas; nothing of ours is imported

Per student and competency: how many scores, their mean in points, and the newest one's points, letter and day; of equal
days the higher points. One line of JSON each.
"""

from __future__ import annotations

import sys
from pathlib import Path

EARTHMOVER = "earthmover==0.4.10"
TUNED = "8GB"
"""The size of a partition with which earthmover was fastest at 5,000,000 rows: all rows in one."""

_CONFIGURATION = """version: 2
config: {{output_dir: {out}}}
sources:
  scores: {{file: {scores}, header_rows: 1{repartition}}}
transformations:
  levels:
    source: $sources.scores
    operations:
      - {{operation: duplicate_columns, columns: {{standard: competency, score: letter}}}}
      - {{operation: map_values, column: competency, map_file: ./competencies.csv}}
      - {{operation: map_values, column: letter, map_file: ./letters.csv}}
      - {{operation: duplicate_columns, columns: {{score: points}}}}
      - {{operation: map_values, column: points, map_file: ./points.csv}}
      - {{operation: combine_columns, columns: [scored_at, points, letter], new_column: newest, separator: "|"}}
      - operation: group_by
        group_by_columns: [student_id, competency]
        create_columns: {{n: count(), mean: mean(points), latest: str_max(newest)}}
destinations:
  levels: {{source: $transformations.levels, template: ./level.jsont, extension: jsonl, linearize: true}}
"""
_TEMPLATE = """{% set newest = latest.split("|") %}{"student_id": "{{student_id}}", "competency": "{{competency}}",
"n": {{n}}, "mean": {{mean}}, "points": {{newest[1]}}, "letter": "{{newest[2]}}", "date": "{{newest[0]}}"}
"""


def write_tables(folder: Path, competencies: dict[str, str], marks: dict[str, tuple[str, str]]) -> None:
    """The look-up tables: competencies by standard, letters and points by score."""
    tables = {
        "competencies": ("standard,competency", list(competencies.items())),
        "letters": ("score,letter", [(mark, letter) for mark, (letter, _) in marks.items()]),
        "points": ("score,points", [(mark, points) for mark, (_, points) in marks.items()]),
    }
    for name, (header, rows) in tables.items():
        lines = [header, *(",".join(row) for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_earthmover(folder: Path, scores: Path, out: Path, *, tuned: bool) -> Path:
    """The configuration; the tables of :func:`write_tables` stand beside it."""
    repartition = f", repartition: {TUNED}" if tuned else ""
    path = folder / ("earthmover-tuned.yaml" if tuned else "earthmover.yaml")
    text = _CONFIGURATION.format(out=out, scores=scores, repartition=repartition)
    path.write_text(text, encoding="utf-8")
    (folder / "level.jsont").write_text(_TEMPLATE, encoding="utf-8")
    return path


def with_pandas(scores: Path, tables: Path, out: Path) -> None:
    """The task in vectorised pandas."""
    import pandas

    read = {"dtype": str, "keep_default_na": False}
    competency, letter, points = (
        dict(pandas.read_csv(tables / f"{name}.csv", **read).to_numpy())
        for name in ("competencies", "letters", "points")
    )
    frame = pandas.read_csv(scores, usecols=["student_id", "standard", "score", "scored_at"], **read)
    frame["competency"] = frame["standard"].map(competency)
    frame["letter"] = frame["score"].map(letter)
    frame["points"] = frame["score"].map({mark: float(each) for mark, each in points.items()})
    frame = frame.sort_values(["student_id", "competency", "scored_at", "points"], kind="stable")
    grouped = frame.groupby(["student_id", "competency"], sort=False)
    levels = grouped.agg(
        n=("points", "size"), mean=("points", "mean"), points=("points", "last"), letter=("letter", "last"),
        date=("scored_at", "last"),
    )  # fmt: skip
    levels.reset_index().to_json(out, orient="records", lines=True)


if __name__ == "__main__":
    with_pandas(*map(Path, sys.argv[1:]))
