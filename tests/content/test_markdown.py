import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from content.errors import FetchError, UsageError
from content.fetch import Fetched
from content.sources import ReadContext, kind_of, normalise
from content.sources.markdown import MAX_BYTES, MarkdownKind
from content.types import NO_OPTIONS, Media, ParsedPost, ParsedSource, Validators
from tests.fakes import FakeFetcher


class NoNetwork(FakeFetcher):
    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        raise AssertionError(f"a folder needs no network: {url}")


CONTEXT = ReadContext(NoNetwork())


def read(folder: Path) -> ParsedSource:
    parsed = asyncio.run(MarkdownKind().read(str(folder), NO_OPTIONS, Validators(), CONTEXT)).parsed
    assert parsed is not None
    return parsed


def post_of(folder: Path, text: str | bytes, name: str = "a.md") -> ParsedPost:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (post,) = read(folder).posts
    return post


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_folder_says_which_posts_it_has(tmp_path: Path) -> None:
    for name, content in (("a.md", "x"), ("b/c.md", "x"), ("draft.md", "---\ndraft: true\n---\nx")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "broken.md").write_bytes(b"\xff\xff")
    assert set(read(tmp_path).present or ()) == {"a", "b/c", "broken"}


class TestFields:
    def test_of_yaml(self, tmp_path: Path) -> None:
        text = (
            "---\ntitle: 微调 笔记\ndate: 2026-07-14T10:00:00+08:00\nlastmod: 2026-07-15\n"
            "author: Ann\ntags: [LoRA, 微调]\ncategories: notes, LoRA\ndescription: Short.\n"
            "url: https://example.org/a\n---\n\nHello **you** [b](b.html) ![p](/p.png)\n"
        )
        assert post_of(tmp_path, text) == ParsedPost(
            guid="a",
            url="https://example.org/a",
            title="微调 笔记",
            author="Ann",
            published_at=utc(2026, 7, 14, 2),
            updated_at=utc(2026, 7, 15),
            html='<p>Hello <strong>you</strong> <a href="https://example.org/b.html">b</a> '
            '<img src="https://example.org/p.png" alt="p"></p>',
            summary="Short.",
            tags=("LoRA", "微调", "notes"),
            media=(Media("https://example.org/p.png", "image/*", "p"),),
        )

    def test_of_toml(self, tmp_path: Path) -> None:
        text = '+++\ntitle = "T"\ndate = 2026-07-14T10:00:00Z\ntags = ["x"]\nslug = "not-a-url"\n+++\nBody\n'
        post = post_of(tmp_path, text)
        assert (post.title, post.published_at, post.tags, post.url, post.html) == (
            *("T", utc(2026, 7, 14, 10), ("x",), ""),
            "<p>Body</p>",
        )

    @pytest.mark.parametrize(
        "written",
        [
            *(
                "2026-07-14",
                "2026-07-14 00:00:00",
                "'2026-07-14T00:00:00'",
                "'2026-07-14 00:00'",
                "2026/07/14",
            ),
            *("2026-07-14 08:00:00 +0800", "2026-07-14T08:00:00+08:00", "July 14, 2026", "14 Jul 2026"),
            *("2026年7月14日", "Tue, 14 Jul 2026 00:00:00 GMT"),
        ],
    )
    def test_dates_as_people_write_them(self, tmp_path: Path, written: str) -> None:
        assert post_of(tmp_path, f"---\ndate: {written}\n---\nx").published_at == utc(2026, 7, 14)

    @pytest.mark.parametrize("fields", ["draft: true", "published: false"])
    def test_drafts_are_left_out(self, tmp_path: Path, fields: str) -> None:
        (tmp_path / "a.md").write_text(f"---\n{fields}\n---\nx")
        assert read(tmp_path) == ParsedSource(title=tmp_path.name)

    def test_wrong_types_count_as_absent(self, tmp_path: Path) -> None:
        post = post_of(tmp_path, "---\ntitle: [a]\ntags: {x: 1}\nauthor: true\ndate: soon\n---\nx")
        assert (post.title, post.tags, post.author) == ("", (), "")


class TestTitlesAndNames:
    @pytest.mark.parametrize("heading", ["# A *b* & c #\n", "\n# A *b* & c\n", "A *b* & c\n===\n"])
    def test_a_heading_at_the_start_is_the_title_and_not_repeated(self, tmp_path: Path, heading: str) -> None:
        post = post_of(tmp_path, f"{heading}\ntext")
        assert (post.title, post.html) == ("A b & c", "<p>text</p>")

    def test_a_heading_below_a_title_stays(self, tmp_path: Path) -> None:
        assert post_of(tmp_path, "---\ntitle: T\n---\n# H\n").html == "<h1>H</h1>"

    def test_a_text_without_heading_has_no_title(self, tmp_path: Path) -> None:
        post = post_of(tmp_path, "#hashtag\n\n## second\n")
        assert (post.title, post.html) == ("", "<p>#hashtag</p>\n<h2>second</h2>")

    @pytest.mark.parametrize(
        "name", ["2026-07-14-some-name.md", "2026-07-14-bundle/index.md", "2026-07-14.md"]
    )
    def test_a_name_may_begin_with_the_date(self, tmp_path: Path, name: str) -> None:
        post = post_of(tmp_path, "x", name)
        assert (post.published_at, post.guid) == (utc(2026, 7, 14), name.removesuffix(".md"))

    def test_else_the_date_is_that_of_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "值守.markdown"
        path.parent.mkdir()
        path.write_text("x")
        os.utime(path, (1_784_000_000, 1_784_000_000))
        (post,) = read(tmp_path).posts
        assert (post.guid, post.published_at) == ("deep/值守", datetime.fromtimestamp(1_784_000_000, UTC))

    def test_what_is_no_post_is_left_out(self, tmp_path: Path) -> None:
        for name in (
            "README.md",
            ".a.md",
            "_index.md",
            "a.txt",
            ".git/b.md",
            "_drafts/c.md",
            "sub/readme.md",
        ):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        assert post_of(tmp_path, "y", "kept.md").guid == "kept"

    def test_the_newest_comes_first(self, tmp_path: Path) -> None:
        for name in ("2026-01-01-a.md", "2026-03-01-b.md", "2026-02-01-c.md"):
            (tmp_path / name).write_text("x")
        assert [post.guid[-1] for post in read(tmp_path).posts] == ["b", "c", "a"]


