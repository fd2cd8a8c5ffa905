"""/read, /more and similar posts: they refer to the page that the chat was shown last."""

import asyncio
from dataclasses import replace

from bot.commands.types import Reply
from bot.numbers import LARGEST
from content.errors import StoreBusy
from scheduler.ports import Shown
from tests.bot.conftest import Desk, open_desk, shown

POSTS = [f"post-{n} about sourdough" for n in range(7)]


def posts_of(reply: Reply | None) -> list[str]:
    return [line for line in shown(reply).splitlines() if line.startswith("post-")]


async def test_a_post_of_the_page_is_shown_in_full(desk: Desk) -> None:
    words = "sourdough " * 30 + "the very end"
    await desk.source(*POSTS, f"post-long {words}")
    page = posts_of(await desk.say("/latest"))
    assert "the very end" not in page[0]
    assert "the very end" in shown(await desk.say("/read 1"))
    assert page[1] in shown(await desk.say("/read 2")), "the page is still the last one"
    assert posts_of(await desk.say("/search about"))[2] in shown(await desk.say("/read  3 "))


async def test_more_goes_on_where_the_chat_is(desk: Desk) -> None:
    await desk.source(*POSTS)
    for first in ("/latest", "/search sourdough"):
        seen = posts_of(await desk.say(first))
        second = await desk.say("/more")
        assert posts_of(second)[0] in shown(await desk.say("/read 1"))
        seen += posts_of(second) + posts_of(await desk.say("/more"))
        assert sorted(seen) == POSTS
        assert "That was the last page." in shown(await desk.say("/more"))
    back = await desk.say("/latest")
    assert back is not None
    await desk.press(next(b.data for b in back.buttons if b.label == "3"))
    assert "That was the last page." in shown(await desk.say("/more")), "a turned page counts"


GIVEN = ("", "0", "4", "x", "-1", "1.5", "²", "9" * 20, str(LARGEST), "1 2")


async def test_what_is_no_post_of_the_page_is_answered_with_those_that_are(desk: Desk) -> None:
    await desk.source(*POSTS)
    for lines, answer in (
        ((), "Send /latest or /search first."),
        (("/search nothing-of-that",), "Send /latest first."),
        (("/latest",), "/read 1 to /read 3"),
    ):
        for line in lines:
            await desk.say(line)
        for given in GIVEN:
            assert answer in shown(await desk.say(f"/read {given}")), (answer, given)


async def test_there_is_no_more_before_the_first_page(desk: Desk) -> None:
    assert "Send /latest or /search first." in shown(await desk.say("/more"))


async def test_pages_belong_to_a_chat_and_survive_a_restart(sqlite_url: str) -> None:
    async with open_desk(sqlite_url) as desk:
        await desk.source(*POSTS)
        first, other = await desk.say("/latest", place="1"), await desk.say("/page 3", place="2")
    async with open_desk(sqlite_url) as desk:
        assert posts_of(first)[1] in shown(await desk.say("/read 2", place="1"))
        assert posts_of(other)[0] in shown(await desk.say("/read 1", place="2"))
        assert "/read 1 to /read 1" in shown(await desk.say("/read 2", place="2"))


async def test_nobody_reads_what_the_chat_may_not_see_any_more(desk: Desk) -> None:
    await desk.source(*POSTS, public=False)
    await desk.say("/subscribe https://example.org/feed.json")
    await desk.say("/latest")
    read = await desk.say("/read 1")
    assert read is not None
    (button,) = read.buttons
    assert "Posts similar to" in shown(await desk.press(button.data))
    await desk.say("/latest")
    await desk.say("/unsubscribe Example")
    assert "no longer available" in shown(await desk.say("/read 1"))
    assert "no longer available" in shown(await desk.press(button.data))
    assert "no longer available" in shown(await desk.press(button.data, place="2"))


async def test_similar_posts(desk: Desk) -> None:
    await desk.source(
        "post-1 rye sourdough in winter",
        "post-2 winter tyres",
        "post-3 sourdough with rye flour",
        "post-4 大模型微调",
        "post-5 用 LoRA 微调大模型",
        *[f"post-{n} something else" for n in range(10, 16)],
    )
    await desk.say("/search rye winter")
    read = await desk.say("/read 1")
    assert read and [button.label for button in read.buttons] == ["Similar posts"]
    alike = await desk.press(read.buttons[0].data)
    assert posts_of(alike) == ["post-3 sourdough with rye flour"]
    assert "Posts similar to “post-1 rye sourdough in winter”" in shown(alike)
    assert "post-3" in shown(await desk.say("/read 1")), "they are the page now"
    await desk.say("/search 大模型微调")
    read = await desk.say("/read 1", locale="zh")
    assert read and read.buttons[0].label == "相似文章"
    assert "LoRA" in shown(await desk.press(read.buttons[0].data))


async def test_a_post_like_no_other(desk: Desk) -> None:
    await desk.source("post-1 unique")
    await desk.say("/latest")
    read = await desk.say("/read 1")
    assert read is not None
    assert "There are no similar posts." in shown(await desk.press(read.buttons[0].data))


async def test_garbage_is_not_answered(desk: Desk) -> None:
    for data in ("m", "m:", "m:x", "m:-1", "m:" + "9" * 20, "m:²"):
        assert await desk.press(data) is None, data


async def test_a_page_is_shown_although_it_cannot_be_remembered(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.say("/latest")
    await desk.services.shown.settled()
    desk.store.outages = [StoreBusy("locked by another process")]
    assert posts_of(await desk.say("/page 2"))
    await desk.services.shown.settled()
    assert posts_of(await desk.say("/more"))[0] == POSTS[3], "what was remembered before"


async def test_an_answer_does_not_wait_for_who_writes(desk: Desk) -> None:
    await desk.source(*POSTS)
    released = asyncio.Event()

    async def another_writes() -> None:
        await released.wait()

    await desk.say("/latest")
    await desk.services.shown.settled()
    desk.store.on_write = another_writes
    async with asyncio.timeout(10):
        assert posts_of(await desk.say("/page 2")) == posts_of(await desk.say("/page 2"))
        assert POSTS[3] in shown(await desk.say("/read 1")), "though it is not written yet"
        assert posts_of(await desk.say("/more"))[0] == POSTS[0]
        released.set()
        await desk.services.shown.settled()


async def test_a_chat_that_was_removed_costs_no_other_its_page(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.say("/latest", place="1")
    await desk.services.shown.settled()
    chat, page = await desk.chat(), Shown("l:0:2:99", 3, (1,))
    desk.services.shown.note(replace(chat, id=999), page)
    desk.services.shown.note(chat, page)
    await desk.services.shown.settled()
    async with desk.store.read() as work:
        assert await work.views.last(chat.id) == page
        assert await work.views.last(999) is None
