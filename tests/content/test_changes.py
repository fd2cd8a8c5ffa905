from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.bounds import newest
from content.changes import (
    _PLAIN_URL,
    DATES_ERR,
    HANDFUL,
    MAX_GUID_BYTES,
    MAX_TEXT_CHARACTERS,
    Changes,
    canonical_url,
    cut_short,
    diff,
    stored_guid,
    with_old_news,
)
from content.clean import MAX_HTML_BYTES, sanitise
from content.types import KnownPost, Media, NewPost, ParsedPost, ParsedSource

NOW = datetime(2026, 7, 14, 10, tzinfo=UTC)
SOURCE = "https://example.org/feed"


def post(guid: str, url: str = "", title: str = "t", at: datetime | None = NOW, html: str = "") -> ParsedPost:
    return ParsedPost(guid=guid, url=url, title=title, published_at=at, html=html)


def changes(known: list[KnownPost], *posts: ParsedPost) -> Changes:
    return diff(known, ParsedSource(posts=posts), source_url=SOURCE, now=NOW)


def stored(known: list[KnownPost], found: Changes) -> list[KnownPost]:
    """What the store holds after it has taken over `found`."""
    new = {id_: post for id_, post in found.changed}
    kept = [
        KnownPost(old.id, old.guid, new[old.id].key, new[old.id].content_hash) if old.id in new else old
        for old in known
    ]
    first = max((old.id for old in known), default=0) + 1
    return kept + [
        KnownPost(n, one.guid, one.key, one.content_hash) for n, one in enumerate(found.new, first)
    ]


def only(found: Changes) -> NewPost:
    (new,) = found.new
    return new


class TestWithdrawn:
    KNOWN: ClassVar = [KnownPost(1, "a", "key a", "hash"), KnownPost(2, "b", "key b", "hash")]

    def found(self, *posts: ParsedPost, known: list[KnownPost] | None = None, **fields: Any) -> Changes:
        parsed = ParsedSource(posts=posts, **fields)
        return diff(self.KNOWN if known is None else known, parsed, source_url=SOURCE, now=NOW)

    def test_a_feed_that_no_longer_shows_a_post_has_not_withdrawn_it(self) -> None:
        assert self.found(post("a")).withdrawn == ()

    def test_a_feed_may_say_which_posts_it_has_deleted(self) -> None:
        assert self.found(post("a"), withdrawn=("b", "unknown")).withdrawn == (2,)
        assert self.found(post("a"), post("b"), withdrawn=("b",)).withdrawn == (), "it shows the post"

    def test_a_folder_has_deleted_what_it_has_no_longer(self) -> None:
        assert self.found(post("a"), present=("a",)).withdrawn == (2,)
        assert self.found(post("a"), present=("a", "b")).withdrawn == (), "it was only not read"
        assert self.found(present=()).withdrawn == (), "it is more likely not mounted"

    def test_each_is_said_once_and_undone_when_the_post_is_back(self) -> None:
        known = [self.KNOWN[0], replace(self.KNOWN[1], withdrawn=True), KnownPost(0, "c", "key c", "")]
        assert self.found(post("a"), known=known, present=("a",)).withdrawn == ()
        back = self.found(post("a"), post("b"), known=known, present=("a", "b"))
        assert (back.withdrawn, back.returned) == ((), (2,))


class TestNew:
    def test_posts_come_oldest_first(self) -> None:
        hour = timedelta(hours=1)
        found = changes([], post("c", at=NOW), post("a", at=NOW - 2 * hour), post("b", at=NOW - hour))
        assert [new.guid for new in found.new] == ["a", "b", "c"]

    def test_of_posts_without_date_the_last_of_the_feed_is_the_oldest(self) -> None:
        found = changes([], post("b", at=None), post("a", at=None))
        assert [new.guid for new in found.new] == ["a", "b"]
        assert all(new.published_at == NOW for new in found.new)

    def test_the_first_of_equal_guids_wins(self) -> None:
        assert only(changes([], post("a", title="first"), post("a", title="second"))).title == "first"

    @pytest.mark.parametrize(
        ("ahead", "expected"),
        [(timedelta(hours=23), NOW + timedelta(hours=23)), (timedelta(days=2), NOW)],
    )
    def test_a_date_far_ahead_is_now(self, ahead: timedelta, expected: datetime) -> None:
        assert only(changes([], post("a", at=NOW + ahead))).published_at == expected

    def test_text_and_language_are_worked_out(self) -> None:
        new = only(changes([], post("a", title="微调", html="<p>一 <b>二</b></p><p>三</p>")))
        assert (new.text, new.language) == ("一 二\n三", "zh")

    def test_the_summary_stands_in_for_a_text(self) -> None:
        found = changes([], ParsedPost(guid="a", summary="in short"))
        assert (only(found).text, only(found).language) == ("in short", "en")

    def test_what_is_long_is_cut_and_stays_well_formed(self) -> None:
        new = only(
            changes([], post("a", html="<ul>" + ("<li><b>" + "文字" * 40 + "</b></li>") * 5_000 + "</ul>"))
        )
        assert len(new.html.encode()) <= MAX_HTML_BYTES
        assert new.html.endswith("</ul>") and new.html.count("<li>") == new.html.count("</li>") > 1_000
        assert len(only(changes([], post("a", html="x" * 300_000))).text) == MAX_TEXT_CHARACTERS


