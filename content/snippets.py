"""The part of a text that fits a query best, with the places that match."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from content.search import Phrase, Query, leaves
from content.text import excerpt
from content.tokens import Run, fold, runs
from content.types import Post, SearchHit

_MAX_READ = 20_000  # characters of a post that are searched for a snippet, which takes tens of milliseconds
_MAX_SPANS = 200
_MAX_MARKS = 32  # characters that are folded as one piece, a letter with its combining marks


def hit(post: Post, query: Query, limit: int) -> SearchHit:
    """A post with the part of its text that matches most of `query`, on one line, and where that matches.

    It is at most `limit` code points long, with `...` where it was cut. If nothing matches, it is the
    beginning of the text.
    """
    flat = " ".join(post.text.split())
    folded, origins = _folded(flat[:_MAX_READ])
    found = list(runs(folded))
    spans = sorted({(origins[a], origins[b], n) for a, b, n in _spans(found, query)})[:_MAX_SPANS]
    begin = 0
    if spans and len(flat) > limit:
        starts = [origins[start] for run in found for start, _ in run.spans()]
        begin = _begin(spans, starts, limit)
    lead, cut = "..." if begin else "", excerpt(flat[begin:], limit)
    end = begin + len(cut) - (3 if len(cut) < len(flat) - begin or not flat.endswith(cut) else 0)
    shown = [(max(a, begin), min(b, end)) for a, b in _apart(spans) if a < end and b > begin]
    return SearchHit(
        post, lead + cut, tuple((a - begin + len(lead), b - begin + len(lead)) for a, b in shown)
    )


def _begin(spans: Sequence[tuple[int, int, int]], starts: Sequence[int], limit: int) -> int:
    """Where the snippet begins: at one of `starts`, so that the best part is inside."""
    first, last = _window(spans, limit)
    # A third of the room that the matches leave is for the text before them.
    lead = max(0, first - max(0, limit - (last - first)) // 3, min(first, last - limit))
    return 0 if lead == 0 else starts[bisect_left(starts, lead)]


def _apart(spans: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that touch as one: pairs of a run of Chinese overlap."""
    joined: list[tuple[int, int]] = []
    for start, end, _ in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _window(spans: Sequence[tuple[int, int, int]], limit: int) -> tuple[int, int]:
    """Start and end of the part with most different units; of several, with most spans; then the first."""
    best, window = (0, 0), (spans[0][0], spans[0][1])
    for i, (first, _, _) in enumerate(spans):
        inside = [(end, n) for start, end, n in spans[i:] if end <= first + limit]
        score = (len({n for _, n in inside}), len(inside))
        if score > best:
            best, window = score, (first, max(end for end, _ in inside))
    return window


def _spans(found: Sequence[Run], query: Query) -> Iterator[tuple[int, int, int]]:
    """Every match in the folded text: its start, its end and the number of its unit."""
    stream = [(token, *span) for run in found for token, span in zip(run.tokens(), run.spans(), strict=True)]
    others = [(run, frozenset(run.variants())) for run in found if not run.cjk]
    units = (leaf for unit in query.units for leaf in leaves(unit))
    for n, unit in enumerate(units):
        for term in unit.terms:
            if isinstance(term, Phrase):
                yield from ((start, end, n) for start, end in _matches(stream, term))
            else:
                runs_with = (run for run, variants in others if term.token in variants)
                yield from ((run.start, run.start + len(run.text), n) for run in runs_with)


def _matches(stream: Sequence[tuple[str, int, int]], phrase: Phrase) -> Iterator[tuple[int, int]]:
    *head, last = phrase.tokens
    for i in range(len(stream) - len(head)):
        token, begin, end = stream[i + len(head)]
        fits = token.startswith(last) if phrase.prefix else token == last
        if phrase.prefix and not token.isascii():
            end = min(end, begin + len(last))  # a single character, not the pair that it begins
        if fits and all(stream[i + k][0] == wanted for k, wanted in enumerate(head)):
            yield stream[i][1], end


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters, and its end, the index in `text`."""
    pieces, origins, start = [], [], 0
    for end in range(1, len(text) + 1):
        if end == len(text) or end - start == _MAX_MARKS or not _attached(text[end - 1], text[end]):
            piece = _fold_piece(text[start:end])
            pieces.append(piece)
            origins += [start] * len(piece)
            start = end
    return "".join(pieces), [*origins, len(text)]


# Most pieces are single letters that come again and again.
_fold_piece = lru_cache(maxsize=8_192)(fold)


def _attached(before: str, character: str) -> bool:
    """Whether folding depends on a character and the one before it together."""
    return before == "\u200d" or _joins(character)


@lru_cache(maxsize=8_192)
def _joins(character: str) -> bool:
    """Whether a character belongs to the one before: combining marks, Hangul's vowels, parts of emoji."""
    base = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.combining(base) != 0
        or "\u1161" <= base <= "\u11ff"
        or character in "\u200d\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
