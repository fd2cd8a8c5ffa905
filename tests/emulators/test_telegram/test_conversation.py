"""People's actions reach the bot, and its answers reach them."""

import asyncio

import pytest
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, CallbackQueryHandler, CommandHandler

from tests.emulators.telegram import Chat, TelegramEmulator, User
from tests.emulators.telegram.types import ANONYMOUS_ADMIN
from tests.emulators.test_telegram.clients import ROCKET, keyboard, make_bot


class TestConversation:
    async def test_an_application_answers_commands_and_buttons(
        self, tg: TelegramEmulator, chat: Chat
    ) -> None:
        async def start(update: Update, _: object) -> None:
            assert update.message
            await update.message.reply_text("page 1", reply_markup=keyboard("Next"))

        async def turn(update: Update, _: object) -> None:
            assert update.callback_query
            await update.callback_query.answer("turned")
            await update.callback_query.edit_message_text(f"page {update.callback_query.data}")

        app = Application.builder().bot(make_bot(tg)).build()
        app.add_handlers([CommandHandler("start", start), CallbackQueryHandler(turn)])
        async with app:
            assert app.updater
            await app.updater.start_polling()
            await app.start()
            tg.say(chat, "/start")
            first = (await tg.wait_for(lambda: tg.messages(chat)))[0]
            assert (first.text, first.labels) == ("page 1", ("Next",))
            press = tg.press(chat, "Next")
            answer = await tg.wait_for(lambda: tg.answer_to(press))
            assert answer.text == "turned"
            edited = (await tg.wait_for(lambda: [m for m in tg.messages(chat) if m.edited]))[0]
            await app.updater.stop()
            await app.stop()
        assert edited.text == "page n:2"
        assert [version.text for version in edited.history] == ["page 1"]
        assert edited.message_id == first.message_id

    async def test_a_button_that_is_not_there_cannot_be_pressed(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        await bot.send_message(chat.id, "x", reply_markup=keyboard("Next"))
        with pytest.raises(LookupError, match=r"'Prev'.*'Next'"):
            tg.press(chat, "Prev")

    async def test_an_old_press_cannot_be_answered(self, tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
        await bot.send_message(chat.id, "x", reply_markup=keyboard("Next"))
        press = tg.press(chat, "Next")
        tg.expire(press)
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
            await bot.answer_callback_query(press.query_id)
        assert tg.answer_to(press) is None

    async def test_a_command_entity_is_counted_in_utf_16(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        tg.say(chat, f"{ROCKET} /page@skywave_test_bot 2, not a/b or https://x.org/y")
        (update,) = await bot.get_updates()
        assert update.message and update.message.from_user
        found = [(e.type, e.offset, text) for e, text in update.message.parse_entities().items()]
        assert found == [("bot_command", 3, "/page@skywave_test_bot")]
        assert update.message.from_user.language_code == "zh"

    async def test_edits_and_channel_posts_arrive_as_such(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        said = tg.say(chat, "/latest")
        tg.edit(said, "/latest 2")
        tg.say(tg.channel("News"), "/page")
        _, edited, post = await bot.get_updates()
        assert edited.edited_message and edited.edited_message.text == "/latest 2"
        assert post.channel_post and post.channel_post.sender_chat == post.channel_post.chat

    async def test_an_anonymous_admin_speaks_for_the_group(self, tg: TelegramEmulator, bot: Bot) -> None:
        group = tg.supergroup("Group")
        tg.say(group, "/subscribe", anonymous=True)
        (update,) = await bot.get_updates()
        message = update.message
        assert message and message.from_user and message.sender_chat
        assert (message.from_user.id, message.sender_chat.id) == (ANONYMOUS_ADMIN, group.id)

    async def test_privacy_mode_hides_what_is_not_for_the_bot(self, tg: TelegramEmulator, bot: Bot) -> None:
        group = tg.group("Group")
        sent = await bot.send_message(group.id, "question")
        tg.say(group, "chatter")
        tg.say(group, "/page@other_bot")
        tg.say(group, "/page")
        tg.say(group, "an answer", reply_to=sent.message_id)
        seen = [update.message.text for update in await bot.get_updates() if update.message]
        assert seen == ["/page", "an answer"]


class TestUpdates:
    async def test_updates_stay_until_a_higher_offset_confirms_them(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        tg.say(chat, "one")
        tg.say(chat, "two")
        first = await bot.get_updates()
        assert [u.update_id for u in await bot.get_updates()] == [u.update_id for u in first]
        (left,) = await bot.get_updates(offset=first[1].update_id)
        assert left.message and left.message.text == "two"
        assert await bot.get_updates(offset=first[1].update_id + 1) == ()

    async def test_a_long_poll_ends_when_something_comes(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=20))
        await tg.wait_for(lambda: tg.requests("getUpdates"))
        tg.say(chat, "now")
        (update,) = await poll
        assert update.message and update.message.text == "now"

    async def test_a_second_poll_ends_the_first_with_a_conflict(self, tg: TelegramEmulator, bot: Bot) -> None:
        first = asyncio.create_task(bot.get_updates(timeout=20))
        await tg.wait_for(lambda: tg.requests("getUpdates"))
        async with make_bot(tg) as other:
            await other.get_updates(timeout=0)
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first

    async def test_allowed_updates_outlive_the_request(
        self, tg: TelegramEmulator, bot: Bot, ann: User, chat: Chat
    ) -> None:
        await bot.get_updates(allowed_updates=["message"])
        tg.block(ann)
        tg.unblock(ann)
        tg.say(chat, "hello")
        (update,) = await bot.get_updates()
        assert update.message
        await bot.get_updates(offset=-1, allowed_updates=[])
        tg.block(ann)
        assert [u.my_chat_member is not None for u in await bot.get_updates()] == [False, True]

    async def test_blocking_adding_and_kicking_are_told(
        self, tg: TelegramEmulator, bot: Bot, ann: User
    ) -> None:
        group = tg.group("Group", bot="left")
        tg.block(ann)
        tg.unblock(ann)
        tg.add_bot(group, admin=True)
        tg.kick_bot(group)
        members = [u.my_chat_member for u in await bot.get_updates() if u.my_chat_member]
        assert [(m.chat.type, m.old_chat_member.status, m.new_chat_member.status) for m in members] == [
            ("private", "member", "kicked"),
            ("private", "kicked", "member"),
            ("group", "left", "administrator"),
            ("group", "administrator", "kicked"),
        ]
