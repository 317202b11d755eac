"""Ids of canonical records, made of Ed-Fi's natural keys: the same at every pull and after a host is rebuilt.

An id is a kind and the parts of the key, ``class:255901001:2027:Fall:ALG-1:ALG-1-01``. A ``:`` or ``%`` within a part
is written ``%3A`` and ``%25``; of a descriptor only the code stands there. Ids of more than 200 bytes end in a digest
instead. Nothing personal is in them but the unique ids that Ed-Fi itself uses as keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import polars as pl

_LONGEST = 200


def code(element: str | pl.Expr) -> pl.Expr:
    """The code of a descriptor: ``Final`` out of ``uri://ed-fi.org/GradeTypeDescriptor#Final``."""
    value = pl.col(element) if isinstance(element, str) else element
    return value.str.replace(r"^.*#", "")


def key(kind: str, *parts: str | pl.Expr) -> pl.Expr:
    """The id of a record; null where a part of its key is missing."""
    written = [_escaped(pl.col(part) if isinstance(part, str) else part) for part in parts]
    whole = pl.concat_str([pl.lit(kind), *written], separator=":")
    return whole.map_batches(_shortened, return_dtype=pl.String, is_elementwise=True)


def below(owner: pl.Expr, *parts: str | pl.Expr) -> pl.Expr:
    """The id of a record that belongs to another: the owner's id, and what tells it apart there."""
    written = [_escaped(pl.col(part) if isinstance(part, str) else part) for part in parts]
    return pl.concat_str([owner, *written], separator=":").map_batches(
        _shortened, return_dtype=pl.String, is_elementwise=True
    )


def _escaped(value: pl.Expr) -> pl.Expr:
    return value.str.replace_all("%", "%25", literal=True).str.replace_all(":", "%3A", literal=True)


def _shortened(values: pl.Series) -> pl.Series:
    """The values, of which few or none are too long: only those go through Python."""
    lengths = values.str.len_bytes()
    if not (lengths > _LONGEST).any():
        return values
    return pl.Series(values.name, [_cut(v) if v and len(v.encode()) > _LONGEST else v for v in values], pl.String)


def _cut(value: str) -> str:
    digest = blake2b(value.encode(), digest_size=16).hexdigest()
    return f"{value.encode()[:120].decode(errors='ignore')}~{digest}"


def written_id(kind: str, parts: Iterable[str]) -> str:
    """The id of one record, as :func:`key` makes it of a frame."""
    whole = ":".join([kind, *(part.replace("%", "%25").replace(":", "%3A") for part in parts)])
    return whole if len(whole.encode()) <= _LONGEST else _cut(whole)


# What ids are made of, by what the key stands below ------------------------------------------------------------------


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def org(element: str) -> pl.Expr:
    """A school or an agency: education organization ids are unique among all of them."""
    return key("org", element)


def year(element: str) -> pl.Expr:
    return key("year", element)


def session(school: str, school_year: str, name: str) -> pl.Expr:
    return key("session", school, school_year, name)


def period(place: str, school: str = "", school_year: str = "") -> pl.Expr:
    """A grading period: its name (Data Standard 5) or its sequence (up to 4.0) tells it apart."""
    named = pl.coalesce(pl.col(_at(place, "gradingPeriodName")), pl.col(_at(place, "periodSequence")))
    return key(
        "period", school or _at(place, "schoolId"), school_year or _at(place, "schoolYear"),
        code(_at(place, "gradingPeriodDescriptor")), named,
    )  # fmt: skip


def course(organization: str, course_code: str) -> pl.Expr:
    return key("course", organization, course_code)


def section(place: str, identifier: str = "") -> pl.Expr:
    """A class; ``place`` holds the offering's key, ``identifier`` the section's own if it stands elsewhere."""
    return key("class", *section_parts(place, identifier))


def section_parts(place: str, identifier: str = "") -> list[str]:
    names = ("schoolId", "schoolYear", "sessionName", "localCourseCode")
    return [*(_at(place, name) for name in names), identifier or _at(place, "sectionIdentifier")]


def entry(place: str, section_place: str) -> pl.Expr:
    """A gradebook entry: namespace and identifier (from 4.0), or its section, title and date (up to 3.3)."""
    newer = key("entry", _at(place, "namespace"), _at(place, "gradebookEntryIdentifier"))
    parts = section_parts(section_place)
    older = key("entry", *parts, _at(place, "gradebookEntryTitle"), _at(place, "dateAssigned"))
    return pl.coalesce(newer, older)


def student(element: str | pl.Expr) -> pl.Expr:
    return key("student", element)


def staff(element: str) -> pl.Expr:
    return key("staff", element)


def contact(element: str) -> pl.Expr:
    """A contact, which was called a parent up to Data Standard 4.0."""
    return key("contact", element)