class TestKnown:
    def test_nothing_changed(self) -> None:
        first = changes([], post("a"), post("b"))
        assert changes(stored([], first), post("a"), post("b")) == Changes()

    @pytest.mark.parametrize(
        "edited",
        [
            post("a", "https://e.org/a", title="new"),
            post("a", "https://e.org/a", html="<p>new</p>"),
            post("a", "https://e.org/b"),
        ],
    )
    def test_an_edit_keeps_id_and_key(self, edited: ParsedPost) -> None:
        known = stored([], changes([], post("a", "https://e.org/a")))
        found = changes(known, edited)
        ((id_, changed),) = found.changed
        assert (found.new, id_, changed.key) == ((), known[0].id, known[0].key)
        assert changes(stored(known, found), edited) == Changes()

    def test_another_date_is_no_change(self) -> None:
        known = stored([], changes([], post("a")))
        assert changes(known, post("a", at=None)) == Changes()

    def test_new_guids_for_known_urls_bring_nothing(self) -> None:
        known = stored([], changes([], post("1", "https://e.org/a"), post("2", "https://e.org/b")))
        again = (post("x1", "https://e.org/a?utm_source=feed"), post("x2", "http://www.e.org/b/"))
        found = changes(known, *again)
        assert (found.new, [post_id for post_id, _ in found.changed]) == ((), [1, 2])
        assert changes(stored(known, found), *again) == Changes()

    def test_a_new_guid_beside_the_old_one_is_a_new_post(self) -> None:
        known = stored([], changes([], post("1", "https://e.org/a")))
        found = changes(known, post("2", "https://e.org/a"), post("1", "https://e.org/moved"))
        assert only(found).guid == "2" and only(found).key != known[0].key

    @pytest.mark.parametrize("url", ["", "https://e.org/a"])
    def test_a_tombstone_never_comes_back(self, url: str) -> None:
        known = stored([], changes([], post("a", url)))
        dead = [KnownPost(0, "a", known[0].key, "")]
        assert changes(dead, post("a", url, title="edited")) == Changes(buried=("a",))
        renumbered = changes(dead, post("b", url))
        assert renumbered == (Changes(buried=("a",)) if url else renumbered)


class TestOneGuidOfSeveralPosts:
    A, B, C = (post("same", f"https://e.org/{name}", title=name) for name in "abc")

    def test_posts_of_several_addresses_are_all_new(self) -> None:
        found = changes([], self.C, self.B, self.A)
        assert [new.title for new in found.new] == ["a", "b", "c"]
        assert len({new.guid for new in found.new}) == len({new.key for new in found.new}) == 3

    def test_they_are_known_however_many_the_feed_still_has(self) -> None:
        known = stored([], changes([], self.B, self.A))
        for posts in ([self.B, self.A], [self.A, self.B], [self.B], [self.A]):
            assert changes(known, *posts) == Changes()
        edited = post("same", "https://e.org/b", title="edited")
        assert [id_ for id_, _ in changes(known, edited, self.A).changed] == [2]

    def test_the_one_that_was_there_before_the_others_stays(self) -> None:
        known = stored([], changes([], self.A))
        found = changes(known, self.B, self.A)
        assert (only(found).title, found.changed) == ("b", ())
        assert changes(stored(known, found), self.A) == Changes()
        assert only(changes(stored(known, found), self.C, self.B)).title == "c"

    def test_one_address_written_in_two_ways_is_one_post(self) -> None:
        found = changes([], post("a", "https://e.org/a"), post("a", "http://www.e.org/a/?utm_source=x"))
        assert (only(found).guid, only(found).url) == ("a", "https://e.org/a")


