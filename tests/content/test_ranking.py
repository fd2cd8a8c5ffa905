from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.ranking import reranked
from content.search import parse
from content.types import Beginning

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
FILLER = "Nothing of interest stands here. " * 10


def hit(number: int, text: str, title: str = "A title", days: float = 0) -> Beginning:
    return Beginning(number, title, text, WHEN - timedelta(days=days))


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("copper", hit(1, FILLER, "Copper wire"), hit(2, "copper " * 9)),
        ("copper wire", hit(1, f"{FILLER} copper wire {FILLER}"), hit(2, f"copper {FILLER} wire")),
        ("红烧肉 糖色", hit(1, f"红烧肉，糖色{FILLER}"), hit(2, f"红烧肉{FILLER}糖色")),
        ("copper", hit(1, "copper and copper"), hit(2, "copper and tin")),
        ("copper", hit(1, "copper"), hit(2, "copper", days=900)),
        ("copper", hit(1, "copper", "Copper", days=900), hit(2, "copper")),
        ("copper wire", hit(1, "copper wire", days=900), hit(2, f"copper {FILLER} wire")),
        ("tuning", hit(1, "we tuned it", days=900), hit(2, "nothing")),
        ("deepseek-v3", hit(1, "about DeepSeek-V3", days=900), hit(2, "deepseek without")),
        ("微", hit(1, "微调"), hit(2, "nothing")),
        ('"大模型 lora"', hit(1, "大模型 LoRA", days=900), hit(2, "LoRA 大模型")),
        ("👩‍🚀", hit(1, "with 👩🏽‍🚀", days=900), hit(2, "with 👩")),
        ("c++", hit(1, "C++", days=900), hit(2, "cars")),
        ("lora", hit(1, "用LoRA微调", days=900), hit(2, "exploration")),
        ("对齐", hit(1, "對齊", days=900), hit(2, "对 齐")),
    ],
)
def test_what_is_better(query: str, better: Beginning, worse: Beginning) -> None:
    assert reranked(parse(query), [better, worse]) == [1, 2]
    assert reranked(parse(query), [worse, better]) == [1, 2]


def test_a_rare_word_counts_more() -> None:
    hits = [hit(1, "common"), hit(2, "common"), hit(3, "rare"), hit(4, "common")]
    assert reranked(parse("common rare"), hits)[0] == 3


def test_equal_hits_keep_their_order() -> None:
    assert reranked(parse("copper"), [hit(n, "copper") for n in (3, 1, 2)]) == [3, 1, 2]


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=40), st.text(max_size=80)), max_size=4))
def test_no_hit_is_lost(query: str, texts: list[tuple[str, str]]) -> None:
    hits = [hit(number, text, title) for number, (title, text) in enumerate(texts)]
    assert sorted(reranked(parse(query), hits)) == list(range(len(hits)))
