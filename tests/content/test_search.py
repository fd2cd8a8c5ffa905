from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.filters import Problem
from content.search import MAX_PREFIXES, MAX_UNITS, AnyOf, Phrase, Query, Variant, leaves, parse


def unit(*terms: Phrase | Variant) -> AnyOf:
    return AnyOf(terms)


def quoted(*tokens: str, prefix: bool = False) -> AnyOf:
    return AnyOf((Phrase(tokens, prefix),), quoted=True)


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
        ('"tokens"', [quoted("tokens")]),
        ("DeepSeek-V3", [unit(phrase("deepseek", "v3"), phrase("deepseekv3"), Variant("deepseekv3"))]),
        ("3.14", [unit(phrase("3", "14"))]),
        ("C++", [unit(phrase("cpp"), Variant("cpp"))]),
        ("what?", [unit(phrase("what"), Variant("what"))]),
        ("trans*", [unit(phrase("trans", prefix=True))]),
        ("deepseek-v*", [unit(phrase("deepseek", "v", prefix=True), phrase("deepseekv", prefix=True))]),
        ('"large lang"*', [quoted("large", "lang", prefix=True)]),
        ('"用 LoRA 微调"', [quoted("用", "lora", "微调")]),
        ('"LoRA 微"', [quoted("lora", "微", prefix=True)]),
        ("“大模型”", [quoted("大模", "模型")]),
        ("「LoRA」", [quoted("lora")]),
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
        quoted("large", "model"),
        unit(phrase("微调")),
        quoted("用", "lora"),
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


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("before:2025-13-01", "before:2025-12-01"),
        ("after:2025-2-31", "after:2025-02-28"),
        ("after:2025", "after:2025-01-01"),
        ("after:2025/06", "after:2025-06-01"),
        ("after:soon", "after:2026-01-31"),
        ("after:0", "after:2026-01-31"),
        ("-after:2025-01-02", "after:2025-01-02"),
        ("-tag:ml", "tag:ml"),
        ('-source:"Hacker News"', 'source:"Hacker News"'),
        ('tag:""', "tag:LoRA"),
        ("lang:chinese", "lang:zh"),
        ("lang:中文", "lang:zh"),
        ("lang:fr", "lang:en"),
        ("-lang:zh", "lang:zh"),
        ("-lang:fr", "lang:en"),
    ],
)
def test_the_valid_filter_nearest_to_one_that_is_not(typed: str, nearest: str) -> None:
    assert parse(f"lora {typed}") == Query(units=(LORA,), problems=(Problem(typed, nearest),))
    assert not parse(nearest).problems


@given(st.sampled_from(["after:", "before:", "lang:", "-tag:", "-after:"]), st.text(min_size=1, max_size=12))
def test_what_is_nearest_is_valid(name: str, value: str) -> None:
    for problem in parse(name + value).problems:
        assert not parse(problem.nearest).problems


def test_languages() -> None:
    assert parse("lora lang:zh-CN LANG:en lang:zh_tw").languages == ("zh", "en")


@pytest.mark.parametrize(
    ("asked", "plain"),
    [
        ("怎么做红烧肉", "红烧肉"),
        ("请问红烧肉怎么做？", "红烧肉"),
        ("红烧肉怎么做才好吃呢", "红烧肉 才好吃"),
        ("如何用LoRA微调大模型", "LoRA 微调大模型"),
        ("什么是LoRA", "lora"),
        ("LoRA是什么意思", "lora"),
        ("儿童发烧可以吃布洛芬吗", "儿童发烧 吃布洛芬"),
        ("怎麼做紅燒肉", "红烧肉"),
        ("How do I season a cast-iron pan?", "season cast-iron pan"),
        ("what is LoRA", "lora"),
        ("What's the best way to learn Go", "learn go"),
        ("please tell me about sourdough", "sourdough"),
        ("could you explain how to feed a starter", "feed starter"),
        ("which antenna is good for tropical bands", "antenna tropical bands"),
    ],
)
def test_questions_are_understood(asked: str, plain: str) -> None:
    query = parse(asked)
    assert query.question
    assert query.units == parse(plain).units


@pytest.mark.parametrize(
    "query", ["what is", "怎么", "怎么办", "如何", "how to", "can bus", "who vaccine", "目的地 问题", "学问",
              '"how do I" x', "the who", "无线电 的士", "酒吧", "麻烦", "什么", "-怎么 x"],
)  # fmt: skip
def test_what_is_no_question_stays_as_it_is(query: str) -> None:
    parsed = parse(query)
    assert parsed.units and not parsed.question
    assert sum(len(list(leaves(unit))) for unit in parsed.units) == len(
        [word for word in query.replace('"how do I"', "quoted").split() if not word.startswith("-")]
    )


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


def test_a_query_has_few_prefixes() -> None:
    query = parse(" ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz") + " antenna -y* -z*")
    prefixes = [
        u
        for unit in (*query.units, *query.excluded)
        for u in leaves(unit)
        if any(isinstance(t, Phrase) and t.prefix for t in u.terms)
    ]
    assert prefixes == list(query.units[:MAX_PREFIXES])
    assert len(query.units) == MAX_PREFIXES + 1
