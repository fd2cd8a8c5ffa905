"""Keeps the connection to Discord's gateway.

It replaces discord.py's own loop, which ends with an internal error when its first connection fails, and
waits up to a quarter of an hour between attempts after an outage. This one uses the common back-off.
"""

import asyncio
from typing import Any

import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.platforms.attempts import Sleep, back_off
from bot.platforms.discord.errors import FAULTS, TOKEN_REFUSED, send_error
from bot.platforms.discord.limits import NAME
from content.i18n import Msgid
from scheduler.errors import PlatformStopped

CONNECT_TIMEOUT = 60.0  # seconds
# Close codes after which reconnecting cannot help (docs.discord.com: "Gateway Close Event Codes").
CLOSED = {
    4004: TOKEN_REFUSED,
    4010: Msgid("Discord rejects the shard of this connection: update Skywave"),
    4011: Msgid("the bot is in too many servers for one connection: let it leave some"),
    4012: Msgid("Discord no longer supports this version of its gateway: update Skywave"),
    4013: Msgid("Discord does not know the intents that Skywave asks for: update Skywave"),
    4014: Msgid(
        "Discord does not allow the intents that Skywave asks for: check the bot's page in the portal"
    ),
}


async def stay_connected(client: discord.Client, sleep: Sleep) -> None:
    """Connect, handle events and resume until the client is closed. Raises PlatformStopped."""
    how: dict[str, Any] = {"initial": True}
    failed = 0
    while not client.is_closed():
        try:
            connecting = DiscordWebSocket.from_client(client, **how)
            client.ws = await asyncio.wait_for(connecting, CONNECT_TIMEOUT)
            while True:
                await client.ws.poll_event()
                failed = 0
        except ReconnectWebSocket as exc:
            how = _again(client.ws, resume=exc.resume)
            if failed:  # no event arrived since the last failure: wait before the next attempt
                await _back_off(failed, ConnectionError(), sleep)
            failed += 1
        except FAULTS as exc:
            if isinstance(exc, discord.ConnectionClosed) and exc.code in CLOSED:
                raise PlatformStopped(CLOSED[exc.code]) from exc
            await _back_off(failed, exc, sleep)
            failed += 1
            # Try to resume the session; Discord answers with "invalid session" if it is gone.
            how = _again(client.ws, resume=True) if client.ws else how
        client.dispatch("disconnect")


async def _back_off(failed: int, error: Exception, sleep: Sleep) -> None:
    await back_off(NAME, failed, str(send_error(error)), sleep)


def _again(socket: DiscordWebSocket, *, resume: bool) -> dict[str, Any]:
    """The arguments for the next connection. Only a resume has to use the same gateway host."""
    how = {"sequence": socket.sequence, "session": socket.session_id, "resume": resume}
    return how | {"gateway": socket.gateway} if resume else how
