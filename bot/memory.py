"""Makes the C library return freed memory to the system, and the garbage collector run less often."""

import asyncio
import ctypes
import gc
import sys
from contextlib import suppress

# mallopt(3): glibc maps blocks above the first size separately, and unmaps them when they are freed. It
# returns the end of the heap to the system when more than the second size is free there.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX = -3, -1, -8
# Both in bytes. asyncio takes 256 KiB for each read of a socket, whatever comes, and gives it back at once. A
# smaller threshold would make each read ask the system for memory, which takes longer than the read itself.
LARGE, KEPT = 288 * 1024, 1024 * 1024
ARENAS = 2  # heaps; by default each of twenty threads has its own, with free memory that no other uses
EVERY = 10.0  # seconds between two returns of what is free inside the heap
# So many new objects are looked at together. Python's default is 700.
NEW_OBJECTS = 10_000


def give_back_large_blocks() -> None:
    """Return the memory of large bodies to the system as soon as they are freed.

    By default glibc raises the threshold to the size of the largest block that was freed. It then allocates
    feeds of some megabytes from the heap, where small blocks between them keep the heap from shrinking. With
    fifty such feeds the process had 218 MB instead of 183 MB.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(M_MMAP_THRESHOLD, LARGE)
            mallopt(M_TRIM_THRESHOLD, KEPT)
            mallopt(M_ARENA_MAX, ARENAS)


def give_back_free_pages() -> None:
    """Return what is free between small blocks that are in use. It takes 2 ms for 10 MB."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


async def keep_small() -> None:
    """Return free pages again and again, until cancelled: each burst of large reads leaves some behind."""
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(give_back_free_pages)


def collect_rarely() -> None:
    """Let the garbage collector run less often, and never again look at the objects that exist now.

    Nearly all objects of a read or a send are freed without it, but it took 7 % of the CPU of reads.
    """
    gc.freeze()  # scanning objects that are never freed takes 0.1 s per full collection
    gc.set_threshold(NEW_OBJECTS)
