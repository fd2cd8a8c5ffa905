"""What HTML becomes: all that real feeds contain."""

from itertools import pairwise

import pytest
from hypothesis import given

from content import document as doc
from content.blocks import to_blocks
from content.document import Block, Inline
from content.markdown import markdown_to_html
from content.text import plain_text, sanitise
from tests.content.test_text import HTML

POST = "https://example.org/posts/a"


def read(html: str, url: str = POST) -> tuple[Block, ...]:
    """The blocks of a post at `url` with that HTML."""
    return to_blocks(sanitise(html, url), url)


def line(*children: Inline | str) -> doc.Paragraph:
    return doc.Paragraph(tuple(doc.Text(child) if isinstance(child, str) else child for child in children))


def inlines(html: str) -> tuple[Inline, ...]:
    (block,) = read(html)
    assert isinstance(block, doc.Paragraph)
    return block.children


def table(*rows: str, header: bool = False) -> doc.Table:
    """A table with the cells of each row separated by `|`; the first row is a header if there is one."""
    cells = [
        tuple(doc.Cell(doc.text(cell) if cell else (), header and not number) for cell in row.split("|"))
        for number, row in enumerate(rows)
    ]
    return doc.Table(tuple(cells))


class TestBlocks:
    def test_of_every_kind(self) -> None:
        html = (
            '<h2>A <b>b</b></h2><p>Hello  <em>big</em> <a href="https://e.org/">link</a><br>next '
            '<img src="https://e.org/i.png" alt="pic"> after</p>'
            "<ul><li>one<ul><li>in</li></ul></li><li>two</li></ul><ol start='3'><li>x</li></ol>"
            '<pre><code class="language-py">a = 1\n  b\n</code></pre><blockquote><p>q</p></blockquote>'
            "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table><p>  </p><hr>"
        )
        assert to_blocks(html) == (
            doc.Heading((doc.Text("A "), doc.Strong(doc.text("b"))), 2),
            line(
                "Hello ",
                doc.Emphasis(doc.text("big")),
                " ",
                doc.Link("https://e.org/", doc.text("link")),
                doc.LineBreak(),
                "next",
            ),
            doc.Image("https://e.org/i.png", "pic"),
            line("after"),
            doc.ListBlock(((line("one"), doc.ListBlock(((line("in"),),))), (line("two"),))),
            doc.ListBlock(((line("x"),),), 3),
            doc.CodeBlock("a = 1\n  b", "py"),
            doc.Quote((line("q"),)),
            table("k|v", "1|2", header=True),
            doc.Divider(),
        )

    def test_a_link_of_another_scheme_is_text(self) -> None:
        assert to_blocks('<a href="javascript:x">a</a>') == (line("a"),)

    def test_a_block_inside_an_inline_stays_a_block(self) -> None:
        picture = doc.Image("https://e.org/i.png")
        assert to_blocks('<a href="https://e.org/"><img src="https://e.org/i.png"></a>') == (picture,)
        assert to_blocks("<b>a<p>c</p></b>") == (line(doc.Strong(doc.text("a"))), line("c"))

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
            line(doc.Strike(doc.text("old")), " ", doc.CodeSpan("new")),
            table("a|b", "1|2", header=True),
        )

    def test_of_markdown_with_more(self) -> None:
        text = "It is $a<b$, costs $5 or $6[^n].\n\n$$\nx\n$$\n\n- [ ] open\n- [x] done\n\n[^n]: A *note*\n"
        formula, tasks = doc.Formula("a<b"), (((line("☐ open"),), (line("☑ done"),)))
        for url in (POST, ""):
            assert read(markdown_to_html(text), url) == (
                line("It is ", formula, ", costs $5 or $6", doc.NoteMark(1), "."),
                doc.FormulaBlock("x"),
                doc.ListBlock(tasks),
                doc.Divider(),
                doc.Note(1, (line("A ", doc.Emphasis(doc.text("note"))),)),
            )

    @pytest.mark.parametrize("count", [90, 3_000])
    def test_survive_deep_nesting(self, count: int) -> None:
        assert "deep" in repr(to_blocks("<blockquote>" * count + "deep"))

    def test_sections_are_blocks_of_their_own(self) -> None:
        html = "<section>a</section><article>b</article><center>c</center><li>d</li><li>e</li>"
        assert read(html) == tuple(map(line, "abcde"))

    def test_two_line_breaks_end_a_paragraph(self) -> None:
        assert read("a<br>b<br/> <br>c<br><br><br>") == (line("a", doc.LineBreak(), "b"), line("c"))


