"""The workers: killed when they take too long, gone when nobody needs them, no harm to other sources."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from content.errors import FetchError, ParseError, ParserKilled
from content.parsers import QUEUED, QUICK_WORKERS, WAITING, Limits, ParserPool
from content.sources.feed import parse_feed
from tests.content.called import (
    betray,
    crash,
    hoard,
    key_error,
    recurse,
    refuse,
    sleep,
    spin,
    surroundings,
    type_error,
    whoami,
)

GOOD = b"<rss><channel><title>good</title><item><guid>1</guid></item></channel></rss>"
PATIENT = Limits(60.0, 60.0)  # in these tests nothing takes so long
URL = "https://example.org/feed"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[ParserPool]:
    """One pool for all tests, because a worker takes long to start. Each names sources of its own."""
    pool = ParserPool(Limits(0.1, 60.0), Limits(0.2, 60.0))
    yield pool
    await pool.close()


async def good(pool: ParserPool, url: str = URL) -> None:
    assert (await pool.call(url, parse_feed, GOOD, "", url, 500)).title == "good"


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_feed_comes_back_as_it_was_parsed(pool: ParserPool) -> None:
    assert await pool.call(URL, parse_feed, GOOD, "", URL, 500) == parse_feed(GOOD, "", URL)


@pytest.mark.parametrize("broken", [key_error, type_error, recurse, hoard])
async def test_whatever_a_parser_raises_is_the_sources_error(pool: ParserPool, broken: object) -> None:
    worker = await pool.call(URL, whoami)
    with pytest.raises(ParseError, match=r"example\.org/feed") as caught:
        await pool.call(URL, broken)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and not isinstance(caught.value, ParserKilled)
    assert await pool.call(URL, whoami) == worker


async def test_a_source_error_stays_what_it_is(pool: ParserPool) -> None:
    with pytest.raises(FetchError, match="unlock"):
        await pool.call("/posts", refuse)


async def test_an_answer_that_would_run_code_is_the_sources_error(pool: ParserPool) -> None:
    with pytest.raises(ParserKilled, match="crash"):
        await pool.call("trojan", betray)
    await good(pool)


async def test_a_source_that_takes_too_long_leaves_the_quick_worker_to_others(pool: ParserPool) -> None:
    with pytest.raises(ParserKilled, match="too long"):
        await pool.call("slow", spin)
    quick = await pool.call(URL, whoami)
    again = asyncio.create_task(pool.call("slow", spin))
    for _ in range(5):
        assert await pool.call(URL, whoami) == quick
    with pytest.raises(ParserKilled):
        await again
    assert await pool.call(URL, whoami) == quick


async def test_a_source_that_crashed_waits_with_some_others_until_it_is_quick_again(pool: ParserPool) -> None:
    with pytest.raises(ParserKilled, match="crash"):
        await pool.call("bad", crash)
    quick = await pool.call(URL, whoami)
    answers = await asyncio.gather(
        *(pool.call("bad", whoami) for _ in range(QUEUED + 5)), return_exceptions=True
    )
    assert sum(isinstance(answer, ParseError) for answer in answers) == 5, "no more may wait"
    assert quick not in answers
    assert await pool.call("bad", whoami) == quick


@pytest.mark.skipif(QUICK_WORKERS < 2, reason="there is one core")
async def test_two_sources_are_parsed_at_once_and_apart(pool: ParserPool) -> None:
    workers = await asyncio.gather(*(pool.call(URL, whoami) for _ in range(2 * WAITING + 2)))
    assert len(set(workers)) == 2
    bad, other = await asyncio.gather(
        pool.call("at once", crash), pool.call(URL, whoami), return_exceptions=True
    )
    assert isinstance(bad, ParserKilled) and other in workers
    assert await pool.call(URL, whoami) == other


async def test_a_call_that_is_cancelled_or_waits_instead_of_working_does_not_block_the_others() -> None:
    pool = ParserPool(PATIENT, Limits(60.0, 0.1))
    worker = await pool.call(URL, whoami)
    task = asyncio.create_task(pool.call("cancelled", spin))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        assert await pool.call(URL, whoami) != worker
    with pytest.raises(ParserKilled):
        await pool.call("waits", crash)
    with pytest.raises(ParserKilled, match="too long"):
        await pool.call("waits", sleep, 1000.0)
    await pool.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
async def test_a_worker_is_started_when_needed_holds_nothing_of_ours_and_ends_with_its_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before, pool = children(), ParserPool(PATIENT, PATIENT)
    await pool.close()
    monkeypatch.setenv("SKYWAVE_TELEGRAM_TOKEN", "secret")
    with open(tmp_path / "database", "w"):
        names, files = await pool.call(URL, surroundings)
    assert not [name for name in names if name.startswith("SKYWAVE")]
    assert not [file for file in files if "database" in file]
    assert sum(file.startswith("socket:") for file in files) == 1
    assert capfd.readouterr().out == ""

    (worker,) = children() - before
    assert os.getpgid(worker) != os.getpgid(0)
    assert os.getsid(worker) == os.getsid(0), "only there its lower priority counts"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(worker, number)
    assert await pool.call(URL, whoami) == worker, "signals of the terminal do not end it"
    await pool.close()
    assert not psutil.pid_exists(worker)


# One worker of a process that is killed is idle then, and the other one works.
PARENT = """
import asyncio, sys
from tests.content.called import tell_and_sleep, whoami
from content.parsers import Limits, ParserPool
async def main():
    pool = ParserPool(Limits(300, 2), Limits(300, 2))
    calls = (pool.call("one", whoami) for _ in range(8))
    print(*set(await asyncio.gather(*calls)), flush=True)
    await pool.call("one", tell_and_sleep, sys.argv[1])
asyncio.run(main())
"""


async def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", PARENT, str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert pipe.read_text() == "working"
        parent.kill()
    assert not psutil.wait_procs(workers, timeout=60)[1]
