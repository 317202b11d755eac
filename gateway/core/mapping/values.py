"""The kinds of values that can stand in a mapping file; none is ever cast by guess."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from gateway.core.errors import did_you_mean


class Text(fields.Field[str]):
    """A text. Numbers are not turned into text, because ``1.10`` would become ``1.1``: they must be quoted."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            raise ValidationError(f'A text is expected here; write "{value}" in quotes.')
        raise ValidationError("A text is expected here.")


class Word(Text):
    """A text out of a closed vocabulary."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        word = super()._deserialize(value, attr, data, **kwargs)
        if word not in self.words:
            hint = did_you_mean(word, self.words) or f" Allowed: {', '.join(self.words)}."
            raise ValidationError(f'"{word}" is not known here.{hint}')
        return word


class Texts(fields.Field[tuple[str, ...]]):
    """One text, or a list of texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        if not items:
            raise ValidationError("At least one text is expected here.")
        text = Text(required=True)
        return tuple(text._deserialize(item, None, None) for item in items)


class Number(fields.Field[Decimal]):
    """An exact number, optionally bounded."""

    def __init__(self, *, at_least: str | None = None, at_most: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_least = None if at_least is None else Decimal(at_least)
        self.at_most = None if at_most is None else Decimal(at_most)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValidationError("A number is expected here.")
        number = Decimal(value)
        if self.at_least is not None and number < self.at_least:
            raise ValidationError(f"The number must be at least {self.at_least}.")
        if self.at_most is not None and number > self.at_most:
            raise ValidationError(f"The number must be at most {self.at_most}.")
        return number


class Count(fields.Field[int]):
    """A whole number of at least ``least``."""

    def __init__(self, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("A whole number is expected here.")
        if value < self.least:
            raise ValidationError(f"The number must be at least {self.least}.")
        return value


class Flag(fields.Field[bool]):
    """``true`` or ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("true or false is expected here.")
        return value


class Day(fields.Field[datetime.date]):
    """A date such as 2026-08-15."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime.date:
        try:
            return datetime.date.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValidationError("A date such as 2026-08-15 is expected here.") from None
