"""People are answered in time while much is read: Discord waits three seconds for an acknowledgement."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from content.types import Source, Visibility
from tests.bot.discord.live import Live, text_of
from tests.e2e.program import item, json_feed
from tests.emulators.discord import Channel, DiscordEmulator

SOURCES, POSTS = 30, 5
BODY = "<p>" + "夜里的天线收到了 a distant beacon, 我们记下 its waterfall. " * 12 + "</p>"


async def unread(sky: Live) -> list[Source]:
    """Sources that were never polled, each with posts."""
    for number in range(SOURCES):
        posts = (item(f"{number}-{n}", content_html=BODY) for n in range(POSTS))
        sky.feeds.documents[f"/{number}"] = json_feed(*posts, title=f"Feed {number}")
    async with sky.app.store.write() as work:
        added = [
            await work.sources.add("feed", f"{sky.feeds.url}/{n}", f"Feed {n}", Visibility.PUBLIC)
            for n in range(SOURCES)
        ]
        for source in added:  # no tick reads it
            later = sky.clock.now() + timedelta(days=1)
            await work.sources.save(replace(source, next_poll_at=later))
        await work.commit()
    return added


async def test_no_interaction_fails_while_many_sources_are_polled(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    sources = await unread(sky)

    async def poll() -> list[int]:
        return [result.new async for result in sky.app.poller.poll_each(sources)]

    polling, made = asyncio.create_task(poll()), []
    while not polling.done():
        for interaction in (dc.slash(news, "latest"), dc.slash(news, "search", words="beacon 天线")):
            await sky.answer_to(interaction)
            made.append(interaction)
    assert polling.result() == [POSTS] * SOURCES
    assert len(made) >= 6, "the poll was over before anybody asked"
    assert not any(dc.has_failed(one) for one in made)
    assert "Post " in text_of(await sky.answer(news, "latest"))
