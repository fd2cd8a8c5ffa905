"""What hostile feeds and files hold, and that it costs nobody anything. A hang is ended by the time limit."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from content import bounds
from content.changes import MAX_GUID_BYTES
from content.clean import MAX_HTML_BYTES, sanitise
from content.errors import FetchError, SourceError
from content.fetch import Fetched
from content.markdown import markdown_to_html
from content.sources import markdown
from content.sources.feed import FeedKind, parse_feed
from content.sources.kinds import ReadContext
from content.sources.markdown import MarkdownKind
from content.types import NO_OPTIONS, ParsedPost, ParsedSource, Validators
from tests.fakes import FakeFetcher

URL = "https://example.org/feed.xml"
pytestmark = pytest.mark.timeout(60)


def rss(inside: str, head: str = "") -> bytes:
    return f"{head}<rss><channel><title>t</title>{inside}</channel></rss>".encode()


class OneBody(FakeFetcher):
    """A fetcher of one body."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        return Fetched(url, self._body, "text/xml", Validators())


def read_feed(body: bytes, max_posts: int = 500) -> ParsedSource:
    context = ReadContext(OneBody(body), max_posts=max_posts)
    parsed = asyncio.run(FeedKind().read(URL, NO_OPTIONS, Validators(), context)).parsed
    assert parsed is not None
    return parsed


def read_folder(folder: Path, max_posts: int = 500) -> ParsedSource:
    context = ReadContext(OneBody(b""), max_posts=max_posts)
    parsed = asyncio.run(MarkdownKind().read(str(folder), NO_OPTIONS, Validators(), context)).parsed
    assert parsed is not None
    return parsed


class TestPatterns:
    """Each of these took minutes to hours."""

    def test_declarations_without_an_end(self) -> None:
        assert parse_feed(b"<rss>" + b"<?xml" * 500_000, "", URL).posts == ()

    def test_an_author_that_never_ends(self) -> None:
        for name in ("a." * 200_000, "a" * 400_000):
            author = parse_feed(rss(f"<item><author>{name}</author></item>"), "", URL).posts[0].author
            assert len(author) <= bounds.MAX_NAME

    def test_a_run_of_ampersands(self) -> None:
        (post,) = parse_feed(rss("<item><title>" + "&" * 1_000_000 + "</title></item>"), "", URL).posts
        assert len(post.title) <= bounds.MAX_TITLE

    def test_comments_without_an_end(self) -> None:
        with pytest.raises(SourceError):
            parse_feed(b"<!--" * 500_000, "", URL)

    @pytest.mark.parametrize("piece", ["<!DOCTYPE a [", "<!--", "\"'", "<!ENTITY a '", "<!ENTITY ", " "])
    def test_a_doctype_without_an_end(self, piece: str) -> None:
        with pytest.raises(SourceError):
            parse_feed(("<!DOCTYPE a [" + piece * 200_000).encode(), "", URL)
        with pytest.raises(SourceError):
            parse_feed(("<!DOCTYPE " + piece * 200_000).encode(), "", URL)

    @pytest.mark.parametrize("piece", ["<![CDATA[", "<!--", "&#", "&#1", "&a"])
    def test_references_without_an_end(self, piece: str) -> None:
        assert parse_feed(("<rss>" + piece * 200_000).encode(), "", URL).posts == ()

    def test_attributes_of_one_tag(self) -> None:
        names = " ".join(f"a{number}" for number in range(40_000))
        for tag in (f"<p {names}>x", f"<p {names.replace(' ', '/')}>x", f'<p b=">" {names}>x'):
            assert len(sanitise(tag)) < 2 * len(tag)

    def test_a_picture_within_its_address_has_no_attributes(self) -> None:
        picture = f'<img src="data:image/png;base64,{"ab/+" * 10_000}" alt="a b">after'
        assert sanitise(picture) == '<img alt="a b">after'

    def test_references_of_markdown(self) -> None:
        html = markdown_to_html("[a]: https://e.org/" + "x" * 70_000 + "\n\n" + "[a] " * 17_000)
        assert len(html) < 1_000_000
        assert len(markdown_to_html("[^a]" * 20_000 + "\n\n[^a]: note")) < 1_000_000


