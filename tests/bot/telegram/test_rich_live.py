"""Rich messages on an emulated Telegram: how they arrive, and what follows where they are not taken."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from content.document import Cell, Document, Entry, Heading, Image, Paragraph, Table, text
from content.formats import Format, Rich
from scheduler.errors import ContentRejected, SendError
from scheduler.types import Chat as Known
from scheduler.types import ChatKind, Form, Place, Sent
from tests.bot.telegram.live import Live, platform_of
from tests.e2e.program import item
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram.faults import refused

TABLE = Document((Heading(text("Tides")), Table(((Cell(text("Port")), Cell(text("High"))),))))


async def forms(sky: Live, chat: Chat) -> list[dict[str, str]]:
    """The state of each form of each delivery to a chat."""
    found = await sky.deliveries(chat)
    return [{str(part.form): str(part.state) for part in delivery.parts} for delivery in found]


async def test_an_edition_arrives_as_one_rich_message(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    channel = tg.channel("Channel")
    await sky.follow(ann)
    await sky.follow(channel)
    await sky.publish(*(f"n{number}" for number in range(7)))
    assert await sky.ended(ann) == ["sent"]
    (message,) = tg.messages(ann)
    assert message.rich is not None
    assert "▸ Post n0\n  The text of n0." in message.text
    assert await forms(sky, ann) == [{"rich": "sent"}]
    assert await sky.ended(channel) == ["sent"]
    (plain,) = tg.messages(channel)  # nobody knows which apps its readers have
    assert plain.rich is None and "Post n0: The text of n0." in plain.text


async def test_a_long_article_is_shown_whole(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    words = [f"word{number}" for number in range(900)]  # some 9,000 characters
    await sky.follow(ann)
    await sky.answer(ann, "/format full")
    html = "".join(f"<p>{' '.join(words[at : at + 50])}</p>" for at in range(0, 900, 50))
    await sky.publish(item("long", content_html=html))
    assert await sky.ended(ann) == ["sent"]
    _, article = tg.messages(ann)
    assert article.rich is not None
    assert [word for word in article.text.split() if word.startswith("word")] == words


async def test_a_server_without_rich_messages_is_asked_once(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:

    tg.world.version = (9, 6)
    await sky.follow(ann)
    with capture_logs() as events:
        for start in (0, 10):
            await sky.publish(*(f"n{number}" for number in range(start, start + 7)))
            assert set(await sky.ended(ann)) == {"sent"}
    assert [message.rich for message in tg.messages(ann)] == [None, None]
    assert "Post n0: The text of n0." in tg.messages(ann)[0].text
    assert len(tg.requests("sendRichMessage")) == 1
    assert await forms(sky, ann) == [{"rich": "failed", "full": "sent"}, {"full": "sent"}]
    assert [event["event"] for event in events if event["event"] == "telegram.no_rich_messages"] == [
        "telegram.no_rich_messages"
    ]


async def test_a_server_that_refuses_a_rich_message_gets_the_next_form(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.follow(ann)
    tg.faults.add(refused("rich-depth"), "sendRichMessage", ann.id)
    await sky.publish(*(f"n{number}" for number in range(7)))
    assert await sky.ended(ann) == ["sent"]
    tg.faults.add(refused("rich-rights"), "sendRichMessage", ann.id)
    await sky.publish(*(f"m{number}" for number in range(7)))
    assert await sky.ended(ann) == ["sent", "sent"]
    tg.faults.add(refused("rich-rights"), "sendRichMessage", ann.id, times=2)
    await sky.publish(*(f"o{number}" for number in range(7)))
    assert await sky.ended(ann) == ["sent", "sent", "sent"]
    assert [message.rich is not None for message in tg.messages(ann)] == [False, True, False]
    assert await forms(sky, ann) == [
        {"rich": "failed", "full": "sent"},
        {"rich": "failed", "rich_text": "sent"},
        {"rich": "failed", "rich_text": "failed", "full": "sent"},
    ]


async def test_errors_that_say_nothing_about_the_form_do_not_change_it(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.follow(ann)
    tg.faults.add(refused("server-error"), "sendRichMessage", ann.id)
    await sky.publish(*(f"n{number}" for number in range(7)))
    assert await sky.ended_at_last(ann) == ["sent"]
    (message,) = tg.messages(ann)
    assert message.rich is not None


async def test_the_sender_by_itself(tg: TelegramEmulator, ann: Chat) -> None:
    """Edits between the forms, media that cannot be fetched, and a server that ignores rich edits."""
    async with platform_of(tg) as platform:
        place = Place("telegram", str(ann.id))
        chat = Known(1, place)
        assert platform.prefers_rich(TABLE, chat)
        channel, text_only = Known(1, place, kind=ChatKind.CHANNEL), Document((Paragraph(text("x")),))
        assert not platform.prefers_rich(TABLE, channel)
        assert platform.prefers_rich(TABLE, replace(channel, choices=Format(rich=Rich.AUTO)))
        assert not platform.prefers_rich(TABLE, replace(chat, choices=Format(rich=Rich.OFF)))
        assert not platform.prefers_rich(text_only, chat)
        assert platform.prefers_rich(text_only, replace(chat, choices=Format(rich=Rich.ON)))
        (rich,), (plain,) = platform.render(TABLE, Form.RICH), platform.render(TABLE, Form.FULL)
        sent = await platform.say(place, rich)
        (shown,) = tg.messages(ann)
        assert (shown.text, sent) == ("Tides\nPort | High", Sent(str(ann.id), (str(shown.message_id),)))
        await platform.rewrite(sent, plain)
        assert tg.messages(ann)[0].rich is None
        await platform.rewrite(sent, rich)
        await platform.rewrite(sent, rich)  # not modified
        assert tg.messages(ann)[0].rich is not None

        picture = Document((Image("https://example.org/gone.png", "A mast"), Entry(text("a"), text("b"))))
        tg.world.dead.add("https://example.org/gone.png")
        with pytest.raises(ContentRejected) as rejected:
            await platform.say(place, platform.render(picture, Form.RICH)[0])
        assert rejected.value.media
        await platform.say(place, platform.render(picture, Form.RICH_TEXT)[0])
        assert tg.messages(ann)[-1].text == "🖼 A mast\n▸ a\n  b"

        tg.world.version = (9, 6)
        with pytest.raises(ContentRejected, match="too old"):
            await platform.rewrite(sent, rich)
        assert not platform.prefers_rich(TABLE, chat)
        asked = len(tg.requests("sendRichMessage"))
        with pytest.raises(SendError):
            await platform.say(place, rich)
        assert len(tg.requests("sendRichMessage")) == asked
