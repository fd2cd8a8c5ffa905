import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.platforms.discord.render import render
from bot.platforms.flat import clean_line, flatten
from content.document import (
    Block,
    Byline,
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
    Spoiler,
    Strike,
    Strong,
    Text,
    Underline,
    text,
)
from content.present import Look, edition, page
from content.types import Page
from scheduler.types import Form, Message
from tests.bot.documents import BLOCKS, DOCUMENTS, INLINES, PAGE, POSTS, WHEN, WORDS
from tests.conftest import EXAMPLES
from tests.content.test_present import make_post
from tests.emulators.discord.content import read_draft
from tests.emulators.discord.layout import texts
from tests.emulators.discord.mentions import EVERYTHING
from tests.emulators.discord.types import COMPONENTS_V2

PICTURE = "https://example.org/i.png"
URL = "https://example.org/1"


def one(*blocks: Block, form: Form = Form.FULL, single: bool = False) -> dict[str, Any]:
    (message,) = render(Document(blocks, single), form)
    return message.payload


def shown(*blocks: Block) -> str:
    return str(one(*blocks)["embeds"][0]["description"])


def said(*inlines: Inline) -> str:
    return shown(Paragraph(inlines))


def units(content: str) -> int:
    return sum(1 + (ord(ch) > 0xFFFF) for ch in content)


BYLINES = st.builds(Byline, INLINES, st.booleans(), WORDS, WORDS, st.none() | st.just(WHEN))


def documents() -> st.SearchStrategy[Document]:
    """Any document, with a byline somewhere or not."""
    blocks = st.lists(BLOCKS | BYLINES, max_size=6).map(tuple)
    return DOCUMENTS | st.builds(Document, blocks, st.booleans())


def body_of(payload: dict[str, Any]) -> dict[str, object]:
    """What Create Message is sent."""
    rich = payload.get("components")
    shown = {"components": rich, "flags": COMPONENTS_V2} if rich else {"content": payload["content"]}
    return shown | {"embeds": payload["embeds"], "allowed_mentions": {"parse": []}}


def sources(payload: dict[str, Any]) -> list[str]:
    """The Markdown of a message, in reading order."""
    said = [payload["content"]] if payload["content"] else []
    return [
        *said,
        *(embed["description"] for embed in payload["embeds"]),
        *texts(payload.get("components", ())),
    ]


def check(message: Message, form: Form) -> None:
    """That Discord takes the message as it is."""
    payload = message.payload
    assert json.loads(json.dumps(payload)) == payload
    assert set(payload) - {"components", "continued"} == {"content", "embeds", "title"}
    assert 0 < units(payload["title"]) <= 100 and payload["title"] == payload["title"].strip()
    draft = read_draft(body_of(payload), (), EVERYTHING)
    assert not draft.allowed.parse
    limit = {Form.PLAIN: 2000, Form.FULL: 4096, Form.NO_MEDIA: 4096}.get(form, 4000)
    assert sources(payload) or "'media'" in str(payload["components"])
    assert sum(map(units, sources(payload))) <= limit
    assert all(source.strip() for source in sources(payload))
    assert bool(payload["content"]) is (form is Form.PLAIN)
    assert len(payload["embeds"]) == (form in (Form.FULL, Form.NO_MEDIA))
    assert ("components" in payload) is (form in (Form.RICH, Form.RICH_TEXT))
    shows = "image" in str(payload["embeds"]) or "'media'" in str(payload.get("components"))
    assert not shows or form in (Form.FULL, Form.RICH)


# ---- a reader of Discord's Markdown, for the tests alone


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str  # what is shown
    url: str = ""


