"""CPU of a send at 1000 a second, in a child process: the Telegram sender on our own HTTP."""

import asyncio
import json
import sys
import time
from dataclasses import asdict, fields
from functools import partial

from telegram import Bot

from benchmarks.worlds import post
from bot.loading import load_settings
from bot.look import make_look
from bot.platforms.telegram.limits import limits
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.telegram.transport import AiohttpRequest
from content import present
from content.types import Post
from scheduler.types import Chat, ChatKind, Form, Place

SENDS, RATE = 8_000, 1_000


async def measure(url: str) -> object:
    """Microseconds of CPU a send."""
    chat = Chat(1, Place("telegram", "1"), kind=ChatKind.PRIVATE)
    shown = post("news")
    of_post = {one.name for one in fields(Post)}
    values = {name: value for name, value in asdict(shown).items() if name in of_post}
    found = Post(1, 1, "Radio notes", **values, first_seen_at=shown.published_at)
    async with Bot(
        "1:TEST", base_url=f"{url}/bot", request=AiohttpRequest(), get_updates_request=AiohttpRequest()
    ) as bot:
        platform = TelegramSender(bot, limits())
        (message,) = platform.render(present.post(found, make_look(load_settings(), chat)), Form.FULL)
        send = partial(platform.send, chat, message, key="key")
        began, cpu, tasks = time.monotonic(), time.process_time(), set[asyncio.Task[object]]()
        for n in range(SENDS):
            if (early := began + n / RATE - time.monotonic()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(send())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        return {"cpu": (time.process_time() - cpu) / SENDS * 1e6}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1]))), flush=True)
