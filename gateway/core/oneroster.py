"""The OneRoster CSV binding as data: files, headers in binding order, and how each cell becomes a canonical column.

Both directions (a bundle that is read, a bundle that is written) and both versions use the same declarations; only
:class:`Form` says what is more than text. Columns with ``column=None`` are part of the file and are not taken in
(passwords, credentials, user profiles, the ids and titles of links).

Source: OneRoster 1.1.1 CSV tables; CSV Binding 1.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import polars as pl

from gateway.core.model import TABLES

MANIFEST = "manifest"
MANIFEST_HEADER = ("propertyName", "value")
MANIFEST_VERSION = "1.0"
VERSIONS = ("1.1", "1.2")


class FileMode(StrEnum):
    """What the manifest says of a file. ``BULK``: all there is; ``DELTA``: changes only; ``ABSENT``: not delivered."""

    BULK = "bulk"
    DELTA = "delta"
    ABSENT = "absent"


class Form(StrEnum):
    """How a cell is written.

    ``LIST``: items between commas, an item with a comma or a quote in quotes. ``USER_IDS``: ``{type:id},{type:id}``,
    canonical ``type:id`` per item. ``OBJECTIVE``: a UUID as ``urn:uuid:…``, canonical without the prefix.
    ``SCALE``: ``{A:94},{B:84}``, rows of ``score_scale_values``. ``DATE``: a date, where REST has a date-time.
    """

    TEXT = "text"
    LIST = "list"
    USER_IDS = "user ids"
    OBJECTIVE = "objective"
    SCALE = "scale"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """One column of a file. ``column`` is canonical, of ``table`` if that is not the file's own; ``None``: not taken
    in. ``required`` is what the binding says."""

    header: str
    column: str | None
    required: bool = False
    form: Form = Form.TEXT
    table: str | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """One file of a bundle. ``name`` is that of the manifest; ``table=None``: the gateway has no use for the file."""

    name: str
    table: str | None
    columns: tuple[CsvColumn, ...]

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"

    @property
    def header(self) -> tuple[str, ...]:
        """The header row, in binding order."""
        return tuple(column.header for column in self.columns)

    @property
    def tables(self) -> tuple[str, ...]:
        """Every canonical table that the file fills, its own first."""
        others = dict.fromkeys(column.table for column in self.columns if column.table)
        return (*((self.table,) if self.table else ()), *others)

    def taken(self) -> tuple[CsvColumn, ...]:
        """The columns that fill the file's own table."""
        return tuple(c for c in self.columns if c.column is not None and c.table is None)


