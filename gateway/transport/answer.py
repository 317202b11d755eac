"""Taking in the body of an answer: whole, unpacked, and no more than the limits allow."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
import urllib3.exceptions
from requests.cookies import RequestsCookieJar

from gateway.transport import retry
from gateway.transport.retry import Limits, Resolution

_CHUNK = 64 * 1024
_ERROR_BODY = 64 * 1024
_GZIP = ("gzip", "x-gzip")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer. ``headers`` are case-insensitive; ``body`` is unpacked; ``url`` is where it came from."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    cookies: RequestsCookieJar = field(repr=False, compare=False)


def read_body(response: requests.Response, method: str, limits: Limits) -> bytes | Resolution:
    """The whole body, unpacked, or why it cannot be had. Network errors are raised as they come."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read(_CHUNK, decode_content=False):
        size += len(chunk)
        if size > limits.body_bytes:
            return retry.TOO_LARGE
        chunks.append(chunk)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    announced = response.headers.get("Content-Length", "")
    if method != "HEAD" and announced.isdigit() and int(announced) != size:
        return retry.TRUNCATED
    encoding = _encoding(response)
    if encoding == "identity" or not body:
        return body
    return _unpack(body, limits.decoded_bytes) if encoding in _GZIP else retry.ENCODING


def read_error_body(response: requests.Response) -> bytes:
    """The beginning of an error's body, for its reason; nothing if it cannot be had: the status says enough."""
    try:
        body = response.raw.read(_ERROR_BODY, decode_content=False)
        if len(body) == _ERROR_BODY:
            response.raw.close()
        else:
            response.raw.drain_conn()
    except (urllib3.exceptions.HTTPError, OSError):
        response.raw.close()
        return b""
    if _encoding(response) not in _GZIP:
        return bytes(body)
    unpacked = _unpack(body, _ERROR_BODY)
    return b"" if isinstance(unpacked, Resolution) else unpacked


def _encoding(response: requests.Response) -> str:
    return str(response.headers.get("Content-Encoding", "identity")).strip().lower()


def _unpack(body: bytes, largest: int) -> bytes | Resolution:
    """Gunzip ``body`` (one or more members) into at most ``largest`` bytes."""
    parts: list[bytes] = []
    room = largest
    try:
        while body:
            member = zlib.decompressobj(wbits=31)
            part = member.decompress(body, room + 1)
            if len(part) > room:
                return retry.TOO_LARGE
            if not member.eof:
                return retry.TRUNCATED
            parts.append(part)
            room -= len(part)
            body = member.unused_data
    except zlib.error:
        return retry.ENCODING
    return b"".join(parts)
