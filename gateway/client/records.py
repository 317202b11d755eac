"""What the API answers about jobs, webhooks, the audit and the sandbox; see :mod:`gateway.client.answers`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.client.answers import Answer


class JobError(Answer, frozen=True, kw_only=True):
    """Why a job failed."""

    code: str
    message: str
    hint: str
    line: int | None = None


class Job(Answer, frozen=True, kw_only=True):
    """A file at work. ``results``: the tables to fetch, with their rows."""

    id: str
    kind: str
    state: str
    bytes: int
    rows_done: int
    results: dict[str, int]
    error: JobError | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime


class JobList(Answer, frozen=True, kw_only=True):
    """A page of a list; ``next`` is the cursor of the page behind it."""

    jobs: tuple[Job, ...]
    next: str | None


class Webhook(Answer, frozen=True, kw_only=True):
    """An address that is told of events."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """A webhook with the secret that signs its deliveries, which is shown this once."""

    secret: str


class WebhookList(Answer, frozen=True, kw_only=True):
    """A whole list."""

    webhooks: tuple[Webhook, ...]


class Delivery(Answer, frozen=True, kw_only=True):
    """One event for one webhook, with the answer of the last attempt."""

    id: str
    event_id: str
    event: str
    payload: dict[str, Any]
    state: str
    attempts: int
    status: int | None
    failure: str | None
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryList(Answer, frozen=True, kw_only=True):
    """A page of a list; ``next`` is the cursor of the page behind it."""

    deliveries: tuple[Delivery, ...]
    next: str | None


class Entry(Answer, frozen=True, kw_only=True):
    """Who did what with the data of the district."""

    number: int
    at: datetime
    actor: str
    action: str
    subjects: int
    detail: dict[str, Any]
    previous: str
    digest: str


class EntryList(Answer, frozen=True, kw_only=True):
    """A page of a list; ``next`` is the cursor of the page behind it."""

    entries: tuple[Entry, ...]
    next: str | None


class Reset(Answer, frozen=True, kw_only=True):
    """What a reset of the sandbox made and removed."""

    students: int
    removed: dict[str, int]


class SwitchedFault(Answer, frozen=True, kw_only=True):
    """A fault that is switched on, and how often it struck."""

    kind: str
    path: str
    every: int
    next: int | None
    seconds: int
    retry_after: int
    seen: int
    struck: int


class SwitchedFaults(Answer, frozen=True, kw_only=True):
    """A whole list."""

    faults: tuple[SwitchedFault, ...]


class Fault(Answer, frozen=True, kw_only=True):
    """One value that is wrong."""

    pointer: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""
    line: int | None = None


class Problem(Answer, frozen=True, kw_only=True):
    """A failure, as the API tells it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    hint: str = ""
    errors: tuple[Fault, ...] = ()
