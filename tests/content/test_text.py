from urllib.parse import urlsplit

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from content import urls
from content.clean import _BASIC_TAGS, _cleaners, basic, parse
from content.embedded import with_embedded
from content.simple import is_canonical
from content.text import _lines, excerpt, language, plain_text, sanitise, visible_text

PIECES = st.sampled_from(
    [
        *(
            "word",
            "state-of-the-art",
            "https://example.org/a/b?c=d",
            "微调",
            "大语言模型,",
            "。",
            "hello,",
            "x" * 45,
        ),
        *(" ", "\n", "\u3000", "👩‍🚀", "🇨🇳", "e\u0301", "한국어", "C++", "«quoted»", "\u0600", "\u0301"),
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=40).map("".join))
CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\u3000-\u303f\uff00-\uffef]")


class TestExcerpt:
    @given(TEXTS, st.integers(0, 80))
    def test_is_a_prefix_of_the_text_on_one_line_and_within_the_limit(self, text: str, limit: int) -> None:
        flat = " ".join(text.split())
        short = excerpt(text, limit)
        if len(flat) <= limit:
            assert short == flat
        else:
            assert short.endswith("...")
            shown = short[:-3]
            assert flat.startswith(shown) and len(shown) <= limit and not shown.endswith(" ")

    @given(TEXTS, st.integers(0, 80))
    def test_cuts_no_grapheme(self, text: str, limit: int) -> None:
        flat = " ".join(text.split())
        ends = {0, *(grapheme.end() for grapheme in regex.finditer(r"\X", flat))}
        short = excerpt(text, limit)
        assert short == flat or len(short) - 3 in ends

    @given(st.lists(PIECES, min_size=5, max_size=40).map("".join), st.integers(1, 80))
    def test_cuts_no_word_that_began_less_than_forty_before(self, text: str, limit: int) -> None:
        flat = " ".join(text.split())
        cut = len(excerpt(text, limit)) - 3
        if excerpt(text, limit) == flat or not cut:
            return
        before, after = flat[cut - 1], flat[cut]
        if before.isascii() and after.isascii() and before.isalnum() and after.isalnum():
            start = max(0, cut - 40)
            assert not regex.search(r"\s", flat[start:cut]) and not CJK.search(flat[start:cut])

    @pytest.mark.parametrize(
        ("text", "limit", "expected"),
        [
            ("a short one", 11, "a short one"),
            ("  two\n\nlines\u3000here ", 14, "two lines here"),
            ("one two three", 9, "one two..."),
            ("one two three", 8, "one two..."),
            ("one two three", 7, "one two..."),
            ("hello, world", 5, "hello..."),
            ("C++ and C# compared", 9, "C++ and..."),
            ("a well-known thing", 7, "a..."),
            ("see https://example.org/a,b now", 25, "see..."),
            ("用大语言模型微调", 4, "用大语言..."),
            ("用LoRA微调Qwen2模型", 10, "用LoRA微调..."),
            ("用LoRA微调Qwen2模型", 12, "用LoRA微调Qwen2..."),
            ("x" * 60, 50, "x" * 50 + "..."),
            ("ab 👩‍🚀 cd", 4, "ab..."),
        ],
    )
    def test_examples(self, text: str, limit: int, expected: str) -> None:
        assert excerpt(text, limit) == expected


class TestPlainText:
    def test_has_a_line_for_each_block_and_no_markup(self) -> None:
        html = (
            "<h1>Title</h1><p>state-of-<b>the</b>-art at https://a.org/b-c?x=1&amp;y=2<br>next</p>"
            "<ul><li>one</li><li>two</li></ul><script>evil()</script><style>p{}</style>"
            "<table><tr><td>1</td><td>2</td></tr></table>tail"
        )
        assert plain_text(html) == (
            "Title\nstate-of-the-art at https://a.org/b-c?x=1&y=2\nnext\none\ntwo\n1 2\ntail"
        )

    def test_keeps_the_lines_of_code_and_joins_those_of_prose(self) -> None:
        assert plain_text("<p>a\nb</p><pre><code>x = 1\ny = 2</code></pre>") == "a b\nx = 1\ny = 2"

    def test_drops_soft_hyphens_and_keeps_hard_ones(self) -> None:
        assert plain_text("soft&shy;ware co-op") == "software co-op"

    def test_takes_what_is_no_html_as_it_is(self) -> None:
        assert plain_text("a > b\n\n c") == "a > b\nc"
        assert plain_text("") == ""

    @given(st.text(max_size=200))
    def test_never_fails(self, html: str) -> None:
        assert "\n\n" not in plain_text(html)

    @pytest.mark.parametrize("count", [3_000, 50_000])
    def test_survives_deep_nesting(self, count: int) -> None:
        assert plain_text("<div>" * count + "deep") == "deep"


