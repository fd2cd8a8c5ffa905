"""Which titles tell the same story. Pure.

Two titles do if one has all words of the other and little more, in nearly the same order. So a name or a
number that differs makes two stories. Words that say nothing (the, now, launches) do not count, and a title
with few others is never compared.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from hashlib import blake2b

from content.tokens import fold, runs, stem

WITHIN = timedelta(days=2)  # two titles that are further apart are two stories
MOST_KEYS = 24

# What a title must weigh, and the share that two must have in common.
_LEAST, _SHARE = 2.5, 0.6
# The share of common words that must be in the same order. In Chinese, who does what is said by order alone.
_ORDER, _ORDER_IN_CHINESE = 0.7, 0.9

_SMALL_WORDS = """
a an the of for to in on at by with from and or as is are was were be been its it this that these his her
their our your my we you i he she they how what why when where who which into over about after up out off
via will would can could may has have had do does did s t re ll ve v new now today just finally official
officially breaking update updated report reports reportedly says said announce announces announced
announcing launch launches launched launching release releases released releasing unveil unveils unveiled
introduce introduces introduced introducing debut debuts reveal reveals revealed available out here gets get
got
"""
_SMALL = frozenset(_SMALL_WORDS.split())
# Titles of series: what is left of "Weekly links, November 2026" says nothing.
_SERIES_WORDS = """
weekly daily monthly week day month year link links roundup digest newsletter podcast episode issue open
thread changelog note notes version news morning evening edition january february march april may june july
august september october november december monday tuesday wednesday thursday friday saturday sunday review
recap highlights ask anything vol part
"""
_SERIES = frozenset(_SERIES_WORDS.split())
_SMALL_CJK = re.compile(
    "正式版?|今日|今天|最新|终于|现已|已经|重磅|官方|官宣|宣布|发布|推出|上线|亮相|公布|消息称|报道称?|"
    "突发|快讯|的|了|将|在|与|和|已|其|新"
)
_SERIES_CJK = re.compile(
    "更新日志|每日|每周|本周|一周|周刊|周报|日报|月报|早报|晚报|精选|合集|资讯|新闻|汇总|问答|第|期|年|月|日|号"
)
# A title that has one of these more says the opposite.
_AGAINST = frozenset(("not", "no", "never", "deni", "without", *"不未没无否非停撤延下"))
_NUMERALS = frozenset("零一二三四五六七八九十百千万亿")
_LABEL = re.compile(
    r"^\s*(?:[\[(【〔（]([^\])】〕）]{1,20})[\])】〕）]\s*|(?:breaking|updated?|快讯|突发|更新)\s*[:：])+"
)
_SITE = re.compile(r"\s+[|–—-]\s+[^|–—\d]{2,30}$")
_PART = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Title:
    """The words of a title that count, in order; Chinese characters are words."""

    words: tuple[str, ...]
    chinese: bool

    @property
    def weight(self) -> float:
        return _weight(self.words)

    @property
    def keys(self) -> frozenset[int]:
        """Numbers, of which titles of the same story have some in common."""
        pairs = {
            a + b if _is_cjk(a) and _is_cjk(b) else a
            for a, b in zip(self.words, (*self.words[1:], ""), strict=True)
        }
        hashes = (int.from_bytes(blake2b(pair.encode(), digest_size=7).digest()) for pair in pairs)
        return frozenset(sorted(hashes)[:MOST_KEYS])


def title_of(text: str) -> Title | None:
    """The title to compare; None if it has too few words of its own."""
    bare = _LABEL.sub("", text) or text
    bare = _SITE.sub("", bare) or bare
    words = tuple(_words(bare))
    title = Title(words, sum(map(_is_cjk, words)) * 2 > len(words))
    named = [word for word in words if not word[0].isdigit()]
    return title if title.weight >= _LEAST and len(named) >= 1 + title.chinese else None


def same_story(a: Title, b: Title) -> bool:
    """Whether two titles tell the same story."""
    counts, others = Counter(a.words), Counter(b.words)
    more, less = counts - others, others - counts
    if more and less:
        return False
    extra = more or less
    if _AGAINST & extra.keys() or (_numbers(extra) and _numbers(counts & others)):
        return False
    shared = list((counts & others).elements())
    weight = _weight(shared)
    if weight < _LEAST or weight < _SHARE * max(a.weight, b.weight):
        return False
    blocks = SequenceMatcher(None, a.words, b.words, autojunk=False).get_matching_blocks()
    in_order = sum(block.size for block in blocks)
    return in_order >= len(shared) * (_ORDER_IN_CHINESE if a.chinese else _ORDER)


def _words(text: str) -> Iterator[str]:
    for run in runs(fold(text)):
        if run.cjk:
            yield from _SERIES_CJK.sub("", _SMALL_CJK.sub("", run.text))
            continue
        for part in _PART.findall(run.text):
            if part not in _SMALL and part not in _SERIES:
                yield stem(part)


def _weight(words: Collection[str]) -> float:
    """A word weighs 1, a Chinese character and a number half of that, a version like 19.1 one and a half."""
    return sum(0.5 if _is_cjk(word) or word.isdigit() else 1.5 if word[0].isdigit() else 1 for word in words)


def _numbers(words: Iterable[str]) -> list[str]:
    return [word for word in words if word[0].isdigit() or word in _NUMERALS]


def _is_cjk(word: str) -> bool:
    return len(word) == 1 and word > "\u1100"
