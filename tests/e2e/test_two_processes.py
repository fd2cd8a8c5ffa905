"""Start two processes on one database: on PostgreSQL the second takes over, on SQLite it is refused.

For more chats than in the tests: python -m tests.e2e.test_two_processes --chats 5000
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select, update

from scheduler.types import DeliveryState, PartState
from storage.database import create_engine
from storage.tables import BROADCASTS, DELIVERIES, DIGESTS, LEASES, PARTS
from tests.chaos.servers import postgres
from tests.e2e.crash import LOOK
from tests.e2e.program import FeedServer, Program, item, json_feed
from tests.emulators.telegram import Latency, TelegramEmulator

# Latency in seconds, so that many messages are in flight when the process is killed.
LATENCY = Latency(round_trip=0.05)
PATIENCE = 90.0
# A lease lasts 10 s and is renewed after a third of that. So after a kill it lasts at least so long, less the
# time of a renewal, seconds.
SHORTEST = 5.0
OPEN = (DeliveryState.PENDING, DeliveryState.CLAIMED)


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The result of killing the holder. `on_the_way` is the number of parts that were `sending` then."""

    lost: int
    doubled: int
    on_the_way: int
    unknowns: int
    seconds: float
    """Time from the last request of the one process to the first of the other."""
    counts: dict[str, int]
    digests: int
    """Runs of the digest that became due in between."""
    digest_messages: int
    is_handed_over: bool
    """Whether a third process got all leases when the second had ended by itself."""


async def take_over(folder: Path, url: str, chats: int) -> TakeOver:
    """Broadcast a post to private chats, and kill the sending process in the middle.

    Another takes over and sends the rest. When it is told to end, a third one takes over from it.
    """
    async with TelegramEmulator(latency=LATENCY) as tg, FeedServer().serving() as feeds:
        feeds.documents["/feed"] = json_feed(item("old"))
        program = Program(
            folder,
            database_url=url,
            telegram_token=tg.token,
            telegram_api_url=tg.url,
            telegram_paid_broadcast="true",
        )
        assert (await program.call("sources", "add", f"{feeds.url}/feed"))[0] == 0
        readers = [tg.private(tg.user(f"Reader {n}")).id for n in range(chats)]
        daily = tg.private(tg.user("Daily reader")).id
        places = " ".join(f"telegram:{chat}" for chat in (*readers, daily))
        assert (await program.call("subscriptions", "add", "-", input=places))[0] == 0
        assert (await program.call("digests", "add", f"telegram:{daily}", "daily", "00:00"))[0] == 0

        first = await program.start("run")
        await tg.wait_for(lambda: tg.requests("getUpdates"), PATIENCE)
        async with program.running() as second:
            feeds.documents["/feed"] = json_feed(item("new"), item("old"))
            await tg.wait_for(lambda: len(tg.sent) >= chats // 2, PATIENCE)
            first.kill()
            await first.wait()
            on_the_way = await _parts_sending(url)
            await _let_digests_be_due(url)
            # The emulator may read requests of the dead process after its end. The other begins with getMe.
            await tg.wait_for(lambda: len(tg.requests("getMe")) >= 2, PATIENCE)
            taken = tg.requests("getMe")[1].at
            await tg.wait_for(lambda: any(m.chat_id == daily for m in tg.sent), PATIENCE)
            while await _rows(url, select(DELIVERIES.c.id).where(DELIVERIES.c.state.in_(OPEN)).limit(1)):
                await asyncio.sleep(LOOK)
            assert second.returncode is None
            async with program.running() as third:
                second.terminate()
                assert await second.wait() == 0
                await tg.wait_for(lambda: len(tg.requests("getMe")) >= 3, PATIENCE)
                holders = await _rows(url, select(LEASES.c.holder).distinct())
        listed = await program.json("deliveries", "list", "--limit", "1")

        sends = [request.at for request in tg.requests("sendMessage")]
        received = Counter(message.chat_id for message in tg.sent if "Post new" in message.text)
        digest_messages = received.pop(daily, 0)
        return TakeOver(
            lost=len(set(readers) - set(received)),
            doubled=sum(count - 1 for count in received.values()),
            on_the_way=on_the_way,
            unknowns=listed["unknowns"],
            seconds=min(at for at in sends if at > taken) - max(at for at in sends if at < taken),
            counts=listed["counts"],
            digests=await _editions(url),
            digest_messages=digest_messages,
            is_handed_over=len(holders) == 1 and f":{third.pid}:" in str(holders[0]),
        )


async def _parts_sending(url: str) -> int:
    return len(await _rows(url, select(PARTS.c.n).where(PARTS.c.state == PartState.SENDING)))


async def _editions(url: str) -> int:
    of_digest = select(BROADCASTS.c.id).join(DELIVERIES, DELIVERIES.c.broadcast_id == BROADCASTS.c.id)
    sent = DELIVERIES.c.state == DeliveryState.SENT
    return len(await _rows(url, of_digest.where(BROADCASTS.c.digest_id.is_not(None), sent)))


async def _let_digests_be_due(url: str) -> None:
    """Make the digests due, as if their time had come while no process ran."""
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(update(DIGESTS).values(next_run_at=datetime.now(UTC)))
    finally:
        await engine.dispose()


async def _rows(url: str, query: Select[*tuple[Any, ...]]) -> list[object]:
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(query)).all())
    finally:
        await engine.dispose()


async def test_on_postgresql_another_takes_over_from_one_that_died_and_from_one_that_ended(
    own_postgres_url: str, tmp_path: Path
) -> None:
    done = await take_over(tmp_path, own_postgres_url, chats=150)
    assert done.lost == 0
    assert done.on_the_way > 0
    assert done.doubled <= done.on_the_way
    assert done.unknowns == done.on_the_way
    assert done.counts == {"sent": 151}
    assert (done.digests, done.digest_messages) == (1, 1)
    assert done.seconds >= SHORTEST
    assert done.is_handed_over


@pytest.mark.usefixtures("sqlite_url")
async def test_on_sqlite_the_second_is_refused_and_commands_work(tmp_path: Path) -> None:
    async with TelegramEmulator() as tg:
        program = Program(tmp_path, telegram_token=tg.token, telegram_api_url=tg.url)
        async with program.running() as first:
            await tg.wait_for(lambda: tg.requests("getUpdates"), PATIENCE)
            status, out, err = await program.call("run")
            assert (status, out) == (1, "")
            assert err.splitlines()[-1] == (
                f"skywave: another skywave runs on sqlite:///{tmp_path / 'skywave.db'}: stop it first"
            )
            assert (await program.call("chats", "add", "telegram:7"))[0] == 0
            assert [chat["place"]["address"] for chat in await program.json("chats", "list")] == ["7"]
            assert first.returncode is None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=5000)
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        print(asyncio.run(take_over(Path(folder), server.url, parser.parse_args().chats)))


if __name__ == "__main__":
    main()
