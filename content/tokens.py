"""The search tokenizer. Posts and queries, on both databases, are tokenized in the same way.

Chinese needs no dictionary: a run of CJK characters c1…cn becomes the tokens c1c2, c2c3, …, cn. So any two or
more characters of the run are a phrase of tokens, and a single character is the prefix of some token. Latin
words and numbers stay as they are, and each emoji is a token. Other forms of a word (stems, joined compounds)
are kept apart as variants, so that quoted phrases and prefixes stay exact.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import add
from pathlib import Path
from typing import NamedTuple

from content.types import NewPost
from content.typos import is_correctable

# The index is rebuilt when this changes. Raise the number with every change of what this module returns;
# another version of snowballstemmer may be one, too.
TOKENIZER_VERSION = f"2-{unicodedata.unidata_version}"

MAX_TOKEN = 64  # characters; the rest of a token is dropped, as PostgreSQL limits a lexeme to 2,046 bytes
MAX_TEXT = 200_000  # characters that are tokenized; they hold more than MAX_POSITION tokens
# PostgreSQL's limits for text search: positions up to 16,383, 255 positions for a lexeme, 1 MB for a
# tsvector. SQLite has no such limits, but gets the same, so that both databases find the same posts.
MAX_POSITION = 16_383
MAX_REPEATS = 255
MAX_TITLE = 512  # tokens
MAX_TAGS = 256  # tokens of all tags together
MAX_LEXEME_BYTES = 600_000
MAX_VARIANT_BYTES = 300_000

# A private-use character. Both databases take it for a token, but no text and no query ever becomes it.
GAP = "\ue000"

# Han with radicals and extensions, iteration marks, kana, bopomofo, Hangul and its letters.
_CJK = (
    "\u1100-\u11ff\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u309a\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
# Combining marks in scripts where NFKC does not join them to the letter before.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc"
    "\u0ec8-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
)
# Emoji and similar symbols, with the letters of flags and skin tones; without signs of texts like © and →.
_PICTURE = (
    "\u2194-\u2199\u21a9-\u21aa\u231a-\u231b\u2328\u23cf\u23e9-\u23fa\u25b6\u25c0\u25fb-\u25fe\u2600-\u2767\u2795-\u2797"
    "\u27a1\u27b0\u27bf\u2934-\u2935\u2b05-\u2b07\u2b1b-\u2b1c\u2b50\u2b55\U0001f000-\U0001f0ff\U0001f170-\U0001f1ff"
    "\U0001f300-\U0001faff"
)
# A flag of two letters; else a picture with its tags, and those that are joined to it.
_TAGGED = rf"[{_PICTURE}][\U000e0020-\U000e007f]*+"
_EMOJI = rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_TAGGED}(?:\u200d{_TAGGED})*+"
_WORD = rf"[^\W_{_CJK}]++(?:[{_MARKS}]++[^\W_{_CJK}]*+)*+"
_PART = rf"(?:c\+\+|c[#♯]|{_WORD})"
_PARTS = rf"{_PART}|{_EMOJI}"
# Parts that are written as one: DeepSeek-V3, gpt-4.1, file_name, don't, C++17.
_RUNS = rf"(?P<cjk>[{_CJK}]++)|(?P<word>{_PART}(?:(?:[-‐_.'’]|(?<=[+#♯])){_PART})*+|{_EMOJI})"
SPELLED = {"c++": "cpp", "c#": "csharp", "c♯": "csharp"}
_RARE = re.compile("[\U00010000-\U0010ffff]")
_LETTERS_THEN_DIGIT = re.compile(r"([a-z]{2,})\d")
# Invisible characters: soft hyphen, zero-width spaces, direction marks, variation selectors.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
# A skin tone, and a zero-width joiner that does not make one emoji of two pictures.
_UNSEEN_OF_EMOJI = re.compile(
    rf"[\u200d\U0001f3fb-\U0001f3ff]"
    rf"(?:(?<=[{_PICTURE}][\U0001f3fb-\U0001f3ff])|(?<=\u200d)(?:(?<![{_PICTURE}]\u200d)|(?![{_PICTURE}])))"
)

# Words that Snowball wrongly gives the stem of another word, by the stem that they get instead.
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
    """A run of folded text without a break: CJK characters, or a word with its compound parts."""

    text: str
    start: int
    cjk: bool

    def tokens(self) -> list[str]:
        """The tokens: bigrams and the last character of a CJK run, or the parts of a word."""
        if self.cjk:
            return _pairs(self.text)
        return _parts(self.text)

    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each of `tokens` in the folded text."""
        if self.cjk:
            end = self.start + len(self.text)
            return [(i, min(i + 2, end)) for i in range(self.start, end)]
        return [(self.start + m.start(), self.start + m.end()) for m in _compiled(_PARTS).finditer(self.text)]

    def variants(self) -> tuple[str, ...]:
        """Other forms of the word: stems, the joined compound and its stem, and the letters before a digit.

        A compound that is longer than any name (a path, a data URL) has none.
        """
        return () if self.cjk else _variants_of(self.text)


