"""Documents as rich messages. The emulator's checker says whether Telegram would take them."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.flat import clean, is_visible
from bot.platforms.telegram.gains import gains
from bot.platforms.telegram.render import render as render_text
from bot.platforms.telegram.rich import render
from content import present
from content.document import (
    Block,
    Cell,
    CodeBlock,
    CodeSpan,
    Contents,
    Details,
    Divider,
    Document,
    Entry,
    Formula,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Jump,
    LineBreak,
    Link,
    ListBlock,
    Media,
    MediaKind,
    Note,
    NoteMark,
    Paragraph,
    Quote,
    Strong,
    Sup,
    Table,
    Text,
    block_text,
    inline_text,
    map_excerpts,
    text,
)
from content.present import Look
from scheduler.types import Form
from tests.bot.documents import DOCUMENTS, PAGE
from tests.conftest import EXAMPLES
from tests.content.test_present import make_post
from tests.emulators.telegram.rich import BLOCKS, CHARACTERS, Checked, check
from tests.emulators.telegram.types import ApiError

PICTURE = "https://example.org/i.png"


def one(*blocks: Block, form: Form = Form.RICH) -> list[dict[str, Any]]:
    """The blocks of the one message for these blocks, which Telegram takes."""
    (message,) = render(Document(blocks), form)
    check(message.payload["rich_message"])
    found: list[dict[str, Any]] = message.payload["rich_message"]["blocks"]
    return found


def shown(document: Document, form: Form = Form.RICH) -> list[Checked]:
    """What people see of each message."""
    return [check(message.payload["rich_message"]) for message in render(document, form)]


# ---- blocks


def test_text_has_its_formats() -> None:
    nodes: tuple[Inline, ...] = (
        Text("a "),
        Strong((Text("b"), Strong(text("c")), CodeSpan("d"))),
        LineBreak(),
        Link("https://example.org/", text("e")),
        Sup(text("2")),
        Formula("x^2"),
    )
    (paragraph,) = one(Paragraph(nodes))
    assert paragraph["text"] == [
        "a ",
        {"type": "bold", "text": ["bc", {"type": "code", "text": "d"}]},
        "\n",
        {"type": "url", "text": "e", "url": "https://example.org/"},
        {"type": "superscript", "text": "2"},
        {"type": "mathematical_expression", "expression": "x^2"},
    ]


def test_blocks_of_text() -> None:
    assert one(
        Heading(text("H"), level=3),
        CodeBlock("x = 1\n", "python"),
        FormulaBlock("E = mc^2"),
        Divider(),
        Quote((Paragraph(text("q")),)),
        ListBlock(
            ((Paragraph(text("one")),), (Paragraph(text("two")), ListBlock(((Paragraph(text("in")),),)))), 7
        ),
    ) == [
        {"type": "heading", "text": "H", "size": 3},
        {"type": "pre", "text": "x = 1", "language": "python"},
        {"type": "mathematical_expression", "expression": "E = mc^2"},
        {"type": "divider"},
        {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "q"}]},
        {
            "type": "list",
            "items": [
                {"blocks": [{"type": "paragraph", "text": "one"}], "value": 7, "type": "1"},
                {
                    "blocks": [
                        {"type": "paragraph", "text": "two"},
                        {"type": "list", "items": [{"blocks": [{"type": "paragraph", "text": "in"}]}]},
                    ],
                    "value": 8,
                    "type": "1",
                },
            ],
        },
    ]


def test_a_table_has_headers_and_spans() -> None:
    rows = ((Cell(text("Port"), header=True, colspan=2), Cell(())), (Cell(text("a"), rowspan=9),))
    (table,) = one(Table(rows, text("Tides")))
    plain = {"align": "left", "valign": "top"}
    assert table["caption"] == "Tides"
    assert table["cells"] == [
        [{**plain, "text": "Port", "is_header": True, "colspan": 2}, plain],
        [{**plain, "text": "a"}],
    ]


def test_a_table_that_is_too_wide_is_lines() -> None:
    row = tuple(Cell(text(str(number))) for number in range(21))
    (lines,) = one(Table((row, row)))
    assert lines["type"] == "paragraph" and lines["text"].startswith("0 | 1 | 2")
    tall = Table(((Cell(text("a"), colspan=20, rowspan=2),), (Cell(text("b")),)))
    assert one(tall)[0]["type"] == "paragraph"


def test_what_is_folded() -> None:
    assert one(
        Details(text("More"), (Paragraph(text("inside")),)),
        Details((), (Paragraph(text("goes on")),)),
        Entry(text("Head"), text("body")),
        Entry(text("Alone")),
    ) == [
        {"type": "details", "summary": "More", "blocks": [{"type": "paragraph", "text": "inside"}]},
        {"type": "details", "summary": "…", "blocks": [{"type": "paragraph", "text": "goes on"}]},
        {"type": "details", "summary": "Head", "blocks": [{"type": "paragraph", "text": "body"}]},
        {"type": "paragraph", "text": "Alone"},
    ]


def test_a_footnote_and_its_mark_lead_to_each_other() -> None:
    marked, note = one(Paragraph((Text("tide"), NoteMark(1))), Note(1, (Paragraph(text("of the moon")),)))
    link = {"type": "reference_link", "reference_name": "note-1", "text": "[1]"}
    assert marked["text"] == [
        "tide",
        {"type": "anchor", "name": "mark-1"},
        {"type": "superscript", "text": link},
    ]
    assert note["text"] == [
        {"type": "anchor_link", "anchor_name": "mark-1", "text": "[1]"},
        " ",
        {"type": "reference", "name": "note-1", "text": "of the moon"},
    ]


def test_a_mark_without_its_note_is_text() -> None:
    assert one(Paragraph((Text("tide"), NoteMark(1)))) == [{"type": "paragraph", "text": "tide[1]"}]


def test_the_contents_lead_to_the_parts() -> None:
    parts = (Jump("a", text("First")), Jump("b", text("Elsewhere")))
    contents, anchor, heading = one(Contents("Contents", parts), Heading(text("First"), 2, "a"))
    assert (contents["type"], contents["summary"]) == ("details", "Contents")
    (entries,) = contents["blocks"]
    assert [item["blocks"][0]["text"] for item in entries["items"]] == [
        {"type": "anchor_link", "anchor_name": anchor["name"], "text": "First"},
        "Elsewhere",
    ]
    assert heading["type"] == "heading"
    assert one(Contents("Contents", parts), Paragraph(text("x"))) == [{"type": "paragraph", "text": "x"}]


def test_an_edition_is_folded_under_its_sources() -> None:
    posts = [make_post(number, text=f"Text {number}.", source_id=number % 2) for number in range(1, 5)]
    document = present.edition(posts, Look())
    assert gains(document)
    blocks = one(*document.blocks)
    kinds = [block["type"] for block in blocks]
    assert kinds == ["heading", "heading", "details", *["anchor", "heading", "details", "details"] * 2]
    (plain,) = render_text(document, Form.FULL)
    assert "Title 1: Text 1.\nTitle 3: Text 3." in plain.payload["text"]


# ---- media


def pictures(count: int) -> tuple[Image, ...]:
    return tuple(Image(f"https://example.org/{n}.png", f"alt {n}", text(f"c{n}")) for n in range(count))


def test_pictures_beside_each_other_are_grouped() -> None:
    (photo,) = one(*pictures(1))
    assert photo == {
        "type": "photo",
        "photo": {"type": "photo", "media": "https://example.org/0.png"},
        "caption": {"text": "c0"},
    }
    (collage,) = one(*pictures(4))
    assert (collage["type"], len(collage["blocks"])) == ("collage", 4)
    assert collage["caption"] == {"text": "c0\nc1\nc2\nc3"}
    assert [block["type"] for block in one(*pictures(5), Divider(), *pictures(2))] == [
        "slideshow",
        "divider",
        "collage",
    ]


def test_media_past_the_twentieth_are_links() -> None:
    (seen,) = shown(Document((*pictures(18), Paragraph(text("x")), *pictures(5))))
    assert len(seen.media) == 20 and not seen.lost
    assert seen.text.endswith("🖼 alt 2\nc2\n🖼 alt 3\nc3\n🖼 alt 4\nc4")


def test_sound_and_film_are_played() -> None:
    blocks = one(
        Media(MediaKind.VIDEO, "https://example.org/f.mp4", "A film"),
        Media(MediaKind.AUDIO, "https://example.org/s.mp3", "A song", text("sung")),
        Image("https://example.org/moves.gif"),
        Image("https://example.org/drawn.svg", "a chart"),
    )
    assert [(b["type"], b.get("caption")) for b in blocks[:3]] == [
        ("video", {"text": "A film"}),
        ("audio", {"text": "sung"}),
        ("animation", None),
    ]
    assert blocks[3]["text"] == {"type": "url", "text": "🖼 a chart", "url": "https://example.org/drawn.svg"}


def test_without_media_they_are_links() -> None:
    blocks = one(*pictures(2), Media(MediaKind.AUDIO, PICTURE, "A song"), form=Form.RICH_TEXT)
    assert [inner["text"]["text"] for inner in blocks] == ["🖼 alt 0", "c0", "🖼 alt 1", "c1", "▶ A song"]
    assert [inner["type"] for inner in blocks] == ["paragraph"] * 5


# ---- outside text


def test_a_label_that_names_another_host_shows_the_real_one() -> None:
    lie = Link("https://evil.example/x", text("https://bank.example"))
    (paragraph,) = one(Paragraph((Text("see "), Strong((lie,)), Text(" now"))))
    assert paragraph["text"][1] == {
        "type": "bold",
        "text": ["https://bank.example (", {"type": "url", "text": "evil.example", "url": lie.url}, ")"],
    }
    (picture,) = one(Image(lie.url, "https://bank.example"), form=Form.RICH_TEXT)
    assert picture["text"][0] == "🖼 https://bank.example ("


def test_outside_text_stays_data() -> None:
    (message,) = render(Document((Paragraph(text("@name /start #tag <b>x</b>\x1b[0m\u202e")),)), Form.RICH)
    assert message.payload["rich_message"] == {
        "blocks": [{"type": "paragraph", "text": "@name /start #tag <b>x</b>[0m"}],
        "skip_entity_detection": True,
    }


def test_urls_in_text_are_links() -> None:
    (paragraph,) = one(Paragraph(text("(see https://example.org/a?b=c).")))
    url = "https://example.org/a?b=c"
    assert paragraph["text"] == ["(see ", {"type": "url", "text": url, "url": url}, ")."]


def test_links_that_telegram_refuses_are_text() -> None:
    nodes = (Link("http://localhost/", text("a")), Link("javascript:alert(1)", text("b")))
    assert one(Paragraph(nodes)) == [{"type": "paragraph", "text": "ab"}]


@pytest.mark.parametrize(("content", "is_rtl"), [("1. שלום a", True), ("a שלום", False), ("مرحبا", True)])
def test_the_first_letters_tell_the_direction(content: str, is_rtl: bool) -> None:
    (message,) = render(Document((Paragraph(text(content)),)), Form.RICH)
    assert message.payload["rich_message"].get("is_rtl", False) is is_rtl


@pytest.mark.parametrize("block", [Paragraph(text(" \u200b")), Heading(()), Table(((Cell(()),),)), Quote(())])
def test_nothing_visible_is_never_sent(block: Block) -> None:
    assert one(block) == [{"type": "paragraph", "text": "…"}]


# ---- limits


def test_deep_lists_become_text() -> None:
    block: Block = Paragraph((Strong(text("deep")),))
    for number in range(30):
        block = ListBlock(((Paragraph(text(str(number))), block),))
    (seen,) = shown(Document((block,)))
    assert all(word in seen.text for word in ("deep", *map(str, range(30))))


def test_a_long_article_is_one_message_and_a_longer_one_several() -> None:
    words = [f"word{number}" for number in range(900)]  # some 9,000 characters
    paragraphs = [" ".join(words[at : at + 50]) for at in range(0, 900, 50)]
    article = Document(tuple(Paragraph(text(content)) for content in paragraphs))
    assert gains(article)
    (seen,) = shown(article)
    assert seen.text.split() == words
    several = shown(Document(article.blocks * 5))
    assert len(several) == 2
    assert " ".join(seen.text for seen in several).split() == words * 5
    lines = shown(Document(tuple(Paragraph(text("x")) for _ in range(BLOCKS + 1))))
    assert [seen.blocks for seen in lines] == [BLOCKS, 1]
    letters = shown(Document((Paragraph(text("字" * (CHARACTERS + 1))),)))
    assert [seen.characters for seen in letters] == [CHARACTERS, 1]


_is_visible = cache(is_visible)


def visible(content: str) -> str:
    return "".join(filter(_is_visible, clean(content)))


def words_of(block: Block) -> str:
    """The text of a block that a rich message has to show: of media that are shown, only the caption."""
    match block:
        case Image() | Media():
            return inline_text(block.caption)
        case Quote() | Note():
            return "".join(map(words_of, block.blocks))
        case Entry():
            return inline_text((*block.head, *block.body))
        case Details():
            return inline_text(block.summary) + "".join(map(words_of, block.blocks))
        case ListBlock():
            return "".join(words_of(inner) for item in block.items for inner in item)
        case Table():
            cells = (cell for row in block.rows for cell in row)
            return inline_text(block.caption) + "".join(inline_text(cell.children) for cell in cells)
        case _:
            return block_text(block)


def is_within(part: str, whole: str) -> bool:
    """Whether all characters of `part` are in `whole`, in order."""
    rest = iter(whole)
    return all(character in rest for character in part)


@settings(max_examples=EXAMPLES // 2)
@given(DOCUMENTS, st.sampled_from((Form.RICH, Form.RICH_TEXT)))
def test_any_document_is_taken_and_loses_no_text(document: Document, form: Form) -> None:
    found = shown(document, form)
    assert not any(seen.lost for seen in found)
    if document.single:
        assert len(found) == 1
    uncut = map_excerpts(Document(document.blocks), lambda node: node.text)
    said = visible("".join(seen.text for seen in shown(uncut, form)))
    for block in uncut.blocks:
        assert is_within(visible(words_of(block)), said)


# ---- who gets it


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (PAGE, False),
        (present.help([("/help", "help")] * 30, Look()), False),
        (present.post(make_post(1, text="word " * 200), Look()), False),
        (Document((Table(((Cell(text("a")),),)),)), True),
        (Document((Image(PICTURE), Paragraph(text("x")))), False),
        (Document((Image(PICTURE), Paragraph(text("x")), Image(PICTURE))), True),
        (Document((Paragraph((NoteMark(1),)),)), True),
        (Document((Paragraph((Strong((Formula("x"),)),)),)), True),
        (Document((ListBlock(((Paragraph(text("a")),),)),)), False),
        (Document((ListBlock(((Paragraph(text("a" * 1100)),),)),)), True),
        (Document((Heading(text("T")), Paragraph(text("a" * 1100)))), False),
        (Document((Heading(text("T")), Paragraph(text("a" * 1100)), Heading(text("U")))), True),
        (Document((Paragraph(text("a" * 4097)),)), True),
    ],
)
def test_only_what_gains_is_rich(document: Document, wanted: bool) -> None:
    assert gains(document) is wanted


def test_the_checker_refuses_what_telegram_refuses() -> None:
    faults: list[tuple[dict[str, Any], str]] = [
        ({"blocks": []}, "must be non-empty"),
        ({"blocks": [{"type": "heading", "text": " ", "size": 1}]}, "CONTENT_REQUIRED"),
        ({"blocks": [{"type": "collage", "blocks": []}]}, "CONTENT_REQUIRED"),
        ({"blocks": [{"type": "song", "text": "la"}]}, "unknown type song"),
        ({"blocks": [{"type": "paragraph", "text": "x", "size": 1}]}, "unknown size"),
        ({"html": "<p>x</p>"}, "html"),
    ]
    for message, fault in faults:
        with pytest.raises(ApiError, match=fault):
            check(message)
