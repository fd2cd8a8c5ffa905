"""Hooks over HTTP: what they take, whom they refuse, and what a flood of calls does."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from content.types import Source, SourceState
from scheduler.push.pushes import Push
from scheduler.push.receiving import AT_ONCE, OWN_AT_ONCE, QUEUED
from tests.bot.web.conftest import Live
from tests.bot.web.hub import PUBLIC
from tests.scheduler.conftest import json_feed

POST = {"id": "1", "title": "Build 1", "url": "https://ci.example.org/1", "markdown": "It **works**."}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as events:
        yield events


async def hook(live: Live, name: str = "builds") -> tuple[Source, Push]:
    source = await live.source(f"hook:{name}")
    return source, await live.push(source)


async def call(
    live: Live, push: Push, sent: object, *, secret: str = "", signed: bool = False, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Call a hook with JSON, or with a body as it is."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    key = secret or push.secret
    if signed:
        headers["X-Hub-Signature-256"] = f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"
    else:
        headers["Authorization"] = f"Bearer {key}"
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): headers[name] for name in headers}
    status, text = await live.hub.call("POST", f"{PUBLIC}/hooks/{push.token}", data=body, headers=named)
    return status, json.loads(text)


async def test_a_call_makes_posts_that_are_sent_and_a_second_one_edits_them(live: Live) -> None:
    source, push = await hook(live)
    chat = await live.follower()
    assert (source.name, source.kind) == ("builds", "hook")
    assert await call(live, push, POST) == (202, {"new": 1, "changed": 0})
    assert await call(live, push, POST) == (202, {"new": 0, "changed": 0})
    assert await call(live, push, POST | {"text": "It broke.", "markdown": ""}) == (
        202,
        {"new": 0, "changed": 1},
    )
    more = [{"id": str(n), "title": f"Build {n}", "html": "<script>x</script>ok"} for n in (2, 3)]
    assert await call(live, push, more) == (202, {"new": 2, "changed": 0})
    async with live.store.write() as work:
        posts = await work.posts.by_ids([1, 2, 3])
        (first,) = await work.outbox.claim("fake", live.clock.now(), 9, 1)
    assert {post.title: post.text for post in posts} == {
        "Build 1": "It broke.",
        "Build 2": "ok",
        "Build 3": "ok",
    }
    assert posts[0].url == "https://ci.example.org/1" and "script" not in posts[1].html
    assert (first.chat.id, first.posts) == (chat.id, (1,))


def release(action: str, **changes: object) -> dict[str, object]:
    told = {
        "id": 7,
        "tag_name": "v2.0",
        "name": "Two",
        "body": "## New\n\n* everything",
        "html_url": "https://github.com/a/b/releases/tag/v2.0",
        "published_at": "2026-03-01T10:00:00Z",
        "draft": False,
        "prerelease": False,
    }
    return {"action": action, "release": told | changes, "repository": {"full_name": "a/b"}}


async def test_a_release_of_github_is_published_edited_and_deleted(live: Live) -> None:
    _, push = await hook(live)

    async def told(event: str, sent: object) -> tuple[int, dict[str, Any]]:
        return await call(live, push, sent, signed=True, X_GitHub_Event=event)

    assert await told("ping", {"zen": "Keep it logically awesome."}) == (200, {"event": "ping", "posts": 0})
    assert await told("push", {"ref": "refs/heads/main"}) == (200, {"event": "push", "posts": 0})
    assert await told("release", release("created", draft=True)) == (202, {"new": 0, "changed": 0})
    published = release("published")
    assert await told("release", published) == (202, {"new": 1, "changed": 0})
    assert await told("release", release("released")) == (202, {"new": 0, "changed": 0})
    assert await told("release", release("edited", body="nothing")) == (202, {"new": 0, "changed": 1})
    # The first body again, as somebody could have kept it: it was taken once.
    assert await told("release", published) == (202, {"new": 0, "changed": 0})
    async with live.store.read() as work:
        (post,) = await work.posts.by_ids([1])
        assert (post.title, post.text, post.withdrawn_at) == ("a/b Two", "nothing", None)
    await told("release", release("deleted"))
    async with live.store.read() as work:
        (post,) = await work.posts.by_ids([1])
    assert post.withdrawn_at is not None
    wrong = await call(live, push, release("published"), signed=True, secret="x", X_GitHub_Event="ping")
    assert wrong == (404, {"error": "not found"})


async def test_who_does_not_know_the_secret_does_not_learn_whether_there_is_a_hook(live: Live) -> None:
    source, push = await hook(live)
    paused, other = await hook(live, "paused")
    async with live.store.write() as work:
        await work.sources.set_state(paused.id, SourceState.PAUSED)
        await work.commit()
    subscribed = await live.push(await live.subscribed())
    answers = [
        await call(live, push, POST, secret="wrong"),
        await call(live, push, POST, secret="wrong", signed=True),
        await call(live, push, POST, secret="é"),
        await call(live, Push(0, None, push.kind, "0" * 32, push.secret), POST),
        await call(live, Push(0, None, push.kind, "%00", push.secret), POST),
        await call(live, Push(0, None, push.kind, subscribed.token, subscribed.secret), POST),
        await call(live, other, POST),
    ]
    assert answers == [(404, {"error": "not found"})] * len(answers)
    assert await live.titles(source) == []


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"not json", "this is not JSON: expected JSON like"),
        (b"\xff\xfe", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"1" * 100_000, "this is not JSON"),
        (b"", "this is not JSON"),
        (b"7", "post 1 is empty: expected JSON like"),
        (b'[{"title": "a"}, {"id": 3}]', "post 2 is empty"),
        (b'{"title": ["a"]}', "post 1 is empty"),
    ],
)
async def test_what_is_no_post_is_answered_with_what_is_expected(live: Live, sent: bytes, says: str) -> None:
    source, push = await hook(live)
    status, answer = await call(live, push, sent)
    assert (status, answer["error"][: len(says)]) == (400, says)
    assert await live.titles(source) == []


async def test_a_form_is_refused_with_what_to_choose(live: Live) -> None:
    _, push = await hook(live)
    form = "application/x-www-form-urlencoded"
    status, answer = await call(live, push, b"payload=x", signed=True, Content_Type=form)
    assert status == 400 and "application/json" in answer["error"]


async def test_hostile_fields_are_bounded(live: Live) -> None:
    _, push = await hook(live)
    hostile = {
        "id": "\x00" + "g" * 3_000,
        "title": "t" * 300_000,
        "url": "javascript:alert(1)",
        "text": "‮ \ud800 text",
        "published": "9999-12-31T23:59:59Z",
        "tags": ["x" * 1000] * 100 + [7],
    }
    assert await call(live, push, [hostile, {"title": "x", "published": "0000-00-00", "tags": "y"}]) == (
        202,
        {"new": 2, "changed": 0},
    )
    async with live.store.read() as work:
        posts = await work.posts.by_ids([1, 2])
    assert all(len(post.title) <= 1000 and post.url == "" and len(post.tags) <= 50 for post in posts)
    assert all(post.published_at <= live.clock.now() for post in posts)


async def raw(live: Live, head: str, *chunks: bytes) -> bytes:
    """What the server answers to a request that may never be complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live.hub.port)
    writer.write(head.replace("\n", "\r\n").encode())
    for chunk in chunks:
        writer.write(chunk)
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer


