"""Health over HTTP: on loopback, answered by the event loop, asked by `skywave health`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from bot.cli.health import _health
from bot.loading import load_settings
from bot.metrics import Health, Metrics
from bot.settings import Settings
from bot.web.health import health_routes
from bot.web.server import Route, serving
from content.errors import SettingsError


async def healthy() -> Health:
    return Health({}, 0, {}, {}, 12.0)


def routes() -> Sequence[Route]:
    return health_routes(Metrics(), healthy)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    async with serving(routes(), "127.0.0.1", 0) as given:
        assert given is not None
        yield given


def settings(port: int, host: str = "127.0.0.1") -> Settings:
    return load_settings(metrics_port=port, metrics_host=host)


async def test_metrics_listen_on_loopback_alone_unless_told_otherwise() -> None:
    given = load_settings(metrics_port=0)
    async with serving(routes(), given.metrics_host, given.metrics_port) as port:
        assert port is not None
        with socket.create_connection(("127.0.0.1", port)):
            pass
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):
            pass


async def test_an_address_that_is_taken_is_named(port: int) -> None:
    with pytest.raises(SettingsError, match=f"127.0.0.1:{port} cannot be listened on"):
        async with serving(routes(), "127.0.0.1", port):
            pass


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
async def test_a_process_that_runs_is_healthy(
    port: int, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _health(settings(port, host)) == 0
    assert capsys.readouterr().out == "alive\n"


async def test_a_loop_that_is_stuck_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """The connection is taken by the system, but nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as stuck:
        assert await _health(settings(stuck.getsockname()[1]), timeout=0.05) == 1
    told = capsys.readouterr().err
    assert "does not answer within" in told and told.count("\n") == 1


async def test_no_process_is_not_either(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert await _health(settings(port)) == 1
    told = capsys.readouterr().err
    assert "check that skywave run is running" in told and told.count("\n") == 1


async def test_without_a_port_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert await _health(load_settings()) == 1
    assert "set SKYWAVE_METRICS_PORT" in capsys.readouterr().err


def test_what_happened_to_the_process_is_counted() -> None:
    metrics = Metrics()
    for event in ("clock.jumped", "loop.stuck", "person.flooding"):
        metrics(None, "warning", {"event": event})
    exposed = metrics.exposition(asyncio.run(healthy())).decode()
    for line in (
        "skywave_clock_jumps_total 1.0",
        "skywave_loop_stuck_total 1.0",
        "skywave_floods_total 1.0",
        "skywave_source_unread_seconds 12.0",
    ):
        assert line in exposed
