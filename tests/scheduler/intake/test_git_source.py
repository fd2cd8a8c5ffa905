"""A git repository, from its server to the store: what a rename, a deletion and an edit do to posts."""

from content.http import HttpFetcher
from content.sources import ReadContext
from content.types import Visibility
from scheduler.intake.ingest import Ingest
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from tests.content.test_fetch import LOOPBACK
from tests.emulators.git import git_server
from tests.scheduler.conftest import World, inline

LINKED = "---\ntitle: Linked\nurl: https://example.org/linked\n---\n"


async def test_a_renamed_post_is_the_same_one_if_its_address_says_so(world: World) -> None:
    fetcher = HttpFetcher(LOOPBACK)
    context = ReadContext(fetcher, inline)
    ingest = Ingest(
        *(world.store, context, world.clock, Bounds(world.interval, world.interval), lambda: None),
        for_people=fetcher,
        quotas=Quotas(),
    )

    def posts() -> list[tuple[str, bool]]:
        """Their texts, and whether they are withdrawn."""
        return world.sql("SELECT text, withdrawn_at IS NOT NULL FROM posts ORDER BY id")

    async with git_server() as (repository, server):
        repository.commit({"a.md": LINKED + "first", "b.md": "bare"})
        source = (await ingest.add(server.url("/repo.git"), Visibility.PUBLIC)).source
        assert source.kind == "git" and sorted(posts()) == [("bare", False), ("first", False)]
        for files, new, changed, after in (
            (
                {"c/a.md": LINKED + "first", "d.md": "other"},
                1,
                0,
                {("first", False), ("bare", True), ("other", False)},
            ),
            (
                {"c/a.md": LINKED + "second", "d.md": "other"},
                0,
                1,
                {("second", False), ("bare", True), ("other", False)},
            ),
            ({"c/a.md": LINKED + "second"}, 0, 0, {("second", False), ("bare", True), ("other", True)}),
            # A new file with the title of an unchanged one is a new post.
            (
                {"c/a.md": LINKED + "second", "f.md": "# Linked\n\nagain"},
                *(1, 0, {("second", False), ("bare", True), ("other", True), ("again", False)}),
            ),
            (
                {"e.md": "new"},
                1,
                0,
                {("second", True), ("bare", True), ("other", True), ("again", True), ("new", False)},
            ),
        ):
            repository.commit(files)
            async with world.store.read() as work:
                current = await work.sources.get(source.id)
            assert current is not None
            result = await ingest.poll(current)
            assert (result.error, result.new, result.changed) == ("", new, changed)
            assert {(text, bool(gone)) for text, gone in posts()} == after
    await fetcher.close()
