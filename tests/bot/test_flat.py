from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, groupby

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.platforms.fit import border, cut, fit, split
from bot.platforms.flat import Flat, Span, SpanKind, clean, flatten, shift
from content.document import (
    Block,
    CodeBlock,
    CodeSpan,
    Document,
    Emphasis,
    Excerpt,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strong,
    Text,
    block_text,
    text,
)
from content.labels import other_host
from content.text import excerpt
from tests.bot.documents import BLOCKS, DOCUMENTS, WORDS
from tests.conftest import EXAMPLES


def flat(*blocks: Block) -> Flat:
    return flatten(Document(blocks))


def marked(shown: Flat) -> list[tuple[str, str]]:
    return [(span.kind, shown.text[span.start : span.end]) for span in shown.spans]


def para(content: str, *, tight: bool = False) -> Paragraph:
    return Paragraph(text(content), tight)


# ---- flatten


def test_blocks_stand_apart_and_tight_lines_together() -> None:
    shown = flat(
        Heading(text("A")), Heading(text("B"), 2), para("c", tight=True), para("d", tight=True), para("e")
    )
    assert shown.text == "A\n\nB\nc\nd\n\ne"
    assert marked(shown) == [("strong", "A"), ("strong", "B")]


def test_empty_blocks_leave_no_gap() -> None:
    assert flat(para(""), para("a"), Quote(()), ListBlock(((),)), para("b"), CodeBlock("\n")).text == "a\n\nb"


def test_lists_are_indented() -> None:
    inner = ListBlock(((para("x"),), (Paragraph((Text("y"), LineBreak(), Text("z"))),)))
    shown = flat(para("top"), ListBlock(((para("one"), inner), (para("two"), para("more"))), start=9))
    assert shown.text == "top\n\n9. one\n  • x\n  • y\n    z\n10. two\n  more"


def test_an_image_is_its_words_and_link() -> None:
    shown = flat(
        Image("https://example.org/i.png", "a\nboat"),
        Image("https://example.org/i.png"),
        Image("data:x", "y"),
    )
    assert shown.text == "🖼 a boat\n\n🖼 example.org\n\n🖼 y"
    assert [span.url for span in shown.spans] == ["https://example.org/i.png"] * 2


def test_spans_nest_but_not_in_their_own_kind() -> None:
    inner = Strong((Text("b"), Emphasis((CodeSpan("c"),))))
    shown = flat(
        Paragraph(
            (Strong((Text("a"), inner)), Link("https://example.org/", (Link("http://x.org", text("d")),)))
        )
    )
    assert shown.text == "abcd"
    assert sorted(marked(shown)) == [("code", "c"), ("emphasis", "c"), ("link", "d"), ("strong", "abc")]


def test_only_web_links_are_links() -> None:
    assert flat(Paragraph((Link("javascript:alert(1)", text("x")),))) == Flat("x")


def test_spans_have_no_white_space_at_their_ends() -> None:
    shown = flat(para("  "), Paragraph((Strong(text(" a ")), Text(" b"), Strong(text("  ")))))
    assert shown == Flat("a  b", (Span(0, 1, SpanKind.STRONG),))


def test_line_feeds_of_outside_text_cannot_break_a_line() -> None:
    assert flat(para("a\nb\u2028c\r\nd\te")).text == "a b c d e"
    assert flat(CodeBlock("a\r\n\tb", "python")).text == "a\n    b"


def test_cleaning_leaves_nothing_that_moves_or_reorders() -> None:
    assert clean("a\x1b[2Jb\x9bc\u202ed\u2067e\ud800f\x00g") == "a[2Jbcdefg"
    assert clean("👩‍🚀 e\u0301 עברית\u200f") == "👩‍🚀 e\u0301 עברית\u200f"


@given(DOCUMENTS)
def test_any_document_is_flattened(document: Document) -> None:
    shown = flatten(document)
    assert shown.text == shown.text.strip()
    shown.text.encode()
    assert clean(shown.text) == shown.text
    ends: list[int] = []
    for span in shown.spans:
        assert 0 <= span.start < span.end <= len(shown.text)
        inner = shown.text[span.start : span.end]
        assert inner == inner.strip()
        while ends and ends[-1] <= span.start:
            ends.pop()
        assert not ends or span.end <= ends[-1], "spans nest"
        ends.append(span.end)


@given(st.text("ab@ ", max_size=30), st.data())
def test_shifting_keeps_what_is_marked(content: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(content)))))
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    before = Flat(content, (Span(start, end, SpanKind.LINK),))
    after = shift(before, places, "<>")
    assert after.text.replace("<>", "") == content
    assert after.text.count("<>") == len(places)
    span = after.spans[0]
    if start < end:
        assert after.text[span.start : span.end].replace("<>", "") == content[start:end]
        assert not after.text[span.start : span.end].startswith("<>")


# ---- fit


def limited(limit: int) -> Callable[[Document], bool]:
    return lambda document: len(flatten(document).text) <= limit


def test_excerpts_shrink_evenly_until_the_page_fits() -> None:
    long = [Paragraph((Text(f"{n}: "), Excerpt(str(n) * 500, 350)), tight=True) for n in range(4)]
    short = Paragraph((Excerpt("tiny", 350),), tight=True)
    document = Document((*long, short), single=True, carried=((1,),) * 5)
    fitted = fit(document, limited(800))
    assert limited(800)(fitted) and len(flatten(fitted).text) > 790
    sizes = [len(block_text(block)) for block in fitted.blocks]
    assert len(set(sizes[:4])) == 1 and sizes[4] == 4
    assert fitted.single and fitted.carried == document.carried
    assert flatten(fit(document, limited(9000))) == flatten(document)