class TestKeys:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/a",
            "https://www.example.org/a/",
            "HTTPS://Example.ORG:443/a#part",
            "https://example.org/a?utm_source=x&UTM_Medium=y&fbclid=1&gclid=2",
        ],
    )
    def test_one_post_by_another_url(self, url: str) -> None:
        assert canonical_url(url) == "https://example.org/a"

    @given(st.from_regex(_PLAIN_URL, fullmatch=True))
    def test_a_plain_url_is_the_same_post_as_with_a_fragment(self, url: str) -> None:
        assert canonical_url(url) == canonical_url(f"{url}#part")

    def test_what_tells_posts_apart_stays(self) -> None:
        assert canonical_url("https://e.org/p?b=2&a=1") == canonical_url("https://e.org/p?a=1&b=2")
        urls = [
            "https://e.org/p?a=1",
            "https://e.org/p?a=2",
            "https://e.org/P",
            "https://e.org:8080/p",
            "https://e.org/",
        ]
        assert len(set(map(canonical_url, urls))) == len(urls)
        assert canonical_url("https://e.org/文章") == canonical_url("https://e.org/%E6%96%87%e7%ab%a0")

    @pytest.mark.parametrize(
        "url", ["", "https://e.org", "https://e.org/", "https://e.org/?utm_source=x", "ftp://e.org/a"]
    )
    def test_a_url_that_is_not_that_of_a_post(self, url: str) -> None:
        assert canonical_url(url) == ""
        found = changes([], post("a", url), post("b", url))
        assert len({new.key for new in found.new}) == 2

    def test_posts_that_share_a_url_have_their_own_keys(self) -> None:
        found = changes([], post("a", "https://e.org/log#1"), post("b", "https://e.org/log#2"))
        assert len({new.key for new in found.new}) == 2
        assert changes(stored([], found), post("b", "https://e.org/log#2")).new == ()

    def test_the_same_post_of_two_sources_has_one_key(self) -> None:
        def key(source: str, url: str) -> str:
            parsed = ParsedSource(posts=(post("guid of " + source, url),))
            return only(diff([], parsed, source_url=source, now=NOW)).key

        assert key("s1", "https://e.org/a") == key("s2", "http://e.org/a?utm_source=s2")
        assert key("s1", "") != key("s2", "")
        assert len(key("s1", "")) == 32


URLS = st.sampled_from(["", "https://e.org/", "https://e.org/a", "https://e.org/b", "http://www.e.org/a/#x"])
DATES = st.one_of(st.none(), st.integers(-9, 9).map(lambda days: NOW + timedelta(days=days)))
POSTS = st.lists(
    st.builds(
        ParsedPost,
        guid=st.sampled_from("abcdef"),
        url=URLS,
        title=st.sampled_from(["", "t", "u"]),
        html=st.sampled_from(["", "<p>x</p>", "y"]),
        published_at=DATES,
        tags=st.sampled_from([(), ("x",)]),
    ),
    max_size=8,
).map(tuple)


@given(st.lists(POSTS, min_size=1, max_size=4))
def test_what_has_been_taken_over_is_neither_new_nor_changed(reads: list[tuple[ParsedPost, ...]]) -> None:
    known: list[KnownPost] = []
    for posts in reads:
        found = changes(known, *posts)
        assert len(found.new) + len(found.changed) <= len(posts)
        assert [new.published_at for new in found.new] == sorted(new.published_at for new in found.new)
        assert not {new.key for new in found.new} & {old.key for old in known}
        assert len({new.key for new in found.new}) == len(found.new)
        known = stored(known, found)
        assert changes(known, *posts) == Changes()


