"""Threads that send while others wait for their answers: jobs in, results as they are done."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, Self, TypeVar

from gateway.core.errors import GatewayError

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 4
"""Jobs given ahead for each thread: enough to keep it busy, few enough to know results soon."""


class Lanes(Generic[Job, Result]):
    """``count`` threads that do ``work``, for one thread that gives jobs and takes results, as a context manager.

    ``ordered``: jobs with the same name of a lane are done one after the other, in the order in which they were given;
    without it the next free thread takes the next job. ``error`` is the first :class:`GatewayError` that the work
    raised: nothing more is begun after it, and what is under way still brings its results. Any other exception is
    raised where results are taken. Leaving the context waits for what is under way.
    """

    def __init__(self, count: int, work: Callable[[Job], Result], *, name: str, ordered: bool = False) -> None:
        self.error: GatewayError | None = None
        self._work = work
        self._stopped = False
        self._most, self._running = count * AHEAD, 0
        self._done: SimpleQueue[tuple[Result | None, BaseException | None]] = SimpleQueue()
        self._jobs: list[SimpleQueue[tuple[Job] | None]] = [SimpleQueue() for _ in range(count if ordered else 1)]
        self._threads = [
            threading.Thread(target=self._serve, args=(n,), name=f"{name}-{n}", daemon=True) for n in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped = True
        for number in range(len(self._threads)):
            self._jobs[number % len(self._jobs)].put(None)
        for thread in self._threads:
            thread.join()

    def give(self, job: Job, lane: str = "") -> Iterator[Result]:
        """Give a job; the results of earlier ones, at least until no more are under way than are given ahead."""
        self._jobs[zlib.crc32(lane.encode()) % len(self._jobs)].put((job,))
        self._running += 1
        return self._results(self._most)

    def rest(self) -> Iterator[Result]:
        """Wait until all jobs are done; their results."""
        return self._results(0)

    def stop(self) -> None:
        """Begin nothing more; what is under way still brings its results."""
        self._stopped = True

    def _results(self, left: int) -> Iterator[Result]:
        while self._running > left or (self._running and not self._done.empty()):
            result, error = self._done.get()
            self._running -= 1
            if isinstance(error, GatewayError):
                self.error = self.error or error
            elif error is not None:
                raise error
            elif result is not None:
                yield result

    def _serve(self, number: int) -> None:
        jobs = self._jobs[number % len(self._jobs)]
        while (given := jobs.get()) is not None:
            result, error = None, None
            if not self._stopped:
                try:
                    result = self._work(given[0])
                except BaseException as raised:
                    self._stopped, error = True, raised
            self._done.put((result, error))
