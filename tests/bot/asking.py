"""A panel for tests of the contract of buttons: one asks a question, one does not, one is a link."""

from dataclasses import replace

from bot.access import Act
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Button, Command, Press, Question, Reply, Request, Services
from content import present

ASKING = Button("Rename", "z:1", Question("What is its new name?", "Field notes"))
LONG = Button("Describe", "z:3", Question("What is it about? " * 5))
ROWS = ((ASKING, Button("Plain", "z:2")), (LONG, Button("Site", url="https://example.org/")))


async def _panel(request: Request, services: Services) -> Reply:
    return Reply(present.notice("a panel"), ROWS)


async def _pressed(data: str, request: Request, services: Services) -> Reply:
    return Reply(present.notice(f"{data} got “{request.arguments}”"), ROWS)


def router_with_panel(services: Services) -> Router:
    """A new router whose /help is the panel."""
    command, press = Command("help", "/help", "", _panel), Press("z", _pressed, Act.MANAGE)
    services = replace(services, commands=(command,), presses=(press,))
    return Router(services, ["terminal:me"], Flood(1000, services.clock))
