"""What a client may write: by the prefixes of its namespaces, by relationships, by ownership.

*Not verified*: which resources are authorized by namespace, and the type of the refusal for want of ownership.
"""

from __future__ import annotations

from gateway.testing.edfi import problems
from gateway.testing.edfi.bodies import Body, at
from gateway.testing.edfi.gate import Claims
from gateway.testing.edfi.host import Host
from gateway.testing.edfi.model import Resource
from gateway.testing.edfi.store import Row

_NAMESPACED = frozenset(
    {
        "assessments", "assessmentItems", "objectiveAssessments", "studentAssessments", "learningStandards",
        "learningStandardEquivalenceAssociations", "credentials",
    }
)  # fmt: skip
_STUDENT = ("studentReference", "studentUniqueId")


def authorize(host: Host, resource: Resource, old: Row | None, body: Body, claims: Claims | None) -> None:
    """Raise a problem if the client may not write this; ``old`` is what is there already."""
    if claims is None:
        return
    if old is not None and claims.forbids(resource.name, "Update") and old.body is not body:
        raise problems.not_granted(claims.name, resource.name, "Update")
    if resource.name in _NAMESPACED or resource.name.endswith("Descriptors"):
        namespace = at(body.content, resource.queries["namespace"])
        if namespace is not None and not namespace.startswith(claims.prefixes):
            raise problems.forbidden(
                ":namespace:access-denied:namespace-mismatch",
                f"The 'Namespace' of the data does not start with any of the caller's prefixes {claims.prefixes}.",
            )
    if host.profile.owned and old is not None and old.owner != claims.name:
        raise problems.forbidden(":ownership:access-denied:ownership-mismatch", "The item is not owned by the caller.")
    if host.profile.relationships:
        _relate(host, resource, old, body, claims)


def _relate(host: Host, resource: Resource, old: Row | None, body: Body, claims: Claims) -> None:
    reached = _reached(host, claims)
    place = resource.shared.get("studentUniqueId")
    if place is None or resource.name == "studentSchoolAssociations" or (resource.name == "students" and old is None):
        return
    student = at(body.content, place)
    enrolments = host.store.tables["studentSchoolAssociations"].listing({_STUDENT: student}, None, None)
    if not any(row.body.content["schoolReference"]["schoolId"] in reached for row in enrolments):
        raise problems.forbidden(
            "",
            "No relationships have been established between the caller's education organization id claims and the "
            "item's 'StudentUniqueId'. Hint: a 'StudentSchoolAssociation' may have to be created first.",
        )


def _reached(host: Host, claims: Claims) -> set[int]:
    """The organizations of the client, and the schools of its agencies."""
    reached = set(claims.organizations)
    for row in host.store.tables["schools"].rows.values():
        agency = at(row.body.content, ("localEducationAgencyReference", "localEducationAgencyId"))
        if agency in reached:
            reached.add(row.body.content["schoolId"])
    return reached
