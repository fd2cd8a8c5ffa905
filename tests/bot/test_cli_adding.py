"""Adding many sources at once: read side by side, and kept where their servers are busy or silent."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from content.opml import parse_opml
from tests.emulators.sites import alternate, page

Skywave = Callable[..., Result]

FEED = b'{"version": "https://jsonfeed.org/version/1.1", "title": "Radio", "items": []}'


class Feeds(ThreadingHTTPServer):
    """Paths are statuses; `/together/` answers 200 once two requests are there, else 404.

    `pages` are answered as they are.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.two = threading.Barrier(2)
        self.pages: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Feeds

    def do_GET(self) -> None:
        _, first, *_ = self.path.split("/")
        page = self.server.pages.get(self.path)
        status = 200 if page else self._together() if first == "together" else int(first)
        self.send_response(status)
        self.send_header("Content-Length", str(len(page or FEED)))
        self.end_headers()
        self.wfile.write(page or FEED)

    def _together(self) -> int:
        try:
            self.server.two.wait(timeout=5)
        except threading.BrokenBarrierError:
            return 404
        return 200

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    with Feeds() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def skywave(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Skywave:
    """`skywave WORDS` on a database of its own."""
    monkeypatch.setenv("SKYWAVE_ALLOWED_NETWORKS", "127.0.0.0/8")
    return lambda *words, **given: CliRunner().invoke(app, words, **given)


def stored(skywave: Skywave) -> dict[str, int]:
    """How often each source has failed."""
    return {one["url"]: one["failures"] for one in json.loads(skywave("sources", "list", "--json").stdout)}


def test_sources_are_read_side_by_side(skywave: Skywave, feeds: Feeds) -> None:
    urls = [f"{feeds.url}/together/{name}" for name in ("a", "b")]
    assert skywave("sources", "add", *urls).exit_code == 0
    assert stored(skywave) == dict.fromkeys(urls, 0)


def test_a_list_goes_through_a_pipe(
    skywave: Skywave, feeds: Feeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"{feeds.url}/200/{name}" for name in ("a", "b")]
    assert skywave("sources", "add", *urls, f"{feeds.url}/200/c?token=hunter").exit_code == 0
    written = skywave("sources", "export", "-")
    assert "1 feed left out" in written.stderr and set(parse_opml(written.stdout_bytes)) == set(urls)
    assert list(tmp_path.glob("-")) == []
    monkeypatch.setenv("SKYWAVE_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    result = skywave("sources", "import", "-", input=written.stdout_bytes)
    assert result.exit_code == 0 and set(stored(skywave)) == set(urls)


def test_the_folders_of_a_list_are_kept(skywave: Skywave, feeds: Feeds) -> None:
    url = f"{feeds.url}/200/feed"
    for folder in ("Radio", "Friends"):
        outline = f'<outline text="{folder}"><outline type="rss" xmlUrl="{url}"/></outline>'
        given = f'<opml version="2.0"><body>{outline}</body></opml>'
        assert skywave("sources", "import", "-", input=given).exit_code == 0
    (source,) = json.loads(skywave("sources", "list", "--json").stdout)
    assert source["tags"] == ["Radio", "Friends"]
    assert "Friends]" in skywave("sources", "list").stdout
    assert parse_opml(skywave("sources", "export", "-").stdout_bytes) == {url: ("Radio", "Friends")}


def test_a_list_keeps_what_fails_for_a_passing_reason_and_names_what_was_refused(
    skywave: Skywave, feeds: Feeds
) -> None:
    good, busy, broken, wrong = (f"{feeds.url}/{status}/feed" for status in (200, 503, 502, 404))
    outlines = "".join(f'<outline type="rss" xmlUrl="{url}"/>' for url in (wrong, busy, good, broken))
    Path("list.opml").write_text(f'<opml version="2.0"><body>{outlines}</body></opml>')
    result = skywave("sources", "import", "list.opml")
    assert stored(skywave) == {good: 0, busy: 1, broken: 1}
    assert result.exit_code == 1 and f"not added: {wrong} answered 404" in result.stderr
    assert "1 source read, 2 added and tried again later, 1 not added" in result.stdout


def test_the_options_of_a_known_source_stay_until_they_are_set(skywave: Skywave, feeds: Feeds) -> None:
    url = f"{feeds.url}/200/feed"
    assert skywave("sources", "add", url, "--full-text").exit_code == 0
    again = skywave("sources", "add", url, "--option", "full-text=no")
    assert "it is read as before: to change that, skywave sources set 1 full-text=no" in again.stdout
    assert "read as before" not in skywave("sources", "add", url, "--full-text").stdout
    assert _options(skywave) == {"full-text": True}
    assert skywave("sources", "set", "1", "full-text=no").exit_code == 0
    assert _options(skywave) == {}
    refused = skywave("sources", "set", "1", "colour=red")
    assert refused.exit_code == 2 and "a feed source has no option colour" in refused.stderr


def _options(skywave: Skywave) -> object:
    (source,) = json.loads(skywave("sources", "list", "--json").stdout)
    return source["options"]["values"]


def test_a_page_leads_to_its_feed_or_to_a_command_for_each(skywave: Skywave, feeds: Feeds) -> None:
    feeds.pages["/one"] = page(alternate("/200/blog")).encode()
    feeds.pages["/two"] = page(alternate("/200/a?x=1&y=2", "News; rm -rf"), alternate("/200/b")).encode()
    one, two = f"{feeds.url}/one", f"{feeds.url}/two"
    added = skywave("sources", "add", one, two)
    assert added.exit_code == 1
    assert (
        f"Added “Radio” (0 existing posts; new ones will be sent)\n  read from {feeds.url}/200/blog\n"
        in added.stdout
    )
    assert f"skywave: not added: {two} names 2 feeds: add one of them\n  News; rm -rf\n" in added.stderr
    # Each command is a line that a shell takes as it is.
    for feed in (f"'{feeds.url}/200/a?x=1&y=2'", f"{feeds.url}/200/b"):
        assert f"\n    skywave sources add {feed}\n" in added.stderr
    checked = skywave("sources", "check", one)
    assert checked.exit_code == 0 and f"{one} leads to {feeds.url}/200/blog" in checked.stderr
