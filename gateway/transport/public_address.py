"""Which addresses may be called on someone else's word: public ones only, looked up once and then held on to.

A name that is looked up twice can answer with a public address first and with one of the inner network later; so the
address that was judged is the one that is connected to.
Source: OWASP API Security Top 10 2023, API7 (server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.core.errors import ConfigurationError

PORTS = frozenset({443, 8443})


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes: the host that it names, and the address that it is sent to."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def destination(url: str, *, private: bool = False) -> Destination:
    """The destination of ``url``; only https at public addresses, unless ``private`` ones are allowed.

    Raises :class:`ConfigurationError`: ``address.url``, ``address.unknown`` or ``address.private``.
    """
    host, port, scheme, path = _parts(url, private)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a label of more than 63 signs cannot be written in the system's way
        raise ConfigurationError(
            "This host has no address.", hint="Check how it is written.", code="address.unknown"
        ) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not private and not all(is_public(each) for each in addresses):
        raise ConfigurationError(
            "This address lies in a private network.",
            hint="Use a public one, or let the district allow private ones.",
            code="address.private",
        )
    return Destination(scheme, host, port, path, addresses[0])


def _parts(url: str, private: bool) -> tuple[str, int, str, str]:
    refused = ConfigurationError(
        "This address cannot be called.",
        hint="Write https://host/path, without a user, with port 443 or 8443.",
        code="address.url",
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused from None
    schemes = {"https": 443} | ({"http": 80} if private else {})
    if parts.scheme not in schemes or not host or parts.username or parts.password or not url.isprintable():
        raise refused
    port = port or schemes[parts.scheme]
    if not private and port not in PORTS:
        raise refused
    return host, port, parts.scheme, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Whether an address is reachable from anywhere: none of a private, shared, link-local or documentation network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if found in _TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast and not found.is_reserved


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses in IPv6 (RFC 6052)."""
