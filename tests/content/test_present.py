from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content import present
from content.document import (
    Block,
    Byline,
    Document,
    Excerpt,
    Heading,
    Image,
    Link,
    Paragraph,
    Strike,
    Strong,
    Text,
    block_text,
    emphasised,
    inline_text,
    map_excerpts,
)
from content.formats import DEFAULT, Detail, Format
from content.i18n import Translator
from content.present import Look, page_numbers
from content.text import excerpt
from content.types import (
    Correction,
    Match,
    Media,
    Page,
    Post,
    Rung,
    SearchHit,
    SearchResults,
    Source,
    SourceState,
    Visibility,
)

LOOK = Look()
WHEN = datetime(2025, 3, 1, 17, 5, tzinfo=UTC)


def make_post(id: int = 1, **values: object) -> Post:
    plain = Post(
        id=id,
        source_id=1,
        source_title="Harbour Notes",
        guid=f"g{id}",
        key=f"k{id}",
        url=f"https://example.org/{id}",
        title=f"Title {id}",
        author="",
        published_at=WHEN,
        updated_at=None,
        first_seen_at=WHEN,
        html="",
        text="",
        language="en",
    )
    return replace(plain, **values)  # type: ignore[arg-type]


def rows(document: Document) -> list[str]:
    return [block_text(block) for block in document.blocks]


def make_page(*posts: Post, number: int = 1, pages: int = 1) -> Page:
    return Page(posts, number, pages, total=len(posts), anchor=99)


# ---- page numbers


@pytest.mark.parametrize(
    ("current", "pages", "shown"),
    [
        (1, 0, "1"),
        (1, 1, "1"),
        (1, 2, "1 2"),
        (5, 9, "1 2 3 4 5 6 7 8 9"),
        (1, 10, "1 2 3 4 5 6 7 … 10"),
        (5, 30, "1 2 3 4 5 6 7 … 30"),
        (6, 30, "1 … 4 5 6 7 8 … 30"),
        (25, 30, "1 … 23 24 25 26 27 … 30"),
        (26, 30, "1 … 24 25 26 27 28 29 30"),
        (30, 30, "1 … 24 25 26 27 28 29 30"),
    ],
)
def test_page_numbers(current: int, pages: int, shown: str) -> None:
    assert " ".join("…" if n is None else str(n) for n in page_numbers(current, pages)) == shown


@given(st.integers(-5, 10_000), st.integers(-5, 10_000))
def test_page_numbers_hold_the_ends_and_the_neighbours(current: int, pages: int) -> None:
    shown = page_numbers(current, pages)
    numbers = [n for n in shown if n is not None]
    last = max(pages, 1)
    here = min(max(current, 1), last)
    assert len(shown) == min(last, 9)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1 and numbers[-1] == last
    assert {n for n in range(here - 2, here + 3) if 1 <= n <= last} <= set(numbers)
    for before, gap, after in zip(shown, shown[1:], shown[2:], strict=False):
        if gap is None:
            assert before is not None and after is not None and after - before > 2


# ---- pages


def test_a_page_is_banner_heading_lines_and_numbers() -> None:
    posts = make_post(1, text="first\n  text"), make_post(2, title="", text="no title here")
    document = present.page(make_page(*posts, number=2, pages=3), LOOK)
    assert document.single
    assert rows(document) == [
        "INCOMING TRANSMISSION",
        "LATEST UPDATES",
        "Title 1: first text",
        "no title here",
        "1 2 3",
    ]


def test_a_single_page_has_its_number() -> None:
    assert rows(present.page(make_page(make_post()), LOOK))[-1] == "1"


def test_a_title_is_bold_and_linked() -> None:
    line = present.page(make_page(make_post(7, text="body")), LOOK).blocks[2]
    assert isinstance(line, Paragraph) and line.tight
    assert line.children[0] == Link("https://example.org/7", (Strong((Text("Title 7"),)),))


def test_without_a_title_the_first_words_are_the_link() -> None:
    content = "Fog over the harbour kept the ferries waiting until noon today."
    line = present.page(make_page(make_post(7, title=" ", text=content)), LOOK).blocks[2]
    assert isinstance(line, Paragraph)
    first = line.children[0]
    assert isinstance(first, Link)
    words = block_text(Paragraph(first.children))
    assert content.startswith(words + " ") and 10 < len(words) <= 24
    assert block_text(line) == content


