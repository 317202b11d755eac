"""The source: a stream for each group of canonical tables, made of the lists of several resources one after the other.

A place in a stream is the step, the place in its list and the number of the page. A pull of changes begins each list
with what is gone: keys that have changed, then records that were deleted, then the records that are new or changed;
so that what was deleted and created again is there in the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from connectors.edfi import frameworks
from connectors.edfi.at import At
from connectors.edfi.changes import ChangeNotes
from connectors.edfi.elements import Flat
from connectors.edfi.levels import LevelMaker
from connectors.edfi.lookups import Lookups
from connectors.edfi.lookups_levels import LevelLookups
from connectors.edfi.lookups_people import PeopleLookups
from connectors.edfi.making import Frames, Maker, Seen, sessions_page
from connectors.edfi.making_transcripts import TranscriptMaker
from connectors.edfi.own import Own
from connectors.edfi.paging import Lists
from connectors.edfi.people import PeopleMaker
from connectors.edfi.session import Session
from connectors.edfi.snapshots import newest_snapshot
from connectors.edfi.streams import CLASSLESS, DELTA_STREAMS, STEPS, STREAMS, UNASKED, makers, tables_of
from connectors.edfi.tombstones import GONE, gone_rows
from connectors.edfi.versions import span
from connectors.edfi.words import Dictionary
from gateway.sdk import (
    REJECTS,
    REJECTS_SCHEMA,
    IncompletePullError,
    Page,
    PullMode,
    Stream,
)

_Make = Callable[[Flat, str], Frames]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a stream: the step, whether what is gone was told, where in the list, and the number of the page."""

    step: int = 0
    told: bool = False
    at: At = field(default_factory=At)
    page: int = 0

    def written(self) -> str:
        return json.dumps([self.step, self.told, self.at.written(), self.page])

    @classmethod
    def read(cls, text: str | None) -> _Place:
        if text is None:
            return cls()
        try:
            step, told, at, page = json.loads(text)
            return cls(int(step), bool(told), At.read(at), int(page))
        except (ValueError, TypeError) as error:
            raise IncompletePullError(
                "The place where the last pull stopped cannot be read.",
                hint="Start the pull from the beginning.",
                code="paging.cursor",
            ) from error


