"""Buttons, selects, modals and components V2, with the limits of Discord's documentation."""

from collections.abc import Callable, Mapping

from tests.emulators.discord import layout
from tests.emulators.discord.form import Form, Path, number_of
from tests.emulators.discord.layout import TEXT_DISPLAY, Files
from tests.emulators.discord.types import Json, walk

ROW, BUTTON, SELECT, INPUT, LABEL = 1, 2, 3, 4, 18
_SELECTS = (3, 5, 6, 7, 8)
_LINK_STYLE = 5


def read_components(
    form: Form, value: object, path: Path, *, v2: bool, files: Files = frozenset()
) -> tuple[Json, ...]:
    """Read components and number them. Errors are added to the form.

    `files` are the names of the message's attachments, which components V2 may show.
    """
    items = form.items(value, path, 40 if v2 else 5)
    if v2:
        layout.check(form, items, path, files, _check)
    else:
        for place, item in enumerate(items):
            form.choice(item.get("type"), (*path, place, "type"), (ROW,))
            _check(form, item, (*path, place))
    _unique(form, items, path)
    every = list(walk(items))
    numbers = {id(item): number for number, item in enumerate(every, 1)}
    return tuple(_numbered(item, numbers) for item in items)


def _numbered(item: Json, numbers: Mapping[int, int]) -> Json:
    body: Json = {"id": numbers[id(item)]} | item
    for name in ("components", "accessory", "component"):
        inner = item.get(name)
        if isinstance(inner, list):
            body[name] = [_numbered(child, numbers) for child in inner if isinstance(child, dict)]
        elif isinstance(inner, dict):
            body[name] = _numbered(inner, numbers)
    return body


def _unique(form: Form, items: list[Json], path: Path) -> None:
    seen: set[object] = set()
    for row, item in enumerate(items):
        for place, child in enumerate(walk(item.get("components"))):
            name = child.get("custom_id")
            if name is not None and name in seen:
                where = (*path, row, "components", place, "custom_id")
                form.wrong(
                    where, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
                )
            seen.add(name)


def _check(form: Form, item: Json, path: Path) -> None:
    checks: dict[int, Callable[[Form, Json, Path], None]] = {
        ROW: _row,
        BUTTON: _button,
        INPUT: _input,
        TEXT_DISPLAY: layout.text_display,
        LABEL: _label,
        **dict.fromkeys(_SELECTS, _select),
    }
    if check := checks.get(number_of(item.get("type"))):  # the place where it stands refuses other types
        check(form, item, path)


def _row(form: Form, item: Json, path: Path) -> None:
    children = form.items(item.get("components"), (*path, "components"), 5, 1)
    wide = any(child.get("type") in (*_SELECTS, INPUT) for child in children)
    if wide and len(children) > 1:
        form.wrong(
            path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        )
    for place, child in enumerate(children):
        where = (*path, "components", place)
        form.choice(child.get("type"), (*where, "type"), (BUTTON, *_SELECTS, INPUT))
        _check(form, child, where)


def _label(form: Form, item: Json, path: Path) -> None:
    form.text(item.get("label"), (*path, "label"), 45, 1)
    inner = item.get("component")
    if isinstance(inner, dict):
        _check(form, inner, (*path, "component"))


def _button(form: Form, item: Json, path: Path) -> None:
    style = form.choice(item.get("style"), (*path, "style"), (1, 2, 3, 4, _LINK_STYLE, 6))
    label = form.text(item.get("label"), (*path, "label"), 80)
    if not label and not item.get("emoji"):
        form.wrong((*path, "label"), "BUTTON_COMPONENT_INVALID_LABEL", "A button needs a label or an emoji")
    if style != _LINK_STYLE:
        form.text(item.get("custom_id"), (*path, "custom_id"), 100, 1)
        return
    form.text(item.get("url"), (*path, "url"), 512, 1)
    form.url(item.get("url"), (*path, "url"), schemes=("http", "https", "discord"))
    if item.get("custom_id"):
        form.wrong(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A link has no custom id")


def _select(form: Form, item: Json, path: Path) -> None:
    form.text(item.get("custom_id"), (*path, "custom_id"), 100, 1)
    form.text(item.get("placeholder"), (*path, "placeholder"), 150)
    if item.get("type") != SELECT:
        return
    options = form.items(item.get("options"), (*path, "options"), 25, 1)
    values: set[str] = set()
    for place, option in enumerate(options):
        where = (*path, "options", place)
        form.text(option.get("label"), (*where, "label"), 100, 1)
        value = form.text(option.get("value"), (*where, "value"), 100, 1)
        form.text(option.get("description"), (*where, "description"), 100)
        if value in values:
            known = "The specified option value is already used"
            form.wrong((*where, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", known)
        values.add(value)
    low, high = number_of(item.get("min_values"), 1), number_of(item.get("max_values"), 1)
    if not 0 <= low <= high <= max(1, len(options)):
        form.wrong((*path, "max_values"), "BASE_TYPE_BAD_LENGTH", "Must fit the number of options.")


def _input(form: Form, item: Json, path: Path) -> None:
    form.text(item.get("custom_id"), (*path, "custom_id"), 100, 1)
    form.text(item.get("label"), (*path, "label"), 45)
    form.text(item.get("placeholder"), (*path, "placeholder"), 100)
    form.text(item.get("value"), (*path, "value"), 4000)
    form.choice(item.get("style"), (*path, "style"), (1, 2))


def read_modal(form: Form, data: Json, path: Path) -> Json:
    """Read a modal. Errors are added to the form."""
    form.text(data.get("title"), (*path, "title"), 45, 1)
    form.text(data.get("custom_id"), (*path, "custom_id"), 100, 1)
    items = form.items(data.get("components"), (*path, "components"), 5, 1)
    for place, item in enumerate(items):
        where = (*path, "components", place)
        form.choice(item.get("type"), (*where, "type"), (ROW, TEXT_DISPLAY, LABEL))
        _check(form, item, where)
    _unique(form, items, (*path, "components"))
    return data
