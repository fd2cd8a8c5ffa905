"""The index: the same posts on both databases, within the scope and the filters of the query."""

import pytest
import pytest_asyncio

from content.search import parse
from content.types import PostQuery
from scheduler.ports import Store
from tests.builders import after, new_post
from tests.contracts.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def ids(world: World) -> dict[str, int]:
    """Posts by guid, of two sources."""
    radio, models = await world.source("Radio News"), await world.source("模型")
    stored = await world.posts(
        radio,
        new_post("antenna", title="Antennas", text="A long wire for short waves", tags=("Radio",)),
        new_post("ecole", title="Sur les ondes", text="À l'école de radio", tags=("École",)),
        new_post("old", title="An old wire", text="Nothing new", published_at=after(-60 * 24 * 40)),
    )
    stored += await world.posts(
        models,
        new_post("tuning", title="大模型微调", text="用 LoRA 微调 Qwen2 模型", tags=("微调",)),
        new_post("cpp", title="C++ and C#", text="DeepSeek-V3 wires; it's 100% done", tags=("code",)),
    )
    return dict(zip(["antenna", "ecole", "old", "tuning", "cpp"], stored, strict=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("wire", {"antenna", "old", "cpp"}),
        ("antenna", {"antenna"}),
        ('"short waves"', {"antenna"}),
        ('"waves short"', set()),
        ("ante*", {"antenna"}),
        ("wire -long", {"old", "cpp"}),
        ("微调", {"tuning"}),
        ("模", {"tuning"}),
        ("qwen", {"tuning"}),
        ("c++", {"cpp"}),
        ("deepseekv3", {"cpp"}),
        ("radio", {"antenna", "ecole"}),
        ("wire tag:radio", {"antenna"}),
        ("wire tag:RADIO", {"antenna"}),
        ("radio tag:École", {"ecole"}),
        ("微调 tag:微调", {"tuning"}),
        ("wire source:radio", {"antenna", "old"}),
        ("微调 source:模型", {"tuning"}),
        ("wire source:%", set()),
        ("wire after:2026-03-01", {"antenna", "cpp"}),
        ("wire before:2026-03-01", {"old"}),
        ("wire before:2026-03-02 after:2026-03-01", {"antenna", "cpp"}),
        ("-wire", set()),
        ("", set()),
        ("it's 100%", {"cpp"}),
        ("' OR 1=1 --", set()),
        ("NEAR(", set()),
    ],
)
async def test_what_a_query_finds(world: World, ids: dict[str, int], query: str, found: set[str]) -> None:
    assert set(await world.search(query)) == {ids[guid] for guid in found}


async def test_a_match_in_the_title_is_better(world: World, store: Store) -> None:
    in_title, in_text, _ = await world.posts(
        await world.source(),
        new_post("a", title="Copper wire", text="Some words of text"),
        new_post("b", title="Some words", text="Text with copper wire"),
        new_post("c", title="Some words", text="Text without"),
    )
    async with store.read() as work:
        ranking = await work.index.search(parse("copper"), PostQuery())
    assert (ranking.total, ranking.ids) == (2, (in_title, in_text))


async def test_the_scope_bounds_the_search(world: World, ids: dict[str, int], store: Store) -> None:
    async with store.read() as work:
        whole = (await work.index.search(parse("wire"), PostQuery())).ids
        page = await work.index.search(parse("wire"), PostQuery(offset=1, limit=1))
        (post,) = await work.posts.by_ids([ids["cpp"]])
    assert (page.ids, page.total) == (whole[1:2], 3)
    assert set(await world.search("wire", PostQuery(anchor=ids["old"]))) == {ids["antenna"], ids["old"]}
    assert await world.search("wire", PostQuery(source_id=post.source_id)) == (ids["cpp"],)
