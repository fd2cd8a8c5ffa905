"""A short run of `make hostile`: all hostile feeds and folders together must not affect anybody else."""

import logging
from pathlib import Path

import pytest

from tests.hostile.feeds import KINDS
from tests.hostile.report import compare
from tests.hostile.run import Figures, Phase, Size

SMALL = Size(
    private=12,
    groups=2,
    askers=10,  # so many that on a slow machine none asks more often than people may
    good=6,
    hostile=len(KINDS),
    folders=5,
    listings=1,
    gits=5,
    teasers=1,
    seconds=2.0,
    interval=4,
    news_every=1.0,
    call_every=0.5,
    say_every=1.0,
    part=10,
)


@pytest.mark.usefixtures("sqlite_url")
async def test_hostile_feeds_folders_and_members_cost_nobody_else_a_post(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "aiohttp.server")  # sites that break off cause errors in its log
    found = await Phase(tmp_path, SMALL, 4, hostile=True).go(lambda text: None)
    assert found.lost == []
    assert found.doubled == 0
    assert found.broken == []
    assert found.unanswered == 0
    assert found.gaps, "good feeds were read again and again"
    assert found.workers, "other processes have parsed it all"


def test_the_report_sees_what_is_wrong() -> None:
    calm = Figures(gaps=[10.0], replies=[0.1], memory=100.0)
    assert compare(calm, Figures(gaps=[14.0], replies=[0.19], memory=140.0))[1] == []
    bad = Figures(
        gaps=[16.0], replies=[0.3], memory=160.0, lost=["x"], broken=["y"], doubled=1, unanswered=1, stop=21.0
    )
    assert len(compare(calm, bad)[1]) == 8
