"""The emulator as a separate process: the control calls and the prompt."""

import asyncio
import sys

import aiohttp
import pytest
from telegram import Bot
from telegram.error import Forbidden

from tests.emulators.telegram.control import ControlledEmulator
from tests.emulators.test_telegram.clients import keyboard, make_bot, request


async def call(tg: ControlledEmulator, action: str, **body: object) -> object:
    session = aiohttp.ClientSession()
    async with session, session.post(f"{tg.url}/_emulator/{action}", json=body) as got:
        result: object = await got.json()
        return result


async def test_another_process_can_drive_it() -> None:
    async with ControlledEmulator() as tg, make_bot(tg) as bot:
        made = await call(tg, "create", kind="private", count=2)
        assert isinstance(made, dict)
        first, second = made["ids"]
        await call(tg, "say", chat=first, text="/start")
        (update,) = await bot.get_updates()
        assert update.message and update.message.text == "/start"
        await call(tg, "fault", kind="kicked-group", chat=second)
        with pytest.raises(Forbidden, match="bot was kicked from the group chat"):
            await bot.send_message(second, "x")
        await call(tg, "block", chat=second)
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.send_message(second, "x")
        await bot.send_message(first, "hello", reply_markup=keyboard("Next"))
        pressed = await call(tg, "press", chat=first, label="Next")
        assert isinstance(pressed, dict)
        await bot.answer_callback_query(pressed["query_id"], "ok")
        answer = await call(tg, "answer", query_id=pressed["query_id"])
        assert isinstance(answer, dict) and answer["text"] == "ok"


async def test_another_process_sees_what_happened() -> None:
    async with ControlledEmulator() as tg, make_bot(tg) as bot:
        chat = tg.group("Group")
        await bot.send_message(chat.id, "hello")
        shown = await call(tg, "messages", chat=chat.id)
        assert isinstance(shown, list) and [m["text"] for m in shown] == ["hello"]
        stats = await call(tg, "stats")
        assert isinstance(stats, dict) and (stats["sent"], stats["requests"]["sendmessage"]) == (1, 1)
        entries = await call(tg, "transcript", start=1)
        assert isinstance(entries, list) and [e["kind"] for e in entries] == ["Request", "Shown"]


async def test_a_wrong_call_says_why() -> None:
    async with ControlledEmulator() as tg:
        chat = tg.group("Group")
        for action, body, why in (
            (
                "press",
                {"chat": chat.id, "label": "Prev"},
                "no button 'Prev' to press in 'Group'; there: none",
            ),
            ("block", {"chat": chat.id}, "'Group' is no private chat"),
            ("dance", {}, "dance"),
        ):
            answer = await call(tg, action, **body)
            assert isinstance(answer, dict) and why in answer["error"]


async def test_the_prompt_works_with_a_pipe() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.emulators.telegram"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
    token, url = (line.partition("=")[2] for line in lines)
    process.stdin.write(b"/start\n!press Next\n!chat nowhere\n")
    bot = Bot(token, base_url=f"{url}/bot", request=request(), get_updates_request=request())
    async with bot:
        (started,) = await bot.get_updates(timeout=10)
        assert started.message
        await started.message.reply_text("page 1", reply_markup=keyboard("Next"))
        (pressed,) = await bot.get_updates(offset=started.update_id + 1, timeout=10)
        assert pressed.callback_query and pressed.callback_query.data == "n:2"
    output = (await process.communicate(b"!quit\n"))[0].decode()
    assert "page 1\n  [Next]" in output
    assert "! no chat 'nowhere'; there are: private, group" in output
    assert process.returncode == 0
