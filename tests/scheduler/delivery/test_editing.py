"""Messages follow their posts: once these are quiet, behind all that is new, and as many as before."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from content.formats import Format
from scheduler.delivery.editing import Editor
from scheduler.delivery.limits import Lane
from scheduler.delivery.pacer import Pacer
from scheduler.errors import ContentRejected, RateLimited, RateScope, Refused
from scheduler.ports import EditLimits
from scheduler.retry import MAX_ATTEMPTS
from scheduler.types import Chat, ChatKind
from tests.builders import new_post
from tests.fakes import Fault
from tests.scheduler.conftest import World, compose
from tests.scheduler.delivery.builders import waiting

QUIET, HOUR = 61, 3601
LIMITS = EditLimits()


def editor(world: World, pacer: Pacer | None = None, limits: EditLimits = LIMITS) -> Editor:
    rng = random.Random(7)
    return Editor(world.store, world.platform, compose, pacer or world.pacer, world.clock, rng, limits)


async def sent(world: World, *posts: str, per_message: int = 100) -> Chat:
    """A chat that has these posts."""
    chat = await waiting(world, *posts, per_message=per_message)
    await world.dispatcher().drain()
    world.clock.advance(1)
    return chat


async def change(world: World, old: str, new: str, html: str = "") -> None:
    """The source shows another text for the post that begins so."""
    ((post_id,),) = world.sql("SELECT id FROM posts WHERE text LIKE ?", f"{old}%")
    post = replace(new_post(text=new), html=html or new)
    async with world.store.write() as work:
        await work.posts.update([(post_id, post)], world.clock.now())
        await work.commit()


async def choose(world: World, chat: Chat, choices: Format) -> None:
    async with world.store.write() as work:
        await work.chats.set_choices(chat.id, choices)
        await work.commit()


async def test_a_changed_post_is_edited_once_it_is_quiet(world: World) -> None:
    chat = await sent(world, "first words")
    editing = editor(world)
    await change(world, "first", "other words")
    assert await editing.edit_due() == 0, "it may change again at once"
    world.clock.advance(30)
    await change(world, "other", "better words")
    world.clock.advance(40)
    assert await editing.edit_due() == 0
    world.clock.advance(30)
    assert await editing.edit_due() == 1
    assert world.platform.texts(chat) == ["better words"]
    assert await editing.edit_due() == 0 and len(world.platform.rewritten) == 1
    assert len(world.platform.attempts) == 1, "no message was added"


async def test_a_change_that_nobody_sees_costs_no_request(world: World) -> None:
    await sent(world, "words")
    for markup in ("<p>words</p>", "<div>words</div>"):
        await change(world, "words", "words", markup)
        world.clock.advance(QUIET)
        assert await editor(world).edit_due() == 1
    assert world.platform.rewritten == []


async def test_a_post_that_always_changes_is_edited_a_few_times(world: World) -> None:
    chat = await sent(world, "words 0")
    for number in range(1, LIMITS.of_delivery + 4):
        await change(world, "words", f"words {number}")
        world.clock.advance(QUIET)
        await editor(world).edit_due()
    assert len(world.platform.rewritten) == LIMITS.of_delivery
    assert world.platform.texts(chat) == [f"words {LIMITS.of_delivery}"]


async def test_a_chat_has_so_many_edits_an_hour(world: World) -> None:
    await world.source()
    await world.chat()
    few = replace(LIMITS, of_chat=2)
    texts = [f"post {number} old" for number in range(few.of_chat + 2)]
    for last in range(1, len(texts) + 1):
        await world.publish(*texts[:last])
    await world.dispatcher().drain()
    world.clock.advance(1)
    for content in texts:
        await change(world, content, content.replace("old", "new"))
    world.clock.advance(QUIET)
    editing = editor(world, limits=few)
    while await editing.edit_due():
        pass
    assert len(world.platform.rewritten) == few.of_chat
    world.clock.advance(HOUR)
    while await editing.edit_due():
        pass
    assert len(set(world.platform.rewritten)) == len(world.platform.rewritten) == len(texts)


async def test_new_posts_go_first(world: World) -> None:
    chat, other = await sent(world, "first"), await world.chat("2")
    await change(world, "first", "edited")
    world.clock.advance(QUIET)
    await world.publish("second")
    editing = editor(world)
    assert await editing.edit_due() == 0
    await world.dispatcher().drain()
    assert await editing.edit_due() == 1
    assert world.platform.texts(chat) == ["edited", "second"]
    assert world.platform.texts(other) == ["second"]


class Late(Pacer):
    """While an edit waits for its permit, a new post comes."""

    def __init__(self, world: World) -> None:
        super().__init__(world.limits, world.clock)
        self._world = world

    async def permit(self, address: str, kind: ChatKind, lane: Lane) -> bool:
        assert lane is Lane.EDIT, "behind all that is new"
        await self._world.publish("second")
        return await super().permit(address, kind, lane)


async def test_a_new_post_overtakes_an_edit_that_waits(world: World) -> None:
    await sent(world, "first")
    await change(world, "first", "edited")
    world.clock.advance(QUIET)
    assert await editor(world, Late(world)).edit_due() == 0
    assert world.platform.rewritten == []


async def test_a_kill_in_between_loses_no_edit_and_repeats_only_the_one_in_flight(world: World) -> None:
    chat = await sent(world, "a\nb\nc", per_message=1)
    await change(world, "a", "x\ny\nz")
    world.clock.advance(QUIET)
    world.platform.edit_faults = [None, Fault(asyncio.CancelledError(), arrived=True)]
    with pytest.raises(asyncio.CancelledError):
        await editor(world).edit_due()
    assert world.platform.texts(chat) == ["x", "y", "c"]
    assert await editor(world).edit_due() == 1
    assert world.platform.texts(chat) == ["x", "y", "z"]
    first, second, third = world.platform.attempts
    assert world.platform.rewritten == [first, second, second, third]


@pytest.mark.parametrize(
    ("new", "shown"),
    [
        ("x\ny\nz", ["x", "y", "z"]),
        ("x\ny", ["x", "y", "…"]),
        ("x", ["x", "…", "…"]),
        ("v\nw\nx\ny\nz", ["v", "w", "…"]),
    ],
)
async def test_an_edit_adds_and_removes_no_message(world: World, new: str, shown: list[str]) -> None:
    chat = await sent(world, "a\nb\nc", per_message=1)
    await change(world, "a", new)
    world.clock.advance(QUIET)
    assert await editor(world).edit_due() == 1
    assert world.platform.texts(chat) == shown


async def test_a_message_that_is_gone_is_left_alone_and_says_why(world: World) -> None:
    chat = await sent(world, "first")
    await change(world, "first", "second")
    world.clock.advance(QUIET)
    world.platform.edit_faults = [Fault(ContentRejected("message to edit not found"))]
    assert await editor(world).edit_due() == 1
    assert world.deliveries(chat) == [("sent", "not edited: message to edit not found")]
    await change(world, "second", "third")
    world.clock.advance(QUIET)
    assert await editor(world).edit_due() == 0 and len(world.platform.rewritten) == 1


async def test_an_edit_that_is_refused_is_tried_again_and_in_the_end_given_up(world: World) -> None:
    chat = await sent(world, "first")
    await change(world, "first", "second")
    world.clock.advance(QUIET)
    editing = editor(world)
    world.platform.edit_faults = [Fault(Refused("overloaded"))]
    assert await editing.edit_due() == 0 and await editing.edit_due() == 0, "it rests"
    assert len(world.platform.rewritten) == 1
    world.clock.advance(HOUR)
    assert await editing.edit_due() == 1 and world.platform.texts(chat) == ["second"]
    await change(world, "second", "third")
    world.platform.edit_faults = [Fault(Refused("overloaded")) for _ in range(MAX_ATTEMPTS)]
    for _ in range(MAX_ATTEMPTS + 2):
        world.clock.advance(HOUR)
        await editing.edit_due()
    assert len(world.platform.rewritten) == 2 + MAX_ATTEMPTS
    assert world.deliveries(chat) == [("sent", "not edited: overloaded")]


async def test_a_rate_limit_holds_edits_as_it_holds_posts(world: World) -> None:
    chat = await sent(world, "first")
    await change(world, "first", "second")
    world.clock.advance(QUIET)
    wait = timedelta(seconds=500)
    world.platform.edit_faults = [Fault(RateLimited("slow down", retry_after=wait, scope=RateScope.CHAT))]
    editing = editor(world)
    assert await editing.edit_due() == 0
    assert world.pacer.chat_wait("1", ChatKind.PRIVATE) == pytest.approx(500)
    world.clock.advance(501)
    assert await editing.edit_due() == 1 and world.platform.texts(chat) == ["second"]


async def test_what_is_old_or_not_wanted_is_not_edited(world: World) -> None:
    chat = await sent(world, "first")
    await choose(world, chat, Format(edits=False, pictures=True))
    await change(world, "first", "second")
    world.clock.advance(QUIET)
    assert await editor(world).edit_due() == 0
    await choose(world, chat, Format(edits=True))
    world.clock.advance(LIMITS.age.total_seconds())
    assert await editor(world).edit_due() == 0 and world.platform.rewritten == []


async def test_it_runs_until_it_is_told_to_stop(world: World) -> None:
    chat = await sent(world, "first")
    editing = editor(world)
    running = asyncio.create_task(editing.run())
    await change(world, "first", "second")
    world.clock.advance(QUIET)
    editing.wake()
    async with asyncio.timeout(10):
        while world.platform.texts(chat) != ["second"]:
            await asyncio.sleep(0)
        editing.stop()
        await running
