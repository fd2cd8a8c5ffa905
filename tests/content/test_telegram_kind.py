"""Public channels of Telegram as sources: their addresses, and what is read of their pages."""

from datetime import UTC, datetime

import pytest

from content.errors import ParseError, UsageError
from content.sources import ReadContext, kind_of, normalise
from content.sources.telegram import KIND, TelegramKind, parse_channel
from content.types import NO_OPTIONS, Media, ParsedPost, ParsedSource, Validators
from tests.emulators.sites import (
    ThroughServer,
    page,
    serving,
    telegram_channel,
    telegram_photo,
    telegram_text,
)

URL = "https://t.me/s/radio_notes"
CHANNELS = (
    "https://t.me/radio_notes",
    "https://t.me/s/Radio_Notes",
    "https://t.me/s/radio_notes/42?before=50",
    "t.me/radio_notes/42?single",
    "http://telegram.me/radio_notes/",
    "https://telegram.dog/s/radio_notes#x",
    "tg://resolve?domain=radio_notes",
)
PRIVATE = ("https://t.me/+AbCd1234", "https://t.me/joinchat/AbCd", "t.me/c/12345/7")
OTHERS = (
    "https://t.me/addstickers/notes",
    "https://t.me/proxy?server=a",
    "https://t.me/",
    "https://t.me.example.org/radio_notes",
    "https://example.org/t.me/radio_notes",
)


def parse(*posts: str) -> ParsedSource:
    return parse_channel(telegram_channel("Radio_Notes", "Radio notes", posts).encode(), "text/html", URL)


def post(inner: str) -> ParsedPost:
    (only,) = parse(inner).posts
    return only


@pytest.mark.parametrize("address", CHANNELS)
def test_a_channel_has_one_stored_form(address: str) -> None:
    assert kind_of(address).name == KIND and normalise(address) == URL == normalise(URL)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_chat_is_refused_with_the_reason(address: str) -> None:
    with pytest.raises(UsageError, match="is a private chat of Telegram: only public channels"):
        normalise(address)


@pytest.mark.parametrize("address", OTHERS)
def test_other_links_are_no_channels(address: str) -> None:
    assert not TelegramKind().accepts(address)


async def test_a_channel_is_read_from_its_page() -> None:
    posts = [
        telegram_text("First"),
        "<!-- service -->Channel created",
        telegram_text("<b>Second</b><br/>line"),
    ]
    async with serving() as sites:
        sites.answers[URL] = telegram_channel("Radio_Notes", "Radio & notes", posts)
        fetcher = ThroughServer(sites)
        context = ReadContext(fetcher)
        read = await TelegramKind().read(URL, NO_OPTIONS, Validators(), context)
        again = await TelegramKind().read(URL, NO_OPTIONS, read.validators, context)
        await fetcher.close()
    assert read.parsed is not None and again.parsed is None
    assert (read.parsed.title, read.parsed.url) == ("Radio & notes", URL)
    assert [(one.guid, one.url, one.html) for one in read.parsed.posts] == [
        ("1", "https://t.me/Radio_Notes/1", "First"),
        ("3", "https://t.me/Radio_Notes/3", "<b>Second</b><br>line"),
    ]
    assert read.parsed.posts[0].published_at == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_links_tags_and_emoji_of_a_text() -> None:
    found = post(
        '<div class="tgme_widget_message_text js-message_reply_text">old</div>'
        + telegram_text(
            '<i class="emoji" style="background-image:url(\'//telegram.org/e.png\')"><b>📻</b></i> '
            '<a href="?q=%23morse">#morse</a> <a href="https://example.org/a?b=1">here</a>'
            '<script>alert(1)</script><a href="javascript:x()">no</a>'
        )
    )
    assert "old" not in found.html and "alert" not in found.html and "javascript" not in found.html
    assert found.html.startswith("📻 ") and 'href="https://example.org/a?b=1"' in found.html
    assert found.tags == ("morse",)


def test_pictures_and_videos_are_attached() -> None:
    photo, thumb = "https://cdn.example.org/1.jpg", "https://cdn.example.org/t.jpg"
    video = (
        f'<i class="tgme_widget_message_video_thumb" style="background-image:url(\'{thumb}\')"></i>'
        '<video src="https://cdn.example.org/v.mp4"></video>'
    )
    album = post(telegram_photo(photo) + telegram_photo(photo) + video + telegram_text("An album"))
    assert [one.url for one in album.media] == [photo, thumb, "https://cdn.example.org/v.mp4"]
    alone = post(telegram_photo(photo))
    assert f'src="{photo}"' in alone.html and alone.media == (Media(photo, "image/*"),)
    assert post(telegram_photo("javascript:x()") + telegram_text("x")).media == ()


def test_what_has_no_text_has_the_name_of_what_it_carries() -> None:
    assert (
        post('<div class="tgme_widget_message_poll_question">40 m or 20 m?</div>').html
        == "<p>40 m or 20 m?</p>"
    )
    assert post('<div class="tgme_widget_message_document_title">log.pdf</div>').html == "<p>log.pdf</p>"


def test_a_channel_may_be_empty_and_a_page_without_a_channel_is_an_error() -> None:
    assert parse().posts == () and parse().title == "Radio notes"
    for body in (page(), "", "<a", "{}", "x" * 100_000):
        with pytest.raises(ParseError, match="shows no posts: only public channels"):
            parse_channel(body.encode(), "text/html", URL)


@pytest.mark.timeout(60)
def test_hostile_pages_cost_little() -> None:
    many = telegram_channel("a", "t", [telegram_text("x")] * 28).replace("2026-07-01", "9999-99-99")
    assert len(parse_channel((many * 10).encode(), "", URL, 50).posts) == 50
    for deep in ("<div>" * 20_000, "<i class=emoji>" * 5_000):
        with pytest.raises(ParseError):
            parse(telegram_text(deep))