WRAPPED = {
    "strong": re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)"),
    "underline": re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)"),
    "strike": re.compile(r"~~((?:\\[\s\S]|[^\\])+?)~~"),
    "spoiler": re.compile(r"\|\|([\s\S]+?)\|\|"),
}
EMPHASIS = (
    re.compile(r"\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"),
    re.compile(r"_((?:__|\\[\s\S]|[^\\_])+?)_(?![A-Za-z0-9_])"),
)
CODE = re.compile(r"(`{1,2})(?!`)([\s\S]*?[^`])\1(?!`)")
FENCE = re.compile(r"```(?:([A-Za-z0-9_+.#-]+)\n)?\n*([^\n][\s\S]*?)\n*```")
MASKED = re.compile(r"\[((?:\[[^\]]*\]|[^\[\]])*)\]\(\s*<?((?:\([^)]*\)|[^\s\\()])*?)>?\)")
TAGS = re.compile(
    r"<(?:@[!&]?\d+|#\d+|t:-?\d+(?::\w)?|a?:\w+:\d+|/[^:>]+:\d+|id:\w+)>|@everyone|@here|:[\w+-]+:", re.I
)
AUTOLINK = re.compile(r"<([^: >]+:/[^ >]+)>")
BARE = re.compile(r"(?:https?|steam|ftp|discord)://[^\s<]+[^<.,:;\"'\]\s]", re.I)
LINE = re.compile(r"[^\S\n]*(?:#{1,3}(?=\s)|-#(?=\s)|>{1,3}(?=\s)|[-*+](?=\s)|\d+[.)](?=\s))")


def read(source: str) -> list[Token]:
    """The tokens in the order in which they are shown; those in a token come after it."""
    tokens, at = list[Token](), 0
    while at < len(source):
        found, end = read_one(source, at)
        at = end
        if tokens and found and tokens[-1].kind == found[0].kind == "text":
            tokens[-1] = Token("text", tokens[-1].text + found.pop(0).text)
        tokens += found
    return tokens


def read_one(source: str, at: int) -> tuple[list[Token], int]:
    starts = source[source.rfind("\n", 0, at) + 1 : at].isspace() or at == 0 or source[at - 1] == "\n"
    if starts and (found := LINE.match(source, at)):
        return [Token("line", found[0].strip())], found.end()
    if source[at] not in "\\`<@:[*_~|hsfdHSFD":  # nothing else begins with it
        return [Token("text", source[at])], at + 1
    if (
        source[at] == "\\"
        and at + 1 < len(source)
        and not (source[at + 1].isalnum() or source[at + 1].isspace())
    ):
        return [Token("text", source[at + 1])], at + 2
    if found := FENCE.match(source, at):
        return [Token("fence", found[2], found[1] or "")], found.end()
    if found := CODE.match(source, at):
        return [Token("code", found[2])], found.end()
    if found := AUTOLINK.match(source, at):
        return [Token("url", found[1], found[1])], found.end()
    if found := TAGS.match(source, at):
        return [Token("tag", found[0])], found.end()
    if found := BARE.match(source, at):
        return [Token("url", found[0], found[0])], found.end()
    if (found := MASKED.match(source, at)) and "://" not in found[1] and not TAGS.search(found[1]):
        return [Token("link", found[1], found[2]), *read_label(found[1])], found.end()
    for pattern in EMPHASIS:
        if found := pattern.match(source, at):
            return [Token("emphasis", found[1]), *read(found[1])], found.end()
    for kind, pattern in WRAPPED.items():
        if found := pattern.match(source, at):
            return [Token(kind, found[1]), *read(found[1])], found.end()
    return [Token("text", source[at])], at + 1


def read_label(label: str) -> list[Token]:
    """The tokens of a label: a backslash there is shown and keeps nothing from being markup."""
    return read(label.replace("\\", "\\\\"))


def kinds(source: str) -> set[str]:
    return {token.kind for token in read(source)}


def marks(source: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in read(source) if token.kind != "text"]


def letters(content: str) -> str:
    """What no mark, bullet or gap adds to or takes from; letters that are blank are not shown alone."""
    return "".join(ch for ch in content if ch.isalpha() and ch not in "\u115f\u1160\u3164\uffa0")


def test_the_reader_knows_markup() -> None:
    source = (
        "# *a* **b** __c__ ~~d~~ ||e|| `f` [g](https://x.org) <@1> @everyone <t:1> </c:1> :smile: <#1> _h_"
    )
    assert kinds(source) == {
        "line", "text", "emphasis", "strong", "underline", "strike", "spoiler", "code", "link", "tag",
    }  # fmt: skip
    assert [token.text for token in read(source) if token.kind == "tag"] == [
        "<@1>", "@everyone", "<t:1>", "</c:1>", ":smile:", "<#1>",
    ]  # fmt: skip
    assert marks("> a\n1. b\n- c\n-# d") == [("line", ">"), ("line", "1."), ("line", "-"), ("line", "-#")]
    assert marks("https://x.org/a steam://run <https://y.org>") == [
        ("url", "https://x.org/a"),
        ("url", "steam://run"),
        ("url", "https://y.org"),
    ]
    assert marks("```py\nx\n```") == [("fence", "x")]
    assert marks(r"\*a\* \# \<@1>") == []


