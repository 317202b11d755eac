"""The nearest of many words is the one that the standard library finds by comparing all."""

from __future__ import annotations

import difflib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.nearest import Nearest

LETTERS = st.text("AB.12é", max_size=9)
CODES = st.builds(
    "{}.{}.{}.{}".format, st.sampled_from(["M", "MATH"]), st.integers(1, 12), st.sampled_from(["NQ", "QN"]),
    st.integers(0, 9),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(words=st.sets(LETTERS, max_size=30) | st.sets(CODES, max_size=40), word=LETTERS | CODES)
@example(words={"AB", "BA"}, word="AB1")
@example(words={""}, word="A")
@example(words=set(), word="A")
def test_the_nearest_word_is_that_of_the_standard_library(words: set[str], word: str) -> None:
    expected = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    assert Nearest(words).find(word) == (expected[0] if expected else None)


def test_a_long_text_is_compared_as_well() -> None:
    words = ["a" * 190 + str(n) for n in range(50)] + ["b" * 300]
    for word in ("a" * 250, "b" * 299, "c" * 250):
        expected = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
        assert Nearest(words).find(word) == (expected[0] if expected else None)
