"""Chats, topics, members and menus, and the requests that they refuse."""

from collections.abc import Callable

import aiohttp
import pytest
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from tests.emulators.telegram import Chat, Entity, Request, TelegramEmulator, User
from tests.emulators.test_telegram.clients import request


class TestRefusals:
    async def test_tokens(self, tg: TelegramEmulator) -> None:
        for token in ("123456:WRONG", "nonsense"):
            ways = request(), request()
            lost = Bot(token, base_url=f"{tg.url}/bot", request=ways[0], get_updates_request=ways[1])
            with pytest.raises(InvalidToken):
                await lost.initialize()
            for way in ways:
                await way.shutdown()
        asked = [entry for entry in tg.transcript.entries if isinstance(entry, Request)]
        assert [entry.outcome and entry.outcome.status for entry in asked] == [401, 404]

    async def test_an_unknown_method_is_not_found(self, tg: TelegramEmulator) -> None:
        async with aiohttp.ClientSession() as http, http.get(f"{tg.url}/bot{tg.token}/sendMassage") as got:
            body = await got.json()
        assert body == {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
        assert got.status == 404

    async def test_json_bodies_and_query_strings_are_read(self, tg: TelegramEmulator, chat: Chat) -> None:
        body = {"chat_id": chat.id, "text": "bold", "entities": [{"type": "bold", "offset": 0, "length": 4}]}
        async with aiohttp.ClientSession() as http:
            url = f"{tg.url}/bot{tg.token}/SENDMESSAGE"
            assert (await http.post(url, json=body)).status == 200
            assert (await http.get(url, params={"chat_id": chat.id, "text": "plain"})).status == 200
            assert (
                await http.post(url, data="{", headers={"Content-Type": "application/json"})
            ).status == 400
        bold, plain = tg.messages(chat)
        assert (bold.entities, plain.text) == ((Entity("bold", 0, 4),), "plain")

    async def test_a_person_who_blocked_or_left(
        self, tg: TelegramEmulator, bot: Bot, ann: User, chat: Chat
    ) -> None:
        tg.block(ann)
        with pytest.raises(Forbidden, match=r"^Forbidden: bot was blocked by the user$"):
            await bot.send_message(chat.id, "x")
        tg.unblock(ann)
        await bot.send_message(chat.id, "welcome back")
        tg.delete_user(ann)
        with pytest.raises(Forbidden, match=r"^Forbidden: user is deactivated$"):
            await bot.send_message(chat.id, "x")
        assert [m.text for m in tg.messages(chat)] == ["welcome back"]

    async def test_who_never_wrote_cannot_be_written_to(
        self, tg: TelegramEmulator, bot: Bot, ann: User
    ) -> None:
        with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
            await bot.send_message(ann.id, "x")
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(987654321, "x")
        tg.say(ann.id, "/start")
        await bot.send_message(ann.id, "x")

    @pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
    async def test_groups_and_channels(self, tg: TelegramEmulator, bot: Bot, kind: str) -> None:
        make: dict[str, Callable[[str], Chat]] = {
            "group": tg.group,
            "supergroup": tg.supergroup,
            "channel": tg.channel,
        }
        place = make[kind]("Place")
        tg.mute_bot(place)
        muted = (
            "Need administrator rights in the channel" if kind == "channel" else "Not enough rights to send"
        )
        with pytest.raises(BadRequest, match=muted):
            await bot.send_message(place.id, "x")
        tg.kick_bot(place)
        with pytest.raises(Forbidden, match=f"bot was kicked from the {kind} chat"):
            await bot.send_message(place.id, "x")
        tg.mute_bot(place, False)
        tg.add_bot(place, admin=True)
        await bot.send_message(place.id, "x")
        await bot.leave_chat(place.id)
        with pytest.raises(Forbidden, match=f"bot is not a member of the {kind} chat"):
            await bot.send_message(place.id, "x")
        tg.delete_chat(place)
        gone = "the group chat was deleted" if kind == "group" else "Chat not found"
        with pytest.raises(TelegramError, match=gone):
            await bot.send_message(place.id, "x")

    async def test_a_group_that_became_a_supergroup_names_it(self, tg: TelegramEmulator, bot: Bot) -> None:
        group = tg.group("Group")
        new = tg.migrate(group)
        with pytest.raises(ChatMigrated) as caught:
            await bot.send_message(group.id, "x")
        assert caught.value.new_chat_id == new.id
        await bot.send_message(new.id, "x")
        told = [u.message for u in await bot.get_updates() if u.message]
        assert [(m.chat.id, m.migrate_to_chat_id, m.migrate_from_chat_id) for m in told] == [
            (group.id, new.id, None),
            (new.id, None, group.id),
        ]


class TestTopics:
    async def test_messages_go_to_their_topic(self, tg: TelegramEmulator, bot: Bot) -> None:
        forum = tg.forum("Forum", ["News", "Talk"])
        news = tg.topic(forum, "News")
        await bot.send_message(forum.id, "in News", message_thread_id=news)
        await bot.send_message(forum.id, "in General")
        assert [m.text for m in tg.messages(forum, news)] == ["in News"]
        assert [m.text for m in tg.messages(forum, 1)] == ["in General"]
        for wrong in (1, 999):
            with pytest.raises(BadRequest, match="Message thread not found"):
                await bot.send_message(forum.id, "x", message_thread_id=wrong)
        tg.delete_topic(forum, news)
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(forum.id, "x", message_thread_id=news)

    async def test_a_closed_topic_refuses(self, tg: TelegramEmulator, bot: Bot) -> None:
        forum = tg.forum("Forum", ["News"])
        news = tg.topic(forum, "News")
        tg.close_topic(forum, news)
        with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
            await bot.send_message(forum.id, "x", message_thread_id=news)
        await bot.send_message(forum.id, "General is open")
        tg.reopen_topic(forum, news)
        await bot.send_message(forum.id, "x", message_thread_id=news)
        told = [u.message for u in await bot.get_updates() if u.message]
        assert [bool(m.forum_topic_closed) for m in told] == [True, False]
        assert {(m.message_thread_id, m.is_topic_message) for m in told} == {(news, True)}

    async def test_a_supergroup_without_topics_ignores_the_id(self, tg: TelegramEmulator, bot: Bot) -> None:
        sent = await bot.send_message(tg.supergroup("Plain").id, "x", message_thread_id=7)
        assert sent.message_thread_id is None

    async def test_replies_in_general_carry_a_bogus_thread(self, tg: TelegramEmulator, bot: Bot) -> None:
        forum = tg.forum("Forum")
        sent = await bot.send_message(forum.id, "x")
        tg.say(forum, "/page", reply_to=sent.message_id)
        (update,) = await bot.get_updates()
        assert update.message
        assert (update.message.message_thread_id, update.message.is_topic_message) == (sent.message_id, None)


class TestChats:
    async def test_members_and_administrators(self, tg: TelegramEmulator, bot: Bot, ann: User) -> None:
        owner = tg.user("Olga")
        forum = tg.forum("Forum", owner=owner)
        tg.promote(forum, ann)
        assert (await bot.get_chat(forum.id)).is_forum
        assert {m.user.id for m in await bot.get_chat_administrators(forum.id)} == {owner.id, ann.id}
        assert (await bot.get_chat_member(forum.id, owner.id)).status == "creator"
        assert (await bot.get_chat_member(forum.id, bot.id)).status == "member"
        assert (await bot.get_chat_member(forum.id, tg.user("Ben").id)).status == "left"
        assert await bot.get_chat_member_count(forum.id) == 3

    async def test_a_public_channel_has_a_name(self, tg: TelegramEmulator, bot: Bot) -> None:
        channel = tg.channel("News", username="SkyNews")
        await bot.send_message("@skynews", "x")
        assert [m.text for m in tg.messages(channel)] == ["x"]

    async def test_commands_are_kept_per_scope_and_language(
        self, tg: TelegramEmulator, bot: Bot, chat: Chat
    ) -> None:
        private = BotCommandScopeAllPrivateChats()
        await bot.set_my_commands([BotCommand("latest", "The latest posts")])
        await bot.set_my_commands([BotCommand("page", "翻页")], scope=private, language_code="zh")
        assert [c.command for c in await bot.get_my_commands()] == ["latest"]
        assert await bot.get_my_commands(scope=private) == ()
        chinese = await bot.get_my_commands(scope=private, language_code="zh")
        assert [c.description for c in chinese] == ["翻页"]
        await bot.delete_my_commands(scope=private, language_code="zh")
        assert await bot.get_my_commands(scope=private, language_code="zh") == ()
        await bot.set_my_commands([BotCommand("latest", "x")], scope=BotCommandScopeChat(chat.id))
        with pytest.raises(BadRequest, match=r"(?i)bot_command_invalid"):
            await bot.set_my_commands([BotCommand("Latest", "x")])
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.set_my_commands([], scope=BotCommandScopeChat(5))
