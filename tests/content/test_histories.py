"""Feeds that renumber, re-date, move or edit everything: nothing comes again, and no news is lost.

Hypothesis plays a feed that gets new posts while everything else of it changes. Each post says in its body
which one it really is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from content import changes
from content.changes import Changes
from content.identity import opening
from content.types import OPENING, Beginning, KnownPost, NewPost, ParsedPost, ParsedSource

START = datetime(2026, 7, 14, 10, tzinfo=UTC)
POLL = timedelta(minutes=30)
URL = "https://feed.example.org/rss"


@dataclass
class Feed:
    """A feed as it is served: which posts it has, and what it makes of them."""

    dates: list[datetime]  # of each post, the oldest first
    guid: str = "urn:{n}"
    url: str = "https://example.org/{n}"
    title: str = "Story number {n} of many"
    body: str = (
        "<p>This is #{n}. It begins with more than eighty characters, by which anybody knows it again.</p>"
    )
    shift: timedelta = timedelta()
    dated_now: bool = False
    undated: bool = False
    backwards: bool = False
    window: int = 40
    hidden: frozenset[int] = frozenset()

    def served(self, now: datetime) -> ParsedSource:
        shown = [n for n in range(len(self.dates)) if n not in self.hidden][-self.window :]
        posts = [self._post(n, place, now) for place, n in enumerate(reversed(shown))]
        return ParsedSource(posts=tuple(reversed(posts)) if self.backwards else tuple(posts))

    def _post(self, n: int, place: int, now: datetime) -> ParsedPost:
        at = now - timedelta(seconds=1) if self.dated_now else self.dates[n] + self.shift
        fields = {"n": n, "place": place, "now": now.timestamp()}
        return ParsedPost(
            guid=self.guid.format(**fields),
            url=self.url.format(**fields),
            title=self.title.format(**fields),
            html=self.body.format(**fields),
            published_at=None if self.undated else at,
        )


MUTATIONS: Mapping[str, Mapping[str, object]] = {
    "new guids": {"guid": "tag:new:{n}"},
    "guids at each read": {"guid": "{now}-{n}"},
    "guids by place": {"guid": "{place}"},
    "new addresses": {"url": "https://elsewhere.example.net/p/{n}"},
    "sessions": {"url": "https://example.org/{n}?sid={now}"},
    "another spelling": {"url": "http://www.example.org/{n}/?utm_source=rss"},
    "no addresses": {"url": ""},
    "dated now": {"dated_now": True},
    "dated later": {"shift": timedelta(hours=5)},
    "dated a year ago": {"shift": timedelta(days=-365)},
    "upper case": {"title": "STORY NUMBER {n} OF MANY"},
    "decorated": {"title": "[Updated] Story number {n} of many"},
    "a counter": {"body": Feed.body + "<p>Read {now} times.</p>"},
    "backwards": {"backwards": True},
    "cut": {"window": 2},
    "whole": {"window": 40},
    "some are missing": {"hidden": frozenset(range(0, 40, 3))},
    "all are back": {"hidden": frozenset()},
}


@dataclass
class Reader:
    """Takes over what reads bring, as the store does, and remembers which posts were sent."""

    rows: dict[int, tuple[KnownPost, NewPost]] = field(default_factory=dict)
    since: datetime | None = None
    sent: list[int] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    updates: int = 0

    def read(self, parsed: ParsedSource, now: datetime) -> Changes:
        known = [row for row, _ in self.rows.values()]
        found = changes.diff(known, parsed, source_url=URL, now=now)
        beginnings = {
            key: Beginning(key, post.title, post.text[:OPENING], post.published_at)
            for key, (_, post) in self.rows.items()
        }
        found = changes.renumbered(found, changes.doubles(found, known), beginnings, now)
        new = changes.with_old_news(
            found.new, known, since=self.since, now=now, again=[post for _, post in found.again]
        )
        for post_id, post in found.changed:
            self.change(post_id, post, now)
        for post_id, post in found.again:
            self.rows[post_id] = replace(self.rows[post_id][0], guid=post.guid), self.rows[post_id][1]
        for post in new:
            self.add(post)
        self.since = now
        return found

    def add(self, post: NewPost) -> None:
        key = len(self.rows) + 1
        known = KnownPost(
            key,
            post.guid,
            post.key,
            post.content_hash,
            opening(post.title, post.text),
            url=post.url,
            published_at=post.published_at,
        )
        self.rows[key] = known, post
        (self.silent.add if post.old_news else self.sent.append)(real(post))

    def change(self, post_id: int, post: NewPost, now: datetime) -> None:
        old, before = self.rows[post_id]
        assert real(before) == real(post), "a post was taken for another one"
        self.updates += 1
        renewed = replace(
            old,
            url=post.url,
            content_hash=post.content_hash,
            opening=opening(post.title, post.text),
            changed_at=now,
            changes=old.changes + 1,
        )
        self.rows[post_id] = renewed, replace(post, published_at=before.published_at)


def real(post: NewPost) -> int:
    """Which post of the feed it is."""
    found = re.search(r"#(\d+)", post.text)
    assert found
    return int(found[1])


HIDING = {"cut", "whole", "some are missing", "all are back"}
DATING = {"dated now", "dated later", "dated a year ago"}


@example(3, False, False, [(0, {"guids by place"}), (1, set()), (1, set())])
@example(1, False, False, [(1, {"guids by place"}), (1, {"dated a year ago"})])
@example(1, False, True, [(2, {"some are missing"}), (0, {"new addresses", "guids at each read"})])
@example(4, True, False, [(0, {"new guids", "new addresses", "decorated"})])
@example(1, False, False, [(1, {"new addresses", "guids at each read"}), (0, set())])
@example(
    1,
    False,
    False,
    [
        (0, {"a counter", "new addresses"}),
        (1, {"dated now"}),
        (2, {"guids at each read", "another spelling"}),
    ],
)
@given(
    age=st.integers(1, 30),
    undated=st.booleans(),
    hiding=st.booleans(),
    reads=st.lists(
        st.tuples(st.integers(0, 2), st.sets(st.sampled_from(sorted(MUTATIONS)), max_size=3)), max_size=5
    ),
)
def test_nothing_comes_again_and_no_news_is_lost(
    age: int, undated: bool, hiding: bool, reads: list[tuple[int, set[str]]]
) -> None:
    """A post that was away while everything changed is known by title and date alone."""
    dates = [START - timedelta(days=age - n) for n in range(age)]
    feed = Feed(dates, undated=undated and not hiding)
    reader, now = Reader(), START
    reader.read(feed.served(now), now)
    for fresh, mutations in reads:
        now += POLL
        feed.dates += [now - timedelta(minutes=1)] * fresh
        for mutation in sorted(mutations - (DATING if hiding else HIDING)):
            for name, value in MUTATIONS[mutation].items():
                setattr(feed, name, value)
        moves = mutations & {"new addresses", "another spelling"} or "{now}" in feed.url
        by_place = feed.guid == "{place}" and moves
        if by_place or (not feed.url and feed.guid != Feed.guid):
            feed.guid = "tag:new:{n}"  # else nothing would say which post is which
        reader.read(feed.served(now), now)
        assert len(set(reader.sent)) == len(reader.sent), "sent twice"
        assert not set(reader.sent) & set(range(age)), "it was there before"
    everything = replace(feed, window=100, hidden=frozenset())
    reader.read(everything.served(now + POLL), now + POLL)
    assert sorted(reader.sent) == list(range(age, len(feed.dates)))


def posted(*titles: str, guid: str, at: datetime | None = None, text: str = "") -> ParsedSource:
    """A read with these titles; #7 is what `real` finds in each."""
    return ParsedSource(
        posts=tuple(
            ParsedPost(
                f"{guid}-{n}", f"https://e.org/{guid}/{n}", title, published_at=at, html=f"<p>#7 {text}</p>"
            )
            for n, title in enumerate(titles)
        )
    )


