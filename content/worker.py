"""`python -m content.worker`: the process that parses untrusted text, so that it can be killed.

Its standard input is a socket. It answers one call after another until the socket is closed, also if the
parent process has died. If a call takes too long, a timer of the kernel kills it, which no parser can
prevent.
"""

import gc
import os
import pickle
import resource
import signal
import socket
import time
from typing import BinaryIO

from content.edge import guarded
from content.errors import SourceError

MEMORY = 256 * 1024**2  # bytes of address space; a feed of 10 MB needs 150 MB
LENGTH = 8  # bytes of the length before each message
# The process that answers people gets three times the share of a worker. With more, a hostile source would
# occupy a quick worker for so long that good ones wait: its second of CPU would take ten.
NICE = 5


def main() -> None:
    # Only the parent process ends this one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    with socket.socket(fileno=0) as connection, connection.makefile("rb") as calls:
        _send(connection, b"")  # tells the parent that this process is ready
        while call := _receive(calls):
            _send(connection, _answer(call))


def _limit(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    try:
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    except (OSError, ValueError):  # not every system has this limit; the time is limited in any case
        return


def _receive(calls: BinaryIO) -> bytes:
    return calls.read(int.from_bytes(calls.read(LENGTH)))


def _send(connection: socket.socket, answer: bytes) -> None:
    connection.sendall(len(answer).to_bytes(LENGTH) + answer)


def _answer(call: bytes) -> bytes:
    # Unpickling loads the function's module at the first call, before the time is limited.
    gc.disable()  # loading leaves no garbage
    cpu, wall, source, function, args = pickle.loads(call)
    gc.enable()
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
    """Set both timers, in seconds; 0 turns them off. Nothing handles their signals: they kill the process."""
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


if __name__ == "__main__":
    main()
