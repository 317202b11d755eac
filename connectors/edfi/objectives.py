"""Competencies of a framework as competency objectives of an Ed-Fi host that lacks them.

An objective is found by its ``competencyObjectiveId``, which is the competency's identifier; only where there is none
one is made, below the organization of the settings. Its title is part of its key, at most 60 characters long, and never
changes once it is there; what the framework says stands in ``description``. An objective that we made is never deleted:
levels of earlier years refer to it. One that another system made is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.merging import Body, Piece, Wanted
from connectors.edfi.places import Places
from connectors.edfi.shaping import Row, cut
from connectors.edfi.words import GRADE_LEVELS
from gateway.sdk import Action, Change

LONGEST = 60
_DIGITS = 6


def objective_wishes(
    change: Change, target: Mapping[str, Any], descriptors: Descriptors, places: Places
) -> Iterator[Wanted]:
    """What one row of ``competencies`` wants. Raises :class:`Unfit`."""
    record: Row = change.record
    if change.action is Action.INACTIVATE:
        return
    if len(str(record["id"])) > LONGEST:
        raise Unfit("edfi.invalid", "A competency's identifier is too long for Ed-Fi: name it in the file objectives.")
    key = places.known_objective(str(record["id"]))
    if key is not None and change.remote_id is None:
        return
    if key is None:
        key = _new_key(record, target["create_objectives"], descriptors, places)
    organization = {"educationOrganizationId": key["educationOrganizationId"]}
    identity = {
        "educationOrganizationReference": organization,
        "objective": key["objective"],
        "objectiveGradeLevelDescriptor": key["objectiveGradeLevelDescriptor"],
    }
    members = {"competencyObjectiveId": record["id"], "description": cut(record["statement"], 1024)}
    yield Wanted(Piece("competencyObjectives", identity, members))


def _new_key(record: Row, settings: Mapping[str, Any], descriptors: Descriptors, places: Places) -> Body:
    """The key of a new objective: one that no other has."""
    levels = list(record.get("education_levels") or ())
    grade = GRADE_LEVELS.get(levels[0]) if len(levels) == 1 else None
    level = descriptors.value("GradeLevel", grade or settings["grade_level"])
    for title in (objective_title(record), objective_title(record, told_apart=True)):
        key = {
            "educationOrganizationId": settings["organization"],
            "objective": title,
            "objectiveGradeLevelDescriptor": level,
        }
        if places.claim_objective(str(record["id"]), key):
            return key
    raise Unfit("edfi.not-unique", "Another objective of the host has the title of a competency: name it in the file "
                "objectives.")  # fmt: skip


def objective_title(record: Row, *, told_apart: bool = False) -> str:
    """Code and statement, at most 60 characters; what is cut, or ``told_apart``, ends in a digest of the identifier, so
    that two competencies that begin alike have two titles."""
    said = str(record.get("abbreviated_statement") or record["statement"])
    code = record.get("code")
    whole = " ".join((f"{code}: {said}" if code and code != said else said).split())
    if len(whole) <= LONGEST and not told_apart:
        return whole
    end = f"… {blake2b(str(record['id']).encode(), digest_size=_DIGITS // 2).hexdigest()}"
    return f"{whole[: LONGEST - len(end)].rstrip()}{end}"
