"""Answers to interactions: callbacks, and follow-ups by webhook token."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.emulators.discord.access import check_words
from tests.emulators.discord.api_messages import edited
from tests.emulators.discord.call import Call
from tests.emulators.discord.commands import check_choices
from tests.emulators.discord.components import read_modal
from tests.emulators.discord.content import Draft, read_draft, read_edit
from tests.emulators.discord.form import Form, number_of
from tests.emulators.discord.interactions import acknowledge, find_message, to_answer, to_follow
from tests.emulators.discord.mentions import USERS, Allowed
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    EPHEMERAL,
    LOADING,
    MODAL,
    Interaction,
    Json,
    Message,
    Pings,
)

REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, SHOW_MODAL = 4, 5, 6, 7, 8, 9
_ANSWERS: Mapping[int, tuple[int, ...]] = {
    COMMAND: (REPLY, DEFER, SHOW_MODAL),
    COMPONENT: (REPLY, DEFER, DEFER_UPDATE, UPDATE, SHOW_MODAL),
    AUTOCOMPLETE: (CHOICES,),
    MODAL: (REPLY, DEFER, DEFER_UPDATE, UPDATE),
}
_EMPTY = Draft("", (), (), (), 0, Allowed(frozenset()))


def callback(world: World, call: Call) -> Json | None:
    """Acknowledge an interaction. If the body is refused, the interaction still waits."""
    made = to_answer(world, call.params["interaction"], call.params["token"])
    form = Form()
    kind = form.choice(call.body.get("type"), ("type",), _allowed(made))
    form.check()
    data = call.body.get("data")
    act: Callable[[World, Interaction, Json, tuple[Json, ...]], Message | None] = _KINDS[kind]
    message = act(world, made, data if isinstance(data, dict) else {}, call.files)
    acknowledge(world, made, kind)
    if call.query.get("with_response", "").lower() not in ("1", "true"):
        return None
    return _response(world, made, kind, message)


def _allowed(made: Interaction) -> tuple[int, ...]:
    kinds = _ANSWERS[made.type]
    if made.source is None:
        kinds = tuple(kind for kind in kinds if kind not in (DEFER_UPDATE, UPDATE))
    return kinds


def _response(world: World, made: Interaction, kind: int, message: Message | None) -> Json:
    body: Json = {"id": str(made.id), "type": made.type}
    resource: Json = {"type": kind}
    if message is not None:
        body |= {
            "response_message_id": str(message.id),
            "response_message_loading": bool(message.flags & LOADING),
            "response_message_ephemeral": bool(message.flags & EPHEMERAL),
        }
        resource["message"] = world.json(message)
    return {"interaction": body, "resource": resource}


def _reply(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> Message:
    return _say(world, made, _read(made, data, files))


def _read(made: Interaction, data: Json, files: tuple[Json, ...]) -> Draft:
    draft = replace(read_draft(data, files, USERS), nonce=None, reply_to=None)
    check_words(made.channel, draft.text)
    return draft


def _defer(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> Message:
    flags = number_of(data.get("flags")) & EPHEMERAL
    return _say(world, made, replace(_EMPTY, flags=flags | LOADING))


def _defer_update(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> Message | None:
    assert made.source is not None
    made.original = made.source.id
    return None


def _update(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> Message:
    assert made.source is not None
    made.original = made.source.id
    return _edit(world, made, find_message(made, "@original"), data, files)


def _choices(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> None:
    form = Form()
    choices = form.items(data.get("choices"), ("data", "choices"), 25)
    check_choices(form, choices, ("data", "choices"))
    form.check()
    made.choices = tuple(choices)


def _modal(world: World, made: Interaction, data: Json, files: tuple[Json, ...]) -> None:
    form = Form()
    made.modal = read_modal(form, data, ("data",))
    form.check()


_KINDS: Mapping[int, Callable[[World, Interaction, Json, tuple[Json, ...]], Message | None]] = {
    REPLY: _reply,
    DEFER: _defer,
    DEFER_UPDATE: _defer_update,
    UPDATE: _update,
    CHOICES: _choices,
    SHOW_MODAL: _modal,
}


def _say(world: World, made: Interaction, draft: Draft) -> Message:
    only_for = made.user.id if draft.flags & EPHEMERAL else None
    who = Pings() if only_for else world.pings_of(made.channel, world.bot, draft, trusted=True)
    message = world.post(made.channel, world.bot, draft, who, only_for=only_for, interaction_id=made.id)
    made.messages.append(message.id)
    if made.original is None:
        made.original = message.id
    return message


def _edit(
    world: World, made: Interaction, message: Message, body: Json, files: tuple[Json, ...] = ()
) -> Message:
    """Edit a message of the interaction. The first edit of a deferred message shows it."""
    draft = read_edit(body, message, USERS, files)
    check_words(made.channel, draft.text)
    fields = edited(world, made.channel, draft, trusted=True)
    if message.only_for is not None:
        fields["pings"] = Pings()
    if message.flags & LOADING:
        return world.fill(made.channel, message, **fields | {"flags": draft.flags & ~LOADING})
    return world.change(made.channel, message, **fields)


def follow_up(world: World, call: Call) -> Json:
    """Send a follow-up. The first one after a deferral replaces the deferred message."""
    made = to_follow(world, call.params["application"], call.params["token"])
    draft = _read(made, call.body, call.files)
    awaited = _awaited(made)
    if awaited is None:
        return world.json(_say(world, made, draft))
    flags = awaited.flags & EPHEMERAL | draft.flags & ~EPHEMERAL
    fields = edited(world, made.channel, draft, trusted=True) | {"flags": flags}
    if awaited.only_for is not None:
        fields["pings"] = Pings()
    return world.json(world.fill(made.channel, awaited, **fields))


def _awaited(made: Interaction) -> Message | None:
    channel, number = made.channel, made.original or 0
    original = channel.messages.get(number) or channel.hidden.get(number)
    return original if original is not None and original.flags & LOADING else None


def get_answer(world: World, call: Call) -> Json:
    made = to_follow(world, call.params["application"], call.params["token"])
    return world.json(find_message(made, call.params["message"]))


def edit_answer(world: World, call: Call) -> Json:
    made = to_follow(world, call.params["application"], call.params["token"])
    message = find_message(made, call.params["message"])
    return world.json(_edit(world, made, message, call.body, call.files))


def delete_answer(world: World, call: Call) -> None:
    made = to_follow(world, call.params["application"], call.params["token"])
    world.remove(made.channel, find_message(made, call.params["message"]))
