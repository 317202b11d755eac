"""The connection test: the host's description, the credentials, each list with its count, the change queries.

Nothing is written. A list that is refused says why: claim set, year or tenant.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.edfi.pulling import Puller
from connectors.edfi.session import Session
from connectors.edfi.streams import STEPS
from connectors.edfi.versions import STANDARDS
from gateway.sdk import AuthorizationError, CheckItem, GatewayError, IncompletePullError, RejectedError

_NOT_VERIFIED = ((5, 1), (6, 0))
_READ_BESIDE = {
    "classes": ("courseOfferings",),
    "users": ("studentSchoolAssociations", "staffEducationOrganizationAssignmentAssociations",
              "staffSchoolAssociations", "studentEducationOrganizationAssociations", "studentDirectories",
              "studentIdentificationCodes", "staffDirectories", "staffIdentificationCodes"),
    "contacts": ("studentContactAssociations", "studentParentAssociations"),
    "demographics": ("studentEducationOrganizationAssociations", "studentDemographics"),
    "gradebook": ("competencyLevelDescriptors", "competencyObjectives", "learningObjectives", "gradingPeriods",
                  "assessments", "objectiveAssessments"),
    "sessions": ("sessions", "gradingPeriods"),
    "frameworks": ("learningStandards", "learningStandardEquivalenceAssociations", "competencyObjectives",
                   "learningObjectives"),
    "transcripts": ("courses", "sessions", "gradingPeriods"),
}  # fmt: skip


def check_source(session: Session, puller: Puller) -> Iterator[CheckItem]:
    """One item for each thing tried; ends early when the host cannot be reached or takes no credentials."""
    try:
        yield _described(session)
        session.token_answer()
    except GatewayError as error:
        yield CheckItem("address and credentials", False, error.message, error.hint or "Check base_url and auth.")
        return
    yield CheckItem("credentials", True, "The host gives a token for them.")
    for resource in _resources(puller):
        try:
            yield _listed(session, puller, resource)
        except GatewayError as error:
            yield CheckItem("connection", False, error.message, error.hint or "Try again later.")
            return
    yield _changes(session, puller)


def _described(session: Session) -> CheckItem:
    host = session.host
    version, standard = ".".join(map(str, host.version)), ".".join(map(str, host.standard))
    told = f"ODS/API {version}, Data Standard {standard}"
    if host.standard in _NOT_VERIFIED or host.standard > STANDARDS[-1] or host.version >= (8, 0):
        return CheckItem("host", True, f"{told}. Not all that is known of this version was verified.")
    return CheckItem("host", True, f"{told}.")


def _resources(puller: Puller) -> list[str]:
    found: list[str] = []
    for stream in puller.wanted():
        steps = puller.steps(stream)
        found += steps
        if steps or stream not in STEPS:
            found += puller.told(_READ_BESIDE.get(stream, ()))
        if {"contacts", "parents"} & set(steps):
            found += puller.told(_READ_BESIDE["contacts"])
    return list(dict.fromkeys(found))


def _listed(session: Session, puller: Puller, resource: str) -> CheckItem:
    """One record of a list. Raises what concerns all lists."""
    params = {"limit": "1", "offset": "0"}
    try:
        body = session.data("GET", resource, params=params, headers=puller.lists.headers).body
    except (AuthorizationError, RejectedError) as refusal:
        hint = refusal.hint
        if refusal.code == "http.forbidden":
            asks = hint if hint.startswith("Ask the host's operator") else ""
            ask = asks.rstrip(".") or f"Ask the host's operator for a claim set that lets you read {resource}"
            hint = f"{ask}, or name it under exclude."
        elif refusal.code == "http.not-found":
            hint = "Check school_year, tenant and instance; if the host has no such list, name it under exclude."
        return CheckItem(resource, False, refusal.message, hint)
    some = body.strip() not in (b"[]", b"")
    return CheckItem(resource, True, "Records can be read." if some else "The list can be read; it is empty.")


def _changes(session: Session, puller: Puller) -> CheckItem:
    what = "change queries"
    if not session.host.changes:
        off = "They are off"
        if puller.settings["delta"]:
            return CheckItem(what, False, f"{off}, so changes alone cannot be pulled.", "Set delta to false, or ask "
                             "the host's operator to switch them on.")  # fmt: skip
        if not session.abilities.cursors:
            return CheckItem(what, True, f"{off}; a list that moves while it is read has to be read again.")
        return CheckItem(what, True, f"{off}; every pull is complete.")
    try:
        newest = puller.lists.newest()
    except (GatewayError, IncompletePullError) as error:
        return CheckItem(what, False, error.message, error.hint or "Ask the host's operator.")
    return CheckItem(what, True, f"They are on, at change version {newest}.")
