from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.typos import LONG, SHORTEST, SUGGESTIONS, edits, is_correctable, lookups, nearest

letters = st.sampled_from(ascii_lowercase[:6])
words = st.text(letters, min_size=SHORTEST, max_size=12)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("sourdough", "sourdough", 0),
        ("sourdogh", "sourdough", 1),
        ("sourdouhg", "sourdough", 1),
        ("soourdough", "sourdough", 1),
        ("sourdoagh", "sourdough", 1),
        ("sordogh", "sourdough", 2),
        ("ab", "ba", 1),
        ("abc", "cab", 2),
        ("", "a", 1),
        ("sourdough", "cheese", 3),
    ],
)
def test_edits(one: str, other: str, expected: int) -> None:
    assert edits(one, other, 2) == edits(other, one, 2) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("rye", False), ("bread", True), ("gpt4", False), ("a" * 25, False), ("don't", False), ("радио", True)],
)
def test_which_words_are_corrected(word: str, expected: bool) -> None:
    assert is_correctable(word) is expected


def slip(word: str, at: int, kind: int, letter: str) -> str:
    """The word with one error."""
    swapped = word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]
    return [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        swapped,
        word[:at] + letter + word[at + 1 :],
    ][kind]


@given(words, st.integers(0, 11), st.integers(0, 3), letters)
def test_every_word_with_one_error_is_looked_up(word: str, at: int, kind: int, letter: str) -> None:
    typed = slip(word, min(at, len(word) - 1), kind, letter)
    assert edits(typed, word, 1) <= 1
    if typed != word and is_correctable(typed):
        (errors, near), *_ = lookups(typed)
        assert errors == 1
        assert word.startswith(near.begin) or word.endswith(near.end)
        assert near.shortest <= len(word) <= near.longest
        assert nearest(typed, [(word, 1)], 1) == [word]


def test_only_long_words_may_have_two_errors() -> None:
    assert [errors for errors, _ in lookups("a" * LONG)] == [1, 2]
    assert [errors for errors, _ in lookups("a" * (LONG - 1))] == [1]


def test_the_likeliest_word_comes_first() -> None:
    known = [("coast", 900), ("roast", 1), ("boast", 7), ("roost", 5), ("rust", 1), ("roosts", 3)]
    assert nearest("roost", known, 1) == ["roosts", "roast"], "not the word itself"
    assert nearest("voast", known, 1) == ["coast", "boast", "roast"], (
        "at most three, those of many posts first"
    )
    assert nearest("vast", known, 1) == []
    assert len(nearest("aaaa", [(f"aaa{letter}", 1) for letter in ascii_lowercase], 1)) == SUGGESTIONS
