"""Web addresses, compared and joined without surprises."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an absolute address; the scheme's own port when it names none; empty if malformed."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)
    except ValueError:
        return "", "", None


def absolute(url: str, reference: str) -> str:
    """The address that ``reference`` means on the page ``url``; empty if it is malformed."""
    try:
        return urljoin(url, reference)
    except ValueError:
        return ""
