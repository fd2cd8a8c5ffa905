"""Listing pages: web pages that show posts but offer no feed. Their posts are found by CSS selectors.

The selectors are found when the page is added (`listing_structure`), shown to the person, and kept as options
of the source. Later reads only use them (`listing_items`), so a page is never guessed at again. What posts
were like at first is kept as well: a read that finds something else fails (`listing_page`).
"""

from collections.abc import Mapping

from content.bounds import MAX_URL
from content.errors import UsageError
from content.sources.feed import FeedKind
from content.sources.kinds import FULL_TEXT, LISTING, Choice, Read, ReadContext, Values, is_yes, no_options
from content.sources.listing_items import PARTS
from content.sources.listing_page import parse_listing
from content.types import Options, Validators

LONGEST = 300  # characters of a selector that a person types


class ListingKind:
    """A web page with a list of posts. It has to be chosen: a URL alone is taken for a feed."""

    name = LISTING
    upgrades = ()

    def accepts(self, url: str) -> bool:
        return False

    def chosen(self, given: Mapping[str, str]) -> Values:
        no_options(self.name, {name: text for name, text in given.items() if name not in (*PARTS, FULL_TEXT)})
        selectors = {name: text.strip() for name, text in given.items() if name in PARTS}
        for name, selector in selectors.items():
            if len(selector) > LONGEST:
                raise UsageError(
                    "the option {name} has more than {limit} characters: shorten it", name=name, limit=LONGEST
                )
            if not selector.isprintable():
                raise _invalid(name, "")
        is_full = FULL_TEXT in given and is_yes(FULL_TEXT, given[FULL_TEXT])
        chosen = {name: selector for name, selector in selectors.items() if selector or name != "item"}
        return {**chosen, **({FULL_TEXT: True} if is_full else {})}

    def normalise(self, url: str) -> str:
        return FeedKind().normalise(url)

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        return await context.one_large_at_a_time(
            lambda large: self._read(url, options, validators, context, large)
        )

    async def _read(
        self, url: str, options: Options, validators: Validators, context: ReadContext, large: bool
    ) -> Read:
        fetched = await context.fetcher.fetch(url, validators, large=large)
        moved = self.normalise(fetched.moved) if 0 < len(fetched.moved) <= MAX_URL else ""
        if fetched.body is None:
            return Read(None, fetched.validators, moved, fetched.hints)
        values = dict(options.values)
        page = await context.parse(
            url,
            parse_listing,
            fetched.body,
            fetched.content_type,
            fetched.url,
            values,
            context.max_posts,
            context.now(),
        )
        if page.invalid:
            raise _invalid(page.invalid, str(values.get(page.invalid, "")))
        return Read(page.parsed, fetched.validators, moved, fetched.hints, page.values)


def confirmed(options: Options) -> Choice:
    """The choice of exactly the selectors that were found, for a person who has seen what they find."""
    selectors = {name: str(options.values.get(name, "")) for name in PARTS}
    return Choice(LISTING, selectors | ({FULL_TEXT: "yes"} if options.values.get(FULL_TEXT) else {}))


def _invalid(name: str, selector: str) -> UsageError:
    return UsageError(
        "“{selector}” is not a valid selector: the option {name} takes one like {example}",
        selector=selector[:80],
        name=name,
        example="ul.news > li",
    )