HTML = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            [
                *(
                    "<script>alert(1)</script>",
                    "<a href='javascript:x'>",
                    "<a href=' JaVaScRiPt:x'>",
                    "<p>",
                    "</p>",
                ),
                *(
                    "<img src=x onerror=alert(1)>",
                    "<svg onload=x>",
                    "<a href='data:text/html,x'>",
                    "<b",
                    "<!--",
                ),
                *(
                    "<iframe src='https://e.org'>",
                    "<math><mi//xlink:href='javascript:x'>",
                    '"',
                    "'",
                    ">",
                    "</script>",
                ),
                *(
                    "<a href='java\nscript:x'>",
                    "<style>@import 'x'</style>",
                    "<noscript><p title='</noscript>'>",
                    "<img srcset='javascript:x 2x, //e.org/a.png' data-src='data:image/png,x'>",
                    "<img width=1 data-original='vbscript:x'>",
                    "<source srcset='ftp://e.org/a 3w, b'>",
                    "<video src='javascript:x' title='\"><script>x</script>'>",
                    '<math alttext="&quot;><script>x</script>"><mi>x</math>',
                    "<script type='math/tex'></data><img onerror=x></script>",
                    "<data value='<script>' class='tex' onclick=x>",
                    "<a href='#x' ping='//e.org/' name='y' data-media='javascript:x'>",
                    "<td colspan='-1' rowspan='9e9'><input type=password onfocus=x>",
                    "<div class='katex' style='x' data-spoiler onclick=x>",
                ),
            ]
        ),
    ),
    max_size=15,
).map("".join)
URLS = {"href", "src", "srcset", "data-src", "data-srcset", "data-original", "data-lazy-src"}
ALLOWED_NAMES = (
    "alt class start id name value title width height type checked colspan rowspan data-media data-spoiler"
)
ALLOWED = URLS.union(ALLOWED_NAMES.split())


class TestSanitise:
    @given(HTML)
    def test_leaves_no_script_handler_or_other_scheme(self, html: str) -> None:
        body = LexborHTMLParser(sanitise(html, "https://example.org/")).body
        for node in body.traverse() if body else ():
            assert node.tag not in ("script", "style", "iframe", "svg", "math", "object", "form")
            assert set(node.attributes) <= ALLOWED
            for name in URLS & set(node.attributes):
                assert urls.is_web_url(node.attributes[name] or "")

    @given(HTML)
    def test_changes_nothing_the_second_time(self, html: str) -> None:
        once = sanitise(html, "https://example.org/")
        assert sanitise(once) == once

    def test_makes_links_and_pictures_absolute(self) -> None:
        html = '<a href="../b">b</a><img src="//cdn.example.org/i.png" alt="i"><a href="mailto:a@b.c">m</a>'
        assert sanitise(html, "https://example.org/x/y") == (
            '<a href="https://example.org/b">b</a><img src="https://cdn.example.org/i.png" alt="i"><a>m</a>'
        )

    def test_drops_relative_links_without_a_base(self) -> None:
        assert sanitise('<a href="b">b</a>') == "<a>b</a>"

    def test_keeps_the_language_of_code_and_no_other_class(self) -> None:
        html = '<pre><code class="hl language-py x">a</code></pre><p class="lead">b</p>'
        assert sanitise(html) == '<pre><code class="language-py">a</code></pre><p>b</p>'

    def test_keeps_only_the_text_of_what_would_explode(self) -> None:
        bomb = "".join(f"<b title={n}>" for n in range(400)) + "<p>x" * 2_000
        assert len(sanitise(bomb)) < 10 * len(bomb)
        assert sanitise("<div>" * 5_000 + "a &lt;b&gt;").endswith("a &amp;lt;b&amp;gt;")

    def test_keeps_long_flat_html(self) -> None:
        html = '<p>a <b>b</b> <a href="https://example.org/">c</a></p>' * 2_000
        assert sanitise(html) == html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("用 LoRA 微调 Qwen2 的笔记", "zh"),
        ("對齊不是魔法", "zh"),
        ("Notes on fine-tuning (微调)", "en"),
        ("", ""),
        ("123 … 👩‍🚀", ""),
        ("Заметки о настройке", ""),
        ("これはペンです", ""),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert language(text) == expected


# ---------------------------------------------------------------- shortcuts

