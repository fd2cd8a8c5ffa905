"""Reads requests: the path's parameters, the query, and the body with its files."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from aiohttp import web

from tests.emulators.discord.faults import refusal
from tests.emulators.discord.form import number_of
from tests.emulators.discord.types import Json

MAX_FILE = 10 * 1024 * 1024
"""Bytes of one file, in a guild without boosts."""
MOST = 10 * MAX_FILE + 1024 * 1024
"""Bytes of a whole request, which may carry ten files."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a route. If the body is a list, it is in `items`."""

    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    items: list[object]
    files: tuple[Json, ...] = ()

    def number(self, name: str) -> int:
        """A snowflake in the path; 0 if it is no number."""
        return number_of(self.params[name])


async def read_call(request: web.BaseRequest, params: Mapping[str, str]) -> Call:
    """Read the request. Raises 50109 if the body is not JSON, 40005 if a file is too large."""
    request = request.clone(client_max_size=MOST)
    files: tuple[Json, ...] = ()
    if request.content_type == "multipart/form-data":
        loaded, files = await _multipart(request)
    else:
        loaded = _json(await request.read())
    body = loaded if isinstance(loaded, dict) else {}
    return Call(params, request.query, body, loaded if isinstance(loaded, list) else [], files)


def _json(raw: bytes | str) -> object:
    if not raw:
        return {}
    try:
        loaded: object = json.loads(raw)
    except ValueError as exc:
        raise refusal(50109) from exc
    return loaded


async def _multipart(request: web.BaseRequest) -> tuple[object, tuple[Json, ...]]:
    loaded: object = {}
    files: list[Json] = []
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            with closing(value.file):
                files.append(_file(len(files), value))
        elif name == "payload_json":
            loaded = _json(value if isinstance(value, str) else value.decode())
    return loaded, tuple(files)


def _file(place: int, value: web.FileField) -> Json:
    size = len(value.file.read())
    if size > MAX_FILE:
        raise refusal(40005)
    url = f"https://cdn.discordapp.com/attachments/0/{place}/{value.filename}"
    return {
        "id": str(place),
        "filename": value.filename,
        "size": size,
        "url": url,
        "proxy_url": url,
        "content_type": value.content_type,
    }