def test_a_url_that_is_not_web_is_no_link() -> None:
    post = make_post(url="javascript:alert(1)", text="body")
    line = present.page(make_page(post), LOOK).blocks[2]
    assert isinstance(line, Paragraph)
    assert not any(isinstance(node, Link) for node in line.children)


def test_a_post_without_words_has_a_name() -> None:
    assert rows(present.page(make_page(make_post(title="", text=" ")), LOOK))[2] == "Untitled post"


@given(st.text(alphabet="ab -字符。/\n", max_size=80), st.integers(1, 60))
def test_a_lead_and_the_rest_are_the_text(content: str, limit: int) -> None:
    document = present.page(make_page(make_post(title="", text=content)), Look(excerpt_length=limit))
    whole = " ".join(content.split())[: limit + 64]
    assert rows(document)[2] == (whole or "Untitled post")


def test_an_empty_store_says_what_to_do() -> None:
    headings = {"en": ["INCOMING TRANSMISSION", "LATEST UPDATES"], "zh": ["电波来讯", "最新文章"]}
    for locale, heading in headings.items():
        said = rows(present.page(make_page(), Look(translator=Translator(locale))))
        assert said[:2] == heading
        assert "/subscribe" in said[2] and "skywave sources add" in said[2]
        assert len(said) == 3


# ---- results


def test_results_show_count_snippets_and_numbers() -> None:
    hits = (
        SearchHit(make_post(1, text="long text"), "the snippet"),
        SearchHit(make_post(2, text="text")),
    )
    document = present.results("tide tables", SearchResults(2, hits), 1, 1, LOOK)
    assert document.single
    assert rows(document)[2:] == [
        "2 posts for “tide tables”",
        "Title 1: the snippet",
        "Title 2: text",
        "1",
    ]


def test_matches_in_results_are_strong() -> None:
    hits = (
        SearchHit(make_post(1), "the snippet of it", ((4, 11),)),
        SearchHit(make_post(2, title=""), "an excerpt without a title, with words", ((0, 2), (33, 38))),
    )
    document = present.results("q", SearchResults(2, hits), 1, 1, LOOK)
    shown = map_excerpts(document, lambda node: excerpt(node.text, node.limit)).blocks[3:5]
    assert strong(shown[0]) == ["Title 1", "snippet"]
    assert strong(shown[1]) == ["words"], "the link is not"
    assert list(map(block_text, shown)) == [
        "Title 1: the snippet of it",
        "an excerpt without a title, with words",
    ]


def strong(block: Block) -> list[str]:
    assert isinstance(block, Paragraph)
    inside = [
        inner for node in block.children for inner in (node.children if isinstance(node, Link) else (node,))
    ]
    return [inline_text(node.children) for node in inside if isinstance(node, Strong)]


def test_a_cut_excerpt_marks_what_is_left() -> None:
    node = Excerpt("some words of text", 18, ((5, 10), (11, 18)))
    assert emphasised(node, "some words of...") == [
        Text("some "),
        Strong((Text("words"),)),
        Text(" "),
        Strong((Text("of"),)),
        Text("..."),
    ]
    assert emphasised(node, "so...") == [Text("so...")]


SOURDOUGH = (Correction("sourdogh", "sourdough"),)


@pytest.mark.parametrize(
    ("match", "english", "chinese"),
    [
        (Match(exact=2), "", ""),
        (
            Match(exact=2, corrections=SOURDOUGH),
            "Shown for sourdough instead of sourdogh.",
            "已按“sourdough”搜索（您输入的是“sourdogh”）。",
        ),
        (
            Match(Rung.MOST),
            "Nothing has all words; these posts have all but one.",
            "没有文章包含全部关键词，以下文章只缺其中一个。",
        ),
        (
            Match(Rung.MOST, exact=1),
            "Only the first 1 post has all words.",
            "只有前 1 篇包含全部关键词。",
        ),
        (
            Match(Rung.PARTS),
            "Nothing has these characters in a row; these posts have them apart.",
            "没有文章完整出现这串文字，以下文章分别包含其中的词。",
        ),
        (
            Match(Rung.ANY, corrections=SOURDOUGH),
            "Shown for sourdough instead of sourdogh. Nothing has all words; these posts have some of them.",
            "已按“sourdough”搜索（您输入的是“sourdogh”）。没有文章包含全部关键词，以下文章包含其中一部分。",
        ),
    ],
)
def test_results_say_how_they_match(match: Match, english: str, chinese: str) -> None:
    assert present.how_found(match, Translator()) == english
    assert present.how_found(match, Translator("zh")) == chinese
    found = SearchResults(2, (SearchHit(make_post()),), match)
    assert (english in rows(present.results("q", found, 1, 1, LOOK))) == bool(english)


