"""What a caller may do: scopes, and which of them each role can be given."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

ONEROSTER = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
ONEROSTER_11 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"

CATALOGUE = "catalogue.read"
MAPPING = "mapping.use"
GPA = "gpa.use"
JOBS = "jobs.use"
WEBHOOKS = "webhooks.manage"
FRAMEWORKS = "case.readonly"
SANDBOX = "sandbox.control"
AUDIT = "audit.read"

ROSTER = f"{ONEROSTER}roster.readonly"
ROSTER_CORE = f"{ONEROSTER}roster-core.readonly"
DEMOGRAPHICS = f"{ONEROSTER}roster-demographics.readonly"
GRADEBOOK = f"{ONEROSTER}gradebook.readonly"
GRADEBOOK_CORE = f"{ONEROSTER}gradebook-core.readonly"
GRADEBOOK_PUT = f"{ONEROSTER}gradebook.createput"
GRADEBOOK_POST = f"{ONEROSTER}gradebook.createpost"
GRADEBOOK_DELETE = f"{ONEROSTER}gradebook.delete"
ROSTER_11 = f"{ONEROSTER_11}roster.readonly"
ROSTER_CORE_11 = f"{ONEROSTER_11}roster-core.readonly"

SCOPES: Mapping[str, str] = {
    CATALOGUE: "List and read mappings, policies, frameworks and scales.",
    MAPPING: "Map evidence, explain levels, lint a mapping.",
    GPA: "Compute, compare and try out GPAs.",
    JOBS: "Upload large files, follow the job, fetch its results.",
    WEBHOOKS: "Manage webhooks and their deliveries.",
    FRAMEWORKS: "Read the district's frameworks as CASE.",
    SANDBOX: "Reset a sandbox district and switch its faults.",
    AUDIT: "Read the audit.",
    ROSTER: "Read rosters, without demographics.",
    ROSTER_CORE: "Read rosters by the plain lists and single records.",
    DEMOGRAPHICS: "Read demographics.",
    GRADEBOOK: "Read the gradebook.",
    GRADEBOOK_CORE: "Read the gradebook by the plain lists and single records.",
    GRADEBOOK_PUT: "Write gradebook records under ids of one's own.",
    GRADEBOOK_POST: "Write gradebook records under the gateway's ids.",
    GRADEBOOK_DELETE: "Withdraw gradebook records.",
    ROSTER_11: "Read rosters in the shape of OneRoster 1.1.",
    ROSTER_CORE_11: "Read rosters in the shape of OneRoster 1.1 by the plain lists and single records.",
}

_ROSTERS = frozenset({ROSTER, ROSTER_CORE, ROSTER_11, ROSTER_CORE_11})
_GRADEBOOK = frozenset({GRADEBOOK, GRADEBOOK_CORE})
_GRADEBOOK_WRITES = frozenset({GRADEBOOK_PUT, GRADEBOOK_POST, GRADEBOOK_DELETE})
_OWN_DATA = frozenset({CATALOGUE, MAPPING, GPA, JOBS, WEBHOOKS, FRAMEWORKS, SANDBOX})


class Role(StrEnum):
    """What kind of caller a client is."""

    VENDOR = "vendor"
    """Computes with data of its own; sees none of the district's."""
    PRODUCT = "product"
    """Reads the district's rosters and gradebook too."""
    GRADEBOOK = "gradebook"
    """… and writes gradebook records into the district's inbox."""
    REGISTRAR = "registrar"
    AUDITOR = "auditor"


ALLOWED: Mapping[Role, frozenset[str]] = {
    Role.VENDOR: _OWN_DATA,
    Role.PRODUCT: _OWN_DATA | _ROSTERS | _GRADEBOOK | {DEMOGRAPHICS},
    Role.GRADEBOOK: _OWN_DATA | _ROSTERS | _GRADEBOOK | _GRADEBOOK_WRITES,
    Role.REGISTRAR: frozenset({CATALOGUE, MAPPING, GPA, JOBS, FRAMEWORKS}),
    Role.AUDITOR: frozenset({CATALOGUE, AUDIT}),
}
"""Which scopes a client of a role can be given; demographics only where asked for by name."""


def usual(role: Role) -> frozenset[str]:
    """The scopes that a client of this role has unless others are named: all but demographics and the sandbox."""
    return ALLOWED[role] - {DEMOGRAPHICS, SANDBOX}
