"""Typing errors: which words of the index a misspelt word may stand for. Pure functions.

An error is a letter too many, a letter too few, a wrong letter, or two neighbours in the wrong order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

SHORTEST, LONGEST = 4, 24  # letters of words that are corrected
LONG = 8  # letters from which on two errors are forgiven
SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Near:
    """What to look up for a word: the words that begin or end so, and have that many letters.

    One of both is right in every word with one error. With two errors, begin or end may be wrong together,
    and then the word is not found.
    """

    begin: str
    end: str
    shortest: int
    longest: int


def is_correctable(word: str) -> bool:
    """Whether a folded word is long enough, and of letters alone."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def lookups(word: str) -> list[tuple[int, Near]]:
    """What to look up for a misspelt word, with the number of errors: one, and two in a long word."""
    size = len(word)
    # With one error, either what precedes the middle letter is right or what follows it. Two letters that
    # changed places around it break neither.
    half, third = (size - 1) // 2, size // 3
    one = Near(word[:half], word[half + 1 :], size - 1, size + 1)
    two = Near(word[:third], word[-third:], size - 2, size + 2)
    return [(1, one), (2, two)] if size >= LONG else [(1, one)]


def nearest(word: str, known: Iterable[tuple[str, int]], errors: int) -> list[str]:
    """The words that `word` may stand for, the likeliest first. `known` are words with their posts' number.

    People seldom mistype the first letter, so words that share it come before others.
    """
    letters = _letters(word)
    found = []
    for other, posts in known:
        # An error changes at most two letters of the set of all.
        if other == word or (letters ^ _letters(other)).bit_count() > 2 * errors:
            continue
        if (distance := edits(word, other, errors)) <= errors:
            found.append((distance, other[0] != word[0], -posts, other))
    return [other for *_, other in sorted(found)[:SUGGESTIONS]]


def edits(one: str, other: str, most: int) -> int:
    """The errors between two words (optimal string alignment); above `most`, any number above it."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def _letters(word: str) -> int:
    """The set of a word's letters as bits."""
    return reduce(lambda bits, letter: bits | 1 << (ord(letter) & 31), word, 0)
