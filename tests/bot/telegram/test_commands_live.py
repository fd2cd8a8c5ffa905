"""Commands as people give them, everywhere that Telegram lets them."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

from structlog.testing import capture_logs

from bot.commands import MENU
from tests.bot.telegram.live import MENUS, Live
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram.faults import (
    answers,
    bad_gateway,
    delivered_then_dropped,
    migrated,
    refused,
    too_many,
)


async def test_a_command_is_answered_where_it_was_given(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    reply = await sky.answer(ann, "/latest")
    assert reply.text.startswith("INCOMING TRANSMISSION\n\nLATEST UPDATES\n")
    assert "Post old: The text of old." in reply.text
    assert [entity.url for entity in reply.entities if entity.url] == ["https://example.org/old"]
    for chat in (tg.group("Group"), tg.supergroup("Supergroup"), tg.channel("Channel")):
        assert "Post old" in (await sky.answer(chat, "/latest")).text
    forum = tg.forum("Club", ["News"])
    news = tg.topic(forum, "News")
    assert (await sky.answer(forum, "/latest", thread=news)).thread_id == news
    assert (await sky.answer(forum, "/latest")).thread_id is None
    earlier = tg.messages(forum)[-1]
    # A reply in General carries a thread id that is none.
    assert (await sky.answer(forum, "/latest", reply_to=earlier.message_id)).thread_id is None


async def test_a_chinese_person_is_answered_in_chinese(tg: TelegramEmulator, sky: Live) -> None:
    wei = tg.private(tg.user("Wei", language="zh-hans"))
    assert "搜索中英文文章" in (await sky.answer(wei, "/start")).text
    assert (await sky.known(wei)).language == "zh"
    assert "SEARCH RESULTS" not in (await sky.answer(wei, "/search 无线电")).text


async def test_what_is_no_command_of_ours_is_answered_in_private_alone(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    group = tg.supergroup("Group", bot="administrator")  # an admin sees every message
    for text in ("/latest@another_bot", "/weather", "look: /latest", "good morning"):
        tg.say(group, text)
    assert "Post old" in (await sky.answer(group, "/LATEST@Skywave_Test_Bot")).text
    channel = tg.channel("Channel")
    tg.say(channel, "/weather")
    tg.edit(tg.say(ann, "what is new?"), "/latest")
    await sky.barrier()
    assert [len(tg.messages(chat)) for chat in (group, channel, ann)] == [1, 0, 0]
    assert (await sky.answer(ann, "/weather")).text == (
        "⚠ There is no command /weather. /help lists them all."
    )


async def test_members_are_refused_what_admins_may(tg: TelegramEmulator, sky: Live) -> None:
    group, bob, eve = tg.supergroup("Group"), tg.user("Bob"), tg.user("Eve")
    tg.promote(group, eve)
    assert (await sky.answer(group, "/subscribe", by=bob)).text == (
        "⚠ Only admins of this chat can use /subscribe."
    )
    assert not sky.read("SELECT id FROM subscriptions")
    assert "now follows" in (await sky.answer(group, "/subscribe", by=eve)).text
    assert "Unsubscribed from" in (await sky.answer(group, "/unsubscribe")).text  # the owner
    asked = len(tg.requests("getChatMember"))
    # Who speaks as the chat is its admin.
    channel = tg.channel("Channel")
    assert "now follows" in (await sky.answer(group, "/subscribe", anonymous=True)).text
    assert "now follows" in (await sky.answer(channel, "/subscribe")).text
    assert len(tg.requests("getChatMember")) == asked


async def test_a_topic_is_subscribed_by_itself(tg: TelegramEmulator, sky: Live) -> None:
    forum = tg.forum("Club", ["News", "Talk"])
    news, talk = tg.topic(forum, "News"), tg.topic(forum, "Talk")
    await sky.answer(forum, "/subscribe", thread=news)
    await sky.publish("new")
    await sky.ended(forum, news)
    assert sky.posts(forum, news) == ["Post new"]
    assert not tg.messages(forum, talk)
    (sent,) = [message for message in tg.messages(forum, news) if message.text.startswith("Post new")]
    why = await sky.answer(forum, "/why", thread=news, reply_to=sent.message_id)
    assert why.text.startswith("Post new\nSent here: ")
    assert why.text.endswith("This chat follows all public sources, so also Radio notes.")
    assert "Reply to a message" in (await sky.answer(forum, "/why", thread=news)).text


async def test_a_person_who_cannot_be_looked_up_is_told_nothing_and_others_go_on(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    group = tg.supergroup("Group")
    tg.faults.add(refused("server-error"), "getChatMember")
    tg.say(group, "/subscribe")
    assert (await sky.answer(ann, "/latest")).text
    async with sky.app.store.read() as work:
        assert not await work.subscriptions.all()


async def test_an_update_that_cannot_be_read_ends_nothing(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    tg.world.updates.put("message", {"message_id": "none"})
    tg.world.updates.put("my_chat_member", {"chat": 1})
    assert (await sky.answer(ann, "/latest")).text


async def test_the_menu_has_the_commands_in_every_language(tg: TelegramEmulator, with_menus: Live) -> None:
    default = json.dumps({"type": "default"})
    menus = [tg.world.commands[default, code] for code in MENUS]
    for menu in menus:
        assert [command["command"] for command in menu] == [c.name for c in MENU]
    described = [menu[0]["description"] for menu in menus]
    assert described[:2] == ["show the newest posts", "查看最新文章"] and len(set(described)) == len(menus)


async def test_a_flood_wait_for_a_reply_is_waited_for(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    tg.faults.add(answers(too_many(7)), "sendMessage", ann.id)
    assert (await sky.answer(ann, "/latest")).text
    assert 7.0 in sky.clock.slept
    assert len(tg.messages(ann)) == 1


async def test_a_reply_that_would_come_too_late_is_left_out(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    tg.faults.add(answers(too_many(3600)), "sendMessage", ann.id)
    tg.say(ann, "/latest")
    await sky.barrier()
    assert not tg.messages(ann)


async def test_a_rejected_reply_is_sent_plainer(tg: TelegramEmulator, sky: Live, ann: Chat) -> None:
    tg.faults.add(refused("cannot-parse"), "sendMessage", ann.id)
    reply = await sky.answer(ann, "/latest")
    assert not reply.entities
    assert "https://example.org/old" in reply.text


async def test_a_reply_that_is_rejected_in_every_form_is_a_line_in_the_log(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    tg.faults.add(refused("cannot-parse"), "sendMessage", ann.id, times=None)
    with capture_logs() as events:
        tg.say(ann, "/latest")
        await sky.barrier()
    assert [event["error"] for event in events if event["event"] == "telegram.update_failed"] == [
        "ContentRejected"
    ]


async def test_a_reply_that_cannot_be_sent_is_a_line_in_the_log(tg: TelegramEmulator, sky: Live) -> None:
    # The reply is not repeated, for it may have arrived. Missing rights are told in private.
    requests = {refused("no-rights"): 2, bad_gateway(): 1, delivered_then_dropped(): 1}
    for fault, expected in requests.items():
        group, before = tg.supergroup("Group"), len(tg.requests("sendMessage"))
        tg.faults.add(fault, "sendMessage", group.id)
        with capture_logs() as events:
            tg.say(group, "/latest")
            await sky.until(partial(_has_failed, events))
        (failed,) = [event for event in events if event["event"] == "telegram.update_failed"]
        assert failed["log_level"] == "warning"
        assert "exc_info" not in failed
        await sky.barrier()
        assert len(tg.requests("sendMessage")) - before == expected + 1  # and the answer to Zoe


async def _has_failed(events: Sequence[Mapping[str, object]]) -> bool:
    return any(event["event"] == "telegram.update_failed" for event in events)


async def test_a_reply_to_a_chat_that_is_gone_deactivates_it(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.answer(ann, "/latest")
    tg.faults.add(refused("blocked"), "sendMessage", ann.id)
    tg.say(ann, "/latest")
    await sky.barrier()
    known = await sky.known(ann)
    assert (str(known.state), known.reason) == ("gone", "Forbidden: bot was blocked by the user")


async def test_a_reply_follows_a_group_that_moves_meanwhile(tg: TelegramEmulator, sky: Live) -> None:
    group, supergroup = tg.group("Group"), tg.supergroup("Group")
    tg.faults.add(answers(migrated(supergroup.id)), "sendMessage", group.id)
    tg.say(group, "/latest")
    await tg.wait_for(lambda: tg.messages(supergroup) or None)
    assert (await sky.known(supergroup)).title == "Group"
