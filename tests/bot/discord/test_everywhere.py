"""One process serves Telegram, Discord and a terminal: a new post reaches chats of every kind, once."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bot.platforms.telegram.adapter import TelegramAdapter
from bot.platforms.telegram.limits import limits
from bot.platforms.terminal.adapter import TerminalAdapter
from bot.platforms.terminal.limits import LIMITS
from scheduler.types import ChatKind, Place
from tests.bot.discord.live import Live, live
from tests.emulators.discord import DiscordEmulator, Guild
from tests.emulators.telegram import TelegramEmulator


@contextmanager
def open_input(text: str) -> Iterator[TextIO]:
    """Lines after which nobody hangs up."""
    read, write = os.pipe()
    os.write(write, text.encode())
    try:
        with os.fdopen(read) as lines:
            yield lines
            os.close(write)
    finally:
        pass


async def test_a_post_reaches_chats_of_every_kind_once(
    dc: DiscordEmulator, club: Guild, folder: Path
) -> None:
    news = dc.text(club, "news")
    forum = dc.forum(club, "updates")
    channels = [
        news,
        dc.announcement(club, "announcements"),
        dc.thread(news, "a thread"),
        dc.dm(dc.user("Ann")),
    ]
    output = io.StringIO()
    async with TelegramEmulator() as tg:
        supergroup = tg.forum("Forum", ["News"])
        topic = tg.topic(supergroup, "News")
        chats = [tg.private(tg.user("Bob")), tg.group("Group"), tg.channel("Channel"), tg.supergroup("Big")]
        with open_input("/subscribe\n") as lines:
            async with live(
                dc,
                folder,
                others=lambda: [
                    TelegramAdapter(tg.token, tg.url, limits()),
                    TerminalAdapter(LIMITS, lines, output),
                ],
                run=False,
                telegram_token=tg.token,
                telegram_api_url=tg.url,
            ) as sky:
                await serve(sky)
                for channel in (*channels, forum):
                    await sky.follow(channel)
                places = [Place("telegram", str(chat.id)) for chat in chats]
                places += [Place("telegram", str(supergroup.id), str(topic))]
                for place in places:
                    await sky.subscribe(place, ChatKind.GROUP)
                await sky.until(lambda: follows(sky, Place("terminal", "me")))
                await sky.publish("new")
                for place in (*places, *map(sky.place, (*channels, forum)), Place("terminal", "me")):
                    assert await sky.ended(place) == ["sent"]
                assert [sky.posts(channel) for channel in channels] == [["new"]] * 4
                (post,) = [thread for thread in club.threads.values() if thread.parent is forum]
                assert sky.posts(post) == ["new"]
        texts = [message.text.splitlines()[0] for message in tg.sent]
        assert texts == ["Post new"] * 5
        assert {message.chat_id for message in tg.sent} == {chat.id for chat in (*chats, supergroup)}
        assert len(tg.messages(supergroup, topic)) == 1
    assert output.getvalue().count("Post new") == 1


async def serve(sky: Live) -> None:
    sky.start()
    await sky.connected()


async def follows(sky: Live, place: Place) -> bool:
    async with sky.app.store.read() as work:
        chat = await work.chats.find(place)
        return chat is not None and bool(await work.subscriptions.of(chat.id))
