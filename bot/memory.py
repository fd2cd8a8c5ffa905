"""What the C library does with memory that is free again."""

import ctypes
import sys
from contextlib import suppress

# mallopt(3): blocks above this size get pages of their own, which go back to the system when they are freed.
M_MMAP_THRESHOLD = -3
LARGE = 256 * 1024  # bytes


def give_back_large_blocks() -> None:
    """Keep the memory of large bodies from staying with the process.

    By itself glibc raises the threshold to the largest block that was ever freed. Feeds of megabytes then
    come from the heap, and what lies between them holds it: 218 MB instead of 183 with fifty such feeds.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
