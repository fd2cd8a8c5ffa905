"""What a document becomes as components V2, and what an embed says in its own places."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from bot.platforms.discord.layout import DESCRIPTION_LENGTH, can_show
from bot.platforms.discord.render import prefers_rich, render
from bot.platforms.fit import split
from bot.platforms.flat import clean_line, flatten, is_visible
from content.blocks import to_blocks
from content.document import (
    Block,
    Byline,
    Cell,
    CodeBlock,
    Details,
    Divider,
    Document,
    Emphasis,
    Heading,
    Image,
    Link,
    ListBlock,
    Media,
    MediaKind,
    Note,
    NoteMark,
    Paragraph,
    Spoiler,
    Table,
    Text,
    block_text,
    text,
)
from content.text import excerpt
from scheduler.types import Form
from tests.bot.documents import DOCUMENTS, WHEN
from tests.bot.test_discord_render import check, kinds, letters, read, sources
from tests.conftest import EXAMPLES
from tests.emulators.discord.console import shown_component
from tests.emulators.discord.layout import pictures
from tests.emulators.discord.types import walk

URL, PICTURE = "https://example.org/1", "https://example.org/{}.png"
TITLE = Heading((Link(URL, text("Tide tables")),), level=2)
BYLINE = Byline(
    (Emphasis(text("Harbour Notes · 1 March")),), True, source="Harbour Notes", author="Ann", at=WHEN
)
BODY = Paragraph(text("The tide is late."))
AT = "<t:1740848700:f>"


def image(number: int, **more: Any) -> Image:
    return Image(PICTURE.format(number), f"boat {number}", **more)


def rich(*blocks: Block, form: Form = Form.RICH) -> dict[str, Any]:
    (message,) = render(Document(blocks), form)
    check(message, form)
    (container,) = message.payload["components"]
    assert isinstance(container, dict)
    return container


def embed(*blocks: Block, form: Form = Form.FULL) -> dict[str, Any]:
    (message,) = render(Document(blocks), form)
    check(message, form)
    (made,) = message.payload["embeds"]
    assert isinstance(made, dict)
    return made


def shape(container: dict[str, Any]) -> list[Any]:
    """The children: a text as it is, a gallery as its pictures' numbers, a section as both."""
    return [_shape(item) for item in container["components"]]


def _shape(item: dict[str, Any]) -> Any:
    numbers = [int(url.split("/")[-1].split(".")[0]) for url in urls([item])]
    match item["type"]:
        case 9:
            return (*map(_shape, item["components"]), _shape(item["accessory"]))
        case 10:
            return item["content"]
        case 14:
            return "────"
    return numbers


def urls(items: Iterable[dict[str, Any]]) -> list[str]:
    shown: list[Any] = list(pictures(items))
    return [one["media"]["url"] for one in shown]


def test_a_post_with_pictures_has_its_shape() -> None:
    made = rich(TITLE, BYLINE, image(1), BODY, image(2), image(3), Divider(), Divider(), BODY, Divider())
    assert shape(made) == [
        (f"## [Tide tables]({URL})\n-# Harbour Notes · Ann · {AT}", [1]),
        "The tide is late.",
        [2, 3],
        "────",
        "The tide is late.",
    ]
    assert shown_component(made).splitlines()[1:4] == [
        f"| -# Harbour Notes · Ann · {AT}",
        f"| 🖼 boat 1 ({PICTURE.format(1)})",
        "| The tide is late.",
    ]


def test_a_picture_has_its_description_and_its_caption() -> None:
    caption = (Text("At *dawn*"),)
    made = rich(BODY, image(1), image(2, caption=caption), image(3))
    assert shape(made) == ["The tide is late.", [1], [2], r"*At \*dawn\**", [3]]
    assert [one["description"] for one in pictures(walk([made]))] == ["boat 1", "boat 2", "boat 3"]
    assert "description" not in str(
        rich(BODY, Image(PICTURE.format(1), " \u200b"), image(2))["components"][1]["items"][0]
    )


def test_many_pictures_are_several_galleries_and_at_last_several_messages() -> None:
    galleries = shape(rich(BODY, *map(image, range(25))))
    assert [len(gallery) for gallery in galleries[1:]] == [10, 10, 5]
    messages = render(Document((BODY, *map(image, range(95)))), Form.RICH)
    for message in messages:
        check(message, Form.RICH)
    seen = [url for m in messages for url in urls(walk(m.payload["components"]))]
    assert seen == [PICTURE.format(number) for number in range(95)]


