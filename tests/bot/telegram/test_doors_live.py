"""Inline mode, and lists of feeds as files, with the real client library."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.bot.live import PATIENCE
from tests.bot.telegram.live import Live, live
from tests.bot.test_exchange import opml
from tests.bot.transcripts import ThatDay, Transcript
from tests.emulators.telegram import TelegramEmulator, User
from tests.emulators.telegram.types import InlineAnswer


@pytest_asyncio.fixture
async def sky(tg: TelegramEmulator, empty_folder: Path) -> AsyncIterator[Live]:
    async with live(tg, empty_folder, clock=ThatDay()) as running:
        yield running


async def test_posts_are_offered_in_every_chat(tg: TelegramEmulator, sky: Live) -> None:
    transcript = Transcript(Path(__file__).with_name("inline.txt"))

    async def offered(tg: TelegramEmulator, person: User, text: str, offset: str = "") -> InlineAnswer:
        number = tg.type_inline(person, text, offset)
        answer = await tg.wait_for(lambda: tg.world.inline[number], PATIENCE)
        more = f" and scrolls to {offset}" if offset else ""
        transcript.did(f"{person.name} types @{tg.world.bot.username} {text}".rstrip() + more)
        for one in answer.results:
            transcript.saw(f"{one.title}\n{one.description}")
        if answer.button:
            transcript.saw("", [[answer.button]])
        return answer

    await sky.publish(*(f"n{number}" for number in range(12)))
    ann = tg.user("Ann", language="zh-hans")
    newest = await offered(tg, ann, "")
    assert len(newest.results) == 10 and newest.is_personal and newest.cache_time == 30
    rest = await offered(tg, ann, "", newest.next_offset)
    assert len(rest.results) == 3 and not rest.next_offset
    (found,) = (await offered(tg, ann, "old")).results
    assert found.title == "Post old" and "Radio notes" in found.description
    assert found.text.splitlines()[0] == "Post old" and "The text of old." in found.text
    assert (
        [entity.url for entity in found.entities if entity.url] == [found.url] == ["https://example.org/old"]
    )
    transcript.did("Ann takes it, and sends to Bob")
    transcript.saw(found.text)
    assert (await offered(tg, ann, "nonesuch")).button == "没有找到与“nonesuch”相关的文章。"
    transcript.compare()
    assert not tg.messages(ann.id)


async def test_a_list_of_feeds_comes_and_goes_as_a_file(tg: TelegramEmulator, sky: Live) -> None:
    feed, inside = f"{sky.feeds.url}/feed", f"{sky.feeds.url}/other"
    ann = tg.private(tg.user("Ann"))
    tg.send_file(ann, "feeds.OPML", opml(feed, inside))
    (told,) = await tg.wait_for(lambda: tg.messages(ann) or None, PATIENCE)
    assert (
        told.text
        == f"Subscribed to 1 feed.\n\nNot imported:\n• {inside} cannot be reached: check the address."
    )
    exported = await sky.answer(ann, "/export")
    assert exported.media and exported.text == "The feed of this chat."
    document = exported.media["document"]
    assert isinstance(document, dict) and document["file_name"] == "skywave.opml"
    file = tg.world.stored[document["file_id"]]

    # In a group, a file is meant for the bot only if it says so, by its caption or by an answer.
    group = tg.supergroup("Club", bot="administrator")
    tg.send_file(group, "feeds.opml", file.content)
    tg.send_file(group, "feeds.opml", file.content, "/search old")
    listed = tg.send_file(group, "talk.xml", file.content)
    assert (await sky.answer(group, "/import", reply_to=listed.message_id)).text == "Subscribed to 1 feed."
    tg.send_file(group, "feeds.opml", b"<html>", "/import@skywave_test_bot", by=tg.user("Bob"))
    (_, refused) = await tg.wait_for(lambda: tg.messages(group)[1:] and tg.messages(group), PATIENCE)
    assert refused.text == "⚠ Only admins of this chat can use /import."
    tg.send_file(ann, "large.opml", b"", size=2**21)
    large = await tg.wait_for(lambda: tg.messages(ann)[2:] or None, PATIENCE)
    assert large[0].text == "⚠ The file is larger than 1 MiB. Please split it."
    assert len(tg.requests("getFile")) == 2
