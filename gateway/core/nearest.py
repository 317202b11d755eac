"""The nearest of thousands of words, found without comparing each of them.

The answer is that of :func:`difflib.get_close_matches`. Its ratio can be no larger than two cheap bounds: the letters
that two words share in any order, counted for all words at once with whole numbers as sets of bits, and their longest
common subsequence. Only words that could still be nearer than the best one are compared.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

CUTOFF = 0.6
"""Words that share less are not near; as in :func:`difflib.get_close_matches`."""


class Nearest:
    """Words in which the nearest to another word can be looked up; making this costs about 5 µs a word."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(words)
        having: dict[tuple[str, int], list[int]] = defaultdict(list)
        of_length: dict[int, list[int]] = defaultdict(list)
        for place, word in enumerate(self._words):
            of_length[len(word)].append(place)
            for sign in _numbered(word):
                having[sign].append(place)
        self._having = {sign: self._as_bits(places) for sign, places in having.items()}
        self._of_length = {length: self._as_bits(places) for length, places in of_length.items()}

    def find(self, word: str) -> str | None:
        """The word with the highest ratio (of equal ones the last in order), or nothing if none is near."""
        matcher = difflib.SequenceMatcher(b=word)
        signs, least = _places(word), CUTOFF
        best: str | None = None
        for bound, words in self._bounded(word):
            if bound < least:
                break
            for each in words:
                if _ratio(_longest_common(word, signs, each), len(word) + len(each)) < least:
                    continue
                matcher.set_seq1(each)
                ratio = matcher.ratio()
                if ratio >= least and (best is None or (ratio, each) > (least, best)):
                    least, best = ratio, each
        return best

    def _bounded(self, word: str) -> Iterator[tuple[float, Iterator[str]]]:
        """The words by the highest ratio that the letters shared with ``word`` allow, highest first."""
        digits = self._counted(word)
        found = []
        for length, words in self._of_length.items():
            for shared in range(min(length, len(word)), -1, -1):
                bound = _ratio(shared, length + len(word))
                if bound < CUTOFF:
                    break
                chosen = _with_count(shared, digits, words)
                if chosen:
                    found.append((bound, chosen))
        for bound, chosen in sorted(found, reverse=True):
            yield bound, self._chosen(chosen)

    def _counted(self, word: str) -> list[int]:
        """How many letters each word shares with ``word``, as binary digits: one set of words for each digit."""
        digits: list[int] = []
        for sign in _numbered(word):
            carry = self._having.get(sign, 0)
            for place, digit in enumerate(digits):
                digits[place], carry = digit ^ carry, digit & carry
            if carry:
                digits.append(carry)
        return digits

    def _as_bits(self, places: Sequence[int]) -> int:
        bits = bytearray(len(self._words) // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def _chosen(self, bits: int) -> Iterator[str]:
        while bits:
            place = bits.bit_length() - 1
            bits ^= 1 << place
            yield self._words[place]


def _numbered(word: str) -> Iterator[tuple[str, int]]:
    """The letters of a word, each with how often it stood before."""
    seen: Counter[str] = Counter()
    for letter in word:
        yield letter, seen[letter]
        seen[letter] += 1


def _with_count(count: int, digits: Sequence[int], words: int) -> int:
    """Those of ``words`` whose number in binary ``digits`` is ``count``."""
    if count >> len(digits):
        return 0
    for place, digit in enumerate(digits):
        words &= digit if count >> place & 1 else ~digit
    return words


def _places(word: str) -> Mapping[str, int]:
    """Where each letter stands, as bits."""
    places: dict[str, int] = defaultdict(int)
    for place, letter in enumerate(word):
        places[letter] |= 1 << place
    return dict(places)


def _longest_common(word: str, places: Mapping[str, int], other: str) -> int:
    """The length of the longest common subsequence, with one step for each letter of ``other`` (Hyyrö 2004)."""
    whole = (1 << len(word)) - 1
    row = whole
    for letter in other:
        met = row & places.get(letter, 0)
        row = (row + met) | (row - met)
    return len(word) - (row & whole).bit_count()


def _ratio(shared: int, letters: int) -> float:
    """As :mod:`difflib` has it: of all letters of two words, how many are shared."""
    return 2.0 * shared / letters if letters else 1.0