async def test_a_large_body_is_refused_before_it_is_read(live: Live) -> None:
    source, push = await hook(live)
    head = f"POST /hooks/{push.token} HTTP/1.1\nHost: x\nAuthorization: Bearer {push.secret}\n"
    answer = await raw(live, f"{head}Content-Length: 10000000000\n\n")
    assert b" 413 " in answer and b"Connection: close" in answer
    assert b" 413 " in await raw(live, f"{head}Content-Length: 1048577\n\n")
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    assert b" 413 " in await raw(live, f"{head}Transfer-Encoding: chunked\n\n", *[chunk] * 5)
    assert await live.titles(source) == []


async def test_a_call_that_breaks_off_changes_nothing_and_is_no_bug(
    live: Live, logged: list[MutableMapping[str, Any]]
) -> None:
    _, push = await hook(live)
    _, writer = await asyncio.open_connection("127.0.0.1", live.hub.port)
    head = f"POST /hooks/{push.token} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {push.secret}\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()
    assert (await call(live, push, POST))[0] == 202  # the server goes on
    assert not [event for event in logged if "broken" in event["event"]]


async def test_no_secret_and_no_address_reaches_the_log(
    live: Live, logged: list[MutableMapping[str, Any]]
) -> None:
    _, push = await hook(live)
    subscribed = await live.push(await live.subscribed())
    await call(live, push, POST)
    await call(live, push, b"{")
    await call(live, push, POST, secret="wrong")
    live.ingest.take = None  # type: ignore[method-assign, assignment]  # a bug
    status, answer = await call(live, push, POST)
    assert (status, answer) == (500, {"error": "internal error: TypeError"})
    assert [event for event in logged if event["event"] == "push.broken"]
    told = repr(logged)
    for secret in (push.secret, push.token, subscribed.secret, subscribed.token):
        assert secret not in told


