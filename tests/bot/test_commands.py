"""What people type, and what they are told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.access import AccessMode
from bot.commands import COMMANDS
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Reply
from content.errors import FetchError, SearchTooLong, Unreachable
from content.search import Query
from content.types import PostQuery, Ranking, Visibility
from scheduler.ports import DeliveryFilter, UnitOfWork
from scheduler.types import ChatKind, DeliveryState
from tests.bot.conftest import FEED, OPERATOR, Desk, shown
from tests.fakes import WatchedStore

OTHER = "https://other.example.net/feed.json"
POSTS = [f"post-{n} about radio" for n in range(7)]


def posts_of(reply: Reply | None) -> Sequence[str]:
    return [line for line in shown(reply).splitlines() if line.startswith("post-")]


async def waiting(desk: Desk, place: str = "1") -> list[tuple[str, str]]:
    """State and reason of all deliveries to a chat."""
    chat = await desk.chat(place)
    async with desk.store.read() as work:
        found = await work.outbox.find(DeliveryFilter(chat_id=chat.id), 100)
    return [(str(delivery.state), delivery.reason) for delivery in found]


# /latest


async def test_latest_shows_the_newest_first(desk: Desk) -> None:
    await desk.source(*POSTS)
    said = shown(await desk.say("/latest"))
    assert said.startswith("INCOMING TRANSMISSION\nLATEST UPDATES\n")
    assert said.endswith("\n1 2 3")
    assert posts_of(await desk.say("/latest")) == POSTS[:-4:-1]


async def test_latest_of_nothing_says_what_to_do(desk: Desk) -> None:
    reply = await desk.say("/latest")
    assert "No posts yet" in shown(reply) and "/subscribe URL" in shown(reply)
    assert reply and reply.buttons == ()


async def test_a_source_is_found_by_name_part_or_url(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.source("post-other", url=OTHER, title="Other")
    for name in ("Example", "example", "EXAMPLE", " Example ", "Exam", FEED):
        assert posts_of(await desk.say(f"/latest {name}")) == POSTS[:-4:-1], name


async def test_the_whole_name_wins_over_a_longer_one(desk: Desk) -> None:
    await desk.source("post-a", title="News")
    await desk.source("post-b", url=OTHER, title="News of the world")
    assert posts_of(await desk.say("/latest News")) == ["post-a"]
    assert posts_of(await desk.say("/latest world")) == ["post-b"]
    said = shown(await desk.say("/latest new"))
    assert "No source is called “new”" in said and "News, News of the world" in said


async def test_an_unknown_source_names_those_that_there_are(desk: Desk) -> None:
    assert "There are no sources yet" in shown(await desk.say("/latest nothing"))
    await desk.source(*POSTS)
    said = shown(await desk.say("/latest nothing"))
    assert said == "⚠ No source is called “nothing”. Available: Example. /sources lists them all."
    said = shown(await desk.say("/latest example.org/feed.xml"))
    assert "“example.org/feed.xml”. To give the address of a feed, begin it with https://." in said
    assert len(shown(await desk.say("/latest " + "x" * 4000))) < 300


async def test_names_that_skywave_gives_are_shown_and_typed_in_chinese(desk: Desk) -> None:
    await desk.publish(*POSTS)
    await desk.services.ingest.add(FEED, Visibility.EXAMPLE, title="examples")
    assert "示例文章" in shown(await desk.say("/sources", locale="zh"))
    assert "可选的来源：示例文章。发送" in shown(await desk.say("/latest 无", locale="zh"))
    assert posts_of(await desk.say("/latest 示例文章", locale="zh")) == posts_of(
        await desk.say("/latest examples")
    )
    call = desk.call("/latest", locale="zh")
    assert await desk.router.complete("source", "示", call) == ["示例文章"]


# /page


PAGES = {"1": 6, "2": 3, "3": 0, "２": 3, " 2 ": 3, "002": 3}
NO_PAGES = (
    "0", "4", "999", "x", "-1", "1.5", "1 2", "²", "٠", "1" * 30, "000000001" + "9" * 20, "9" * 5000,
    "1;", "%d", "{pages}",
)  # fmt: skip


async def test_what_is_no_page_is_refused_with_an_example(desk: Desk) -> None:
    await desk.source(*POSTS)
    for line, first in PAGES.items():
        assert posts_of(await desk.say(f"/page {line}"))[0] == POSTS[first], line
    assert shown(await desk.say("/page")) == "⚠ There are 3 pages: send /page 1 to /page 3"
    for line in NO_PAGES:
        said = shown(await desk.say(f"/page {line}"))
        assert f"“{line[:20]}” is not a page." in said, line
        assert "There are 3 pages: send /page 1 to /page 3" in said and len(said) < 150, line


async def test_page_of_a_single_page_says_so(desk: Desk) -> None:
    await desk.source("post-1")
    for line in ("/page", "/page 2"):
        assert "There is one page: send /page 1" in shown(await desk.say(line))


# /search


async def test_search_finds_in_both_languages(desk: Desk) -> None:
    await desk.source("post-1 we tuned a radio", "post-2 大模型微调的方法")
    assert posts_of(await desk.say("/search tuning")) == ["post-1 we tuned a radio"]
    assert posts_of(await desk.say("/search 微调")) == ["post-2 大模型微调的方法"]
    assert "1 post for “微调”" in shown(await desk.say("/search 微调"))


NOTHING = ("", '"', "*", '""', "   ", "-", "-radio", "!!!", "“”", "\u0000", "tag:x")
UNREADABLE = {
    "radio after:yesterday": "after:2026-01-31",
    "radio before:2026-13-01": "before:2026-12-01",
    "after:x": "after:2026-01-31",
    "-tag:x radio": "tag:x",
    "radio lang:français": "lang:en",
}
ODD = (
    "radio " * 800, "x" * 4000, "字" * 4000, "' OR 1=1 --", "NEAR(radio post)", "radio AND",
    "title:radio", "(radio", "ra*", "{radio}", "radio\\", "\U0001f4fb", "%s {query}", "a\u0301" * 500,
)  # fmt: skip


async def test_no_search_breaks_anything(desk: Desk) -> None:
    await desk.source(*POSTS)
    for line in NOTHING:
        assert "For example: /search LoRA 微调" in shown(await desk.say(f"/search {line}")), line
    for line, nearest in UNREADABLE.items():
        said = shown(await desk.say(f"/search {line}"))
        assert "I don't understand" in said and f"Write it like {nearest}." in said, line
    nothing = "Nothing found for “nowhere”. Try fewer or shorter words."
    assert nothing in shown(await desk.say("/search nowhere"))
    for line in ODD:
        said = shown(await desk.say(f"/search {line}"))
        assert "post" in said or "Nothing found" in said or "For example" in said, line
        assert len(said) < 2000, line


# /sources, /help, /start


async def test_sources_shows_what_is_followed(desk: Desk) -> None:
    one = await desk.source(*POSTS, title="One")
    await desk.source("post-x", url=OTHER, title="Two")
    assert shown(await desk.say("/sources")) == "Sources\n· One\n· Two"
    await desk.say(f"/subscribe {one.title}")
    assert shown(await desk.say("/sources")) == "Sources\n✓ One\n· Two"
    await desk.say("/subscribe all")
    assert shown(await desk.say("/sources")) == "Sources\n✓ One\n✓ Two"


async def test_help_lists_every_command(desk: Desk) -> None:
    said = shown(await desk.say("/help", actor=OPERATOR))
    for command in COMMANDS:
        assert command.usage in said and command.summary in said


async def test_start_remembers_the_language_of_a_private_chat(desk: Desk) -> None:
    said = shown(await desk.say("/start", kind=ChatKind.PRIVATE, locale="zh-hans"))
    assert "/latest" in said and "/subscribe" in said
    assert (await desk.chat()).language == "zh"
    assert "命令" in shown(await desk.say("/help", kind=ChatKind.PRIVATE, locale="en"))
    await desk.say("/start", place="2", kind=ChatKind.GROUP, locale="zh")
    assert (await desk.chat("2")).language == ""


# /subscribe


async def test_subscribing_to_all_public_sources(desk: Desk) -> None:
    for place, line in enumerate(("/subscribe", "/subscribe all", "/subscribe ALL ")):
        where = str(place)
        assert "now follows all public sources" in shown(await desk.say(line, place=where))
        assert await desk.follows(where) == [None]
        already = "This chat already follows all public sources."
        assert shown(await desk.say(line, place=where)) == already


async def test_subscribing_to_a_source_sends_only_what_comes(desk: Desk) -> None:
    source = await desk.source(*POSTS)
    assert "This chat now follows Example" in shown(await desk.say("/subscribe Example"))
    assert await desk.follows() == [source.id]
    assert await waiting(desk) == []
    await desk.publish(*POSTS, "post-new")
    assert await waiting(desk) == [("pending", "")]


@pytest.mark.parametrize(
    ("line", "access", "next_step"),
    [
        (
            "/subscribe",
            AccessMode.OPEN,
            "Follow a feed by its address: /subscribe https://example.org/feed.xml",
        ),
        (
            "/subscribe examples",
            AccessMode.OPEN,
            "Follow a feed by its address: /subscribe https://example.org/feed.xml",
        ),
        ("/subscribe", AccessMode.CURATED, "Ask an operator of this bot to add a source."),
    ],
)
async def test_subscribing_before_there_is_a_source_promises_no_posts(
    desk: Desk, line: str, access: AccessMode, next_step: str
) -> None:
    await desk.publish(*POSTS)
    await desk.services.ingest.add(FEED, Visibility.EXAMPLE, title="examples")
    settings = desk.services.settings.model_copy(update={"access": access})
    services = replace(desk.services, settings=settings)
    desk.router = Router(services, {OPERATOR}, Flood(100, services.clock))
    name = "examples" if "examples" in line else "all public sources"
    assert shown(await desk.say(line)).splitlines() == [
        f"This chat now follows {name}, but example posts are not sent.",
        next_step,
    ]


async def test_subscribing_with_a_digest_promises_posts_with_the_digest(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.say("/digest daily 09:00")
    assert shown(await desk.say("/subscribe Example")).startswith(
        "This chat now follows Example: new posts come with its digest.\n"
    )


async def test_a_new_url_becomes_a_private_source(desk: Desk) -> None:
    await desk.publish("post-secret")
    assert "now follows Example" in shown(await desk.say(f"/subscribe {FEED}"))
    async with desk.store.read() as work:
        source = await work.sources.by_url(FEED)
    assert source and source.visibility is Visibility.PRIVATE
    assert await desk.follows() == [source.id] and await waiting(desk) == []


async def test_a_url_that_is_known_stays_what_it_is(desk: Desk) -> None:
    source = await desk.source(*POSTS)
    await desk.say(f"/subscribe {FEED}", actor=OPERATOR)
    async with desk.store.read() as work:
        assert [s.id for s in await work.sources.all()] == [source.id]
        assert (await work.sources.all())[0].visibility is Visibility.PUBLIC


async def test_options_are_those_of_whoever_adds_a_source(desk: Desk) -> None:
    await desk.publish(*POSTS)
    await desk.say(f"/subscribe {FEED} --full-text=yes", place="1")
    async with desk.store.read() as work:
        (source,) = await work.sources.all()
    assert source.options.values == {"full-text": True}
    assert "read as before" not in shown(await desk.say(f"/subscribe {FEED} --full-text", place="1"))
    await desk.say("/unsubscribe", place="1")
    await desk.source(*POSTS)
    said = shown(await desk.say(f"/subscribe {FEED} --full-text=no", place="1"))
    assert "It is read as before: an operator can change its options." in said
    assert "has no option depth" in shown(await desk.say(f"/subscribe {FEED} --depth=1", place="2"))


async def test_a_repository_over_ssh_is_refused_with_what_to_give(desk: Desk) -> None:
    told = "git repositories are read over https, give an address like https://example.org/name.git"
    for typed in ("git@example.org:me/blog.git", "ssh://git@example.org/blog"):
        assert told in shown(await desk.say(f"/subscribe {typed}")), typed


async def test_private_sources_are_seen_by_their_followers_alone(desk: Desk) -> None:
    await desk.publish(*POSTS)
    await desk.say(f"/subscribe {FEED}", place="1")
    await desk.index()
    for line in ("/latest", "/page 1", "/search radio", "/latest Example"):
        assert posts_of(await desk.say(line, place="1"))
        assert posts_of(await desk.say(line, place="2")) == []
    assert "Example" in shown(await desk.say("/sources", place="1"))
    assert "private" in shown(await desk.say("/sources", place="1"))
    assert "Example" not in shown(await desk.say("/sources", place="2"))
    assert "No source is called" in shown(await desk.say("/subscribe Example", place="2"))
    await desk.say("/subscribe all", place="2")
    await desk.publish(*POSTS, "post-new")
    assert await waiting(desk, "1") == [("pending", "")] and await waiting(desk, "2") == []


async def test_a_url_that_is_no_feed_is_refused(desk: Desk) -> None:
    for page, said in (
        (b"<!doctype html><html><head></head></html>", "is a web page without a feed: add --listing"),
        (b"%PDF-1.7", "is not a feed"),
        (b"", "is empty"),
        (b"{}", "is not a feed"),
    ):
        desk.fetcher.pages[FEED] = page
        assert said in shown(await desk.say(f"/subscribe {FEED}")), page
    assert await desk.follows() == []
    async with desk.store.read() as work:
        assert await work.sources.all() == []


async def test_what_cannot_be_fetched_is_said(desk: Desk) -> None:
    error = FetchError("https://example.org/feed.json answered 404: check the address")
    desk.fetcher.faults[FEED] = error
    assert shown(await desk.say(f"/subscribe {FEED}")) == f"⚠ {error}"
    assert await desk.follows() == []


async def test_why_a_feed_cannot_be_read_is_said_in_the_language_of_the_reader(desk: Desk) -> None:
    desk.fetcher.pages[FEED] = b"<html><head></head></html>"
    said = shown(await desk.say(f"/subscribe {FEED}", locale="zh"))
    assert said == f"⚠ {FEED} 是没有订阅源的网页：加上 --listing 即可读取页面上列出的文章"
    desk.fetcher.faults[FEED] = Unreachable(
        "{url}: no address is known for {host}: check the host name", url=FEED, host="example.org"
    )
    said = shown(await desk.say(f"/subscribe {FEED}", locale="zh"))
    assert said.startswith("⚠ ") and "cannot be reached" not in said, "a person is told no more than that"
    said = shown(await desk.say(f"/subscribe {FEED}", locale="zh", actor=OPERATOR))
    assert said == f"⚠ {FEED}：找不到主机 example.org，请检查主机名"
    async with desk.store.write() as work:  # what is stored for logs and the command line is English
        source = await work.sources.add("feed", FEED, "", Visibility.PUBLIC)
        await work.commit()
    await desk.services.ingest.poll(source)
    async with desk.store.read() as work:
        (stored,) = await work.sources.all()
    assert stored.last_error == f"{FEED}: no address is known for example.org: check the host name"


async def test_nobody_in_a_chat_reaches_files(desk: Desk, tmp_path: Path) -> None:
    for words in ("/etc", "./posts", "../..", "file:///etc/passwd", "ftp://example.org/x", "nobody"):
        assert "No source is called" in shown(await desk.say(f"/subscribe {words}")), words
    # Nor the operator's folders, whatever way they are written.
    (tmp_path / "diary.md").write_text("# Dear diary")
    for path in ("{}", "file://{}", "~", "./posts", "updates:", "feed:{}", "ftp://x/feed"):
        await desk.say(f"/subscribe {path.format(tmp_path)}")
    assert desk.fetcher.calls == [] and await desk.follows() == []
    async with desk.store.read() as work:
        assert await work.sources.all() == []


async def test_no_transaction_is_open_while_a_url_is_fetched(desk: Desk) -> None:
    open_units: list[int] = []

    async def look(url: str) -> None:
        open_units.append(desk.store.open_here)

    desk.fetcher.on_fetch = look
    await desk.publish("post-1")
    await desk.say(f"/subscribe {FEED}")
    assert open_units == [0]


# /unsubscribe


async def test_unsubscribing_cancels_what_waits(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.say("/subscribe Example")
    await desk.publish(*POSTS, "post-new")
    assert shown(await desk.say("/unsubscribe Example")) == "Unsubscribed from Example."
    assert await desk.follows() == []
    assert await waiting(desk) == [(DeliveryState.CANCELLED, "unsubscribed")]
    # What was cancelled is not promised any more: who comes back is not owed it, but may be sent it once.
    await desk.say("/subscribe Example")
    await desk.publish(*POSTS, "post-new", "post-newer")
    assert len([state for state, _ in await waiting(desk) if state == "pending"]) == 1


async def test_unsubscribing_from_everything(desk: Desk) -> None:
    await desk.source(*POSTS)
    lines = ("/unsubscribe", "/unsubscribe all", "/unsubscribe All ")
    for place in range(len(lines)):
        await desk.say("/subscribe Example", place=str(place))
        await desk.say("/subscribe", place=str(place))
    await desk.say("/subscribe", place="another")
    await desk.publish(*POSTS, "post-new")
    for place, line in enumerate(lines):
        assert shown(await desk.say(line, place=str(place))) == "Unsubscribed from all sources."
        assert await desk.follows(str(place)) == []
        assert await waiting(desk, str(place)) == [("cancelled", "unsubscribed")]
    assert await waiting(desk, "another") == [("pending", "")] and await desk.follows("another") == [None]


async def test_a_digest_that_stays_without_subscriptions_is_told(desk: Desk) -> None:
    await desk.source(*POSTS)
    await desk.source("post-o", url=OTHER, title="Other")
    for line in ("/subscribe Example", "/subscribe Other", "/digest daily 09:00 Asia/Shanghai"):
        await desk.say(line)
    assert shown(await desk.say("/unsubscribe Example")) == "Unsubscribed from Example."
    assert shown(await desk.say("/unsubscribe Other")) == (
        "Unsubscribed from Other."
        " The digest stays scheduled: daily 09:00 (Asia/Shanghai). To end it, send /digest off."
    )


async def test_unsubscribing_from_what_is_not_followed(desk: Desk) -> None:
    await desk.source(*POSTS)
    assert "No subscriptions yet" in shown(await desk.say("/unsubscribe"))
    assert "does not follow Example" in shown(await desk.say("/unsubscribe Example"))
    await desk.say("/subscribe all")
    assert "Example is only included through “all sources”." in shown(await desk.say("/unsubscribe Example"))
    assert "No source is called “no”" in shown(await desk.say("/unsubscribe no"))
    assert await desk.follows() == [None]


# Languages


async def test_a_chinese_reader_is_answered_in_chinese(desk: Desk) -> None:
    await desk.source(*POSTS, title="Example")
    for line in (
        *("/page 0", "/page", "/search", "/search after:x", "/latest nothing", "/subscribe", "/unsubscribe"),
        *("/help", "/start", "/search nowhere", "/nonsense"),
    ):
        english = shown(await desk.say(line, kind=ChatKind.TERMINAL, place="1", locale="en"))
        chinese = shown(await desk.say(line, kind=ChatKind.TERMINAL, place="2", locale="zh-hans-cn"))
        assert chinese != english, line
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.replace("微调", "")), line


class StoppedIndex:
    """An index in which every search takes too long."""

    def limited(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def search(self, query: Query, scope: PostQuery) -> Ranking:
        raise SearchTooLong("the search took too long")


@dataclass
class SlowStore(WatchedStore):
    @asynccontextmanager
    async def _counted(self, write: bool) -> AsyncIterator[UnitOfWork]:
        async with super()._counted(write) as work:
            vars(work)["index"] = StoppedIndex()
            yield work


async def test_a_search_that_takes_too_long_says_what_to_do(desk: Desk) -> None:
    services = replace(desk.services, store=SlowStore(desk.store.inner))
    desk.router = Router(services, {OPERATOR}, Flood(100, services.clock))
    for locale, said in (("en", "fewer or longer words"), ("zh", "请减少关键词")):
        reply = await desk.say("/search a* b*", locale=locale)
        assert reply and reply.private and said in shown(reply)
