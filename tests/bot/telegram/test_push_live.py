"""From the call of a hook to a message in a chat, through the running program."""

from pathlib import Path

from aiohttp import ClientSession

from bot.web.push import push_routes
from bot.web.server import serving
from content.types import Visibility
from tests.bot.live import PATIENCE
from tests.bot.telegram.live import live
from tests.emulators.telegram import TelegramEmulator


async def test_what_a_hook_is_sent_arrives_while_the_program_runs(tg: TelegramEmulator, folder: Path) -> None:
    ann = tg.private(tg.user("Ann"))
    async with live(tg, folder) as sky, ClientSession() as session:
        await sky.follow(ann)
        await sky.barrier()  # until it serves, it takes no calls
        source = (await sky.app.ingest.add("hook:builds", Visibility.PUBLIC)).source
        async with sky.app.store.read() as work:
            push = await work.pushes.of_source(source.id)
        assert push is not None
        headers = {"Authorization": f"Bearer {push.secret}"}
        async with serving(push_routes(sky.app.receiver, sky.app.hubs), "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/hooks/{push.token}"
            async with session.post(url, json={"title": "Post of a hook"}, headers=headers) as answer:
                assert answer.status == 202
            await tg.wait_for(lambda: sky.posts(ann) == ["Post of a hook"] or None, PATIENCE)
            await sky.stop()
            async with session.post(url, json={"title": "too late"}, headers=headers) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