class TestOldNews:
    """What of a read is sent. `since` is the last successful read."""

    SINCE = NOW - timedelta(hours=1)

    def news(
        self,
        known: list[KnownPost],
        *posts: ParsedPost,
        since: datetime | None = SINCE,
        cut: bool = False,
    ) -> list[str]:
        new = changes(known, *posts).new
        told = with_old_news(new, known, since=since, now=NOW, cut=cut)
        assert [one.guid for one in told] == [one.guid for one in new]
        return [one.guid for one in told if not one.old_news]

    def archive(self, count: int, *, of: str = "", step: timedelta = timedelta(days=1)) -> list[ParsedPost]:
        """Posts of the past, newest first; `of` is part of guid and address, the titles are the same."""
        return [
            post(f"{of}{n}", f"https://e.org/{of}/{n}", f"Title {n}", NOW - step * (n + 1))
            for n in range(count)
        ]

    def known(self, posts: list[ParsedPost]) -> list[KnownPost]:
        return [KnownPost(n, one.guid, f"key {n}", "", one.title) for n, one in enumerate(reversed(posts), 1)]

    def test_a_first_read_is_old_news(self) -> None:
        assert self.news([], *self.archive(3), post("now"), since=None) == []

    def test_a_site_that_changes_ids_and_addresses_has_moved(self) -> None:
        known = self.known(self.archive(300))
        assert self.news(known, *self.archive(300, of="moved")) == []

    def test_also_one_without_dates(self) -> None:
        undated = [post(f"new {n}", title=f"Title {n}", at=None) for n in range(300)]
        assert self.news(self.known(self.archive(300)), *undated) == []

    def test_also_one_that_posts_every_minute(self) -> None:
        known = self.known(self.archive(300, step=timedelta(minutes=1)))
        moved = self.archive(300, of="moved", step=timedelta(minutes=1))
        since = NOW - timedelta(seconds=30)
        assert self.news(known, *moved, since=since) == []

    def test_what_is_new_of_a_site_that_moved_is_news(self) -> None:
        known = self.known(self.archive(300))
        fresh = post("fresh", "https://e.org/fresh", "Fresh", NOW - timedelta(minutes=1))
        assert self.news(known, fresh, *self.archive(300, of="moved")) == ["fresh"]

    def test_a_week_without_a_read_is_made_up_for(self) -> None:
        known = self.known(self.archive(40)[20:])
        week = self.archive(20, of="week", step=timedelta(hours=8))
        assert len(self.news(known, *week, since=NOW - timedelta(days=7))) == 20

    def test_a_list_that_is_new_each_day_is_news(self) -> None:
        """Dated midnight, as where only the day is known, and read a little later."""
        known = self.known([post(f"a{n}", title=f"Paper {n}", at=NOW - timedelta(days=1)) for n in range(50)])
        midnight = NOW - timedelta(hours=10)
        assert (
            len(self.news(known, *(post(f"b{n}", title=f"Other {n}", at=midnight) for n in range(50)))) == 50
        )

    def test_a_list_without_dates_that_is_new_each_day_is_news(self) -> None:
        known = self.known([post(f"a{n}", title=f"Paper {n}") for n in range(50)])
        assert len(self.news(known, *(post(f"b{n}", title=f"Other {n}", at=None) for n in range(50)))) == 50

    def test_a_handful_is_news_whatever_its_dates(self) -> None:
        known = self.known(self.archive(20))
        backdated = [post(f"b{n}", at=NOW - timedelta(days=90)) for n in range(HANDFUL)]
        assert len(self.news(known, *backdated)) == HANDFUL
        assert self.news(known, *backdated, cut=True) == [], "older posts come into sight as others go"

    def test_an_archive_that_is_opened_is_old_news(self) -> None:
        known = self.known(self.archive(10))
        older = [post(f"old {n}", title=f"Old {n}", at=NOW - timedelta(days=100 + n)) for n in range(10)]
        fresh = post("fresh", at=NOW - timedelta(minutes=1))
        assert self.news(known, *older, fresh) == ["fresh"]

    @given(
        ages=st.lists(st.integers(0, 400), max_size=60),
        since=st.integers(1, 60),
        familiar=st.booleans(),
    )
    def test_what_is_dated_after_the_last_read_is_news_and_what_is_long_before_is_not(
        self, ages: list[int], since: int, familiar: bool
    ) -> None:
        """In days and a bit before now. That titles are known makes no difference to either."""
        minute, last = timedelta(minutes=1), NOW - timedelta(days=since)
        posts = [
            post(f"n{n}", title=f"T{n}", at=NOW - timedelta(days=age) - minute) for n, age in enumerate(ages)
        ]
        known = self.known([post(f"k{n}", title=f"T{n}") for n in range(60)]) if familiar else []
        told = set(self.news(known, *posts, since=last))
        for one in posts:
            assert one.published_at is not None
            if one.published_at >= last:
                assert one.guid in told
            elif one.published_at < last - DATES_ERR:
                assert (one.guid in told) == (len(posts) <= HANDFUL)