# ---- shapes


def test_a_page_has_its_shape() -> None:
    (message,) = render(PAGE, Form.FULL)
    (embed,) = message.payload["embeds"]
    lines = embed["description"].split("\n")
    assert lines[:2] == ["# INCOMING TRANSMISSION", "## LATEST UPDATES"]
    assert len(lines) == 2 + 11 + 1 and lines[-1] == "**1** 2"
    for line, post in zip(lines[2:-1], POSTS, strict=True):
        tokens = read(line)
        assert tokens[0].kind == "link" and tokens[0].url == post.url and line.endswith("...")
        visible = "".join(token.text for token in tokens[1:])
        assert post.text.startswith(visible.removesuffix("...")) and len(visible) > 250
    assert message.payload["title"] == "INCOMING TRANSMISSION"
    check(message, Form.FULL)


def test_a_page_with_titles_still_fits_one_message() -> None:
    posts = tuple(make_post(n, title=f"{n} " + "潮" * 100, text="汐_" * 900) for n in range(11, 22))
    for form in Form:
        (message,) = render(page(Page(posts, 1, 2, 22, 22), Look()), form)
        check(message, form)
    description = render(page(Page(posts, 1, 2, 22, 22), Look()), Form.FULL)[0].payload["embeds"][0][
        "description"
    ]
    assert len({len(line) for line in description.split("\n")[2:-1]}) == 1 and units(description) > 4070


def test_a_post_has_its_shape() -> None:
    payload = one(
        Heading((Link(URL, text("Tide tables")),), level=2),
        Paragraph((Emphasis(text("Harbour Notes")),), tight=True),
        Image(PICTURE, "boat"),
        Paragraph((Text("Read "), Strong(text("this")), Text(", "), Strike(text("that")), CodeSpan("x=1"))),
        ListBlock(
            ((Paragraph(text("one")), ListBlock(((Paragraph(text("in")),),))), (Paragraph(text("two")),))
        ),
        Paragraph(text("after"), tight=True),
        ListBlock(
            ((Paragraph(text("nine")),), (Paragraph((Text("ten"), LineBreak(), Text("more"))),)), start=9
        ),
        CodeBlock("print(1)\n\tx", "python"),
        Quote((Paragraph(text("said")), Quote((Paragraph(text("deep")),)), CodeBlock("c"))),
    )
    assert payload["title"] == "Tide tables"
    assert payload["embeds"] == [
        {
            "description": f"## [Tide tables]({URL})\n*Harbour Notes*\n\n"
            "Read **this**, ~~that~~\u200b`x=1`\n\n"
            "- one\n  - in\n- two\n\nafter\n\n9. nine\n10. ten\n    more\n\n"
            "```python\nprint(1)\n    x\n```\n\n> said\n> deep\n> ```\n> c\n> ```",
            "image": {"url": PICTURE},
        }
    ]


def test_plain_text_has_no_markup_and_unfolds_nothing() -> None:
    payload = one(
        Heading((Link(URL, text("Ti*tle")),)),
        Image(PICTURE, "boat"),
        Paragraph((Strong(text("b")), Text(f" see {URL} "), Link(URL, text("again")))),
        form=Form.PLAIN,
    )
    assert payload == {
        "content": f"Ti\\*tle (<{URL}>)\n\n🖼 boat (<{PICTURE}>)\n\nb see <{URL}> again",
        "embeds": [],
        "title": "Ti*tle",
    }


def test_without_media_a_picture_is_a_link() -> None:
    payload = one(Paragraph(text("body")), Image(PICTURE, "boat"), form=Form.NO_MEDIA)
    assert payload["embeds"] == [{"description": f"body\n\n[🖼 boat]({PICTURE})"}]


def test_a_picture_alone_has_text() -> None:
    (embed,) = one(Image(PICTURE))["embeds"]
    assert embed == {"description": f"[🖼 example.org]({PICTURE})", "image": {"url": PICTURE}}


