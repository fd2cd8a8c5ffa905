import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.telegram.render import render
from content.document import (
    Block,
    CodeBlock,
    CodeSpan,
    Divider,
    Document,
    Emphasis,
    Heading,
    Image,
    Inline,
    Link,
    Paragraph,
    Quote,
    Strong,
    Text,
    text,
)
from content.present import Look, edition, page
from content.types import Page
from scheduler.types import Form, Message
from tests.bot.documents import DOCUMENTS, PAGE, POSTS
from tests.conftest import EXAMPLES
from tests.content.test_present import make_post

PICTURE = "https://example.org/i.png"
DISABLED = {"is_disabled": True}
EXCLUSIVE = {"code", "pre"}
STYLES = {"bold", "italic", "strikethrough", "underline", "spoiler"}
QUOTES = {"blockquote", "expandable_blockquote"}


def one(*blocks: Block, form: Form = Form.FULL, single: bool = False) -> dict[str, Any]:
    (message,) = render(Document(blocks, single), form)
    return message.payload


def covered(payload: dict[str, Any]) -> list[tuple[str, str]]:
    units = payload["text"].encode("utf-16-le")
    return [
        (e["type"], units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le"))
        for e in payload["entities"]
    ]


def check(message: Message, form: Form) -> None:
    """That Telegram takes the message as it is."""
    payload = message.payload
    assert json.loads(json.dumps(payload)) == payload
    shown, entities = payload["text"], payload["entities"]
    assert shown == shown.strip() and 0 < len(shown) <= 4096
    assert len(entities) <= (0 if form is Form.PLAIN else 100)
    assert all(part == part.strip() and part for _, part in covered(payload)), (
        "in bounds, no surrogate is cut"
    )
    for number, first in enumerate(entities):
        for second in entities[number + 1 :]:
            check_pair(first, second)
    for entity in entities:
        assert ("url" in entity) == (entity["type"] == "text_link")
        assert entity.get("url", "http").startswith("http")


def check_pair(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Two entities in order: apart, or the second in the first as Telegram allows."""
    assert first["offset"] <= second["offset"]
    if first["offset"] + first["length"] <= second["offset"]:
        return
    assert second["offset"] + second["length"] <= first["offset"] + first["length"]
    kinds = {first["type"], second["type"]}
    assert first["type"] not in EXCLUSIVE and first["type"] != second["type"]
    if second["type"] in EXCLUSIVE:
        assert first["type"] in QUOTES
    elif not kinds & STYLES:
        assert kinds & QUOTES


# ---- the page


def test_a_page_has_its_shape() -> None:
    (message,) = render(PAGE, Form.FULL)
    shown = message.payload["text"].split("\n")
    assert shown[:3] == ["INCOMING TRANSMISSION", "", "LATEST UPDATES"]
    assert len(shown) == 3 + 11 + 1 and shown[-1] == "1 2"
    for line, post in zip(shown[3:14], POSTS, strict=True):
        assert 300 < len(line) <= 353 and line.endswith("...")
        assert post.text.startswith(line.removesuffix("..."))
    assert message.payload["link_preview_options"] == DISABLED
    assert [e["url"] for e in message.payload["entities"] if e["type"] == "text_link"] == [
        p.url for p in POSTS
    ]
    check(message, Form.FULL)


def test_a_page_with_titles_still_fits_one_message() -> None:
    posts = tuple(make_post(n, title=f"{n} " + "潮" * 100, text="汐" * 900) for n in range(11, 22))
    (message,) = render(page(Page(posts, 1, 2, 22, 22), Look()), Form.FULL)
    check(message, Form.FULL)
    lines = message.payload["text"].split("\n")[3:-1]
    assert len({len(line) for line in lines}) == 1 and len(message.payload["text"]) > 4070


def test_emoji_count_once_in_the_limit_and_twice_in_offsets() -> None:
    document = Document((Paragraph((Text("🎉" * 4095), Strong(text("🎉")))),))
    (message,) = render(document, Form.FULL)
    assert len(message.payload["text"]) == 4096
    assert message.payload["entities"] == [{"type": "bold", "offset": 8190, "length": 2}]


# ---- pictures and forms


def test_a_picture_is_a_preview_above_the_text() -> None:
    payload = one(Heading(text("T")), Image(PICTURE, "boat"), Paragraph(text("body")))
    assert payload["text"] == "T\n\nbody"
    assert payload["link_preview_options"] == {
        "url": PICTURE,
        "prefer_large_media": True,
        "show_above_text": True,
    }


@pytest.mark.parametrize("form", [Form.NO_MEDIA, Form.PLAIN])
def test_without_media_a_picture_is_its_words(form: Form) -> None:
    payload = one(Paragraph(text("body")), Image(PICTURE, "boat"), form=form)
    assert payload["text"].startswith("body\n\n🖼 boat")
    assert payload["link_preview_options"] == DISABLED


def test_a_picture_alone_has_text() -> None:
    payload = one(Image(PICTURE))
    assert payload["text"] == "🖼 example.org" and payload["link_preview_options"] == DISABLED


def test_plain_writes_urls_out_once() -> None:
    url = "https://example.org/1"
    payload = one(
        Heading((Link(url, text("Title")),)), Paragraph((Link(url, text("Read more")),)), form=Form.PLAIN
    )
    assert payload == {
        "text": f"Title ({url})\n\nRead more",
        "entities": [],
        "link_preview_options": DISABLED,
    }


def test_plain_writes_only_the_urls_that_fit() -> None:
    link = Link("https://example.org/1", text("x"))
    assert one(Paragraph((link, Text("y" * 4090))), form=Form.PLAIN)["text"] == "x" + "y" * 4090


# ---- entities


def test_code_and_links_exclude_others() -> None:
    inlines = (
        Strong((Text("a "), CodeSpan("c"), Text(" b"))),
        Link("https://example.org/", (Text("l"), CodeSpan("k"), Emphasis(text("e")))),
    )
    assert covered(one(Paragraph(inlines))) == [
        ("bold", "a"),
        ("code", "c"),
        ("bold", "b"),
        ("text_link", "lke"),
        ("italic", "e"),
    ]


@pytest.mark.parametrize("host", ["localhost", "2130706434", "0x7f000001", "router:8080"])
def test_a_link_that_telegram_refuses_is_left_out(host: str) -> None:
    refused, good = Link(f"http://{host}/", text("a")), Link("https://example.org/", text("b"))
    assert covered(one(Paragraph((refused, Text(" "), good)))) == [("text_link", "b")]
    assert one(Image(f"http://{host}/i.png", "c"))["link_preview_options"] == DISABLED


def test_quotes_do_not_nest_but_hold_code() -> None:
    inner = Quote((Paragraph(text("in")), CodeBlock("x = 1", "python")))
    payload = one(Quote((Paragraph(text("out")), inner)))
    assert covered(payload) == [("blockquote", "out\nin\nx = 1"), ("pre", "x = 1")]
    assert payload["entities"][1]["language"] == "python"


def test_styles_go_first_when_entities_are_too_many() -> None:
    inlines: list[Inline] = [
        Strong((Text("s"),)),
        Text(" "),
        Link("https://example.org/", text("l")),
        Text(" "),
    ] * 70
    kinds = [kind for kind, _ in covered(one(Paragraph(tuple(inlines)), CodeBlock("c")))]
    assert len(kinds) == 100
    assert kinds.count("text_link") == 70 and kinds.count("pre") == 1 and kinds.count("bold") == 29


# ---- outside text


def test_nobody_is_mentioned() -> None:
    shown = one(Paragraph((Text("by @name, mail a@b.org, "), Strong(text("@you")), CodeSpan("@code"))))
    assert shown["text"] == "by @\u2060name, mail a@b.org, @\u2060you@code"
    assert covered(shown) == [("bold", "@\u2060you"), ("code", "@code")]
    plain = one(Paragraph((CodeSpan("@code"),)), form=Form.PLAIN)
    assert plain["text"] == "@\u2060code"


def test_an_at_sign_in_a_url_stays() -> None:
    content = "https://example.org/@name/1 https://!/@name"
    assert one(Paragraph(text(content)))["text"] == "https://example.org/@name/1 https://!/@\u2060name"


def test_markup_and_control_characters_are_text() -> None:
    shown = one(Paragraph(text("<b>*_[x](http://y)`\x1b[0m\u202e")))
    assert shown["text"] == "<b>*_[x](http://y)`[0m" and shown["entities"] == []


@pytest.mark.parametrize("content", ["", " \n", "\u200b\u2060", "\u3164", "\u0301"])
def test_nothing_visible_is_never_sent(content: str) -> None:
    document = Document((Paragraph(text(content)),), carried=((7,),))
    assert [(m.payload["text"], m.posts) for m in render(document, Form.FULL)] == [("…", (7,))]


# ---- posts in messages


def test_each_message_names_the_posts_in_it() -> None:
    messages = render(edition([make_post(n, text="word " * 200) for n in range(1, 31)], Look()), Form.FULL)
    assert len(messages) == 3
    assert [post for message in messages for post in message.posts] == list(range(1, 31))
    for message in messages:
        check(message, Form.FULL)
        for post in message.posts:
            assert f"Title {post}: " in message.payload["text"]


def test_a_post_cut_in_two_is_in_both() -> None:
    document = Document((Paragraph(text("字" * 5000)), Paragraph(text("b"))), carried=((1,), (2, 1)))
    assert [message.posts for message in render(document, Form.FULL)] == [(1,), (1, 2)]


def test_a_line_between_parts_is_no_message_of_its_own() -> None:
    document = Document((Divider(), Paragraph(text("字" * 5000))))
    assert [len(message.payload["text"]) for message in render(document, Form.FULL)] == [4096, 904]


@settings(max_examples=EXAMPLES // 2)
@given(DOCUMENTS, st.sampled_from(Form))
def test_any_document_renders_within_all_limits(document: Document, form: Form) -> None:
    messages = render(document, form)
    assert len(messages) == 1 if document.single else messages
    for message in messages:
        check(message, form)
    if document.single:
        assert set(messages[0].posts) == {post for carried in document.carried for post in carried}
