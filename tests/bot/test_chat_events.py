"""What chats tell: in order, whatever the store does, and one that breaks takes no other along."""

import asyncio
from functools import partial

from structlog.testing import capture_logs

from bot.platforms.chat_events import ChatEvents
from content.errors import StoreBusy
from tests.fakes import FakeClock


async def test_events_are_recorded_in_the_order_of_telling() -> None:
    recorded: list[int] = []

    async def record(number: int) -> None:
        for _ in range(5 - number):  # the first ones take longest
            await asyncio.sleep(0)
        recorded.append(number)

    async with ChatEvents(FakeClock()) as events:
        for number in range(5):
            events.put(partial(record, number))
        assert await events.recorded()
        assert recorded == [0, 1, 2, 3, 4]
        events.put(partial(record, 5))
    assert recorded[-1] == 5  # what was told before the end, too


async def test_an_event_waits_for_the_store_and_the_next_one_behind_it() -> None:
    clock, recorded, failures = FakeClock(), list[str](), [StoreBusy("locked")] * 3

    async def gone() -> None:
        if failures:
            raise failures.pop()
        recorded.append("gone")

    async def back() -> None:
        recorded.append("back")

    with capture_logs() as logged:
        async with ChatEvents(clock) as events:
            events.put(gone)
            events.put(back)
    assert recorded == ["gone", "back"]
    assert [(line["event"], line["log_level"]) for line in logged] == [("store.unavailable", "error")] * 3


async def test_people_do_not_wait_for_ever_for_what_cannot_be_recorded() -> None:
    clock, is_back = FakeClock(manual=True), False

    async def event() -> None:
        if not is_back:
            raise StoreBusy("locked")

    async with ChatEvents(clock) as events:
        events.put(event)
        assert not await events.recorded(0)
        is_back = True
        clock.advance(1)
        assert await events.recorded()


async def test_an_event_that_breaks_takes_no_other_along() -> None:
    recorded: list[str] = []

    async def broken() -> None:
        raise ValueError("a bug")

    async def sound() -> None:
        recorded.append("sound")

    with capture_logs() as logged:
        async with ChatEvents(FakeClock()) as events:
            events.put(broken)
            events.put(sound)
    assert recorded == ["sound"]
    assert [line["event"] for line in logged] == ["chat.broken"]
