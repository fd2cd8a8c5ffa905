"""What a message may contain."""

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    MessageEntity,
)
from telegram.error import BadRequest, EndPointNotFound

from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.test_telegram.clients import ROCKET, keyboard

PHOTO = "https://example.org/a.jpg"


def link(url: str) -> MessageEntity:
    return MessageEntity("text_link", 0, 2, url=url)


async def test_text_is_counted_in_code_points(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    await bot.send_message(chat.id, ROCKET * 4096)
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(chat.id, ROCKET * 4097)
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(chat.id, " \n")
    assert len(tg.messages(chat)) == 1


async def test_captions_are_shorter(bot: Bot, chat: Chat) -> None:
    await bot.send_photo(chat.id, PHOTO, caption=ROCKET * 1024)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(chat.id, PHOTO, caption="x" * 1025)


@pytest.mark.parametrize(
    ("entity", "fault"),
    [
        (MessageEntity("bold", 0, 5), "beginning at UTF-16 offset 0 ends after the end of the text"),
        (MessageEntity("bold", 4, 1), "Entity begins after the end of the text"),
        (MessageEntity("bold", -1, 1), "Receive an entity with incorrect offset -1"),
        (MessageEntity("bold", 1, 1), "Entity begins in a middle of a UTF-16 symbol"),
        (MessageEntity("bold", 0, 1), "ends in a middle of a UTF-16 symbol"),
        (MessageEntity("nonsense", 0, 2), "Can't parse MessageEntity: Unsupported type specified"),
        (link("javascript:alert(1)"), "Entity URL .* is invalid"),
        (link("ftp://example.org/"), "Unsupported URL protocol"),
        (link("http://localhost/"), "Wrong HTTP URL"),
    ],
)
async def test_entities_that_are_refused(bot: Bot, chat: Chat, entity: MessageEntity, fault: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){fault}"):
        await bot.send_message(chat.id, f"{ROCKET}ab", entities=[entity])


@pytest.mark.parametrize("url", ["https://例子.中国/a", "http://127.0.0.1:8080/", "tg://user?id=1"])
async def test_links_that_pass(tg: TelegramEmulator, bot: Bot, chat: Chat, url: str) -> None:
    await bot.send_message(chat.id, f"{ROCKET}ab", entities=[link(url)])
    assert [entity.url for entity in tg.messages(chat)[0].entities] == [url]


async def test_a_hundred_entities_are_kept(bot: Bot, chat: Chat) -> None:
    spans = [MessageEntity("bold", n, 1) for n in range(101)]
    sent = await bot.send_message(chat.id, "x" * 200, entities=spans)
    assert [e.offset for e in sent.entities] == list(range(100))


async def test_trailing_space_is_cut_and_entities_with_it(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    spans = [
        MessageEntity("text_link", 3, 8, url="https://example.org"),
        MessageEntity("bold", 7, 3),
    ]
    await bot.send_message(chat.id, f"{ROCKET} link  \n\n", entities=spans)
    (message,) = tg.messages(chat)
    assert (message.text, [e.of(message.text) for e in message.entities]) == (f"{ROCKET} link", ["link"])


async def test_a_parse_mode_is_refused(bot: Bot, chat: Chat) -> None:
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(chat.id, "<b>x</b>", parse_mode="HTML")


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        (keyboard("x", data="é" * 33), "Button_data_invalid"),
        (keyboard(*"x" * 101), "Reply markup is too long"),
        (InlineKeyboardMarkup([[InlineKeyboardButton("x")]]), "Text buttons are unallowed"),
        (InlineKeyboardMarkup([[InlineKeyboardButton("x", url="http://nowhere")]]), "Wrong HTTP URL"),
    ],
)
async def test_keyboards_that_are_refused(
    bot: Bot, chat: Chat, markup: InlineKeyboardMarkup, fault: str
) -> None:
    with pytest.raises(BadRequest, match=f"(?i){fault}"):
        await bot.send_message(chat.id, "x", reply_markup=markup)


async def test_the_largest_keyboard_passes(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    await bot.send_message(chat.id, "x", reply_markup=keyboard(*"x" * 100, data="é" * 32))
    assert len(tg.messages(chat)[0].labels) == 100


async def test_edits_keep_the_versions_before(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    sent = await bot.send_message(chat.id, "one", reply_markup=keyboard("a"))
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text("one", chat.id, sent.message_id, reply_markup=keyboard("a"))
    await bot.edit_message_reply_markup(chat.id, sent.message_id, reply_markup=keyboard("b"))
    await bot.edit_message_text("two", chat.id, sent.message_id)
    (message,) = tg.messages(chat)
    assert [(m.text, m.labels) for m in (*message.history, message)] == [
        ("one", ("a",)),
        ("one", ("b",)),
        ("two", ()),
    ]


async def test_only_own_messages_that_are_there_can_be_edited(
    tg: TelegramEmulator, bot: Bot, chat: Chat
) -> None:
    said = tg.say(chat, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", chat.id, said.message_id)
    sent = await bot.send_message(chat.id, "one")
    await bot.delete_message(chat.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", chat.id, sent.message_id)
    assert tg.messages(chat) == []
    assert [message.text for message in tg.sent] == ["one"]


async def test_photos_and_albums(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    await bot.send_photo(chat.id, b"\x89PNG", caption="upload", filename="a.png")
    await bot.send_media_group(chat.id, [InputMediaPhoto(PHOTO, caption="two"), InputMediaPhoto(b"\x89PNG")])
    assert [m.text for m in tg.messages(chat)] == ["upload", "two", ""]
    (album,) = tg.requests("sendMediaGroup")
    assert album.outcome and len(album.outcome.delivered) == 2
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier/HTTP URL specified"):
        await bot.send_photo(chat.id, "no-such-file")


async def test_a_reply_needs_its_message(bot: Bot, chat: Chat) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(chat.id, "x", reply_to_message_id=99)
    await bot.send_message(chat.id, "x", reply_to_message_id=99, allow_sending_without_reply=True)


async def test_a_rich_message_has_no_text_and_loses_media(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    urls = [f"https://example.org/{number}.png" for number in range(21)]
    photos = [{"type": "photo", "photo": {"type": "photo", "media": url}} for url in urls]
    asked = {"chat_id": chat.id, "rich_message": {"blocks": [{"type": "slideshow", "blocks": photos}]}}
    sent = await bot.do_api_request("sendRichMessage", asked, return_type=Message)
    assert isinstance(sent, Message) and sent.text is None and sent.api_kwargs["rich_message"]
    assert tg.messages(chat)[0].lost == (urls[20],)
    tg.world.dead.add(urls[3])
    with pytest.raises(BadRequest, match="Rich_message_photo_no_media_found"):
        await bot.do_api_request("sendRichMessage", asked)


async def test_old_servers_know_no_rich_messages(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    tg.world.version = (9, 6)
    rich = {"blocks": [{"type": "paragraph", "text": "x"}]}
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendRichMessage", {"chat_id": chat.id, "rich_message": rich})
    sent = await bot.send_message(chat.id, "one")
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.edit_message_text("", chat.id, sent.message_id, api_kwargs={"rich_message": rich})
