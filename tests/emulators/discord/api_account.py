"""The bot itself, its application and its commands over REST."""

from tests.emulators.discord import wire
from tests.emulators.discord.access import reach_guild
from tests.emulators.discord.call import Call
from tests.emulators.discord.commands import Commands, complete, read_commands
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.form import number_of
from tests.emulators.discord.state import World
from tests.emulators.discord.types import Json


def get_me(world: World, call: Call) -> Json:
    return me_json(world)


def me_json(world: World) -> Json:
    """The bot's own user object."""
    return wire.user_json(world.bot) | {
        "verified": True,
        "mfa_enabled": False,
        "email": None,
        "locale": "en-US",
        "flags": 0,
    }


def get_user(world: World, call: Call) -> Json:
    user = world.users.get(call.number("user"))
    if user is None:
        raise refusal(10013)
    return wire.user_json(user)


def get_application(world: World, call: Call) -> Json:
    owner = next(iter(world.users.values()))
    return {
        "id": str(world.bot.id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": wire.user_json(owner),
        "team": None,
        "verify_key": "0" * 64,
        "flags": 0,
        "summary": "",
    }


def put_commands(world: World, call: Call) -> list[Json]:
    """Replace all commands. A command with the same name keeps its id."""
    return register(world, read_commands(call.items), _place(world, call))


def register(world: World, items: list[Json], guild: int | None = None) -> list[Json]:
    """Let these be the commands, everywhere or in a guild."""
    there = world.commands.setdefault(guild, Commands())
    there.replace([_registered(world, there, item, guild) for item in items])
    return there.listed()


def add_command(world: World, call: Call) -> Json:
    guild = _place(world, call)
    there = world.commands.setdefault(guild, Commands())
    made = _registered(world, there, read_commands([call.body])[0], guild)
    rest = [item for item in there.listed() if item["id"] != made["id"]]
    read_commands([*rest, made])
    there.replace([*rest, made])
    return made


def get_commands(world: World, call: Call) -> list[Json]:
    """List all commands. The answer has translations only if the request asks for them."""
    there = world.commands.get(_place(world, call), Commands()).listed()
    if call.query.get("with_localizations", "").lower() in ("1", "true"):
        return there
    return [_untranslated(item) for item in there]


def _untranslated(item: Json) -> Json:
    kept: Json = {name: value for name, value in item.items() if not name.endswith("_localizations")}
    options = item.get("options")
    inner = [_untranslated(one) for one in options] if isinstance(options, list) else []
    return kept | {"options": inner} if "options" in item else kept


def _registered(world: World, there: Commands, item: Json, guild: int | None) -> Json:
    key = (number_of(item.get("type"), 1), str(item["name"]))
    old = there.by_name.get(key)
    number = world.new_id() if old is None else number_of(old["id"])
    return complete(item, number, world.new_id(), world.bot.id, guild)


def _place(world: World, call: Call) -> int | None:
    if call.number("application") != world.bot.id:
        raise refusal(404)
    return reach_guild(world, call.number("guild")).id if "guild" in call.params else None
