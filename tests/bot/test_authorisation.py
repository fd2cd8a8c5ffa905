"""Who may do what: each role, command and button, access mode, kind of chat, and way in which it comes.

What happens in every cell stands in the tables; docs/access.md shows the same to people.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from telegram import Update

from bot.access import AccessMode, Act, Role, Verdict, decide
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Call, Question, Reply
from bot.platforms.telegram.events import CommandEvent, PressEvent, event_of
from scheduler import membership
from scheduler.ports import Found
from scheduler.types import ChatAccess, ChatKind, Draft, DraftState, Place
from tests.bot.conftest import Desk, open_desk, shown
from tests.builders import NOW
from tests.scheduler.conftest import json_feed

# What happens: it is done (yes); only admins (adm) or operators (ops) can; the chat is told once how to get
# in, then nothing (once); nothing, and no word (-). Members, admins of the chat, operators.
TABLE = """
                  | open        | curated     | closed         | let in      | banned
/latest           | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/latest Example   | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/page 1           | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/search radio     | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/read 1           | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/more             | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/sources          | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/help             | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/why post-1       | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/start            | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
/subscribe        | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/subscribe NEW    | adm yes yes | adm ops yes | once once yes  | adm yes yes | - - -
/subscribe HIDDEN | adm yes yes | adm ops yes | once once yes  | adm yes yes | - - -
/subscribe PUBLIC | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/unsubscribe all  | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/digest list      | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/quiet            | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/quiet 22-8       | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/pause            | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/resume           | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/format           | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/format full      | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/language         | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/language English | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
/post Hello       | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
complete latest   | yes yes yes | yes yes yes | - - yes        | yes yes yes | - - -
complete subscribe| - yes yes   | - yes yes   | - - yes        | - yes yes   | - - -
press l:0:1:LAST  | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
press s:FOUND:1:0 | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
press m:LAST      | yes yes yes | yes yes yes | once once yes  | yes yes yes | - - -
press g:en        | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
press d:DRAFT:here| adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
press d:DRAFT:no  | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
press d:DRAFT:all | adm ops yes | adm ops yes | once once yes  | adm ops yes | - - -
press t:l:0       | adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
press q:22:00-8:00| adm yes yes | adm yes yes | once once yes  | adm yes yes | - - -
"""
# Of a button that the message does not have: nothing is done; who might have done it is told that it is gone.
FORGED = """
                  | open           | curated        | closed          | let in         | banned
press l:0:1:LAST  | gone gone gone | gone gone gone | once once gone  | gone gone gone | - - -
press s:FOUND:1:0 | gone gone gone | gone gone gone | once once gone  | gone gone gone | - - -
press m:LAST      | gone gone gone | gone gone gone | once once gone  | gone gone gone | - - -
press g:en        | adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
press d:DRAFT:here| adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
press d:DRAFT:no  | adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
press d:DRAFT:all | adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
press t:l:0       | adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
press q:22:00-8:00| adm gone gone  | adm gone gone  | once once gone  | adm gone gone  | - - -
"""
# Forwarded messages and those by way of another bot: nothing happens, whoever sends them, wherever.

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
    "This bot is private.": "once",
    "This message no longer has that button.": "gone",
}
WAYS: dict[str, dict[str, Any]] = {
    "forwarded": {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Ann"}},
    "forwarded by the linked channel": {"is_automatic_forward": True},
    "via another bot": {"via_bot": {"id": 5, "is_bot": True, "first_name": "Inline"}},
}
TYPES = {ChatKind.PRIVATE: "private", ChatKind.GROUP: "supergroup", ChatKind.CHANNEL: "channel"}
SPEAKERS = {Role.MEMBER: 7, Role.ADMIN: 8, Role.OPERATOR: 9}
OPERATORS = {"telegram:9", "terminal:9"}
ADDRESS, HIDDEN, PUBLIC = "-1005", "https://hidden.example.net/f.json", "https://example.org/feed.json"


def read(table: str) -> dict[str, dict[str, list[str]]]:
    """What happens, by what is asked for and by column, to each role."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip("\n").splitlines()]
    return {
        row[0]: {name: cell.split() for name, cell in zip(head[1:], row[1:], strict=True)} for row in rows
    }


EXPECTED, EXPECTED_FORGED = read(TABLE), read(FORGED)