def test_results_say_when_they_are_many() -> None:
    hits = (SearchHit(make_post()),)
    counted = rows(present.results("q", SearchResults(1001, hits), 1, 91, LOOK))[2]
    assert counted == "1000+ posts for “q”"
    assert rows(present.results("q", SearchResults(1, hits), 1, 1, LOOK))[2] == "1 post for “q”"


def test_nothing_found_gives_a_hint() -> None:
    document = present.results("{x}" * 100, SearchResults(0), 1, 1, LOOK)
    assert "Nothing found" in rows(document)[2] and len(rows(document)[2]) < 150


# ---- one post


def test_a_post_has_title_origin_and_body() -> None:
    html = "<p>One <b>bold</b> word.</p><ul><li>a</li><li>b</li></ul>"
    document = present.post(make_post(5, html=html, text="One bold word."), LOOK)
    assert document.single and document.carried == ((5,),) * len(document.blocks)
    assert rows(document) == ["Title 5", "Harbour Notes · Mar 1, 2025 17:05", "One bold word.", "a\nb"]
    assert document.blocks[0] == Heading((Link("https://example.org/5", (Text("Title 5"),)),), level=2)


def test_the_origin_of_a_post_without_title_is_its_link() -> None:
    origin = present.post(make_post(5, title=""), LOOK).blocks[0]
    assert isinstance(origin, Paragraph) and "https://example.org/5" in repr(origin)


def test_a_long_post_ends_between_blocks_with_a_link() -> None:
    html = "".join(f"<p>{number} {'word ' * 60}</p>" for number in range(20))
    document = present.post(make_post(html=html), LOOK)
    shown = rows(document)[2:]
    assert shown[-1] == "Read more" and len(shown) == 5
    assert all(row.endswith("word") for row in shown[:-1])


def test_one_block_that_is_too_long_is_cut() -> None:
    document = present.post(make_post(html=f"<p>Short.</p><p>{'字' * 5000}</p>", url=""), LOOK)
    cut = document.blocks[-1]
    assert isinstance(cut, Paragraph) and "Excerpt" in repr(cut)
    assert "Read more" not in rows(document)


def test_a_cut_never_leaves_a_heading_alone() -> None:
    html = f"<p>{'word ' * 200}</p><h2>Next</h2><p>{'word ' * 400}</p>"
    assert rows(present.post(make_post(html=html), LOOK))[-1] == "Read more"
    assert "Next" not in rows(present.post(make_post(html=html), LOOK))


def test_code_is_cut_between_lines_and_lists_between_items() -> None:
    code = present.post(make_post(html=f"<pre><code>{'x = 1' * 10}\n{'y' * 2000}</code></pre>"), LOOK)
    assert rows(code)[2] == "x = 1" * 10
    items = present.post(make_post(html=f"<ul>{'<li>ten chars!</li>' * 500}</ul>"), LOOK)
    assert set(rows(items)[2].split("\n")) == {"ten chars!"} and len(rows(items)[2]) <= 1500


def test_the_first_picture_is_shown_once() -> None:
    html = '<p>a</p><img src="https://example.org/a.png" alt="A"><img src="https://example.org/b.png">'
    media = (Media("https://example.org/sound.mp3", "audio/mpeg"), Media("https://example.org/c.jpg", ""))
    inside = present.post(make_post(html=html, media=media), LOOK)
    assert [b for b in inside.blocks if isinstance(b, Image)] == [Image("https://example.org/a.png", "A")]
    attached = present.post(make_post(media=media), LOOK)
    assert [b for b in attached.blocks if isinstance(b, Image)] == [Image("https://example.org/c.jpg", "")]


