"""The entry point: which commands there are, and how every failure is told."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from gateway import __version__
from gateway.cli.command import LazyGroup, shared_options
from gateway.cli.invocation import Invocation
from gateway.core.errors import EXIT_ERROR, EXIT_USAGE, ConfigurationError, GatewayError, InternalError

COMMANDS = {
    "init": ("gateway.cli.init", "Write a starter folder for a district."),
    "check": ("gateway.cli.check", "Check configuration, mappings and policies; no network."),
    "doctor": ("gateway.cli.doctor", "Look for what would keep the gateway from working here."),
    "connect": ("gateway.cli.connect", "Test the connections to other systems."),
    "pull": ("gateway.cli.sync", "Pull and check the source; push nothing."),
    "plan": ("gateway.cli.sync", "Pull, map and save a plan; push nothing."),
    "approve": ("gateway.cli.plans", "Decide on a plan that a guard holds."),
    "apply": ("gateway.cli.plans", "Push a saved plan."),
    "sync": ("gateway.cli.sync", "Run a nightly job now: pull, map, plan, push, verify."),
    "runs": ("gateway.cli.runs", "List past runs, or show one."),
    "quarantine": ("gateway.cli.quarantine", "List, show and retry records that were set aside."),
    "map": ("gateway.cli.map", "Try a mapping on a pull, or check mapping files."),
    "documents": ("gateway.cli.documents", "Issue documents, list and check what was issued."),
    "gpa": ("gateway.cli.gpa", "Compute, explain and compare GPAs by policies."),
    "report": ("gateway.cli.report", "Report on consistency of scoring, on pace, and on growth."),
    "sample-district": ("gateway.cli.sample", "Write a realistic sample district."),
    "demo": ("gateway.cli.demo", "Run the whole nightly job on a demo district, twice."),
    "schedule": ("gateway.cli.schedule", "Show when the syncs run next."),
    "serve": ("gateway.cli.serve", "Serve the HTTP API, until stopped."),
    "keys": ("gateway.cli.keys", "Manage the keys of programs that call the API."),
    "inbox": ("gateway.cli.inbox", "List, show and export what products wrote to gradebooks."),
    "audit": ("gateway.cli.audit", "Show who did what through the API, and check the record."),
    "sandbox": ("gateway.cli.sandbox", "Make a district for vendors to try their programs on."),
    "worker": ("gateway.cli.worker", "Run the syncs at their times, until stopped."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    params=shared_options(environment=True),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mastery-gateway")
def gateway() -> None:
    """Carries rosters and scores from a student information system onto a competency framework, and the learner
    continuum back.

    Start with `mastery-gateway demo`, or `mastery-gateway init` for a district of your own.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 ok, 1 error, 2 usage, 3 warnings, 4 held, 75 locked."""
    invocation = Invocation()
    try:
        result = gateway.main(
            args=None if arguments is None else list(arguments),
            prog_name="mastery-gateway",
            standalone_mode=False,
            obj=invocation,
        )
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        return _tell_usage(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return EXIT_ERROR
    except GatewayError as error:
        invocation.tell(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; do not fail again at exit
        return EXIT_ERROR
    except OSError as error:
        invocation.tell(_of_the_system(error) or _internal(error, invocation))
        return EXIT_ERROR
    except Exception as error:
        invocation.tell(_internal(error, invocation))
        return EXIT_ERROR


def _tell_usage(error: click.ClickException) -> int:
    message = error.format_message()
    click.echo(message if message.endswith((".", "?")) else f"{message}.", err=True)
    context = getattr(error, "ctx", None)
    click.echo(f"See `{context.command_path if context else 'mastery-gateway'} --help`.", err=True)
    return EXIT_USAGE


def _of_the_system(error: OSError) -> GatewayError | None:
    """What the machine refuses: a full disk, a missing right."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
        return None
    return ConfigurationError(
        f"The machine refuses: {error.strerror}" + (f" ({error.filename})." if error.filename else "."),
        hint="Make room or give the gateway's account the right, then run the command again.",
        code="machine",
    )


def _internal(error: Exception, invocation: Invocation) -> GatewayError:
    from gateway.cli.logs import write_fault

    path = write_fault(error, invocation.log_file, debug=invocation.debug)
    return InternalError(
        "The gateway met a fault of its own and stopped.",
        hint=f"Nothing half-done is left behind; run the command again. If it fails again, report {path}.",
    )
