"""Makes the C library return freed memory to the system."""

import ctypes
import sys
from contextlib import suppress

# mallopt(3): glibc maps blocks above this size separately, and unmaps them when they are freed.
M_MMAP_THRESHOLD = -3
LARGE = 256 * 1024  # bytes


def give_back_large_blocks() -> None:
    """Return the memory of large bodies to the system as soon as they are freed.

    By default glibc raises the threshold to the size of the largest block that was freed. It then allocates
    feeds of some megabytes from the heap, where small blocks between them keep the heap from shrinking. With
    fifty such feeds the process had 218 MB instead of 183 MB.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