@pytest.mark.parametrize("content", ["", " \n", "\u200b\u2060", "\u3164", "\u0301"])
def test_nothing_visible_is_never_sent(content: str) -> None:
    document = Document((Paragraph(text(content)),), carried=((7,),))
    (message,) = render(document, Form.FULL)
    assert message == Message({"content": "", "embeds": [{"description": "…"}], "title": "…"}, (7,))
    assert render(document, Form.PLAIN)[0].payload == {"content": "…", "embeds": [], "title": "…"}


def test_a_list_without_text_is_nothing() -> None:
    item = Heading((Text("\x07"), Strong((LineBreak(),))))
    for form in (Form.FULL, Form.PLAIN):
        payload = one(ListBlock(((item,),)), Image("data:x"), form=form)
        assert (payload["content"] or payload["embeds"][0]["description"], payload["title"]) != ("", "")
        check(Message(payload), form)


def test_the_title_is_the_first_heading_else_the_first_line() -> None:
    assert one(Paragraph(text("a")), Heading(text("_b_ <@1>")))["title"] == "_b_ <@1>"
    assert one(Paragraph((Text("first"), LineBreak(), Text("second"))))["title"] == "first"
    long = one(Heading(text("word " * 60)))["title"]
    assert long == "word " * 19 + "word..." or (len(long) <= 100 and long.endswith("word..."))
    assert units(one(Heading(text("🎉" * 300)))["title"]) == 99


# ---- limits and splitting


def test_emoji_count_twice() -> None:
    assert [units(m.payload["embeds"][0]["description"]) for m in render(para("🎉" * 2049), Form.FULL)] == [
        4096,
        2,
    ]


def test_the_plain_form_holds_less() -> None:
    assert [units(m.payload["content"]) for m in render(para("字" * 2001), Form.PLAIN)] == [2000, 1]


def para(content: str) -> Document:
    return Document((Paragraph(text(content)),))


def test_each_message_names_the_posts_in_it() -> None:
    document = edition([make_post(n, text="word " * 200) for n in range(1, 31)], Look())
    messages = render(document, Form.FULL)
    assert len(messages) == 3
    assert [post for message in messages for post in message.posts] == list(range(1, 31))
    assert {message.payload["title"] for message in messages} == {"INCOMING TRANSMISSION"}
    for message in messages:
        for post in message.posts:
            assert f"Title {post}**" in message.payload["embeds"][0]["description"]


def test_a_post_cut_in_two_is_in_both() -> None:
    document = Document((Paragraph(text("字" * 5000)), Paragraph(text("b"))), carried=((1,), (2, 1)))
    assert [message.posts for message in render(document, Form.FULL)] == [(1,), (1, 2)]


def test_a_code_block_cut_in_two_is_two_code_blocks() -> None:
    messages = render(Document((CodeBlock("line\n" * 1500, "py"),)), Form.FULL)
    assert len(messages) == 2
    for message in messages:
        (token,) = read(message.payload["embeds"][0]["description"])
        assert (token.kind, token.url) == ("fence", "py") and set(token.text.split("\n")) == {"line"}


@pytest.mark.parametrize("depth", [9, 60])
def test_deep_lists_leave_room_for_text(depth: int) -> None:
    block: Block = Paragraph(text("deep"))
    for _ in range(depth):
        block = ListBlock(((block,),))
    for message in render(Document((block,)), Form.FULL):
        check(message, Form.FULL)


