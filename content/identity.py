"""Which stored post a post of a read is, if its guid or its URL is another by now. Pure."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from unicodedata import normalize

from content.types import OPENING, Beginning, KnownPost, NewPost, ParsedPost

# So many changes of a post are taken over as they come. After that it rests, twice as long after each.
FREE_CHANGES = 3
REST = timedelta(minutes=15)
LONGEST_REST = timedelta(hours=6)

# What people put before a title that they publish again: [Updated], 【更新】, UPDATE:.
_DECORATION = re.compile(
    r"^(?:\s*(?:[\[(【〔（][^\])】〕）]{1,20}[\])】〕）]|(?:updated?|corrected|correction|更新|更正)\s*[:：]))+"
)
_NO_WORD = re.compile(r"[\W_]+")


def opening(title: str, text: str) -> str:
    """What a post is recognised by after its guid and URL have changed: its title, or how its text begins."""
    return title or text[:OPENING]


def recognised(title: str) -> str:
    """A title or the beginning of a text without case, punctuation and what was put before it."""
    folded = normalize("NFKC", title).casefold()
    decoration = _DECORATION.match(folded)
    bare = _NO_WORD.sub("", folded[decoration.end() :] if decoration else folded)
    return bare or _NO_WORD.sub("", folded) or folded


def is_reused(old: KnownPost, post: ParsedPost, *, is_elsewhere: bool) -> bool:
    """Whether a guid that a source has used before names another post now, whose URL is another one.

    An author may change URL and title of a post. Then its date stays. `is_elsewhere`: the read has another
    post at the URL of the stored one.
    """
    if not old.id or not post.title or not old.opening:
        return False
    if recognised(post.title) == recognised(old.opening):
        return False
    if is_elsewhere or post.published_at is None or old.published_at is None:
        return True
    return post.published_at > old.published_at


def may_change(old: KnownPost, now: datetime) -> bool:
    """Whether a change of a stored post is taken over now. Else it is found again by the next read.

    So a counter in every post does not write every post at every read.
    """
    if old.changed_at is None or old.changes < FREE_CHANGES:
        return True
    doublings = min(old.changes - FREE_CHANGES, 10)
    return now - old.changed_at >= min(REST * (1 << doublings), LONGEST_REST)


def repeats(
    new: Sequence[NewPost], known: Sequence[KnownPost], shown: Collection[int]
) -> Mapping[str, KnownPost]:
    """The stored post that each new one may be, by guid: one with its title that the source shows no longer.

    Of several with the same title, the newest are taken, each once.
    """
    missing: dict[str, list[KnownPost]] = defaultdict(list)
    for post in sorted(known, key=lambda post: post.id):
        if post.id and post.opening and post.id not in shown:
            missing[recognised(post.opening)].append(post)
    if not missing:
        return {}
    found = {}
    for one in sorted(new, key=lambda post: post.published_at, reverse=True):
        if same := missing.get(recognised(opening(one.title, one.text))):
            found[one.guid] = same.pop()
    return found


def is_same(new: NewPost, old: KnownPost, beginning: Beginning | None, *, alone: bool) -> bool:
    """Whether a new post with the title of a stored one is that one: it has its date, or begins like it.

    `alone`: it is the only post of the read. Then nothing else shows that the source has renumbered.
    """
    if new.published_at == old.published_at:
        return True
    if beginning is None:
        return False
    text = recognised(beginning.text[:OPENING])
    return text == recognised(new.text[:OPENING]) and not (alone and not text)
