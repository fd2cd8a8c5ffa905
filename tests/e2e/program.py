"""Runs Skywave as a separate process, as people do, and a server of feeds in the process of the test."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web


class Program:
    """One deployment: its environment, and the commands that run in it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        keep = {name: value for name, value in os.environ.items() if not name.startswith("SKYWAVE_")}
        self.environment = keep | {
            "SKYWAVE_DATABASE_URL": f"sqlite:///{folder / 'skywave.db'}",
            "SKYWAVE_POLL_INTERVAL": "1",
            "SKYWAVE_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment |= {f"SKYWAVE_{name.upper()}": value for name, value in settings.items()}

    async def start(self, *arguments: str, **streams: int) -> asyncio.subprocess.Process:
        """Start the program as a process. Its log goes to a file in the folder."""
        log = (self.folder / "log.txt").open("ab")
        stdin, stdout = streams.get("stdin", asyncio.subprocess.DEVNULL), streams.get("stdout", log)
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                *arguments,
                cwd=Path.cwd(),
                env=self.environment,
                stdin=stdin,
                stdout=stdout,
                stderr=streams.get("stderr", log),
            )
        finally:
            log.close()

    async def call(self, *arguments: str, input: str = "") -> tuple[int, str, str]:
        """Run a command and return exit status, standard output and standard error."""
        pipe = asyncio.subprocess.PIPE
        process = await self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = await process.communicate(input.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def json(self, *arguments: str) -> Any:
        """Run a command with --json and return its parsed output."""
        status, out, err = await self.call(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run `skywave run` during the block. At the end SIGTERM ends it, if it still runs."""
        process = await self.start("run")
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


class FeedServer:
    """Serves documents by path; change `documents` to change what is served."""

    def __init__(self) -> None:
        self.documents: dict[str, Mapping[str, Any]] = {}
        self.url = ""

    async def _answer(self, request: web.Request) -> web.Response:
        document = self.documents.get(request.path)
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
