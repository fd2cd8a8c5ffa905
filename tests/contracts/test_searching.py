"""A search goes from all words to some of them, in the same way on both databases."""

import pytest_asyncio

from content.errors import SearchTooLong, UsageError
from content.types import Correction, Rung, Visibility
from scheduler.actions import searching
from scheduler.ports import Found, Store
from scheduler.types import Chat
from tests.builders import NOW, new_post
from tests.contracts.world import World

POSTS = {
    "bread": ("Sourdough bread", "Feed the starter with rye flour every day."),
    "rye": ("Rye in the field", "The sourdough was sold out; a starter motor needs current."),
    "pork": ("家常红烧肉", "五花肉切块，先炒糖色，再小火慢炖。👩🏽‍🚀"),
    "fish": ("红烧鱼", "烧肉店昨天关门了。"),
    "tuning": ("训练笔记", "大语言模型做 LoRA 微调时，显存可以省下一半。"),
    "radio": ("Antennas", "A random wire antenna receives the tropical bands; seasonings are lubricated."),
    "sage": ("Sage", "Sausages with sage."),
}


@pytest_asyncio.fixture(loop_scope="session")
async def ids(world: World) -> dict[str, int]:
    source = await world.source()
    posts = [new_post(guid, title=title, text=text) for guid, (title, text) in POSTS.items()]
    return dict(zip(POSTS, await world.posts(source, *posts), strict=True))


async def find(store: Store, words: str, chat: Chat | None = None) -> Found:
    async with store.read() as work:
        return await searching.find(work, words, 100, chat)


async def named(store: Store, ids: dict[str, int], words: str) -> tuple[set[str], Found]:
    found = await find(store, words)
    names = {number: name for name, number in ids.items()}
    assert found.total == len(found.ids)
    return {names[number] for number in found.ids}, found


RUNGS = [
    ("sourdough starter", {"bread", "rye"}, Rung.ALL),
    ("红烧肉", {"pork"}, Rung.ALL),
    ("怎么做红烧肉", {"pork"}, Rung.ALL),
    ("大语言模型微调显存", {"tuning"}, Rung.PARTS),
    ("微调大模型", {"tuning"}, Rung.ANY),
    ('"微调大模型"', set(), Rung.ALL),
    ("sourdough starter zeppelin", {"bread", "rye"}, Rung.MOST),
    ("sourdough starter flour zeppelin umbrella", {"bread"}, Rung.SOME),
    ("zeppelin antenna", {"radio"}, Rung.ANY),
    ("红烧茄子", {"pork", "fish"}, Rung.ANY),
    ("zeppelin", set(), Rung.ALL),
    ("zeppelin umbrella accordion", set(), Rung.ALL),
    ("sourdough zeppelin umbrella -flour", {"rye"}, Rung.ANY),
    ("👩‍🚀", {"pork"}, Rung.ALL),
    ("lubrication", {"radio"}, Rung.ALL),
]


async def test_rungs(store: Store, ids: dict[str, int]) -> None:
    for words, expected, rung in RUNGS:
        names, found = await named(store, ids, words)
        assert (names, found.match.rung) == (expected, rung), words
        assert found.match.exact == (len(expected) if rung is Rung.ALL else 0), words
        assert found.match.corrections == (), words


TYPED: list[tuple[str, set[str], list[str]]] = [
    ("sourdogh", {"bread", "rye"}, ["sourdough"]),
    ("suordough", {"bread", "rye"}, ["sourdough"]),
    ("ssourdough", {"bread", "rye"}, ["sourdough"]),
    ("zourdough", {"bread", "rye"}, ["sourdough"]),
    ("sourdouhg bread", {"bread"}, ["sourdough"]),
    ("sordouhg", {"bread", "rye"}, ["sourdough"]),
    ("sordough strater", {"bread", "rye"}, ["sourdough", "starter"]),
    ("antena tropcial wire", {"radio"}, ["antenna", "tropical"]),
    ("antena zeppelin wire", {"radio"}, ["antenna"]),
    ("sourdogh 红烧肉", {"bread", "rye", "pork"}, ["sourdough"]),
    ("saje", {"sage"}, ["sage"]),
    ('"sourdogh"', set(), []),
    ("sourdogh*", set(), []),
    ("surdogy", set(), []),
    ("ry", set(), []),
    ("sagw1", set(), []),
]


async def test_typing_errors(store: Store, ids: dict[str, int]) -> None:
    for words, expected, meant in TYPED:
        names, found = await named(store, ids, words)
        assert names == expected, words
        assert [correction.meant for correction in found.match.corrections] == meant, words