_S = "sourcedId* status dateLastModified"
_RESOURCE_FILES = {
    "resources": f"{_S} vendorResourceId* title roles importance vendorId applicationId",
    "classResources": f"{_S} title classSourcedId* resourceSourcedId*",
    "courseResources": f"{_S} title courseSourcedId* resourceSourcedId*",
}
_FILES_1_2 = {
    "academicSessions": f"{_S} title* type* startDate* endDate* parentSourcedId schoolYear*",
    "orgs": f"{_S} name* type* identifier parentSourcedId",
    "courses": f"{_S} schoolYearSourcedId title* courseCode grades orgSourcedId* subjects subjectCodes",
    "classes": f"{_S} title* grades courseSourcedId* classCode classType* location schoolSourcedId* termSourcedIds* "
    "subjects subjectCodes periods",
    "users": f"{_S} enabledUser* username* userIds givenName* familyName* middleName identifier email sms phone "
    "agentSourcedIds grades password userMasterIdentifier preferredGivenName preferredMiddleName preferredFamilyName "
    "primaryOrgSourcedId pronouns",
    "roles": f"{_S} userSourcedId* roleType* role* beginDate endDate orgSourcedId* userProfileSourcedId",
    "userProfiles": f"{_S} userSourcedId* profileType* vendorId* applicationId description credentialType* username* "
    "password",
    "enrollments": f"{_S} classSourcedId* schoolSourcedId* userSourcedId* role* primary beginDate endDate",
    "demographics": f"{_S} birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican "
    "nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity "
    "countryOfBirthCode stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus",
    "categories": f"{_S} title* weight",
    "scoreScales": f"{_S} title* type* orgSourcedId* courseSourcedId* classSourcedId* scoreScaleValue*",
    "lineItems": f"{_S} title* description assignDate* dueDate* classSourcedId* categorySourcedId* "
    "academicSessionSourcedId* resultValueMin resultValueMax schoolSourcedId*",
    "lineItemLearningObjectiveIds": f"{_S} lineItemSourcedId* source* learningObjectiveId*",
    "lineItemScoreScales": f"{_S} title lineItemSourcedId* scoreScaleSourcedId*",
    "results": f"{_S} lineItemSourcedId* studentSourcedId* scoreStatus* score scoreDate* comment textScore "
    "classSourcedId inProgress incomplete late missing",
    "resultLearningObjectiveIds": f"{_S} resultSourcedId* source* learningObjectiveId* score textScore",
    "resultScoreScales": f"{_S} title resultSourcedId* scoreScaleSourcedId*",
    **_RESOURCE_FILES,
    "userResources": f"{_S} userSourcedId* orgSourcedId classSourcedId resourceSourcedId*",
}
_SAME_IN_1_1 = ("academicSessions", "orgs", "courses", "classes", "enrollments", "demographics")
_FILES_1_1 = {
    **{name: _FILES_1_2[name] for name in _SAME_IN_1_1[:4]},
    "users": f"{_S} enabledUser* orgSourcedIds* role* username* userIds givenName* familyName* middleName identifier "
    "email sms phone agentSourcedIds grades password",
    **{name: _FILES_1_2[name] for name in _SAME_IN_1_1[4:]},
    "categories": f"{_S} title*",
    "lineItems": f"{_S} title* description assignDate* dueDate* classSourcedId* categorySourcedId* "
    "gradingPeriodSourcedId* resultValueMin* resultValueMax*",
    "results": f"{_S} lineItemSourcedId* studentSourcedId* scoreStatus* score* scoreDate* comment",
    **_RESOURCE_FILES,
}

_TABLE_OF_FILE = {
    "academicSessions": "academic_sessions",
    "scoreScales": "score_scales",
    "lineItems": "line_items",
    "lineItemLearningObjectiveIds": "line_item_learning_objectives",
    "lineItemScoreScales": "line_item_score_scales",
    "resultLearningObjectiveIds": "result_learning_objectives",
    "resultScoreScales": "result_score_scales",
    **{name: name for name in ("orgs", "courses", "classes", "users", "roles", "enrollments", "demographics")},
    **{name: name for name in ("categories", "results")},
}
_FORMS = {
    **dict.fromkeys(("grades", "subjects", "subjectCodes", "periods", "termSourcedIds", "agentSourcedIds"), Form.LIST),
    "userIds": Form.USER_IDS,
    "learningObjectiveId": Form.OBJECTIVE,
    "assignDate": Form.DATE,
    "dueDate": Form.DATE,
}
_OTHER_TABLE = {
    ("users", "orgSourcedIds"): CsvColumn("orgSourcedIds", "org_id", required=True, form=Form.LIST, table="roles"),
    ("users", "role"): CsvColumn("role", "role", required=True, table="roles"),
    ("scoreScales", "scoreScaleValue"): CsvColumn(
        "scoreScaleValue", None, required=True, form=Form.SCALE, table="score_scale_values"
    ),
}


def _canonical(header: str) -> str:
    """``lineItemSourcedId`` → ``line_item_id``."""
    if header == "gradingPeriodSourcedId":
        return "academic_session_id"
    short = re.sub(r"[sS]ourcedId(s?)$", r"Id\1", header)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", short).lower()


def _column(file: str, table: str | None, word: str) -> CsvColumn:
    header, required = word.rstrip("*"), word.endswith("*")
    if (file, header) in _OTHER_TABLE:
        return _OTHER_TABLE[file, header]
    column = _canonical(header)
    known = table is not None and column in TABLES[table].names
    return CsvColumn(header, column if known else None, required, _FORMS.get(header, Form.TEXT))


