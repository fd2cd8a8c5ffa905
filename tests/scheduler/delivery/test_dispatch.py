"""What leaves, when, and what is recorded of it: the invariants of sending."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from content.errors import StoreUnreachable
from scheduler import membership
from scheduler.delivery.dispatch import FEWEST, Dispatcher
from scheduler.delivery.limits import Limits, Rate
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatMoved,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
)
from scheduler.ports import DeliveryFilter
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED
from scheduler.types import Broadcast, BroadcastKind, Chat, ChatKind, ChatState, Form, Message, Place
from tests.fakes import FakeClock, Fault
from tests.scheduler.conftest import World

LONG = timedelta(hours=2).total_seconds()
FOUR_LINES = "first\nsecond\nthird\nfourth"


def killed() -> Fault:
    """The process ends while the request is on its way."""
    return Fault(asyncio.CancelledError(), arrived=True)


def limited(seconds: float, scope: RateScope = RateScope.CHAT) -> RateLimited:
    return RateLimited("slow down", retry_after=timedelta(seconds=seconds), scope=scope)


async def until_quiet(dispatcher: Dispatcher, world: World) -> None:
    """Dispatch until nothing is left, however long it takes."""
    for _ in range(MAX_REFUSED + MAX_ATTEMPTS):
        await dispatcher.drain()
        world.clock.advance(LONG)
    await dispatcher.drain()


# 1: sent is what the platform confirmed


async def test_a_post_goes_out_once_and_is_sent(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    assert world.ledger(chat) == {"hello": "reserved"}
    assert await world.dispatcher().drain() == 1
    assert world.platform.texts(chat) == ["hello"]
    assert world.ledger(chat) == {"hello": "sent"}
    assert world.deliveries(chat) == [("sent", "")]
    assert await world.dispatcher().drain() == 0


async def test_a_post_of_several_messages_is_sent_with_the_last(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    seen: list[dict[str, str]] = []

    async def look(*_: object) -> None:
        seen.append(world.ledger(chat))

    world.platform.on_send = look
    await world.publish(FOUR_LINES)
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["first\nsecond", "third\nfourth"]
    assert seen == [{"first": "reserved"}] * 2
    assert world.ledger(chat) == {"first": "sent"}


async def test_what_arrived_stays_sent_when_a_later_part_is_rejected(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    posts = [f"post {n}" for n in range(6)]
    await world.publish(*posts)  # one edition in three messages
    rejected = Fault(ContentRejected("no"))

    async def reject_later(to: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) > 1:
            world.platform.faults.append(rejected)

    world.platform.on_send = reject_later
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["post 0\npost 1"]
    states = world.ledger(chat)
    assert [states[post] for post in posts] == ["sent"] * 2 + ["failed"] * 4
    assert world.deliveries(chat) == [("failed", "no")]


async def test_a_plainer_form_carries_only_what_has_not_arrived(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    await world.publish(*[f"post {n}" for n in range(6)])

    async def reject_second(to: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == 2:
            world.platform.faults.append(Fault(ContentRejected("no")))

    world.platform.on_send = reject_second
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["post 0\npost 1", "post 2\npost 3", "post 4\npost 5"]
    assert [seen.form for seen in world.platform.arrived] == [Form.FULL, Form.PLAIN, Form.PLAIN]
    assert set(world.ledger(chat).values()) == {"sent"}


async def test_a_post_that_arrived_in_part_is_sent_again_plainer(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    await world.publish(FOUR_LINES)

    async def reject_second(to: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == 2:
            world.platform.faults.append(Fault(ContentRejected("no")))

    world.platform.on_send = reject_second
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

    async def reject_second(to: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == 2:
            world.platform.faults.append(Fault(ContentRejected("no")))

    world.platform.on_send = reject_second
    await world.dispatcher().drain()
    assert world.platform.texts(chat) == ["one\ntwo"]
    assert world.deliveries(chat) == [("sent", "")]
    assert world.ledger(chat) == {"one": "sent", "two": "sent"}


async def test_a_part_of_unknown_outcome_that_arrived_is_not_sent_plainer(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    await world.publish(*[f"post {n}" for n in range(6)])
    outcomes = iter([Ambiguous("time-out"), None, ContentRejected("no"), None, None])

    async def play(to: Chat, message: Message, key: str) -> None:
        if error := next(outcomes):
            world.platform.faults.append(Fault(error))

    world.platform.on_send = play
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat)[0] == "post 0\npost 1"
    assert [seen.form for seen in world.platform.arrived] == [Form.FULL, Form.PLAIN, Form.PLAIN]
    assert sorted("\n".join(world.platform.texts(chat)).split("\n")) == [f"post {n}" for n in range(6)]


async def test_three_forms_carry_each_post_once(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 2
    await world.publish(*[f"post {n}" for n in range(6)])
    outcomes = iter([ContentRejected("p", media=True), None, ContentRejected("no"), None, None])

    async def play(to: Chat, message: Message, key: str) -> None:
        if error := next(outcomes):
            world.platform.faults.append(Fault(error))

    world.platform.on_send = play
    await world.dispatcher().drain()
    assert [seen.form for seen in world.platform.arrived] == [Form.NO_MEDIA, Form.PLAIN, Form.PLAIN]
    assert sorted("\n".join(world.platform.texts(chat)).split("\n")) == [f"post {n}" for n in range(6)]
    assert set(world.ledger(chat).values()) == {"sent"}


# 2: at most once


async def test_two_sources_with_the_same_post_send_it_once(world: World) -> None:
    one, two = "https://example.org/feed.json", "https://mirror.example.net/feed.json"
    sources = [await world.source(one), await world.source(two)]
    chat = await world.chat(follows=[*sources, None])
    await world.publish("shared", url=one)
    await world.publish("shared", url=two)
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["shared"]


async def test_a_restart_sends_nothing_again(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    await world.dispatcher(1).drain()
    later = world.dispatcher(2)
    assert await later.recover() == 0
    await world.publish("hello")
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["hello"]


async def test_what_was_only_claimed_is_sent_after_a_crash(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    async with world.store.write() as work:
        claimed = await work.outbox.claim("fake", world.clock.now(), 10, 1)
        await work.commit()
    assert len(claimed) == 1
    later = world.dispatcher(2)
    assert await later.recover() == 0
    await later.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(0,)]


# 3: write-ahead, and what nobody knows


async def test_a_part_is_durably_sending_before_its_request_leaves(world: World) -> None:
    await world.source()
    await world.chat("1")
    await world.chat("2")
    world.platform.per_message = 1
    seen: list[list[tuple[str, int]]] = []

    async def look(chat: Chat, message: Message, key: str) -> None:
        state = "SELECT p.state, p.n FROM delivery_parts p JOIN deliveries d ON d.id = p.delivery_id"
        seen.append(world.sql(f"{state} WHERE d.chat_id = ? ORDER BY p.n", chat.id))

    world.platform.on_send = look
    await world.publish("a\nb")
    await world.dispatcher().drain()
    assert sorted(seen) == [[("sending", 0)]] * 2 + [[("sent", 0), ("sending", 1)]] * 2


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_ambiguous_send_is_repeated_by_default(world: World, arrived: bool) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(Ambiguous("read time-out"), arrived=arrived)]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"] * (2 if arrived else 1)
    assert len(set(world.platform.attempts)) == 1 and len(world.platform.attempts) == 2
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]
    async with world.store.read() as work:
        assert await work.outbox.unknowns() == 1


async def test_an_ambiguous_send_is_held_where_the_chat_wants_that(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.hold_unknown(chat)
    await world.publish("hello")
    world.platform.faults = [Fault(Ambiguous("read time-out"), arrived=True)]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.deliveries(chat) == [("held", "it may have arrived: read time-out")]
    await world.publish("hello", "next")  # a held delivery is closed: others go on
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello", "next"]


@pytest.mark.parametrize("hold", [True, False])
async def test_a_platform_that_deduplicates_gets_the_same_key(world: World, hold: bool) -> None:
    await world.source()
    chat = await world.chat()
    if hold:
        world.hold_unknown(chat)
    world.platform.deduplicates = True
    await world.publish("hello")
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True), Fault(Ambiguous("reset"))]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert len(world.platform.attempts) == 3 and len(set(world.platform.attempts)) == 1
    assert world.ledger(chat) == {"hello": "sent"}
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(2,)]


@pytest.mark.parametrize("policy", ["resend", "hold", "deduplicates"])
async def test_a_kill_during_a_send_is_an_unknown_outcome(world: World, policy: str) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.deduplicates = policy == "deduplicates"
    if policy != "resend":
        world.hold_unknown(chat)
    await world.publish("hello")
    world.platform.faults = [killed()]
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    assert world.ledger(chat) == {"hello": "reserved"}
    assert world.sql("SELECT state FROM delivery_parts") == [("sending",)]

    later = world.dispatcher(2)
    assert await later.recover() == 1
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["hello"] * (2 if policy == "resend" else 1)
    assert world.deliveries(chat)[0][0] == ("held" if policy == "hold" else "sent")
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]


async def test_a_kill_during_the_recovery_does_not_lose_the_policy(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.hold_unknown(chat)
    await world.publish("hello")
    world.platform.faults = [killed()]
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    begun = world.store.writes

    async def kill() -> None:
        if world.store.writes > begun:  # whatever there is to write after the first time
            raise asyncio.CancelledError

    world.store.on_write = kill
    with suppress(asyncio.CancelledError):
        await world.dispatcher(2).recover()
    world.store.on_write = None
    last = world.dispatcher(3)
    await last.recover()
    await until_quiet(last, world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.deliveries(chat)[0][0] == "held"


@pytest.mark.parametrize("policy", ["resend", "hold", "deduplicates"])
async def test_a_bug_during_a_send_is_an_unknown_outcome(world: World, policy: str) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.deduplicates = policy == "deduplicates"
    if policy != "resend":
        world.hold_unknown(chat)
    await world.publish("hello")
    world.platform.faults = [Fault(ValueError("a bug"), arrived=True)]
    dispatcher = world.dispatcher()
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["hello"] * (2 if policy == "resend" else 1)
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]
    ended = world.deliveries(chat)
    if policy != "hold":
        assert ended[0][0] == "sent"
        return
    assert ended == [("held", "it may have arrived: an internal error while it was being sent")]
    async with world.store.write() as work:  # an admin has decided: send it again
        await work.outbox.retry(DeliveryFilter(chat_id=chat.id), world.clock.now())
        await work.commit()
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["hello", "hello"]
    assert world.deliveries(chat)[0][0] == "sent"


async def test_a_kill_between_parts_repeats_only_the_one_in_flight(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 1

    async def kill_second(to: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == 2:
            world.platform.faults.append(Fault(asyncio.CancelledError()))

    world.platform.on_send = kill_second
    await world.publish("a\nb\nc")
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    later = world.dispatcher(2)
    await later.recover()
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["a", "b", "c"]


async def test_an_older_process_may_send_nothing_more(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")

    async def take_over() -> None:
        """Runs when the old process has claimed and is about to write ahead."""
        if world.sql("SELECT state FROM deliveries") == [("claimed",)]:
            world.store.on_write = None
            await world.dispatcher(2).recover()
            async with world.store.write() as work:
                assert len(await work.outbox.claim("fake", world.clock.now(), 10, 2)) == 1
                await work.commit()

    world.store.on_write = take_over
    await world.dispatcher(1).drain()
    assert world.platform.attempts == []
    new = world.dispatcher(3)
    await new.recover()
    await new.drain()
    assert world.platform.texts(chat) == ["hello"]


async def test_a_refused_send_is_tried_again_and_given_up_with_its_reason(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(Refused("connection refused"))] * (MAX_ATTEMPTS - 1)
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.sql("SELECT sum(unknowns) FROM delivery_parts") == [(0,)]

    world.platform.faults = [Fault(Refused("connection refused"))] * MAX_REFUSED
    await world.publish("hello", "next")
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    reason = f"given up after {MAX_REFUSED} attempts: connection refused"
    assert world.deliveries(chat)[1] == ("failed", reason)
    assert world.ledger(chat)["next"] == "failed"


async def test_a_rate_limit_is_waited_for_and_counts_as_no_attempt(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(limited(30))] * (MAX_ATTEMPTS + 2)
    dispatcher = world.dispatcher()
    start = world.clock.monotonic()
    while not world.platform.arrived:
        await dispatcher.drain()
        world.clock.advance(1)
    assert world.platform.texts(chat) == ["hello"]
    assert world.platform.arrived[0].at - start >= 30 * (MAX_ATTEMPTS + 2)
    assert world.sql("SELECT attempts FROM deliveries") == [(0,)]


# 4: chats do not disturb each other


@pytest.mark.parametrize(
    "error",
    [
        Refused("no"),
        Ambiguous("perhaps"),
        limited(60),
        ChatGone("blocked"),
        ChatPaused("no rights"),
        ContentRejected("bad"),
        ChatMoved("moved", address="77"),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_of_one_chat_delays_and_drops_nothing_for_another(
    world: World, error: Exception
) -> None:
    await world.source()
    broken = await world.chat("1")
    others = [await world.chat(str(n)) for n in range(2, 40)]
    await world.publish("one", "two")

    async def fail(chat: Chat, message: Message, key: str) -> None:
        if chat.id == broken.id:
            raise error

    world.platform.on_send = fail
    start = world.clock.monotonic()
    await world.dispatcher().drain()
    for chat in others:
        assert world.platform.texts(chat) == ["one", "two"]
    assert world.clock.monotonic() == start
    assert world.platform.texts(broken) == []


async def test_a_chat_gets_its_posts_in_order_whatever_fails(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("one", "two", "three")
    world.platform.faults = [Fault(Refused("no")), Fault(limited(5)), Fault(Refused("no"))]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["one", "two", "three"]


async def test_chats_that_wait_for_their_own_limit_hold_back_nobody(world: World) -> None:
    world.clock = world.platform.clock = clock = FakeClock(manual=True)
    world.pace(Limits(Rate(30), {ChatKind.PRIVATE: Rate(1)}))
    await world.source()
    waiting = [await world.chat(str(n)) for n in range(2 * FEWEST)]
    quick = await world.chat("quick")
    for chat in waiting:
        world.pacer.limited(chat.place.address, timedelta(seconds=0.9), RateScope.CHAT)
    await world.publish("hello")
    arrived = asyncio.Event()

    async def tell(chat: Chat, message: Message, key: str) -> None:
        arrived.set()

    world.platform.on_send = tell
    draining = asyncio.create_task(world.dispatcher().drain())
    async with asyncio.timeout(10):
        await arrived.wait()  # although no time passes
    assert [seen.place for seen in world.platform.arrived] == [quick.place]
    while not draining.done():
        clock.advance(0.1)
        await asyncio.sleep(0)
    assert [world.platform.texts(chat) for chat in waiting] == [["hello"]] * len(waiting)


async def test_no_more_parts_are_in_flight_than_a_kill_may_double(world: World) -> None:
    world.pace(Limits(Rate(30), {}))
    await world.source()
    for n in range(3 * FEWEST):
        await world.chat(str(n))
    await world.publish("hello")
    answered, all_out = asyncio.Event(), asyncio.Event()

    async def hang(chat: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == FEWEST:
            all_out.set()
        await answered.wait()

    world.platform.on_send = hang
    draining = asyncio.create_task(world.dispatcher().drain())
    async with asyncio.timeout(10):
        await all_out.wait()
    for _ in range(3 * FEWEST):  # writes take turns: whatever else would begin does so
        async with world.store.write() as work:
            await work.commit()
    assert world.sql("SELECT count(*) FROM delivery_parts WHERE state = 'sending'") == [(FEWEST,)]
    answered.set()
    assert await draining == 3 * FEWEST


async def test_a_chat_that_has_to_wait_long_gives_its_place_away(world: World) -> None:
    await world.source()
    slow, quick = await world.chat("1"), await world.chat("2")
    world.pacer.limited("1", timedelta(seconds=20), RateScope.CHAT)
    await world.publish("hello")
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert world.platform.texts(quick) == ["hello"] and world.platform.texts(slow) == []
    assert world.deliveries(slow) == [("pending", "the chat's rate limit")]
    world.clock.advance(20)
    await dispatcher.drain()
    assert world.platform.texts(slow) == ["hello"]


async def test_a_limit_of_the_platform_holds_all_chats(world: World) -> None:
    await world.source()
    for n in range(3):
        await world.chat(str(n))
    await world.publish("hello")
    world.platform.faults = [Fault(limited(7, RateScope.PLATFORM), Place("fake", "0"))]
    start = world.clock.monotonic()
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    await world.publish("hello", "later")
    await until_quiet(dispatcher, world)
    later = [seen for seen in world.platform.arrived if seen.text == "later"]
    assert len(later) == 3 and all(seen.at >= start + 7 for seen in later)


async def test_what_a_long_hold_meets_written_ahead_waits_again_and_is_not_unknown(world: World) -> None:
    world.pace(Limits(Rate(1), {}))
    await world.source()
    chats = [await world.chat(str(n)) for n in range(3)]
    await world.publish("hello")
    world.platform.faults = [Fault(limited(30, RateScope.PLATFORM))]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert len(world.platform.attempts) == 1
    states = {tuple(row) for row in world.sql("SELECT state, reason FROM delivery_parts")}
    assert ("pending", "the platform's rate limit") in states
    assert {state for state, _ in states} == {"pending"}
    await until_quiet(dispatcher, world)
    assert all(world.platform.texts(chat) == ["hello"] for chat in chats)
    assert world.sql("SELECT sum(unknowns), max(attempts) FROM delivery_parts, deliveries") == [(0, 0)]


# 6: no transaction across the network


async def test_no_unit_of_work_is_open_while_sending(world: World) -> None:
    await world.source()
    for n in range(5):
        await world.chat(str(n))
    world.platform.per_message = 1
    world.platform.faults = [Fault(ContentRejected("no")), Fault(Refused("no")), Fault(ChatGone("gone"))]
    open_units: list[int] = []

    async def look(*_: object) -> None:
        open_units.append(world.store.open_here)

    world.platform.on_send = look
    await world.publish("a\nb", "c")
    await until_quiet(world.dispatcher(), world)
    assert len(open_units) > 10 and set(open_units) == {0}


# 7: plainer forms


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
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(error) for error in faults]
    await world.dispatcher().drain()
    assert [seen.form for seen in world.platform.arrived] == [form]
    assert len(set(world.platform.attempts)) == len(world.platform.attempts)  # each form has its own key
    assert world.ledger(chat) == {"hello": "sent"}


async def test_what_is_rejected_in_every_form_fails_and_can_be_retried(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
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
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(ContentRejected("markup")), Fault(Refused("no"))]
    await until_quiet(world.dispatcher(), world)
    assert [seen.form for seen in world.platform.arrived] == [Form.PLAIN]
    assert world.platform.texts(chat) == ["hello"]


# 8: chats that vanish, move, pause


async def test_a_chat_that_is_gone_gets_nothing_and_comes_back_without_a_flood(world: World) -> None:
    await world.source()
    chat, topic = await world.chat("1"), await world.chat("1", "7")
    other = await world.chat("2")
    await world.publish("one", "two")
    world.platform.faults = [Fault(ChatGone("bot was kicked"), chat.place)]
    dispatcher = world.dispatcher()
    await until_quiet(dispatcher, world)
    for gone in (chat, topic):
        now = await world.again(gone)
        assert (now.state, now.reason) == (ChatState.GONE, "bot was kicked")
    assert world.platform.texts(chat) == []
    assert ("cancelled", "bot was kicked") in world.deliveries(chat)
    assert world.platform.texts(other) == ["one", "two"]
    await world.publish("one", "two", "three")

    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        await work.commit()
    await world.publish("one", "two", "three", "four")
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["four"]
    assert (await world.again(chat)).state is ChatState.ACTIVE


async def test_a_chat_that_moved_gets_what_waits_at_its_new_address(world: World) -> None:
    await world.source()
    chat, topic = await world.chat("1"), await world.chat("1", "7")
    await world.publish("one", "two")
    world.platform.faults = [Fault(ChatMoved("it is a supergroup now", address="-100"), chat.place)]
    await until_quiet(world.dispatcher(), world)
    moved = Place("fake", "-100")
    assert (await world.again(chat)).place == moved
    assert (await world.again(topic)).place == Place("fake", "-100", "7")
    assert [seen.text for seen in world.platform.arrived if seen.place == moved] == ["one", "two"]
    assert world.platform.texts(chat) == []


async def test_a_move_to_a_known_chat_unites_what_both_were_sent(world: World) -> None:
    await world.source()
    old, new = await world.chat("1"), await world.chat("-100")
    await world.publish("one")
    await world.dispatcher().drain()
    world.platform.faults = [Fault(limited(60), old.place)]
    world.platform.faults += [Fault(ChatMoved("moved", address="-100"), old.place)]
    await world.publish("one", "two")
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(new) == ["one", "two"]
    assert (await world.again(old)).place == new.place


async def test_a_group_is_told_of_its_topic_in_its_own_language(world: World) -> None:
    await world.source()
    group, topic = await world.chat("1", follows=()), await world.chat("1", "7")
    async with world.store.write() as work:
        await work.chats.save(replace(group, language="zh"))
        await work.commit()
    await world.publish("one")
    world.platform.faults = [Fault(ChatPaused(membership.TOPIC_CLOSED, topic_only=True), topic.place)]
    await world.dispatcher().drain()
    assert world.platform.texts(group) == ["“fake:1/7”：话题已关闭。文章会先排队，恢复后再发送。"]
    assert (await world.again(topic)).reason == "the topic was closed"


async def test_a_closed_topic_waits_and_its_group_is_told_once(world: World) -> None:
    await world.source()
    group, topic = await world.chat("1", follows=()), await world.chat("1", "7")
    await world.publish("one", "two")
    closed = Fault(ChatPaused("the topic is closed", topic_only=True), topic.place)
    world.platform.faults = [closed, closed]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    paused = await world.again(topic)
    assert (paused.state, paused.reason) == (ChatState.PAUSED, "the topic is closed")
    assert world.platform.texts(group) == [
        "“fake:1/7”: the topic is closed. Posts are queued until it can be written to again."
    ]
    assert world.ledger(topic) == {"one": "reserved", "two": "reserved"}
    await until_quiet(dispatcher, world)
    assert len(world.platform.texts(group)) == 1
    assert world.platform.texts(topic) == ["one", "two"]
    assert (await world.again(topic)).state is ChatState.ACTIVE


async def test_a_paused_chat_is_tried_rarely_and_at_once_when_it_is_back(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.platform.faults = [Fault(ChatPaused("no rights"))]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.clock.advance(timedelta(minutes=59).total_seconds())
    await dispatcher.drain()
    assert len(world.platform.attempts) == 1
    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        await work.commit()
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]


@pytest.mark.parametrize("topic_only", [False, True])
@pytest.mark.parametrize("state", [ChatState.GONE, ChatState.PAUSED])
async def test_what_is_known_of_a_chat_outlives_a_send_that_was_on_its_way(
    world: World, state: ChatState, topic_only: bool
) -> None:
    await world.source()
    group, chat = await world.chat("1", follows=()), await world.chat("1", "7")
    await world.publish("hello")

    async def find_out(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            if state is ChatState.GONE:
                await membership.deactivate(work, chat, "the topic was deleted", world.clock.now())
            else:
                await membership.pause(work, chat, "give it Embed Links")
            await work.commit()
        raise ChatPaused("Missing Permissions", topic_only=topic_only)

    world.platform.on_send = find_out
    await world.dispatcher().drain()
    known = await world.again(chat)
    assert known.state is state
    assert known.reason != "Missing Permissions"
    assert world.platform.texts(group) == []


# 14: cancelled while it is on its way


async def test_what_is_cancelled_between_parts_goes_no_further(world: World) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.per_message = 1
    await world.publish("a\nb\nc")

    async def cancel(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            await work.outbox.cancel("unsubscribed", world.clock.now(), chat_id=chat.id)
            await work.commit()

    world.platform.on_send = cancel
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["a"]
    assert world.deliveries(chat) == [("cancelled", "unsubscribed")]


async def test_a_post_that_arrives_while_it_is_cancelled_is_sent(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")

    async def cancel(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            await work.outbox.cancel("unsubscribed", world.clock.now(), chat_id=chat.id)
            await work.commit()

    world.platform.on_send = cancel
    await world.dispatcher().drain()
    assert world.ledger(chat) == {"hello": "sent"}


# Running


async def test_a_refused_token_stops_the_platform_and_loses_nothing(world: World) -> None:
    await world.source()
    for n in range(40):
        await world.chat(str(n))
    await world.publish("hello")
    world.platform.faults = [Fault(PlatformStopped("the token is refused"))]
    dispatcher = world.dispatcher()
    await dispatcher.run()
    assert str(dispatcher.stopped) == "the token is refused"
    left = 40 - len(world.platform.arrived)
    assert left > 0
    assert world.sql("SELECT count(*) FROM deliveries WHERE state = 'pending'") == [(left,)]
    await world.dispatcher(2).drain()
    assert len({seen.place for seen in world.platform.arrived}) == len(world.platform.arrived) == 40


async def test_it_runs_until_it_is_told_to_stop(world: World) -> None:
    await world.source()
    chat = await world.chat()
    dispatcher = world.dispatcher()
    sent = asyncio.Event()

    async def tell(*_: object) -> None:
        sent.set()

    world.platform.on_send = tell
    running = asyncio.create_task(dispatcher.run())
    await world.publish("hello")
    dispatcher.wake()
    await sent.wait()
    dispatcher.stop()
    await running
    assert world.platform.texts(chat) == ["hello"] and world.ledger(chat) == {"hello": "sent"}


async def test_a_store_that_fails_delays_and_loses_nothing(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.store.outages = [StoreUnreachable("the database is away") for _ in range(3)]
    dispatcher = world.dispatcher()
    sent = asyncio.Event()

    async def fail_once_more(*_: object) -> None:
        world.store.outages = [StoreUnreachable("the database is away") for _ in range(3)]
        sent.set()

    world.platform.on_send = fail_once_more
    running = asyncio.create_task(dispatcher.run())
    await sent.wait()
    dispatcher.stop()
    await running
    assert world.store.outages == []
    assert world.platform.texts(chat) == ["hello"] and world.ledger(chat) == {"hello": "sent"}


async def test_a_store_that_fails_while_others_send_waits_for_them(world: World) -> None:
    await world.source()
    chats = [await world.chat(str(n)) for n in range(3)]
    await world.publish("hello")
    release, ready = asyncio.Event(), asyncio.Barrier(3)

    async def slow(chat: Chat, message: Message, key: str) -> None:
        await ready.wait()
        if chat.place.address != "0":
            await release.wait()
            return
        # The next writer, which records this send, works; the claim after it does not.
        world.store.on_write = fail_next

    async def fail_next() -> None:
        async def fail() -> None:
            world.store.on_write = None
            release.set()
            raise StoreUnreachable("the database is away")

        world.store.on_write = fail

    world.platform.on_send = slow
    with pytest.raises(StoreUnreachable):
        await world.dispatcher().drain()
    assert all(world.platform.texts(chat) == ["hello"] for chat in chats)
    assert all(world.ledger(chat) == {"hello": "sent"} for chat in chats)


async def test_who_is_cancelled_leaves_nothing_running(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.platform.on_send = never
    draining = asyncio.create_task(world.dispatcher().drain())
    await begun.wait()
    draining.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({draining})
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_notice_is_delivered_like_a_post(world: World) -> None:
    async with world.store.write() as work:
        await membership.notify(work, Place("fake", "9"), "Telegram has stopped.", world.clock.now())
        await work.commit()
    await world.dispatcher().drain()
    assert [seen.text for seen in world.platform.arrived] == ["Telegram has stopped."]


async def test_posts_that_are_gone_cancel_their_delivery(world: World) -> None:
    source = await world.source()
    chat = await world.chat()
    await world.publish("hello")
    world.sql("PRAGMA foreign_keys = OFF")
    world.sql("DELETE FROM posts WHERE source_id = ?", source.id)
    await world.dispatcher().drain()
    assert world.platform.attempts == []
    assert world.deliveries(chat) == [("cancelled", "its posts are gone")]