def test_many_short_parts_are_several_messages() -> None:
    messages = render(Document((BODY, image(1)) * 40), Form.RICH)
    for message in messages:
        check(message, Form.RICH)
    shapes = [shape(message.payload["components"][0]) for message in messages]
    assert [len(parts) for parts in shapes] == [39, 39, 2]
    assert [part for parts in shapes for part in parts] == ["The tide is late.", [1]] * 40


def test_no_message_is_a_divider_alone() -> None:
    blocks = (Divider(), BODY, Divider(), Divider(), BODY, Divider())
    pieces = split(Document(blocks), lambda piece: len(piece.blocks) == 1)
    assert [piece.blocks for piece in pieces] == [(BODY,), (BODY,)]


def test_without_pictures_they_are_links() -> None:
    made = rich(TITLE, image(1), BODY, image(2), Divider(), BODY, form=Form.RICH_TEXT)
    assert not list(pictures(walk([made])))
    first, line, _ = shape(made)
    assert line == "────"
    assert [token.url for token in read(first) if token.kind == "link"] == [
        URL,
        PICTURE.format(1),
        PICTURE.format(2),
    ]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ((TITLE, BYLINE, BODY), False),
        ((TITLE, BYLINE, image(1), BODY), False),
        ((image(1), BODY), False),
        ((TITLE, BYLINE, image(1, caption=text("dawn")), BODY), True),
        ((TITLE, BYLINE, BODY, image(1)), True),
        ((TITLE, image(1), image(2)), True),
        ((TITLE, image(1), Image("ftp://x/"), BODY), False),
        ((BODY, Divider(), BODY), True),
    ],
)
def test_components_are_chosen_where_they_show_more(blocks: tuple[Block, ...], expected: bool) -> None:
    assert prefers_rich(Document(blocks)) is expected


def test_an_embed_says_source_author_and_time_in_its_places() -> None:
    made = embed(TITLE, BYLINE, image(1), BODY)
    assert made == {
        "color": made["color"],
        "author": {"name": "Harbour Notes"},
        "footer": {"text": "Ann"},
        "timestamp": "2025-03-01T17:05:00+00:00",
        "image": {"url": PICTURE.format(1)},
        "description": f"## [Tide tables]({URL})\nThe tide is late.",
    }
    untitled = Byline((Emphasis((Link(URL, text("x")),)),), True, source="Harbour Notes", at=WHEN)
    assert embed(untitled, BODY)["author"] == {"name": "Harbour Notes", "url": URL}
    assert embed(untitled)["description"] == f"-# [Harbour Notes]({URL}) · {AT}"  # it has no other text
    assert embed(BODY, image(1, caption=text("dawn")))["description"] == "The tide is late.\n\n*dawn*"


def test_a_source_has_one_colour() -> None:
    colours = [
        embed(Byline(text("x"), True, source=name, at=WHEN), BODY)["color"]
        for name in ("Harbour Notes", "Log", "潮汐", "a\ud800")
    ]
    assert len(set(colours)) == 4 and colours[0] == 0xD17547
    assert rich(TITLE, BYLINE, BODY)["accent_color"] == colours[0]
    assert "accent_color" not in rich(BODY) and "color" not in embed(BODY)
    long = Document((BYLINE, *[Paragraph(text("word " * 700))] * 3))
    accents = [m.payload["components"][0]["accent_color"] for m in render(long, Form.RICH)]
    assert accents == [colours[0]] * 3  # in every message of a post


def test_names_are_no_markup() -> None:
    nasty = Byline(text("x"), True, source="@everyone <@1> **b**", author="[a](https://x.org) `c`", at=WHEN)
    (line,) = shape(rich(nasty, BODY))
    assert kinds(line.split("\n")[0].replace(AT, "").removeprefix("-# ")) <= {"text", "url"}


def table(*rows: tuple[str, ...], header: bool = True) -> Table:
    return Table(tuple(tuple(Cell(text(c), header and not n) for c in row) for n, row in enumerate(rows)))


