"""Gateway sessions and their dispatched events, which a resumed connection gets again."""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass, field

from tests.emulators.discord.types import Json

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
MESSAGES, DIRECT_MESSAGES, CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | CONTENT
KEPT = 10_000
"""Events that a session keeps for a resume."""


@dataclass(frozen=True, slots=True)
class Close:
    """Queued in an outbox, closes the connection with this code."""

    code: int


Outbox = asyncio.Queue[str | Close]


@dataclass(slots=True, eq=False)
class Session:
    """One session. It survives its connection."""

    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    log: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    outbox: Outbox | None = None
    """The outbox of its connection; None while it has none."""

    def push(self, event: str, data: str) -> None:
        """Dispatch an event, whose data is JSON text."""
        self.seq += 1
        frame = f'{{"t":"{event}","s":{self.seq},"op":0,"d":{data}}}'
        self.log.append((self.seq, frame))
        if self.outbox is not None:
            self.outbox.put_nowait(frame)

    def since(self, seq: int) -> list[str] | None:
        """The frames after `seq`; None if some of them are no longer stored."""
        missed = self.seq - seq
        if missed > len(self.log):
            return None
        return [self.log[place][1] for place in range(len(self.log) - missed, len(self.log))]


@dataclass(slots=True)
class Events:
    """All sessions that are connected or can be resumed."""

    sessions: dict[str, Session] = field(default_factory=dict)

    def open(self, intents: int) -> Session:
        """Open a new session, and forget sessions without a connection."""
        self.sessions = {name: old for name, old in self.sessions.items() if old.outbox is not None}
        session = Session(intents)
        self.sessions[session.id] = session
        return session

    def dispatch(self, event: str, data: Json, intent: int = 0, *, blank: Json | None = None) -> None:
        """Dispatch the event to every session whose intents include it.

        Sessions that may not read message content get `blank` instead.
        """
        if not self.sessions:
            return
        text = dump(data)
        other = text if blank is None else dump(blank)
        for session in self.sessions.values():
            if session.intents & intent == intent:
                session.push(event, text if session.intents & CONTENT else other)


def dump(data: Json) -> str:
    """The data as Discord writes it."""
    return json.dumps(data, separators=(",", ":"))
