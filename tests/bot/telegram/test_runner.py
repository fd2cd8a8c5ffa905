"""The program around the platform: it starts, waits out what is down, stops cleanly, says why it gave up."""

import asyncio
import gc
import logging
from collections.abc import Sequence
from math import inf
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from content.document import Document
from scheduler.types import Chat as Known
from scheduler.types import Form, Limits, Message, Place, Rate, Sent
from tests.bot.live import PATIENCE
from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram.faults import answers, held, refused, too_many


class PaperSender:
    """A second platform, which keeps what it is given to send and can do nothing else."""

    name = "paper"
    limits = Limits(Rate(inf), {})
    deduplicates = False

    def __init__(self) -> None:
        self.written: list[tuple[Place, str]] = []
        self.something = asyncio.Event()

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return (Message({"text": str(document)}),)

    async def send(self, chat: Known, message: Message, *, key: str, silent: bool = False) -> Sent:
        self.written.append((chat.place, message.payload["text"]))
        self.something.set()
        return Sent(chat.place.address, ("1",))


async def ended(sky: Live) -> None:
    assert sky.task is not None
    async with asyncio.timeout(PATIENCE):
        await sky.task


@pytest.mark.parametrize(
    ("method", "kind"),
    [("getMe", "unauthorized"), ("getUpdates", "not-found"), ("sendMessage", "unauthorized")],
)
async def test_a_refused_token_ends_the_platform_with_one_message(
    tg: TelegramEmulator, folder: Path, ann: Chat, method: str, kind: str
) -> None:
    with capture_logs() as events:
        async with live(tg, folder, run=False) as sky:
            tg.faults.add(refused(kind), method, times=None)
            await sky.follow(ann)
            await sky.publish("new")
            sky.start()
            await ended(sky)
            assert sky.runner.refused == {
                "telegram": "Telegram refuses the token: check SKYWAVE_TELEGRAM_TOKEN"
            }
            if method != "getUpdates":  # else it may just have gone out
                assert await sky.states(ann) == ["pending"]
                assert not tg.messages(ann)
    (stopped,) = [event for event in events if event["log_level"] == "error"]
    assert (stopped["event"], stopped["platform"]) == ("platform.stopped", "telegram")
    assert tg.token.partition(":")[2] not in str(events)


async def test_operators_are_told_once_on_another_platform(
    tg: TelegramEmulator, folder: Path, ann: Chat
) -> None:
    paper = PaperSender()
    tg.faults.add(refused("unauthorized"), "sendMessage", times=None)
    operators = frozenset({"paper:boss", f"telegram:{ann.id}"})
    async with live(tg, folder, run=False, others=[paper], operators=operators) as sky:
        await sky.follow_all(tg.private(tg.user(f"Reader {number}")) for number in range(20))
        await sky.publish("new")
        sky.start()
        async with asyncio.timeout(PATIENCE):
            await paper.something.wait()
        assert sky.task is not None
        assert not sky.task.done()  # the other platform goes on
        await sky.stop()
    ((place, text),) = paper.written
    assert place == Place("paper", "boss")
    assert "Telegram refuses the token: check SKYWAVE_TELEGRAM_TOKEN" in text