async def test_a_flood_of_calls_fills_no_memory_and_stops_no_poll(
    live: Live, logged: list[MutableMapping[str, Any]]
) -> None:
    """The store is stuck, so nothing that was taken ends: all that is held is bounded. Then it goes on."""
    feed = await live.subscribed()
    hooks = [(await hook(live, f"hook{n}"))[1] for n in range(6)]
    stuck = asyncio.Event()

    async def wait() -> None:
        await stuck.wait()

    live.store.on_write = wait
    answered, queued, own = 0, 0, 0

    def measure() -> None:
        nonlocal answered, queued, own
        uses = live.receiver._uses.values()
        answered = max(answered, live.receiver._running)
        queued = max(queued, live.receiver._calls.qsize())
        own = max([own, *(max(use.running, use.queued) for use in uses)])

    async def one(n: int) -> int:
        push = hooks[n % 6] if n % 3 else Push(0, None, hooks[0].kind, f"{n:032d}", "x")
        status, _ = await call(live, push, POST | {"id": str(n)})
        measure()
        return status

    calls: list[asyncio.Task[int]] = []
    for wave in range(4):
        calls += [asyncio.create_task(one(n)) for n in range(40 * wave, 40 * wave + 40)]
        while sum(not task.done() for task in calls) > AT_ONCE:
            await asyncio.sleep(0)
    await asyncio.gather(*calls[::3])
    measure()
    assert (answered <= AT_ONCE, queued <= QUEUED, own <= OWN_AT_ONCE) == (True, True, True)
    assert min(answered, queued, own) > 0
    live.store.on_write = None
    live.hub.feed = json_feed("old", "polled")
    poll = asyncio.create_task(live.ingest.poll(await live.again(feed)))
    stuck.set()
    assert (await poll).new == 1
    statuses = Counter(await asyncio.gather(*calls))
    assert set(statuses) <= {202, 404, 429, 503} and statuses[202] >= 1
    assert statuses[429] + statuses[503] >= 80
    floods = [event for event in logged if event["event"] == "push.flood"]
    assert len(floods) == 1, "a flood is told once a minute"
    assert (await call(live, hooks[0], POST))[0] == 202


async def test_one_caller_may_call_once_a_second_in_the_long_run(live: Live) -> None:
    _, push = await hook(live)
    statuses = [(await call(live, push, b"{"))[0] for _ in range(62)]
    assert Counter(statuses) == {400: 60, 429: 2}
    live.clock.advance(2)
    assert (await call(live, push, POST))[0] == 202


async def test_metrics_are_not_for_the_public_address(live: Live) -> None:
    paths = ("/metrics", "/healthz", "/readyz")
    assert [(await live.hub.call("GET", f"{PUBLIC}{path}"))[0] for path in paths] == [404] * 3
    inside = {"Host": "127.0.0.1"}
    answer = await raw(live, "GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n")
    assert b" 200 " in answer
    answer = await raw(live, "GET /metrics HTTP/1.1\nHost: bot.example.org:443\n\n")
    assert b" 404 " in answer
    assert (await live.hub.call("GET", f"{PUBLIC}/healthz", headers=inside))[0] == 404, "through a proxy"
