"""A listing page as a source: its selectors are kept, and a page that has changed is an error."""

import asyncio
import json
import socket
from datetime import datetime
from ipaddress import ip_network

import pytest

from content.changes import diff
from content.errors import AddressRefused, FetchError, ParseError, SourceError, UsageError
from content.fetch import LARGE
from content.http import HttpFetcher
from content.sources import KINDS, NO_CHOICE, Choice, choice_of, kind_of, new_options
from content.sources.dates_in_text import date_in
from content.sources.kinds import Read, ReadContext, Values
from content.sources.listing import ListingKind
from content.sources.listing_items import Selectors, invalid_part
from content.sources.listing_page import MAX_TAGS, parse_listing
from content.types import KnownPost, Options, ParsedSource, Validators
from tests.content.listing_pages import CARDS, NOW, POSTS, SITE, each, page
from tests.content.test_fetch import LOOPBACK, answering, redirecting, serving
from tests.fakes import FakeFetcher

URL = f"{SITE}/news"
FORM = (
    '<li class="post"><a href="/p/{slug}?utm_source=list">{title}</a><time>{iso}</time><p>{excerpt}</p></li>'
)


def read(html: str, values: Values | None = None, charset: str = "utf-8") -> Read:
    context = ReadContext(FakeFetcher({URL: html.encode(charset)}), now=lambda: NOW)
    return asyncio.run(ListingKind().read(URL, Options(1, values or {}), Validators(), context))


def parsed(html: str, values: Values | None = None) -> ParsedSource:
    found = read(html, values).parsed
    assert found is not None
    return found


def stored(html: str = CARDS.html) -> Values:
    """The options with which the page is stored."""
    found = read(html).found
    assert found is not None
    return found


def listing(form: str = FORM) -> str:
    return page(f"<ul>{each(form)}</ul>")


def bare(title: str, count: int = 6) -> str:
    """The page of cards with other titles, and nothing but titles."""
    form = f'<li class="card"><h2><a href="/p/{{slug}}">{title}</a></h2></li>'
    return page(f"<ul>{each(form, POSTS[:count])}</ul>")


class TestReading:
    def test_a_post_is_known_by_its_link_and_has_date_and_excerpt(self) -> None:
        found = parsed(listing())
        post = found.posts[0]
        assert (post.guid, post.url) == (f"{SITE}/p/kettle", f"{SITE}/p/kettle?utm_source=list")
        assert (post.title, post.html) == (POSTS[0].title, f"<p>{POSTS[0].excerpt}</p>")
        assert post.published_at is not None and post.published_at.day == 14
        assert (found.title, found.url, found.total) == ("The Yard", URL, len(POSTS))

    def test_later_reads_use_what_was_stored_and_need_no_list(self) -> None:
        values = stored()
        assert values["item"] == "li.card"
        assert values["usual"] == {
            "item": "li.card",
            "link": "h2 > a",
            "posts": len(POSTS),
            "title_bytes": 26,
            "addresses": ["example.org/p/2?"],
        }
        other = CARDS.html.replace(
            "<main>", "<main><article><h2><a href='/x/1'>A new box above</a></h2></article>" * 3
        )
        assert [post.title for post in parsed(other, values).posts] == [told.title for told in POSTS]

    def test_a_changed_excerpt_is_an_edit(self) -> None:
        before, after = (
            parsed(listing()),
            parsed(listing().replace("one of them is a tenor", "two are tenors")),
        )
        new = diff([], before, source_url=URL, now=NOW).new
        known = [KnownPost(n, post.guid, post.key, post.content_hash) for n, post in enumerate(new, start=1)]
        changes = diff(known, after, source_url=URL, now=NOW)
        assert not changes.new and [post.title for _, post in changes.changed] == [POSTS[0].title]

    def test_a_relative_date_alone_changes_nothing(self) -> None:
        ago = '<li><a href="/p/{slug}">{title}</a><span class="when">{ago}</span></li>'
        new = diff([], parsed(listing(form=ago)), source_url=URL, now=NOW).new
        known = [KnownPost(n, post.guid, post.key, post.content_hash) for n, post in enumerate(new, start=1)]
        later = listing(form=ago).replace("6 days ago", "7 days ago")
        changes = diff(known, parsed(later), source_url=URL, now=NOW)
        assert not changes.new and not changes.changed

    def test_the_base_of_the_page_counts_and_its_character_set(self) -> None:
        html = page("<ul>" + each(FORM.replace("/p/", "p/")) + "</ul>", '<base href="/deep/">')
        assert parsed(html).posts[0].guid == f"{SITE}/deep/p/kettle"
        html = page("<ul>" + each('<li><a href="/{slug}.htm">{title}通知</a>（{chinese}）</li>') + "</ul>")
        found = read(html, charset="gb18030").parsed
        assert found is not None and found.posts[0].title.endswith("通知")

    def test_a_title_that_the_page_cuts_is_read_whole_from_its_attribute(self) -> None:
        form = (
            '<li class="c"><a href="/p/{slug}" title="{title} and more of it">{title} …</a><i>{iso}</i></li>'
        )
        assert parsed(listing(form=form)).posts[0].title == POSTS[0].title + " and more of it"

    def test_only_the_first_posts_are_kept_and_all_are_counted(self) -> None:
        found = parse_listing(listing().encode(), "", URL, {}, 2, NOW).parsed
        assert (len(found.posts), found.total) == (2, len(POSTS))


