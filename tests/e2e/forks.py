"""Starts the program quickly: one process loads its modules once and forks itself for every start.

Loading takes a second of CPU, and the tests start the program sixty times. What is forked is like
`python -m bot`: a process of its own, with its own arguments, environment and streams, which gets signals
and can be killed.
"""

import asyncio
import atexit
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import NoReturn

from bot.cli import main as program
from bot.cli.main import COMMANDS, load
from bot.loading import ALL_SETTINGS
from content.i18n import LANGUAGES, Translator
from content.sources import KINDS

LENGTH = 8  # bytes of the length before each request
PATIENCE = 10.0  # seconds that running programs have to end when the tests have ended

# Modules that commands import late.
LATE = (
    *("content.http", "bot.platforms.telegram.adapter", "bot.platforms.discord.adapter", "alembic.command"),
    *("alembic.config", "apscheduler.schedulers.asyncio", "apscheduler.triggers.interval", "snowballstemmer"),
    *("bot.cli.adding", "scheduler.intake.polling", "scheduler.intake.indexing", "concurrent.futures.thread"),
)


class Process:
    """A running program, like asyncio's Process."""

    def __init__(self, pid: int, ends: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._writer = writer
        self._status = asyncio.create_task(self._ended(ends))

    async def _ended(self, ends: asyncio.StreamReader) -> int:
        line = await ends.readline()
        self._writer.close()
        return int(line)

    @property
    def returncode(self) -> int | None:
        """The exit status, minus the number of the signal that killed it, or None while it runs."""
        return self._status.result() if self._status.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self._status)

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            if not self._status.done():
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def start(arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]) -> Process:
    """Start the program. `streams` are its standard input, output and error."""
    ours, theirs = socket.socketpair()
    with theirs:
        request = pickle.dumps((list(arguments), dict(environment), os.getcwd()))
        server = _server()
        socket.send_fds(server, [len(request).to_bytes(LENGTH)], [*streams, theirs.fileno()])
        server.sendall(request)
    reader, writer = await asyncio.open_connection(sock=ours)
    return Process(int(await reader.readline()), reader, writer)


@cache
def _server() -> socket.socket:
    """The connection to the process that forks. It is started once, and ends with the tests."""
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen([sys.executable, "-u", "-m", "tests.e2e.forks"], stdin=theirs.fileno())

    def end() -> None:
        ours.close()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:  # a program of a failed test still runs
            server.kill()

    atexit.register(end)
    return ours


def main() -> None:
    """Fork for each request. A fork goes on as the program when this returns."""
    # Looking for garbage takes a quarter of the time of loading, and would copy the memory that forks share.
    gc.disable()
    for command in COMMANDS:
        load(command)
    for module in LATE:
        import_module(module)
    # What each program would make at its start.
    assert list(KINDS.values())
    ALL_SETTINGS.model_rebuild()
    for language in LANGUAGES:
        Translator(language).t("Help")
    gc.freeze()
    requests = socket.socket(fileno=os.dup(0))
    while True:
        while _reaped():
            pass
        length, descriptors, _, _ = socket.recv_fds(requests, LENGTH, 4)
        if not length:
            break
        request = requests.recv(int.from_bytes(length), socket.MSG_WAITALL)
        if not os.fork():
            requests.close()
            _attend(request, *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
    while _reaped(wait=True):
        pass
    raise SystemExit


def _reaped(*, wait: bool = False) -> bool:
    try:
        return os.waitpid(-1, 0 if wait else os.WNOHANG)[0] > 0
    except ChildProcessError:
        return False


def _attend(request: bytes, stdin: int, stdout: int, stderr: int, teller: int) -> None:
    """Fork the program and tell its pid and its end. Returns in the program."""
    if pid := os.fork():
        for descriptor in (0, stdin, stdout, stderr):
            os.close(descriptor)
        os.write(teller, b"%d\n" % pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(teller, b"%d\n" % status)
        os._exit(0)
    os.close(teller)
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    arguments, environment, folder = pickle.loads(request)
    sys.argv[1:] = arguments
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _leave(status: object) -> NoReturn:
    """End like Python, but without freeing memory, which takes longer than a command: it would be copied."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    main()
    try:
        program()
    except SystemExit as exc:
        _leave(exc.code)
    _leave(0)
