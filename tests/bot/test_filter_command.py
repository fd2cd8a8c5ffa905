"""/filter: which source is meant, what its buttons may do, and that it works on what is read from then on."""

import pytest

from scheduler.ports import DeliveryFilter
from scheduler.types import Chat, Place
from tests.bot.conftest import OPERATOR, Desk, shown

OTHER = "https://example.org/other.json"


async def titles(desk: Desk, chat: Chat) -> list[str]:
    """How the posts begin that wait for a chat."""
    async with desk.store.read() as work:
        found = await work.outbox.find(DeliveryFilter(chat_id=chat.id), 100)
        posts = [post for delivery in found for post in delivery.posts]
        return sorted(post.text.split()[0] for post in await work.posts.by_ids(posts))


async def save(desk: Desk, line: str) -> str:
    reply = await desk.say(line)
    assert reply is not None and reply.buttons, shown(reply)
    return shown(await desk.press(reply.buttons[0].data))


async def test_what_is_read_from_then_on_is_filtered(desk: Desk) -> None:
    await desk.source("old news")
    await desk.say("/subscribe Example")
    said = "Saved. Only posts of Example that pass “python -job” are sent here now."
    assert await save(desk, "/filter python -job") == said
    await desk.publish("old news", "first about python", "second about rust", "third python job")
    assert await titles(desk, await desk.chat()) == ["first"]
    assert shown(await desk.say("/filter OFF")) == "All posts of Example pass again."
    await desk.publish("second about rust", "fourth about rust")
    assert await titles(desk, await desk.chat()) == ["first", "fourth"]
    assert shown(await desk.say("/filter off")) == "Example has no filter here."


async def test_updates_to_all_are_filtered_as_well(desk: Desk) -> None:
    await desk.say("/subscribe")
    await save(desk, "/filter -rain")
    for text in ("Rain tomorrow", "Sun tomorrow"):
        reply = await desk.say(f"/post {text}", place="9", actor=OPERATOR)
        assert reply is not None
        await desk.press(reply.buttons[0].data, place="9", actor=OPERATOR)
    async with desk.store.read() as work:
        found = await work.outbox.find(DeliveryFilter(chat_id=(await desk.chat()).id), 100)
        headlines = await work.outbox.headlines([one.broadcast_id for one in found])
    assert [one.title for one in headlines.values()] == ["Sun tomorrow"]


async def test_the_source_that_is_meant(desk: Desk) -> None:
    await desk.source("one")
    await desk.source("two", url=OTHER, title="Field: notes")
    assert "There is no subscription to “all sources” here" in shown(await desk.say("/filter python"))
    await desk.say("/subscribe Example")
    assert shown(await desk.say("/filter python")).startswith("Filter for Example: python\n")
    await desk.say("/subscribe Field: notes")
    told = shown(await desk.say("/filter python"))
    assert told.startswith(
        "⚠ This chat follows several sources. Name one: /filter Example: python, /filter Field"
    )
    assert shown(await desk.say("/filter Field: notes: python")).startswith(
        "Filter for Field: notes: python\n"
    )
    await desk.say("/subscribe")
    for line in ("/filter python", "/filter all: python"):
        assert shown(await desk.say(line)).startswith("Filter for all sources: python\n")
    # A colon in the words is no name.
    for words in ('"a: b"', "/a: b/", "-a: b", "https://example.org"):
        assert shown(await desk.say(f"/filter {words}")).startswith("Filter for all sources: ")
    assert "No source is called “Nowhere”." in shown(await desk.say("/filter Nowhere: python"))


async def test_in_chinese(desk: Desk) -> None:
    await desk.source("大模型训练需要显存", "招聘：大模型工程师")
    await desk.say("/subscribe Example")
    reply = await desk.say("/filter Example：大模型 -招聘", locale="zh")
    assert shown(reply).splitlines()[:2] == [
        "Example 的过滤条件：大模型 -招聘",
        "最新 2 篇文章中有 1 篇通过。",
    ]
    assert reply is not None
    await desk.press(reply.buttons[0].data, locale="zh")
    assert shown(await desk.say("/filter 关闭", locale="zh")) == "已取消过滤，今后推送 Example 的全部文章。"


async def test_buttons_that_are_stale_or_foreign_change_nothing(desk: Desk) -> None:
    await desk.source("one")
    for place in ("1", "2"):
        await desk.say("/subscribe Example", place=place)
    reply = await desk.say("/filter python", place="2")
    assert reply is not None
    data = reply.buttons[0].data
    gone = "⚠ That filter can no longer be saved. To try it again, send /filter."
    assert shown(await desk.press(data)) == gone, "the subscription is another chat's"
    assert shown(await desk.press(data.replace(":1", ":77"), place="2")) == gone
    for wrong in ("f", "f:s", "f:s:1", "f:s:x:y", "f:s:1:1:1"):
        assert await desk.press(wrong, place="2") is None
    await desk.say("/unsubscribe", place="2")
    assert shown(await desk.press(data, place="2")) == gone
    async with desk.store.read() as work:
        assert [one.filter for one in await work.subscriptions.all()] == [""]


@pytest.mark.parametrize("press", [False, True])
async def test_who_is_no_admin_any_more_is_refused(desk: Desk, press: bool) -> None:
    await desk.source("one")
    await desk.say("/subscribe Example")
    reply = await desk.say("/filter python")
    assert reply is not None
    data = reply.buttons[0].data
    refused = await (desk.press(data, admin=False) if press else desk.say("/filter rust", admin=False))
    assert "Only admins of this chat" in shown(refused)
    async with desk.store.read() as work:
        assert await work.chats.find(Place("fake", "1")) is not None
        assert [one.filter for one in await work.subscriptions.all()] == [""]
