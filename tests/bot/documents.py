"""Documents for the tests of renderers: any at all, and a page in its real shape."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from content.document import (
    Block,
    Cell,
    CodeBlock,
    CodeSpan,
    Contents,
    Details,
    Divider,
    Document,
    Emphasis,
    Entry,
    Excerpt,
    Formula,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Jump,
    LineBreak,
    Link,
    ListBlock,
    Marked,
    Media,
    MediaKind,
    Note,
    NoteMark,
    Paragraph,
    Quote,
    Spoiler,
    Strike,
    Strong,
    Sub,
    Sup,
    Table,
    Text,
    Underline,
)
from content.present import Look, page
from content.types import Page, Post

URLS = st.sampled_from(
    ["https://example.org/a?b=c#d", "http://example.org/@name", "javascript:alert(1)", "ftp://x/", ""]
)
# Letters of one, two, three and four bytes, joiners and flags, white space, and what must never get through.
ALPHABET = "ab字é@/.-🎉👩‍🚀🇫🇷e\u0301 \n\t\x1b\x07\x9b\u202e\u2066\u2028\u200b\u3164<&*_`[]\ud800"
WORDS = st.one_of(
    st.text(alphabet=ALPHABET, max_size=40),
    st.text(max_size=20),
    st.builds(
        lambda word, times: word * times,
        st.sampled_from(["word ", "字", "🎉", "\n", "a"]),
        st.integers(1, 6000),
    ),
)


STYLES = (Strong, Emphasis, Strike, Underline, Marked, Sub, Sup, Spoiler)


def _inlines(children: st.SearchStrategy[Inline]) -> st.SearchStrategy[Inline]:
    many = st.lists(children, max_size=3).map(tuple)
    return st.one_of(
        *(st.builds(style, many) for style in STYLES),
        st.builds(Link, URLS, many),
        st.builds(Jump, st.sampled_from(["part-1", "nowhere"]), many),
    )


_LEAVES: st.SearchStrategy[Inline] = st.one_of(
    st.builds(Text, WORDS),
    st.builds(CodeSpan, WORDS),
    st.builds(Formula, WORDS),
    st.builds(NoteMark, st.integers(1, 20)),
    st.just(LineBreak()),
    st.builds(Excerpt, WORDS, st.integers(0, 400)),
)
INLINES = st.lists(st.recursive(_LEAVES, _inlines, max_leaves=4), max_size=3).map(tuple)
_CELLS = st.builds(Cell, INLINES, st.booleans(), st.integers(1, 3), st.integers(1, 3))
_SIMPLE: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, INLINES, st.integers(1, 6), st.sampled_from(["", "part-1"])),
    st.builds(Paragraph, INLINES, st.booleans()),
    st.builds(CodeBlock, WORDS, st.sampled_from(["", "python", "c\x1b\n+"])),
    st.builds(Image, URLS, WORDS, INLINES),
    st.builds(Media, st.sampled_from(MediaKind), URLS, WORDS, INLINES),
    st.builds(Table, st.lists(st.lists(_CELLS, max_size=3).map(tuple), max_size=3).map(tuple), INLINES),
    st.builds(Entry, INLINES, INLINES),
    st.builds(FormulaBlock, WORDS),
    st.just(Divider()),
    st.just(Contents("Contents", (Jump("part-1", (Text("Part 1"),)),))),
)


def _blocks(children: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    some = st.lists(children, max_size=3).map(tuple)
    lists = st.builds(ListBlock, st.lists(some, max_size=3).map(tuple), st.none() | st.integers(0, 9))
    folded = st.builds(Details, INLINES, some)
    return st.one_of(st.builds(Quote, some), lists, folded, st.builds(Note, st.integers(1, 20), some))


BLOCKS = st.recursive(_SIMPLE, _blocks, max_leaves=4)


def _document(rows: list[tuple[Block, tuple[int, ...]]], single: bool) -> Document:
    return Document(tuple(b for b, _ in rows), single, tuple(c for _, c in rows))


CARRIED = st.lists(st.integers(1, 9), max_size=2).map(tuple)
DOCUMENTS = st.builds(_document, st.lists(st.tuples(BLOCKS, CARRIED), max_size=4), st.booleans())

WHEN = datetime(2025, 3, 1, 17, 5, tzinfo=UTC)
SENTENCES = (
    "潮汐表每天清晨更新一次,渡轮按照 high-water 时间出发,",
    "the keeper writes wind and fog into a log-book by hand, ",
    "观测站的 open-source 程序把数据发到 https://example.org/tide-tables?day=7 供大家查阅。",
    "A short-wave set in the loft answers every evening at nine, ",
    "老式接收机需要预热,信号才会稳定下来;",
    "see https://example.org/logs/2024-11 for last year's entries. ",
)


def untitled_post(number: int) -> Post:
    """A post without title, of 400 to 900 characters, that starts with any of the sentences."""
    length = 400 + number * 41 % 500
    text = (f"第 {number} 号 " + "".join(SENTENCES[(number + i) % 6] for i in range(40)))[:length]
    return Post(
        id=number,
        source_id=1,
        source_title="Harbour Notes",
        guid=f"g{number}",
        key=f"k{number}",
        url=f"https://example.org/{number}",
        title="",
        author="",
        published_at=WHEN,
        updated_at=None,
        first_seen_at=WHEN,
        html="",
        text=text,
        language="zh",
    )


POSTS = tuple(untitled_post(number) for number in range(1, 12))
PAGE = page(Page(POSTS, number=1, pages=2, total=15, anchor=15), Look())
