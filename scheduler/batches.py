"""A lot of work in short transactions, so that others can write in between."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# One transaction stores, changes or deletes at most so many posts, with so many characters to index.
MOST = 50
CHARACTERS = 100_000


def batches(items: Iterable[T], characters: Callable[[T], int], times: int = 1) -> Iterator[list[T]]:
    """`items` in order, in batches within `times` the bounds; one that exceeds them is a batch of its own."""
    batch: list[T] = []
    room = CHARACTERS * times
    for item in items:
        size = characters(item)
        if batch and (len(batch) == MOST * times or size > room):
            yield batch
            batch, room = [], CHARACTERS * times
        batch.append(item)
        room -= size
    if batch:
        yield batch
