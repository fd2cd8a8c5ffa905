"""The workers: killed when they take too long, gone when nobody needs them, no harm to other sources."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from content.errors import FetchError, ParseError, ParserKilled
from content.parsers import QUEUED, QUICK_WORKERS, Limits, ParserPool
from content.sources.feed import parse_feed

GOOD = b"<rss><channel><title>good</title><item><guid>1</guid></item></channel></rss>"
SHORT = Limits(0.2, 20.0)
URL = "https://example.org/feed"
HANG = 300  # seconds: turns a hang into a failure


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    pool = ParserPool(SHORT, Limits(0.4, 20.0))
    async with asyncio.timeout(HANG):
        yield pool
    await pool.close()


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    raise SystemExit("a parser leaves")


def whoami() -> int:
    return os.getpid()


def hoard() -> int:
    return len(bytearray(2 << 30))


def recurse() -> None:
    recurse()


def key_error() -> None:
    raise KeyError("a parser's own")


def type_error() -> None:
    raise TypeError("a parser's own")


class Trojan:
    def __reduce__(self) -> tuple[object, ...]:
        return os.putenv, ("SKYWAVE_TROJAN", "1")


def betray() -> Trojan:
    return Trojan()


def refuse() -> None:
    raise FetchError("the folder is locked: unlock it")


def surroundings() -> tuple[list[str], list[str]]:
    print("a parser that prints")
    files = [
        os.readlink(path) for path in map("/proc/self/fd/{}".format, range(100)) if os.path.lexists(path)
    ]
    return sorted(os.environ), files


async def good(pool: ParserPool, url: str = URL) -> None:
    assert (await pool.call(url, parse_feed, GOOD, "", url, 500)).title == "good"


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_feed_comes_back_as_it_was_parsed(pool: ParserPool) -> None:
    assert await pool.call(URL, parse_feed, GOOD, "", URL, 500) == parse_feed(GOOD, "", URL)


@pytest.mark.parametrize("broken", [key_error, type_error, recurse, hoard])
async def test_whatever_a_parser_raises_is_the_sources_error(pool: ParserPool, broken: object) -> None:
    with pytest.raises(ParseError, match=r"example\.org/feed") as caught:
        await pool.call(URL, broken)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and not isinstance(caught.value, ParserKilled)
    await good(pool)


async def test_a_source_error_stays_what_it_is(pool: ParserPool) -> None:
    with pytest.raises(FetchError, match="unlock"):
        await pool.call("/posts", refuse)


@pytest.mark.parametrize(
    ("broken", "why"), [(spin, "too long"), (crash, "crash"), (leave, "crash"), (betray, "crash")]
)
async def test_what_is_killed_or_crashes_is_the_sources_error(
    pool: ParserPool, broken: object, why: str
) -> None:
    with pytest.raises(ParserKilled, match=why):
        await pool.call(URL, broken)  # type: ignore[arg-type]
    await good(pool)


async def test_a_call_that_waits_instead_of_working_is_ended_too() -> None:
    pool = ParserPool(Limits(5, 0.2), Limits(5, 0.2))
    with pytest.raises(ParserKilled, match="too long"):
        await pool.call(URL, sleep, 1000.0)
    await pool.close()


async def test_a_source_that_was_killed_leaves_the_quick_worker_to_others(pool: ParserPool) -> None:
    with pytest.raises(ParserKilled):
        await pool.call("bad", spin)
    quick = await pool.call("good", whoami)
    bad = [asyncio.create_task(pool.call("bad", spin)) for _ in range(3)]
    for _ in range(5):
        assert await pool.call("good", whoami) == quick
    assert all(isinstance(one, ParserKilled) for one in await asyncio.gather(*bad, return_exceptions=True))
    assert await pool.call("good", whoami) == quick


async def test_a_source_that_is_quick_again_returns_to_the_others(pool: ParserPool) -> None:
    quick = await pool.call("good", whoami)
    with pytest.raises(ParserKilled):
        await pool.call("bad", crash)
    assert await pool.call("bad", whoami) != quick
    assert await pool.call("bad", whoami) == await pool.call("good", whoami)


async def test_no_more_than_some_wait_for_the_slow_worker(pool: ParserPool) -> None:
    with pytest.raises(ParserKilled):
        await pool.call("bad", crash)
    tasks = [asyncio.create_task(pool.call("bad", sleep, 0.0)) for _ in range(QUEUED + 5)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(answer, ParseError) for answer in answers) == 5


async def test_a_task_that_is_cancelled_does_not_block_the_others() -> None:
    pool = ParserPool(Limits(HANG, HANG), SHORT)
    await good(pool)
    task = asyncio.create_task(pool.call("bad", spin))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(60):
        await good(pool)
    await pool.close()


async def test_nothing_is_started_before_it_is_needed_and_nothing_is_left(pool: ParserPool) -> None:
    before = children()
    idle = ParserPool()
    await idle.close()
    await good(pool)
    (worker,) = children() - before
    await pool.close()
    assert not psutil.pid_exists(worker)


@pytest.mark.skipif(QUICK_WORKERS < 2, reason="there is one core")
async def test_two_sources_are_parsed_at_once_and_apart(pool: ParserPool) -> None:
    first, second = await asyncio.gather(pool.call(URL, whoami), pool.call("other", whoami))
    assert first != second
    bad, other = await asyncio.gather(pool.call("bad", crash), pool.call(URL, whoami), return_exceptions=True)
    assert isinstance(bad, ParserKilled) and other in (first, second)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
async def test_a_worker_knows_and_holds_nothing_of_ours(
    pool: ParserPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN", "secret")
    with open(tmp_path / "database", "w"):
        names, files = await pool.call(URL, surroundings)
    assert not [name for name in names if name.startswith("SKYWAVE")]
    assert not [file for file in files if "database" in file]
    assert sum(file.startswith("socket:") for file in files) == 1
    assert capfd.readouterr().out == ""


async def test_signals_of_the_terminal_do_not_end_a_worker(pool: ParserPool) -> None:
    worker = await pool.call(URL, whoami)
    assert os.getpgid(worker) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(worker, number)
    assert await pool.call(URL, whoami) == worker


PARENT = """
import asyncio, tests.content.test_parsers as tests
from content.parsers import Limits, ParserPool
async def main():
    pool = ParserPool(Limits(300, 2), Limits(300, 2))
    print(await pool.call("one", tests.whoami), flush=True)
    await {then}
asyncio.run(main())
"""


@pytest.mark.parametrize("then", ["pool.call('one', tests.spin)", "asyncio.sleep(1000)"])
def test_workers_end_when_the_process_that_started_them_is_killed(then: str) -> None:
    command = [sys.executable, "-c", PARENT.format(then=then)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(timeout=60)