class TestGivenSelectors:
    def test_the_parts_of_a_given_item_are_found(self) -> None:
        html = page(
            f"<ul class='menu2'>{each('<li><a href=/m/{slug}>menu {title}</a></li>')}</ul>" + listing()
        )
        found = read(html, {"item": "li.post"})
        assert found.parsed is not None and len(found.parsed.posts) == len(POSTS)
        assert found.found is not None and (found.found["date"], found.found["excerpt"]) == ("time", "p")

    def test_a_given_part_counts_more_than_what_is_found(self) -> None:
        assert parsed(listing(), {"excerpt": ""}).posts[0].html == ""
        assert parsed(listing(), {"title": "time"}).posts[0].title == "2026-07-14"
        assert parsed(listing(), {"item": "li", "date": "p"}).posts[0].published_at is None

    def test_what_follows_an_item_and_the_item_itself_can_be_parts(self) -> None:
        html = page(
            "<dl>" + each("<dt><a href='/p/{slug}'>{title}</a> {iso}</dt><dd>{excerpt}</dd>") + "</dl>"
        )
        values = {"item": "dt", "link": "a", "date": ":scope", "excerpt": "+ dd", "title": ""}
        post = parsed(html, values).posts[-1]
        assert post.published_at is not None and post.published_at.day == 2
        assert post.html == f"<p>{POSTS[-1].excerpt}</p>"

    @pytest.mark.parametrize("selector", ["li[", "li >", "..x", "p::before", "a{", "li:nope", "p\0"])
    def test_an_invalid_selector_is_refused_with_an_example(self, selector: str) -> None:
        with pytest.raises(UsageError, match=r"the option item takes one like ul\.news > li"):
            read(listing(), new_options(ListingKind(), {"item": selector}).values)

    def test_an_option_that_there_is_not_or_is_too_long_is_refused(self) -> None:
        with pytest.raises(UsageError, match="has no option colour"):
            new_options(ListingKind(), {"colour": "red"})
        with pytest.raises(UsageError, match="the option item has more than 300 characters"):
            new_options(ListingKind(), {"item": "a" * 301})
        assert invalid_part(Selectors("li", excerpt="+ dd[")) == "excerpt"

    def test_a_selector_that_selects_nothing_is_an_error_that_names_it(self) -> None:
        with pytest.raises(
            ParseError, match=r"“div\.nope” selects nothing on https://example\.org/news: check"
        ):
            read(listing(), {"item": "div.nope"})
        with pytest.raises(ParseError, match=r"“p” selects elements on .*, but none links to a post"):
            read(listing(), {"item": "p"})

    def test_a_selector_may_have_spaces_when_it_is_typed(self) -> None:
        choice = choice_of(["--listing", "--item=ul.news", ">", "li", "--date=time"])
        assert choice == Choice("listing", {"item": "ul.news > li", "date": "time"})
        with pytest.raises(UsageError, match="“stray” is not an option"):
            choice_of(["stray", "--listing"])

    def test_a_listing_is_only_read_as_one_if_that_is_chosen(self) -> None:
        assert kind_of(URL, NO_CHOICE).name == "feed"
        assert kind_of(URL, Choice("listing")).name == "listing"
        assert KINDS["listing"].normalise("Example.org/news#top") == "https://Example.org/news".lower()
        with pytest.raises(UsageError):
            KINDS["listing"].normalise("./posts")


