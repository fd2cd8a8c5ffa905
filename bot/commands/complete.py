"""Completions while people type: names of sources and languages, titles of recent posts, choices."""

from collections.abc import Sequence

from bot.commands.types import Request, Services
from content.formats import CHOICES, RESET
from content.i18n import LANGUAGES, native_name
from content.present import source_name
from content.types import PostQuery

# How many recent posts have their titles searched, and the length of a title: more than any platform shows.
RECENT = 200
TITLE_LENGTH = 200


async def source_names(text: str, request: Request, services: Services) -> Sequence[str]:
    """Visible sources whose name contains the text; those that begin with it first."""
    async with services.store.read() as work:
        sources = await work.sources.visible_to(request.chat.id)
    names = [source_name(source.name, request.translator) for source in sources]
    return _best(text, names)


async def recent_titles(text: str, request: Request, services: Services) -> Sequence[str]:
    """Titles of recent visible posts that contain the text."""
    async with services.store.read() as work:
        titles = await work.posts.titles(PostQuery(request.chat.id, limit=RECENT), TITLE_LENGTH)
    return _best(text, titles)


async def format_choices(text: str, request: Request, services: Services) -> Sequence[str]:
    """The phrases of `/format` that contain the text."""
    phrases = [phrase for choice in CHOICES.values() for phrase in choice.phrases.values()]
    return _best(text, list(map(request.translator.t, (*phrases, RESET))))


async def language_names(text: str, request: Request, services: Services) -> Sequence[str]:
    """The languages whose names contain the text, each by its name in itself."""
    return _best(text, list(map(native_name, LANGUAGES)))


def _best(text: str, names: Sequence[str]) -> Sequence[str]:
    wanted = text.strip().casefold()
    found = [name for name in dict.fromkeys(names) if wanted in name.casefold()]
    return sorted(found, key=lambda name: not name.casefold().startswith(wanted))
