import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict

from content.errors import AddressRefused, FetchError, SourceError, Unreachable
from content.fetch import ServerBusy
from content.http import HttpFetcher
from content.secrets import printable
from content.types import Hints, Validators

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = (ip_network("127.0.0.0/8"),)
NOW = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
NONE = Validators()


class Names(AbstractResolver):
    """A DNS whose answers to each question are given beforehand, one after the other."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if not self.answers:
            raise OSError(f"no address for {host}")
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in address.split()
        ]

    async def close(self) -> None:
        pass


class Server:
    """A web server on the loopback interface that counts its requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[web.Request] = []

    def url(self, path: str = "/feed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    server = Server(0)

    async def remember(request: web.Request) -> web.StreamResponse:
        server.requests.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    fetcher = HttpFetcher(LOOPBACK, now=lambda: NOW)
    yield fetcher
    await fetcher.close()


def answering(status: int = 200, body: bytes = b"body", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return handler


class TestConditions:
    async def test_the_first_call_gives_the_body_and_its_validators(self, fetcher: HttpFetcher) -> None:
        handler = answering(
            ETag='"1"', Last_Modified="Tue, 14 Jul 2026 10:00:00 GMT", Content_Type="text/xml"
        )
        async with serving(handler) as server:
            fetched = await fetcher.fetch(server.url(), NONE)
        assert (fetched.body, fetched.content_type, fetched.url) == (b"body", "text/xml", server.url())
        assert fetched.validators.etag == '"1"'
        assert fetched.validators.last_modified == "Tue, 14 Jul 2026 10:00:00 GMT"
        assert fetched.validators.content_hash
        assert "If-None-Match" not in server.requests[0].headers

    async def test_validators_are_sent_and_304_is_nothing_new(self, fetcher: HttpFetcher) -> None:
        async with serving(answering(304)) as server:
            known = Validators('W/"x"', "Tue, 14 Jul 2026 10:00:00 GMT", "hash")
            assert (await fetcher.fetch(server.url(), known)).body is None
        sent = server.requests[0].headers
        assert sent["If-None-Match"] == 'W/"x"'
        assert sent["If-Modified-Since"] == "Tue, 14 Jul 2026 10:00:00 GMT"

    async def test_the_same_body_is_nothing_new_and_another_is(self, fetcher: HttpFetcher) -> None:
        bodies = iter((b"one", b"one", b"two"))

        async def handler(request: web.Request) -> web.Response:
            return web.Response(body=next(bodies))

        async with serving(handler) as server:
            first = await fetcher.fetch(server.url(), NONE)
            assert (await fetcher.fetch(server.url(), first.validators)).body is None
            assert (await fetcher.fetch(server.url(), first.validators)).body == b"two"

    @pytest.mark.parametrize("status", [200, 304])
    async def test_hints_come_with_a_new_and_with_an_unchanged_body(
        self, fetcher: HttpFetcher, status: int
    ) -> None:
        links = [("Link", '</hub>; rel="hub"'), ("Link", '</feed>; rel="self"')]
        headers = CIMultiDict([("Cache-Control", "public"), ("Cache-Control", "max-age=600"), *links])

        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=status, headers=headers)

        async with serving(handler) as server:
            fetched = await fetcher.fetch(server.url(), NONE)
        hub, topic = server.url("/hub"), server.url("/feed")
        assert fetched.hints == Hints(timedelta(minutes=10), hub, topic)


@asynccontextmanager
async def raw(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives this answer, byte by byte as it is, and keeps the requests."""
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed", requests


class TestHeadersAreData:
    @pytest.mark.parametrize(
        "value",
        [b'"caf\xe9"', b'"\xed\xa0\x80"', b'"a\x07b"', b'"' + b"x" * 2000 + b'"'],
        ids=["latin-1", "surrogate", "bell", "long"],
    )
    @pytest.mark.parametrize("name", [b"ETag", b"Last-Modified", b"Content-Type"])
    async def test_what_cannot_be_stored_or_is_too_long_counts_as_none(
        self, fetcher: HttpFetcher, name: bytes, value: bytes
    ) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n" + name + b": " + value
        async with raw(head + b"\r\n\r\nbody") as (url, requests):
            try:
                fetched = await fetcher.fetch(url, NONE)
            except FetchError:  # aiohttp takes some of them for no HTTP at all
                return
            kept = (fetched.validators.etag, fetched.validators.last_modified, fetched.content_type)
            assert kept == ("", "", "")
            await fetcher.fetch(url, fetched.validators)
        assert b"If-" not in requests[1]

    async def test_a_validator_in_utf_8_is_sent_back_as_it_came(self, fetcher: HttpFetcher) -> None:
        etag = '"天波"'.encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\nETag: " + etag
        async with raw(head + b"\r\n\r\nbody") as (url, requests):
            fetched = await fetcher.fetch(url, NONE)
            await fetcher.fetch(url, fetched.validators)
        assert b"If-None-Match: " + etag in requests[1]

    async def test_a_stored_validator_adds_no_header(self, fetcher: HttpFetcher) -> None:
        async with serving(answering()) as server:
            await fetcher.fetch(server.url(), Validators('"x"\r\nX-Other: 1', "\udce9"))
        assert not {"If-None-Match", "If-Modified-Since", "X-Other"} & set(server.requests[0].headers)


class TestBounds:
    @pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
    async def test_compressed_bodies_are_read(
        self, fetcher: HttpFetcher, name: str, pack: Callable[[bytes], bytes]
    ) -> None:
        async with serving(answering(body=pack(b"text" * 999), Content_Encoding=name)) as server:
            fetched = await fetcher.fetch(server.url(), NONE)
        assert fetched.body == b"text" * 999

    async def test_a_body_that_unpacks_to_too_much_is_cut_off(self) -> None:
        bomb = gzip.compress(bytes(50_000_000))
        fetcher = HttpFetcher(LOOPBACK, max_bytes=100_000)
        async with serving(answering(body=bomb, Content_Encoding="gzip")) as server:
            with pytest.raises(FetchError, match="larger than 97 KiB"):
                await fetcher.fetch(server.url(), NONE)
        await fetcher.close()

    async def test_a_body_without_end_is_cut_off(self) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 10_000)

        fetcher = HttpFetcher(LOOPBACK, max_bytes=100_000)
        async with serving(handler) as server:
            with pytest.raises(FetchError, match="larger than"):
                await fetcher.fetch(server.url(), NONE)
        await fetcher.close()

    async def test_a_server_that_does_not_answer_is_given_up(self) -> None:
        released = asyncio.Event()

        async def handler(request: web.Request) -> web.Response:
            await released.wait()
            return web.Response()

        fetcher = HttpFetcher(LOOPBACK, timeout=timedelta(milliseconds=50))
        async with serving(handler) as server:
            with pytest.raises(Unreachable, match=r"did not answer within 0\.05 s"):
                await fetcher.fetch(server.url(), NONE)
            released.set()
        await fetcher.close()

    async def test_a_broken_body_is_an_error(self, fetcher: HttpFetcher) -> None:
        async with serving(answering(body=b"not gzip", Content_Encoding="gzip")) as server:
            with pytest.raises(Unreachable, match="broke off"):
                await fetcher.fetch(server.url(), NONE)


def redirecting(target: str, status: int = 302) -> Handler:
    """Answers `/end` with a body and every other path with a redirect to `target`."""

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/end":
            return web.Response(body=b"end")
        return web.Response(status=status, headers={"Location": target})

    return handler


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_are_followed_and_the_last_url_is_told(self, fetcher: HttpFetcher, status: int) -> None:
        async with serving(redirecting("/end", status)) as server:
            fetched = await fetcher.fetch(server.url(), NONE)
        assert (fetched.url, fetched.body) == (server.url("/end"), b"end")

    @pytest.mark.parametrize(
        ("statuses", "moved"),
        [
            ((301,), "/1"),
            ((308, 301), "/2"),
            ((301, 302, 301), "/1"),  # what comes after a redirect for now is not for good
            ((302,), ""),
            ((307, 308), ""),
        ],
    )
    @pytest.mark.parametrize("last", [200, 304])
    async def test_for_good_are_told_whether_or_not_anything_is_new(
        self, fetcher: HttpFetcher, statuses: tuple[int, ...], moved: str, last: int
    ) -> None:
        async def handler(request: web.Request) -> web.Response:
            hop = int(request.path.strip("/"))
            if hop == len(statuses):
                return web.Response(status=last, body=b"end" if last == 200 else b"")
            return web.Response(status=statuses[hop], headers={"Location": f"/{hop + 1}"})

        async with serving(handler) as server:
            fetched = await fetcher.fetch(server.url("/0"), Validators(etag='"1"'))
        assert fetched.moved == (server.url(moved) if moved else "")
        assert fetched.body == (b"end" if last == 200 else None)

    async def test_end_after_five(self, fetcher: HttpFetcher) -> None:
        async with serving(redirecting("/again")) as server:
            with pytest.raises(FetchError, match="redirects more than 5 times"):
                await fetcher.fetch(server.url(), NONE)
        assert len(server.requests) == 6

    @pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "javascript:x"])
    async def test_to_another_scheme_are_refused(self, fetcher: HttpFetcher, target: str) -> None:
        async with serving(redirecting(target)) as server:
            with pytest.raises(FetchError, match="not an http or https URL"):
                await fetcher.fetch(server.url(), NONE)

    @pytest.mark.parametrize(
        "target", ["http://10.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]/"]
    )
    async def test_to_a_private_address_are_refused(self, fetcher: HttpFetcher, target: str) -> None:
        async with serving(redirecting(target)) as server:
            with pytest.raises(AddressRefused):
                await fetcher.fetch(server.url(), NONE)


class TestGuard:
    """Each URL leads to a server that would answer: only the guard keeps the request from it."""

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "0", "[::ffff:127.0.0.1]"]
    )
    async def test_every_way_to_write_loopback_is_refused(self, host: str) -> None:
        fetcher = HttpFetcher()
        async with serving(answering()) as server:
            with pytest.raises(SourceError) as caught:
                await fetcher.fetch(f"http://{host}:{server.port}/", NONE)
        await fetcher.close()
        assert server.requests == []
        if isinstance(caught.value, AddressRefused):
            assert "SKYWAVE_ALLOWED_NETWORKS" in str(caught.value)

    @pytest.mark.parametrize("addresses", ["127.0.0.1", "127.0.0.1 127.0.0.2"])
    async def test_a_name_of_private_addresses_is_refused(self, addresses: str) -> None:
        fetcher = HttpFetcher(resolver=Names(addresses))
        async with serving(answering()) as server:
            with pytest.raises(AddressRefused, match=r"feed\.example: .*SKYWAVE_ALLOWED_NETWORKS"):
                await fetcher.fetch(f"http://feed.example:{server.port}/", NONE)
        await fetcher.close()
        assert server.requests == []

    async def test_a_name_that_changes_its_address_is_refused_at_the_second(self) -> None:
        """The first answer may be reached; the second, which a redirect's connection asks for, may not."""
        names = Names("127.0.0.1", "127.0.0.2")
        fetcher = HttpFetcher([ip_network("127.0.0.1/32")], resolver=names)
        async with serving(answering()) as other:
            target = f"http://b.example:{other.port}/end"
            async with serving(redirecting(target)) as server:
                with pytest.raises(AddressRefused, match=r"b\.example"):
                    await fetcher.fetch(f"http://a.example:{server.port}/", NONE)
        await fetcher.close()
        assert names.asked == ["a.example", "b.example"]
        assert other.requests == []

    async def test_of_several_addresses_only_the_allowed_ones_are_used(self) -> None:
        fetcher = HttpFetcher([ip_network("127.0.0.1/32")], resolver=Names("127.0.0.2 127.0.0.1"))
        async with serving(answering()) as server:
            assert (await fetcher.fetch(f"http://feed.example:{server.port}/", NONE)).body
        await fetcher.close()

    async def test_the_environment_names_no_proxy(
        self, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        async with serving(answering()) as server:
            assert (await fetcher.fetch(server.url(), NONE)).body


class TestPost:
    async def test_sends_the_body_and_takes_any_success(self, fetcher: HttpFetcher) -> None:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=202, body=await request.read(), content_type="application/x-answer")

        async with serving(handler) as server:
            answer = await fetcher.ask(
                server.url(), {"Content-Type": "application/x-form", "Accept": "application/x-x"}, b"a=b"
            )
        assert (answer.body, answer.content_type) == (b"a=b", "application/x-answer")
        (asked,) = server.requests
        assert (asked.method, asked.content_type, asked.headers["Accept"]) == (
            "POST",
            "application/x-form",
            "application/x-x",
        )

    @pytest.mark.parametrize(("status", "posted"), [(307, True), (308, True), (301, False), (303, False)])
    async def test_only_redirects_that_keep_the_method_are_followed(
        self, fetcher: HttpFetcher, status: int, posted: bool
    ) -> None:
        async with serving(redirecting("/end", status)) as server:
            if posted:
                assert (await fetcher.ask(server.url(), {}, b"x")).body == b"end"
            else:
                with pytest.raises(FetchError, match=f"answered {status}"):
                    await fetcher.ask(server.url(), {}, b"x")
        assert [request.path for request in server.requests] == ["/feed", "/end"][: 1 + posted]

    @pytest.mark.parametrize("target", ["http://10.0.0.1/x", "http://[::1]/", "file:///etc/passwd"])
    async def test_a_redirect_that_leads_inside_is_refused(self, fetcher: HttpFetcher, target: str) -> None:
        async with serving(redirecting(target, 307)) as server:
            with pytest.raises(SourceError, match=r"not a public address|not an http or https"):
                await fetcher.ask(server.url(), {}, b"x")

    async def test_has_the_guard_and_the_limits_of_a_fetch(self) -> None:
        guarded, small = HttpFetcher(), HttpFetcher(LOOPBACK)
        async with serving(answering(body=bytes(2_000))) as server:
            with pytest.raises(AddressRefused):
                await guarded.ask(server.url(), {}, b"x")
            assert server.requests == []
            with pytest.raises(FetchError, match="larger than"):
                await small.ask(server.url(), {}, b"x", max_bytes=1_000)
        await guarded.close()
        await small.close()

    async def test_a_refusal_is_an_error(self, fetcher: HttpFetcher) -> None:
        async with serving(answering(429, Retry_After="60")) as server:
            with pytest.raises(ServerBusy) as caught:
                await fetcher.ask(server.url(), {}, b"x")
        assert caught.value.retry_after == timedelta(minutes=1)


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (404, "answered 404: check the address"),
            (403, "answered 403: access is refused"),
            (410, "answered 410: it is gone for good"),
            (500, "answered 500: the server has a problem"),
            (204, "answered 204"),
        ],
    )
    async def test_a_refusal_names_the_url_the_status_and_the_next_step(
        self, fetcher: HttpFetcher, status: int, words: str
    ) -> None:
        async with serving(answering(status)) as server:
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(server.url("/feed?token=secret"), NONE)
        assert str(caught.value).startswith(server.url("/feed?…"))
        assert words in str(caught.value) and "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("value", "wait"),
        [
            ("120", timedelta(minutes=2)),
            ("Tue, 14 Jul 2026 10:05:00 GMT", timedelta(minutes=5)),
            ("Tue, 14 Jul 2026 09:00:00 GMT", timedelta()),
            ("99999999999999999999", timedelta(days=1)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
            ("Mon, 01 Jan 0001 00:00:00 GMT", timedelta()),
            ("0", timedelta()),
        ],
    )
    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    async def test_a_busy_server_says_how_long(
        self, fetcher: HttpFetcher, status: int, value: str, wait: timedelta
    ) -> None:
        async with serving(answering(status, Retry_After=value)) as server:
            with pytest.raises(ServerBusy) as caught:
                await fetcher.fetch(server.url(), NONE)
        assert caught.value.retry_after == wait

    @pytest.mark.parametrize("value", ["soon", "", "-5", "nan", "1e3", "Tue, 99 Foo 2026"])
    async def test_a_busy_server_that_says_no_time_is_just_busy(
        self, fetcher: HttpFetcher, value: str
    ) -> None:
        async with serving(answering(429, Retry_After=value)) as server:
            with pytest.raises(ServerBusy) as caught:
                await fetcher.fetch(server.url(), NONE)
        assert caught.value.retry_after is None

    async def test_no_server_there(self, fetcher: HttpFetcher) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(Unreachable, match="cannot connect to"):
            await fetcher.fetch(f"http://127.0.0.1:{port}/", NONE)

    async def test_no_such_name(self) -> None:
        fetcher = HttpFetcher(resolver=Names())
        with pytest.raises(Unreachable, match=r"no address is known for feed\.example"):
            await fetcher.fetch("http://feed.example/", NONE)
        await fetcher.close()

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "http://", "http://[x", "http://a b/", "http://e.org:99999/"]
    )
    async def test_what_is_no_web_url(self, fetcher: HttpFetcher, url: str) -> None:
        with pytest.raises(FetchError, match=r"(is not|not a usable)"):
            await fetcher.fetch(url, NONE)

    def test_secrets_are_not_printed(self) -> None:
        assert printable("https://me:pass@e.org:8/f?key=1#x") == "https://e.org:8/f?…"

    async def test_an_error_names_no_secret(self, fetcher: HttpFetcher) -> None:
        async with serving(answering(404)) as server:
            secret = server.url("/private/3f9a8b7c6d5e4f30/rss?k=hunter2").replace("//", "//me:hunter3@")
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(secret, NONE)
        assert server.requests and server.url("/private/…/rss?…") in str(caught.value)
        assert not [word for word in ("3f9a8b", "hunter") if word in str(caught.value)]