def test_a_title_that_comes_each_day_is_news() -> None:
    """Prices under the same names, with other figures: each read has replaced all that was there before."""
    reader = Reader()
    for day in range(3):
        now = START + timedelta(days=day)
        reader.read(posted("Rye", "Barley", guid=f"{day}", at=now - POLL, text=f"{day} a ton"), now)
    assert len(reader.sent) == 4


def test_a_weekly_thread_that_says_the_same_is_news_beside_others() -> None:
    reader, threads = Reader(), ["Open thread"] * 2
    before, past = posted("Rye", "Barley", "Oats", guid="a", at=START - POLL), START - timedelta(days=7)
    reader.read(replace(before, posts=before.posts + posted(*threads, guid="x", at=past).posts), START)
    later = START + timedelta(days=7)
    new = posted("Open thread", guid="y", at=later - POLL)
    reader.read(replace(before, posts=new.posts + before.posts), later)
    assert len(reader.sent) == 1


def test_a_feed_in_the_place_of_another_is_sent_once_at_most() -> None:
    ours, theirs = (
        Feed(
            [START - timedelta(days=n) for n in range(20, 0, -1)],
            guid=f"{name}:{{n}}",
            url=f"https://{name}/{{n}}",
        )
        for name in ("ours.example", "theirs.example")
    )
    theirs.title = "Another tale, part {n}"
    theirs.body = theirs.body.replace("#", "#1000")
    reader = Reader()
    for number, feed in enumerate([ours, theirs, ours, theirs, ours]):
        reader.read(feed.served(START + number * POLL), START + number * POLL)
    assert reader.sent == []


