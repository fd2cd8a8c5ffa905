"""Git servers. All are good when they are added; then each becomes one of these."""

import asyncio
import os
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Mapping

from aiohttp import web

from tests.emulators.git import GitServer, answer, packet
from tests.hostile.sites import Handler

PATH = "/repo.git"
POST = "---\ntitle: A good post\ndate: 2026-07-14\n---\nIts text.\n"
REFS = 50_000
BOMB = 100_000_000  # bytes
SLEEP = 0.001  # seconds between the pieces of an endless answer: the sites share one event loop


def good() -> Handler:
    server = GitServer()
    server.commit({"one.md": POST})
    return server.handle


def _lying(refs: Callable[[], AsyncIterator[bytes]], pack: Callable[[], AsyncIterator[bytes]]) -> Handler:
    """A server of version 2 that streams these answers."""
    server = GitServer()

    async def answered(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(body=server.advertise())
        body = await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in refs() if b"command=ls-refs" in body else pack():
            await response.write(piece)
        return response

    return answered


async def _new_commit() -> AsyncIterator[bytes]:
    yield packet(os.urandom(20).hex().encode() + b" HEAD\n") + b"0000"


async def _many_refs() -> AsyncIterator[bytes]:
    for number in range(REFS):
        yield packet(b"%040x HEAD%d\n" % (number, number))
    yield b"0000"


async def _endless_refs() -> AsyncIterator[bytes]:
    while True:
        yield packet(b"%040x refs/heads/main\n" % 7) * 500
        await asyncio.sleep(SLEEP)


async def _nothing() -> AsyncIterator[bytes]:
    yield b"0000"


async def _endless_pack() -> AsyncIterator[bytes]:
    yield packet(b"packfile\n") + packet(b"\x01PACK" + struct.pack(">II", 2, 2**32 - 1))
    while True:
        yield packet(b"\x01" + bytes(65_000))
        await asyncio.sleep(SLEEP)


def _pack(objects: int, *pieces: bytes) -> Callable[[], AsyncIterator[bytes]]:
    async def sent() -> AsyncIterator[bytes]:
        yield answer(b"PACK" + struct.pack(">II", 2, objects) + b"".join(pieces))

    return sent


def _sized(kind: int, size: int) -> bytes:
    """The header of an object in a pack."""
    head, size = [kind << 4 | size & 15], size >> 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head)


async def _wrong_length() -> AsyncIterator[bytes]:
    yield b"fff0packfile\n"


def _leads(target: str) -> Handler:
    async def answered(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{target}info/refs?service=git-upload-pack"})

    return answered


async def _page(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="<html>not a repository</html>", content_type="text/html")


def kinds(inside: str) -> Mapping[str, Callable[[], Handler]]:
    """`inside` is an address that must not be reached."""
    return {
        "leads inside": lambda: _leads(inside),
        "a broken pack": lambda: _lying(_new_commit, _pack(3, os.urandom(2_000))),
        "a wrong length": lambda: _lying(_new_commit, _wrong_length),
        "no repository": lambda: _page,
        "no pack": lambda: _lying(_new_commit, _nothing),
        "gigabytes in a header": lambda: _lying(
            _new_commit, _pack(1, _sized(1, 8 << 30), zlib.compress(b"x"))
        ),
        "a bomb": lambda: _lying(_new_commit, _pack(1, _sized(3, BOMB), zlib.compress(bytes(BOMB), 1))),
        "thousands of refs": lambda: _lying(_many_refs, _nothing),
        "endless refs": lambda: _lying(_endless_refs, _nothing),
        "an endless pack": lambda: _lying(_new_commit, _endless_pack),
    }