class TestStyles:
    @pytest.mark.parametrize(
        ("html", "style"),
        [
            ("<sub>x</sub>", doc.Sub),
            ("<sup>x</sup>", doc.Sup),
            ("<u>x</u>", doc.Underline),
            ("<ins>x</ins>", doc.Underline),
            ("<mark>x</mark>", doc.Marked),
            ("<strike>x</strike>", doc.Strike),
            ("<del>x</del>", doc.Strike),
            ("<s>x</s>", doc.Strike),
            ("<tg-spoiler>x</tg-spoiler>", doc.Spoiler),
            ("<span class='big tg-spoiler'>x</span>", doc.Spoiler),
            ("<span class=md-spoiler-text>x</span>", doc.Spoiler),
            ("<span data-spoiler>x</span>", doc.Spoiler),
            ("<div class=spoiler>x</div>", doc.Spoiler),
        ],
    )
    def test_of_inlines(self, html: str, style: type[doc.Styled]) -> None:
        assert inlines(html) == (style(doc.text("x")),)

    def test_keys_and_quotations(self) -> None:
        assert inlines("<kbd>Ctrl</kbd> <q>hi</q>") == (
            doc.CodeSpan("Ctrl"),
            doc.Text(" “hi”"),
        )

    @pytest.mark.parametrize(
        ("html", "shown"),
        [
            ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字(かんじ)"),
            ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>です", "漢(かん)字(じ)です"),
            ("<ruby><rb>北</rb><rt>běi</rt></ruby>", "北(běi)"),
        ],
    )
    def test_ruby_is_read_in_brackets(self, html: str, shown: str) -> None:
        assert doc.block_text(read(html)[0]) == shown == plain_text(sanitise(html))


class TestLists:
    def test_a_task_has_a_box(self) -> None:
        html = "<ul><li><input type=checkbox checked disabled> done<li><input type=checkbox>to do"
        assert read(html) == (doc.ListBlock(((line("☑ done"),), (line("☐ to do"),))),)
        assert plain_text(sanitise(html)) == "☑ done\n☐ to do"
        assert read("<p><input value=x>a</p>") == (line("a"),)

    def test_nest_to_any_depth_with_their_numbers(self) -> None:
        html = "<ol start=7><li>a<ul><li>b<ol reversed><li>c</ol></ul></ol>"
        inner = doc.ListBlock(((line("c"),),), 1)
        middle = doc.ListBlock(((line("b"), inner),))
        assert read(html) == (doc.ListBlock(((line("a"), middle),), 7),)

    def test_of_definitions(self) -> None:
        strong = doc.Strong(doc.text("term"))
        assert read("<dl><dt>term<dd>one<dd><p>two</p><p>three</p></dl>") == (
            line(strong),
            *map(line, ("one", "two", "three")),
        )


