"""One gateway connection: reads and writes frames."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web

from tests.emulators.discord.events import Close, Outbox, Session
from tests.emulators.discord.form import number_of
from tests.emulators.discord.types import Json

BAD_JSON = 4002


class Refused(Exception):
    """The connection must be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, eq=False)
class Connection:
    """One WebSocket and its session."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    outbox: Outbox = field(default_factory=asyncio.Queue)
    session: Session | None = None
    closed: int | None = None
    """The code with which the server closed it."""

    def put(self, op: int, data: object) -> None:
        """Send a frame that is not an event."""
        self.outbox.put_nowait(json.dumps({"op": op, "d": data, "s": None, "t": None}))


def read_frame(text: str) -> tuple[int, Json]:
    """Read opcode and data. Raises Refused 4002 if the frame is not a JSON object."""
    try:
        frame = json.loads(text)
    except ValueError as exc:
        raise Refused(BAD_JSON) from exc
    if not isinstance(frame, dict):
        raise Refused(BAD_JSON)
    data = frame.get("d")
    return number_of(frame.get("op"), -1), data if isinstance(data, dict) else {}


async def write_frames(connection: Connection) -> None:
    """Send the frames of the outbox until the connection ends."""
    while True:
        item = await connection.outbox.get()
        try:
            if isinstance(item, Close):
                connection.closed = item.code
                await connection.socket.close(code=item.code)
                return
            await connection.socket.send_str(item)
        except ConnectionError:
            return
