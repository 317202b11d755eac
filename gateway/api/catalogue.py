"""A district's mappings and policies, compiled once and kept until their files change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gateway.core.errors import ConfigurationError, did_you_mean
from gateway.core.framework import Framework
from gateway.core.gpa.policy import Policy
from gateway.core.mapping import CompiledMapping
from gateway.mappings import load_mapping
from gateway.policies import load_policy, offered_policies, policy_folders, version_in_force
from gateway.settings import District

LOOK_EVERY = 1.0
"""Seconds between two looks at the files."""

MAPPINGS_FOLDER = Path("mappings/schools")


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


T = TypeVar("T", bound=_Named)


class NotInCatalogueError(Exception):
    """There is no mapping, policy or version of this name; the text says what there is."""


@dataclass(slots=True)
class Shelf(Generic[T]):
    """The files of one kind, each loaded when it is first asked for. A file that cannot be loaded is left out, and
    stands in ``faults``."""

    files: Callable[[], Sequence[Path]]
    load: Callable[[Path], T]
    faults: dict[Path, ConfigurationError] = field(default_factory=dict)
    _loaded: dict[Path, tuple[tuple[int, int], T]] = field(default_factory=dict)
    _seen: tuple[T, ...] = ()
    _looked_at: float = field(default=-LOOK_EVERY)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> tuple[T, ...]:
        """Everything on the shelf, by name and version."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY:
            return self._seen
        with self._lock:
            self._seen = tuple(sorted(self._look(), key=lambda each: (each.name, each.version)))
            self._looked_at = now
        return self._seen

    def _look(self) -> Iterator[T]:
        files = self.files()
        for gone in set(self._loaded) - set(files):
            del self._loaded[gone]
        for path in files:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if path not in self._loaded or self._loaded[path][0] != stamp:
                self.faults.pop(path, None)
                try:
                    self._loaded[path] = (stamp, self.load(path))
                except ConfigurationError as error:
                    self._loaded.pop(path, None)
                    self.faults[path] = error
            if path in self._loaded:
                yield self._loaded[path][1]

    def versions(self, name: str) -> tuple[T, ...]:
        """Every version of what is called ``name``. Raises :class:`NotInCatalogueError`."""
        found = tuple(each for each in self.all() if each.name == name)
        if not found:
            known = sorted({each.name for each in self.all()})
            raise NotInCatalogueError(f"There is nothing of this name.{did_you_mean(name, known)}")
        return found


class Catalogue:
    """What a district offers. ``mappings`` are those that its syncs name, and their neighbours in the folder."""

    def __init__(self, district: District) -> None:
        self.district = district
        self.mappings: Shelf[CompiledMapping] = Shelf(self._mapping_files, self._load_mapping)
        self.policies: Shelf[Policy] = Shelf(self._policy_files, load_policy)

    def mapping(self, name: str, version: str | None = None) -> CompiledMapping:
        """The mapping of this name; the latest version unless one is named. Raises :class:`NotInCatalogueError`."""
        return self._version(self.mappings.versions(name), version)

    def policy(self, name: str, as_of: date, version: str | None = None) -> Policy:
        """The policy of this name that holds on ``as_of``, or a version of it.

        Raises :class:`NotInCatalogueError`, or :class:`MappingError` if not one version holds on ``as_of``.
        """
        found = self.policies.versions(name)
        return version_in_force(found, as_of) if version is None else self._version(found, version)

    def frameworks(self) -> dict[str, Framework]:
        """The frameworks that the mappings stand on, by identifier."""
        return {each.framework.id: each.framework for each in self.mappings.all()}

    def _version(self, found: Sequence[T], version: str | None) -> T:
        for each in found if version is not None else ():
            if each.version == version:
                return each
        if version is not None:
            raise NotInCatalogueError(
                f"There is no such version; there is {', '.join(each.version for each in found)}."
            )
        return found[-1]

    def _mapping_files(self) -> list[Path]:
        named = {sync.mapping for sync in self.district.syncs.values()}
        folders = {path.parent for path in named} | {self.district.folder / MAPPINGS_FOLDER}
        beside = {path for folder in folders if folder.is_dir() for path in folder.glob("*.yaml")}
        return sorted({path for path in named if path.is_file()} | beside)

    def _policy_files(self) -> list[Path]:
        return list(offered_policies(policy_folders(self.district.policies)))

    def _load_mapping(self, path: Path) -> CompiledMapping:
        sync = next((sync for sync in self.district.syncs.values() if sync.mapping == path), None)
        if sync is None:
            return load_mapping(path)
        from gateway.sync.frameworks import last_framework  # with it comes all that a night needs: 5 MB

        return load_mapping(path, framework=last_framework(self.district, sync))