class TestTables:
    def test_cells_may_cover_columns_and_rows(self) -> None:
        html = (
            "<table><caption>Tides <b>2026</b></caption><thead><tr><td colspan=2>a<th>b</thead>"
            "<tr><th rowspan=9 scope=row>c<td>d<td><p><i>e</i></p><tr><td colspan=5000><td></table>"
        )
        (found,) = read(html)
        assert found == doc.Table(
            (
                (doc.Cell(doc.text("a"), True, 2), doc.Cell(doc.text("b"), True)),
                (
                    doc.Cell(doc.text("c"), True, 1, 2),
                    doc.Cell(doc.text("d")),
                    doc.Cell((doc.Emphasis(doc.text("e")),)),
                ),
                (doc.Cell((), False, 1000), doc.Cell(())),
            ),
            (doc.Text("Tides "), doc.Strong(doc.text("2026"))),
        )

    @pytest.mark.parametrize(
        ("html", "expected"),
        [
            ("<table><tr><td>a<tr><td>b</table>", (line("a"), line("b"))),
            (
                "<table><tr><td><img src=/i.png><td>text</table>",
                (doc.Image("https://example.org/i.png"), line("text")),
            ),
            ("<table><tr><td><p>a</p><p>b</p><td>c</table>", tuple(map(line, "abc"))),
            ("<table><tr><td><table><tr><td>1<td>2</table><td>3</table>", (table("1|2"), line("3"))),
            (
                "<figure class='highlight python'><table><tr><td><pre>1\n2</pre><td><pre>a\nb</pre></table>",
                (doc.CodeBlock("a\nb", "python"),),
            ),
            ("<table></table><table><tr></table><table><tr><td></table>", ()),
        ],
    )
    def test_that_only_arrange_become_what_they_hold(self, html: str, expected: tuple[Block, ...]) -> None:
        assert read(html) == expected

    def test_a_table_in_a_table_with_headers_becomes_lines(self) -> None:
        inner = "<table><tr><td>1<td>2<tr><td>3<td>4</table>"
        html = f"<table><tr><th>a<th>b<tr><td><ul><li>x<li>y</ul><td>{inner}</table>"
        (found,) = read(html)
        assert doc.block_text(found) == "a | b\n• x\n• y | 1 | 2\n3 | 4"
        assert isinstance(found, doc.Table) and len(found.rows) == 2


class TestPictures:
    @pytest.mark.parametrize(
        ("html", "name"),
        [
            ("<img src=i.png srcset='a.png 400w, b.png 1600w, c.png 3000w'>", "b.png"),
            ("<img src=i.png srcset='a.png 1x,b.png 2x,c.png 3x'>", "b.png"),
            ("<img srcset='https://e.org/,/w_1,h_2/a.png 3000w'>", "https://e.org/,/w_1,h_2/a.png"),
            ("<img src='data:image/gif;base64,R0' data-src=l.png>", "l.png"),
            ("<img src=/blank.gif data-original=l.png>", "l.png"),
            ("<img data-lazy-src=l.png><noscript><img src=l.png></noscript>", "l.png"),
            ("<img data-srcset='s.png 300w, m.png 900w'>", "m.png"),
            ("<picture><source srcset='w.webp 800w'><img src=p.png></picture>", "p.png"),
            ("<picture><source srcset='w.webp 800w'><img alt=''></picture>", "w.webp"),
        ],
    )
    def test_the_best_file_is_shown(self, html: str, name: str) -> None:
        url = name if "://" in name else f"https://example.org/posts/{name}"
        assert read(html) == (doc.Image(url),)

    @pytest.mark.parametrize(
        "html",
        [
            "<img src=https://t.org/p width=1 height=1>",
            "<img src=https://t.org/p height='0px' alt=tracker>",
            "<img src=https://t.org/p width=2>",
            "<img src=ftp://e.org/a.png>",
        ],
    )
    def test_what_nobody_sees_is_left_out(self, html: str) -> None:
        assert read(html) == ()

    def test_emoji_and_formulas_are_no_pictures(self) -> None:
        html = (
            '<p>Hi <img src="https://s.w.org/images/core/emoji/1f600.png" alt="😀">'
            ' <img src="https://s0.wp.com/latex.php?latex=E" alt="E=mc^2"></p>'
        )
        assert inlines(html) == (doc.Text("Hi 😀 "), doc.Formula("E=mc^2"))

    def test_a_caption_belongs_to_the_only_picture(self) -> None:
        caption = "<figcaption>By <a href=https://e.org/>Ann</a></figcaption>"
        said = (doc.Text("By "), doc.Link("https://e.org/", doc.text("Ann")))
        picture = doc.Image("https://example.org/i.png", "x", said)
        assert read(f"<figure><a href=/big><img src=/i.png alt=x></a>{caption}</figure>") == (picture,)
        html = "<div class=wp-caption><img src=/i.png alt=x><p class=wp-caption-text>By</p></div>"
        assert read(html) == (doc.Image(picture.url, "x", doc.text("By")),)
        both = read(f"<figure><img src=/i.png><img src=/j.png>{caption}</figure>")
        assert both[2] == line(doc.Emphasis(said)) and len(both) == 3
        sound = read(f"<figure>{caption}<audio src=/a.mp3></audio></figure>")
        assert sound == (doc.Media(doc.MediaKind.AUDIO, "https://example.org/a.mp3", "", said),)


