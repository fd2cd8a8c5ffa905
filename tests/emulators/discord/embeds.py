"""Embeds, with the limits of Discord's documentation."""

from datetime import datetime

from tests.emulators.discord.form import Form, Path, number_of
from tests.emulators.discord.types import Json

TOTAL = 6000
"""Characters over all embeds of a message: titles, descriptions, fields, footers, authors."""
_MEDIA = ("http", "https", "attachment")


def read_embeds(form: Form, value: object, path: Path) -> tuple[Json, ...]:
    """Read embeds. Errors are added to the form."""
    embeds = form.items(value, path, 10)
    total = sum(_size(form, embed, (*path, place)) for place, embed in enumerate(embeds))
    if total > TOTAL:
        form.wrong(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {TOTAL}")
    return tuple({"type": "rich"} | embed for embed in embeds)


def _size(form: Form, embed: Json, path: Path) -> int:
    title = form.text(embed.get("title"), (*path, "title"), 256)
    description = form.text(embed.get("description"), (*path, "description"), 4096)
    fields = form.items(embed.get("fields"), (*path, "fields"), 25)
    author = _part(form, embed, path, "author", "name", 256)
    footer = _part(form, embed, path, "footer", "text", 2048)
    _links(form, embed, path)
    _rest(form, embed, path)
    sizes = [_field(form, item, (*path, "fields", place)) for place, item in enumerate(fields)]
    shown = (title, description, fields, author, footer, embed.get("image"), embed.get("thumbnail"))
    if not any(shown):
        form.wrong((*path, "description"), "BASE_TYPE_REQUIRED", "This field is required")
    return len(title) + len(description) + author + footer + sum(sizes)


def _field(form: Form, item: Json, path: Path) -> int:
    name = form.text(item.get("name"), (*path, "name"), 256, 1)
    return len(name) + len(form.text(item.get("value"), (*path, "value"), 1024, 1))


def _part(form: Form, embed: Json, path: Path, part: str, name: str, high: int) -> int:
    value = embed.get(part)
    if not isinstance(value, dict):
        return 0
    form.url(value.get("icon_url"), (*path, part, "icon_url"), schemes=_MEDIA)
    if part == "author":
        form.url(value.get("url"), (*path, part, "url"))
    return len(form.text(value.get(name), (*path, part, name), high, 1))


def _links(form: Form, embed: Json, path: Path) -> None:
    form.url(embed.get("url"), (*path, "url"))
    for name in ("image", "thumbnail"):
        value = embed.get(name)
        if isinstance(value, dict):
            form.url(value.get("url"), (*path, name, "url"), schemes=_MEDIA)


def _rest(form: Form, embed: Json, path: Path) -> None:
    if embed.get("color") is not None and not 0 <= number_of(embed["color"], -1) <= 0xFFFFFF:
        form.wrong((*path, "color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    moment = embed.get("timestamp")
    if moment is None:
        return
    try:
        datetime.fromisoformat(str(moment))
    except ValueError:
        form.wrong((*path, "timestamp"), "DATE_TIME_TYPE_PARSE", f"Could not parse {moment}.")
