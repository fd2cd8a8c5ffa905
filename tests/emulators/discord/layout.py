"""Components V2: what may stand where, and the limits of Discord's documentation (components reference).

Two limits are documented nowhere: the number of pictures (discord-api-docs#7528), and the size of the texts
in bytes, above which Discord answers 500 (discord-api-docs#8554).
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.emulators.discord.form import Form, Path
from tests.emulators.discord.types import ApiError, Json, walk

ROW, BUTTON, SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = (
    1, 2, 9, 10, 11, 12, 13, 14, 17
)  # fmt: skip
MOST, TEXT, PICTURES, BYTES = 40, 4000, 64, 10_170
"""Components, characters, and pictures of a message; bytes of its texts with 12 more for each text."""
DESCRIPTION = 1024
_IN_CONTAINER = (ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR)
_TOP = (*_IN_CONTAINER, CONTAINER)

Files = frozenset[str]
Check = Callable[[Form, Json, Path], None]


def check(form: Form, items: list[Json], path: Path, files: Files, control: Check) -> None:
    """Check the components of a message. `control` checks rows and buttons."""
    _Layout(form, files, control).children(items, path, _TOP)
    every = list(walk(items))
    if len(every) > MOST:
        known = "The maximum number of components is 40."
        form.wrong(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", known)
    if sum(map(len, texts(items))) > TEXT:
        known = f"Components displayable text size exceeds maximum size of {TEXT}"
        form.wrong(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", known)
    if sum(1 for _ in pictures(every)) > PICTURES:
        form.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {PICTURES} or fewer in length.")


def check_size(items: Iterable[Json]) -> None:
    """Raise the 500 of a message whose texts have too many bytes."""
    if sum(len(text.encode()) + 12 for text in texts(items)) > BYTES:
        raise ApiError(500, {"message": "500: Internal Server Error", "code": 0})


def texts(items: Iterable[Json]) -> list[str]:
    """The texts of text displays at any depth, in reading order."""
    return [str(item.get("content", "")) for item in walk(tuple(items), (TEXT_DISPLAY,))]


def pictures(every: Iterable[Json]) -> Iterable[dict[str, Any]]:
    """The thumbnails and items of galleries, each with `media` and perhaps `description`."""
    for item in every:
        if item.get("type") == THUMBNAIL:
            yield item
        elif item.get("type") == GALLERY and isinstance(items := item.get("items"), list):
            yield from (one for one in items if isinstance(one, dict))


def text_display(form: Form, item: Json, path: Path) -> None:
    """Check a text, which stands in messages and in modals."""
    form.text(item.get("content"), (*path, "content"), TEXT, 1)


class _Layout:
    """Checks components by the place where they stand."""

    def __init__(self, form: Form, files: Files, control: Check) -> None:
        self._form, self._files = form, files
        self._checks: dict[int, Check] = {
            ROW: control,
            BUTTON: control,
            SECTION: self._section,
            TEXT_DISPLAY: text_display,
            THUMBNAIL: self._picture,
            GALLERY: self._gallery,
            FILE: self._file,
            SEPARATOR: self._separator,
            CONTAINER: self._container,
        }

    def children(self, items: list[Json], path: Path, allowed: tuple[int, ...]) -> None:
        for place, item in enumerate(items):
            self._child(item, (*path, place), allowed)

    def _child(self, item: Json, path: Path, allowed: tuple[int, ...]) -> None:
        kind = self._form.choice(item.get("type"), (*path, "type"), allowed)
        if kind in allowed:
            self._checks[kind](self._form, item, path)

    def _container(self, form: Form, item: Json, path: Path) -> None:
        inner = (*path, "components")
        self.children(form.items(item.get("components"), inner, MOST, 1), inner, _IN_CONTAINER)
        colour = item.get("accent_color")
        if colour is not None and not (isinstance(colour, int) and 0 <= colour <= 0xFFFFFF):
            known = "int value should be between 0 and 16777215."
            form.wrong((*path, "accent_color"), "NUMBER_TYPE_MAX", known)

    def _section(self, form: Form, item: Json, path: Path) -> None:
        inner = (*path, "components")
        self.children(form.items(item.get("components"), inner, 3, 1), inner, (TEXT_DISPLAY,))
        beside = item.get("accessory")
        if isinstance(beside, dict):
            self._child(beside, (*path, "accessory"), (BUTTON, THUMBNAIL))
        else:
            form.wrong((*path, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")

    def _gallery(self, form: Form, item: Json, path: Path) -> None:
        inner = (*path, "items")
        for place, one in enumerate(form.items(item.get("items"), inner, 10, 1)):
            self._picture(form, one, (*inner, place))

    def _picture(self, form: Form, item: Json, path: Path) -> None:
        self._media(item.get("media"), (*path, "media"), ("http", "https", "attachment"))
        form.text(item.get("description"), (*path, "description"), DESCRIPTION)

    def _file(self, form: Form, item: Json, path: Path) -> None:
        self._media(item.get("file"), (*path, "file"), ("attachment",))

    def _media(self, value: object, path: Path, schemes: tuple[str, ...]) -> None:
        """Whether the server can fetch it shows only later: people see an empty picture then."""
        url = value.get("url") if isinstance(value, dict) else None
        where = (*path, "url")
        self._form.text(url, where, 2048, 1)
        self._form.url(url, where, schemes=schemes)
        name = str(url).removeprefix("attachment://")
        if str(url).startswith("attachment://") and name not in self._files:
            known = "The referenced attachment was not found"
            self._form.wrong(where, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", known)

    def _separator(self, form: Form, item: Json, path: Path) -> None:
        form.choice(item.get("spacing", 1), (*path, "spacing"), (1, 2))
        if not isinstance(item.get("divider", True), bool):
            form.wrong((*path, "divider"), "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