class TestPlayers:
    @pytest.mark.parametrize(
        ("html", "kind", "url", "title"),
        [
            ("<audio controls src=/a.mp3>Please update.</audio>", "audio", "https://example.org/a.mp3", ""),
            (
                '<VIDEO poster=p.png title="A &amp; B"><source src=a.webm type="video/webm">'
                "<source src=a.mp4><p>Please <a href=x>update</a>.</p></VIDEO>",
                "video",
                "https://example.org/posts/a.webm",
                "A & B",
            ),
            ("<video title='A &amp; B' src=//e.org/a.mp4></video>", "video", "https://e.org/a.mp4", "A & B"),
        ],
    )
    def test_sounds_and_films(self, html: str, kind: str, url: str, title: str) -> None:
        found = read(f"<div>Before{html}after</div>")
        assert found == (line("Before"), doc.Media(doc.MediaKind(kind), url, title), line("after"))

    @pytest.mark.parametrize(
        ("src", "url"),
        [
            ("https://www.youtube.com/embed/aB-1_x?a=0&amp;b=3", "https://www.youtube.com/watch?v=aB-1_x"),
            ("//www.youtube-nocookie.com/embed/aB", "https://www.youtube.com/watch?v=aB"),
            ("https://player.vimeo.com/video/76979871?h=8", "https://vimeo.com/76979871"),
            ("//player.bilibili.com/player.html?bvid=BV1x&amp;p=2", "https://www.bilibili.com/video/BV1x"),
            (
                "https://open.spotify.com/embed/episode/4rOo?utm=x",
                "https://open.spotify.com/episode/4rOo",
            ),
            (
                "https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&amp;c=1",
                "https://soundcloud.com/a/b",
            ),
            (
                "https://w.soundcloud.com/player/?url=https%3A//bank.com/a",
                "https://w.soundcloud.com/player/?url=https%3A//bank.com/a",
            ),
            (
                "https://embed.podcasts.apple.com/us/podcast/a/id1?i=2",
                "https://podcasts.apple.com/us/podcast/a/id1?i=2",
            ),
            (
                "https://tube.example/videos/embed/9c9de5e8-0a1e?title=0",
                "https://tube.example/videos/watch/9c9de5e8-0a1e",
            ),
            ("https://other.example/embed?a=1&amp;b=2", "https://other.example/embed?a=1&b=2"),
        ],
    )
    def test_a_page_of_a_player_is_a_link(self, src: str, url: str) -> None:
        named = read(f'<p>Before<iframe src="{src}" title="A &amp; B"></iframe>after</p>')
        assert named == (line("Before"), line(doc.Link(url, doc.text("▶ A & B"))), line("after"))
        (unnamed,) = read(f'<iframe data-src="{src}"></iframe>')
        assert isinstance(unnamed, doc.Paragraph) and isinstance(unnamed.children[0], doc.Link)
        assert unnamed.children[0].url == url

    @pytest.mark.parametrize("title", ["", 'title=""', "title=' '"])
    def test_a_link_without_a_title_names_the_host_that_it_leads_to(self, title: str) -> None:
        html = f'<iframe src="https://player.vimeo.com/video/7" {title}></iframe>'
        assert read(html) == (line(doc.Link("https://vimeo.com/7", doc.text("▶ vimeo.com"))),)

    @pytest.mark.parametrize(
        "html",
        [
            "<iframe src='javascript:alert(1)'></iframe>",
            "<iframe srcdoc='<p>x'></iframe>",
            '<iframe src=""></iframe>',
            "<video src=''></video>",
            "<video></video>",
            "<picture><source src=https://example.org/a.png></picture>",
            "<script>'<iframe src=https://example.org/>'</script>",
        ],
    )
    def test_what_is_no_player_leaves_no_link(self, html: str) -> None:
        assert "<a" not in sanitise(html, "https://example.org/")


class TestDetailsAndCode:
    def test_details(self) -> None:
        html = "<details><summary><b>More</b></summary>a<details><p>b</p></details></details>"
        inner = doc.Details((), (line("b"),))
        assert read(html) == (doc.Details((doc.Strong(doc.text("More")),), (line("a"), inner)),)
        assert read("<details><summary>alone</summary></details>") == (line(doc.Strong(doc.text("alone"))),)

    @pytest.mark.parametrize(
        "html",
        [
            "<pre><code class='language-go x'>a</code></pre>",
            "<pre class='lang-go'>a</pre>",
            "<div class='highlight highlight-source-go'><pre>a</pre></div>",
            "<pre><code class='hljs go'>a</code></pre>",
            "<pre class='brush: go; title: x'>a</pre>",
            "<div class='language-go highlighter-rouge'><div class=highlight><pre>a</pre></div></div>",
            "<pre class='sourceCode go'><code class='sourceCode go'>a</code></pre>",
        ],
    )
    def test_the_language_of_code(self, html: str) -> None:
        assert read(html) == (doc.CodeBlock("a", "go"),)

    def test_code_keeps_its_lines(self) -> None:
        assert read("<pre>a<br>  b<div>c</div>d</pre>") == (doc.CodeBlock("a\n  b\nc\nd"),)


class TestFormulas:
    MATH = (
        "<math{}><semantics><mi>x</mi><annotation encoding='application/x-tex'>x &lt; 2</annotation>"
        "</semantics></math>"
    )

    def test_mathml_with_tex(self) -> None:
        assert inlines(f"a {self.MATH.format('')}") == (doc.Text("a "), doc.Formula("x < 2"))
        assert read(self.MATH.format(" display='block'")) == (doc.FormulaBlock("x < 2"),)
        assert inlines("<math alttext='{\\displaystyle y}'><mi>y</mi></math>") == (doc.Formula("y"),)

    def test_mathml_without_tex_is_text(self) -> None:
        html = "<p>a <math><mi>x</mi><mo>+</mo><mn>1</mn></math></p>"
        assert read(html) == (line("a x + 1"),)
        assert plain_text(sanitise(html)) == "a x + 1"

    def test_katex_is_not_repeated(self) -> None:
        seen = "<span class=katex-html>x&lt;2</span>"
        html = f"<span class=katex><span>{self.MATH.format('')}</span>{seen}</span>"
        assert inlines(html) == (doc.Formula("x < 2"),)
        assert inlines("<span class=katex><span class=katex-html>y</span></span>") == doc.text("y")

    def test_pandoc(self) -> None:
        html = r"<span class='math inline'>\(a\)</span> <span class='math display'>\[b\]</span>"
        assert read(html) == (line(doc.Formula("a")), doc.FormulaBlock("b"))

    def test_mathjax(self) -> None:
        html = "<script type='math/tex'>a<b</script> <script type='math/tex; mode=display'>c</script>"
        assert read(html) == (line(doc.Formula("a<b")), doc.FormulaBlock("c"))
        assert plain_text(sanitise(html)) == "a<b c"