def _files(declared: Mapping[str, str]) -> Mapping[str, CsvFile]:
    files = {}
    for name, words in declared.items():
        table = _TABLE_OF_FILE.get(name)
        files[name] = CsvFile(name, table, tuple(_column(name, table, word) for word in words.split()))
    return MappingProxyType(files)


CSV_FILES: Mapping[str, Mapping[str, CsvFile]] = MappingProxyType(
    {"1.1": _files(_FILES_1_1), "1.2": _files(_FILES_1_2)}
)
"""By version and by file name without ``.csv``; parents before the files that refer to them."""


def manifest_rows(
    version: str, modes: Mapping[str, FileMode], *, system_name: str = "", system_code: str = ""
) -> list[tuple[str, str]]:
    """The rows of ``manifest.csv`` below its header, in binding order; files not named in ``modes`` are absent."""
    names = sorted(CSV_FILES[version], key=str.lower)
    system = [("source.systemName", system_name), ("source.systemCode", system_code)]
    return [
        ("manifest.version", MANIFEST_VERSION),
        ("oneroster.version", version),
        *((f"file.{name}", modes.get(name, FileMode.ABSENT).value) for name in names),
        *((key, value) for key, value in system if value),
    ]


# Lists ---------------------------------------------------------------------------------------------------------------

_ITEM = r'"(?:[^"]|"")*"'
_QUOTED_LIST = rf'^\s*(?:{_ITEM}|[^",]*)\s*(?:,\s*(?:{_ITEM}|[^",]*)\s*)*$'


def split_list(cell: pl.Expr) -> pl.Expr:
    """A list cell as ``List(String)``: items trimmed, empty ones left out, null for none."""
    quoted = (
        cell.str.extract_all(rf"{_ITEM}|[^,]+")
        .list.eval(pl.element().str.strip_chars().str.replace(r'^"((?s).*)"$', "$1").str.replace_all('""', '"'))
    )  # fmt: skip
    plain = cell.str.split(",").list.eval(pl.element().str.strip_chars())
    has_quotes = cell.str.contains('"', literal=True) & cell.str.contains(_QUOTED_LIST)
    items = pl.when(has_quotes).then(quoted).otherwise(plain)
    items = items.list.eval(pl.element().filter(pl.element() != ""))
    return pl.when(items.list.len() > 0).then(items)


def format_list(items: Sequence[str]) -> str:
    """The inverse of :func:`split_list`."""
    quoted = ('"' + item.replace('"', '""') + '"' if "," in item or '"' in item else item for item in items)
    return ",".join(quoted)


# User ids ------------------------------------------------------------------------------------------------------------


def split_user_ids(cell: pl.Expr) -> pl.Expr:
    """``{LDAP:12},{SIS:7}`` as ``["LDAP:12", "SIS:7"]``; a list without braces is taken as it stands."""
    braced = cell.str.extract_all(r"\{[^{}]*\}").list.eval(pl.element().str.strip_chars("{}").str.strip_chars())
    braced = braced.list.eval(pl.element().filter(pl.element() != ""))
    has_braces = cell.str.contains("{", literal=True)
    items = pl.when(has_braces).then(braced).otherwise(split_list(cell))
    return pl.when(items.list.len() > 0).then(items)


def format_user_ids(items: Sequence[str]) -> str:
    """The inverse of :func:`split_user_ids`. Raises :class:`ValueError` for an item with a brace."""
    if any("{" in item or "}" in item for item in items):
        raise ValueError("a user id with a brace cannot be written")
    return ",".join(f"{{{item}}}" for item in items)


# Learning objectives -------------------------------------------------------------------------------------------------

_UUID = re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def strip_urn(cell: pl.Expr) -> pl.Expr:
    """A learning objective's id without ``urn:uuid:``."""
    return cell.str.replace(r"(?i)^urn:uuid:", "")


def format_objective(objective: str) -> str:
    """A learning objective's id as the binding wants it: a UUID as a URN, anything else unchanged."""
    return f"urn:uuid:{objective}" if _UUID.fullmatch(objective) else objective