class TestPagesThatChange:
    """What a source says when its page is not what it was."""

    @pytest.mark.parametrize(
        ("html", "message"),
        [
            (page("<p>We have moved.</p>"), "no post is found on https://example.org/news any more"),
            (CARDS.html.replace('class="card"', 'class="tile"'), "no post is found on"),
            (CARDS.html.replace("<h2>", "<h3>").replace("</h2>", "</h3>"), "no post is found on"),
            (bare("{title}", 1), "only 1 of about 6 posts are found on"),
            (CARDS.html.replace('href="/p/', 'href="/shop/buy/now/'), "no longer looks like its posts"),
            (bare("Buy {day}"), "no longer looks like its posts"),
            (bare("A text as long as a title"), "no longer looks like its posts"),
        ],
        ids=["nothing", "class", "tag", "fewer", "addresses", "short titles", "one title"],
    )
    def test_a_page_with_another_design_is_an_error_with_the_next_step(self, html: str, message: str) -> None:
        with pytest.raises(SourceError, match=message + r".*add it again with --listing"):
            read(html, stored())

    def test_a_page_that_only_has_new_posts_is_read(self) -> None:
        values = stored()
        html = CARDS.html.replace("/p/kettle", "/p/a-brand-new-post").replace(POSTS[0].title, "Rain")
        assert parsed(html, values).posts[0].title == "Rain"
        half = page(
            "<ul>"
            + each('<li class="card"><h2><a href="/p/{slug}">{title}</a></h2></li>', POSTS[:3])
            + "</ul>"
        )
        assert len(parsed(half, values).posts) == 3

    def test_posts_at_many_places_may_be_anywhere(self) -> None:
        form = '<li class="c"><a href="https://{slug}.example/{slug}">{title}</a><p>{excerpt}</p></li>'
        values = stored(listing(form=form))
        assert "'addresses': []" in str(values["usual"])
        assert len(parsed(listing(form=form.replace(".example", ".test")), values).posts) == len(POSTS)

    @pytest.mark.parametrize("usual", [{}, None, {"posts": "many"}, {"item": "li.card", "link": "h2 > a"}])
    def test_what_is_not_known_of_a_page_is_not_compared(self, usual: object) -> None:
        assert len(parsed(bare("{title}", 1), {**stored(), "usual": usual}).posts) == 1

    def test_selectors_that_were_set_later_count_without_what_was_before(self) -> None:
        moved = CARDS.html.replace('class="card"', 'class="tile"').replace('href="/p/', 'href="/q/')
        assert len(parsed(moved, {**stored(), "item": "li.tile"}).posts) == len(POSTS)


class TestHostilePages:
    """None of these stalls or crashes: a hang is ended by the time limit of the tests."""

    @pytest.mark.parametrize(
        "html",
        [
            "".join(f'<a href="/p/{n}">A link to post {n}</a>' for n in range(100_000)),
            "<div>" * 10_000 + "<a href='/x'>x</a>",
            "".join(f'<ul><li><a href="/p/{n}">Title {n}</a>' for n in range(5_000)),
            "<b>" * 20_000 + "<p>" * 2_000,
            "<li " + " ".join(f"a{n}=1" for n in range(50_000)) + "><a href='/x'>x</a>",
            "<script>" * 50_000,
            "<!--" * 100_000,
            "<svg><" * 50_000,
            "\0" * 1000 + "<li>\0<a href='/p/\0'>\0</a>" * 100,
            "&" * 500_000,
            "",
            "<frameset><frame src=x></frameset>",
            '{"items": []}',
        ],
        ids=range(13),
    )
    def test_pages_without_posts(self, html: str) -> None:
        with pytest.raises(SourceError, match="no list of posts was found on https://example"):
            read(html)

    def test_of_a_very_long_page_the_first_posts_are_read(self) -> None:
        words = ("letter", "kettle", "ladder", "lamp", "stamp", "seed", "fog")
        rows = "".join(
            f'<li class="post"><a href="/p/{n}">Of {words[n % 7]} and {words[n // 7 % 7]}</a></li>'
            for n in range(MAX_TAGS)
        )
        found = parsed(page(f"<ul>{rows}</ul>"))
        assert found.posts[0].guid == f"{SITE}/p/0" and len(found.posts) == 500

    def test_scripts_are_no_part_of_the_page(self) -> None:
        script = (
            "<script>document.write('" + "<div>" * 3_000 + "')</script><!-- <li> " + "<div>" * 3_000 + "-->"
        )
        assert len(parsed(listing().replace("<ul>", script + "<ul>")).posts) == len(POSTS)

    def test_a_title_of_a_megabyte_and_impossible_years(self) -> None:
        html = listing().replace(POSTS[0].title, "T" * 1_000_000).replace("2026-07-13", "0000-01-01")
        posts = parsed(html.replace("2026-07-11", "9999-12-31")).posts
        assert len(posts) == len(POSTS) and len(posts[0].title) <= 1_000
        assert posts[1].published_at is None
        assert posts[2].published_at is not None and posts[2].published_at.year == 9999

    def test_markup_in_titles_and_excerpts_is_text(self) -> None:
        html = listing().replace(
            POSTS[0].excerpt, "&lt;script&gt;alert(1)&lt;/script&gt; and <b onclick='x'>bold</b>"
        )
        html = html.replace(POSTS[1].title, "&lt;b&gt;<i>x</i> y")
        posts = parsed(html).posts
        assert posts[0].html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; and bold</p>"
        assert posts[1].title == "<b>x y"

    def test_a_feed_is_sent_where_feeds_are_read(self) -> None:
        with pytest.raises(ParseError, match="is a feed: add it without --listing"):
            read(
                "<?xml version='1.0'?><rss><channel><item><link>https://example.org/1</link></item></channel></rss>"
            )


