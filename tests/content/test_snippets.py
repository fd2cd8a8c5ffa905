import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.search import parse
from content.snippets import hit
from content.types import SearchHit
from tests.content.test_present import make_post


def snippet(text: str, query: str, limit: int = 350) -> str:
    return found(text, query, limit).snippet


def found(text: str, query: str, limit: int = 350) -> SearchHit:
    return hit(make_post(text=text), parse(query), limit)


def marked(hit: SearchHit) -> str:
    """The snippet with its matches in brackets."""
    text = hit.snippet
    for start, end in reversed(hit.spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


FILLER = "Nothing of interest stands here. "


def test_a_short_text_is_its_own_snippet() -> None:
    assert snippet("  Some\n text ", "text") == "Some text"


def test_without_a_match_the_text_begins() -> None:
    assert snippet(FILLER * 20, "lora", 40) == "Nothing of interest stands here. Nothing..."


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("微调", "ＬｏＲＡ微調"),
        ("lora", "ＬｏＲＡ微調"),
        ("資料庫", "数据与资料库"),
        ("C++", "in C++17 and"),
        ("deepseekv3", "by DeepSeek-V3"),
        ("mice", "MICE"),
        ("runs", "running shoes"),
        ("runn*", "running shoes"),
        ("库", "数据与资料库"),
        ("cafe\u0301", "a Café there"),
        ("café", "a Cafe\u0301 there"),
        ("한국", "\u1112\u1161\u11ab국어"),
    ],
)
def test_the_snippet_shows_the_place(query: str, place: str) -> None:
    shown = snippet(FILLER * 20 + place + " " + FILLER * 20, query, 80)
    assert place in shown
    assert shown.startswith("...") and shown.endswith("...")


def test_the_stretch_with_most_of_the_words_is_shown() -> None:
    text = "alpha " + FILLER * 10 + "alpha alpha " + FILLER * 10 + "beta with alpha " + FILLER * 10
    assert "beta with alpha" in snippet(text, "alpha beta", 80)


def test_a_snippet_at_the_end_has_no_dots_there() -> None:
    assert snippet(FILLER * 20 + "the end lora", "lora", 40).endswith("the end lora")


@given(
    st.lists(
        st.sampled_from(
            ["微調", "LoRA", "ﬁne-tuning", "é", "\u0301", "ß", "İ", "\u200d", "ﷺ", "，", " ", "長"]
        )
    ),
    st.sampled_from(["微调", "lora", "fine", "長", '"é ss"', "fi*"]),
    st.integers(1, 60),
)
def test_a_snippet_is_a_piece_of_the_text(pieces: list[str], query: str, limit: int) -> None:
    text = "".join(pieces)
    flat = " ".join(text.split())
    shown = snippet(text, query, limit)
    assert shown.removeprefix("...").removesuffix("...") in flat
    assert len(shown) <= limit + 6


@given(st.text(), st.text(), st.integers(1, 50))
def test_any_text_has_a_snippet(text: str, query: str, limit: int) -> None:
    made = found(text, query, limit)
    ends = [place for span in made.spans for place in span]
    assert ends == sorted(set(ends)) and all(0 <= place <= len(made.snippet) for place in ends)


@pytest.mark.parametrize(
    ("query", "text", "shown"),
    [
        ("微調 LoRA", "用ＬｏＲＡ微调模型", "用[ＬｏＲＡ微调]模型"),
        ("大模型", "训练大模型", "训练[大模型]"),
        ("型", "训练大模型", "训练大模[型]"),
        ("大", "训练大模型", "训练[大]模型"),
        ("runs", "He ran, running on", "He ran, [running] on"),
        ("deep*", "Deeper DeepSeek-V3", "[Deeper] [DeepSeek]-V3"),
        ("deepseekv3", "The DeepSeek-V3.", "The [DeepSeek-V3]."),
        ("👩‍🚀", "to 👩🏽‍🚀 and 👩 go", "to [👩🏽‍🚀] and 👩 go"),
        ("❤", "with ❤️!", "with [❤️]!"),
        ("nothing", "with text", "with text"),
        ('"a b"', "a a b", "a [a b]"),
    ],
)
def test_matches_are_marked(query: str, text: str, shown: str) -> None:
    assert marked(found(text, query)) == shown


def test_matches_in_a_piece_are_marked() -> None:
    made = found(FILLER * 20 + "with LoRA here " + FILLER * 20, "lora", 80)
    assert [made.snippet[start:end] for start, end in made.spans] == ["LoRA"]


def test_a_match_that_the_snippet_cuts_off_is_not_marked() -> None:
    made = found(FILLER * 2 + "lora", '"nothing of interest" lora', 20)
    assert all(made.snippet[start:end] for start, end in made.spans)