def test_what_is_attached_beside_pictures_is_linked_once() -> None:
    html = '<p>Listen.</p><div><a href="https://example.org/b.mp3?a=1&amp;b=2">▶ Part two</a></div>'
    media = (
        Media("https://example.org/a.jpg", "image/jpeg"),
        Media("https://example.org/talks/a%20b.mp3", "audio/mpeg"),
        Media("https://example.org/b.mp3?a=1&b=2", "audio/mpeg"),
        Media("https://example.org/slides.pdf", "application/pdf", "The slides"),
        Media("https://example.org/unknown"),
        Media("javascript:alert(1)//.mp3", "audio/mpeg"),
    )
    document = present.post(make_post(html=html, media=media), LOOK)
    assert rows(document)[3:] == ["Listen.", "▶ Part two", "▶ a b.mp3", "The slides"]
    assert document.blocks[-1] == Paragraph((Link("https://example.org/slides.pdf", (Text("The slides"),)),))


# ---- formats

PICTURES = (
    '<p>First.</p><p><img src="https://example.org/a.png" alt="A"></p><p>Second.</p>'
    '<blockquote><img src="https://example.org/b.png"><p>Quoted.</p></blockquote>'
)


def shown_as(post: Post, **choices: object) -> Document:
    return present.post(post, Look(format=Format(**choices).over(DEFAULT)))  # type: ignore[arg-type]


def test_a_title_alone_has_its_origin_and_nothing_else() -> None:
    document = shown_as(make_post(html=PICTURES, text="First."), detail=Detail.TITLE)
    assert rows(document) == ["Title 1", "Harbour Notes · Mar 1, 2025 17:05"]
    untitled = shown_as(make_post(title="", text="word " * 100), detail=Detail.TITLE)
    assert isinstance(untitled.blocks[1], Paragraph) and isinstance(untitled.blocks[1].children[0], Excerpt)


def test_a_full_post_has_all_of_its_text_and_its_pictures_in_place() -> None:
    long = "".join(f"<p>{number} {'word ' * 60}</p>" for number in range(20))
    document = shown_as(make_post(html=long + PICTURES), detail=Detail.FULL)
    assert not document.single and document.carried == ((1,),) * len(document.blocks)
    assert rows(document)[2:-4] == [f"{number} {'word ' * 60}".strip() for number in range(20)]
    assert [type(block).__name__ for block in document.blocks[-4:]] == [
        "Paragraph",
        "Image",
        "Paragraph",
        "Quote",
    ]
    media = (Media("https://example.org/c.jpg"),)
    attached = shown_as(make_post(html="<p>x</p>", media=media), detail=Detail.FULL)
    assert [type(block).__name__ for block in attached.blocks[2:]] == ["Image", "Paragraph"]


def test_even_a_full_post_ends() -> None:
    document = shown_as(
        make_post(html="<ul>" + f"<li>{'ten chars!' * 10}</li>" * 2000 + "</ul>"), detail=Detail.FULL
    )
    assert present.FULL_LENGTH - 110 < len(rows(document)[2]) <= present.FULL_LENGTH
    assert rows(document)[3:] == ["Read more"]


def test_pictures_can_be_left_out_at_any_depth() -> None:
    media = (Media("https://example.org/c.jpg"),)
    for detail in (Detail.EXCERPT, Detail.FULL):
        document = shown_as(make_post(html=PICTURES, media=media), detail=detail, pictures=False)
        assert "Image" not in repr(document)
        assert rows(document)[2:] == ["First.", "Second.", "Quoted."]


def test_the_origin_names_what_was_chosen() -> None:
    post = make_post(author="Ann")
    assert rows(shown_as(post, author=True))[1] == "Harbour Notes · Ann · Mar 1, 2025 17:05"
    assert rows(shown_as(post, source=False))[1] == "Mar 1, 2025 17:05"
    same = replace(post, author="Harbour Notes")
    assert rows(shown_as(same, author=True))[1] == "Harbour Notes · Mar 1, 2025 17:05"


