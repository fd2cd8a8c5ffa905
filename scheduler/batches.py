"""Much work in short transactions: others write in between."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# What one transaction stores, changes or forgets of posts: at most so many, with so much text to be indexed.
MOST = 50
CHARACTERS = 100_000


def batches(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """`items` in order, in batches that keep to the bounds; one that exceeds them alone is a batch."""
    batch: list[T] = []
    room = CHARACTERS
    for item in items:
        size = characters(item)
        if batch and (len(batch) == MOST or size > room):
            yield batch
            batch, room = [], CHARACTERS
        batch.append(item)
        room -= size
    if batch:
        yield batch