class TestNetwork:
    """A listing page is one request, which the fetcher guards and limits."""

    async def test_a_large_page_is_read_and_its_links_are_not(self) -> None:
        html = listing() + "<!-- " + "x" * LARGE + " -->"
        async with serving(answering(body=html.encode())) as server:
            fetcher = HttpFetcher(LOOPBACK)
            context = ReadContext(fetcher, now=lambda: NOW)
            found = await ListingKind().read(server.url(), Options(), Validators(), context)
            await fetcher.close()
            assert found.parsed is not None and len(found.parsed.posts) == len(POSTS)
            assert {request.path for request in server.requests} == {"/feed"}

    async def test_a_page_without_an_end_is_an_error(self) -> None:
        async with serving(answering(body=bytes(200_000))) as server:
            fetcher = HttpFetcher(LOOPBACK, max_bytes=100_000)
            with pytest.raises(FetchError, match="larger than"):
                await ListingKind().read(server.url(), Options(), Validators(), ReadContext(fetcher))
            await fetcher.close()

    async def test_a_redirect_inside_is_not_followed(self) -> None:
        with socket.create_server(("127.0.0.2", 0)) as canary:
            canary.setblocking(False)
            target = f"http://127.0.0.2:{canary.getsockname()[1]}/"
            async with serving(redirecting(target)) as server:
                fetcher = HttpFetcher([ip_network("127.0.0.1/32")])
                with pytest.raises(AddressRefused, match="not a public address"):
                    await ListingKind().read(server.url(), Options(), Validators(), ReadContext(fetcher))
                await fetcher.close()
            with pytest.raises(BlockingIOError):
                canary.accept()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年7月14日", "2026-07-14T00:00"),
        ("发布时间：2026年07月14日 08:30 来源：市图书馆", "2026-07-14T08:30"),
        ("[2026-07-14]", "2026-07-14T00:00"),
        ("2026.07.14 09:00", "2026-07-14T09:00"),
        ("14.07.2026", "2026-07-14T00:00"),
        ("2026-07-14T10:00:00+08:00", "2026-07-14T02:00"),
        ("Posted on July 14th, 2026 by Ann", "2026-07-14T00:00"),
        ("14 Jul 2026", "2026-07-14T00:00"),
        ("7/14/2026 5:30 PM", "2026-07-14T17:30"),
        ("14 Jul", "2026-07-14T00:00"),
        ("Dec 24", "2025-12-24T00:00"),
        ("12-24", "2025-12-24T00:00"),
        ("（07-14）", "2026-07-14T00:00"),
        ("7月14日", "2026-07-14T00:00"),
        ("14 2026-07", "2026-07-14T00:00"),
        ("2026年07月 14", "2026-07-14T00:00"),
        ("07-14 2026", "2026-07-14T00:00"),
        ("3 days ago", "2026-07-17T12:00"),
        ("an hour ago", "2026-07-20T11:00"),
        ("2 小时前", "2026-07-20T10:00"),
        ("3天前 · 读者来信", "2026-07-17T12:00"),
        ("昨天 12:30", "2026-07-19T12:30"),
        ("yesterday", "2026-07-19T00:00"),
        ("刚刚", "2026-07-20T12:00"),
        ("999 years ago", None),
        ("0000-01-01", None),
        ("2026-13-45", None),
        ("Version 1.2.3 of 10.0.0.1", None),
        ("Feb 30", None),
        ("99 bottles", None),
        ("9" * 100_000, None),
        ("1 day" * 50_000, None),
    ],
)
def test_dates_as_pages_write_them(text: str, expected: str | None) -> None:
    found = date_in(text, NOW)
    assert (found.isoformat()[:16] if found else None) == expected


def test_the_last_day_of_february_without_a_year_is_one_that_there_was() -> None:
    leap_day = datetime(2024, 2, 29, tzinfo=NOW.tzinfo)
    assert date_in("29 Feb", datetime(2024, 3, 1, tzinfo=NOW.tzinfo)) == leap_day
    assert date_in("29 Feb", datetime(2026, 3, 1, tzinfo=NOW.tzinfo)) is None


def test_the_options_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(stored())) == stored()