def test_hashtags_are_a_last_line() -> None:
    tags = (
        "Short wave",
        "HF/antennas",
        "天线 入门",
        "#radio",
        "Radio",
        "2025",
        "C++",
        "R&D",
        "<b>",
        "x" * 41,
    )
    document = shown_as(make_post(tags=tags, html="<p>x</p>"), hashtags=True)
    assert rows(document)[-1] == "#Short_wave #HF_antennas #天线_入门 #radio #C #R_D #b"
    assert len(present.hashtags([f"tag {n}" for n in range(50)])) == present.HASHTAGS
    assert rows(shown_as(make_post(tags=("2025", "!")), hashtags=True))[-1].startswith("Harbour"), (
        "none is left"
    )


def test_an_edition_of_titles() -> None:
    look = Look(format=Format(detail=Detail.TITLE, source=False).over(DEFAULT))
    posts = [make_post(3, text="x"), make_post(4, title="", text="a short note")]
    assert rows(present.edition(posts, look))[2:] == ["Title 3", "a short note"]


# ---- withdrawn posts


def test_a_withdrawn_post_is_struck_through_and_says_why() -> None:
    post = make_post(html="<p>Words.</p>", text="Words.", withdrawn_at=WHEN)
    for detail in Detail:
        document = shown_as(post, detail=detail)
        title, origin, said, *body = document.blocks
        assert isinstance(title, Heading) and isinstance(title.children[0], Strike)
        assert block_text(origin) == "Harbour Notes · Mar 1, 2025 17:05"
        assert block_text(said) == "The source has withdrawn this post."
        assert [block_text(block) for block in body] == ([] if detail is Detail.TITLE else ["Words."])
        assert all(isinstance(block, Paragraph) and isinstance(block.children[0], Strike) for block in body)
        assert document.single and document.carried == ((1,),) * len(document.blocks)


def test_a_line_of_a_withdrawn_post_is_struck_through() -> None:
    for document in (
        present.page(make_page(make_post(text="Words.", withdrawn_at=WHEN)), LOOK),
        present.edition([make_post(text="Words.", withdrawn_at=WHEN)], LOOK),
    ):
        (line,) = (block for block in document.blocks if "Words." in block_text(block))
        assert repr(line).count("Strike(") == 2, "its title and its text"


# ---- editions and the rest


def test_an_edition_says_which_block_carries_which_post() -> None:
    document = present.edition([make_post(3, text="x"), make_post(4, text="y")], LOOK, more=2)
    assert document.single, "a short one is a page"
    assert document.carried == ((), (), (), (3,), (4,), ())
    assert rows(document)[3:] == ["Title 3: x", "Title 4: y", "and 2 more posts"]
    assert present.edition([], LOOK).blocks[2:] == (Paragraph((Text("Nothing new this time."),), tight=True),)


def test_an_edition_of_one_source_names_it() -> None:
    document = present.edition([make_post(1, text="x"), make_post(2, text="y")], LOOK)
    assert rows(document)[2:] == ["Harbour Notes", "Title 1: x", "Title 2: y"]


def test_a_long_edition_may_become_several_messages() -> None:
    posts = [make_post(number, text="x") for number in range(1, 13)]
    assert not present.edition(posts, LOOK).single
    assert present.edition(posts[:11], LOOK).single


def test_an_edition_groups_its_posts_by_source_and_has_the_title_of_its_digest() -> None:
    posts = [make_post(n, text="x", source_id=n % 2, source_title=f"Source {n % 2}") for n in range(1, 5)]
    document = present.edition(posts, LOOK, title="Morning")
    assert rows(document)[1:] == [
        "Morning",
        "",  # the table of contents, which only rich messages show
        "Source 1",
        "Title 1: x",
        "Title 3: x",
        "Source 0",
        "Title 2: x",
        "Title 4: x",
    ]
    assert document.carried == ((), (), (), (), (1,), (3,), (), (2,), (4,))


def test_a_schedule_says_what_was_understood_and_the_next_runs_in_local_time() -> None:
    look = replace(LOOK, timezone=ZoneInfo("Asia/Shanghai"))
    document = present.schedule("Daily.", [datetime(2026, 3, 1, 1, tzinfo=UTC)], look)
    assert rows(document) == ["Daily.", "The next runs:", "• Sunday, March 1, 2026 09:00"]


