"""What the program asks of the C library."""

import resource
import socket
import sys

import pytest
from psutil import Process

from bot.memory import give_back_free_pages, give_back_large_blocks

READ = 256 * 1024  # bytes that asyncio asks a socket for
READS = 500


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")


def test_reading_a_socket_asks_the_system_for_no_memory() -> None:
    give_back_large_blocks()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(READS):
            theirs.send(b"a message")
            ours.recv(READ)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < READS / 5


def test_what_is_free_between_small_blocks_is_returned() -> None:
    blocks = [bytes(2_000) for _ in range(10_000)]
    kept = blocks[::100]
    blocks.clear()
    before = Process().memory_info().rss
    give_back_free_pages()
    assert before - Process().memory_info().rss > 10_000_000
    assert len(kept) == 100
