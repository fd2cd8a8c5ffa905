"""Reads requests. Like the real server, it turns form data, multipart and JSON into names with texts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from tests.emulators.telegram.types import ApiError


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one request. The value of an uploaded file is its file name."""

    values: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The contents of uploaded files."""

    def text(self, name: str) -> str:
        """The value, or ''."""
        return self.values.get(name, "")

    def integer(self, name: str) -> int:
        """The value as a number; 0 if it is missing or no number, as in the real server."""
        try:
            return int(self.values.get(name, "0"))
        except ValueError:
            return 0

    def flag(self, name: str) -> bool:
        """Whether the value means true."""
        return self.values.get(name, "").lower() in ("true", "1", "yes")

    def parsed(self, name: str, what: str) -> object:
        """The value as JSON, None if it is missing. Raises ApiError 400, which names `what`, for bad JSON."""
        raw = self.values.get(name, "")
        if not raw:
            return None
        try:
            value: object = json.loads(raw)
        except ValueError as exc:
            raise ApiError(400, f"Bad Request: can't parse {what} JSON object") from exc
        return value


async def read_params(request: web.BaseRequest) -> Params:
    """Read the parameters in the URL and the body. Raises ApiError 400 for bad JSON."""
    values = dict(request.query) if request.query_string else {}
    kind = request.content_type
    if kind == "multipart/form-data":
        return await _multipart(request, values)
    body = await request.read()
    if kind == "application/json":
        values.update(_json(body))
    elif body:
        values.update(parse_qsl(body.decode(), keep_blank_values=True, errors="surrogateescape"))
    return Params(values)


def _json(body: bytes) -> dict[str, str]:
    try:
        loaded: object = json.loads(body)
    except ValueError as exc:
        raise ApiError(400, "Bad Request: can't parse JSON object") from exc
    if not isinstance(loaded, dict):
        raise ApiError(400, "Bad Request: object expected as JSON-encoded body")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in loaded.items()}


async def _multipart(request: web.BaseRequest, values: dict[str, str]) -> Params:
    files = dict[str, bytes]()
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            values[name], files[name] = value.filename, value.file.read()
            value.file.close()
        else:
            values[name] = value if isinstance(value, str) else value.decode()
    return Params(values, files)