def test_a_notice_keeps_its_lines() -> None:
    assert rows(present.notice("one\ntwo\n\n\nthree\n")) == ["one\ntwo", "three"]


def test_an_error_is_one_line() -> None:
    assert rows(present.error("no such source: /sources lists them")) == [
        "⚠ no such source: /sources lists them"
    ]


def test_help_and_lines() -> None:
    assert rows(present.help([("/page N", "shows page N")], LOOK)) == ["Commands", "/page N: shows page N"]
    assert rows(present.lines("Next runs", ["Monday", "Tuesday"])) == ["Next runs", "Monday", "Tuesday"]


def test_sources_show_what_is_followed_and_how_they_are() -> None:
    followed = Source(1, "feed", "https://example.org/feed", "Harbour", Visibility.PRIVATE, failures=2)
    other = Source(2, "folder", "/srv/posts", state=SourceState.PAUSED)
    assert rows(present.sources([(followed, True), (other, False)], LOOK)) == [
        "Sources",
        "✓ Harbour (private, failed 2 times)",
        "· /srv/posts (paused)",
    ]
    assert "sources add" in rows(present.sources([], LOOK))[0]


def test_a_long_list_of_sources_is_cut_after_those_that_are_followed() -> None:
    known = [(Source(n, "feed", f"https://example.org/{n}", title=f"S{n}"), n == 200) for n in range(300)]
    _, first, *_, last = rows(present.sources(known, LOOK))
    assert first == "✓ S200"
    assert last == "and 260 more sources"


@pytest.mark.parametrize(
    ("url", "name", "target"),
    [
        ("https://example.org/feed.xml", "https://example.org/feed.xml", "https://example.org/feed.xml"),
        ("https://me:hunter2@example.org/feed", "https://example.org/feed", "https://example.org/"),
        ("https://example.org/feed?k=hunter2", "https://example.org/feed?…", "https://example.org/"),
        ("https://example.org/token/hunter2/rss", "https://example.org/token/…/rss", "https://example.org/"),
    ],
)
def test_a_chat_gets_no_secret_of_a_source(url: str, name: str, target: str) -> None:
    document = present.sources([(Source(1, "feed", url), True)], LOOK)
    line = document.blocks[1]
    assert isinstance(line, Paragraph)
    assert line.children[1] == Link(target, (Text(name),))
    assert "hunter2" not in repr(document)


def test_an_excerpt_is_as_long_as_the_deployment_says() -> None:
    line = present.page(make_page(make_post(text="字" * 900)), Look(excerpt_length=200)).blocks[2]
    assert isinstance(line, Paragraph)
    last = line.children[-1]
    assert isinstance(last, Excerpt)
    assert excerpt(last.text, last.limit) == "字" * 200 + "..."


class TestLongBodies:
    """Of a stored post's HTML no more is looked at than what is shown can come from."""

    PIECES = ('<a href="https://e.org/">x</a>', "<p>x</p>", "<ul><li>x</li></ul>", "y ")

    @pytest.mark.parametrize("piece", PIECES)
    def test_no_more_than_the_beginning_is_read(self, piece: str) -> None:
        html = piece * (400_000 // len(piece))
        shown = present.post(make_post(html=html), LOOK)
        assert shown == present.post(make_post(html=html[: 4 * present.BODY_HTML]), LOOK)
        assert sum(len(block_text(block)) for block in shown.blocks) < 2 * present.BODY_HTML
        assert "Read more" in block_text(shown.blocks[-1])

    def test_a_tag_that_the_cut_goes_through_is_left_out(self) -> None:
        html = "<p>" + "x" * 100 + '</p><img src="https://e.org/' + "i" * present.BODY_HTML + '.png">'
        shown = present.post(make_post(html=html), LOOK)
        assert [type(block) for block in shown.blocks] == [Heading, Byline, Paragraph, Paragraph]

    def test_an_excerpt_comes_from_the_beginning_of_a_text(self) -> None:
        (line,) = present.edition([make_post(text="word " * 40_000)], LOOK).blocks[3:]
        assert len(block_text(line)) < 2 * LOOK.excerpt_length