# Derived ids ---------------------------------------------------------------------------------------------------------


def joined_id(*parts: pl.Expr) -> pl.Expr:
    """One id out of several, such as a 1.1 role's out of user and org. Different parts give different ids."""
    escaped = [
        part.str.replace_all("%", "%25", literal=True).str.replace_all("/", "%2F", literal=True) for part in parts
    ]
    return pl.concat_str(escaped, separator="/")


def format_joined_id(*parts: str) -> str:
    """:func:`joined_id` of one record."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


# Roles of 1.1 --------------------------------------------------------------------------------------------------------

ROLES_1_1 = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
ROLE_IN_1_1: Mapping[str, str] = MappingProxyType(
    {
        **{role: role for role in ROLES_1_1},
        **dict.fromkeys(
            ("districtAdministrator", "principal", "siteAdministrator", "systemAdministrator"), "administrator"
        ),
    }
)
"""The 1.1 word for each role that 1.1 can express."""


def roles_of_users(users: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``roles`` from 1.1 users.

    ``users`` holds the raw columns of the users file, with ``role`` (text) and ``org_id`` (a list). A user has the one
    role in each org, and it is the primary one there. A user without an org or without a role keeps a row with the
    gap, so that the check can name it; one without an id has none to say it of.
    """
    table = TABLES["roles"]
    rows = users.filter(pl.col("id").is_not_null()).explode("org_id").rename({"id": "user_id"})
    rows = rows.with_columns(
        pl.coalesce(joined_id(pl.col("user_id"), pl.col("org_id")), pl.col("user_id")).alias("id"),
        pl.lit("primary").alias("role_type"),
    )
    missing = [pl.lit(None, pl.String).alias(name) for name in table.raw_schema if name not in rows.columns]
    return rows.with_columns(missing).select(list(table.raw_schema))


# Score scales --------------------------------------------------------------------------------------------------------

_PAIR = re.compile(r"\s*\{\s*([^{}:]*?)\s*:\s*([^{}]*?)\s*\}\s*")
_NUMBER = r"[-+]?\d+(?:[.,]\d+)?\s*%?"
_BOUND = re.compile(rf"{_NUMBER}(?:\s*-\s*{_NUMBER})?")


@dataclass(frozen=True, slots=True)
class ScaleValue:
    """One step of a scale: ``lhs`` a lower bound ("94") or a range ("90 - 93"), ``rhs`` what it is worth ("A")."""

    lhs: str
    rhs: str


def parse_score_scale(cell: str) -> tuple[ScaleValue, ...]:
    """The steps of a ``scoreScaleValue`` cell, in its order.

    The binding does not say which side is the bound. It is the numeric one; where that does not decide, the second,
    as in ``{A:94}``. Raises :class:`ValueError` for a cell in another form.
    """
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(cell):
        if pairs:
            if cell[position] != ",":
                raise ValueError("a comma is missing between two steps")
            position += 1
        match = _PAIR.match(cell, position)
        if match is None or not match[1] or not match[2]:
            raise ValueError("a step is not in the form {A:94}")
        pairs.append((match[1], match[2]))
        position = match.end()
    if not pairs:
        raise ValueError("there is no step")
    first_is_bound = _all_bounds(first for first, _ in pairs) and not _all_bounds(second for _, second in pairs)
    return tuple(ScaleValue(*pair) if first_is_bound else ScaleValue(pair[1], pair[0]) for pair in pairs)


def _all_bounds(values: Iterable[str]) -> bool:
    return all(_BOUND.fullmatch(value) for value in values)


def format_score_scale(values: Sequence[ScaleValue]) -> str:
    """The inverse of :func:`parse_score_scale`.

    Raises :class:`ValueError` for a step that the form cannot carry (empty, with braces, or a colon in ``rhs``).
    """
    for value in values:
        if not value.lhs or not value.rhs or re.search("[{}]", value.lhs + value.rhs) or ":" in value.rhs:
            raise ValueError("a step of the scale cannot be written in the form {A:94}")
    return ",".join(f"{{{value.rhs}:{value.lhs}}}" for value in values)
