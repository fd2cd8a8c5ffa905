"""Serves a table of routes on SKYWAVE_METRICS_PORT. A page or an address more is one more entry of the table.

Only routes that are `public` are for the Internet. A proxy may pass on too much by mistake: with
SKYWAVE_PUBLIC_URL, all others answer 404 to what came for that host or through a proxy.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from content.errors import SettingsError
from scheduler.log import Logger

log = Logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]

# Headers that a proxy adds.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a method on a path. `public`: it is meant for the Internet, and checks who calls."""

    method: str
    path: str
    handle: Handler
    public: bool = False


@asynccontextmanager
async def serving(
    routes: Sequence[Route], host: str, port: int | None, public_url: str = ""
) -> AsyncIterator[int | None]:
    """Serve routes on a port; 0 means any free port, None means do not serve.

    Yields the port. Raises SettingsError if the address cannot be used.
    """
    if port is None:
        yield None
        return
    app = web.Application()
    for route in routes:
        app.router.add_route(route.method, route.path, _guarded(route, urlsplit(public_url).hostname or ""))
    # Scrapers keep connections open; do not wait for them at the end. A body that is refused is not read.
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, auto_decompress=False, lingering_time=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    except OSError as exc:
        reason = f"{host}:{port} cannot be listened on: {exc.strerror}"
        raise SettingsError(f"SKYWAVE_METRICS_HOST, SKYWAVE_METRICS_PORT: {reason}") from exc
    finally:
        await runner.cleanup()


def _guarded(route: Route, public_host: str) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        if not route.public and public_host and _is_from_outside(request, public_host):
            return web.Response(status=404, text="404: Not Found")
        try:
            return await route.handle(request)
        except web.HTTPException:
            raise
        except Exception:
            # The edge of the request. aiohttp would log its address, which may be a secret.
            log.exception("web.broken", route=route.path)
            return web.Response(status=500, text="500: Internal Server Error")

    return handle


def _is_from_outside(request: web.Request, public_host: str) -> bool:
    named = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    return named == public_host or any(name in request.headers for name in FORWARDED)
