"""First contact: a greeting whose buttons set a chat up in three presses: source, rhythm, hour.

A button's data is all that was chosen so far. So nothing but the time zone is stored before the last press,
and buttons work after a restart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bot.access import Act, Role, Verdict, decide
from bot.commands import choices
from bot.commands.panels.lines import ASK_ZONE, ZONES
from bot.commands.types import Button, Question, Reply, Request, Rows, Services
from bot.numbers import number
from content import present
from content.document import Document, Heading, Paragraph, text
from content.errors import NotFound
from content.i18n import Msgid, supported
from content.types import Source, Visibility
from scheduler.actions import chats, digests, following
from scheduler.ports import UnitOfWork
from scheduler.timetable.schedules import translated
from scheduler.types import ChatKind, Digest

PREFIX = "c"  # the data is c:SOURCE, c:SOURCE:RHYTHM or c:SOURCE:RHYTHM:HOUR
ZONE = "z"  # in the place of an hour: of a button that asks for the time zone
PAGE = "p"  # c:p:2 shows the second page of sources
EVERYTHING = 0  # in the place of a source: all public ones
AT_ONCE = "now"
# The days of a digest in the words of a schedule, and the labels of their buttons.
RHYTHMS = {
    AT_ONCE: Msgid("At once"),
    "daily": Msgid("Daily"),
    "weekdays": Msgid("Weekdays"),
    "mon": Msgid("Weekly, on Monday"),
}
HOURS = (7, 8, 9, 12, 18, 21)
SHOWN = 6  # sources on a page
LABEL = 40  # characters of a source's name on a button
# What a deep link carries: the number of a source.
PAYLOAD = re.compile(r"s([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Setup:
    """The sources that a chat may see, those that it follows (None: all public ones), and its digests."""

    visible: Sequence[Source]
    followed: Sequence[Source | None]
    digests: Sequence[Digest]


def payload_of(source: Source) -> str:
    """What a deep link carries so that the greeting begins with this source."""
    return f"s{source.id}"


async def greet(request: Request, services: Services) -> Reply:
    """The greeting of a chat: its settings if it follows something, else the first of the three questions.

    The arguments are what a deep link carries. A source that the chat may not see counts as unknown.
    """
    setup = await _setup(request, services)
    asked = PAYLOAD.fullmatch(request.arguments.strip())
    source = _with_id(int(asked[1]), setup) if asked else None
    if source is not None:
        return _welcome(_ask_rhythm(source, request), request)
    lost = [request.translator.t("The source of this link is not available here.")] if asked else []
    if setup.followed:
        return _welcome(_settings(setup, request), request, *lost)
    return _welcome(_ask_source(setup, 1, request, services), request, *lost)


async def choose(data: str, request: Request, services: Services) -> Reply | None:
    """The next question, or the chat set up as chosen. None if the data is not valid. Raises NotFound."""
    setup = await _setup(request, services)
    match data.split(":")[1:]:
        case [word, page] if word == PAGE:
            return _ask_source(setup, number(page) or 1, request, services)
        case [chosen]:
            return _ask_rhythm(_chosen(chosen, setup, request), request)
        case [chosen, rhythm] if rhythm == AT_ONCE:
            return await _set_up(_chosen(chosen, setup, request), "", request, services)
        case [chosen, rhythm] if rhythm in RHYTHMS:
            return _ask_hour(_chosen(chosen, setup, request), rhythm, request, services)
        case [chosen, rhythm, word] if rhythm in RHYTHMS and word == ZONE:
            request = await _in_zone(request.arguments, request, services)
            return _ask_hour(_chosen(chosen, setup, request), rhythm, request, services)
        case [chosen, rhythm, hour] if rhythm in RHYTHMS and number(hour) in HOURS:
            source = _chosen(chosen, setup, request)
            return await _set_up(source, f"{rhythm} {int(hour):02}:00", request, services)
    return None


def rhythms(source: Source | None, request: Request) -> Rows:
    """A button for each rhythm in which the posts of a source (None: all public ones) can come."""
    t = request.translator.t
    row = tuple(Button(t(label), f"{_data(source)}:{name}") for name, label in RHYTHMS.items())
    return row[:2], row[2:]


def _ask_source(setup: Setup, page: int, request: Request, services: Services) -> Reply:
    t = request.translator.t
    offered = [source for source in setup.visible if source.visibility is not Visibility.EXAMPLE]
    pages = max(1, -(-len(offered) // SHOWN))
    page = min(max(page, 1), pages)
    shown: list[Source | None] = list(offered[(page - 1) * SHOWN : page * SHOWN])
    if page == 1 and sum(source.visibility is Visibility.PUBLIC for source in offered) > 1:
        shown.insert(0, None)
    rows: Rows = tuple((Button(_name(source, request)[:LABEL], _data(source)),) for source in shown)
    rows += _turns(page, pages)
    if _admins_add_sources(request, services):
        question = Question(t("The address of a feed"), "https://example.org/feed.xml")
        rows += ((Button(t("Another feed…"), f"{choices.ADDRESS}:", question),),)
    ask = (
        t("What should arrive here? Choose a source, then how often and when.")
        if request.chat.kind is ChatKind.PRIVATE
        else t("What should arrive here? An admin of this chat chooses a source, then how often and when.")
    )
    zone = _about_zone(chats.zone_of(request.chat, services.settings.timezone), request)
    none = t("There are no sources yet. An operator of this bot can add them.")
    return _said([ask, zone], rows) if rows else _said([none])


def _ask_rhythm(source: Source | None, request: Request) -> Reply:
    t = request.translator.t
    ask = t("{name}: how often should new posts arrive?", name=_name(source, request))
    return _said([ask], (*rhythms(source, request), _back(f"{PREFIX}:{PAGE}:1", request)))


def _ask_hour(source: Source | None, rhythm: str, request: Request, services: Services) -> Reply:
    t, data = request.translator.t, f"{_data(source)}:{rhythm}"
    ask = t("{name} · {rhythm}: at what hour?", name=_name(source, request), rhythm=RHYTHMS[rhythm])
    hours = [Button(f"{hour:02}:00", f"{data}:{hour}") for hour in HOURS]
    half = len(hours) // 2
    other_zone = Button(t("Time zone"), f"{data}:{ZONE}", Question(t(ASK_ZONE), ZONES))
    last = (other_zone, *_back(_data(source), request))
    rows = (tuple(hours[:half]), tuple(hours[half:]), last)
    zone = chats.zone_of(request.chat, services.settings.timezone)
    return _said([ask, _about_zone(zone, request)], rows)


async def _set_up(source: Source | None, schedule: str, request: Request, services: Services) -> Reply:
    """Follow a source, with a digest if there is a schedule. Raises QuotaExceeded."""
    now, settings = services.clock.now(), services.settings
    async with services.store.write() as work:
        request = await _with_language(work, request, services)
        await following.follow(work, request.by, request.chat, source, now, settings.quotas)
        if schedule:
            wanted = digests.Wanted(schedule, sources=[source])
            await digests.put_alone(work, request.by, request.chat, wanted, settings.timezone, now)
        expected = await following.outlook(work, request.chat, source)
        if expected.digest and not schedule:
            await digests.assign(work, request.by, request.chat, source, None, now)
            expected = replace(expected, digest=None)
        await work.commit()
    services.wake()  # what waited for another digest may be sent now
    t, name, digest = request.translator.t, _name(source, request), expected.digest
    done = t("This chat now follows {name}.", name=name)
    if digest is None:
        at_once = t("New posts arrive here as they appear. /latest shows the existing ones.")
        return _said([done, at_once])
    runs = digests.next_runs(digest, request.chat, now)
    look = replace(request.look, timezone=ZoneInfo(digest.timezone))
    summary = request.translator.sentences(done, _schedule(digest, request))
    document = present.schedule(summary, runs, look)
    about = Paragraph(text(_about_zone(digest.timezone, request)))
    return Reply(replace(document, blocks=(*document.blocks, about)))


async def _in_zone(typed: str, request: Request, services: Services) -> Request:
    """Give the chat a time zone. Raises NotUnderstood."""
    wanted = chats.Settings(timezone=typed)
    async with services.store.write() as work:
        chat = await chats.change(work, request.by, request.chat, wanted, services.clock.now())
        await work.commit()
    return replace(request, chat=chat or request.chat)


async def _with_language(work: UnitOfWork, request: Request, services: Services) -> Request:
    """A chat without a language gets that of who sets it up, so that its posts have it too."""
    if request.chat.language:
        return request
    wanted = chats.Settings(language=supported(request.call.locale) or request.translator.language)
    chat = await chats.change(work, request.by, request.chat, wanted, services.clock.now()) or request.chat
    return replace(request, chat=chat, look=services.look(chat, ""))


def _settings(setup: Setup, request: Request) -> Reply:
    """What a chat follows, and when. It says so to a chat that the bot has come back to."""
    t = request.translator.t
    names = t(", ").join(_name(source, request) for source in setup.followed)
    lines = [t("The settings of this chat apply as before. It follows: {names}.", names=names)]
    lines += [_schedule(digest, request) for digest in setup.digests]
    lines.append(t("/subscriptions shows and changes them."))
    return _said(lines, ((Button(t("Add a source"), f"{PREFIX}:{PAGE}:1"),),))


# Parts of the texts


def _welcome(reply: Reply, request: Request, *lines: str) -> Reply:
    """A reply below the greeting. Why the bot cannot write here comes first."""
    t, hindrance = request.translator.t, request.call.hindrance
    steps = (
        t("/latest shows the newest posts, /search finds posts in Chinese and English."),
        t("/subscribe sends new posts to this chat as they appear. /help lists all commands."),
    )
    warning = present.error(request.translator.error(hindrance)).blocks if hindrance else ()
    about = tuple(Paragraph(text(step), tight=True) for step in steps)
    told = tuple(Paragraph(text(line)) for line in lines)
    head = Heading(text(t("Welcome to Skywave.")))
    return replace(reply, document=Document((*warning, head, *about, *told, *reply.document.blocks)))


def _said(lines: Sequence[str], rows: Rows = ()) -> Reply:
    return Reply(Document(tuple(Paragraph(text(line)) for line in lines)), rows)


def _schedule(digest: Digest, request: Request) -> str:
    t, when = request.translator.t, translated(digest.recurrence, request.translator)
    return t("New posts arrive as a digest: {when} ({zone}).", when=when, zone=digest.timezone)


def _about_zone(zone: str, request: Request) -> str:
    return request.translator.t("Times are in the time zone {zone}; /settings changes it.", zone=zone)


def _back(data: str, request: Request) -> tuple[Button, ...]:
    return (Button(request.translator.t("‹ Back"), data),)


def _turns(page: int, pages: int) -> Rows:
    """A row with « and », where there are other pages."""
    row = [Button("«", f"{PREFIX}:{PAGE}:{page - 1}")] if page > 1 else []
    row += [Button("»", f"{PREFIX}:{PAGE}:{page + 1}")] if page < pages else []
    return (tuple(row),) if row else ()


def _name(source: Source | None, request: Request) -> str:
    t = request.translator.t
    return present.source_name(source.name, request.translator) if source else t("all public sources")


# Sources


async def _setup(request: Request, services: Services) -> Setup:
    async with services.store.read() as work:
        visible = await work.sources.visible_to(request.chat.id)
        followed = {one.source_id for one in await work.subscriptions.of(request.chat.id)}
        has = await work.digests.of(request.chat.id)
    everything: list[Source | None] = [None] if None in followed else []
    return Setup(visible, [*everything, *(source for source in visible if source.id in followed)], has)


def _data(source: Source | None) -> str:
    return f"{PREFIX}:{source.id if source else EVERYTHING}"


def _with_id(source_id: int, setup: Setup) -> Source | None:
    return next((source for source in setup.visible if source.id == source_id), None)


def _chosen(chosen: str, setup: Setup, request: Request) -> Source | None:
    """The source that a button names; None for all public ones. Raises NotFound if it is not visible."""
    source_id = number(chosen)
    if source_id == EVERYTHING:
        return None
    source = _with_id(source_id or EVERYTHING, setup)
    if source is None:
        t = request.translator.t
        raise NotFound(t("This source is no longer available here. To choose another, send /start."))
    return source


def _admins_add_sources(request: Request, services: Services) -> bool:
    verdict = decide(Act.ADD_SOURCE, Role.ADMIN, request.chat.access, services.settings.access)
    return verdict is Verdict.YES or request.role is Role.OPERATOR
