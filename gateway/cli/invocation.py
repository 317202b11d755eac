"""One call of the program: what was asked for, and how to answer it, for people or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.core.errors import ConfigurationError, GatewayError

if TYPE_CHECKING:
    from gateway.settings import District
    from gateway.store import Store

DEFAULT_DISTRICT = "gateway.yaml"


@dataclass(slots=True)
class Invocation:
    """The shared options. ``log_file`` is known once the district is."""

    district: str = DEFAULT_DISTRICT
    as_json: bool = False
    debug: bool = False
    log_file: Path | None = None

    def load(self) -> District:
        """The district's file, checked; from now on the log is written into its data folder."""
        from gateway.cli.logs import log_into
        from gateway.settings import load_district

        path = Path(self.district)
        if self.district == DEFAULT_DISTRICT and not path.is_file():
            raise ConfigurationError(
                "There is no gateway.yaml in this folder.",
                hint="Write one with `mastery-gateway init`, or name it: --district path/to/gateway.yaml.",
                code="district.missing",
            )
        district = load_district(path)
        self.log_file = log_into(district.data / "logs", debug=self.debug)
        return district

    @contextmanager
    def store(self, district: District) -> Iterator[Store]:
        """The district's database, open for the length of the block."""
        from gateway.settings import database_url
        from gateway.store import open_store

        store = open_store(database_url(district))
        try:
            yield store
        finally:
            store.close()

    def answer(self, data: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Print the result: one JSON document, or lines for people."""
        if self.as_json:
            click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
        else:
            for line in lines:
                click.echo(line)

    def tell(self, error: GatewayError) -> None:
        """Print a failure: what is wrong, and what to do."""
        if self.as_json:
            problems = [problem.as_dict() for problem in getattr(error, "problems", ())]
            failure = {"error": error.as_dict()} | ({"problems": problems} if problems else {})
            click.echo(json.dumps(failure, indent=2, ensure_ascii=False))
            return
        where = f"{error.place}: " if error.place else ""
        click.echo(f"{where}{error.message}", err=True)
        if error.hint:
            click.echo(error.hint, err=True)


def now() -> datetime:
    """The clock of all commands: the time in UTC."""
    return datetime.now(UTC)


def on_terminal() -> bool:
    return sys.stderr.isatty()
