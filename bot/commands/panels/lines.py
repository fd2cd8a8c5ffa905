"""The lines of the panels: what can be set for a chat, and for one of its subscriptions.

To add a setting, add a line to a table.
"""

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.commands.filter import offer
from bot.commands.panels import formats
from bot.commands.panels.line import UNSET, Line, Subject, table
from bot.commands.types import Reply
from content.formats import RESET
from content.i18n import LANGUAGES, Msgid, Translator, native_name
from scheduler.actions import chats, digests, filtering, following, quiet
from scheduler.ports import UnitOfWork
from scheduler.timetable import hours, zones
from scheduler.timetable.recurrences import parse_until
from scheduler.timetable.schedules import translated
from scheduler.types import FOREVER, Digest

NOW = "now"  # the key of the rhythm in which posts come at once
PAUSES = {"1": Msgid("for a day"), "7": Msgid("for a week"), "30": Msgid("for 30 days")}
EVER = "ever"
ASK_ZONE = Msgid("Which city or time zone? On Telegram you can also send a location.")
ZONES = "Shanghai, Europe/Berlin, UTC+8"
ALL_PASS, NOT_PAUSED, NONE = Msgid("all posts pass"), Msgid("not paused"), Msgid("none")


# Lines of a chat


def _languages(subject: Subject) -> Mapping[str, str]:
    return {UNSET: subject.tr.t(RESET), **{code: native_name(code) for code in LANGUAGES}}


def _language(subject: Subject) -> str:
    tr, code = subject.tr, subject.chat.language
    if code:
        return _languages(subject).get(code, code)
    default = native_name(subject.services.settings.language)
    return tr.t(RESET) + tr.t(" ({remarks})", remarks=default)


async def _set_language(work: UnitOfWork, subject: Subject, key: str) -> None:
    wanted = chats.Settings(language="" if key == UNSET else key)
    await chats.change(work, subject.request.by, subject.chat, wanted, subject.now)


def _zone(subject: Subject) -> str:
    """The time zone with the time there, by which people see whether it is theirs."""
    local = subject.now.astimezone(ZoneInfo(subject.zone))
    zone = zones.shown(subject.zone)
    return subject.tr.t("{zone}, where it is {time} now", zone=zone, time=f"{local:%H:%M}")


async def _set_zone(work: UnitOfWork, subject: Subject, typed: str) -> None:
    wanted = chats.Settings(timezone="" if typed == UNSET else typed)
    await chats.change(work, subject.request.by, subject.chat, wanted, subject.now)


def _quiet(subject: Subject) -> str:
    stored = hours.stored(subject.chat.quiet)
    return stored.times if stored else subject.tr.t(NONE)


async def _set_quiet(work: UnitOfWork, subject: Subject, typed: str) -> None:
    text = quiet.OFF[0] if typed == UNSET else typed
    by, zone = subject.request.by, subject.services.settings.timezone
    await quiet.set_quiet_hours(work, by, subject.chat, text, zone, subject.now)


OF_CHAT: Mapping[str, Line] = table(
    Line(
        "language",
        Msgid("Language"),
        lambda subject: subject.chat.language or UNSET,
        _languages,
        _language,
        _set_language,
    ),
    Line(
        "zone",
        Msgid("Time zone"),
        lambda subject: subject.chat.timezone or UNSET,
        lambda subject: {UNSET: subject.tr.t(RESET)},
        _zone,
        _set_zone,
        ASK_ZONE,
        ZONES,
    ),
    Line(
        "quiet",
        Msgid("Quiet hours"),
        lambda subject: subject.chat.quiet or UNSET,
        lambda subject: {UNSET: subject.tr.t(NONE)},
        _quiet,
        _set_quiet,
        Msgid("From when until when should it be quiet?"),
        hours.NIGHT,
    ),
    *formats.of_chat(),
)


# Lines of a subscription


def _rhythm(subject: Subject) -> str:
    return str(subject.followed.digest_id or NOW)


def _rhythms(subject: Subject) -> Mapping[str, str]:
    named = {str(one.id): rhythm_of(one, subject.tr) for one in subject.digests}
    return {NOW: subject.tr.t("at once"), **named}


def rhythm_of(digest: Digest, tr: Translator) -> str:
    """How a digest is named where people see when posts come."""
    return tr.t("digest {name}: {when}", name=digest.name, when=translated(digest.recurrence, tr))


async def _set_rhythm(work: UnitOfWork, subject: Subject, key: str) -> None:
    """Put the subscription into a digest, into a new one whose schedule was typed, or into none."""
    by, chat, source = subject.request.by, subject.chat, subject.source
    if key in _rhythms(subject):
        digest = next((one for one in subject.digests if str(one.id) == key), None)
        await digests.assign(work, by, chat, source, digest, subject.now)
    else:
        wanted = digests.Wanted(schedule=key, sources=[source])
        await digests.add(work, by, chat, wanted, subject.services.settings.timezone, subject.now)


async def _unfilter(work: UnitOfWork, subject: Subject, key: str) -> None:
    await filtering.remove(work, subject.request.by, subject.chat, subject.source, subject.now)


async def _try_filter(subject: Subject, words: str) -> Reply:
    return await offer(words, subject.source, subject.request, subject.services)


def _paused(subject: Subject) -> str:
    until = subject.followed.paused_until
    return UNSET if until is None else EVER if until == FOREVER else until.isoformat()


def _pauses(subject: Subject) -> Mapping[str, str]:
    t = subject.tr.t
    return {UNSET: t(NOT_PAUSED), **{key: t(label) for key, label in PAUSES.items()}, EVER: t("for good")}


def _pause(subject: Subject) -> str:
    until, key = subject.followed.paused_until, _paused(subject)
    if until is None or key == EVER:
        return _pauses(subject)[key]
    return subject.tr.t("until {when}", when=subject.tr.date(until, ZoneInfo(subject.zone)))


async def _set_pause(work: UnitOfWork, subject: Subject, key: str) -> None:
    """Pause until the moment that was typed, or for the days of a key; or end the pause."""
    by, chat, now, this = subject.request.by, subject.chat, subject.now, [subject.followed]
    if key == UNSET:
        await following.resume_some(work, by, chat, this, now, subject.target)
        return
    if key == EVER:
        until = None
    elif key in PAUSES:
        until = now + timedelta(days=int(key))
    else:
        until = parse_until(key, subject.zone, now)
    await following.pause_some(work, by, chat, this, until, now, subject.target)


OF_SUBSCRIPTION: Mapping[str, Line] = table(
    Line(
        "rhythm",
        Msgid("When posts come"),
        _rhythm,
        _rhythms,
        lambda subject: _rhythms(subject).get(_rhythm(subject), ""),
        _set_rhythm,
        Msgid("When should its posts come together?"),
        "weekdays 09:00",
    ),
    Line(
        "filter",
        Msgid("Filter"),
        lambda subject: subject.followed.filter or UNSET,
        lambda subject: {UNSET: subject.tr.t(ALL_PASS)},
        lambda subject: subject.followed.filter or subject.tr.t(ALL_PASS),
        _unfilter,
        Msgid("Which words must a post have, and which not? You see what it does before you save it."),
        "python -job",
        _try_filter,
    ),
    Line(
        "pause",
        Msgid("Pause"),
        _paused,
        _pauses,
        _pause,
        _set_pause,
        Msgid("Until when? Posts that appear until then are not sent later."),
        "tomorrow 9:00",
    ),
    *formats.of_subscription(),
)
