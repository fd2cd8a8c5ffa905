"""After kill -9 no post is lost, and at most the parts that were `sending` arrive twice."""

from pathlib import Path

import pytest

from tests.e2e.crash import crash

# The file from which the program starts.
pytestmark = pytest.mark.usefixtures("sqlite_url")


async def test_a_broadcast_survives_kills(tmp_path: Path) -> None:
    damage = await crash(tmp_path, chats=40, kills=2, seed=1)
    assert damage.lost == 0
    assert damage.unwanted == 0
    assert damage.doubled <= damage.on_the_way
    assert damage.counts == {"sent": 40}
    assert damage.unknowns == damage.on_the_way


async def test_a_broadcast_on_discord_survives_kills_and_lost_answers_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    damage = await crash(tmp_path, platform="discord", chats=30, posts=3, kills=2, seed=1)
    assert damage.lost == damage.doubled == damage.unwanted == 0
    assert damage.counts == {"sent": 90}
    assert damage.unknowns >= damage.on_the_way
