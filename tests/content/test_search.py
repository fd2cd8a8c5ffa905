from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.search import MAX_PREFIXES, MAX_UNITS, AnyOf, Phrase, Query, Variant, parse, snippet


def unit(*terms: Phrase | Variant) -> AnyOf:
    return AnyOf(terms)


def phrase(*tokens: str, prefix: bool = False) -> Phrase:
    return Phrase(tokens, prefix)


LORA = unit(phrase("lora"), Variant("lora"))


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("LoRA", [LORA]),
        ("微调", [unit(phrase("微调"))]),
        ("大模型", [unit(phrase("大模", "模型"))]),
        ("微", [unit(phrase("微", prefix=True))]),
        ("資料庫", [unit(phrase("资料", "料库"))]),
        ("用lora微调", [unit(phrase("用", prefix=True)), LORA, unit(phrase("微调"))]),
        ("tokens", [unit(phrase("tokens"), phrase("token"), Variant("token"))]),
        ('"tokens"', [unit(phrase("tokens"))]),
        ("DeepSeek-V3", [unit(phrase("deepseek", "v3"), phrase("deepseekv3"), Variant("deepseekv3"))]),
        ("3.14", [unit(phrase("3", "14"))]),
        ("C++", [unit(phrase("cpp"), Variant("cpp"))]),
        ("what?", [unit(phrase("what"), Variant("what"))]),
        ("trans*", [unit(phrase("trans", prefix=True))]),
        ("deepseek-v*", [unit(phrase("deepseek", "v", prefix=True), phrase("deepseekv", prefix=True))]),
        ('"large lang"*', [unit(phrase("large", "lang", prefix=True))]),
        ('"用 LoRA 微调"', [unit(phrase("用", "lora", "微调"))]),
        ('"LoRA 微"', [unit(phrase("lora", "微", prefix=True))]),
        ("“大模型”", [unit(phrase("大模", "模型"))]),
        ("「LoRA」", [unit(phrase("lora"))]),
        ('lora "', [LORA]),
        ('lora lora "', [LORA]),
        ("a/b", [unit(phrase("a"), Variant("a")), unit(phrase("b"), Variant("b"))]),
    ],
)
def test_units(query: str, units: list[AnyOf]) -> None:
    assert parse(query) == Query(units=tuple(units))


@pytest.mark.parametrize(
    "query", ["", " ", '"', '""', "*", "-", '-"', "- *", "?!", "~", "'", "\\", "\0", "-lora"]
)
def test_nothing_to_look_for(query: str) -> None:
    assert parse(query).empty


def test_exclusions() -> None:
    query = parse('lora -"large model" -微调 -用lora －c#')
    assert query.units == (LORA,)
    assert query.excluded == (
        unit(phrase("large", "model")),
        unit(phrase("微调")),
        unit(phrase("用", "lora")),
        unit(phrase("csharp"), Variant("csharp")),
    )


def test_a_hyphen_within_a_word_excludes_nothing() -> None:
    assert not parse("fine-tuning").excluded


def test_filters() -> None:
    query = parse('lora Source:"Hacker News" source:博客 tag：ml tag:AI after:2025-01-02 before:2025-02-01')
    assert query == Query(
        units=(LORA,),
        sources=("Hacker News", "博客"),
        tags=("ml", "AI"),
        after=date(2025, 1, 2),
        before=date(2025, 2, 1),
    )


def test_filters_that_cannot_be_understood_are_named() -> None:
    query = parse('lora before:2025-13-01 after:soon -tag:ml tag:""')
    assert query == Query(units=(LORA,), problems=("before:2025-13-01", "after:soon", "-tag:ml", 'tag:""'))


def test_a_colon_without_a_value_is_text() -> None:
    assert parse("source: https://example.com") == parse("source https example.com")


def test_long_queries_are_cut() -> None:
    query = parse(" ".join(f"w{n}" for n in range(60)) + " -x" * 1_000)
    assert len(query.units) == MAX_UNITS
    assert query.excluded == ()


@given(st.text() | st.text(st.sampled_from("\"*-: ~'\\微lora+#.")) | st.text().map(lambda text: text * 500))
def test_any_text_is_a_query(text: str) -> None:
    query = parse(text)
    assert query.empty is (not query.units)
    assert len(query.units) + len(query.excluded) <= MAX_UNITS


# ---------------------------------------------------------------- snippets

FILLER = "Nothing of interest stands here. "


def test_a_short_text_is_its_own_snippet() -> None:
    assert snippet("  Some\n text ", parse("text")) == "Some text"


def test_without_a_match_the_text_begins() -> None:
    assert snippet(FILLER * 20, parse("lora"), 40) == "Nothing of interest stands here. Nothing..."


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
    found = snippet(FILLER * 20 + place + " " + FILLER * 20, parse(query), 80)
    assert place in found
    assert found.startswith("...") and found.endswith("...")


def test_the_stretch_with_most_of_the_words_is_shown() -> None:
    text = "alpha " + FILLER * 10 + "alpha alpha " + FILLER * 10 + "beta with alpha " + FILLER * 10
    assert "beta with alpha" in snippet(text, parse("alpha beta"), 80)


def test_a_snippet_at_the_end_has_no_dots_there() -> None:
    assert snippet(FILLER * 20 + "the end lora", parse("lora"), 40).endswith("the end lora")


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
    found = snippet(text, parse(query), limit)
    assert found.removeprefix("...").removesuffix("...") in flat
    assert len(found) <= limit + 6


@given(st.text(), st.text(), st.integers(1, 50))
def test_any_text_has_a_snippet(text: str, query: str, limit: int) -> None:
    snippet(text, parse(query), limit)


def test_a_query_has_few_prefixes() -> None:
    query = parse(" ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz") + " antenna -y* -z*")
    prefixes = [
        u for u in (*query.units, *query.excluded) if any(isinstance(t, Phrase) and t.prefix for t in u.terms)
    ]
    assert prefixes == list(query.units[:MAX_PREFIXES])
    assert len(query.units) == MAX_PREFIXES + 1