@dataclass(frozen=True, slots=True)
class IndexedText:
    """The tokens of a post that go into the index.

    `title` and `body` are in order, with `GAP` where a token was left out or a phrase must not continue.
    Together they have fewer than `MAX_POSITION` tokens. `variants` are distinct, their order does not matter,
    and none of them is a token of title or body.
    """

    title: tuple[str, ...]
    body: tuple[str, ...]
    variants: tuple[str, ...]

    def __getstate__(self) -> tuple[str, ...]:
        # Between processes as three texts: thousands of tokens take ten times as long.
        return tuple(map(" ".join, (self.title, self.body, self.variants)))

    def __setstate__(self, state: tuple[str, ...]) -> None:
        for name, text in zip(("title", "body", "variants"), state, strict=True):
            object.__setattr__(self, name, tuple(text.split()))


def index_texts(texts: Sequence[tuple[str, str, Sequence[str]]]) -> list[IndexedText]:
    """The tokens of posts, each given by its title, text and tags."""
    return [index_text(*text) for text in texts]


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order, without variants."""
    return _main(runs(fold(text)))


def variants(text: str) -> list[str]:
    """The variants of a text, each once."""
    return list(dict.fromkeys(variant for run in runs(fold(text)) for variant in run.variants()))


def counted_words(texts: Iterable[IndexedText]) -> Mapping[str, int]:
    """The words that a misspelt word of a query may stand for, and how many of the posts have each."""
    counts = Counter[str]()
    for indexed in texts:
        counts.update({*indexed.title, *indexed.body})
    cjk = _compiled(f"[{_CJK}]")
    return {word: n for word, n in counts.items() if is_correctable(word) and not cjk.match(word)}


def index_text(title: str, text: str, tags: Sequence[str]) -> IndexedText:
    """The tokens of a post for the index, within PostgreSQL's limits."""
    words: dict[str, None] = {}  # each once, in order: variants are the same wherever a word stands
    of_title, of_text, *of_tags = (_taken_in(fold(part[:MAX_TEXT]), words) for part in (title, text, *tags))
    head = of_title[:MAX_TITLE]
    tail = [token for of_tag in of_tags for token in (GAP, *of_tag)][:MAX_TAGS]
    body = of_text[: MAX_POSITION - len(head) - 1 - len(tail)] + tail
    kept = _affordable(_thinned([*head, GAP, *body]), MAX_LEXEME_BYTES)
    present = frozenset(kept)
    others = dict.fromkeys(other for word in words for other in _variants_of(word))
    return IndexedText(
        title=tuple(kept[: len(head)]),
        body=tuple(kept[len(head) + 1 :]),
        variants=tuple(_affordable([other for other in others if other not in present], MAX_VARIANT_BYTES)),
    )


def _taken_in(folded: str, words: dict[str, None]) -> list[str]:
    """The tokens of a folded text. Its words are added to `words`."""
    found: list[str] = []
    for cjk, word in _compiled(_RUNS).findall(folded):
        if cjk:
            found += _pairs(cjk)
            continue
        words[word] = None
        if word.isalnum():
            found.append(word[:MAX_TOKEN])
        else:
            found += _parts(word)
    return found


def _pairs(cjk: str) -> list[str]:
    """Each character of a run with the next one, and the last one alone."""
    return [*map(add, cjk, cjk[1:]), cjk[-1]]


