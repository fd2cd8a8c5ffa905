"""/metrics, /healthz and /readyz: for the operator's own network."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.metrics import Health, Metrics
from bot.web.server import Route


def health_routes(metrics: Metrics, health: Callable[[], Awaitable[Health]]) -> Sequence[Route]:
    """The routes of metrics and health; `health` is asked at each request."""

    async def exposed(_: web.Request) -> web.Response:
        body = metrics.exposition(await health())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        problems = (await health()).problems
        status = {"status": "ready"} if not problems else {"status": "not ready", "problems": dict(problems)}
        return web.json_response(status, status=503 if problems else 200)

    return (
        Route("GET", "/metrics", exposed),
        Route("GET", "/healthz", alive),
        Route("GET", "/readyz", ready),
    )
