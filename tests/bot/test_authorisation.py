"""Who may do what: each command and button, role, access, platform, kind of chat, and way in which it comes.

`RIGHTS` says what happens for each right, `NEEDS` which right each command and button needs. The router
decides every cell, with handlers that only say that they ran. `BEYOND` has what handlers check themselves,
`TELEGRAM` and `DISCORD` how the platforms know who somebody is. docs/access.md shows the same to people.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, cast

import discord
import pytest
from telegram import Update

from bot.access import AccessMode, Act, Role, Verdict, decide
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.panels.data import hour_of
from bot.commands.router import Router
from bot.commands.types import ASKS, Call, Question, Reply, Services
from bot.platforms.discord.events import call_of
from bot.platforms.telegram.events import CommandEvent, PressEvent, event_of
from bot.settings import Settings
from content.document import Document
from scheduler import membership
from scheduler.ports import Store
from scheduler.quotas import Quotas
from scheduler.types import Chat, ChatAccess, ChatKind, Draft, DraftState, Place
from tests.bot.conftest import Desk, look, open_desk, shown
from tests.builders import NOW
from tests.fakes import FakeClock
from tests.scheduler.conftest import json_feed

# What happens: it is done (yes); only admins (adm) or operators (ops) can; the chat is told once how to get
# in, then nothing (once); nothing, and no word (-). For members, admins of the chat, and operators.
RIGHTS = """
         | open        | curated     | closed         | let in      | banned
read     | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
manage   | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
operate  | ops ops yes | ops ops yes | once once yes  | ops ops yes | - - -
"""
NEEDS = {
    Act.READ: """
        /latest /page /search /more /read /sources /why /status /help /start
        press:l press:s press:m
        """,
    Act.MANAGE: """
        /subscribe /unsubscribe /subscriptions /settings /digest /quiet /pause /resume /format /filter
        /language /post /audit /forget /import /export /manage
        press:d press:t press:q press:f press:g press:u press:e press:c press:a press:x press:wa
        press:wf press:lp
        """,
    Act.OPERATE: """
        /operator /allow /ban /unban
        press:o
        """,
}
# What handlers check beyond that, where the bot is open, curated, and closed but the chat let in.
BEYOND = """
                          | open        | curated     | let in
/subscribe NEW            | adm yes yes | adm ops yes | adm yes yes
/subscribe HIDDEN         | adm yes yes | adm ops yes | adm yes yes
/subscribe PUBLIC         | adm yes yes | adm yes yes | adm yes yes
press d:DRAFT:here        | adm yes yes | adm yes yes | adm yes yes
press d:DRAFT:no          | adm yes yes | adm yes yes | adm yes yes
press d:DRAFT:all         | adm ops yes | adm ops yes | adm ops yes
press u:l:HOUR:1          | adm yes yes | adm yes yes | adm yes yes
press u:l:1:1             | adm old old | adm old old | adm old old
press e:s:HOUR:0:pictures:yes:no | adm yes yes | adm yes yes | adm yes yes
press e:s:1:0:pictures:yes:no | adm old old | adm old old | adm old old
/forget                   | adm yes yes | adm yes yes | adm yes yes
/forget export            | adm yes yes | adm yes yes | adm yes yes
/forget export telegram:-1006 | adm ops yes | adm ops yes | adm ops yes
/forget telegram:-1006    | adm ops yes | adm ops yes | adm ops yes
press wf:OTHER:ask        | adm ops yes | adm ops yes | adm ops yes
press wf:OTHER:erase      | adm ops yes | adm ops yes | adm ops yes
/operator                 | ops ops out | ops ops out | ops ops out
press o:s:OTHER:1:banned  | ops ops out | ops ops out | ops ops out
"""
COLUMN = {
    (AccessMode.OPEN, ChatAccess.DEFAULT): "open",
    (AccessMode.OPEN, ChatAccess.ALLOWED): "open",
    (AccessMode.OPEN, ChatAccess.BANNED): "banned",
    (AccessMode.CURATED, ChatAccess.DEFAULT): "curated",
    (AccessMode.CURATED, ChatAccess.ALLOWED): "curated",
    (AccessMode.CURATED, ChatAccess.BANNED): "banned",
    (AccessMode.CLOSED, ChatAccess.DEFAULT): "closed",
    (AccessMode.CLOSED, ChatAccess.ALLOWED): "let in",
    (AccessMode.CLOSED, ChatAccess.BANNED): "banned",
}
SAID = {
    "Only admins of this chat": "adm",
    "Only operators": "ops",
    "in a private chat": "out",
    "This panel has expired": "old",
    "This bot is private.": "once",
    "This message no longer has that button.": "gone",
}
SPEAKERS = {Role.MEMBER: "7", Role.ADMIN: "8", Role.OPERATOR: "9"}
OPERATORS = {"telegram:9", "discord:9", "terminal:9"}
PLACES = (
    ("telegram", ChatKind.PRIVATE),
    ("telegram", ChatKind.GROUP),
    ("telegram", ChatKind.CHANNEL),
    ("discord", ChatKind.PRIVATE),
    ("discord", ChatKind.CHANNEL),
    ("terminal", ChatKind.TERMINAL),
)
DONE = Reply(Document(()))
ADDRESS, HIDDEN, PUBLIC = "-1005", "https://hidden.example.net/f.json", "https://example.org/feed.json"


def read(table: str) -> dict[str, dict[str, list[str]]]:
    """What happens, by row and by column, to each role."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip("\n").splitlines()]
    return {
        row[0]: {name: cell.split() for name, cell in zip(head[1:], row[1:], strict=True)} for row in rows
    }


