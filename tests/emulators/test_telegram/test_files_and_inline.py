"""Files and inline queries, with the limits of the Bot API."""

import pytest
from telegram import (
    Bot,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputFile,
    InputTextMessageContent,
)
from telegram.error import BadRequest

from tests.emulators.telegram import TelegramEmulator, User
from tests.emulators.telegram.files import DOWNLOAD_LIMIT


async def test_a_file_goes_both_ways(tg: TelegramEmulator, ann: User) -> None:
    chat = tg.private(ann)
    # Files are downloaded from an address of their own.
    async with Bot(tg.token, base_url=f"{tg.url}/bot", base_file_url=f"{tg.url}/file/bot") as bot:
        sent = await bot.send_document(chat.id, InputFile(b"<opml/>", filename="a.opml"), caption="Yours")
        assert sent.document and (sent.document.file_name, sent.document.file_size) == ("a.opml", 7)
        tg.send_file(chat, "mine.opml", b"<opml version='2.0'/>", "/import")
        (update,) = [one for one in await bot.get_updates() if one.message and one.message.document]
        assert update.message and update.message.document and update.message.caption == "/import"
        assert update.message.caption_entities[0].type == "bot_command"
        file = await update.message.document.get_file()
        assert bytes(await file.download_as_bytearray()) == b"<opml version='2.0'/>"
        tg.send_file(chat, "big", b"x", size=DOWNLOAD_LIMIT + 1)
        (update,) = await bot.get_updates(offset=update.update_id + 1)
        assert update.message and update.message.document
        with pytest.raises(BadRequest, match="File is too big"):
            await bot.get_file(update.message.document.file_id)
        with pytest.raises(BadRequest, match="Invalid file_id"):
            await bot.get_file("none")


def article(number: str = "1", title: str = "A") -> InlineQueryResultArticle:
    return InlineQueryResultArticle(
        number, title, InputTextMessageContent("text"), url="https://example.org/1"
    )


async def test_an_inline_query_is_answered_once(tg: TelegramEmulator, bot: Bot, ann: User) -> None:
    number = tg.type_inline(ann, "radio", "2")
    (update,) = await bot.get_updates()
    assert update.inline_query and (update.inline_query.query, update.inline_query.offset) == ("radio", "2")
    with pytest.raises(BadRequest, match="Results_too_much"):
        await bot.answer_inline_query(number, [article(str(n)) for n in range(51)])
    with pytest.raises(BadRequest, match="Result_id_invalid"):
        await bot.answer_inline_query(number, [article("ü" * 33)])
    with pytest.raises(BadRequest, match="Result_id_duplicate"):
        await bot.answer_inline_query(number, [article(), article()])
    with pytest.raises(BadRequest, match="Article_title_empty"):
        await bot.answer_inline_query(number, [article(title="")])
    with pytest.raises(BadRequest, match="Next_offset_invalid"):
        await bot.answer_inline_query(number, [], next_offset="x" * 65)
    with pytest.raises(BadRequest, match="Start_param_invalid"):
        await bot.answer_inline_query(
            number, [], button=InlineQueryResultsButton("Log in", start_parameter="a b")
        )
    await bot.answer_inline_query(number, [article()], cache_time=5, is_personal=True, next_offset="3")
    answer = tg.world.inline[number]
    assert answer and (answer.results[0].text, answer.next_offset, answer.cache_time) == ("text", "3", 5)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_inline_query(number, [])
