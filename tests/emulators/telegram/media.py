"""Photos and albums. The emulator fetches no URLs; a fault stands for a failed fetch."""

import json

from tests.emulators.telegram.content import read_caption
from tests.emulators.telegram.faults import refusal
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import ApiError, Entity, Json

ALBUM_LIMIT = 10
"""https://core.telegram.org/bots/api#sendmediagroup"""


def read_photo(world: World, params: Params) -> Json:
    """The photo of sendPhoto: an upload, a URL or the id of a file that was sent earlier."""
    value = params.text("photo")
    if not value:
        raise ApiError(400, "Bad Request: there is no photo in the request")
    return {"photo": _sizes(world, _checked(world, value, params, "photo"))}


def read_album(world: World, params: Params) -> list[tuple[str, tuple[Entity, ...], Json]]:
    """The caption, its entities and the media of each item."""
    items = params.parsed("media", "media")
    if not isinstance(items, list) or not items:
        raise ApiError(400, "Bad Request: there are no media in the request")
    if len(items) > ALBUM_LIMIT:
        raise ApiError(400, "Bad Request: too much messages to send as an album")
    return [_item(world, item, params) for item in items]


def _item(world: World, item: object, params: Params) -> tuple[str, tuple[Entity, ...], Json]:
    if not isinstance(item, dict) or item.get("type") not in ("photo", "video", "document"):
        raise ApiError(400, "Bad Request: can't parse InputMedia: the emulator takes photo, video, document")
    source = _checked(world, str(item.get("media", "")), params, "media")
    caption, entities = read_caption(_own_params(item))
    if item["type"] == "photo":
        return caption, entities, {"photo": _sizes(world, source)}
    body: Json = {"file_id": source, "file_unique_id": source}
    if item["type"] == "video":
        body |= {"width": 640, "height": 360, "duration": 1}
    return caption, entities, {item["type"]: body}


def _own_params(item: Json) -> Params:
    return Params(
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in item.items()}
    )


def _checked(world: World, value: str, params: Params, name: str) -> str:
    """Check a source and return the file's id, which is the source itself, so that tests can see it."""
    upload = value.removeprefix("attach://")
    known = name in params.files or (upload != value and upload in params.files) or value in world.files
    if not known and not value.startswith(("http://", "https://")):
        raise refusal("wrong-file")
    world.files.add(value)
    return value


def _sizes(world: World, source: str) -> list[Json]:
    return [{"file_id": source, "file_unique_id": source, "width": 640, "height": 360}]