@settings(max_examples=EXAMPLES // 3)
@given(documents(), st.sampled_from(Form))
def test_any_document_renders_within_all_limits(document: Document, form: Form) -> None:
    messages = render(document, form)
    assert len(messages) == 1 if document.single else messages
    assert [m.payload.get("continued", False) for m in messages] == [
        n == 0 and len(messages) > 1 for n in range(len(messages))
    ]
    for message in messages:
        check(message, form)
    if document.single:
        assert set(messages[0].posts) == {post for carried in document.carried for post in carried}


@settings(max_examples=EXAMPLES // 4)
@given(st.lists(WORDS, max_size=5))
def test_splitting_loses_no_text(words: list[str]) -> None:
    document = Document(tuple(Paragraph(text(word)) for word in words))
    for form in Form:
        said = [source for message in render(document, form) for source in sources(message.payload)]
        visible = "".join(token.text for source in said for token in read(source))
        assert letters(visible) == letters(flatten(document).text)


# ---- outside text

NASTY = [
    "*a*", "**a**", "***a***", "_a_", "__a__", "~~a~~", "||a||", "`a`", "``a``", "```a```", "```py\na\n```",
    "# a", "## a", "-# a", "> a", ">>> a", "- a", "* a", "+ a", "1. a", "  2) a", "\\*a*", "\\", "\\\\*a*",
    "[a](https://x.org)", "[a](<https://x.org> 'b')", "![a](https://x.org)", "<@1>", "<@!1>", "<@&1>", "<#1>",
    "<t:1>", "<t:1:R>", "<:e:1>", "<a:e:1>", "</cmd:1>", "<id:home>", ":smile:", "@everyone", "@Here",
    "steam://run/1", "<steam://run/1>", "discord://-/x", "ftp://x.org/", "<x:/y>", "<https://x.org/a>", "http://",
    "https://x.org/a_b_c*d*e", "见https://x.org/a_b。*c*", "(https://x.org/a_(b))", "xhttps://x.org/_a_", "https://[::1",
    "https://x.org/**a**||b||`c`", "a\u2028# b", "\t> a", "\u3000- a", "|", "~", "1.", "C#", "<", "@",
]  # fmt: skip
MIXED = st.lists(st.sampled_from(NASTY) | st.text("*_~|`<>[]()#-+:@\\ \n1.a/", max_size=6), max_size=6).map(
    "".join
)
ANYTHING = st.one_of(st.sampled_from(NASTY), MIXED, st.text(max_size=40))
ADDRESSES = re.compile(r"https?://", re.I)


def unquoted(content: str) -> str:
    return content.replace("%2A", "*").replace("%7E", "~")


@given(ANYTHING)
def test_no_text_is_markup(content: str) -> None:
    for form in Form:
        (source,) = sources(one(Paragraph(text(content)), form=form))
        for token in read(source):
            assert token.kind in ("text", "url"), (source, token)
            if token.kind == "url":
                assert ADDRESSES.match(token.url)
                assert unquoted(token.url) in unquoted(clean_line(content))
        visible = "".join(token.text for token in read(source)).replace("\u2060", "")
        expected = flatten(para(content)).text.replace("\u2060", "")
        if source != "…":
            assert unquoted(visible) == unquoted(expected)


@pytest.mark.parametrize("content", ["http://" * 3000, "https://x.org/" + "_a" * 3000])
def test_addresses_that_are_too_long_are_text(content: str) -> None:
    for form in Form:
        for message in render(para(content), form):
            check(message, form)
            (source,) = sources(message.payload)
            assert kinds(source) <= {"text", "url"}
    assert kinds(said(Text("http://" * 150))) == {"text"}


STYLES = {
    Strong: "strong",
    Emphasis: "emphasis",
    Strike: "strike",
    Underline: "underline",
    Spoiler: "spoiler",
}


def wrap(inlines: tuple[Inline, ...]) -> list[tuple[set[str], Block]]:
    return [
        ({"strong"}, Paragraph((Strong(inlines),))),
        ({"emphasis"}, Paragraph((Emphasis(inlines),))),
        ({"strike"}, Paragraph((Strike(inlines),))),
        ({"strong", "emphasis", "strike"}, Paragraph((Strike((Strong((Emphasis(inlines),)),)),))),
        ({"underline"}, Paragraph((Underline(inlines),))),
        ({"spoiler"}, Paragraph((Spoiler(inlines),))),
        ({"underline", "emphasis"}, Paragraph((Underline((Emphasis(inlines),)),))),
        ({"link"}, Paragraph((Link(URL, inlines),))),
        ({"link", "strong"}, Paragraph((Link(URL, (Strong(inlines),)),))),
        ({"line"}, Heading(inlines)),
        ({"line"}, Quote((Paragraph(inlines),))),
        ({"line"}, ListBlock(((Paragraph(inlines),),))),
    ]


@given(ANYTHING)
@example("HTTP://__0__")
def test_text_in_marks_adds_none(content: str) -> None:
    for expected, block in wrap(text(content)):
        source = shown(block)
        tokens = read(source)
        assert {token.kind for token in tokens} <= expected | {"text", "url"}, source
        assert sum(token.kind in expected for token in tokens) <= len(expected), source
        assert all(token.url == URL for token in tokens if token.kind == "link")


@given(st.lists(st.tuples(st.sampled_from([*STYLES, Text, CodeSpan]), ANYTHING), max_size=5))
def test_marks_side_by_side_stay_apart(runs: list[tuple[type[Any], str]]) -> None:
    inlines = tuple(
        kind(content) if kind in (Text, CodeSpan) else kind(text(content)) for kind, content in runs
    )
    names = STYLES | {CodeSpan: "code"}
    source = said(*inlines)
    assert kinds(source) <= {names[kind] for kind, _ in runs if kind in names} | {"text", "url"}, source


@given(st.text("`a*_ \\\n@<", max_size=30) | ANYTHING)
@example("```")
@example("`")
def test_code_cannot_close_early(content: str) -> None:
    for block in (Paragraph((CodeSpan(content),)), CodeBlock(content, "py"), Quote((CodeBlock(content),))):
        if not flatten(Document((block,))).text or shown(block) == "…":
            continue
        source = re.sub("(?m)^> ", "", shown(block)) if isinstance(block, Quote) else shown(block)
        (token,) = read(source)
        assert token.kind in ("code", "fence")
        assert token.text.replace("\u200b", "").strip() == flatten(Document((block,))).text.replace(
            "\u200b", ""
        )


def test_a_language_is_one_word() -> None:
    assert shown(CodeBlock("x", "c\x1b\n+")) == "```\nx\n```"
    assert shown(CodeBlock("x", "a`b")) == "```\nx\n```"
    assert shown(CodeBlock("x", "c++")) == "```c++\nx\n```"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.org/a_(b)", "https://x.org/a_%28b%29"),
        ("https://x.org/a)**b**", "https://x.org/a%29%2A%2Ab%2A%2A"),
        ("https://x.org/<a>|b|`c`", "https://x.org/%3Ca%3E%7Cb%7C%60c%60"),
        ("https://x.org/\\)~~a~~", "https://x.org/%5C%29%7E%7Ea%7E%7E"),
        ("https://x.org/~user/潮", "https://x.org/~user/潮"),
    ],
)
def test_an_address_cannot_end_early(url: str, target: str) -> None:
    source = said(Strike((Strong((Link(url, text("a [b] c")),)),)))
    (link,) = (token for token in read(source) if token.kind == "link")
    assert link.url == target and kinds(source) == {"strike", "strong", "link", "text"} - {"strike"} | {
        "strike"
    }