NAMES_OF_TAGS = "p br div span a b i em li ul ol h1 h2 img hr blockquote code pre table td q section dl dt dd"
TAGS = st.sampled_from(NAMES_OF_TAGS.split())
WORDS = (
    "word",
    *("  ", "\n", "\t", "\u3000", "\u00a0", "\x1c", "\u2028", "\x85", "\u200b", "\ufeff"),
    *("&amp;", "&lt;", "&nbsp;", "&hellip;", "&#8217;", "&#8217", "&shy;", "&#x41;", "&", "&Tab;", "&#128;"),
    *("中文", "é", "👩‍💻", "\ufe0f", ">", "</p>", "</li>", "<br/>", "<p", '<img src="/a.png" alt="x">'),
)
PIECE = st.sampled_from(WORDS) | st.builds("<{}>".format, TAGS) | st.builds("</{}>".format, TAGS)
NESTED = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.builds("<{0}>{1}{2}</{0}>".format, TAGS, inner, inner),
    max_leaves=6,
)
ANY_HTML = st.lists(PIECE | NESTED, max_size=8).map("".join)


@given(ANY_HTML | ANY_HTML.map(lambda html: sanitise(html, "https://example.org/")))
def test_the_text_of_simple_html_is_that_of_a_parser(html: str) -> None:
    root = parse(html) if "<" in html or "&" in html else None  # else it is no HTML, and keeps its lines
    assert plain_text(html) == _lines(visible_text(root) if root else html)


@given(st.text(st.sampled_from("aé中文かжα1 \n.\ue000"), max_size=12))
def test_the_language_goes_by_the_number_of_letters(text: str) -> None:
    han, latin, letters = (len(regex.findall(rf"\p{{{name}}}", text)) for name in ("Han", "Latin", "L"))
    others = letters - han - latin
    expected = "" if max(3 * han, latin) <= others * 3 else "zh" if 3 * han >= latin else "en"
    assert language(text) == expected


ADDRESSES = (
    "https://example.org/a?b=c&amp;d",
    "http://192.168.0.1/",
    "https://xn--a/",
    "https://a..b/",
    "#x",
)
ODD_ADDRESSES = (
    "https://a-.org/",
    "https://1.2.3.999/",
    "https://example.org:99999/",
    "https://é.org/",
    "ftp://a.org/",
)
VALUES = st.sampled_from(
    (*ADDRESSES, *ODD_ADDRESSES, "", "a b", "&quot;", "&lt;", "x>y", "&nbsp;", "\u00a0", "\n")
)
ATTRIBUTES = st.sampled_from(("href", "src", "alt", "class", "start", "title"))
LINKED = st.builds(
    "<{}{}>{}".format,
    st.sampled_from(("a", "img", "p", "code", "ol", "time")),
    st.lists(
        st.builds(' {}="{}"'.format, ATTRIBUTES, VALUES),
        max_size=3,
    ).map("".join),
    st.sampled_from(("", "</a>", "x</a>", "</p>", "</code>", "</ol>", "</time>")),
)
WITH_LINKS = st.lists(PIECE | NESTED | LINKED, max_size=6).map("".join)


@given(
    WITH_LINKS
    | WITH_LINKS.map(sanitise)
    | WITH_LINKS.map(lambda html: sanitise(html, "https://example.org/"))
)
def test_what_content_hashes_are_made_of_never_depends_on_the_shortcut(html: str) -> None:
    assert basic(html) == _cleaners.basic(html).strip()


@given(WITH_LINKS | WITH_LINKS.map(lambda html: sanitise(html, "https://example.org/")))
def test_simple_html_is_sanitised_without_the_sanitiser_as_with_it(html: str) -> None:
    with_it = _cleaners.full(with_embedded(html, "https://example.org/"), "https://example.org/").strip()
    assert sanitise(html, "https://example.org/") == with_it


@pytest.mark.parametrize(
    ("html", "is_kept"),
    [
        (
            '<p>a &amp; <a href="https://example.org/?b&amp;#d">b</a><br><img src="http://e.org/"></p>',
            True,
        ),
        ("<ul>\n<li><strong>微调</strong></li>\n</ul>", True),
        ("<p>a > b</p>", False),
        ("<p>a&#8217;s</p>", False),
        ("<section>a</section>", False),
        ('<p class="a">b</p>', False),
        ('<a href="#b">c</a>', False),
        ('<a href="https://1.2.3.999/">d</a>', False),
    ],
)
def test_html_that_is_written_as_sanitisers_write_is_not_sanitised_again(html: str, is_kept: bool) -> None:
    assert is_canonical(html, _BASIC_TAGS) is is_kept


@given(
    st.from_regex(urls._USUAL_URL, fullmatch=True)
    | st.text("htps:/.[]@?#a1 \u00e9", max_size=20).map("http://".__add__)
)
def test_a_usual_url_is_one_that_can_be_split(url: str) -> None:
    if urls._USUAL_URL.fullmatch(url):
        assert urlsplit(url).hostname and urlsplit(url).scheme in ("http", "https") and " " not in url