class Puller:
    """Pulls from one host."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.settings = session.settings
        self.notes = ChangeNotes(session.context.work / "change-versions.json", session.context.now)
        self._lists: Lists | None = None
        self._lookups: Lookups | None = None
        self._people: PeopleLookups | None = None
        self._levels: LevelLookups | None = None

    @property
    def lists(self) -> Lists:
        if self._lists is None:
            self._lists = Lists(self.session, self._snapshot())
        return self._lists

    @property
    def lookups(self) -> Lookups:
        if self._lookups is None:
            self._lookups = Lookups(self.lists)
        return self._lookups

    @property
    def people(self) -> PeopleLookups:
        if self._people is None:
            self._people = PeopleLookups(self.lookups, contacts=self.settings["contacts"])
        return self._people

    @property
    def levels(self) -> LevelLookups:
        if self._levels is None:
            self._levels = LevelLookups(self.lookups)
        return self._levels

    def wanted(self) -> list[str]:
        """The streams that the settings name; without any, all but those that are pulled only when asked for."""
        named = self.settings["streams"]
        return [name for name in STREAMS if (name in named if named else name not in UNASKED)]

    def steps(self, stream: str) -> list[str]:
        """The resources that a stream reads page by page, of those that this version of the Data Standard has."""
        excluded = set(self.settings["excluded"])
        if not self.settings["contacts"]:
            excluded |= {"contacts", "parents"}
        if stream == "classes" and not set(self.steps("gradebook")) & CLASSLESS:
            excluded.add("sessions")
        return self._there(STEPS.get(stream, ()), excluded)

    def told(self, resources: Iterable[str]) -> list[str]:
        """The resources that are read at all: this version has them, and the settings do not exclude them."""
        return self._there(resources, self.settings["excluded"])

    def _there(self, resources: Iterable[str], excluded: Collection[str]) -> list[str]:
        standard = self.session.standard
        return [name for name in resources if name not in excluded and span(name).holds(standard)]

    def streams(self, since: datetime | None) -> list[Stream]:
        """What is pulled, and whether only what changed: where the host tells changes with their keys, and it is known
        which change version the last complete pull began with."""
        self._lookups = self._people = self._levels = None
        least = None
        if self.settings["delta"]:
            newest = self.lists.newest()
            if newest is not None:
                least = self.notes.since(since, newest) if self.session.abilities.key_values else None
                self.notes.note(newest)
        return [
            Stream(name, STREAMS[name], PullMode.DELTA if self._changes_only(name, least) else PullMode.FULL)
            for name in self.wanted()
        ]

    def _changes_only(self, stream: str, least: int | None) -> bool:
        if least is None or stream not in DELTA_STREAMS:
            return False
        unnamed = [resource for resource in self.steps(stream) if resource not in GONE]
        return not any(self._any_gone(resource, least) for resource in unnamed)

    def _any_gone(self, resource: str, least: int) -> bool:
        """Whether something is gone that cannot be told by its key alone: then the stream is read as a whole."""
        kinds = ("keyChanges", "deletes")
        return any(True for kind in kinds for _ in self.lists.tombstones(resource, kind, least + 1))

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        """The pages of one stream; see :meth:`gateway.sdk.Source.pull`."""
        words = Dictionary(self.settings["words"])
        if stream.name == "sessions":
            periods = self.lookups.whole("gradingPeriods")
            made = {"academic_sessions": sessions_page(self.lookups, periods, words, "sessions")}
            for resource, flat in (("sessions", self.lookups.sessions), ("gradingPeriods", periods)):
                _add_rejects(made, ("academic_sessions",), flat, resource)
            yield Page(made, None, words.warnings())
            return
        if stream.name == "frameworks":
            made = frameworks.frames(self.lookups, words, self.settings["frameworks"])
            yield Page(made, None, words.warnings() + self.lookups.warnings())
            return
        least = self._least(stream, since)
        place = _Place.read(resume)
        seen = Seen.before(self.session.context.work / "seen" / stream.name, place.page)
        maker = Maker(self.lookups, words, seen, Own.of(self.settings), self.levels)
        people = PeopleMaker(self.lookups, words, self.people)
        if stream.name == "gradebook" and resume is None:
            tests = "studentAssessments" in self.steps(stream.name)
            yield Page(LevelMaker(maker).scales(tests=tests), place.written(), words.warnings())
        transcripts = TranscriptMaker(self.lookups, words, self.settings["target"]["namespace"].rstrip("/"))
        make = makers(maker, people, transcripts, stream.name)
        for page, after in self._walk(stream.name, place, least, maker.seen, make):
            told = words.warnings() + self.lookups.warnings()
            yield Page(page, None if after is None else after.written(), told)

    def _least(self, stream: Stream, since: datetime | None) -> int | None:
        if stream.mode is not PullMode.DELTA:
            return None
        least = self.notes.since(since, None)
        if least is None:
            raise IncompletePullError(
                "It is no longer known with which change version the last pull began.",
                hint="Run again: the next pull reads everything.",
                code="edfi.change-version",
            )
        return least + 1

    def _walk(
        self, stream: str, place: _Place, least: int | None, seen: Seen, make: Mapping[str, _Make]
    ) -> Iterator[tuple[Frames, _Place | None]]:
        """The pages of each step, and after each the place of the next."""
        steps = self.steps(stream)
        for number in range(place.step, len(steps)):
            if number != place.step:
                place = _Place(number, page=place.page)
            resource = steps[number]
            end = _Place(number + 1, page=place.page) if number + 1 < len(steps) else None
            if least is not None and not place.told:
                for frames in self._gone(resource, least):
                    yield frames, place
                place = _Place(number, True, At(), place.page)
            at, empty_list = (place.at if place.at.begun else At(least=least)), True
            for flat, after in self.lists.pages(resource, at):
                empty_list = False
                seen.page = place.page + 1
                place = _Place(number, True, after or At(), place.page + 1)
                frames = make[resource](flat, f"{resource} page {place.page}")
                _add_rejects(frames, tables_of(stream, resource), flat, f"{resource} page {place.page}")
                end = _Place(number + 1, page=place.page) if number + 1 < len(steps) else None
                yield frames, (place if after is not None else end)
            if empty_list:
                yield {}, end
        if not steps:
            yield {}, None

    def _gone(self, resource: str, least: int) -> Iterator[Frames]:
        for kind in ("keyChanges", "deletes"):
            for found in self.lists.tombstones(resource, kind, least):
                yield gone_rows(resource, kind, found)

    def _snapshot(self) -> dict[str, str]:
        """The header that asks for a snapshot, if the settings do."""
        if not self.settings["snapshot"]:
            return {}
        header = self.session.abilities.snapshot_header
        if header == "Use-Snapshot":
            return {header: "true"}
        return {header: newest_snapshot(self.session)}


def _add_rejects(frames: Frames, names: Sequence[str], flat: Flat, source: str) -> None:
    rows = [
        (name, None, "edfi.unreadable", None, _sentence(fault.reason), source, fault.number)
        for name in names
        for fault in flat.faults
    ]
    if rows:
        frames[REJECTS] = pl.concat([
            *([frames[REJECTS]] if REJECTS in frames else []),
            pl.DataFrame(rows, schema=dict(REJECTS_SCHEMA), orient="row"),
        ])  # fmt: skip


def _sentence(reason: str) -> str:
    if reason[:1].isupper():
        return f"This record is not of the expected shape: {reason}."
    return f"This record {reason}."