class TestText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_of_several_encodings(self, tmp_path: Path, encoding: str) -> None:
        post = post_of(tmp_path, "---\r\ntitle: 标题\r\n---\r\n正文内容".encode(encoding))
        assert (post.title, post.html) == ("标题", "<p>正文内容</p>")

    def test_html_in_it_is_sanitised(self, tmp_path: Path) -> None:
        html = post_of(tmp_path, "a <script>x</script> <b onclick=x>b</b>\n\n~~c~~\n").html
        assert html == "<p>a  <b>b</b></p>\n<p><s>c</s></p>"

    def test_a_rule_at_the_start_is_no_front_matter(self, tmp_path: Path) -> None:
        assert post_of(tmp_path, "---\nJust text\n\n---\nmore").html.count("hr") == 2


class TestFailures:
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"---\ntitle: a\nx: [1\n---\ntext", "line 4: "),
            (b"---\ntitle: 'a\n---\ntext", "fix the YAML front matter"),
            (b"---\ntitle: a\ndate: 2026-13-45\n---\ntext", "the YAML front matter is broken (month"),
            (b"---\ntitle: a\n\ntext", "line 1: the front matter has no closing ---"),
            (b'+++\ntitle = "a"\nx = \n+++\ntext', "line 3: "),
            (b"one\ntwo \xff\xff\n", "line 2 is not UTF-8"),
            (b"x" * (MAX_BYTES + 1), "is larger than 2048 KiB"),
        ],
    )
    def test_of_one_file_names_it_and_the_line_and_spares_the_others(
        self, tmp_path: Path, body: bytes, reason: str
    ) -> None:
        (tmp_path / "bad.md").write_bytes(body)
        (tmp_path / "good.md").write_text("x")
        parsed = read(tmp_path)
        assert [post.guid for post in parsed.posts] == ["good"]
        (failure,) = parsed.failures
        assert failure.name == "bad.md"
        assert reason in failure.reason and "\n" not in failure.reason

    @pytest.mark.parametrize("name", ["missing", "file.md"])
    def test_no_such_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file.md").write_text("x")
        with pytest.raises(FetchError, match="is not a folder that can be read: check the path"):
            read(tmp_path / name)


async def test_an_unchanged_folder_is_not_parsed_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    kind = MarkdownKind()
    first = await kind.read(str(tmp_path), NO_OPTIONS, Validators(), CONTEXT)
    assert (await kind.read(str(tmp_path), NO_OPTIONS, first.validators, CONTEXT)).parsed is None
    (tmp_path / "a.md").write_text("longer")
    second = await kind.read(str(tmp_path), NO_OPTIONS, first.validators, CONTEXT)
    assert second.parsed is not None
    (tmp_path / "b.md").write_text("new")
    assert (await kind.read(str(tmp_path), NO_OPTIONS, second.validators, CONTEXT)).parsed is not None


class TestRegistry:
    @pytest.mark.parametrize(
        ("url", "kind", "stored"),
        [
            ("https://Example.org/Feed?a=B#top", "feed", "https://example.org/Feed?a=B"),
            (" example.org/feed.xml ", "feed", "https://example.org/feed.xml"),
            ("localhost:8000/feed", "feed", "https://localhost:8000/feed"),
            ("feed://example.org/a", "feed", "https://example.org/a"),
            ("feed:https://example.org/a", "feed", "https://example.org/a"),
            ("http://127.0.0.1:8/x", "feed", "http://127.0.0.1:8/x"),
            ("/srv/posts/../a b", "markdown", "/srv/a b"),
            ("file:///srv/a%20b", "markdown", "/srv/a b"),
        ],
    )
    def test_a_url_names_its_kind(self, url: str, kind: str, stored: str) -> None:
        assert kind_of(url).name == kind
        assert normalise(url) == stored
        assert normalise(stored) == stored

    def test_paths_become_absolute(self) -> None:
        assert normalise("./posts") == str(Path.cwd() / "posts")
        assert normalise("~/posts") == str(Path.home() / "posts")
        assert kind_of("tests").name == "markdown"

    @pytest.mark.parametrize("url", ["", "  ", "ftp://example.org/", "javascript:x", "no such thing", "word"])
    def test_anything_else_is_refused_with_the_valid_forms(self, url: str) -> None:
        with pytest.raises(UsageError, match=r"is not a source: give the URL of a feed \(https://"):
            kind_of(url)


def test_the_posts_that_come_with_skywave_are_all_read() -> None:
    parsed = read(Path(__file__).parents[2] / "examples" / "posts")
    assert parsed.posts and not parsed.failures
    assert all(post.published_at and (post.html or post.title) for post in parsed.posts)