def fold(text: str) -> str:
    """Remove differences that a search ignores: width, case, traditional characters, invisible characters.

    Case folding (Unicode Standard, section 3.13), unlike lower case, does not depend on the neighbours of a
    letter: a final sigma is a sigma.
    """
    if text.isascii():
        return text.lower()
    seen = unicodedata.normalize("NFKC", _UNSEEN_OF_EMOJI.sub("", _UNSEEN.sub("", text)))
    return simplified(unicodedata.normalize("NFKC", seen.casefold()))


def runs(folded: str) -> Iterator[Run]:
    """The runs of a folded text, in order."""
    for match in _compiled(_RUNS).finditer(folded):
        yield Run(match[0], match.start(), match.lastgroup == "cjk")


def joined(parts: Sequence[str]) -> str:
    """A compound as one word (`deepseekv3`), or empty if that is a bare number, too long, or no compound."""
    whole = "".join(parts)
    return "" if len(parts) < 2 or len(whole) > MAX_TOKEN or whole.isdigit() else whole


@lru_cache(maxsize=32_768)
def stem(word: str) -> str:
    """The English stem of a folded word. A word that is not English is its own stem."""
    if not (2 < len(word) <= 32 and word.isascii() and word.isalpha()):
        return word
    # Imported late, because the package loads thirty languages. Each call makes a stemmer of its own, which
    # costs little: a stemmer has state, which threads must not share.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return _STEMS.get(word) or str(EnglishStemmer().stemWord(word))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile one of the large patterns when it is first used, because they take 12 ms of a start."""
    return re.compile(pattern)


def _main(found: Iterable[Run]) -> list[str]:
    return [token for run in found for token in run.tokens()]


def _parts(word: str) -> list[str]:
    if word.isalnum():
        return [word[:MAX_TOKEN]]
    return [SPELLED.get(part) or part[:MAX_TOKEN] for part in _compiled(_PARTS).findall(word)]


def _variants_of(word: str) -> tuple[str, ...]:
    return _variants(word) if len(word) <= 4 * MAX_TOKEN else ()


@lru_cache(maxsize=32_768)
def _variants(word: str) -> tuple[str, ...]:
    parts = _parts(word)
    whole = joined(parts)
    found = [stem(part) for part in parts]
    found += [whole, stem(whole)] if whole else []
    found += [match[1] for part in parts if (match := _LETTERS_THEN_DIGIT.match(part))]
    return tuple(variant for variant in dict.fromkeys(found) if variant not in parts)


def _thinned(items: list[str]) -> list[str]:
    """Put a gap in place of each token that has come `MAX_REPEATS` times already."""
    if len(items) <= MAX_REPEATS or max(Counter(items).values()) <= MAX_REPEATS:
        return items
    seen: dict[str, int] = {}
    thinned = []
    for item in items:
        seen[item] = seen.get(item, 0) + 1
        thinned.append(item if seen[item] <= MAX_REPEATS else GAP)
    return thinned


def _affordable(items: list[str], budget: int) -> list[str]:
    """The first items that fit into `budget` bytes, with three bytes of overhead for each."""
    if len(items) * (4 * MAX_TOKEN + 3) <= budget:
        return items
    for n, item in enumerate(items):
        budget -= len(item.encode()) + 3
        if budget < 0:
            return items[:n]
    return items


def simplified(text: str) -> str:
    """The text with each traditional character replaced by its simplified form."""
    if text.isascii():
        return text
    if _RARE.search(text):
        return text.translate(_traditional())
    # Few characters of a text are traditional, and to find them is faster than to translate each one.
    return _common_traditional().sub(lambda found: _traditional()[ord(found[0])], text)


def index_all(posts: Iterable[NewPost]) -> list[IndexedText]:
    """The search tokens of each post. A long text takes 0.1 s and more, so call it outside the event loop."""
    return [index_text(post.title, post.text, post.tags) for post in posts]


@cache
def _common_traditional() -> re.Pattern[str]:
    # Without the rare ones, for which `re` would compare each character with the whole list.
    return re.compile(f"[{''.join(chr(code) for code in _traditional() if code <= 0xFFFF)}]")


@cache
def _traditional() -> dict[int, str]:
    lines = Path(__file__).with_name("trad_simp.txt").read_text(encoding="utf-8").splitlines()
    traditional, simplified = (line for line in lines if line and not line.startswith("#"))
    return {ord(key): value for key, value in zip(traditional, simplified, strict=True)}
