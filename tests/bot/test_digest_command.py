"""/digest: schedules in words and local time, and what a wrong one gets."""

import pytest

from tests.bot.conftest import Desk, shown


async def names(desk: Desk, place: str = "1") -> dict[str, str]:
    """What the chat's subscriptions come with, by source: the name of a digest, or at once."""
    chat = await desk.chat(place)
    async with desk.store.read() as work:
        digests = {digest.id: digest.name for digest in await work.digests.of(chat.id)}
        sources = {source.id: source.name for source in await work.sources.all()}
        return {
            sources.get(one.source_id or 0, "all"): digests.get(one.digest_id or 0, "at once")
            for one in await work.subscriptions.of(chat.id)
        }


async def test_a_schedule_is_understood_and_its_next_runs_are_shown(desk: Desk) -> None:
    await desk.say("/subscribe")
    said = shown(await desk.say("/digest mon,thu 08:00 shanghai")).splitlines()
    assert said[0] == "New posts for this chat now come as a digest: mon,thu 08:00 (Asia/Shanghai)."
    assert said[2:] == [
        "• Monday, March 2, 2026 08:00",
        "• Thursday, March 5, 2026 08:00",
        "• Monday, March 9, 2026 08:00",
    ]
    assert await names(desk) == {"all": "1"}


async def test_a_chat_that_follows_nothing_is_told_that_its_digest_follows_everything(desk: Desk) -> None:
    told = "This chat had no subscriptions, so it now follows all public sources."
    assert told in shown(await desk.say("/digest daily 09:00")).splitlines()[0]
    assert await desk.follows() == [None]
    assert told not in shown(await desk.say("/digest daily 10:00"))


async def test_the_zone_that_was_named_once_is_the_chats(desk: Desk) -> None:
    await desk.say("/digest daily 09:00 Asia/Shanghai")
    assert "daily 10:00 (Asia/Shanghai)" in shown(await desk.say("/digest daily 10:00"))
    assert (await desk.chat()).timezone == "Asia/Shanghai"


async def test_list_shows_the_schedule_or_how_to_make_one(desk: Desk) -> None:
    assert "This chat has no digest. For example: /digest daily 09:00" in shown(
        await desk.say("/digest list")
    )
    await desk.say("/digest weekdays 18:30")
    for line in ("/digest list", "/digest"):
        assert "The digest of this chat: weekdays 18:30 (UTC)." in shown(await desk.say(line))


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/digest daily 25:00", "I don't understand “25:00”. Did you mean: /digest daily 23:00"),
        ("/digest dayly 9", "I don't understand “dayly”. Did you mean: /digest daily 09:00"),
        ("/digest daily 09:00 Asia/Shangai", "Did you mean: /digest daily 09:00 Asia/Shanghai"),
    ],
)
async def test_a_schedule_that_makes_no_sense_gets_the_nearest_one(
    desk: Desk, line: str, answer: str
) -> None:
    reply = await desk.say(line)
    assert answer in shown(reply)
    assert reply and reply.private
    async with desk.store.read() as work:
        assert await work.digests.all() == []


async def test_now_sends_what_waits(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    await desk.say("/digest daily 09:00")
    assert shown(await desk.say("/digest now")) == "Nothing new for the digest."
    await desk.publish("old", "new")
    assert shown(await desk.say("/digest now")) == "Sending the digest now."


async def test_off_says_whether_something_waited(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    await desk.say("/digest daily 09:00")
    await desk.publish("old", "new")
    assert "Sending the queued posts now." in shown(await desk.say("/digest off"))
    assert await names(desk) == {"all": "at once"}
    assert "has no digest" in shown(await desk.say("/digest off"))


async def test_only_admins_schedule(desk: Desk) -> None:
    assert "Only admins" in shown(await desk.say("/digest daily 09:00", admin=False))


async def test_a_chinese_reader_may_write_and_read_chinese(desk: Desk) -> None:
    said = shown(await desk.say("/digest 每天 9点 Asia/Shanghai", locale="zh-hans"))
    assert said.startswith("今后将按以下时间汇总推送：每天 09:00（Asia/Shanghai）。")
    assert "2026年3月2日星期一 09:00" in said
