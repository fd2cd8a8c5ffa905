"""Checks the contents of messages: text, entities, URLs, keyboards. Every refusal is an ApiError 400.

Limits and wording follow TDLib (MessageEntity.cpp, ReplyMarkup.cpp) and the Bot API reference.
"""

from urllib.parse import urlsplit

from tests.emulators.telegram.faults import refusal
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.types import ApiError, Entity, Json

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
ENTITY_LIMIT = 100
BUTTON_LIMIT = 100
ROW_LIMIT = 8
CALLBACK_DATA_LIMIT = 64

_ENTITY_TYPES = frozenset(
    (
        *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"),
        *("bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"),
        *("code", "pre", "text_link", "text_mention", "custom_emoji"),
    )
)
_BUTTON_KINDS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
    "pay",
)


def read_text(params: Params) -> tuple[str, tuple[Entity, ...]]:
    """The text of a message and its entities. Lengths are checked after trimming."""
    text, entities = _formatted(params, "text", "entities")
    if not text:
        raise refusal("empty")
    if len(text) > TEXT_LIMIT:
        raise refusal("too-long")
    return text, entities


def read_caption(params: Params) -> tuple[str, tuple[Entity, ...]]:
    """The caption of a photo and its entities."""
    text, entities = _formatted(params, "caption", "caption_entities")
    if len(text) > CAPTION_LIMIT:
        raise refusal("caption-too-long")
    return text, entities


def _formatted(params: Params, name: str, spans: str) -> tuple[str, tuple[Entity, ...]]:
    if params.text("parse_mode"):
        raise ApiError(
            400, "Bad Request: can't parse entities: the emulator takes entities, not a parse_mode"
        )
    text = params.text(name)
    try:
        units = len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError as exc:
        raise ApiError(400, "Bad Request: strings must be encoded in UTF-8") from exc
    raw = params.parsed(spans, "entities")
    if raw is None:
        return text.rstrip(), ()
    if not isinstance(raw, list):
        raise ApiError(400, "Bad Request: can't parse entities: expected an Array")
    entities = [_entity(item, text, units) for item in raw]
    kept = sorted((e for e in entities if e.length > 0), key=lambda e: (e.offset, -e.length))
    return _trimmed(text, units, kept[:ENTITY_LIMIT])


def _trimmed(text: str, units: int, entities: list[Entity]) -> tuple[str, tuple[Entity, ...]]:
    stripped = text.rstrip()
    end = units - (len(text) - len(stripped))  # every white space character has one UTF-16 unit
    if end == units:
        return text, tuple(entities)
    clipped = (
        Entity(e.type, e.offset, min(e.length, end - e.offset), e.url, e.language)
        for e in entities
        if e.offset < end
    )
    return stripped, tuple(clipped)


def _entity(item: object, text: str, units: int) -> Entity:
    if not isinstance(item, dict):
        raise ApiError(400, "Bad Request: can't parse MessageEntity: expected an Object")
    kind, offset, length = item.get("type"), item.get("offset"), item.get("length")
    if kind not in _ENTITY_TYPES:
        raise ApiError(400, "Bad Request: can't parse MessageEntity: Unsupported type specified")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise ApiError(
            400, "Bad Request: can't parse MessageEntity: offset and length must be of type Number"
        )
    _check_span(offset, length, text, units)
    url = item.get("url") if kind == "text_link" else None
    if kind == "text_link":
        check_url(str(url or ""), "entity URL")
    language = item.get("language")
    return Entity(str(kind), offset, length, url, str(language) if language else None)


def _check_span(offset: int, length: int, text: str, units: int) -> None:
    if offset < 0:
        raise ApiError(400, f"Bad Request: receive an entity with incorrect offset {offset}")
    if length < 0:
        raise ApiError(400, f"Bad Request: receive an entity with incorrect length {length}")
    if length and offset >= units:
        raise ApiError(400, f"Bad Request: entity begins after the end of the text at UTF-16 offset {offset}")
    end = offset + length
    if end > units:
        raise ApiError(
            400,
            f"Bad Request: entity beginning at UTF-16 offset {offset} ends after the end of the text "
            f"at UTF-16 offset {end}",
        )
    if units > len(text):
        _check_symbols(offset, end, text.encode("utf-16-le"))


def _check_symbols(offset: int, end: int, encoded: bytes) -> None:
    if _is_low_surrogate(encoded, offset):
        raise ApiError(
            400, f"Bad Request: entity begins in a middle of a UTF-16 symbol at UTF-16 offset {offset}"
        )
    if _is_low_surrogate(encoded, end):
        raise ApiError(
            400,
            f"Bad Request: entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol "
            f"at UTF-16 offset {end}",
        )


def _is_low_surrogate(encoded: bytes, unit: int) -> bool:
    return 2 * unit + 1 < len(encoded) and 0xDC <= encoded[2 * unit + 1] <= 0xDF


def check_url(url: str, what: str) -> None:
    """Refuse URLs that Telegram does not accept: other schemes, or http(s) with a host without a dot."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError as exc:
        raise ApiError(400, f"Bad Request: {what} '{url}' is invalid: Wrong HTTP URL") from exc
    if parts.scheme.lower() not in ("http", "https", "tg", "ton", "tonsite"):
        raise ApiError(400, f"Bad Request: {what} '{url}' is invalid: Unsupported URL protocol")
    host = parts.hostname or ""
    if parts.scheme.lower() in ("http", "https") and "." not in host and ":" not in host:
        raise ApiError(400, f"Bad Request: {what} '{url}' is invalid: Wrong HTTP URL")


HINT_LIMIT = 64
"""Most characters of the hint in the field of an answer."""


def read_markup(params: Params) -> Json | None:
    """The reply markup. Inline keyboards are checked; an empty one becomes None."""
    markup = params.parsed("reply_markup", "reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise ApiError(400, "Bad Request: object expected as reply markup")
    if len(str(markup.get("input_field_placeholder", ""))) > HINT_LIMIT:
        raise ApiError(400, "Bad Request: input field placeholder is too long")
    if "inline_keyboard" not in markup:
        return markup or None
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(400, 'Bad Request: field "inline_keyboard" must be of type Array')
    kept: list[object] = [[_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in rows) > BUTTON_LIMIT or any(len(row) > ROW_LIMIT for row in rows):
        raise ApiError(400, "Bad Request: reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _button(button: object) -> Json:
    fault = "Bad Request: can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise ApiError(400, f"{fault}InlineKeyboardButton must be an Object")
    text, data, url = button.get("text"), button.get("callback_data"), button.get("url")
    if not isinstance(text, str) or not text:
        raise ApiError(400, f'{fault}Field "text" must be of type String')
    if not any(kind in button for kind in _BUTTON_KINDS):
        raise ApiError(400, f"{fault}Text buttons are unallowed in the inline keyboard")
    if data is not None and not 1 <= len(str(data).encode()) <= CALLBACK_DATA_LIMIT:
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    if url is not None:
        check_url(str(url), "inline keyboard button URL")
    return button
