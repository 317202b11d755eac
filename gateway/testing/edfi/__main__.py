"""Serve the fake host with a small district, to be tried by hand or measured: ``python -m gateway.testing.edfi``."""

from __future__ import annotations

import argparse
import sys
import threading

from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.service import FakeEdFi
from gateway.testing.wsgi import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gateway.testing.edfi", description=__doc__)
    parser.add_argument("--version", default="7.3", help="the version of the ODS/API")
    parser.add_argument("--standard", default="", help="the version of the Data Standard, if not the usual one")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    arguments = parser.parse_args()
    remote = furnished(FakeEdFi(arguments.version, standard=arguments.standard), students=arguments.students)
    with serve(remote, port=arguments.port) as url:
        sys.stdout.write(f"{url}{remote.addresses.root}\nkey {remote.gate.key}\nsecret {remote.gate.secret}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
