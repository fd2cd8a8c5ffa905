"""Content that a platform rejects is sent in plainer forms, and what arrived before stays sent."""

import pytest

from scheduler.errors import Ambiguous, ContentRejected, Refused
from scheduler.ports import DeliveryFilter
from scheduler.types import Broadcast, BroadcastKind, ChatKind, Form
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import FOUR_LINES, sends_end, until_quiet, waiting


@pytest.mark.parametrize(
    ("faults", "form"),
    [
        ([], Form.FULL),
        ([ContentRejected("picture", media=True)], Form.NO_MEDIA),
        ([ContentRejected("markup")], Form.PLAIN),
        ([ContentRejected("picture", media=True), ContentRejected("markup")], Form.PLAIN),
    ],
)
async def test_rejected_content_is_sent_plainer(
    world: World, faults: list[ContentRejected], form: Form
) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(error) for error in faults]
    await world.dispatcher().drain()
    assert [seen.form for seen in world.platform.arrived] == [form]
    assert len(set(world.platform.attempts)) == len(world.platform.attempts)  # each form has its own key
    assert world.ledger(chat) == {"hello": "sent"}


@pytest.mark.parametrize(
    ("faults", "form"),
    [
        ([], Form.RICH),
        ([ContentRejected("picture", media=True)], Form.RICH_TEXT),
        ([ContentRejected("no such method")], Form.FULL),
        ([ContentRejected("picture", media=True), ContentRejected("blocks")], Form.FULL),
        ([ContentRejected("blocks"), ContentRejected("picture", media=True)], Form.NO_MEDIA),
    ],
)
async def test_a_rich_message_that_is_rejected_steps_down(
    world: World, faults: list[ContentRejected], form: Form
) -> None:
    world.platform.rich = True
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(error) for error in faults]
    await world.dispatcher().drain()
    assert [seen.form for seen in world.platform.arrived] == [form]
    assert world.ledger(chat) == {"hello": "sent"}


async def test_each_kind_of_chat_gets_its_own_form(world: World) -> None:
    world.platform.rich = True
    await world.source()
    private = await world.chat("1")
    channel = await world.chat("2", kind=ChatKind.CHANNEL)
    await world.publish("hello")
    await world.dispatcher().drain()
    forms = {seen.place: seen.form for seen in world.platform.arrived}
    assert forms == {private.place: Form.RICH, channel.place: Form.FULL}


async def test_what_is_rejected_in_every_form_fails_and_can_be_retried(world: World) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [
        Fault(ContentRejected("picture", media=True)),
        Fault(ContentRejected("markup")),
        Fault(ContentRejected("no such text here")),
    ]
    dispatcher = world.dispatcher()
    await until_quiet(dispatcher, world)
    assert world.platform.arrived == [] and len(world.platform.attempts) == 3
    assert world.deliveries(chat) == [("failed", "no such text here")]
    assert world.ledger(chat) == {"hello": "failed"}
    async with world.store.write() as work:
        assert await work.outbox.retry(DeliveryFilter(chat_id=chat.id), world.clock.now()) == 1
        await work.commit()
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"] and world.ledger(chat) == {"hello": "sent"}


async def test_a_plainer_form_is_kept_after_a_wait(world: World) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(ContentRejected("markup")), Fault(Refused("no"))]
    await until_quiet(world.dispatcher(), world)
    assert [seen.form for seen in world.platform.arrived] == [Form.PLAIN]
    assert world.platform.texts(chat) == ["hello"]


async def test_what_arrived_stays_sent_when_a_later_part_is_rejected(world: World) -> None:
    posts = [f"post {n}" for n in range(6)]
    chat = await waiting(world, *posts, per_message=2)  # one edition in three messages
    sends_end(world, None, ContentRejected("no"), ContentRejected("no"))  # the second one, in both forms
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["post 0\npost 1"]
    states = world.ledger(chat)
    assert [states[post] for post in posts] == ["sent"] * 2 + ["failed"] * 4
    assert world.deliveries(chat) == [("failed", "no")]


async def test_a_plainer_form_carries_only_what_has_not_arrived(world: World) -> None:
    chat = await waiting(world, *[f"post {n}" for n in range(6)], per_message=2)
    sends_end(world, None, ContentRejected("no"))
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["post 0\npost 1", "post 2\npost 3", "post 4\npost 5"]
    assert [seen.form for seen in world.platform.arrived] == [Form.FULL, Form.PLAIN, Form.PLAIN]
    assert set(world.ledger(chat).values()) == {"sent"}


async def test_a_post_that_arrived_in_part_is_sent_again_plainer(world: World) -> None:
    chat = await waiting(world, FOUR_LINES, per_message=2)
    sends_end(world, None, ContentRejected("no"))
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["first\nsecond", "first\nsecond", "third\nfourth"]
    assert world.ledger(chat) == {"first": "sent"}
    assert world.deliveries(chat) == [("sent", "")]


async def test_a_last_line_without_posts_does_not_undo_what_arrived(world: World) -> None:
    await world.source()
    chat = await world.chat(follows=())
    world.platform.per_message = 2
    await world.publish("one", "two")
    async with world.store.write() as work:
        posts = [post for (post,) in world.sql("SELECT id FROM posts WHERE text != 'old' ORDER BY id")]
        edition = await work.outbox.broadcast(
            Broadcast(BroadcastKind.EDITION, tuple(posts), more=3), world.clock.now()
        )
        assert edition is not None and await work.outbox.deliver(edition, chat.id, world.clock.now())
        await work.commit()
    sends_end(world, None, ContentRejected("no"))
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["one\ntwo"]
    assert world.deliveries(chat) == [("sent", "")]
    assert world.ledger(chat) == {"one": "sent", "two": "sent"}


async def test_a_part_of_unknown_outcome_that_arrived_is_not_sent_plainer(world: World) -> None:
    chat = await waiting(world, *[f"post {n}" for n in range(6)], per_message=2)
    sends_end(world, Ambiguous("time-out"), None, ContentRejected("no"))
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat)[0] == "post 0\npost 1"
    assert [seen.form for seen in world.platform.arrived] == [Form.FULL, Form.PLAIN, Form.PLAIN]
    assert sorted("\n".join(world.platform.texts(chat)).split("\n")) == [f"post {n}" for n in range(6)]


async def test_three_forms_carry_each_post_once(world: World) -> None:
    chat = await waiting(world, *[f"post {n}" for n in range(6)], per_message=2)
    sends_end(world, ContentRejected("p", media=True), None, ContentRejected("no"))
    await world.dispatcher().drain()
    assert [seen.form for seen in world.platform.arrived] == [Form.NO_MEDIA, Form.PLAIN, Form.PLAIN]
    assert sorted("\n".join(world.platform.texts(chat)).split("\n")) == [f"post {n}" for n in range(6)]
    assert set(world.ledger(chat).values()) == {"sent"}
