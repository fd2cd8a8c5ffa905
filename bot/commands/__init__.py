"""The commands. A new one is a function in one of these modules and a line in COMMANDS."""

from bot.access import Role
from bot.commands.browse import latest, page, search_posts, sources
from bot.commands.start import help_, start
from bot.commands.subscriptions import subscribe, unsubscribe
from bot.commands.types import Command

COMMANDS = (
    Command("latest", "/latest [source]", "the newest posts", latest),
    Command("page", "/page N", "page N of them", page),
    Command("search", "/search words", 'posts with these words; "…" exact, -word without', search_posts),
    Command("sources", "/sources", "where the posts come from", sources),
    Command("subscribe", "/subscribe [source or URL]", "send new posts to this chat", subscribe, Role.ADMIN),
    Command("unsubscribe", "/unsubscribe [source]", "stop sending them", unsubscribe, Role.ADMIN),
    Command("help", "/help", "this list", help_),
    Command("start", "/start", "the first steps", start),
)
