"""Titles that tell the same story, and titles that do not, in English and Chinese."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from content.stories import same_story, title_of

LINES = Path(__file__).with_name("titles.txt").read_text(encoding="utf-8").splitlines()
PAIRS: list[tuple[bool, str, str]] = [
    (line[0] == "=", a, b) for line in LINES if line[0] in "=!" for a, b in [line[2:].split(" | ", 1)]
]


def same(a: str, b: str) -> bool:
    one, other = title_of(a), title_of(b)
    return one is not None and other is not None and same_story(one, other)


def test_most_stories_are_recognised_and_no_two_are_taken_for_one() -> None:
    """A story that is not recognised comes twice; two that are taken for one would lose one of them."""
    assert len(PAIRS) > 200
    wrong = [(a, b) for is_same, a, b in PAIRS if not is_same and same(a, b)]
    missed = [(a, b) for is_same, a, b in PAIRS if is_same and not same(a, b)]
    assert wrong == []
    assert len(missed) <= 0.1 * sum(is_same for is_same, _, _ in PAIRS), missed


def test_titles_of_a_story_have_a_key_in_common() -> None:
    for _, a, b in PAIRS:
        one, other = title_of(a), title_of(b)
        assert same(a, b) == same(b, a)
        if one and other and same_story(one, other):
            assert one.keys & other.keys


@given(st.text(max_size=80))
def test_any_text_is_a_title_or_none(text: str) -> None:
    title = title_of(text)
    assert title is None or same_story(title, title)