async def test_polls_go_on_after_conflicts_floods_and_outages(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.answer(ann, "/latest")
    allowed = tg.requests("getUpdates")[0].params["allowed_updates"]
    assert "my_chat_member" in allowed and "edited_message" not in allowed
    tg.faults.add(refused("conflict"), "getUpdates", times=3)
    with capture_logs() as events:
        for _ in range(4):
            await sky.answer(ann, "/latest")
    conflicts = [event for event in events if event["event"] == "telegram.unreachable"]
    assert [event["seconds"] for event in conflicts] == [1.0, 2.0, 5.0]
    assert {event["next_step"] for event in conflicts} == {
        "another process polls with the same token: stop it"
    }
    assert [seconds for seconds in sky.clock.slept if seconds in (1.0, 2.0, 5.0)] == [1.0, 2.0, 5.0]
    tg.faults.add(answers(too_many(40)), "getUpdates")
    for _ in range(2):
        await sky.answer(ann, "/latest")
    assert 40.0 in sky.clock.slept
    await tg.stop()
    before = len(sky.clock.slept)
    await sky.until(lambda: seen(sky, before + 2))
    await tg.start()
    assert (await sky.answer(ann, "/latest")).text


async def test_a_network_that_is_down_at_the_start_is_waited_for(
    tg: TelegramEmulator, folder: Path, ann: Chat
) -> None:
    await tg.stop()
    async with live(tg, folder, run=False) as sky:
        await sky.follow(ann)
        await sky.publish("new")
        with capture_logs() as events:
            sky.start()
            await sky.until(lambda: seen(sky, 3))
            await tg.start()
            assert await sky.ended(ann) == ["sent"]
        assert sky.posts(ann) == ["Post new"]
        assert sky.clock.slept[:3] == [1.0, 2.0, 5.0]
        assert {e["log_level"] for e in events if e["event"] == "telegram.unreachable"} == {"warning"}


async def seen(sky: Live, waits: int) -> bool:
    """Whether the adapter has waited so often; a coroutine, so that it gets its turn."""
    await asyncio.sleep(0)
    return len(sky.clock.slept) >= waits


async def test_a_menu_that_cannot_be_set_keeps_nobody_from_reading(
    tg: TelegramEmulator, folder: Path, ann: Chat
) -> None:
    tg.faults.add(answers(too_many(10_000)), "setMyCommands", times=None)
    async with live(tg, folder, menus=True) as sky:
        assert (await sky.answer(ann, "/latest")).text
        assert tg.requests("setMyCommands")
        assert not [seconds for seconds in sky.clock.slept if seconds > 60]


async def test_it_stops_while_the_network_is_down(
    tg: TelegramEmulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await tg.stop()
    async with live(tg, folder) as sky:
        await sky.until(lambda: seen(sky, 3))
        await sky.stop()
        assert not sky.runner.refused
    gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_stop_finishes_what_is_in_flight(
    tg: TelegramEmulator, sky: Live, ann: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    bob, go_on = tg.private(tg.user("Bob")), asyncio.Event()
    tg.faults.add(held(go_on), "sendMessage", ann.id)  # the post
    tg.faults.add(held(go_on), "sendMessage", bob.id)  # the reply
    await sky.follow(ann)
    await sky.publish("new")
    tg.say(bob, "/latest")
    await tg.wait_for(lambda: len(tg.requests("sendMessage")) == 2 or None)
    stopping = asyncio.create_task(sky.stop())
    _, waiting = await asyncio.wait({stopping}, timeout=0.2)
    assert waiting  # it cuts nothing off
    go_on.set()
    await stopping
    assert await sky.states(ann) == ["sent"]
    assert await sky.parts(ann) == ["sent"]
    assert len(tg.messages(bob)) == 1
    await sky.restart()
    await sky.looked()
    assert sky.posts(ann) == ["Post new"]
    gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_what_waits_is_sent_after_a_restart_and_no_update_is_handled_twice(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.answer(ann, "/help")
    await sky.follow(ann)
    tg.faults.add(answers(too_many(5)), "sendMessage", ann.id)
    await sky.publish("new")
    await sky.waits(ann)
    await tg.wait_for(lambda: tg.world.updates.pending == 0 or None)
    await sky.restart()
    assert await sky.ended_at_last(ann) == ["sent"]
    await sky.barrier()
    assert sky.posts(ann) == ["Post new"]
    assert len(tg.messages(ann)) == 2


async def test_a_stop_is_quiet_and_quick_when_nothing_happens(
    tg: TelegramEmulator, sky: Live, ann: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    await sky.answer(ann, "/latest")
    with capture_logs() as events:
        await sky.stop()
    gc.collect()
    assert not [event for event in events if event["log_level"] in ("warning", "error")]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