@dataclass
class Scene:
    """A deployment and a chat in it. `ids` are those that the names in the tables stand for."""

    desk: Desk
    kind: ChatKind
    ids: dict[str, str]
    numbers: Any

    async def happens(self, what: str, role: Role, *, forged: bool = False) -> str:
        """What becomes of it; once told, a chat that is kept out is told no more."""
        for name, number in self.ids.items():
            what = what.replace(name, number)
        if "NEW" in what:
            url = f"https://new.example.net/{next(self.numbers)}.json"
            self.desk.fetcher.pages[url] = json_feed("new", site=url)
            what = what.replace("NEW", url)
        router = Router(self.desk.services, OPERATORS, Flood(1000, self.desk.services.clock))
        outcome = await self._outcome(router, what, role, forged)
        if outcome == "once":
            assert await self._outcome(router, what, role, forged) == "-"
        return outcome

    async def _outcome(self, router: Router, what: str, role: Role, forged: bool) -> str:
        verb, _, rest = what.partition(" ")
        if verb == "complete":
            return "yes" if await router.complete("source", "", self._call(role, rest)) else "-"
        if verb == "press":
            return _told(await self._press(router, rest, role, forged))
        call = self._call(role, verb[1:], rest)
        if self.kind is not ChatKind.TERMINAL:
            event = event_of(Update.de_json(self._message(what, role), None), "skywave_bot")
            assert isinstance(event, CommandEvent)
            actor, where = event.who.actor, event.where
            call = replace(
                call,
                name=event.name,
                arguments=event.arguments,
                actor=actor,
                place=where.place,
                kind=where.kind,
            )
        return _told(await router.command(call))

    async def _press(self, router: Router, data: str, role: Role, forged: bool) -> Reply | None:
        call, offered = self._call(role), ["another"] if forged else [data]
        if self.kind is not ChatKind.TERMINAL:
            message = self._message("a page", role)["message"]
            keys = [[{"text": "a button", "callback_data": one} for one in offered]]
            query = {"id": "1", "from": message["from"], "chat_instance": "1", "data": data}
            query["message"] = message | {"reply_markup": {"inline_keyboard": keys}}
            event = event_of(Update.de_json({"update_id": 1, "callback_query": query}, None), "skywave_bot")
            assert isinstance(event, PressEvent)
            call = replace(call, actor=event.who.actor, place=event.where.place, kind=event.where.kind)
            data, offered = event.data, list(event.offered)
        reply = await router.press(data, call, offered)
        assert not isinstance(reply, Question)
        return reply

    def _message(self, text: str, role: Role, **fields: Any) -> dict[str, Any]:
        chat = {"id": int(ADDRESS), "type": TYPES[self.kind], "title": "Club"}
        body = {"message_id": 9, "date": 1, "chat": chat, "text": text, **fields}
        body["from"] = {"id": SPEAKERS[role], "is_bot": False, "first_name": "Ann"}
        body["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        return {"update_id": 1, "message": body}

    def _call(self, role: Role, name: str = "", arguments: str = "") -> Call:
        async def is_admin() -> bool:
            return role is Role.ADMIN

        platform = "terminal" if self.kind is ChatKind.TERMINAL else "telegram"
        actor, place = f"{platform}:{SPEAKERS[role]}", Place(platform, ADDRESS)
        return Call(name, arguments, place, self.kind, "Club", actor, "en", is_admin)


def _told(reply: Reply | None) -> str:
    if reply is None:
        return "-"
    return next((short for words, short in SAID.items() if words in shown(reply)), "yes")


@asynccontextmanager
async def scene(url: str, mode: AccessMode, access: ChatAccess, kind: ChatKind) -> AsyncIterator[Scene]:
    """A public source, a private one of another chat, and a chat with a search and a draft."""
    platform = "terminal" if kind is ChatKind.TERMINAL else "telegram"
    async with open_desk(url, access=mode) as desk:
        await desk.source("post-1 radio", url=PUBLIC)
        await desk.source("post-2", url=HIDDEN, title="Hidden", public=False)
        async with desk.store.write() as work:
            chat = await work.chats.ensure(Place(platform, ADDRESS), title="Club", kind=kind)
            await membership.grant(work, chat.place, access, NOW)
            draft = Draft(0, chat.id, "telegram:8", "Hello", False, DraftState.PREVIEW, None, NOW)
            ids = {
                "DRAFT": str((await work.drafts.add(draft)).id),
                "FOUND": str(await work.searches.save(chat.id, Found("radio", (1,), 1), NOW)),
                "LAST": str(await work.posts.newest_id()),
                "HIDDEN": HIDDEN,
                "PUBLIC": PUBLIC,
            }
            await work.commit()
        yield Scene(desk, kind, ids, count())


@pytest.mark.parametrize("kind", ChatKind)
@pytest.mark.parametrize("access", ChatAccess)
@pytest.mark.parametrize("mode", AccessMode)
async def test_every_cell(sqlite_url: str, mode: AccessMode, access: ChatAccess, kind: ChatKind) -> None:
    column = COLUMN[mode, access]
    async with scene(sqlite_url, mode, access, kind) as made:
        for forged, table in ((True, EXPECTED_FORGED), (False, EXPECTED)):
            happened = {
                what: [await made.happens(what, role, forged=forged) for role in Role] for what in table
            }
            assert happened == {what: columns[column] for what, columns in table.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("role", Role)
def test_what_others_wrote_runs_nothing(role: Role, kind: ChatKind, way: str) -> None:
    """Not even the router hears of it, so that mode and access make no difference."""
    for what in EXPECTED:
        message = Scene(None, kind, {}, None)._message(what, role, **WAYS[way])  # type: ignore[arg-type]
        assert event_of(Update.de_json(message, None), "skywave_bot") is None
        post = {"update_id": 1, "channel_post": message["message"]}
        assert event_of(Update.de_json(post, None), "skywave_bot") is None


def test_the_table_has_all_commands_and_buttons() -> None:
    assert {command.name for command in COMMANDS} == {w[1:].split()[0] for w in EXPECTED if w[0] == "/"}
    pressed = {what.split()[1].partition(":")[0] for what in EXPECTED if what.startswith("press")}
    assert {str(press.prefix) for press in PRESSES} == pressed
    assert {what for what in EXPECTED if what.startswith("press")} == set(EXPECTED_FORGED)


@pytest.mark.parametrize("mode", AccessMode)
@pytest.mark.parametrize("access", ChatAccess)
@pytest.mark.parametrize("act", Act)
def test_a_higher_role_may_not_do_less(act: Act, access: ChatAccess, mode: AccessMode) -> None:
    verdicts = [decide(act, role, access, mode) is Verdict.YES for role in Role]
    assert verdicts == sorted(verdicts)
