"""/digest: a chat gets new posts at scheduled local times instead of one by one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.commands import digest_card, digest_words
from bot.commands.digest_card import when
from bot.commands.named import find_source
from bot.commands.types import Reply, Request, Services
from bot.numbers import number
from content import present
from content.errors import UsageError
from content.i18n import Translator
from content.types import Source
from scheduler.actions import digests, following
from scheduler.actions.audit import Actor
from scheduler.actions.digests import DigestSet, Wanted
from scheduler.ports import UnitOfWork
from scheduler.timetable.recurrences import NotUnderstood
from scheduler.timetable.schedules import translated
from scheduler.types import Chat, Digest

# What people write for the actions, besides their names.
ACTION_WORDS = {
    "": "list",
    "send": "now",
    "remove": "off",
    "delete": "off",
    "列表": "list",
    "添加": "add",
    "新增": "add",
    "修改": "edit",
    "预览": "preview",
    "立即": "now",
    "立即发送": "now",
    "暂停": "pause",
    "恢复": "resume",
    "关闭": "off",
    "停止": "off",
    "删除": "off",
}

# Finds the digest that is meant. Raises NotFound and UsageError.
Find = Callable[[UnitOfWork], Awaitable[Digest]]
Handler = Callable[[Find, Request, Services], Awaitable[Reply]]
Change = Callable[[UnitOfWork, Actor, Chat, Digest, datetime], Awaitable[bool]]
Save = Callable[[UnitOfWork, Wanted, str, datetime], Awaitable[DigestSet]]


async def digest(request: Request, services: Services) -> Reply:
    """Schedule a digest of the chat, or list, edit, preview, send, pause or remove one."""
    first, _, rest = request.arguments.strip().partition(" ")
    word = ACTION_WORDS.get(first.lower(), first.lower())
    name = rest.strip()
    if word == "list":
        return await (_open(_find(name, request), request, services) if name else _list(request, services))
    if word == "add":
        return await _add(name, request, services)
    if word == "edit":
        return await _edit(name, request, services)
    if word in ACTIONS:
        return await ACTIONS[word](_find(name, request), request, services)
    handler = ACTIONS.get(ACTION_WORDS.get(name.lower(), name.lower()), None if name else _open)
    if handler and await _is_name(first, request, services):
        return await handler(_find(first, request), request, services)
    return await _schedule(request.arguments, request, services)


def _find(name: str, request: Request) -> Find:
    async def find(work: UnitOfWork) -> Digest:
        return await digests.named(work, request.chat, name)

    return find


async def _is_name(word: str, request: Request, services: Services) -> bool:
    """Whether a word names a digest of the chat. A number names an hour if there is only one digest."""
    async with services.store.read() as work:
        names = [found.name for found in await work.digests.of(request.chat.id)]
    return word in names and (len(names) > 1 or not word.isdigit())


async def press(data: str, request: Request, services: Services) -> Reply | None:
    """A button of a card or of the list. A digest that was removed meanwhile is said to be gone."""
    _, action, name = data.split(":") if data.count(":") == 2 else ("", "", "")
    digest_id = number(name) or 0
    if action == digest_card.LIST:
        return await _list(request, services)

    async def find(work: UnitOfWork) -> Digest:
        return await digests.of_chat(work, request.chat, digest_id)

    if action == digest_card.EDIT:
        return await _edit_found(request.arguments, find, request, services)
    handler = PRESSED.get(action)
    return await handler(find, request, services) if handler else None


# Setting


async def _schedule(text: str, request: Request, services: Services) -> Reply:
    """Change the chat's only digest, or give it its first."""

    async def put(work: UnitOfWork, wanted: Wanted, zone: str, now: datetime) -> DigestSet:
        return await digests.put(work, request.by, request.chat, wanted, zone, now)

    return await _save(text, put, request, services)


async def _add(text: str, request: Request, services: Services) -> Reply:
    async def add(work: UnitOfWork, wanted: Wanted, zone: str, now: datetime) -> DigestSet:
        return await digests.add(work, request.by, request.chat, wanted, zone, now)

    return await _save(text, add, request, services, "add ")


async def _edit(text: str, request: Request, services: Services) -> Reply:
    """Change the digest whose name is the first word, else the only one."""
    async with services.store.read() as work:
        names = {found.name for found in await work.digests.of(request.chat.id)}
    first, _, rest = text.partition(" ")
    name = first if first in names else ""
    find = _find(name, request)
    return await _edit_found(rest if name else text, find, request, services, f"{name} " if name else "")


async def _edit_found(text: str, find: Find, request: Request, services: Services, name: str = "") -> Reply:
    async def edit(work: UnitOfWork, wanted: Wanted, zone: str, now: datetime) -> DigestSet:
        return await digests.edit(work, request.by, request.chat, await find(work), wanted, zone, now)

    return await _save(text, edit, request, services, f"edit {name}")


async def _save(text: str, save: Save, request: Request, services: Services, action: str = "") -> Reply:
    """Store a digest as it was typed after an action, and say what it is now."""
    tr, now = request.translator, services.clock.now()
    wanted = await _wanted(text, request, services)
    async with services.store.write() as work:
        try:
            done = await save(work, wanted, services.settings.timezone, now)
        except NotUnderstood as exc:
            schedule = wanted.schedule or ""
            after = text.strip().removeprefix(schedule) if text.strip().startswith(schedule) else ""
            nearest = f"/digest {action}{translated(exc.nearest, tr)}{after}"
            raise UsageError(exc.message, word=exc.word, nearest=nearest) from exc
        complete = await digest_card.is_the_only(work, done.digest)
        shown = await digest_card.card(work, done.digest, request, now, _told(done, complete, tr))
        await work.commit()
    services.wake()
    return shown


async def _wanted(text: str, request: Request, services: Services) -> Wanted:
    typed = digest_words.parse(text)
    if typed.sources is None:
        return typed.wanted
    return replace(typed.wanted, sources=[await _source(name, request, services) for name in typed.sources])


async def _source(name: str, request: Request, services: Services) -> Source | None:
    if name.casefold() in (following.ALL, request.translator.t("all sources").casefold()):
        return None
    return await find_source(request, services, name)


def _told(done: DigestSet, complete: bool, tr: Translator) -> Sequence[str]:
    """What has happened, in sentences."""
    t, digest = tr.t, done.digest
    told = [
        t("New posts for this chat now come as a digest: {when} ({zone}).", **when(digest, tr))
        if complete
        else t("The digest “{name}” is set: {when} ({zone}).", name=digest.name, **when(digest, tr))
    ]
    if done.followed_nothing:
        told.append(t("This chat had no subscriptions, so it now follows all public sources."))
    if done.sent:
        told.append(t("Sending the queued posts of sources that no longer belong to it."))
    told += [t("The digest “{name}” has no sources any more.", name=name) for name in done.emptied]
    return told


# Everything else


async def _list(request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        return await digest_card.listing(work, request, services.clock.now())


async def _open(find: Find, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        return await digest_card.card(work, await find(work), request, services.clock.now())


async def _preview(find: Find, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        return await digest_card.previewed(work, await find(work), request)


async def _now(find: Find, request: Request, services: Services) -> Reply:
    t, now = request.translator.t, services.clock.now()
    async with services.store.write() as work:
        found = await find(work)
        sent = await digests.send(work, request.by, request.chat, found, now)
        told = t("Sending the digest now.") if sent else t("Nothing new for the digest.")
        shown = await digest_card.card(work, await find(work), request, now, before=told)
        await work.commit()
    services.wake()
    return shown


def _switch(change: Change) -> Handler:
    """The action that pauses or resumes a digest, and shows it as it is then."""

    async def switch(find: Find, request: Request, services: Services) -> Reply:
        now = services.clock.now()
        async with services.store.write() as work:
            await change(work, request.by, request.chat, await find(work), now)
            shown = await digest_card.card(work, await find(work), request, now)
            await work.commit()
        return shown

    return switch


_pause, _resume = _switch(digests.pause), _switch(digests.resume)


async def _sure(find: Find, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        return digest_card.sure(await find(work), request)


async def _off(find: Find, request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.write() as work:
        found = await find(work)
        sent = await digests.remove(work, request.by, request.chat, found, services.clock.now())
        left = await work.digests.of(request.chat.id)
        await work.commit()
    services.wake()
    ended = (
        t("The digest “{name}” has ended. New posts of its sources now arrive right away.", name=found.name)
        if left
        else t("The digest has ended. From now on, new posts arrive right away.")
    )
    return Reply(present.notice(ended + ("\n" + t("Sending the queued posts now.") if sent else "")))


ACTIONS: dict[str, Handler] = {
    "preview": _preview,
    "now": _now,
    "pause": _pause,
    "resume": _resume,
    "off": _off,
}
PRESSED: dict[str, Handler] = {
    digest_card.OPEN: _open,
    digest_card.PREVIEW: _preview,
    digest_card.SEND: _now,
    digest_card.PAUSE: _pause,
    digest_card.RESUME: _resume,
    digest_card.DELETE: _sure,
    digest_card.DELETED: _off,
}
