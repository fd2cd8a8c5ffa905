"""The gateway: WebSocket connections that identify or resume, and their closing."""

import asyncio

from aiohttp import WSMsgType, web

from tests.emulators.discord.connection import Connection, Refused, read_frame, write_frames
from tests.emulators.discord.events import PRIVILEGED, Close, Session
from tests.emulators.discord.form import number_of
from tests.emulators.discord.greeting import greet, tell_members
from tests.emulators.discord.records import Link
from tests.emulators.discord.state import World
from tests.emulators.discord.types import Json

HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT = 1, 2, 3, 4, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 8, 9, 10, 11
UNKNOWN_OP, NOT_IDENTIFIED, BAD_TOKEN, TWICE, BAD_SEQ = 4001, 4003, 4004, 4005, 4007
BAD_INTENTS, FORBIDDEN_INTENTS = 4013, 4014
_KNOWN_INTENTS = (1 << 26) - 1
_HEARTBEAT_MS = 41_250


class Gateway:
    """Serves connections. It refuses privileged intents with 4014 unless `privileged` includes them."""

    def __init__(self, world: World, token: str, privileged: int) -> None:
        self._world = world
        self._token = token
        self._privileged = privileged
        self.url = ""
        """What READY gives for resuming."""
        self.connections: set[Connection] = set()
        self.identified = 0
        """IDENTIFYs that were accepted; Discord allows 1000 a day."""
        self.heartbeats = 0
        self.answers_heartbeats = True
        """False makes connections zombies: open, but without acknowledgements."""
        self.resumable = True
        """Whether sessions can be resumed; if not, RESUME gets op 9."""

    @property
    def ready(self) -> bool:
        """Whether the bot is connected and has identified."""
        return any(connection.session is not None for connection in self.connections)

    def drop(self) -> None:
        """Cut every connection without a close frame. The sessions can be resumed."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def close(self, code: int) -> None:
        """Close every connection with a gateway close code."""
        for connection in self.connections:
            connection.outbox.put_nowait(Close(code))

    def reconnect(self) -> None:
        """Ask every client to reconnect (op 7)."""
        for connection in self.connections:
            connection.put(RECONNECT, None)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is invalid (op 9), and forget the session unless `resumable`."""
        for connection in self.connections:
            if connection.session is not None and not resumable:
                self._world.events.sessions.pop(connection.session.id, None)
            connection.put(INVALID_SESSION, resumable)

    async def serve(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Serve one client until the connection ends."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(socket, request.transport)
        self.connections.add(connection)
        connection.put(HELLO, {"heartbeat_interval": _HEARTBEAT_MS, "_trace": []})
        writer = asyncio.create_task(write_frames(connection))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._receive(connection, message.data)
        finally:
            writer.cancel()
            self._end(connection)
        return socket

    def _receive(self, connection: Connection, text: str) -> None:
        try:
            self._act(connection, text)
        except Refused as refused:
            self._world.transcript.append(Link("refused", "", refused.code))
            connection.outbox.put_nowait(Close(refused.code))

    def _act(self, connection: Connection, text: str) -> None:
        op, data = read_frame(text)
        if op == HEARTBEAT:
            self.heartbeats += 1
            if self.answers_heartbeats:
                connection.put(ACK, None)
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            raise Refused(NOT_IDENTIFIED)
        elif op == REQUEST_MEMBERS:
            tell_members(self._world, connection.session, data)
        elif op not in (PRESENCE, VOICE):
            raise Refused(UNKNOWN_OP)

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise Refused(TWICE)
        self._check_token(data)
        intents = number_of(data.get("intents"), -1)
        if not 0 <= intents <= _KNOWN_INTENTS:
            raise Refused(BAD_INTENTS)
        if intents & PRIVILEGED & ~self._privileged:
            raise Refused(FORBIDDEN_INTENTS)
        session = self._world.events.open(intents)
        self._attach(connection, session, "identified")
        self.identified += 1
        greet(self._world, session, self.url)

    def _resume(self, connection: Connection, data: Json) -> None:
        self._check_token(data)
        session = self._world.events.sessions.get(str(data.get("session_id")))
        seq = number_of(data.get("seq"))
        missed = session.since(seq) if session is not None and seq <= session.seq else None
        if session is None or missed is None or not self.resumable:
            if session is not None and seq > session.seq:
                raise Refused(BAD_SEQ)
            connection.put(INVALID_SESSION, False)
            return
        for frame in missed:
            connection.outbox.put_nowait(frame)
        self._attach(connection, session, "resumed")
        session.push("RESUMED", "{}")

    def _check_token(self, data: Json) -> None:
        if data.get("token") != self._token:
            raise Refused(BAD_TOKEN)

    def _attach(self, connection: Connection, session: Session, what: str) -> None:
        for other in self.connections:
            if other.session is session:
                other.session = None
        connection.session = session
        session.outbox = connection.outbox
        self._world.transcript.append(Link(what, session.id))

    def _end(self, connection: Connection) -> None:
        self.connections.discard(connection)
        session, code = connection.session, connection.closed or connection.socket.close_code
        if session is None:
            return
        session.outbox = None
        if code in (1000, 1001):  # the client has ended the session; after any other code it may resume
            self._world.events.sessions.pop(session.id, None)
        self._world.transcript.append(Link("ended", session.id, code))
