"""Whatever the HTML: nothing that can be read is lost, no link lies, and the effort grows with the length."""

import os
import re
import sys
from collections import Counter
from itertools import count
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from bot.platforms.flat import SpanKind, flatten
from content.blocks import to_blocks
from content.clean import MAX_HTML_BYTES, capped
from content.document import Document, block_text
from content.labels import other_host
from content.text import plain_text, sanitise
from content.urls import is_web_url

EXAMPLES = int(os.environ.get("HTML_EXAMPLES", "50"))
POST = "https://example.org/a"
WORD = "□"  # each one becomes a word of its own
INLINE_NAMES = "a b i s u q em del ins sub sup mark span code kbd small abbr font cite var tt"
INLINE = (
    *INLINE_NAMES.split(),
    *("span class=spoiler", "tg-spoiler", "span data-spoiler", "span id=one", "sup id=two"),
    *(
        "a href=#one",
        "a href=#n1 id=r1",
        "sup id=r2",
        "a href=https://e.org/",
        "a name=one",
        "font color=red",
    ),
)
BLOCK_NAMES = (
    "div p ul ol li dl dt dd blockquote pre h1 h2 h6 section article center figure figcaption aside table "
    "tr td th thead tbody caption details summary address nav main ruby rt form fieldset label"
)
BLOCK = (
    *BLOCK_NAMES.split(),
    *("td colspan=3 rowspan=2", "li id=n1", "div id=n2", "h3 id=one", "div class=wp-caption", "ol start=4"),
    *("div class=spoiler", "p class=wp-caption-text", "pre class='brush: py'", "ol reversed"),
)
EMPTY = (
    *(
        "<br>",
        "<hr>",
        "<wbr>",
        "<br><br>",
        "<img src=https://e.org/i.png>",
        "<input type=checkbox>",
        "&nbsp;",
    ),
    *("<img width=1 src=https://e.org/p>", "<!-- -->", "</p>", "</div>", "</table>", "</a>", "</li>", "<p>"),
    *(
        "<script>hidden</script>",
        "<style>hidden</style>",
        "<rp>(</rp>",
        "<video src=/a.mp4 title=□>x</video>",
    ),
    *("<sup><a href=#n1 id=r1>1</a></sup>", "<a href=#r1>↩</a>", "<a href=#n2>[2]</a>", "<a href=#r2>↩</a>"),
    *("<iframe src=https://player.vimeo.com/video/7 title=□></iframe>", " ", "\n", "\u200b", "\u202e"),
)


PAIRS = (
    "<table><tr><td>{}<td>{}</table>",
    "<table><caption>{}</caption><tr><th>{}<td>□</table>",
    "<figure>{}<img src=/i.png><figcaption>{}</figcaption></figure>",
    "<details><summary>{}</summary>{}</details>",
    "<sup><a href=#n1 id=r1>1</a></sup><ol><li id=n1>{} {} <a href=#r1>↩</a></li></ol>",
    "<ul><li>{}<ul><li>{}</ul></ul>",
    "<dl><dt>{}<dd>{}</dl>",
    "<ruby>{}<rt>{}</rt></ruby>",
    "<div class=wp-caption>{}<p class=wp-caption-text>{}</p></div>",
)


def element(tag: str, inside: list[str]) -> str:
    return f"<{tag}>{' '.join(inside)}</{tag.partition(' ')[0]}>"


def numbered(pieces: list[str]) -> str:
    numbers = count()
    return re.sub(
        WORD, lambda _: f"w{chr(97 + (n := next(numbers)) // 26)}{chr(97 + n % 26)}w", " ".join(pieces)
    )


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    elements = st.builds(element, st.sampled_from(INLINE + BLOCK), st.lists(inner, min_size=1, max_size=4))
    return st.one_of(elements, st.builds(str.format, st.sampled_from(PAIRS), inner, inner))


TREE = st.recursive(st.one_of(st.just(WORD), st.sampled_from(EMPTY)), larger, max_leaves=12)
HTML = st.lists(TREE, min_size=2, max_size=8).map(numbered)


def words(text: str) -> Counter[str]:
    return Counter(re.findall("w[a-z]{2}w", text))


def seen(html: str) -> str:
    """The text of sanitised HTML as a simple reader gives it, with white space around every text."""
    parser = LexborHTMLParser(html)
    parser.strip_tags(["rp", "video"])
    return parser.body.text(separator=" ") if parser.body else ""


@settings(max_examples=EXAMPLES)
@given(HTML)
def test_nothing_readable_is_lost(html: str) -> None:
    clean = sanitise(html, POST)
    shown = "\n".join(map(block_text, to_blocks(clean, POST)))
    assert not words(seen(clean)) - words(shown)
    assert words(plain_text(clean)) == words(shown)


@settings(max_examples=EXAMPLES)
@given(HTML, st.sampled_from(["https://bank.com", "bank.com", "@everyone", "<@1>", "e.org"]))
def test_no_link_names_another_host(html: str, label: str) -> None:
    html = html.replace("waaw", f"<a href='https://e.org/x' ping='https://t.org/'>{label}</a>")
    clean = sanitise(html, POST)
    assert "ping" not in clean
    flat = flatten(Document(to_blocks(clean, POST)))
    for span in flat.spans:
        if span.kind is SpanKind.LINK:
            assert is_web_url(span.url) and not other_host(flat.text, span.start, span.end, span.url)


def calls(html: str) -> int:
    """How many functions, also of C, are called to read `html`."""
    total = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal total
        total += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        to_blocks(html, POST)
        plain_text(html)
    finally:
        sys.setprofile(before)
    return total


@pytest.mark.parametrize(
    "piece",
    [
        "a<br>",
        "<b>a</b><br>",
        "<ul><ul>a</ul></ul>",
        "<li>a",
        "<tr><td>a<td>b",
        "<img src=https://e.org/{n}.png>",
        "<a href=#n{n} id=r{n}>{n}</a><p id=n{n}><a href=#r{n}>b</a>",
        "<h2 id=h{n}>a</h2><a href=#h{n}>b</a>",
        "<details><summary>a</summary>b</details>",
        "<figure><img src=https://e.org/{n}.png><figcaption>a</figcaption></figure>",
        "<pre><code>a</code></pre>",
    ],
)
def test_the_effort_grows_with_the_length(piece: str) -> None:
    whole = "<table>{}</table>" if piece.startswith("<tr>") else "<ul>{}</ul>" if "li>" in piece else "{}"
    once, twice = (
        calls(whole.format("".join(piece.replace("{n}", str(n)) for n in range(length))))
        for length in (150, 300)
    )
    assert twice < 2.2 * once


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("<p>word and more words " * 220_000, 1),
        (("<p>" + "word and more words " * 2_000) * 125, 14),
        ("<div>" * 10_000 + "word", 1),
        ("<ul><li><b>" * 3_400 + "word", 1),
        ("<table>" + ("<tr>" + "<td>word" * 1_000) * 15 + "</table>", 1),
        ("".join(f'<img src="https://e.org/{number}.png">' for number in range(3_000)) + "word", 3_001),
        ("<img srcset='" + "a 1w," * 100_000 + "'>word", 2),
    ],
    ids=["5 MB", "5 MB of long paragraphs", "nested", "nested lists", "columns", "pictures", "files"],
)
def test_bad_input_is_read_as_far_as_it_goes(html: str, blocks: int) -> None:
    clean = capped(sanitise(html, "https://e.org/"))
    assert len(clean.encode()) <= MAX_HTML_BYTES
    found = to_blocks(clean)
    assert len(found) == blocks and "word" in flatten(Document(found)).text
