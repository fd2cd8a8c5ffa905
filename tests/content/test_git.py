"""Git repositories as sources: what is asked of servers, what is read, and what hostile ones may send."""

import asyncio
import gzip
import hashlib
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from content.edge import guarded
from content.errors import AddressRefused, FetchError, ParseError, SourceError, Unreachable, UsageError
from content.fetch import LARGE
from content.http import HttpFetcher
from content.sources import ReadContext, git, gitpack, kind_of, normalise
from content.sources.git import GitKind
from content.sources.gitwire import advertised, listed_commit, pack_in
from content.sources.kinds import Read, new_options
from content.sources.markdown import MAX_BYTES, post_in
from content.types import ParsedPost, ParsedSource, Validators
from tests.content.test_fetch import LOOPBACK, redirecting, serving
from tests.emulators.git import (
    FILE,
    FOLDER,
    LINK,
    MADE,
    SUBMODULE,
    File,
    GitServer,
    answer,
    commit_of,
    git_server,
    packed,
    packet,
    tree_of,
)

KIND = GitKind()
NONE = Validators()
URL = "https://example.org/repo.git"
POST = "---\ntitle: One\ndate: 2026-07-14\nurl: https://example.org/one\ntags: [radio]\n---\nHello **you**\n"


@pytest.fixture
async def context() -> AsyncIterator[ReadContext]:
    fetcher = HttpFetcher(LOOPBACK)
    yield ReadContext(fetcher)
    await fetcher.close()


async def read(
    url: str, context: ReadContext, validators: Validators = NONE, **options: str
) -> tuple[ParsedSource, Validators]:
    found: Read = await KIND.read(url, new_options(KIND, options), validators, context)
    assert found.parsed is not None
    return found.parsed, found.validators


def guids(parsed: ParsedSource) -> list[str]:
    return sorted(post.guid for post in parsed.posts)


class TestAddresses:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("https://Example.org/name/repo.git", "https://example.org/name/repo.git"),
            ("https://example.org/repo.git/", "https://example.org/repo.git"),
            ("git+https://me:pw@Example.org/repo", "https://me:pw@example.org/repo"),
            ("GIT+http://example.org/repo#x", "http://example.org/repo"),
        ],
    )
    def test_that_are_recognised(self, typed: str, stored: str) -> None:
        assert kind_of(typed).name == "git" and normalise(typed) == stored

    @pytest.mark.parametrize("typed", ["https://example.org/feed.xml", "https://example.org/a.git/feed"])
    def test_that_are_feeds(self, typed: str) -> None:
        assert kind_of(typed).name == "feed"

    @pytest.mark.parametrize(
        "typed",
        [
            "git@github.com:me/repo.git",
            "ssh://git@example.org/repo",
            "git://example.org/repo.git",
            "git+ssh://x/y",
        ],
    )
    def test_over_ssh_are_refused_with_what_to_give_instead(self, typed: str) -> None:
        with pytest.raises(
            UsageError, match=r"are read over https, give an address like https://example\.org/"
        ):
            normalise(typed)

    @pytest.mark.parametrize(
        "branch", ["a b", "a..b", "-x", "x.lock", "a\nwant b", "refs/", "@{1}", "x" * 201]
    )
    def test_no_branch_can_have_some_names(self, branch: str) -> None:
        with pytest.raises(UsageError, match="is not the name of a branch"):
            KIND.chosen({"branch": branch})

    @pytest.mark.parametrize("folder", ["..", "a/../b", "a//b", "./a", "a\0b"])
    def test_a_folder_is_below_the_repository(self, folder: str) -> None:
        with pytest.raises(UsageError, match="is not a folder of a repository"):
            KIND.chosen({"folder": folder})

    def test_options(self) -> None:
        assert KIND.chosen({"branch": "gh-pages", "folder": "/content/posts/"}) == {
            "branch": "gh-pages",
            "folder": "content/posts",
        }
        with pytest.raises(UsageError, match="a git source has no option depth"):
            KIND.chosen({"depth": "1"})


