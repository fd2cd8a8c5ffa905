import io
import json

from hypothesis import given
from rich.console import Console

from bot.platforms.terminal.render import plain, render, styled
from content.document import Document, Heading, Image, Link, Paragraph, Text, text
from content.present import Look, edition
from content.present import post as one_post
from scheduler.types import Form, Payload
from tests.bot.documents import DOCUMENTS, PAGE
from tests.content.test_present import make_post


def payload(document: Document, form: Form = Form.FULL) -> Payload:
    (message,) = render(document, form)
    return message.payload


def printed(content: Payload) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="standard")
    console.print(styled(content), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_page_has_its_shape() -> None:
    shown = plain(payload(PAGE)).split("\n")
    assert shown[:3] == ["INCOMING TRANSMISSION", "", "LATEST UPDATES"]
    assert len(shown) == 15 and shown[-1] == "1 2"
    assert all(len(line) <= 353 and line.endswith("...") for line in shown[3:14])


def test_links_can_be_clicked_and_titles_are_bold() -> None:
    out = printed(payload(Document((Heading((Link("https://example.org/1", text("Title")),)),))))
    assert "https://example.org/1\x1b\\" in out and "\x1b]8;" in out
    assert "\x1b[1m" in out


def test_nothing_of_a_post_is_obeyed_by_a_terminal() -> None:
    nasty = "Title \x1b]0;owned\x07\x9b2J\r\u202eend"
    post = make_post(title=nasty, text=nasty, html=f"<p>{nasty}</p>", source_title=nasty)
    for document in (edition([post], Look()), one_post(post, Look())):
        for form in (Form.FULL, Form.PLAIN):
            shown = plain(payload(document, form))
            assert "Title" in shown and "end" in shown
            assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(shown)
        assert "\x1b]0" not in printed(payload(document))


def test_the_plain_form_has_no_marks() -> None:
    assert payload(Document((Heading(text("T")),)), Form.PLAIN) == {"text": "T", "spans": []}


def test_escape_sequences_of_posts_do_not_reach_a_terminal() -> None:
    nasty = "\x1b]0;title\x07 \x1b[2J \x9b31m \x1bPq\x1b\\"
    document = Document((Paragraph((Text(nasty), Link("https://x.org/\x1b]8;;", text("l")))),))
    assert "\x1b" not in printed(payload(document)).replace("\n", "")


def test_a_long_edition_is_one_message_with_all_its_posts() -> None:
    (message,) = render(edition([make_post(n, text="word " * 200) for n in range(1, 31)], Look()), Form.FULL)
    assert message.posts == tuple(range(1, 31))
    assert len(plain(message.payload)) > 9000


@given(DOCUMENTS)
def test_any_document_is_text_and_spans(document: Document) -> None:
    content = payload(document)
    assert json.loads(json.dumps(content)) == content
    assert styled(content).plain == plain(content)
    assert all(ch == "\n" or (ord(ch) >= 32 and not 0x7F <= ord(ch) <= 0x9F) for ch in plain(content))


def test_a_picture_is_its_address() -> None:
    url = "https://example.org/a.png"
    shown = payload(Document((Image(url, "A mast"), Image(url), Image("", "no address"))))
    assert plain(shown) == f"🖼 A mast: {url}\n\n🖼 {url}\n\n🖼 no address"
    assert [span[3] for span in shown["spans"]] == [url, url]
