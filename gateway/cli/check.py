"""``check``: everything that people write, without any network."""

from __future__ import annotations

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation
from gateway.core.errors import EXIT_ERROR, ConfigurationError


@click.command(cls=Command)
@click.pass_obj
def check(invocation: Invocation) -> int:
    """Check the district's file, every mapping that it names and every GPA policy, and run their examples.

    Needs no network and no secrets. Says file and line of every fault.
    """
    from gateway.cli.lint import Checked, failed, lint_district

    try:
        district = invocation.load()
        checked = [Checked(invocation.district, f"district {district.id}"), *lint_district(district)]
    except ConfigurationError as error:
        if error.code == "district.missing":
            raise
        checked = [failed(invocation.district, "district", error)]
    invocation.answer(
        {"checked": [one.as_dict() for one in checked]}, [line for one in checked for line in one.lines()]
    )
    return EXIT_ERROR if any(one.problems for one in checked) else 0
