"""The terms of CLR 2.0 for JSON-LD, stated here because no package under a free licence carries the published file.

What a term stands for decides what is signed; the names and addresses below are those of the 1EdTech CLR vocabulary,
and the tests hold every public sample to the same statements as the published context gives. A published file in the
folder of contexts goes before this table.
"""

from __future__ import annotations

from typing import Any

_CLR = "https://purl.imsglobal.org/spec/vc/clr/vocab.html#"
_CREDENTIALS = "https://www.w3.org/2018/credentials#"
_KEYWORDS = {"id": "@id", "type": "@type"}


def clr_context(*, badges: str, identifier: bool, partial: bool) -> dict[str, Any]:
    """The context of one version: ``badges`` is the vocabulary of Open Badges that it refers to."""
    subject = _sets({
        "achievement": ("achievement", f"{badges}Achievement"),
        "association": ("association", f"{_CLR}Association"),
        "verifiableCredential": ("verifiableCredential", f"{_CREDENTIALS}verifiableCredential"),
    } | ({"identifier": ("identifier-1", f"{badges}Identifier")} if identifier else {}))  # fmt: skip
    credential = {"partial": {"@id": f"{_CLR}partial", "@type": "xsd:boolean"}} if partial else {}
    ends = {end: {"@id": f"{_CLR}{end}", "@type": "xsd:anyURI"} for end in ("sourceId", "targetId")}
    kind = {"associationType": {"@id": f"{_CLR}AssociationType"}}
    terms = {
        "ClrCredential": _scoped("ClrCredential", _KEYWORDS | credential),
        "ClrSubject": _scoped("ClrSubject", _KEYWORDS | {"cred": _CREDENTIALS, "obi": badges} | subject),
        "Association": _scoped("Association", kind | ends),
    }
    return {"@context": _KEYWORDS | terms}


def _sets(terms: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {term: {"@id": _CLR + name, "@type": kind, "@container": "@set"} for term, (name, kind) in terms.items()}


def _scoped(name: str, terms: dict[str, Any]) -> dict[str, Any]:
    return {"@id": _CLR + name, "@context": terms}
