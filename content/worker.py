"""`python -m content.worker`: the process in which outside text is parsed, so that it can be killed.

It answers calls that come through the socket that is its standard input, one after another, until that is
closed, be it by the death of the process at the other end. Timers of the kernel end it when a call takes too
long: no code in a parser can hold them up.
"""

import os
import pickle
import resource
import signal
import socket
import time
from typing import BinaryIO

from content.edge import guarded
from content.errors import SourceError
from content.sources import KINDS

MEMORY = 256 * 1024**2  # bytes of address space; a feed of 10 MB takes 150
LENGTH = 8  # bytes before each call and answer
NICE = 10  # below the process that answers people


def main() -> None:
    assert KINDS  # the parsers are imported before the first call, whose time is limited
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the process that started it ends it
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    with socket.socket(fileno=0) as connection, connection.makefile("rb") as calls:
        _send(connection, b"")  # ready
        while call := _receive(calls):
            _send(connection, _answer(call))


def _limit(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    try:
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    except (OSError, ValueError):  # a system without it: time is limited all the same
        return


def _receive(calls: BinaryIO) -> bytes:
    return calls.read(int.from_bytes(calls.read(LENGTH)))


def _send(connection: socket.socket, answer: bytes) -> None:
    connection.sendall(len(answer).to_bytes(LENGTH) + answer)


def _answer(call: bytes) -> bytes:
    cpu, wall, source, function, args = pickle.loads(call)
    _end_after(cpu, wall)
    begun = time.process_time()
    try:
        value = guarded(source, function, *args)
    except SourceError as exc:
        value = exc
    answer = guarded(source, pickle.dumps, (value, time.process_time() - begun), pickle.HIGHEST_PROTOCOL)
    _end_after(0, 0)
    return answer


def _end_after(cpu: float, wall: float) -> None:
    """From now on; 0 is never. The signals of both timers end a process that does not handle them."""
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


if __name__ == "__main__":
    main()
