"""Chats that come, go, move and lose a topic, as Telegram's updates tell it."""

import asyncio

from bot.platforms.telegram.limits import GROUP
from tests.bot.telegram.live import Live
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram.faults import answers, held, too_many


async def test_a_block_cancels_what_waits_and_the_chat_comes_back_without_a_flood(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    assert ann.user is not None
    known = await sky.follow(ann)
    tg.faults.add(answers(too_many(600)), "sendMessage", ann.id)
    await sky.publish("one", "two")
    await sky.waits(ann)
    tg.block(ann.user)
    gone = await sky.is_in(ann, "gone")
    assert gone.reason == "the bot was blocked"
    assert await sky.states(ann) == ["cancelled", "cancelled"]
    assert sky.ledger(ann) == {}
    async with sky.app.store.read() as work:
        assert await work.subscriptions.of(known.id)
    await sky.publish("missed")
    tg.unblock(ann.user)
    await sky.is_in(ann, "active")
    await sky.publish("next")
    assert await sky.ended_at_last(ann) == ["cancelled", "cancelled", "sent"]
    assert sky.posts(ann) == ["Post next"]
    tg.block(ann.user)
    await sky.is_in(ann, "gone")
    # The update about an unblock is lost after a day; that somebody speaks is proof enough.
    ann.bot = "member"
    await sky.answer(ann, "/latest")
    assert (await sky.known(ann)).state == "active"


async def polled(tg: TelegramEmulator, times: int) -> None:
    """Return when the bot has asked for updates so often."""
    await tg.wait_for(lambda: len(tg.requests("getUpdates")) >= times or None)


async def test_what_is_told_of_chats_last_is_recorded_before_it_is_acknowledged(
    tg: TelegramEmulator, sky: Live
) -> None:
    """Telegram tells it once: what a crash interrupts must be told again."""
    readers = [tg.user(f"Reader {number}") for number in range(20)]
    await sky.follow_all(map(tg.private, readers))
    for last in ("gone", "active"):
        await sky.stop()
        for reader in readers:
            tg.block(reader)
            if last == "active":
                tg.unblock(reader)
        second = len(tg.requests("getUpdates")) + 2
        sky.start()
        await polled(tg, second)  # which acknowledges what the first poll of this start has brought
        assert sky.chat_states() == {last}


async def test_a_kick_and_a_return(tg: TelegramEmulator, sky: Live) -> None:
    chats = [tg.group("Group"), tg.supergroup("Supergroup"), tg.channel("Channel")]
    forum = tg.forum("Club", ["News", "Talk"])
    topics = [tg.topic(forum, name) for name in ("News", "Talk")]
    for topic in topics:
        await sky.follow(forum, topic=topic)
    for chat in chats:
        await sky.follow(chat)
    for chat in (*chats, forum):
        tg.kick_bot(chat)
    for chat in chats:
        assert (await sky.is_in(chat, "gone")).reason == "the bot was removed"
    for topic in topics:  # all go along with their group, and come back with it
        await sky.is_in(forum, "gone", topic)
    tg.add_bot(forum)
    for topic in topics:
        await sky.is_in(forum, "active", topic)
    tg.kick_bot(forum)
    await sky.is_in(forum, "gone", topics[1])
    await sky.publish("missed")
    for chat in chats:
        tg.add_bot(chat, admin=True)
        await sky.is_in(chat, "active")
    await sky.publish("next")
    for chat in chats:
        assert await sky.ended(chat) == ["sent"]
        assert sky.posts(chat) == ["Post next"]
        # It is told that its settings are back, and not asked anew.
        (told,) = [text for text in sky.texts(chat) if not text.startswith("Post")]
        assert "The settings of this chat apply as before. It follows: all public sources." in told


async def test_rights_that_change_bring_no_greeting(tg: TelegramEmulator, sky: Live) -> None:
    """The update about rights looks like that about an arrival, except for what was before."""
    group = tg.supergroup("Group")
    tg.add_bot(group, admin=True)
    tg.add_bot(group)
    await sky.barrier()
    assert not tg.messages(group)


async def test_a_group_that_becomes_a_supergroup_goes_on(tg: TelegramEmulator, sky: Live) -> None:
    group = tg.group("Group")
    known = await sky.follow(group)
    await sky.publish("one")
    await sky.ended(group)
    supergroup = tg.migrate(group)
    await sky.is_in(supergroup, "active")
    await sky.publish("two")
    assert await sky.ended(supergroup) == ["sent", "sent"]
    assert sky.posts(supergroup) == ["Post two"]
    assert (await sky.known(supergroup)).id == known.id
    assert len(tg.requests("sendMessage")) == 2


async def test_a_supergroup_that_was_known_already_is_united(tg: TelegramEmulator, sky: Live) -> None:
    group = tg.group("Group")
    known = await sky.follow(group)
    await sky.publish("one")
    await sky.ended(group)
    hold = answers(too_many(600))
    tg.faults.add(hold, "sendMessage", group.id, times=None)
    await sky.publish("two")
    await sky.waits(group)
    await sky.stop()
    supergroup = tg.migrate(group)
    await sky.follow(supergroup)
    await sky.publish("three")
    sky.start()
    await sky.until(lambda: _gone_from(sky, group))
    assert await sky.ended_at_last(supergroup) == ["sent"] * 3
    assert sorted(sky.posts(supergroup)) == ["Post three", "Post two"]
    assert sky.posts(group) == ["Post one"]
    assert (await sky.known(supergroup)).id == known.id
    assert sky.ledger(supergroup) == dict.fromkeys(["Post one", "Post two", "Post three"], "sent")


async def _gone_from(sky: Live, chat: Chat) -> bool:
    async with sky.app.store.read() as work:
        return await work.chats.find(sky.place(chat)) is None


async def test_a_closed_topic_waits_until_it_is_opened(tg: TelegramEmulator, sky: Live) -> None:
    forum = tg.forum("Club", ["News", "Talk"])
    news, talk = tg.topic(forum, "News"), tg.topic(forum, "Talk")
    for topic in (news, talk):
        await sky.follow(forum, topic=topic)
    tg.close_topic(forum, news)
    await sky.is_in(forum, "paused", news)
    await tg.wait_for(lambda: tg.messages(forum, 1) or None)
    await sky.publish("one")
    await sky.ended(forum, talk)
    await sky.waits(forum, news)
    await sky.publish("two")
    assert await sky.ended_at_last(forum, talk) == ["sent", "sent"]
    assert sky.texts(forum, 1) == [
        "“Club”: the topic was closed. Posts are queued until it can be written to again."
    ]
    assert not tg.messages(forum, news)
    tg.reopen_topic(forum, news)
    await sky.is_in(forum, "active", news)
    assert await sky.ended_at_last(forum, news) == ["sent", "sent"]
    assert sky.posts(forum, news) == ["Post one", "Post two"]


async def test_a_closed_topic_that_follows_nothing_is_nobodys_business(
    tg: TelegramEmulator, sky: Live
) -> None:
    forum = tg.forum("Club", ["News"])
    news = tg.topic(forum, "News")
    await sky.answer(forum, "/latest", thread=news)
    tg.close_topic(forum, news)
    await sky.barrier()
    assert (await sky.known(forum, news)).state == "active"
    assert not tg.messages(forum, 1)


async def test_new_rights_let_what_waited_go(tg: TelegramEmulator, sky: Live) -> None:
    channel = tg.channel("Channel", bot="member")  # which may not post
    await sky.follow(channel)
    await sky.publish("one")
    await sky.waits(channel)
    await sky.is_in(channel, "paused")
    tg.add_bot(channel, admin=True)
    assert await sky.ended_at_last(channel) == ["sent"]
    assert sky.posts(channel) == ["Post one"]


async def test_limits_count_for_the_group_and_not_for_each_topic(tg: TelegramEmulator, sky: Live) -> None:
    forum = tg.forum("Club", [f"T{number}" for number in range(6)])
    topics = [tg.topic(forum, f"T{number}") for number in range(6)]
    for topic in topics:
        await sky.follow(forum, topic=topic)
    began = sky.clock.monotonic()
    await sky.publish("one")
    for topic in topics:
        assert await sky.ended_at_last(forum, topic) == ["sent"]
    # Three at once and three more, each after an interval.
    assert sky.clock.monotonic() - began >= 3 * GROUP.interval


async def test_a_reply_overtakes_a_broadcast_that_is_stuck(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    go_on = asyncio.Event()
    readers = [tg.private(tg.user(f"Reader {number}")) for number in range(40)]
    await sky.follow_all(readers)
    for reader in readers:
        tg.faults.add(held(go_on), "sendMessage", reader.id)
    await sky.publish("one")
    await tg.wait_for(lambda: tg.requests("sendMessage") or None)
    assert "Post one" in (await sky.answer(ann, "/latest")).text
    assert len(tg.sent) == 1
    go_on.set()
    await sky.all_sent()