async def test_of_several_near_words_one_that_fits_the_others_is_meant(store: Store, world: World) -> None:
    source = await world.source()
    common = [new_post(f"{n}", title="", text="a coast and nothing else") for n in range(3)]
    (wanted, *_) = await world.posts(source, new_post("a", title="", text="roast beef"), *common)
    found = await find(store, "roost beef")
    assert (found.ids, found.match.corrections) == ((wanted,), (Correction("roost", "roast"),))
    assert (await find(store, "voast")).match.corrections == (Correction("voast", "coast"),)


async def test_nobody_learns_words_of_posts_that_they_may_not_see(store: Store, world: World) -> None:
    private = await world.source("private", Visibility.PRIVATE)
    await world.posts(private, new_post("secret", title="", text="project bluebird"))
    await world.posts(await world.source("public"), new_post("public", title="", text="a project"))
    stranger, member = await world.chat("1"), await world.follower(private, address="2")
    for words in ("bluebirt", "project bluebirt", "bluebird"):
        assert (await find(store, words, stranger)).match.corrections == ()
        assert len((await find(store, words, member)).ids) == 1
    assert (await find(store, "bluebirt", member)).match.corrections == (Correction("bluebirt", "bluebird"),)


async def test_words_of_posts_that_are_gone_or_changed_are_not_meant(
    store: Store, world: World, ids: dict[str, int]
) -> None:
    async with store.write() as work:
        changed = new_post("bread", title="Loaves", text="of wheat")
        await work.posts.update([(ids["bread"], changed)], NOW)
        await work.posts.remove([ids["rye"]])
        await work.commit()
    async with store.read() as work:
        assert not await work.index.has(["sourdough", "starter", "flour"])
        assert await work.index.has(["wheat", "antenna"]) == {"wheat", "antenna"}
    assert (await find(store, "sourdogh")).ids == ()
    assert (await find(store, "whaet")).ids == (ids["bread"],)


async def test_a_question_with_few_answers_gets_more(store: Store, ids: dict[str, int]) -> None:
    plain, asked = await find(store, "feed starter"), await find(store, "how do I feed a rye starter motor?")
    assert plain.ids == (ids["bread"],)
    assert asked.ids == (ids["rye"], ids["bread"]) or asked.ids == (ids["bread"], ids["rye"])
    assert (asked.match.rung, asked.match.exact) == (Rung.MOST, 0)
    more = await find(store, "please show me sourdough bread with starter")
    assert more.ids == (ids["bread"], ids["rye"])
    assert (more.match.rung, more.match.exact) == (Rung.MOST, 1)


INJECTIONS = r"""
    ' OR 1=1 -- | NEAR(a b) | a AND | OR | NOT | (a | "a" "b | {title}:a | title:a | a* b* * | ^a | a + b
    | -a | a:* | & | !a | a <-> b | 'a':*A | \ | \\' | a\0b | %s
    | :query | $1 | '); DROP TABLE posts; -- | \x00 | a''b
"""


HOSTILE = [
    *(word.strip() for word in INJECTIONS.split(" | ")),
    "?!,.;:", "……", "。，！？", "()[]{}", "~", "\u0000", "\ud800", "\u200d", "\ufe0f", "🏽",
    "a " * 2_000, "字" * 4_000, "微调大模型" * 800, "x" * 4_000, "👩‍🚀" * 1_000, '"' * 4_000, "*" * 4_000,
    "字* " * 1_000, "怎么" * 2_000, "how do I " * 500, "-a " * 1_500, "sourdogh " * 400,
    " ".join(f"wordd{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)),
    "".join(chr(0x4E00 + n * 7) for n in range(1_000)),
    " ".join("".join(chr(0x4E00 + 90 * n + m * 7) for m in range(12)) for n in range(200)),
]  # fmt: skip


async def test_any_text_is_answered(store: Store, ids: dict[str, int]) -> None:
    for words in HOSTILE:
        try:
            await find(store, words)
        except UsageError as error:
            assert "word" in str(error) or "Write it like" in str(error), words
        except SearchTooLong:  # on a crowded machine; that is an answer, too
            continue


async def test_filters_hold_on_every_rung(store: Store, ids: dict[str, int]) -> None:
    assert (await find(store, "sourdogh lang:en")).ids
    assert (await find(store, "sourdogh lang:zh")).ids == ()
    assert (await find(store, "sourdogh tag:none")).ids == ()
    assert (await find(store, "zeppelin antenna after:2999-01-01")).ids == ()