GITHUB = (
    '<p>Text<sup><a href="#user-content-fn-1" id="user-content-fnref-1" data-footnote-ref>1</a></sup>.</p>'
    '<section data-footnotes class="footnotes"><ol><li id="user-content-fn-1"><p>A <b>note</b> '
    '<a href="#user-content-fnref-1" data-footnote-backref>↩</a></p></li></ol></section>'
)
MARKDOWN_IT = (
    '<p>Text<sup class="footnote-ref"><a href="#fn1" id="fnref1">[1]</a></sup>.</p>'
    '<section class="footnotes"><ol><li id="fn1"><p>A <b>note</b> <a href="#fnref1">↩︎</a></p></li></ol>'
)
KRAMDOWN = (
    '<p>Text<sup id="fnref:1" role="doc-noteref"><a href="#fn:1" class="footnote">1</a></sup>.</p>'
    '<div class="footnotes"><ol><li id="fn:1"><p>A <b>note</b>&nbsp;<a href="#fnref:1">&#8617;</a></p>'
)
WORDPRESS = (
    '<p>Text<sup data-fn="u-1" class="fn"><a href="#u-1" id="u-1-link">1</a></sup>.</p>'
    '<ol class="wp-block-footnotes"><li id="u-1">A <b>note</b> <a href="#u-1-link">↩︎</a></li></ol>'
)
SUBSTACK = (
    f'<p>Text<a class="footnote-anchor" id="footnote-anchor-1" href="{POST}#footnote-1">1</a>.</p>'
    f'<div class="footnote"><a id="footnote-1" href="{POST}#footnote-anchor-1">1</a>'
    "<div><p>A <b>note</b></p></div></div>"
)
WORD = (
    '<p>Text<a href="#_ftn1" name="_ftnref1">[1]</a>.</p>'
    '<div id="ftn1"><p><a href="#_ftnref1" name="_ftn1">[1]</a> A <b>note</b></p></div>'
)
WIKIPEDIA = (
    '<p>Text<sup id="cite_ref-1"><a href="#cite_note-1">[1]</a></sup>.</p>'
    '<ol><li id="cite_note-1"><span><a href="#cite_ref-1">^</a></span> <span>A <b>note</b></span></li></ol>'
)
STYLES = (GITHUB, MARKDOWN_IT, KRAMDOWN, WORDPRESS, SUBSTACK, WORD, WIKIPEDIA)


class TestLinksWithin:
    @pytest.mark.parametrize(
        ("html", "url"),
        [(html, POST) for html in STYLES] + [(html, "") for html in STYLES if html is not SUBSTACK],
    )
    def test_a_footnote(self, html: str, url: str) -> None:
        note = doc.Note(1, (line("A ", doc.Strong(doc.text("note"))),))
        assert read(html, url) == (line("Text", doc.NoteMark(1), "."), note)

    def test_footnotes_are_numbered_as_the_text_refers_to_them(self) -> None:
        html = (
            '<p>a<sup id="r2"><a href="#n2">*</a></sup> b<sup id="r1"><a href="#n1">†</a></sup>'
            ' c<sup id="r3"><a href="#n2">*</a></sup></p>'
            '<ul><li id="n1">one <a href="#r1">↑</a></li>'
            '<li id="n2">two <a href="#r2">↑</a><a href="#r3">↑</a></li></ul>'
        )
        text, first, second = read(html)
        assert doc.block_text(text) == "a[1] b[2] c[1]"
        assert (first, second) == (doc.Note(1, (line("two"),)), doc.Note(2, (line("one"),)))

    def test_a_reference_without_its_note_is_plain(self) -> None:
        assert read('a<sup><a href="#n1" id="r1">1</a></sup>') == (line("a[1]"),)

    def test_a_heading_has_a_name_if_something_leads_to_it(self) -> None:
        html = (
            '<ul><li><a href="#one">One</a></li><li><a href="#no">No</a></li></ul>'
            '<h2 id="one">One <a href="#one">#</a></h2><h2 id="two">Two</h2>'
            f'<p><a href="{POST}#x%20y">third</a> <a href="https://example.org/b#two">b</a></p>'
            '<a name="x y"></a><h3>Three</h3>'
        )
        menu, *others = read(html)
        assert menu == doc.ListBlock(
            ((line(doc.Jump("one", doc.text("One"))),), (line("No"),)),
        )
        assert others == [
            doc.Heading(doc.text("One"), 2, "one"),
            doc.Heading(doc.text("Two"), 2),
            line(
                doc.Jump("x y", doc.text("third")),
                " ",
                doc.Link("https://example.org/b#two", doc.text("b")),
            ),
            doc.Heading(doc.text("Three"), 3, "x y"),
        ]