def test_what_changes_at_each_read_is_taken_over_ever_more_rarely() -> None:
    feed = Feed([START - timedelta(days=1)], body="<p>This is #{n}.</p><p>{now}</p>")
    reader, minute = Reader(), timedelta(minutes=1)
    for number in range(60 * 24):
        reader.read(feed.served(START + number * minute), START + number * minute)
    assert 3 < reader.updates < 13
    feed.body = "<p>This is #{n}, corrected.</p>"
    later = START + timedelta(days=2)
    reader.read(feed.served(later), later)
    assert "corrected" in reader.rows[1][1].text


def test_each_of_two_posts_with_one_title_is_known_again() -> None:
    reader = Reader()
    reader.read(posted("Rye", "Rye", guid="a", at=START), START)
    reader.read(posted("Rye", "Rye", guid="b", at=START), START + POLL)
    assert {known.guid for known, _ in reader.rows.values()} == {"b-0", "b-1"}


def test_an_archive_that_comes_dated_now_with_what_was_renumbered_is_old_news() -> None:
    reader, now = Reader(), START + POLL
    reader.read(posted(*(f"Notes of day {n}" for n in range(8)), guid="a", at=START), START)
    titles = [f"Notes of day {n}" for n in range(15)]
    reader.read(posted(*titles, guid="b", at=now - timedelta(seconds=1)), now)
    assert (len(reader.rows), reader.sent) == (15, [])


def test_a_post_that_moved_is_known_by_its_date_or_later_by_its_new_address() -> None:
    """Even if its text, and then its title, is another one."""
    reader = Reader()
    reader.read(posted("Rye", "Barley", guid="a", at=START - POLL, text="A short note."), START)
    reader.read(posted("Rye", "Barley", guid="b", at=START - POLL, text="Rewritten."), START + POLL)
    again = posted("Wheat", "Oats", guid="b", at=START + POLL)
    again = ParsedSource(posts=tuple(replace(post, guid=f"c{post.guid}") for post in again.posts))
    reader.read(again, START + 2 * POLL)
    assert (len(reader.rows), reader.updates) == (2, 4)