class TestFeeds:
    def test_a_declared_utf_16_without_a_mark(self) -> None:
        body = rss("<item><title>x</title></item>", '<?xml version="1.0" encoding="utf-16"?>')
        assert parse_feed(body, "", URL).posts[0].title == "x"
        wide = body.decode().encode("utf-16-be")
        assert parse_feed(wide, "text/xml; charset=utf-16", URL).posts[0].title == "x"

    def test_what_a_parser_does_not_expect(self) -> None:
        with pytest.raises(SourceError, match=r"example\.org"):
            asyncio.run(ReadContext(OneBody(b"")).parse(URL, dict[str, str]().__getitem__, "a feed"))

    @pytest.mark.parametrize("kind", ["rss", "json"])
    def test_of_many_posts_the_newest_are_kept(self, kind: str) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        dates = [(start + timedelta(days=number % 37, seconds=number)).isoformat() for number in range(200)]
        items = "".join(f"<item><guid>{d}</guid><pubDate>{d}</pubDate></item>" for d in dates)
        objects = ",".join(f'{{"id":"{d}","date_published":"{d}"}}' for d in dates)
        body = rss(items) if kind == "rss" else f'{{"items":[{objects}]}}'.encode()
        parsed = read_feed(body, max_posts=30)
        assert {post.guid for post in parsed.posts} == set(sorted(dates)[-30:])
        assert [post.guid for post in parsed.posts] == [d for d in dates if d in set(sorted(dates)[-30:])]
        assert parsed.total == 200

    def test_of_very_many_posts_only_the_first_are_looked_at(self) -> None:
        parsed = read_feed(rss("<item><title>x</title></item>" * 30_000), max_posts=5)
        assert (len(parsed.posts), parsed.total, parsed.failures) == (5, 30_000, ())

    def test_what_comes_back_has_bounds(self) -> None:
        long = "x" * 100_000
        tags = "".join(f"<category>{long}{number}</category>" for number in range(60))
        links = f"https://example.org/{long}"
        inside = f"<guid>{long}</guid><title>{long}</title><link>{links}</link>{tags}"
        content = f"<description>{'&lt;p&gt;' + long * 8}</description>"
        (post,) = read_feed(rss(f"<item>{inside}{content}</item>")).posts
        assert len(post.guid) <= MAX_GUID_BYTES and len(post.title) <= bounds.MAX_TITLE
        assert post.url == "" and len(post.tags) <= bounds.MAX_TAGS
        assert len(post.html.encode()) <= MAX_HTML_BYTES and len(post.summary) <= bounds.MAX_SUMMARY

    def test_all_posts_together_have_a_bound(self) -> None:
        posts = tuple(ParsedPost(guid=str(number), html="x" * 500_000) for number in range(100))
        found = bounds.bounded(ParsedSource(posts=posts), 100)
        assert sum(len(post.html) for post in found.posts) <= bounds.MAX_READ
        assert found.total == 100 and found.posts[0].guid == "0"


GOOD = "---\ntitle: good\n---\ntext"


class TestFolders:
    @pytest.mark.parametrize(
        "fields",
        [
            "a: " + "[" * 30_000,
            "- " * 30_000,
            "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 9)),
            "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{f'*a{n - 1},' * 9}]}}\n" for n in range(1, 9)),
            "a: &a [*a]",
            "title: [" + "1:" * 300 + "1.5]",
            "x: " + "y" * 100_000,
        ],
        ids=["flow", "block", "aliases", "merges", "endless", "sexagesimal", "long"],
    )
    def test_front_matter_that_explodes_costs_its_file_only(self, tmp_path: Path, fields: str) -> None:
        (tmp_path / "bad.md").write_text(f"---\n{fields}\n---\ntext")
        (tmp_path / "good.md").write_text(GOOD)
        parsed = read_folder(tmp_path)
        assert [post.title for post in parsed.posts] == ["good"]
        assert [failure.name for failure in parsed.failures] == ["bad.md"]

    @pytest.mark.parametrize("fields", ["---\ntitle: 0x{}\n---", "+++\ntitle = 0x{}\n+++"])
    def test_a_number_of_thousands_of_digits(self, tmp_path: Path, fields: str) -> None:
        (tmp_path / "bad.md").write_text(fields.format("f" * 5000) + "\ntext")
        (tmp_path / "good.md").write_text(GOOD)
        assert {post.title for post in read_folder(tmp_path).posts} == {"", "good"}

    def test_links_that_leave_the_folder_are_not_followed(self, tmp_path: Path) -> None:
        folder, outside = tmp_path / "folder", tmp_path / "outside"
        for place in (folder, outside):
            place.mkdir()
            (place / f"{place.name}.md").write_text(GOOD)
        (folder / "secret.md").symlink_to(outside / "outside.md")
        (folder / "twin.md").symlink_to(folder / "folder.md")
        (folder / "loop.md").symlink_to(folder / "loop.md")
        (folder / "below").symlink_to(outside, target_is_directory=True)
        assert {post.guid for post in read_folder(folder).posts} == {"folder", "twin"}

    def test_a_file_that_became_a_link_since_it_was_listed_is_not_read(self, tmp_path: Path) -> None:
        folder, outside = tmp_path / "folder", tmp_path / "secret.md"
        folder.mkdir()
        outside.write_text(GOOD)
        (folder / "a.md").write_text("harmless")
        files = markdown._files(folder)
        (folder / "a.md").unlink()
        (folder / "a.md").symlink_to(outside)
        parsed = markdown.parse_folder(folder, files)
        assert parsed.posts == () and len(parsed.failures) == 1

    def test_devices_and_pipes_are_not_read(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.md")
        (tmp_path / "zero.md").symlink_to("/dev/zero")
        (tmp_path / "good.md").write_text(GOOD)
        assert [post.guid for post in read_folder(tmp_path).posts] == ["good"]

    def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(self, tmp_path: Path) -> None:
        path = tmp_path / "a.md"
        path.write_text(GOOD)
        files = markdown._files(tmp_path)
        path.unlink()
        os.mkfifo(path)
        assert markdown.parse_folder(tmp_path, files).posts == ()

    def test_files_and_folders_have_bounds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        deep = tmp_path.joinpath(*"abcdefghijklmnopqrstuvwxyz")
        deep.mkdir(parents=True)
        (deep / "deep.md").write_text(GOOD)
        (tmp_path / "a.md").write_text(GOOD)
        (tmp_path / "b.md").write_text(GOOD)
        parsed = read_folder(tmp_path, max_posts=1)
        assert (len(parsed.posts), parsed.total) == (1, 2)
        monkeypatch.setattr(markdown, "MAX_TOTAL", 10)
        with pytest.raises(SourceError, match="split it"):
            read_folder(tmp_path)
        monkeypatch.setattr(markdown, "MAX_FILES", 2)
        with pytest.raises(FetchError, match="smaller folder"):
            read_folder(tmp_path)
