"""The routes of the REST API. A route is found by its length and its fixed words."""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from tests.emulators.discord import api_account as account
from tests.emulators.discord import api_channels as channels
from tests.emulators.discord import api_guilds as guilds
from tests.emulators.discord import api_interactions as interactions
from tests.emulators.discord import api_messages as messages
from tests.emulators.discord.call import Call
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.state import World

Method = Callable[[World, Call], object]

SEND = "POST /channels/{channel}/messages"
EDIT = "PATCH /channels/{channel}/messages/{message}"
FETCH = "GET /channels/{channel}/messages/{message}"
DELETE = "DELETE /channels/{channel}/messages/{message}"
CROSSPOST = "POST /channels/{channel}/messages/{message}/crosspost"
CREATE_THREAD = "POST /channels/{channel}/threads"
EDIT_CHANNEL = "PATCH /channels/{channel}"
SYNC = "PUT /applications/{application}/commands"
CALLBACK = "POST /interactions/{interaction}/{token}/callback"
FOLLOW_UP = "POST /webhooks/{application}/{token}"
EDIT_ANSWER = "PATCH /webhooks/{application}/{token}/messages/{message}"

_COMMANDS = "/applications/{application}/commands"
_GUILD_COMMANDS = "/applications/{application}/guilds/{guild}/commands"
_ANSWER = "/webhooks/{application}/{token}/messages/{message}"

ROUTES: Mapping[str, Method] = {
    "GET /users/@me": account.get_me,
    "GET /users/@me/guilds": guilds.list_guilds,
    "DELETE /users/@me/guilds/{guild}": guilds.leave_guild,
    "POST /users/@me/channels": channels.open_dm,
    "GET /users/{user}": account.get_user,
    "GET /applications/@me": account.get_application,
    "GET /oauth2/applications/@me": account.get_application,
    SYNC: account.put_commands,
    f"POST {_COMMANDS}": account.add_command,
    f"GET {_COMMANDS}": account.get_commands,
    f"PUT {_GUILD_COMMANDS}": account.put_commands,
    f"POST {_GUILD_COMMANDS}": account.add_command,
    f"GET {_GUILD_COMMANDS}": account.get_commands,
    "GET /guilds/{guild}": guilds.get_guild,
    "GET /guilds/{guild}/channels": guilds.list_channels,
    "GET /guilds/{guild}/roles": guilds.list_roles,
    "GET /guilds/{guild}/members/{user}": guilds.get_member,
    "GET /guilds/{guild}/threads/active": guilds.list_active_threads,
    "GET /channels/{channel}": channels.get_channel,
    EDIT_CHANNEL: channels.edit_channel,
    "DELETE /channels/{channel}": channels.delete_channel,
    CREATE_THREAD: channels.create_thread,
    "POST /channels/{channel}/messages/{message}/threads": channels.create_thread_from,
    "PUT /channels/{channel}/thread-members/@me": channels.join_thread,
    "POST /channels/{channel}/typing": messages.typing,
    "GET /channels/{channel}/messages": messages.list_messages,
    SEND: messages.create_message,
    FETCH: messages.get_message,
    EDIT: messages.edit_message,
    DELETE: messages.delete_message,
    CROSSPOST: messages.crosspost,
    CALLBACK: interactions.callback,
    FOLLOW_UP: interactions.follow_up,
    f"GET {_ANSWER}": interactions.get_answer,
    EDIT_ANSWER: interactions.edit_answer,
    f"DELETE {_ANSWER}": interactions.delete_answer,
}
CREATED = frozenset(
    (CREATE_THREAD, "POST /channels/{channel}/messages/{message}/threads", f"POST {_COMMANDS}")
)
"""Routes that answer 201."""
GATEWAY = ("/gateway", "/gateway/bot")
OPEN = ("/interactions/", "/webhooks/")
"""Where a token in the path takes the place of the bot's."""


def find_route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The route's path with the names of its parameters, and their values. Raises 404 and 405."""
    words = path.strip("/").split("/")
    known = False
    for template, parts in _TABLE.get(len(words), ()):
        if all(part == word or part[0] == "{" for part, word in zip(parts, words, strict=True)):
            known = True
            if f"{method} {template}" in ROUTES or (method == "GET" and template in GATEWAY):
                pairs = zip(parts, words, strict=True)
                return template, {part[1:-1]: unquote(word) for part, word in pairs if part[0] == "{"}
    raise refusal(405 if known else 404)


def _table() -> Mapping[int, list[tuple[str, list[str]]]]:
    table: dict[int, list[tuple[str, list[str]]]] = {}
    templates = dict.fromkeys(route.partition(" ")[2] for route in ROUTES) | dict.fromkeys(GATEWAY)
    for template in templates:
        parts = template.strip("/").split("/")
        table.setdefault(len(parts), []).append((template, parts))
    return table


_TABLE = _table()
