"""How hooks and hubs are shown on the command line."""

from collections.abc import Mapping

from bot.settings import Settings
from content.secrets import HIDDEN, without_secrets
from scheduler.ports import UnitOfWork
from scheduler.push.pushes import Push


async def push_words(work: UnitOfWork) -> Mapping[int, str]:
    """Whether a push works, in a few words, by the id of its source."""
    return {push.source_id: without_secrets(push.word) for push in await work.pushes.all() if push.source_id}


def hook_json(push: Push, settings: Settings) -> Mapping[str, str]:
    """The address of a hook, as far as the settings tell it, and its secret."""
    return {"address": f"{settings.public_url}/hooks/{push.token}", "secret": push.secret}


def hook_lines(push: Push, settings: Settings, *, secret: bool) -> str:
    """What somebody has to know to call a hook. Without `secret`, only what others may see."""
    token, known = (push.token, push.secret) if secret else (HIDDEN, HIDDEN)
    lines = [f"POST {settings.public_url}/hooks/{token}", f"secret: {known}"]
    if not settings.public_url:
        lines.append("The address is below that of your proxy: SKYWAVE_PUBLIC_URL tells Skywave which it is.")
    if settings.metrics_port is None:
        lines.append("Nothing listens yet: set SKYWAVE_METRICS_PORT for skywave run.")
    return "\n".join(lines)
