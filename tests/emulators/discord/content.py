"""Reads the body of a message, for sends, edits, replies to interactions and forum posts."""

from dataclasses import dataclass, replace

from tests.emulators.discord.components import read_components
from tests.emulators.discord.embeds import read_embeds
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.form import Form, Path, number_of
from tests.emulators.discord.layout import check_size, texts
from tests.emulators.discord.mentions import Allowed, read_allowed
from tests.emulators.discord.types import (
    COMPONENTS_V2,
    EPHEMERAL,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    Json,
    Message,
)

CONTENT_LIMIT = 2000
NONCE_LIMIT = 25
_SETTABLE = SUPPRESS_EMBEDS | EPHEMERAL | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked message that is not shown yet."""

    content: str
    embeds: tuple[Json, ...]
    components: tuple[Json, ...]
    files: tuple[Json, ...]
    flags: int
    allowed: Allowed
    nonce: str | int | None = None
    enforce_nonce: bool = False
    reply_to: int | None = None
    must_exist: bool = True
    """Whether a reply to a deleted message is refused."""

    @property
    def text(self) -> str:
        """The text in which mentions and blocked words count."""
        return "\n".join((self.content, *texts(self.components)))


def read_draft(body: Json, files: tuple[Json, ...], parse: frozenset[str], path: Path = ()) -> Draft:
    """Read the message in a body. Raises 50035 with all errors, 50006 if the message is empty."""
    form = Form()
    draft = _draft(form, body, files, number_of(body.get("flags")) & _SETTABLE, parse, path)
    form.check()
    _check_filled(draft)
    check_size(draft.components)
    return draft


def read_edit(body: Json, old: Message, parse: frozenset[str], files: tuple[Json, ...] = ()) -> Draft:
    """The message after the edit. Missing fields of the body keep their value, null clears it."""
    kept: Json = {
        "content": old.content,
        "embeds": list(old.embeds),
        "components": list(old.components),
    }
    fixed = old.flags & ~(SUPPRESS_EMBEDS | COMPONENTS_V2)
    wanted = number_of(body.get("flags"), old.flags) & (SUPPRESS_EMBEDS | COMPONENTS_V2)
    wanted |= old.flags & COMPONENTS_V2
    form = Form()
    kept_files = old.files if body.get("attachments") is None else _kept(old, body["attachments"])
    merged = kept | {name: value for name, value in body.items() if name != "flags"}
    draft = _draft(form, merged, (*kept_files, *files), fixed | wanted, parse, ())
    form.check()
    _check_filled(draft)
    check_size(draft.components)
    return draft


def _kept(old: Message, listed: object) -> tuple[Json, ...]:
    ids = (
        {str(item.get("id")) for item in listed if isinstance(item, dict)} if isinstance(listed, list) else ()
    )
    return tuple(file for file in old.files if file["id"] in ids)


def _draft(
    form: Form, body: Json, files: tuple[Json, ...], flags: int, parse: frozenset[str], path: Path
) -> Draft:
    v2 = bool(flags & COMPONENTS_V2)
    where, names = (*path, "components"), frozenset(str(file["filename"]) for file in files)
    draft = Draft(
        content=form.text(body.get("content"), (*path, "content"), CONTENT_LIMIT),
        embeds=read_embeds(form, body.get("embeds"), (*path, "embeds")),
        components=read_components(form, body.get("components"), where, v2=v2, files=names),
        files=files,
        flags=flags,
        allowed=read_allowed(form, body.get("allowed_mentions"), parse, (*path, "allowed_mentions")),
        nonce=_nonce(form, body.get("nonce"), (*path, "nonce")),
        enforce_nonce=body.get("enforce_nonce") is True,
    )
    if v2:
        _check_v2(form, draft, body, path)
    return _replying(draft, body.get("message_reference"))


def _check_v2(form: Form, draft: Draft, body: Json, path: Path) -> None:
    used = {"content": draft.content, "embeds": draft.embeds}
    for name in ("content", "embeds", "poll", "sticker_ids"):
        if used.get(name, body.get(name)):
            known = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.wrong((*path, name), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", known)


def _nonce(form: Form, value: object, path: Path) -> str | int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if not isinstance(value, str):
        form.wrong(path, "NONCE_TYPE_CONVERT", "A nonce is a number or a string")
        return None
    if len(value) > NONCE_LIMIT:
        form.wrong(path, "NONCE_TYPE_TOO_LONG", f"Must be {NONCE_LIMIT} or fewer in length.")
    return value


def _replying(draft: Draft, reference: object) -> Draft:
    if not isinstance(reference, dict) or not number_of(reference.get("message_id")):
        return draft
    must = reference.get("fail_if_not_exists", True) is True
    return replace(draft, reply_to=number_of(reference["message_id"]), must_exist=must)


def _check_filled(draft: Draft) -> None:
    v2 = draft.flags & COMPONENTS_V2 and draft.components
    if not (draft.content or draft.embeds or draft.files or v2):
        raise refusal(50006)
