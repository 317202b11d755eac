"""Where the parts of big tables are worked on: in this process, or on the workers of a Dask cluster.

The work is the same function for both, and its results come in the order of the parts, so that the bytes are the same.
A part travels to a worker with all that its work needs: nothing has to be shared or mounted, and a worker that dies is
replaced by another one. A cluster needs the extra ``mastery-gateway[cluster]``, imported only when it is asked for, and
the same versions on every worker.
"""

from __future__ import annotations

import functools
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from gateway.core.errors import ConfigurationError, TransientError

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")

CONNECT_SECONDS = 10
"""How long a scheduler may take to answer."""
_TRIES_AGAIN = 2
_LARGEST_PART = "1 GB"


class EngineName(StrEnum):
    """The engines that there are."""

    LOCAL = "local"
    DASK = "dask"


class Engine(Protocol):
    """Does ``work``, a function of a module, with ``shared`` and each of the parts; the results come in their order."""

    def each(
        self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]
    ) -> Iterator[Result]: ...


class LocalEngine:
    """One part after the other in this process; Polars keeps all cores busy with each."""

    def each(self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        return map(functools.partial(work, shared), parts)  # keeps no part beyond its turn


@contextmanager
def open_engine(name: EngineName = EngineName.LOCAL, scheduler: str | None = None) -> Iterator[Engine]:
    """The engine of that name; Dask's needs the address of its ``scheduler``, such as ``tcp://host:8786``.

    Raises :class:`ConfigurationError` (``engine.not-installed``, ``engine.scheduler``, ``engine.versions``) or
    :class:`TransientError` (``engine.unreachable``, ``engine.no-workers``).
    """
    if name is EngineName.LOCAL:
        yield LocalEngine()
        return
    if not scheduler:
        hint = "Say its address, such as tcp://host:8786."
        raise ConfigurationError("Dask is asked for without a scheduler.", hint=hint, code="engine.scheduler")
    client = _connect(scheduler)
    try:
        yield DaskEngine(client, scheduler, _threads(client, scheduler))
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class DaskEngine:
    """The workers of a Dask scheduler. At most twice as many parts as they have threads are under way."""

    client: Any
    scheduler: str
    threads: int

    def each(self, work: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        packed = _packed((work, shared))
        under_way: deque[Any] = deque()
        try:
            for part in parts:
                if len(under_way) >= 2 * self.threads:
                    yield self._result(under_way.popleft())
                under_way.append(self.client.submit(_work, packed, part, pure=False, retries=_TRIES_AGAIN))
            while under_way:
                yield self._result(under_way.popleft())
        finally:
            for future in under_way:
                future.cancel()

    def _result(self, future: Any) -> Any:
        from concurrent.futures import CancelledError

        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except (CancelledError, FutureCancelledError, KilledWorker, OSError) as error:
            raise TransientError(
                f"The cluster at {self.scheduler} lost the work.",
                hint="Look at the logs of its scheduler and workers; memory is the commonest reason. Then try again.",
                code="engine.lost",
                detail=f"{type(error).__name__}: {error}"[:500],
            ) from error


def _packed(shared: Any) -> bytes:
    """By value what plain pickling cannot do, such as the functions inside a compiled mapping."""
    from distributed.protocol import pickle

    pack: Any = pickle.dumps
    packed: bytes = pack(shared)
    return packed


def _work(packed: bytes, part: Any) -> Any:
    """What a worker does."""
    work, shared = _unpacked(packed)
    return work(shared, part)


@functools.lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> tuple[Callable[[Any, Any], Any], Any]:
    """What is shared by the parts of one run, unpacked once a worker."""
    import pickle

    work, shared = pickle.loads(packed)  # noqa: S301  # from the client that the worker obeys anyway
    return work, shared


def _connect(scheduler: str) -> Any:
    try:
        import dask
        import distributed
    except ImportError as error:
        raise ConfigurationError(
            "Dask is not installed.",
            hint="Install the extra: pip install 'mastery-gateway[cluster]'.",
            code="engine.not-installed",
        ) from error
    _knock(scheduler)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told by our own errors
    dask.config.set({"distributed.admin.large-graph-warning-threshold": _LARGEST_PART})
    try:
        make: Any = distributed.Client
        return make(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        raise _unreachable(scheduler, error) from error


def _knock(scheduler: str) -> None:
    """See whether anybody listens: quicker than a client is, and quieter."""
    try:
        address = urlsplit(scheduler)
        host, port = address.hostname, address.port
    except ValueError:
        host = port = None
    if not host or not port or address.scheme not in ("tcp", "tls"):
        hint = "Write it like tcp://host:8786 or tls://host:8786."
        message = f'"{scheduler}" is no address of a Dask scheduler.'
        raise ConfigurationError(message, hint=hint, code="engine.scheduler")
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _unreachable(scheduler, error) from error


def _unreachable(scheduler: str, error: OSError) -> TransientError:
    return TransientError(
        f"The Dask scheduler at {scheduler} cannot be reached.",
        hint="Start it (`dask scheduler`), or correct the address; a firewall may stand between.",
        code="engine.unreachable",
        detail=f"{type(error).__name__}: {error}"[:500],
    )


def _threads(client: Any, scheduler: str) -> int:
    """How many threads the workers have together, after making sure that they can do our work."""
    threads: int = sum(client.nthreads().values())
    if not threads:
        raise TransientError(
            f"The Dask scheduler at {scheduler} has no workers.",
            hint=f"Start some: `dask worker {scheduler}`.",
            code="engine.no-workers",
        )
    ours = versions()
    try:
        theirs = client.run(versions)
    except Exception as error:
        raise _differ(scheduler, f"{type(error).__name__}: {error}") from error
    others = sorted({str(each) for each in theirs.values() if each != ours})
    if others:
        raise _differ(scheduler, f"here: {ours}; there: {', '.join(others)}")
    return threads


def versions() -> dict[str, str]:
    """What must be the same here and on every worker, so that numbers are."""
    return {name: version(name) for name in ("mastery-gateway", "polars")}


def _differ(scheduler: str, detail: str) -> ConfigurationError:
    return ConfigurationError(
        f"The workers at {scheduler} do not have this version of the gateway.",
        hint="Install the same versions of mastery-gateway and polars there; --debug shows which there are.",
        code="engine.versions",
        detail=detail[:500],
    )
