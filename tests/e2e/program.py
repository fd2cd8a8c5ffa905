"""Runs Skywave as a separate process, as people do, and a server of feeds in the process of the test."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from aiohttp import web

from tests.e2e.forks import Process, start


class Program:
    """One deployment: its environment, and the commands that run in it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        keep = {name: value for name, value in os.environ.items() if not name.startswith("SKYWAVE_")}
        self.environment = keep | {
            "SKYWAVE_DATABASE_URL": f"sqlite:///{folder / 'skywave.db'}",
            "SKYWAVE_POLL_INTERVAL": "1",
            "SKYWAVE_POLL_LONGEST": "1",
            "SKYWAVE_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment |= {f"SKYWAVE_{name.upper()}": value for name, value in settings.items()}

    async def start(self, *arguments: str) -> Process:
        """Start the program as a process. Its log goes to a file in the folder."""
        with open(os.devnull, "rb") as nothing, (self.folder / "log.txt").open("ab") as log:
            return await start(arguments, self.environment, [nothing.fileno(), log.fileno(), log.fileno()])

    async def call(self, *arguments: str, input: str = "") -> tuple[int, str, str]:
        """Run a command and return exit status, standard output and standard error."""
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(input.encode())
            given.seek(0)
            process = await start(arguments, self.environment, [given.fileno(), out.fileno(), err.fileno()])
            status = await process.wait()
            out.seek(0)
            err.seek(0)
            return status, out.read().decode(), err.read().decode()

    async def json(self, *arguments: str) -> Any:
        """Run a command with --json and return its parsed output."""
        status, out, err = await self.call(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        """Run `skywave run` during the block. At the end SIGTERM ends it, if it still runs."""
        process = await self.start("run")
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


class FeedServer:
    """Serves documents and web pages by path; change `documents` to change what is served."""

    def __init__(self) -> None:
        self.documents: dict[str, Mapping[str, Any] | str] = {}
        self.url = ""

    async def _answer(self, request: web.Request) -> web.Response:
        document = self.documents.get(request.path)
        if isinstance(document, str):
            return web.Response(text=document, content_type="text/html")
        return web.Response(status=404) if document is None else web.json_response(document)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FeedServer"]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def json_feed(*items: Mapping[str, Any], title: str = "Radio notes") -> Mapping[str, Any]:
    """A JSON Feed with the given items."""
    return {"version": "https://jsonfeed.org/version/1.1", "title": title, "items": list(items)}


def item(name: str, **fields: Any) -> Mapping[str, Any]:
    """An item of a JSON Feed with a title and a unique address."""
    return {
        "id": name,
        "url": f"https://example.org/{name}",
        "title": f"Post {name}",
        "content_html": f"<p>The text of {name}.</p>",
    } | fields
