"""The kinds of source: the stored kind decides how a source is read, and options have versions."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from content.errors import SourceError
from content.sources import KINDS, Read, ReadContext, SourceKind, kind_of, read_source
from content.sources.kinds import Values, new_options, upgraded
from content.types import NO_OPTIONS, UPDATES, Options, ParsedPost, ParsedSource, Source, Validators
from tests.fakes import FakeFetcher

FEED = b'{"items": [{"id": "one", "content_text": "one"}]}'


class Listing:
    """A kind whose options had another form twice: `css`, then one `selector`, then several `selectors`."""

    name = "listing"
    upgrades: Sequence[Callable[[Values], Values]] = (
        lambda values: {"selector": values["css"]},
        lambda values: {"selectors": [values["selector"]]},
    )

    def accepts(self, url: str) -> bool:
        return url.startswith("listing:")

    def chosen(self, given: Mapping[str, str]) -> Values:
        return {"selectors": [given.get("selectors", "h2")]}

    def normalise(self, url: str) -> str:
        return url

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        return Read(ParsedSource(posts=(ParsedPost(guid=str(options.values["selectors"])),)), validators)


KIND: SourceKind = Listing()


@pytest.mark.parametrize(
    "stored",
    [Options(1, {"css": "h2"}), Options(2, {"selector": "h2"}), Options(3, {"selectors": ["h2"]})],
)
def test_options_of_every_earlier_version_are_upgraded(stored: Options) -> None:
    assert upgraded(KIND, stored) == Options(3, {"selectors": ["h2"]})


def test_a_new_source_has_options_of_the_newest_version() -> None:
    assert new_options(KIND).version == 3
    assert {new_options(kind) == NO_OPTIONS for kind in KINDS.values()} == {True}


@pytest.mark.parametrize("version", [4, 0, -1])
def test_a_version_that_is_not_known_is_an_error_with_the_next_step(version: int) -> None:
    with pytest.raises(SourceError, match=rf"version {version} of the options of a listing source: install"):
        upgraded(KIND, Options(version))


async def test_the_kind_that_is_stored_decides_and_not_the_url(tmp_path: Path) -> None:
    """The URL would be a folder if it were added now."""
    context = ReadContext(FakeFetcher(pages={str(tmp_path): FEED}))
    assert kind_of(str(tmp_path)).name == "markdown"
    read = await read_source(Source(1, "feed", str(tmp_path)), context)
    assert read.parsed is not None and [post.guid for post in read.parsed.posts] == ["one"]


@pytest.mark.parametrize("kind", ["carrier pigeon", UPDATES])
async def test_a_kind_that_is_not_read_here_is_an_error_with_the_next_step(kind: str) -> None:
    with pytest.raises(SourceError, match=f"cannot read a source of kind {kind}: install a newer one"):
        await read_source(Source(1, kind, "https://example.org/feed"), ReadContext(FakeFetcher()))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_options_of_a_newer_version_are_refused_by_every_kind(kind: str, tmp_path: Path) -> None:
    source = replace(Source(1, kind, str(tmp_path)), options=Options(9, {"selector": "h2"}))
    with pytest.raises(SourceError, match=f"version 9 of the options of a {kind} source"):
        asyncio.run(read_source(source, ReadContext(FakeFetcher())))