EXPECTED = read(RIGHTS)


def outcome(reply: Reply | Question | None) -> str:
    if reply is None:
        return "-"
    assert isinstance(reply, Reply)
    return next((short for words, short in SAID.items() if words in shown(reply)), "yes")


class OneChat:
    """A store that has one chat, and takes what is recorded."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.chats = self.audit = self

    async def find(self, _place: Place) -> Chat:
        return self.chat

    async def add(self, *_entry: object) -> None: ...

    async def commit(self) -> None: ...

    @asynccontextmanager
    async def read(self) -> AsyncIterator["OneChat"]:
        yield self

    write = read


@dataclass
class Gate:
    """The router in front of a chat, with handlers that say that they ran."""

    services: Services
    place: Place
    kind: ChatKind

    @classmethod
    def of(cls, platform: str, kind: ChatKind, access: ChatAccess, mode: AccessMode) -> "Gate":
        chat = Chat(1, Place(platform, ADDRESS), "Club", kind, access=access)

        async def ran(*_given: object) -> Reply:
            return DONE

        async def completed(*_given: object) -> list[str]:
            return ["a completion"]

        def completing(command: Any) -> Any:
            parameters = [replace(p, completer=p.completer and completed) for p in command.parameters]
            return replace(command, handler=ran, parameters=tuple(parameters))

        services = Services(
            settings=Settings(access=mode, **asdict(Quotas())),
            store=cast(Store, OneChat(chat)),
            ingest=cast(Any, None),
            drafts=cast(Any, None),
            clock=FakeClock(),
            look=look,
            wake=lambda: None,
            shown=cast(Any, None),
            commands=tuple(completing(command) for command in COMMANDS),
            presses=tuple(replace(press, handler=ran) for press in PRESSES),
        )
        return cls(services, chat.place, kind)

    def router(self) -> Router:
        return Router(self.services, OPERATORS, Flood(1000, self.services.clock))

    def call(self, role: Role, name: str = "", arguments: str = "") -> Call:
        async def is_admin() -> bool:
            return role is Role.ADMIN

        actor = f"{self.place.platform}:{SPEAKERS[role]}"
        return Call(name, arguments, self.place, self.kind, "Club", actor, "en", is_admin)

    async def happens(self, what: str, role: Role) -> str:
        """What becomes of a command or a press; a chat that was told how to get in is told no more."""
        router = self.router()
        first = await self._ask(router, what, role)
        if first == "once":
            assert await self._ask(router, what, role) == "-"
        return first

    async def _ask(self, router: Router, what: str, role: Role) -> str:
        if what.startswith("/"):
            return outcome(await router.command(self.call(role, what[1:])))
        data = what.removeprefix("press:") + ":1"
        return outcome(await router.press(data, self.call(role), [data]))

    async def forged(self, prefix: str, role: Role) -> Iterator[str]:
        """What becomes of data that no button has, of lost messages, and of answers to no question."""
        data, router, call = f"{prefix}:1", self.router(), self.call(role)
        presses = (
            await router.press(data, call, ["another"]),
            await self.router().press(data, call, []),
            await self.router().press(data, call, [data], answered=True),
            await self.router().press(data + ASKS, call, [data]),
        )
        return map(outcome, presses)


def named(act: Act) -> list[str]:
    return NEEDS[act].split()


def test_the_table_has_every_command_and_button() -> None:
    """A new one has to be entered, with the right that it should need."""
    listed = [name for act in NEEDS for name in named(act)]
    existing = [f"/{command.name}" for command in COMMANDS] + [f"press:{press.prefix}" for press in PRESSES]
    assert sorted(listed) == sorted(existing)
    assert set(EXPECTED) == {str(act) for act in NEEDS}


@pytest.mark.parametrize(("mode", "access"), COLUMN)
@pytest.mark.parametrize(("platform", "kind"), PLACES)
async def test_every_cell(platform: str, kind: ChatKind, mode: AccessMode, access: ChatAccess) -> None:
    column, gate = COLUMN[mode, access], Gate.of(platform, kind, access, mode)
    wrong: list[tuple[object, ...]] = []
    for act in NEEDS:
        expected = dict(zip(Role, EXPECTED[act][column], strict=True))
        for what, role in product(named(act), Role):
            if (happened := await gate.happens(what, role)) != expected[role]:
                wrong.append((what, role, happened))
    assert wrong == []


@pytest.mark.parametrize(("mode", "access"), COLUMN)
async def test_forged_presses_reach_no_handler(mode: AccessMode, access: ChatAccess) -> None:
    column, gate = COLUMN[mode, access], Gate.of("discord", ChatKind.CHANNEL, access, mode)
    wrong: list[tuple[object, ...]] = []
    for act in NEEDS:
        prefixes = [name.removeprefix("press:") for name in named(act) if name.startswith("press:")]
        for prefix, (role, may) in product(prefixes, zip(Role, EXPECTED[act][column], strict=True)):
            expected = "gone" if may == "yes" else may
            found = await gate.forged(prefix, role)
            wrong += [(prefix, role, one) for one in found if one != expected]
    assert wrong == []


@pytest.mark.parametrize(("mode", "access"), COLUMN)
async def test_completions_are_offered_to_those_who_may_give_the_command(
    mode: AccessMode, access: ChatAccess
) -> None:
    gate = Gate.of("discord", ChatKind.CHANNEL, access, mode)
    needed = {name: act for act in NEEDS for name in named(act)}
    for command in COMMANDS:
        expected = EXPECTED[needed[f"/{command.name}"]][COLUMN[mode, access]]
        for (role, may), parameter in product(zip(Role, expected, strict=True), command.parameters):
            offered = await gate.router().complete(parameter.name, "", gate.call(role, command.name))
            assert bool(offered) == (may == "yes" and parameter.completer is not None), (command.name, role)


@pytest.mark.parametrize("mode", AccessMode)
@pytest.mark.parametrize("access", ChatAccess)
@pytest.mark.parametrize("act", Act)
def test_a_higher_role_may_not_do_less(act: Act, access: ChatAccess, mode: AccessMode) -> None:
    verdicts = [decide(act, role, access, mode) is Verdict.YES for role in Role]
    assert verdicts == sorted(verdicts)


# What handlers check


async def prepared(desk: Desk) -> dict[str, str]:
    """A public source, a private one, a chat with a draft and another chat: what the names in BEYOND mean."""
    await desk.source("post-1 radio", url=PUBLIC)
    await desk.source("post-2", url=HIDDEN, title="Hidden", public=False)
    async with desk.store.write() as work:
        chat = await work.chats.ensure(Place("telegram", ADDRESS), title="Club", kind=ChatKind.GROUP)
        other = await work.chats.ensure(Place("telegram", "-1006"), title="Other", kind=ChatKind.GROUP)
        draft = Draft(0, chat.id, "telegram:8", "Hello", False, DraftState.PREVIEW, None, NOW)
        ids = {"DRAFT": str((await work.drafts.add(draft)).id), "OTHER": str(other.id)}
        await work.commit()
    return ids | {"HIDDEN": HIDDEN, "PUBLIC": PUBLIC, "HOUR": str(hour_of(NOW))}


@pytest.mark.parametrize("column", ["open", "curated", "let in"])
async def test_what_handlers_check(sqlite_url: str, column: str) -> None:
    (mode, access), *_ = [cell for cell, name in COLUMN.items() if name == column]
    happened: dict[str, list[str]] = {}
    async with open_desk(sqlite_url, access=mode) as desk:
        ids = await prepared(desk)
        async with desk.store.write() as work:
            await membership.grant(work, Place("telegram", ADDRESS), access, NOW)
            await work.commit()
        for row in read(BEYOND):
            happened[row] = [await asked(desk, row, ids, role) for role in Role]
    assert happened == {row: cells[column] for row, cells in read(BEYOND).items()}


async def asked(desk: Desk, row: str, ids: dict[str, str], role: Role) -> str:
    what = row
    for name, meant in ids.items():
        what = what.replace(name, meant)
    if "NEW" in what:
        url = f"https://new.example.net/{role}.json"
        desk.fetcher.pages[url] = json_feed("new", site=url)
        what = what.replace("NEW", url)
    router = Router(desk.services, OPERATORS, Flood(1000, desk.services.clock))
    gate = Gate(desk.services, Place("telegram", ADDRESS), ChatKind.GROUP)
    verb, _, rest = what.partition(" ")
    if verb == "press":
        return outcome(await router.press(rest, gate.call(role), [rest]))
    return outcome(await router.command(gate.call(role, verb[1:], rest)))


# How the platforms know who somebody is

TYPES = {"private": ChatKind.PRIVATE, "supergroup": ChatKind.GROUP, "channel": ChatKind.CHANNEL}
PERSON = {"id": 7, "is_bot": False, "first_name": "Ann"}
# An anonymous admin and a linked channel are shown as bots of Telegram's own.
GROUP_BOT = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel"}
ITSELF = {"id": int(ADDRESS), "type": "supergroup", "title": "Club"}
ANOTHER = {"id": -1007, "type": "channel", "title": "Another"}
FORWARD = {"type": "hidden_user", "date": 1, "sender_user_name": "Ann"}

# By what a message says of its sender: the actor, and whether it speaks for the chat and so is its admin. For
# others Telegram is asked, except in private chats. None: the message runs nothing.
TELEGRAM: dict[str, tuple[str, dict[str, Any], tuple[str, bool] | None]] = {
    "a person in private": ("private", {"from": PERSON}, ("telegram:7", False)),
    "a member or an admin": ("supergroup", {"from": PERSON}, ("telegram:7", False)),
    "an anonymous admin": (
        "supergroup",
        {"from": GROUP_BOT, "sender_chat": ITSELF},
        (f"telegram:{ADDRESS}", True),
    ),
    "a channel": ("channel", {"sender_chat": ITSELF}, (f"telegram:{ADDRESS}", True)),
    "a channel without a sender": ("channel", {}, (f"telegram:{ADDRESS}", False)),
    "a person as a channel": (
        "supergroup",
        {"from": CHANNEL_BOT, "sender_chat": ANOTHER},
        ("telegram:136817688", False),
    ),
    "forwarded": ("supergroup", {"from": PERSON, "forward_origin": FORWARD}, None),
    "forwarded by the linked channel": ("supergroup", {"from": PERSON, "is_automatic_forward": True}, None),
    "via another bot": (
        "supergroup",
        {"from": PERSON, "via_bot": {"id": 5, "is_bot": True, "first_name": "Inline"}},
        None,
    ),
}


def telegram_message(kind: str, text: str, fields: dict[str, Any]) -> dict[str, Any]:
    chat = {"id": int(ADDRESS), "type": kind, "title": "Club"}
    entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {"message_id": 9, "date": 1, "chat": chat, "text": text, "entities": entities, **fields}


@pytest.mark.parametrize("case", TELEGRAM)
def test_who_speaks_on_telegram(case: str) -> None:
    kind, fields, expected = TELEGRAM[case]
    for command in COMMANDS:
        message = telegram_message(kind, f"/{command.name} x", fields)
        field = "channel_post" if kind == "channel" else "message"
        event = event_of(Update.de_json({"update_id": 1, field: message}, None), "skywave_bot")
        if expected is None:
            assert event is None
            continue
        assert isinstance(event, CommandEvent) and event.where.kind is TYPES[kind]
        assert (event.who.actor, event.who.speaks_for_chat) == expected


@pytest.mark.parametrize("kind", TYPES)
def test_a_press_on_telegram_never_speaks_for_a_chat(kind: str) -> None:
    """Nobody presses a button in another name, and what the message has is what Telegram says it has."""
    keys = {"inline_keyboard": [[{"text": "a button", "callback_data": "l:0:1:1"}]]}
    message = telegram_message(kind, "a page", {"sender_chat": ITSELF, "reply_markup": keys})
    query = {"id": "1", "from": PERSON, "chat_instance": "1", "data": "o:l:1", "message": message}
    event = event_of(Update.de_json({"update_id": 1, "callback_query": query}, None), "skywave_bot")
    assert isinstance(event, PressEvent) and event.where.kind is TYPES[kind]
    assert (event.who.actor, event.who.speaks_for_chat) == ("telegram:7", False)
    assert event.offered == ("l:0:1:1",)
    # A message that is too old comes without its buttons.
    lost = query | {"message": {"message_id": 9, "date": 0, "chat": message["chat"]}}
    event = event_of(Update.de_json({"update_id": 1, "callback_query": lost}, None), "skywave_bot")
    assert isinstance(event, PressEvent) and event.offered == ()


MANAGE_SERVER, NOTHING = str(discord.Permissions(manage_guild=True).value), "0"
IN_SERVER, BY_USER = {"0": "55"}, {"1": "7"}
# By the context of an interaction (0 a server, 1 the bot's DM, 2 another DM), who installed the bot, and the
# person's rights in the channel: the kind of chat, and whether the person is its admin.
DISCORD: dict[str, tuple[int, dict[str, str], str, ChatKind, bool]] = {
    "a member": (0, IN_SERVER, NOTHING, ChatKind.CHANNEL, False),
    "with Manage Server": (0, IN_SERVER, MANAGE_SERVER, ChatKind.CHANNEL, True),
    "in the bot's DM": (1, BY_USER, NOTHING, ChatKind.PRIVATE, True),
    "the person's own bot in a server without it": (0, BY_USER, MANAGE_SERVER, ChatKind.CHANNEL, False),
    "the person's own bot in a DM of others": (2, BY_USER, NOTHING, ChatKind.CHANNEL, False),
}


def discord_interaction(context: int, owners: dict[str, str], rights: str) -> discord.Interaction:
    person = {"id": "7", "username": "ann", "discriminator": "0", "avatar": None, "global_name": None}
    body: dict[str, Any] = {
        "id": "1",
        "application_id": "2",
        "type": 2,
        "token": "t",
        "version": 1,
        "data": {"id": "3", "name": "latest", "type": 1},
        "channel_id": "4",
        "app_permissions": "0",
        "locale": "en-US",
        "entitlements": [],
        "attachment_size_limit": 1,
        "context": context,
        "authorizing_integration_owners": owners,
    }
    if context == 0:
        member: dict[str, Any] = {
            "user": person,
            "permissions": rights,
            "roles": [],
            "joined_at": None,
            "flags": 0,
        }
        guild = {"id": "55", "locale": "en-US", "features": []}
        body |= {"guild_id": "55", "guild": guild, "member": member | {"deaf": False, "mute": False}}
    else:
        body["user"] = person
    state = discord.Client(intents=discord.Intents(guilds=True))._connection
    state.user = discord.ClientUser(state=state, data=cast(Any, person | {"id": "2"}))
    return discord.Interaction(data=cast(Any, body), state=state)


@pytest.mark.parametrize("case", DISCORD)
async def test_who_somebody_is_on_discord(case: str) -> None:
    context, owners, rights, kind, is_admin = DISCORD[case]
    call = call_of(discord_interaction(context, owners, rights), "latest", "")
    assert (call.actor, call.kind) == ("discord:7", kind)
    assert await call.is_chat_admin() is is_admin
