"""A web hook and a mail server on loopback, which keep what they are sent."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiohttp import web


class Hook:
    """What apprise's `json://` posts to. `statuses` are the next answers, then 200; `free` lets it answer."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        self.free.set()
        self.address = ""

    @property
    def url(self) -> str:
        """Its address for apprise, with something secret in each of its pieces."""
        return f"json://hook-user:hook-password@{self.address}/hook-path/?+token=hook-token"

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.set()
        await self.free.wait()
        self.arrived.append(await request.json())
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Hook"]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = "{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            self.free.set()
            await runner.cleanup()


class MailServer:
    """As much of SMTP (RFC 5321) as it takes to be given mail. `refuses`: it takes none."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self.refuses = False
        self.port = 0

    @property
    def url(self) -> str:
        people = "from=skywave@example.org&to=team@example.org"
        return f"mailto://127.0.0.1:{self.port}/?smtp=127.0.0.1&mode=insecure&{people}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self._take(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            elif verb == b"MAIL" and self.refuses:
                writer.write(b"550 no\r\n")
            elif verb == b"QUIT":
                break
            else:
                writer.write(b"250 yes\r\n")
        writer.close()

    def _take(self, content: bytes) -> None:
        message = email.message_from_bytes(content.removesuffix(b".\r\n"), policy=default)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["MailServer"]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