class TestBounds:
    @given(st.text(st.characters(), max_size=400).map(lambda text: text * 3))
    def test_a_stored_guid_fits_an_index_and_is_its_own(self, guid: str) -> None:
        kept = stored_guid(guid)
        assert len(kept.encode()) <= MAX_GUID_BYTES and "\0" not in kept
        assert stored_guid(kept) == kept

    def test_long_guids_stay_apart(self) -> None:
        assert len({stored_guid("x" * 5_000 + end) for end in "abc"}) == 3

    def test_a_long_guid_that_is_stored_already_is_known(self) -> None:
        long = "urn:" + "x" * 5_000
        known = [KnownPost(1, long, "key", "other")]
        found = changes(known, post(long, title="edited"))
        assert found.new == () and [post_id for post_id, _ in found.changed] == [1]

    def test_a_guid_that_was_cut_is_known_the_next_time(self) -> None:
        long = post("urn:" + "x" * 5_000)
        assert changes(stored([], changes([], long)), long) == Changes()

    def test_nothing_that_a_database_refuses_gets_through(self) -> None:
        bad = "a\0\ud800"
        media = (Media(bad, bad, bad),)
        parsed = ParsedPost(bad, bad, bad, bad, html=bad, summary=bad, tags=(bad,), media=media)
        new = only(changes([], parsed))
        assert (new.guid, new.title, new.author, new.tags, new.media) == (
            "a?",
            "a?",
            "a?",
            ("a?",),
            (Media("a?", "a?", "a?"),),
        )
        assert all(mark not in f"{new}" for mark in ("\0", "\ud800"))

    def test_the_newest_are_kept_and_those_without_date(self) -> None:
        posts = [post("undated", at=None), *(post(f"{n}", at=NOW - timedelta(days=n)) for n in range(9))]
        posts.reverse()
        dates = [one.published_at for one in posts]
        assert [one.guid for one in newest(posts, dates, 3)] == ["1", "0", "undated"]
        assert newest(posts, dates, 10) == posts

    def test_what_is_left_out_is_told(self) -> None:
        parsed = ParsedSource(posts=(post("a"),), total=300_000)
        told = "only the newest 500 of 300,000 posts were read: raise SKYWAVE_SOURCE_POSTS to read more"
        assert cut_short(parsed, 500) == told
        assert cut_short(ParsedSource(posts=(post("a"),)), 1) == ""


class TestHashes:
    """A post that has not changed has the hash that the first version gave it, whatever is kept by now."""

    @pytest.mark.parametrize(
        ("html", "first"),
        [
            (
                '<p>Hi <a href="b" id="x">b</a> <ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>'
                " <mark>m</mark></p>",
                "83c0707f180af204",
            ),
            (
                '<section><h2 id="top">A</h2></section><article>b</article><p id="p">See '
                '<a href="#top">top</a><sup id="r1"><a href="#n1">1</a></sup></p><ol><li id="n1">note '
                '<a href="#r1">↩</a></li></ol>',
                "7848abf1bf3329b8",
            ),
            (
                '<table><tr><th colspan="2">k</th></tr><tr><td rowspan=3 class="gutter">1</td><td>2</td></tr>'
                "</table>",
                "cb038eaa16008faf",
            ),
            (
                '<figure class="highlight python"><pre class="hljs py"><code class="hljs language-py">x'
                '</code></pre></figure><code class="lang-js">y</code>',
                "2dfb8090791220bc",
            ),
            (
                '<img src="a.png" srcset="b.png 800w, c.png 1600w" width="1" alt="i"><img data-src="/l.png">'
                '<picture><source srcset="w.webp"><img src="p.png"></picture>',
                "07400a36d9955d5c",
            ),
            (
                '<audio controls src=/a.mp3>no</audio><video title="T"><source src="a.mp4"><p>fallback</p>'
                '</video><iframe src="https://player.vimeo.com/video/7"></iframe>',
                "343251ce256ae571",
            ),
            (
                '<p>E <math display="block"><semantics><mi>x</mi><annotation encoding="application/x-tex">x^2'
                '</annotation></semantics></math> <script type="math/tex">y</script><span class="katex">'
                '<span class="katex-html">z</span></span></p>',
                "49a9ccbbc837e7f9",
            ),
            (
                '<ul><li class="task-list-item"><input type="checkbox" checked disabled> done</li></ul>'
                '<tg-spoiler>s</tg-spoiler><span class="spoiler">t</span>',
                "2516742287efc60c",
            ),
            (
                "<details open><summary>s</summary><p>t</p></details><hr><center>c</center><blockquote>q"
                "<aside>z</aside></blockquote>",
                "d2b57d8ab7b3cb5f",
            ),
        ],
    )
    def test_do_not_depend_on_what_else_is_kept(self, html: str, first: str) -> None:
        parsed = ParsedPost("a", html=sanitise(html, "https://example.org/posts/"))
        assert only(changes([], parsed)).content_hash.startswith(first)
