"""Child processes: emulators, Skywave itself, rivals; and the CPU and memory that they use."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0  # seconds before a wait fails
LATENCY, JITTER = 40, 60  # ms: 20 to 50 ms each way


class Child:
    """A process that ends when its standard input is closed, and the resources it uses."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stats = psutil.Process(process.pid)

    def cpu(self) -> float:
        """Seconds of CPU so far, in all threads."""
        times = self._stats.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Resident memory, MB."""
        return float(self._stats.memory_info().rss) / 1e6

    async def ask(self, line: str) -> Any:
        """Write a line to its standard input; returns the line that it answers, as JSON."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        return await self.line()

    async def line(self) -> Any:
        """The next line of its standard output, as JSON."""
        assert self._process.stdout is not None
        found = await self._process.stdout.readline()
        if not found:
            raise RuntimeError(f"process {self._process.pid} ended without an answer")
        return json.loads(found)


@asynccontextmanager
async def child(
    *arguments: str, log: Path | None = None, python: str = sys.executable, **settings: str
) -> AsyncIterator[Child]:
    """`python ARGUMENTS` until the end of the block; `settings` are SKYWAVE_* of its environment."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("SKYWAVE_")}
    environment = keep | {f"SKYWAVE_{name.upper()}": value for name, value in settings.items()}
    with open(log or os.devnull, "ab") as errors:
        process = await asyncio.create_subprocess_exec(
            python,
            *arguments,
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors if log else None,
            limit=1 << 24,
        )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            process.terminate()
        await process.wait()


@asynccontextmanager
async def rival(kind: str, url: str, *given: Any) -> AsyncIterator[Child]:
    """Another program on the same server, see `rivals`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(given, file)
        file.flush()
        async with child("-m", "benchmarks.rivals", kind, url, file.name) as process:
            yield process


class Server:
    """An emulator in its own process."""

    def __init__(self, process: Child, where: Mapping[str, Any], session: aiohttp.ClientSession) -> None:
        self.process, self._session = process, session
        self.url, self.gateway = str(where["url"]), str(where["gateway"])
        self._control = f"http://127.0.0.1:{where['port']}/_emulator"

    async def ask(self, action: str, **call: Any) -> Any:
        """Run one of the emulator's actions, see its `control` module."""
        async with self._session.post(f"{self._control}/{action}", json=call) as response:
            found = await response.json()
            if response.status != 200:
                raise RuntimeError(f"{action}: {found}")
            return found

    async def refused(self) -> int:
        """How many requests were answered 429."""
        return int((await self.ask("stats"))["refused"])

    async def sent(self) -> int:
        return int((await self.ask("stats"))["sent"])


@asynccontextmanager
async def server(
    kind: str, *, strict: int = 0, latency: float = 0, jitter: float = 0, faults: float = 0
) -> AsyncIterator[Server]:
    """A fresh emulator; `strict` is its limit a second, `latency` and `jitter` are ms of a round trip.

    `faults`: the share of messages that end in one that passes by itself; Telegram only.
    """
    options = [kind, "--strict", str(strict), "--latency", str(latency), "--jitter", str(jitter)]
    options += ["--faults", str(faults)] if faults else []
    async with child("-m", "benchmarks.servers", *options) as process, aiohttp.ClientSession() as session:
        yield Server(process, await process.line(), session)
