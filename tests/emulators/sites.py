"""Web sites that people follow, on one local server: pages and feeds at their paths and in their structure.

`/HOST/PATH` stands for `https://HOST/PATH`. `ThroughServer` fetches as if these addresses were real: over
HTTP, with the guard, and with the sites' redirects.
"""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html import escape
from ipaddress import ip_network

from aiohttp import web

from content.fetch import LARGE, Fetched
from content.http import HttpFetcher
from content.types import Validators

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = str | bytes | int | Handler


@dataclass
class Sites:
    """The local server. `answers` maps the URLs of sites to a body, a status, `-> URL` or a handler."""

    host: str = "127.0.0.1"
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def local(self, url: str) -> str:
        return url.replace("https://", f"http://{self.host}:{self.port}/", 1)

    def public(self, url: str) -> str:
        return url.replace(f"http://{self.host}:{self.port}/", "https://", 1)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        url = self.public(str(request.url))
        self.asked.append(url)
        answer = self.answers.get(url, 404)
        if callable(answer):
            return await answer(request)
        if isinstance(answer, int):
            return web.Response(
                status=answer, text="<!doctype html><title>Not here</title>", content_type="text/html"
            )
        if isinstance(answer, str) and answer.startswith("-> "):
            return web.Response(status=302, headers={"Location": self.local(answer[3:])})
        body = answer.encode() if isinstance(answer, str) else answer
        kind = "text/html" if body.lstrip()[:9].lower() in (b"<!doctype", b"<html>") else "text/xml"
        return web.Response(body=body, content_type=kind, charset="utf-8")


@asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncIterator[Sites]:
    sites = Sites(host)
    app = web.Application()
    app.router.add_get("/{path:.*}", sites.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server((host, 0))
    sites.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    try:
        yield sites
    finally:
        await runner.cleanup()


class ThroughServer:
    """A fetcher that takes the sites' addresses to the local server, and says theirs in its answers."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._inner = HttpFetcher((ip_network("127.0.0.1"),))

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        fetched = await self._inner.fetch(self._sites.local(url), validators, large=large)
        return self._public(fetched)

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        return self._public(await self._inner.ask(self._sites.local(url), headers, body, max_bytes=max_bytes))

    def _public(self, fetched: Fetched) -> Fetched:
        return replace(fetched, url=self._sites.public(fetched.url), moved=self._sites.public(fetched.moved))

    async def close(self) -> None:
        await self._inner.close()


def atom(title: str, *posts: str) -> str:
    entries = (
        f"<entry><id>{post}</id><title>{post}</title><updated>2026-07-14T10:00:00Z</updated></entry>"
        for post in posts
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>{title}</title>'
    return head + "".join(entries) + "</feed>"


def rss(title: str, *posts: str) -> str:
    items = (f"<item><guid>{post}</guid><title>{post}</title></item>" for post in posts)
    head = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>'
    return head + "".join(items) + "</channel></rss>"


def page(*head: str, body: str = "") -> str:
    """A page with these elements in its head."""
    return f"<!DOCTYPE html><html><head><title>A site</title>{''.join(head)}</head><body>{body}</body></html>"


def alternate(href: str, title: str = "", kind: str = "application/rss+xml") -> str:
    """The element by which a page names a feed."""
    return f'<link rel="alternate" type="{kind}" title="{escape(title)}" href="{escape(href)}">'


def youtube_channel(channel: str, *, named: bool) -> str:
    """The page of a channel with half a megabyte of data; `named`: its feed is in the head, as usual."""
    data = {
        "metadata": {"channelMetadataRenderer": {"externalId": channel}},
        "featured": {"channelId": "UC" + "f" * 22},
    }
    feed = f"https://www.youtube.com/feeds/videos.xml?channel_id={channel}"
    return page(
        "<script>" + "var a=1;" * 60_000 + "</script>",
        f'<link rel="canonical" href="https://www.youtube.com/channel/{channel}">' if named else "",
        alternate(feed, "RSS") if named else "",
        body=f"<script>var ytInitialData = {json.dumps(data, separators=(',', ':'))};</script>",
    )


def youtube_video(channel: str) -> str:
    """The page of a video: its channel is only in the data of the player, before those of other videos."""
    player = {"videoDetails": {"videoId": "abc", "channelId": channel}}
    others = {"results": [{"channelId": "UC" + "o" * 22}]}
    script = f"<script>var player = {json.dumps(player, separators=(',', ':'))};</script>"
    return page(body=f"{script}<script>var data = {json.dumps(others, separators=(',', ':'))};</script>")


def telegram_channel(name: str, title: str, posts: Sequence[str]) -> str:
    """The public page of a channel. `posts` are the inner parts of its messages, oldest first."""
    messages = (_telegram_message(name, number, post) for number, post in enumerate(posts, 1))
    header = (
        '<div class="tgme_channel_info"><div class="tgme_channel_info_header_title_wrap">'
        f'<div class="tgme_channel_info_header_title"><span dir="auto">{escape(title)}</span></div>'
        "</div></div>"
    )
    history = f'<section class="tgme_channel_history js-message_history">{"".join(messages)}</section>'
    return page(f'<meta property="og:title" content="{escape(title)}">', body=header + history)


def _telegram_message(name: str, number: int, post: str) -> str:
    is_service = post.startswith("<!-- service -->")
    names = "tgme_widget_message js-widget_message" + (" service_message" if is_service else "")
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        f'<div class="{names}" data-post="{name}/{number}">'
        '<div class="tgme_widget_message_user"><i class="tgme_widget_message_user_photo">'
        '<img src="https://cdn.example.org/avatar.jpg"></i></div>'
        '<div class="tgme_widget_message_bubble"><i class="tgme_widget_message_bubble_tail"><svg width="9px">'
        '<g><path class="background" d="M8,1"/><path d="M7,1"/></g></svg></i>'
        f"{post}"
        '<div class="tgme_widget_message_footer"><span class="tgme_widget_message_views">1.2K</span>'
        f'<a class="tgme_widget_message_date" href="https://t.me/{name}/{number}">'
        f'<time datetime="2026-07-{number:02}T10:00:00+02:00" class="time">10:00</time></a>'
        "</div></div></div></div>"
    )


def telegram_text(html: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{html}</div>'


def telegram_photo(url: str) -> str:
    style = f"width:800px;background-image:url('{url}')"
    return f'<a class="tgme_widget_message_photo_wrap 1 1_2" href="https://t.me/radio/1" style="{style}"></a>'