def test_an_address_that_is_too_long_is_left_out() -> None:
    assert said(Link("https://x.org/" + "a" * 2000, text("label"))) == "label"


def test_a_link_that_shows_its_own_address_is_bare() -> None:
    assert said(Link(URL, text(URL))) == f"<{URL}>"


def test_labels_show_no_backslash() -> None:
    assert said(Link(URL, text("snake_case *and* [x] https://example.org @everyone A | B"))) == (
        "[snake_case \u2217and\u2217 \uff3bx\uff3d https:\u2060//example.org @\u2060everyone A | B]"
        + f"({URL})"
    )


def test_addresses_in_text_end_where_they_end() -> None:
    assert said(Text("见https://x.org/a_b?c=d\uff0c再见 (https://x.org/a_(b)). 潮")) == (
        "见<https://x.org/a_b?c=d>\uff0c再见 (<https://x.org/a_(b)>). 潮"
    )


def test_mentions_and_control_characters_are_defused() -> None:
    assert said(Text("@everyone <@1> a@b.org\x1b[0m\u202e")) == ("@\u2060everyone \\<@\u20601> a@b.org\\[0m")


def test_excerpts_shrink_together() -> None:
    lines = tuple(Paragraph((Excerpt("word " * 200, 900),), tight=True) for _ in range(8))
    payload = one(*lines, single=True)
    assert len({len(line) for line in payload["embeds"][0]["description"].split("\n")}) == 1
    assert units(payload["embeds"][0]["description"]) > 3900


def test_a_link_that_names_another_host_shows_where_it_leads() -> None:
    lie = Link("https://evil.example/p", text("https://bank.example"))
    assert said(lie) == "<https://bank.example> ([evil.example](https://evil.example/p))"
