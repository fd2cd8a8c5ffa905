"""A server at an address that no source may reach. It counts the connections that reach it nevertheless."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

# The program may reach the addresses of the sites, but not this one.
HOST, ALLOWED = "127.0.0.2", "127.1.0.0/16"


class Canary:
    """`hits` are the first lines of what was asked."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.port = 0

    @property
    def urls(self) -> Sequence[str]:
        """Its address in notations that a guard may overlook."""
        hosts = (HOST, "2130706434", "0x7f.2", "[::ffff:127.0.0.2]", "0177.0.0.2", "[::ffff:7f00:2]")
        return [f"http://{host}:{self.port}/latest/meta-data/" for host in hosts]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        self.hits.append(line.decode(errors="replace").strip() or "a connection")
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, HOST, 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield
