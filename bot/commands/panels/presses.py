"""/subscriptions and /settings, and the buttons of their panels.

The router has checked the role, the chat and that the message has the button. Checked here: the age of the
panel, whether its subscription still exists, and whether somebody has changed the same thing meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.commands.panels.data import Pressed, Verb, brief
from bot.commands.panels.line import Line, Subject
from bot.commands.panels.show import (
    SETTINGS,
    SUBSCRIPTIONS,
    TABLES,
    Followed,
    choices,
    listed,
    panel,
    undo_button,
)
from bot.commands.types import Reply, Request, Services
from content import present
from scheduler.actions import following
from scheduler.ports import UnitOfWork
from scheduler.types import ChatKind

# Those that open a panel, by the prefix of its buttons.
COMMAND = {SUBSCRIPTIONS: "/subscriptions", SETTINGS: "/settings"}
CHANGING = (Verb.SET, Verb.TYPE, Verb.END)


async def show_subscriptions(request: Request, services: Services) -> Reply:
    """List what the chat follows; a button opens the panel of each."""
    return replace(await _list(1, request, services), private=True)


async def show_settings(request: Request, services: Services) -> Reply:
    """Show the settings of the chat, which buttons change."""
    return replace(panel(Subject(request, services, services.clock.now())), private=True)


async def pressed(data: str, request: Request, services: Services) -> Reply | None:
    """Do what a button of a panel says; None if its data is not valid."""
    press = Pressed.decode(data)
    if press is None or press.prefix not in TABLES:
        return None
    if press.is_old(services.clock.now()):
        command = COMMAND[press.prefix]
        expired = request.translator.t(
            "This panel has expired. For a new one, send {command}.", command=command
        )
        return Reply(present.error(expired))
    if press.verb is Verb.LIST:
        return await _list(press.subject, request, services)
    if press.verb is Verb.UNDO:
        return await _undo(press, request, services)
    return await _of_subject(press, request, services)


async def _of_subject(press: Pressed, request: Request, services: Services) -> Reply | None:
    opened = services.store.write() if press.verb in CHANGING else services.store.read()
    line = TABLES[press.prefix].get(press.line)
    offer = line.offer if line and press.verb is Verb.TYPE else None
    async with opened as work:
        subject = await _subject(work, press, request, services)
        if subject is None:
            gone = request.translator.t("This chat no longer follows that.")
            return listed(await _followed(work, request), 1, request, services, gone)
        match press.verb:
            case Verb.OPEN:
                return panel(subject)
            case Verb.END if subject.subscription:
                return await _end(work, subject)
            case Verb.CHOICES if line:
                return choices(subject, line)
            case Verb.SET | Verb.TYPE if line and not offer:
                return await _set(work, press, subject, line)
    # What is offered needs a transaction of its own.
    return await offer(subject, request.arguments.strip()) if offer else None


async def _set(work: UnitOfWork, press: Pressed, subject: Subject, line: Line) -> Reply | None:
    """Set the value of a line, unless somebody has changed it since the panel was shown."""
    new = subject.request.arguments.strip() if press.verb is Verb.TYPE else press.new
    if press.verb is Verb.SET and new not in line.values(subject):
        return None
    t, now = subject.tr.t, line.stored(subject)
    if brief(now) != press.shown and now != new:
        return choices(subject, line, t("⚠ This was changed meanwhile. It is shown as it is now."))
    await line.save(work, subject, new)
    await work.commit()
    subject.services.wake()  # what waited may be sent now
    after = await _subject(work, press, subject.request, subject.services)
    assert after is not None
    t = after.tr.t
    return panel(after, t("✓ {about}: {chosen}", about=t(line.about), chosen=line.says(after)))


async def _end(work: UnitOfWork, subject: Subject) -> Reply:
    """End the subscription of a panel; a button undoes that."""
    request, services = subject.request, subject.services
    done = await following.end(
        work, request.by, subject.chat, [subject.followed], subject.now, subject.target
    )
    await work.commit()
    said = subject.tr.t("Unsubscribed from {name}.", name=subject.name)
    reply = listed(await _followed(work, request), 1, request, services, said)
    return replace(reply, rows=((undo_button(done.number, request, services),), *reply.rows))


async def _undo(press: Pressed, request: Request, services: Services) -> Reply:
    async with services.store.write() as work:
        restored = await following.undo(work, request.by, request.chat, press.subject, services.clock.now())
        await work.commit()
        followed = await _followed(work, request)
    tr = request.translator
    if restored is None:
        said = tr.t("This can no longer be undone.")
    else:
        said = tr.n("{count} subscription is back.", "{count} subscriptions are back.", restored)
    return listed(followed, 1, request, services, said)


async def _list(page: int, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        return listed(await _followed(work, request), page, request, services)


async def _followed(work: UnitOfWork, request: Request) -> Sequence[Followed]:
    """What a chat follows, in the order in which it began."""
    sources = {source.id: source for source in await work.sources.visible_to(request.chat.id)}
    digests = {digest.id: digest for digest in await work.digests.of(request.chat.id)}
    return [
        Followed(one, sources.get(one.source_id or 0), digests.get(one.digest_id or 0))
        for one in await work.subscriptions.of(request.chat.id)
        if one.source_id is None or one.source_id in sources
    ]


async def _subject(work: UnitOfWork, press: Pressed, request: Request, services: Services) -> Subject | None:
    """What a button is about, as it is stored now; None if the chat does not follow it."""
    chat = await work.chats.get(request.chat.id) or request.chat
    if chat.language != request.chat.language:
        locale = request.call.locale if chat.kind in (ChatKind.PRIVATE, ChatKind.TERMINAL) else ""
        request = replace(request, look=services.look(chat, locale))
    request = replace(request, chat=chat)
    subject = Subject(request, services, services.clock.now())
    if press.prefix == SETTINGS:
        return subject
    for one in await _followed(work, request):
        if (one.subscription.source_id or 0) == press.subject:
            digests = await work.digests.of(chat.id)
            return replace(subject, subscription=one.subscription, source=one.source, digests=digests)
    return None