@settings(max_examples=EXAMPLES // 2)
@given(st.lists(WORDS.map(lambda word: Excerpt(word, 350)), min_size=1, max_size=12), st.integers(60, 3000))
def test_all_excerpts_are_cut_at_one_length(excerpts: list[Excerpt], room: int) -> None:
    document = Document(tuple(Paragraph((node,), tight=True) for node in excerpts), single=True)
    fitted = fit(document, limited(room))
    assert limited(room)(fitted)
    shown = [block_text(block) for block in fitted.blocks]
    assert any(shown == [excerpt(node.text, limit) for node in excerpts] for limit in range(350, -1, -1))


def test_titles_that_are_too_long_are_cut_before_posts_are_lost() -> None:
    lines = [
        Paragraph((Strong(text("t" * 120)), Text(": "), Excerpt("x" * 400, 350)), tight=True)
        for _ in range(40)
    ]
    fitted = fit(Document(tuple(lines), single=True), limited(4096))
    assert limited(4096)(fitted) and len(fitted.blocks) == 40
    assert len({block_text(block) for block in fitted.blocks}) == 1


def test_a_document_of_too_many_lines_is_still_one_message() -> None:
    fitted = fit(Document((para("line", tight=True),) * 3000, single=True), limited(4096))
    assert fitted.single and limited(4096)(fitted)
    assert len(fitted.blocks) == 819


# ---- split


def test_messages_end_where_blocks_end() -> None:
    document = Document((para("a" * 30), para("b" * 30), para("c" * 30)), carried=((1,), (2,), (3,)))
    pieces = split(document, limited(65))
    assert [flatten(piece).text[:1] for piece in pieces] == ["a", "c"]
    assert [piece.carried for piece in pieces] == [((1,), (2,)), ((3,),)]


def test_a_long_block_is_cut_between_words() -> None:
    pieces = split(Document((para("word " * 100),), carried=((4,),)), limited(23))
    assert {flatten(piece).text for piece in pieces} == {"word word word word"}
    assert {piece.carried for piece in pieces} == {((4,),)}


def test_a_long_list_goes_on_with_its_numbers() -> None:
    items = tuple((para(f"item {n}"),) for n in range(1, 7))
    pieces = split(Document((ListBlock(items, start=1),)), limited(32))
    assert [flatten(piece).text for piece in pieces] == [
        "1. item 1\n2. item 2\n3. item 3",
        "4. item 4\n5. item 5\n6. item 6",
    ]


def test_borders() -> None:
    assert border("line one\nline two", 12) == 9
    assert border("some words here", 12) == 11
    assert border("字" * 50, 20) == 20
    assert border("a👩‍🚀b", 3) == 1
    assert border("e\u0301" + "\u0301" * 99, 50) == 50


def letters(content: str) -> str:
    """What no bullet, number or gap adds to or takes from."""
    return "".join(ch for ch in content if ch.isalpha())


@given(BLOCKS, st.integers(1, 200))
def test_cutting_loses_nothing(block: Block, at: int) -> None:
    head, tail = cut(block, at)
    whole = letters(block_text(block))
    assert letters(block_text(head)) + (letters(block_text(tail)) if tail else "") == whole
    if not has_image(Document((block,))):
        assert len(block_text(head)) <= at


def said(document: Document) -> str:
    """The letters of a document as text, without the hosts that follow links which name others.

    Where such a link is cut, its host stands before the rest of its text.
    """
    return letters(flatten(document).text.replace(" (example.org)", ""))


# Its caption reads as a link to the host `000000000…AA`.
LYING = Document(
    (
        Image(
            "https://example.org/a?b=c#d",
            "",
            (
                Strong((Excerpt("000000000 0", 9),)),
                Link("https://example.org/a?b=c#d", text("AA:" + "字" * 222)),
            ),
        ),
    ),
    carried=((),),
)


@settings(max_examples=EXAMPLES // 2)
@given(DOCUMENTS, st.integers(250, 2000))
@example(LYING, 250)
def test_splitting_loses_no_text_and_keeps_order(document: Document, limit: int) -> None:
    pieces = split(document, limited(limit))
    assert all(len(flatten(piece).text) <= limit for piece in pieces)
    assert "".join(map(said, pieces)) == said(document)
    kept = [row for piece in pieces for row in rows_with_text(piece)]
    assert once(kept) == once(rows_with_text(document))


def rows_with_text(document: Document) -> list[tuple[int, ...]]:
    """What the blocks with text carry."""
    rows = zip(document.blocks, document.carried, strict=True)
    return [row for block, row in rows if block_text(block).strip()]


def once(rows: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return [row for row, _ in groupby(rows)]


def has_image(document: Document) -> bool:
    shown = repr(document.blocks)
    return "Image(" in shown or "Media(" in shown


def test_a_link_that_names_another_host_is_on_its_own_host() -> None:
    lie = Link("https://evil.example/p", (Strong((Text("https://bank.example"),)),))
    shown = flatten(Document((Quote((Paragraph((Text("见 "), lie)),)), Paragraph((lie, Text(" end"))))))
    assert shown.text == ("见 https://bank.example (evil.example)\n\nhttps://bank.example (evil.example) end")
    assert {(shown.text[s.start : s.end], str(s.kind), s.url) for s in shown.spans} == {
        ("见 https://bank.example (evil.example)", "quote", ""),
        ("https://bank.example", "strong", ""),
        ("evil.example", "link", "https://evil.example/p"),
    }
    assert is_nested(shown.spans)


def is_nested(spans: Sequence[Span]) -> bool:
    pairs = combinations(spans, 2)
    return all(
        b.end <= a.start or a.end <= b.start or a.start <= b.start <= b.end <= a.end or b.start <= a.start
        for a, b in pairs
    )


LABELS = st.sampled_from(
    ["bank.com", "b\u200bank.com", "https://bank", "example.org", "bank", ".com", " ", "text", "https://"]
)
LINKS = st.builds(
    lambda label, url, style: Link(url, (style((Text(label),)),)),
    LABELS,
    st.sampled_from(["https://example.org/a", "https://evil.example/p"]),
    st.sampled_from([Strong, Emphasis]),
)


@given(st.lists(st.one_of(LINKS, st.builds(Text, LABELS)), max_size=8))
def test_no_link_of_a_document_names_another_host(inlines: list[Inline]) -> None:
    shown = flatten(Document((Paragraph(tuple(inlines)), Quote((Paragraph(tuple(inlines)),)))))
    for span in shown.spans:
        assert 0 <= span.start < span.end <= len(shown.text)
        if span.kind is SpanKind.LINK:
            assert not other_host(shown.text, span.start, span.end, span.url)
    assert is_nested(shown.spans)
