from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from content import document as doc
from content.text import excerpt, language, markdown_to_html, plain_text, sanitise, to_blocks

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


@pytest.mark.parametrize(
    ("html", "url", "label"),
    [
        (
            '<iframe src="https://www.youtube.com/embed/aB-1_x?a=0&amp;b=3" title="A &amp; B"></iframe>',
            "https://www.youtube.com/watch?v=aB-1_x",
            "▶ A & B",
        ),
        (
            "<iframe data-src='//player.bilibili.com/player.html?bvid=BV1&amp;p=2'></iframe>",
            "https://player.bilibili.com/player.html?bvid=BV1&p=2",
            "▶ player.bilibili.com",
        ),
        ("<audio controls src=/a.mp3></audio>", "https://example.org/a.mp3", "▶ example.org"),
        (
            '<VIDEO controls><source src="a.webm" type="video/webm"><source src="a.mp4"></VIDEO>',
            "https://example.org/posts/a.webm",
            "▶ example.org",
        ),
    ],
)
def test_a_player_leaves_a_link(html: str, url: str, label: str) -> None:
    clean = sanitise(f"<p>Before{html}after</p>", "https://example.org/posts/")
    assert [doc.block_text(block) for block in to_blocks(clean)] == ["Before", label, "after"]
    assert doc.Paragraph((doc.Link(url, (doc.Text(label),)),)) in to_blocks(clean)


@pytest.mark.parametrize(
    "html",
    [
        "<iframe src='javascript:alert(1)'></iframe>",
        "<iframe srcdoc='<p>x'></iframe>",
        "<video></video>",
        "<picture><source src=https://example.org/a.png></picture>",
        "<script>'<iframe src=https://example.org/>'</script>",
    ],
)
def test_what_is_no_player_leaves_no_link(html: str) -> None:
    assert "<a" not in sanitise(html, "https://example.org/")


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
                ),
            ]
        ),
    ),
    max_size=15,
).map("".join)
ALLOWED = {"href", "src", "alt", "class", "start"}


class TestSanitise:
    @given(HTML)
    def test_leaves_no_script_handler_or_other_scheme(self, html: str) -> None:
        body = LexborHTMLParser(sanitise(html, "https://example.org/")).body
        for node in body.traverse() if body else ():
            assert node.tag not in ("script", "style", "iframe", "svg", "math", "object", "form")
            assert set(node.attributes) <= ALLOWED
            for name in {"href", "src"} & set(node.attributes):
                assert doc.is_web_url(node.attributes[name] or "")

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


class TestBlocks:
    def test_of_every_kind(self) -> None:
        html = (
            '<h2>A <b>b</b></h2><p>Hello  <em>big</em> <a href="https://e.org/">link</a><br>next '
            '<img src="https://e.org/i.png" alt="pic"> after</p>'
            "<ul><li>one<ul><li>in</li></ul></li><li>two</li></ul><ol start='3'><li>x</li></ol>"
            '<pre><code class="language-py">a = 1\n  b\n</code></pre><blockquote><p>q</p></blockquote>'
            "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table><p>  </p>"
        )

        def line(text: str) -> doc.Paragraph:
            return doc.Paragraph(doc.text(text))

        assert to_blocks(html) == (
            doc.Heading((doc.Text("A "), doc.Strong(doc.text("b"))), 2),
            doc.Paragraph(
                (
                    doc.Text("Hello "),
                    doc.Emphasis(doc.text("big")),
                    doc.Text(" "),
                    doc.Link("https://e.org/", doc.text("link")),
                    doc.LineBreak(),
                    doc.Text("next"),
                )
            ),
            doc.Image("https://e.org/i.png", "pic"),
            line("after"),
            doc.ListBlock(((line("one"), doc.ListBlock(((line("in"),),))), (line("two"),))),
            doc.ListBlock(((line("x"),),), 3),
            doc.CodeBlock("a = 1\n  b", "py"),
            doc.Quote((line("q"),)),
            doc.Paragraph((doc.Strong(doc.text("k | v")), doc.LineBreak(), doc.Text("1 | 2"))),
        )

    def test_a_link_of_another_scheme_is_text(self) -> None:
        assert to_blocks('<a href="javascript:x">a</a>') == (doc.Paragraph(doc.text("a")),)

    def test_a_block_inside_an_inline_stays_a_block(self) -> None:
        picture = doc.Image("https://e.org/i.png")
        assert to_blocks('<a href="https://e.org/"><img src="https://e.org/i.png"></a>') == (picture,)
        assert to_blocks("<b>a<p>c</p></b>") == (
            doc.Paragraph((doc.Strong(doc.text("a")),)),
            doc.Paragraph(doc.text("c")),
        )

    @given(HTML)
    def test_hold_no_blank_paragraph_and_no_double_space(self, html: str) -> None:
        for block in to_blocks(sanitise(html)):
            if isinstance(block, doc.Paragraph):
                text = doc.inline_text(block.children)
                assert text.strip() == text != ""
                assert not any(a == b == " " for a, b in pairwise(text))

    def test_of_markdown(self) -> None:
        html = sanitise(markdown_to_html("~~old~~ `new`\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"))
        assert to_blocks(html) == (
            doc.Paragraph((doc.Strike(doc.text("old")), doc.Text(" "), doc.CodeSpan("new"))),
            doc.Paragraph((doc.Strong(doc.text("a | b")), doc.LineBreak(), doc.Text("1 | 2"))),
        )

    @pytest.mark.parametrize("count", [90, 3_000])
    def test_survive_deep_nesting(self, count: int) -> None:
        assert "deep" in repr(to_blocks("<blockquote>" * count + "deep"))


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
