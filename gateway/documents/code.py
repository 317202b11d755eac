"""Verification codes: short, unguessable, and fit to be read out and typed.

Sixteen signs of Crockford's base 32 in groups of four, such as ``7K3M-Q2XW-9ABC-DEF5``: 75 random bits and a check
sign (Luhn's method with 32 signs), which notices every single wrong sign and nearly all exchanged neighbours. Small
letters, blanks and the look-alikes O, I and L are understood.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from gateway.core.errors import DataError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_LOOK_ALIKE = str.maketrans("OIL", "011")
_BASE = len(ALPHABET)


def new_code(draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A fresh code, without hyphens. ``draw(n)`` gives a number below ``n``."""
    body = "".join(ALPHABET[draw(_BASE)] for _ in range(LENGTH - 1))
    return body + _check_sign(body)


def shown(code: str) -> str:
    """A code as it is printed: in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_code(text: str) -> str:
    """A code as somebody typed it, without hyphens.

    Raises :class:`DataError` (``documents.code``) if it cannot be one.
    """
    code = "".join(text.split()).replace("-", "").upper().translate(_LOOK_ALIKE)
    if len(code) != LENGTH or any(sign not in ALPHABET for sign in code) or _check_sign(code[:-1]) != code[-1]:
        raise DataError(
            "This is no verification code: a sign is wrong or missing.",
            hint="Copy the sixteen signs from the document, such as 7K3M-Q2XW-9ABC-DEFG.",
            code="documents.code",
        )
    return code


def _check_sign(body: str) -> str:
    total = 0
    for place, sign in enumerate(reversed(body)):
        doubled = ALPHABET.index(sign) * (2 if place % 2 == 0 else 1)
        total += doubled // _BASE + doubled % _BASE
    return ALPHABET[-total % _BASE]
