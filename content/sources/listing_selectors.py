"""Short and stable CSS selectors for elements of a web page. Pure functions."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from selectolax.lexbor import LexborNode

from content.sources.listing_items import AFTER, part
from content.sources.listing_outline import HEADINGS, Outline

# A page may have these anywhere.
_VAGUE = frozenset(("a", "div", "span", "p", "li", "td"))
_VAGUE_ITEMS = frozenset((*_VAGUE, *HEADINGS, "ul", "ol", "tr", "tbody", "dt", "section"))


def item_selector(page: LexborNode, found: Outline, items: Sequence[int]) -> str:
    """The shortest selector of these elements of a page; empty if there is none.

    It may select other elements as well, if they have no link and so cannot be posts.
    """
    wanted = {found.elements[index].node.mem_id for index in items}
    chain = found.chain(items[0])
    plain = list(_suffixes(found, chain))
    if all("class" not in found.elements[index].node.attributes for index in items):
        plain += [f"{selector}:not([class])" for selector in plain]
    for selector in (*plain, *_numbered(found, chain)):
        selected = {node.mem_id: node for node in page.css(selector)}
        if not wanted <= selected.keys() or len(selected) > 2 * len(wanted):
            continue
        others = (node for mem_id, node in selected.items() if mem_id not in wanted)
        if all(node.css_first("a[href]") is None for node in others):
            return selector
    return ""


def part_selector(
    found: Outline,
    items: Sequence[int],
    elements: Mapping[int, int],
    ids: Collection[int],
    *,
    everywhere: bool = False,
) -> str:
    """The shortest selector that finds the part of each item: `elements` are the parts, by place in `items`.

    `ids` are the `mem_id`s of all items. In items without the part it finds nothing; with `everywhere`, one
    that finds something in each of them is better.
    """
    place, index = next(iter(elements.items()))
    chain = found.chain(index)
    is_inside = items[place] in chain
    # What is not in the item follows it, so it has the same parent.
    depth = found.elements[items[place]].depth
    steps = [found.elements[one].step for one in chain[depth + (1 if is_inside else 0) :]]
    before = "" if is_inside else f"{AFTER} "
    suffixes = [before + suffix for suffix in _part_suffixes(found, index, steps)]
    nodes = {place: found.elements[index].node.mem_id for place, index in elements.items()}
    hits = {
        selector: [part(found.elements[item].node, selector, ids) for item in items] for selector in suffixes
    }

    def is_right(selector: str, everywhere: bool) -> bool:
        found_ids = [hit.mem_id if hit else None for hit in hits[selector]]
        others = [hit for place, hit in enumerate(found_ids) if place not in nodes]
        is_part = all(found_ids[place] == mem_id for place, mem_id in nodes.items())
        return is_part and (all(others) if everywhere else not any(others))

    whole = before + " > ".join(steps)
    strict = next((selector for selector in suffixes if is_right(selector, False)), whole)
    return next((selector for selector in suffixes if everywhere and is_right(selector, True)), strict)


def _part_suffixes(found: Outline, index: int, steps: Sequence[str]) -> Sequence[str]:
    """Selectors of an element within an item, vague ones last, then those that name its place."""
    suffixes = [" > ".join(steps[-length:]) for length in range(1, len(steps) + 1)]
    suffixes.sort(key=lambda suffix: suffix in _VAGUE and len(steps) > 1)
    one = found.elements[index]
    plain = [] if "class" in one.node.attributes else [f"{suffix}:not([class])" for suffix in suffixes]
    place = _place(found, index)
    return [*suffixes, *plain, *(f"{suffix}:nth-of-type({place})" for suffix in suffixes)]


def _place(found: Outline, index: int) -> int:
    """The place of an element among its siblings of the same tag, from 1."""
    one, place, at = found.elements[index], 1, found.elements[index].parent + 1
    while at < index:
        place += found.elements[at].tag == one.tag
        at = found.elements[at].end
    return place


def _suffixes(found: Outline, chain: Sequence[int]) -> Iterator[str]:
    """Selectors of an element by more and more of what is around it, up to an element with an id."""
    steps: list[str] = []
    for index in reversed(chain[1:]):
        one = found.elements[index]
        if steps and one.anchor:
            yield f"#{one.anchor} " + steps[-1]
            yield f"#{one.anchor} > " + " > ".join(steps)
        steps.insert(0, one.step)
        if any("." in step for step in steps) or one.tag not in _VAGUE_ITEMS:
            yield " > ".join(steps)
    yield " > ".join(["body", *steps])


def _numbered(found: Outline, chain: Sequence[int]) -> Iterator[str]:
    """Selectors of an element with the place of something around it, for pages without telling names."""
    steps = [found.elements[index].step for index in chain]
    for at in range(len(chain) - 2, 0, -1):
        yield " > ".join([f"{steps[at]}:nth-of-type({_place(found, chain[at])})", *steps[at + 1 :]])
    places = [f"{steps[at]}:nth-of-type({_place(found, chain[at])})" for at in range(1, len(chain) - 1)]
    yield " > ".join(["body", *places, steps[-1]])
