"""The list of posts on a page is found in all shapes that real sites have, and nothing else is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.clean import parse
from content.errors import ParseError
from content.sources.listing_items import Items, Selectors, read_items
from content.sources.listing_page import parse_listing
from content.sources.listing_structure import find_selectors
from tests.content.listing_pages import (
    FOOTER,
    MENU,
    NOW,
    PAGES,
    POPULAR,
    POSTS,
    SHAPES,
    SIDEBAR,
    SITE,
    TAGS,
    TERMS,
    Page,
    each,
    page,
)

URL = f"{SITE}/news/"
TEXT = "The yard has a long story, which this page tells without any list. " * 5


def found_on(html: str, url: str = URL) -> Selectors | None:
    body = parse(html)
    assert body is not None
    return find_selectors(body, url, NOW)


def read(html: str, selectors: Selectors, url: str = URL) -> Items:
    body = parse(html)
    assert body is not None
    return read_items(body, selectors, url, NOW)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_posts_of_each_shape_are_found_and_nothing_else(shape: Page) -> None:
    selectors = found_on(shape.html)
    assert selectors is not None
    posts = read(shape.html, selectors).posts
    assert [post.title for post in posts] == [told.title for told in shape.posts]
    assert all(
        told.slug in post.url or shape.posts == POSTS for post, told in zip(posts, shape.posts, strict=True)
    )
    days = [post.published_at.day if post.published_at else None for post in posts]
    assert days == [told.day if shape.dates else None for told in shape.posts]
    for post, told in zip(posts, shape.posts, strict=True):
        assert (told.excerpt in post.html) if shape.excerpts else post.html == ""
        assert "Read more" not in post.html and "Continue reading" not in post.html


def test_selectors_are_short_and_name_no_place_where_names_suffice() -> None:
    for shape in SHAPES:
        selectors = found_on(shape.html)
        assert selectors is not None
        assert ("nth" in selectors.item) == (shape is SIDEBAR)
        assert len(selectors.item) < 60
    assert found_on(TERMS.html) == Selectors("dl > dt", link="a", date="small", excerpt="+ dd")


@pytest.mark.parametrize(
    "body",
    [
        "",
        MENU + FOOTER,
        MENU + PAGES + TAGS + FOOTER,
        f"<p>{TEXT}</p><div class='related-posts'><ul>{POPULAR}</ul></div>",
        f"<aside><ul>{POPULAR}</ul></aside>",
        "<p>One text with <a href='/a'>a link to a page</a> and <a href='/b'>another link to a page</a>.</p>",
        "<ul><li><a href='/a'>Home</a></li><li><a href='/b'>News</a></li><li><a href='/c'>Help</a></li></ul>",
        "".join(f"<li><a href='?page={n}'>{n}</a></li>" for n in range(20)),
        "".join(f"<li><a href='{URL}#{n}'>A part of this very page {n}</a></li>" for n in "abcdef"),
        "".join(f"<li><a href='mailto:{n}@e.org'>Write to the editor of {n}</a></li>" for n in "abcdef"),
        "".join("<li><a href='/same'>Always the same long link</a></li>" for _ in range(9)),
    ],
    ids=range(11),
)
def test_what_is_no_list_of_posts(body: str) -> None:
    assert found_on(page(body)) is None


def test_one_more_advertisement_without_a_link_changes_nothing() -> None:
    form = '<li class="post"><a href="/p/{slug}">{title}</a><time>{iso}</time></li>'
    html = page(
        "<ul>"
        + each(form, POSTS[:3])
        + '<li class="post">Our sponsors</li>'
        + each(form, POSTS[3:])
        + "</ul>"
    )
    selectors = found_on(html)
    assert selectors is not None and len(read(html, selectors).posts) == len(POSTS)


def test_a_longer_list_below_a_heading_of_popular_posts_is_not_taken() -> None:
    row = '<li><a href="/{place}/{{slug}}">{{title}} {word}</a><i>{{iso}}</i></li>'
    news, popular = row.format(place="p", word="today"), row.format(place="old", word="and much more of it")
    html = page(
        f"<div><h3>Popular posts</h3><ul>{each(popular)}{each(popular.replace('old', 'older'))}</ul></div>"
        f"<div><h3>The newest</h3><ul>{each(news)}</ul></div>"
    )
    selectors = found_on(html)
    assert selectors is not None
    assert [post.url for post in read(html, selectors).posts] == [f"{SITE}/p/{told.slug}" for told in POSTS]


# ---------------------------------------------------------------- generated pages

NAMES = st.sampled_from(["", "a", "list", "main-col", "row x", "c-7", "wrapper", "block odd", "entry"])
WRAPPERS = st.lists(st.tuples(st.sampled_from(["div", "section", "main", "span"]), NAMES), max_size=4)
WORDS = st.text(alphabet="abcdefghij 天地玄黄宇宙洪荒", min_size=16, max_size=40).filter(
    lambda text: len(text.split()) > 1
)


def wrapped(inside: str, wrappers: list[tuple[str, str]]) -> str:
    for tag, name in wrappers:
        inside = f'<{tag} class="{name}">{inside}</{tag}>' if name else f"<{tag}>{inside}</{tag}>"
    return inside


@given(
    titles=st.lists(WORDS, min_size=3, max_size=12, unique=True),
    around=WRAPPERS,
    within=WRAPPERS,
    item=st.sampled_from(["li", "div", "article", "p"]),
    has_date=st.booleans(),
    excerpt=st.sampled_from(["", "p", "div", "span"]),
    beside=st.lists(
        st.sampled_from([MENU, FOOTER, PAGES, TAGS, f"<aside><ul>{POPULAR}</ul></aside>"]), max_size=3
    ),
)
def test_every_generated_list_is_found_in_order(
    titles: list[str],
    around: list[tuple[str, str]],
    within: list[tuple[str, str]],
    item: str,
    has_date: bool,
    excerpt: str,
    beside: list[str],
) -> None:
    def one(number: int, title: str) -> str:
        date = f"<small>2026-07-{number + 1:02}</small>" if has_date else ""
        text = (
            f"<{excerpt}>This is what the post {title} has to say in many words.</{excerpt}>"
            if excerpt
            else ""
        )
        link = wrapped(f'<a href="/p/{number}">{title}</a>', within if item != "p" else [])
        return f"<{item}>{link}{date}{text if item != 'p' else ''}</{item}>"

    posts = "".join(one(number, title) for number, title in enumerate(titles))
    html = page("".join(beside[:2]) + wrapped(posts, around) + "".join(beside[2:]))
    selectors = found_on(html)
    assert selectors is not None
    found = read(html, selectors).posts
    assert [post.url for post in found] == [f"{SITE}/p/{number}" for number in range(len(titles))]
    dates = [datetime(2026, 7, number + 1, tzinfo=UTC) if has_date else None for number in range(len(titles))]
    assert [post.published_at for post in found] == dates


PIECES = """
    <ul> </ul> <li> <li_class='a_b'> <a_href='/p/%d'> </a> <td> <table> <tr> </div> <div> <h2> </h2> <p> <nav>
    <time_datetime='2026-07-%d'> <header> <a_href='http://[x'> <br> A_title_of_number_%d_in_words
    标题%d的文字说明 2026-07-%d <x:y> <dt> <dd> <!-- --> <base_href='//'> \0
"""
TAGS_AND_TEXTS = st.sampled_from([piece.replace("_", " ") for piece in PIECES.split()])


@given(st.lists(TAGS_AND_TEXTS, max_size=60))
def test_any_page_is_read_or_has_no_posts(pieces: list[str]) -> None:
    html = "".join(piece % number if "%d" in piece else piece for number, piece in enumerate(pieces, start=1))
    try:
        first = parse_listing(html.encode(), "text/html", URL, {}, 500, NOW)
    except ParseError as exc:
        assert "no list of posts" in str(exc)
    else:
        again = parse_listing(html.encode(), "text/html", URL, first.values, 500, NOW)
        assert again.parsed.posts == first.parsed.posts and first.parsed.posts