def test_a_narrow_table_is_aligned_code() -> None:
    made = embed(table(("港口", "High"), ("A", "06:12"), ("Brest", "`7`")))["description"]
    assert made.split("\n") == ["```", "港口   High", "─────  ─────", "A      06:12", "Brest  `7`", "```"]
    spanned = Table(
        ((Cell(text("both"), colspan=2),), (Cell(text("a"), rowspan=2), Cell(text("b"))), (Cell(text("c")),))
    )
    assert embed(spanned)["description"].split("\n")[1:-1] == ["both", "a     b", "      c"]


@pytest.mark.parametrize(
    "wide",
    [
        table(("x" * 40, "y" * 40)),
        Table(((Cell((Link(URL, text("a")),)), Cell(text("b"))),)),
        Table(((Cell((Spoiler(text("a")),)), Cell(text("b"))),)),
        Table(((Cell(text("a"), colspan=9000, rowspan=9000), Cell(text("b"))),)),
    ],
)
def test_other_tables_are_lines(wide: Table) -> None:
    made = embed(wide)["description"]
    assert "```" not in made and r"\|" in made


def test_every_block_has_its_form() -> None:
    made = embed(
        Paragraph((Text("See"), NoteMark(1))),
        Details(text("More"), (BODY, ListBlock(((BODY,),)))),
        Media(MediaKind.AUDIO, URL, "Episode 1", text("an hour")),
        Note(1, (Paragraph(text("first")), Paragraph(text("second")))),
        Note(2, (CodeBlock("x"),)),
    )["description"]
    assert made == (
        "See\\[1]\n\n**More**\n> The tide is late.\n> - The tide is late.\n\n"
        f"[▶ Episode 1]({URL})\n*an hour*\n\n-# \\[1\\] first\n-# second\n\n\\[2\\] ```\nx\n```"
    )


ARTICLE = "".join(
    f"<h2>Part {part}</h2><p>{' '.join(f'word{part}x{n}' for n in range(120))}</p>"
    f"<ul><li>{' '.join(f'item{part}x{n}' for n in range(20))}</li></ul><img src='https://e.org/{part}.png'><hr>"
    for part in range(8)
)


@pytest.mark.parametrize("form", Form)
def test_a_long_article_is_shown_to_its_last_word(form: Form) -> None:
    document = Document((TITLE, BYLINE, *to_blocks(ARTICLE)))
    words = " ".join(map(block_text, document.blocks[2:])).split()
    assert len(" ".join(words)) > 9000
    messages = render(document, form)
    for message in messages:
        check(message, form)
    said = " ".join(source for message in messages for source in sources(message.payload))
    shown = set(said.split())
    assert not [word for word in words if word.isalnum() and word not in shown]


def test_chinese_text_stays_below_the_bytes_that_discord_takes() -> None:
    messages = render(Document((Paragraph(text("潮" * 8000)), Divider(), BODY)), Form.RICH)
    for message in messages:
        check(message, Form.RICH)
    assert letters("".join(s for m in messages for s in sources(m.payload))) == "潮" * 8000 + letters(
        "The tide is late"
    )


def shown_letters(source: str) -> Counter[str]:
    """The letters of a Markdown text, without those of marks that are given again by what is in them."""
    leaves = (token.text for token in read(source) if token.kind in ("text", "code", "fence", "url"))
    return Counter(letters("".join(leaves)))


@settings(max_examples=EXAMPLES // 4)
@given(DOCUMENTS)
def test_components_drop_nothing_readable(document: Document) -> None:
    """All letters of the document are in the texts, or describe a picture that is shown."""
    found, described = Counter[str](), []
    for message in render(replace(document, single=False), Form.RICH):
        check(message, Form.RICH)
        for source in sources(message.payload):
            found += shown_letters(source)
        described += [one.get("description", "") for one in pictures(walk(message.payload["components"]))]
    hidden = [block for block in document.blocks if isinstance(block, Image) and can_show(block)]
    captions = [Paragraph((Emphasis(one.caption),)) for one in hidden]
    rest = [block for block in document.blocks if block not in hidden]
    assert Counter(letters(flatten(Document((*rest, *captions))).text)) <= found
    named = [clean_line(excerpt(one.alt, DESCRIPTION_LENGTH)) for one in hidden]
    assert [name for name in described if name] == [name for name in named if is_visible(name)]