class TestReading:
    @pytest.mark.parametrize(("version", "filters"), [(0, True), (2, True), (2, False)])
    async def test_by_every_kind_of_server(self, context: ReadContext, version: int, filters: bool) -> None:
        files: dict[str, File] = {
            "blog/2026-07-14-one.md": POST,
            "blog/x.png": b"\x89PNG\0",
            "two.markdown": "# Two\n\nText",
        }
        async with git_server(version, filters=filters) as (repository, server):
            commit = repository.commit(files)
            parsed, fresh = await read(server.url("/repo.git"), context)
            again = await KIND.read(server.url("/repo.git"), new_options(KIND), fresh, context)
        assert parsed.title == "repo" and fresh.etag == commit
        assert again == Read(None, fresh)
        one, two = parsed.posts if parsed.posts[1].guid == "two" else parsed.posts[::-1]
        assert (one.guid, one.title, one.url) == ("blog/2026-07-14-one", "One", "https://example.org/one")
        assert (one.html, one.tags) == ("<p>Hello <strong>you</strong></p>", ("radio",))
        assert (two.title, two.published_at) == ("Two", datetime.fromtimestamp(MADE, UTC))

    async def test_only_what_has_changed_is_asked_for_and_parsed(self, context: ReadContext) -> None:
        files: dict[str, File] = {"a.md": "a", "b.md": "b", "img/big.png": bytes(100_000)}
        async with git_server() as (repository, server):
            repository.commit(files)
            url = server.url("/repo.git")
            _, known = await read(url, context)
            assert repository.asked == ["refs", "ls-refs", "1 commit without files", "2 blob"]
            repository.asked.clear()
            assert (await KIND.read(url, new_options(KIND), known, context)).parsed is None
            assert repository.asked == ["refs", "ls-refs"]
            repository.commit(files | {"b.md": "new b", "c.md": "c"})
            parsed, known = await read(url, context, known)
            assert guids(parsed) == ["b", "c"] and parsed.present is None
            assert repository.asked[-1] == "2 blob"
            repository.commit(files | {"b.md": "new b", "c.md": "c", "img/small.png": "x"})
            parsed, _ = await read(url, context, known)
            assert parsed.posts == () and repository.asked[-1] == "1 commit without files"
            assert max(repository.sent) < 2_000

    async def test_a_server_without_single_files_sends_all(self, context: ReadContext) -> None:
        async with git_server(single_files=False) as (repository, server):
            repository.commit({"a.md": "a"})
            parsed, _ = await read(server.url("/repo.git"), context)
        assert guids(parsed) == ["a"] and repository.asked[-2:] == ["1 blob", "1 commit"]

    async def test_drafts_readmes_hidden_and_other_files_are_left_out(self, context: ReadContext) -> None:
        draft = "---\ndraft: true\n---\nnot yet"
        files = {
            "a.md": "a",
            "draft.md": draft,
            "README.md": "x",
            ".x.md": "x",
            "_drafts/b.md": "b",
            "c.txt": "c",
        }
        async with git_server() as (repository, server):
            repository.commit(files)
            parsed, known = await read(server.url("/repo.git"), context)
            assert guids(parsed) == ["a"] and parsed.present == ("a",)
            repository.commit(files | {"draft.md": "now", "a.md": draft})
            parsed, _ = await read(server.url("/repo.git"), context, known)
        assert guids(parsed) == ["draft"] and parsed.withdrawn == ("a",)

    async def test_a_branch_and_a_folder(self, context: ReadContext) -> None:
        async with git_server() as (repository, server):
            repository.commit({"a.md": "a"})
            repository.commit({"_posts/b.md": "b", "c.md": "c"}, branch="pages")
            repository.commit({"d.md": "d"}, branch="pages2")
            url = server.url("/repo.git")
            parsed, _ = await read(url, context, branch="pages", folder="_posts")
            assert guids(parsed) == ["b"]
            for branch, folder, told in (
                ("gone", "", "has no branch gone: choose another with branch=NAME"),
                ("", "gone", "has no folder gone: choose another with folder=NAME"),
                ("", "a.md", "has no folder a.md"),
            ):
                with pytest.raises(SourceError, match=rf"{url} {told}"):
                    await read(url, context, branch=branch, folder=folder)
            repository.commit({"_posts/x.txt": "x"}, branch="pages")
            with pytest.raises(ParseError, match=r"no Markdown files that are posts: name their folder"):
                await read(url, context, branch="pages")

    async def test_an_empty_repository(self, context: ReadContext) -> None:
        async with git_server() as (_, server):
            with pytest.raises(FetchError, match="is an empty repository: add it later"):
                await read(server.url("/repo.git"), context)

    async def test_a_forced_push_and_a_file_that_is_gone_or_renamed(self, context: ReadContext) -> None:
        files: dict[str, File] = {"a.md": "a", "b.md": "b", "c.md": "c"}
        async with git_server() as (repository, server):
            repository.commit(files)
            url = server.url("/repo.git")
            _, known = await read(url, context)
            repository.commit(files, message="the same files in a new commit")
            parsed, known = await read(url, context, known)
            assert parsed.posts == () and parsed.present is None
            # All are parsed, so that a renamed post can be told from a deleted one by its URL.
            repository.commit({"a.md": "a", "new/b.md": "b"})
            parsed, known = await read(url, context, known)
            assert guids(parsed) == ["a", "new/b"] and parsed.present == ("a", "new/b")
            repository.commit({"a.md": "a", "new/b.md": "b", "d.md": "d"})
            assert guids((await read(url, context, known))[0]) == ["d"]

    async def test_a_broken_file_is_listed_and_tried_at_each_new_commit(self, context: ReadContext) -> None:
        files: dict[str, File] = {
            "a.md": "a",
            "b.md": "---\ntitle: [\n---\n",
            "c.md": b"\xff\xff",
            "d.md": "d" * (MAX_BYTES + 1),
        }
        async with git_server() as (repository, server):
            repository.commit(files)
            url = server.url("/repo.git")
            parsed, known = await read(url, context)
            assert [one.name for one in parsed.failures] == ["b.md", "c.md", "d.md"]
            assert parsed.failures[2].reason == "is larger than 2048 KiB: split it"
            assert parsed.present == ("a", "b", "c", "d")
            repository.commit(files | {"e.md": "e"})
            parsed, _ = await read(url, context, known)
            assert guids(parsed) == ["e"] and len(parsed.failures) == 3

    async def test_many_files_are_parsed_in_batches(
        self, context: ReadContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(git, "BATCH", 2)
        small = ReadContext(context.fetcher, max_posts=3)
        async with git_server() as (repository, server):
            repository.commit({f"2026-07-{n:02}.md": str(n) for n in range(1, 8)})
            parsed, _ = await read(server.url("/repo.git"), small)
        assert [post.guid for post in parsed.posts] == ["2026-07-07", "2026-07-06", "2026-07-05"]
        assert parsed.total == 7 and len(parsed.present or ()) == 7


class TestServers:
    async def test_a_login_is_sent_to_its_server_alone_and_never_shown(self, context: ReadContext) -> None:
        async with git_server() as (repository, server), git_server() as (other, elsewhere):
            repository.commit({"a.md": "a"})
            other.commit({"a.md": "a"})
            url = f"http://me:secret@127.0.0.1:{server.port}/repo.git"
            await read(url, context)
            assert {"Authorization" in one.headers for one in server.requests} == {True}
            target = elsewhere.url("/repo.git/info/refs?service=git-upload-pack")
            async with serving(redirecting(target, 302)) as first:
                await read(f"http://me:secret@127.0.0.1:{first.port}/repo.git", context)
            assert {"Authorization" in one.headers for one in elsewhere.requests} == {False}
            with pytest.raises(SourceError) as caught:
                await read(url, context, branch="gone")
            assert "secret" not in str(caught.value) and "me" not in str(caught.value).split("//")[1][:9]

    async def test_a_repository_that_has_moved(self, context: ReadContext) -> None:
        async with git_server() as (repository, server):
            repository.commit({"a.md": "a"})
            target = server.url("/repo.git/info/refs?service=git-upload-pack")
            async with serving(redirecting(target, 301)) as old:
                found = await KIND.read(old.url("/old.git"), new_options(KIND), NONE, context)
        assert found.moved == server.url("/repo.git") and found.parsed is not None

    @pytest.mark.parametrize("end", ["", "/info/refs", "/info/refs?service=git-receive-pack"])
    async def test_a_redirect_to_another_kind_of_page_is_an_error(
        self, context: ReadContext, end: str
    ) -> None:
        async with git_server() as (repository, server):
            repository.commit({"a.md": "a"})
            async with serving(redirecting(server.url("/repo.git") + end)) as old:
                with pytest.raises(ParseError, match="is not a git repository"):
                    await read(old.url("/old.git"), context)

    async def test_no_connection_leads_inside(self) -> None:
        """Not the first one, not a redirect of either request."""
        guarded_fetcher = HttpFetcher((ip_network("127.0.0.1/32"),))
        context = ReadContext(guarded_fetcher)
        async with git_server() as (repository, server):
            commit = repository.commit({"a.md": "a"})
            inside = server.url("/repo.git").replace("127.0.0.1", "127.0.0.2")
            refs = f"{inside}/info/refs?service=git-upload-pack"

            async def posts_lead_inside(request: web.Request) -> web.StreamResponse:
                if request.method == "GET":
                    return web.Response(body=GitServer().advertise())
                return web.Response(status=307, headers={"Location": f"{inside}/git-upload-pack"})

            async with serving(redirecting(refs)) as away, serving(posts_lead_inside) as later:
                for url in (inside, away.url("/repo.git"), later.url("/repo.git")):
                    with pytest.raises(AddressRefused):
                        await read(url, context)
            assert server.requests == [] and commit
        await guarded_fetcher.close()

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"<html>a page</html>", "is not a git repository"),
            (b"", "is not a git repository"),
            (packet(b"version 2\n") + packet(b"object-format=sha256\n") + b"0000", "repository uses SHA-256"),
            (packet(b"# service=git-upload-pack\n") + b"0000" + packet(b"0" * 40 + b" HEAD\0x"), "too old"),
            (packet(b"# service=git-upload-pack\n") + b"00ffshort", "broke off"),
            (packet(b"version 2\n") + packet(b"ERR go away https://me:pw@x.example/?k=1\n"), "says: go away"),
            (packet(b"version 2\n") + b"zzzz", "is damaged or broke off"),
        ],
    )
    def test_what_is_no_git_server_is_told(self, body: bytes, told: str) -> None:
        with pytest.raises(SourceError, match=told) as caught:
            advertised(body, URL, "")
        assert "pw" not in str(caught.value) and "k=1" not in str(caught.value)

    async def test_a_repository_of_gigabytes_is_refused_after_a_bounded_download(
        self, context: ReadContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(git, "MAX_ANSWER", 2 * LARGE)
        sent: list[int] = []
        endless = answer(b"PACK" + struct.pack(">LL", 2, 9))[:-4] + packet(b"\1" + bytes(60_000)) * 20

        async def handle(request: web.Request) -> web.StreamResponse:
            if request.method == "GET":
                return web.Response(body=GitServer(filters=False).advertise())
            if b"ls-refs" in await request.read():
                return web.Response(body=packet(b"1" * 40 + b" HEAD\n") + b"0000")
            response = web.StreamResponse()
            await response.prepare(request)
            sent.append(0)
            try:
                while sent[-1] < 100 * LARGE:
                    await response.write(endless)
                    sent[-1] += len(endless)
            except ConnectionError:
                pass
            return response

        async with serving(handle) as server:
            with pytest.raises(ParseError, match=r"sends more than 2 MiB at once: give a smaller repository"):
                await read(server.url("/repo.git"), context)
        assert len(sent) == 2 and max(sent) < 20 * LARGE

    @pytest.mark.parametrize("at", ["GET", "POST"])
    async def test_a_server_that_sends_a_byte_now_and_then_is_given_up(self, at: str) -> None:
        fetcher = HttpFetcher(LOOPBACK, timeout=timedelta(seconds=0.1))

        async def drip(request: web.Request) -> web.StreamResponse:
            if request.method != at:
                return web.Response(body=GitServer().advertise())
            response = web.StreamResponse()
            await response.prepare(request)
            with suppress(ConnectionError):
                while True:
                    await response.write(b"0")
                    await asyncio.sleep(0.01)
            return response

        async with serving(drip) as server:
            with pytest.raises(Unreachable, match=r"did not answer within 0\.1 s"):
                await read(server.url("/repo.git"), ReadContext(fetcher))
        await fetcher.close()

    async def test_an_answer_that_unpacks_to_gigabytes_is_cut_off(
        self, context: ReadContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(git, "MAX_ANSWER", 2 * LARGE)
        bomb = gzip.compress(bytes(20 * LARGE))

        async def handle(request: web.Request) -> web.StreamResponse:
            return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

        async with serving(handle) as server:
            with pytest.raises(ParseError, match="sends more than 2 MiB at once"):
                await read(server.url("/repo.git"), context)


PACKETS = st.one_of(
    st.binary(max_size=20),
    st.binary(max_size=30).map(packet),
    st.sampled_from([b"0000", b"0001", packet(b"version 2\n"), packet(b"# service=git-upload-pack\n")]),
    st.from_regex(r"[0-9a-f]{40} HEAD\x00?[a-z0-9 -]*\n?", fullmatch=True).map(
        lambda line: packet(line.encode())
    ),
)


@given(st.lists(PACKETS, max_size=6).map(b"".join))
def test_any_answer_is_read_or_an_error_of_its_source(sent: bytes) -> None:
    for read_answer in (
        lambda: advertised(sent, URL, ""),
        lambda: listed_commit(sent, ""),
        lambda: pack_in(sent),
    ):
        with suppress(SourceError):
            read_answer()


def raw_pack(*objects: tuple[int, bytes, int, bytes]) -> bytes:
    """A pack of objects as they are given: type, what a delta refers to, size as declared, and content."""
    pack = b"PACK" + struct.pack(">LL", 2, len(objects))
    for kind, base, size, content in objects:
        byte, rest = kind << 4 | size & 15, size >> 4
        while rest:
            pack += bytes([byte | 0x80])
            byte, rest = rest & 0x7F, rest >> 7
        pack += bytes([byte]) + base + zlib.compress(content, 9)
    return pack + hashlib.sha1(pack).digest()


def number(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low | 0x80]) + number(value >> 7) if value >> 7 else bytes([low])


BASE = bytes(65_536)
BASE_ID = hashlib.sha1(b"blob 65536\0" + BASE).digest()


def delta(times: int) -> bytes:
    """A delta that repeats BASE."""
    return number(len(BASE)) + number(len(BASE) * times) + b"\x80" * times


MIB = 1024**2
HOSTILE = {
    "declares gigabytes": raw_pack((3, b"", 10**10, b"x")),
    "lies about a size": raw_pack((3, b"", 100, bytes(MIB))),
    "ends too early": raw_pack((3, b"", 100, b"x" * 100))[:30],
    "a delta bomb": raw_pack((3, b"", len(BASE), BASE), (7, BASE_ID, len(delta(600)), delta(600))),
    "many delta bombs": raw_pack(
        (3, b"", len(BASE), BASE), *[(7, BASE_ID, len(delta(400)), delta(400))] * 30
    ),
    "a delta of nothing": raw_pack((7, b"\1" * 20, len(delta(1)), delta(1))),
    "two billion objects": b"PACK" + struct.pack(">LL", 2, 2**31) + bytes(40),
    "no pack": b"PACK of cards",
    "zeros": bytes(1000),
}


class TestHostile:
    """Each is an error of its source, in little time and memory."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_packs(self, name: str) -> None:
        with pytest.raises(SourceError) as caught:
            guarded(URL, gitpack.files_in, answer(HOSTILE[name]), URL, "1" * 40, "")
        assert "\n" not in str(caught.value)

    def test_sizes_are_checked_before_anything_is_unpacked(self) -> None:
        for name in ("declares gigabytes", "a delta bomb", "many delta bombs"):
            with pytest.raises(ParseError, match=r"sends more than (32|512) MiB at once"):
                gitpack.files_in(answer(HOSTILE[name]), URL, "1" * 40, "")

    def test_counts_are_checked_too(self) -> None:
        with pytest.raises(ParseError, match="holds more than 200000 files"):
            gitpack.files_in(answer(HOSTILE["two billion objects"]), URL, "1" * 40, "")

    @pytest.mark.parametrize(("kind", "told"), [("md", 10_000), ("txt", 1_000)])
    def test_a_tree_that_holds_itself_many_times(
        self, kind: str, told: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if kind == "txt":
            monkeypatch.setattr(gitpack, "MAX_ENTRIES", told)
        objects = tree_of({f"{n}.{kind}": "x" for n in range(30)})
        for _ in range(8):
            outer = type(objects[-1])()
            for n in range(20):
                outer.add(f"d{n}".encode(), FOLDER, objects[-1].id)  # type: ignore[attr-defined]
            objects.append(outer)
        commit = commit_of(objects[-1].id)
        sent = answer(packed({one.id: one for one in (*objects, commit)}.values()))
        with pytest.raises(ParseError, match=f"holds more than {told} files: give a smaller folder"):
            gitpack.files_in(sent, URL, commit.id.decode(), "")

    async def test_links_submodules_and_names_that_lead_elsewhere_are_left_out(
        self, context: ReadContext
    ) -> None:
        async with git_server() as (repository, server):
            repository.commit(
                {
                    "a.md": "a",
                    "link.md": (LINK, b"/etc/passwd"),
                    "module.md": (SUBMODULE, b"x"),
                    "device.md": (0o020666, b"x"),
                    "odd.md": (0o777, b"x"),
                    "../up.md": "x",
                    "..\\up.md": "x",
                    "x/../y.md": "x",
                    ".git/hooks.md": "x",
                    "run.md": (FILE | 0o111, b"run"),
                }
            )
            parsed, _ = await read(server.url("/repo.git"), context)
        assert guids(parsed) == ["a", "run"]

    async def test_names_of_any_bytes(self, context: ReadContext) -> None:
        tree = tree_of({"a.md": "a"})
        blob = tree[0]
        outside = (b"x/../../up.md", b"x\\..\\up.md")
        for name in (b"\xff.md", "天波.md".encode(), b"new\nline.md", *outside):
            tree[-1].add(name, FILE, blob.id)  # type: ignore[attr-defined]
        commit = commit_of(tree[-1].id)
        found = gitpack.files_in(answer(packed([*tree, commit])), URL, commit.id.decode(), "")
        read_files = gitpack.posts_in(answer(packed(tree)), URL, found.files, found.committed)
        assert sorted(post.guid for post in read_files.posts) == ["?", "a", "new\nline", "天波"]

    def test_what_the_server_leaves_out(self) -> None:
        tree = tree_of({"a.md": "a"})
        commit = commit_of(tree[-1].id)
        with pytest.raises(ParseError, match="is damaged or broke off"):
            gitpack.files_in(answer(packed([commit])), URL, commit.id.decode(), "")
        whole = gitpack.files_in(answer(packed([commit, tree[-1]])), URL, commit.id.decode(), "")
        found = gitpack.posts_in(answer(packed([commit])), URL, whole.files, whole.committed)
        assert [one.reason[:31] for one in found.failures] == ["was left out by the git server,"]

    def test_an_object_of_another_kind(self) -> None:
        tree = tree_of({"a.md": "a"})
        with pytest.raises(ParseError, match="is damaged or broke off"):
            gitpack.files_in(answer(packed(tree)), URL, tree[0].id.decode(), "")


def test_a_post_is_sanitised_like_any_other() -> None:
    found = post_in("a.md", b"<script>x</script><p onclick=x>y</p>", datetime.now(UTC))
    assert isinstance(found, ParsedPost) and found.html == "<p>y</p>"
