"""Frameworks from a provider over REST: the list of documents, then each document's package.

CASE has no delta. A package is fetched again only if its document's ``lastChangeDateTime`` is another than that of the
copy kept in the connection's work folder; a pull of everything (``since`` is ``None``) fetches all.

Source: 1EdTech CASE 1.0 and 1.1, REST binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.case.pages import contents, list_digest, make_pages, start_of
from connectors.case.settings import VERSIONS
from gateway.sdk import (
    FRAMEWORK_TABLES,
    Bearer,
    CasePackages,
    CheckItem,
    ConfigurationError,
    Context,
    DataError,
    GatewayError,
    HttpClient,
    IncompletePullError,
    Limits,
    OAuth2ClientCredentials,
    Page,
    PageRequest,
    Received,
    RejectedError,
    atomic_file,
    case_identifier,
    decode_page,
    decode_records,
    did_you_mean,
    empty,
    fetch_pages,
    follow_offsets,
    normal_id,
    origin,
    read_packages,
)

_LIST = "CFDocuments"
_NOT_FOUND = 404
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Document:
    """One framework as the provider lists it. ``package_uri`` is where it says that the package is."""

    id: str
    title: str
    changed: str | None
    package_uri: str | None


class Provider:
    """A CASE provider, asked for documents and packages."""

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = settings
        self.context = context
        self.copies = context.work / "packages"
        self.base = settings["base_url"].rstrip("/") + VERSIONS[settings["version"]]
        self.client = self._client(self.base, with_credentials=True)

    def check(self) -> Iterator[CheckItem]:
        """The list, the chosen frameworks, and the first one's package."""
        step = "list of frameworks"
        try:
            listed = self._listed()
            titles = ", ".join(document.title for document in listed[:_SHOWN])
            yield CheckItem(step, True, f"{len(listed)} listed: {titles}" + (" …" if listed[_SHOWN:] else ""))
            step = "chosen frameworks"
            chosen = self._choose(listed)
            yield CheckItem(step, True, f"{len(chosen)} of {len(listed)}")
            for document in chosen[:1]:
                step = "first package"
                found, _ = self._read(document, self._fetch(document))
                yield CheckItem(step, True, contents(found))
        except GatewayError as error:
            yield CheckItem(step, False, error.message, error.hint)

    def pull(self, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        """One page a framework, by identifier."""
        documents = self._choose(self._listed())
        if not documents:
            frames = {table: empty(table, raw=True) for table in FRAMEWORK_TABLES}
            yield Page(frames, None, ("The provider lists no frameworks.",))
        digest = list_digest((document.id, document.changed) for document in documents)
        start = start_of(resume, count=len(documents), digest=digest) if documents else 0
        entries = ((each.title, self._package(each, fresh=since is None)) for each in documents[start:])
        yield from make_pages(entries, start=start, count=len(documents), digest=digest)
        self._forget_copies(documents)

    def _listed(self) -> list[Document]:
        first = PageRequest(_LIST, {"limit": str(self.settings["page_size"]), "offset": "0"})
        found: dict[str, Document] = {}
        for page, _ in fetch_pages(first, self._fetch_list, follow_offsets):
            found |= {document.id: document for document in page.content}
        return sorted(found.values(), key=lambda document: document.id)

    def _fetch_list(self, request: PageRequest) -> Received[Sequence[Document]]:
        try:
            answer = self.client.request("GET", request.path, params=request.params)
        except RejectedError as error:
            if error.status != _NOT_FOUND:
                raise
            raise ConfigurationError(
                f"There is no CASE service at {self.base} (it answers 404).",
                hint="Check base_url and version in the settings of this connection.",
                code="case.no-service",
            ) from error
        records = decode_records(answer.body, dict[str, Any], (_LIST,), source=f"{_LIST} page {request.number}")
        documents = [_document(record) for record in records.items]
        if records.faults or None in documents:
            raise IncompletePullError(
                "The list of frameworks has an entry that cannot be read or has no identifier.",
                hint="Ask the provider to mend it; nothing is removed meanwhile.",
                code="page.unreadable-entry",
            )
        listed = [document for document in documents if document]
        return Received(answer, [document.id for document in listed], listed)

    def _choose(self, listed: Sequence[Document]) -> list[Document]:
        """The documents that the settings name, or all."""
        wanted = self.settings["documents"]
        if not wanted:
            return list(listed)
        chosen: dict[str, Document] = {}
        for word in wanted:
            named = [each for each in listed if normal_id(word) == each.id or word.strip() == each.title]
            if len(named) != 1:
                raise self._not_chosen(word, named, listed)
            chosen[named[0].id] = named[0]
        return sorted(chosen.values(), key=lambda document: document.id)

    def _not_chosen(self, word: str, named: Sequence[Document], listed: Sequence[Document]) -> ConfigurationError:
        if named:
            ids = ", ".join(document.id for document in named)
            return ConfigurationError(
                f'{len(named)} frameworks are called "{word}".',
                hint=f"Name one by its identifier in documents: {ids}.",
                code="case.ambiguous-document",
            )
        titles = [document.title for document in listed]
        return ConfigurationError(
            f'The provider lists no framework "{word}".{did_you_mean(word, titles)}',
            hint=f"Correct documents in the settings. There are: {', '.join(titles[:_SHOWN]) or 'none'}.",
            code="case.unknown-document",
        )

    def _package(self, document: Document, *, fresh: bool) -> CasePackages:
        """The package, out of the kept copy if the document has not changed since."""
        copy = self._copy(document)
        if copy is not None and copy.exists() and not fresh:
            try:
                return self._read(document, copy.read_bytes())[0]
            except GatewayError:
                copy.unlink()
        try:
            found, body = self._read(document, self._fetch(document))
        except IncompletePullError as error:
            if not error.code.startswith("page."):
                raise
            found, body = self._read(document, self._fetch(document))
        if copy is not None:
            self.copies.mkdir(parents=True, exist_ok=True)
            with atomic_file(copy) as out:
                out.write(body)
        return found

    def _read(self, document: Document, body: bytes) -> tuple[CasePackages, bytes]:
        source = f"CFPackages/{document.id}"
        try:
            found = read_packages(decode_page(body, dict[str, Any], source=source), source=source)
        except DataError as error:
            raise IncompletePullError(
                f'The answer for "{document.title}" is not a CASE package.',
                hint="Nothing is removed for it; the next run asks again.",
                code="page.not-a-package",
                place=error.place,
            ) from error
        if found.frames["frameworks"]["id"].to_list() != [document.id]:
            raise IncompletePullError(
                f'The answer for "{document.title}" is the package of another framework.',
                hint="Ask the provider to correct the document's CFPackageURI; nothing is removed meanwhile.",
                code="page.other-framework",
            )
        return found, body

    def _fetch(self, document: Document) -> bytes:
        """The package from where the document says it is, if that is a place we may ask; else from the usual place."""
        usual = f"CFPackages/{quote(document.id, safe='')}"
        for client, address in (*self._announced(document), (self.client, usual)):
            try:
                return client.request("GET", address).body
            except RejectedError as error:
                if error.status != _NOT_FOUND:
                    raise
                missing = error
        raise RejectedError(
            f'{urlsplit(self.base).hostname} lists the framework "{document.title}" but has no package of it (404).',
            hint="Ask the provider to publish it, or name the frameworks to pull in documents.",
            code="case.no-package",
            detail=str(missing),
        ) from missing

    def _announced(self, document: Document) -> Iterator[tuple[HttpClient, str]]:
        uri = document.package_uri or ""
        try:
            scheme, host, _ = place = origin(uri)
        except ValueError:  # it is no address
            return
        if place == origin(self.base):
            yield self.client, uri
        elif scheme == "https" and host in (each.lower() for each in self.settings["package_hosts"]):
            yield self._client(uri, with_credentials=False), uri

    def _client(self, base_url: str, *, with_credentials: bool) -> HttpClient:
        bundle = self.settings["ca_bundle"]
        size = self.settings["max_megabytes"] * 1024 * 1024
        return HttpClient.for_connection(
            self.context,
            base_url=base_url,
            auth=_auth(self.settings["auth"]) if with_credentials else None,
            limits=Limits(attempt_seconds=self.settings["timeout_seconds"], body_bytes=size, decoded_bytes=size),
            ca_bundle=self.context.folder / bundle if bundle else None,
        )

    def _copy(self, document: Document) -> Path | None:
        """Where the package is kept under the document's state; nowhere if the provider does not tell that."""
        if document.changed is None:
            return None
        return self.copies / f"{list_digest((self.base, document.id, document.changed))}.json"

    def _forget_copies(self, documents: Sequence[Document]) -> None:
        kept = {self._copy(document) for document in documents}
        for file in self.copies.glob("*.json"):
            if file not in kept:
                file.unlink()


def _document(record: Mapping[str, Any]) -> Document | None:
    """``None`` for an entry without an identifier, or with something else in the place of a text."""
    id = case_identifier(record)
    link = record.get("CFPackageURI")
    uri = link.get("uri") if isinstance(link, dict) else link
    title, changed = (record.get(name) or None for name in ("title", "lastChangeDateTime"))
    if id is None or not all(text is None or isinstance(text, str) for text in (title, changed)):
        return None
    return Document(id, title or id, changed, uri if isinstance(uri, str) else None)


def _auth(settings: Mapping[str, Any] | None) -> Bearer | OAuth2ClientCredentials | None:
    if settings is None:
        return None
    if settings["type"] == "bearer":
        return Bearer(settings["token"])
    return OAuth2ClientCredentials(
        token_url=settings["token_url"],
        client_id=settings["client_id"],
        client_secret=settings["client_secret"],
        scope=" ".join(settings["scopes"]),
        style=settings["style"],
    )
