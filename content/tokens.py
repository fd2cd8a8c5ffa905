"""The search tokenizer: the same tokens when a post is indexed and when a query is read, on both databases.

Chinese needs no dictionary: a run of CJK characters c1…cn becomes c1c2, c2c3, …, cn, so every stretch of two
characters or more is a phrase of the run, and a single character is the start of some token. Latin words and
numbers stay as they are. What helps to find a word in another form (stems, joined compounds) is kept apart,
as variants, so that quoted phrases and prefixes stay exact.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

# An index is built anew when this changes. Raise the number with every change of what this module gives,
# the stems of another snowballstemmer included.
TOKENIZER_VERSION = f"1-{unicodedata.unidata_version}"

MAX_TOKEN = 64  # characters of a token, the rest is dropped; PostgreSQL's lexemes end at 2,046 bytes
MAX_TEXT = 200_000  # characters of a text that are read; its first 16,383 tokens fit in
# PostgreSQL, "Limitations" of text search types: positions end at 16,383, a lexeme keeps 255 of them, and a
# tsvector (lexemes and positions) stays below 1 MB. SQLite has no such limits and is given the same ones.
MAX_POSITION = 16_383
MAX_REPEATS = 255
MAX_TITLE = 512  # tokens
MAX_TAGS = 256  # tokens of all tags together
MAX_LEXEME_BYTES = 600_000
MAX_VARIANT_BYTES = 300_000

# A private-use character: a token for both databases, which no text and no query can give.
GAP = "\ue000"

# Han with radicals and extensions, iteration marks, kana, bopomofo, Hangul and its letters.
_CJK = (
    "\u1100-\u11ff\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u309a\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
# Marks that belong to the letter before them, in scripts where NFKC leaves them apart.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc"
    "\u0ec8-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
)
_WORD = rf"[^\W_{_CJK}]++(?:[{_MARKS}]++[^\W_{_CJK}]*+)*+"
_PART = rf"(?:c\+\+|c[#♯]|{_WORD})"
_PARTS = re.compile(_PART)
# Parts that are written as one: DeepSeek-V3, gpt-4.1, file_name, don't, C++17.
_RUNS = re.compile(rf"(?P<cjk>[{_CJK}]++)|{_PART}(?:(?:[-‐_.'’]|(?<=[+#♯])){_PART})*+")
_SPELLED = {"c++": "cpp", "c#": "csharp", "c♯": "csharp"}
_LETTERS_THEN_DIGIT = re.compile(r"([a-z]{2,})\d")
# What is not seen: soft hyphen, zero width spaces and joiners, direction marks, variation selectors.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)

# Words that Snowball gives the stem of another word, under the one that they are found by.
_KEPT_APART = {
    "tokenizer": "tokenizer tokenizers tokeniser tokenisers",
    "tokenize": "tokenize tokenizes tokenized tokenizing tokenization tokenise tokenised tokenisation",
    "transformer": "transformer transformers",
    "optimizer": "optimizer optimizers optimiser optimisers",
    "optimal": "optimal",
    "university": "university universities",
    "universal": "universal",
    "organization": "organization organizations organisation organisations",
    "organic": "organic",
    "international": "international",
    "internal": "internal",
    "important": "important",
    "experiment": "experiment experiments experimental",
    "authority": "authority",
    "numerical": "numerical",
    "operator": "operator operators",
    "customer": "customer customers",
    "several": "several",
    "relativity": "relativity",
    "activation": "activation activations",
    "computer": "computer computers",
}
_STEMS = {word: stem for stem, words in _KEPT_APART.items() for word in words.split()}


class Run(NamedTuple):
    """An unbroken stretch of folded text: CJK characters, or a word with its compound parts."""

    text: str
    start: int
    cjk: bool

    def tokens(self) -> list[str]:
        """Bigrams and the last character, or the parts of the word."""
        if self.cjk:
            return [self.text[i : i + 2] for i in range(len(self.text))]
        return _parts(self.text)

    def spans(self) -> list[tuple[int, int]]:
        """Where each of `tokens` stands in the folded text."""
        if self.cjk:
            end = self.start + len(self.text)
            return [(i, min(i + 2, end)) for i in range(self.start, end)]
        return [(self.start + m.start(), self.start + m.end()) for m in _PARTS.finditer(self.text)]

    def variants(self) -> tuple[str, ...]:
        """Stems, the joined compound with its stem, and the letters before a digit, as far as they differ.

        A compound longer than any name (a path, a data URL) has none.
        """
        return () if self.cjk or len(self.text) > 4 * MAX_TOKEN else _variants(self.text)


@dataclass(frozen=True, slots=True)
class IndexedText:
    """What is stored of a post for searching.

    `title` and `body` are the tokens in order, with `GAP` where a phrase must not reach across or a token was
    left out; their lengths and one more are at most `MAX_POSITION`. `variants` are distinct, in no order that
    matters, and none of them is a token of title or body.
    """

    title: tuple[str, ...]
    body: tuple[str, ...]
    variants: tuple[str, ...]


def tokens(text: str) -> list[str]:
    """Give the main tokens of a text, in order."""
    return _main(runs(fold(text)))


def variants(text: str) -> list[str]:
    """Give the other forms under which words of a text are found, each once."""
    return list(dict.fromkeys(variant for run in runs(fold(text)) for variant in run.variants()))


def index_text(title: str, text: str, tags: Sequence[str]) -> IndexedText:
    """Give what is stored of a post; the caps that PostgreSQL sets hold for both databases."""
    title_runs, text_runs, *tags_runs = (list(runs(fold(part[:MAX_TEXT]))) for part in (title, text, *tags))
    head = _main(title_runs)[:MAX_TITLE]
    tail = [token for tag_runs in tags_runs for token in (GAP, *_main(tag_runs))][:MAX_TAGS]
    body = _main(text_runs)[: MAX_POSITION - len(head) - 1 - len(tail)] + tail
    kept = _affordable(_thinned([*head, GAP, *body]), MAX_LEXEME_BYTES)
    present = frozenset(kept)
    every_run = chain(title_runs, text_runs, *tags_runs)
    others = dict.fromkeys(other for run in every_run for other in run.variants())
    return IndexedText(
        title=tuple(kept[: len(head)]),
        body=tuple(kept[len(head) + 1 :]),
        variants=tuple(_affordable([other for other in others if other not in present], MAX_VARIANT_BYTES)),
    )


def fold(text: str) -> str:
    """Take away what searching does not tell apart: width, case, traditional forms, invisible characters.

    Case is folded rather than lowered (Unicode Standard, section 3.13), which looks at no neighbours: a final
    sigma is a sigma.
    """
    if text.isascii():
        return text.lower()
    seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return unicodedata.normalize("NFKC", seen.casefold()).translate(_simplified())


def runs(folded: str) -> Iterator[Run]:
    """Give the runs of a folded text, in order."""
    for match in _RUNS.finditer(folded):
        yield Run(match[0], match.start(), match.lastgroup == "cjk")


def joined(parts: Sequence[str]) -> str:
    """Give a compound as one word (`deepseekv3`), or nothing where that would be a bare number or no word."""
    whole = "".join(parts)
    return "" if len(parts) < 2 or len(whole) > MAX_TOKEN or whole.isdigit() else whole


@lru_cache(maxsize=32_768)
def stem(word: str) -> str:
    """Give the English stem of a folded word; any other word is its own stem."""
    if not (2 < len(word) <= 32 and word.isascii() and word.isalpha()):
        return word
    # Imported here because its package loads thirty languages. A stemmer holds state while it works and costs
    # little to make: threads must not share one.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return _STEMS.get(word) or str(EnglishStemmer().stemWord(word))


def _main(found: Iterable[Run]) -> list[str]:
    return [token for run in found for token in run.tokens()]


def _parts(word: str) -> list[str]:
    if word.isalnum():
        return [word[:MAX_TOKEN]]
    return [_SPELLED.get(part) or part[:MAX_TOKEN] for part in _PARTS.findall(word)]


@lru_cache(maxsize=32_768)
def _variants(word: str) -> tuple[str, ...]:
    parts = _parts(word)
    whole = joined(parts)
    found = [stem(part) for part in parts]
    found += [whole, stem(whole)] if whole else []
    found += [match[1] for part in parts if (match := _LETTERS_THEN_DIGIT.match(part))]
    return tuple(variant for variant in dict.fromkeys(found) if variant not in parts)


def _thinned(items: list[str]) -> list[str]:
    """Leave a gap where a token comes more than `MAX_REPEATS` times."""
    if len(items) <= MAX_REPEATS:
        return items
    seen: dict[str, int] = {}
    thinned = []
    for item in items:
        seen[item] = seen.get(item, 0) + 1
        thinned.append(item if seen[item] <= MAX_REPEATS else GAP)
    return thinned


def _affordable(items: list[str], budget: int) -> list[str]:
    """Keep as many from the start as `budget` bytes hold, three bytes of overhead each."""
    if len(items) * (4 * MAX_TOKEN + 3) <= budget:
        return items
    for n, item in enumerate(items):
        budget -= len(item.encode()) + 3
        if budget < 0:
            return items[:n]
    return items


@cache
def _simplified() -> dict[int, str]:
    lines = Path(__file__).with_name("trad_simp.txt").read_text(encoding="utf-8").splitlines()
    traditional, simplified = (line for line in lines if line and not line.startswith("#"))
    return {ord(key): value for key, value in zip(traditional, simplified, strict=True)}
