"""Serve the fake host with a small district, to be tried by hand or measured: ``python -m gateway.testing.edfi``.

With ``--roster`` it knows the students and classes of a OneRoster bundle, so that levels and GPAs can be sent to it.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.history import with_history
from gateway.testing.edfi.roster import furnished_from
from gateway.testing.edfi.service import FakeEdFi
from gateway.testing.wsgi import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gateway.testing.edfi", description=__doc__)
    parser.add_argument("--version", default="7.3", help="the version of the ODS/API")
    parser.add_argument("--standard", default="", help="the version of the Data Standard, if not the usual one")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--roster", type=Path, help="a folder with OneRoster CSV files, in the place of the district")
    parser.add_argument("--framework", type=Path, help="with --roster: a CASE package, for competency objectives")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    arguments = parser.parse_args()
    if bool(arguments.roster) != bool(arguments.framework):
        parser.error("--roster and --framework go together")
    remote = FakeEdFi(arguments.version, standard=arguments.standard)
    if arguments.roster:
        furnished_from(remote, arguments.roster, arguments.framework)
    else:
        with_history(furnished(remote, students=arguments.students))
    with serve(remote, port=arguments.port) as url:
        sys.stdout.write(f"{url}{remote.addresses.root}\nkey {remote.gate.key}\nsecret {remote.gate.secret}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
