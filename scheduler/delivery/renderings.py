"""The messages that a delivery becomes: looked up, or rendered once for all chats that get the same."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

from content.document import Document
from content.types import Post
from scheduler.delivery.attempts import Rendering
from scheduler.ports import HasRichForm, Sender, Store
from scheduler.types import Delivery, Form, Message

# How many renderings are kept in memory; a broadcast needs one for each language and form.
CACHED = 128

Composer = Callable[[Delivery, Sequence[Post]], Document]


def _key_of(delivery: Delivery, form: Form) -> str:
    """Names all that decides what is shown: the posts, the platform, the form, and the chat's settings."""
    begun = next((part.rendering_key for part in delivery.parts if part.form is form), None)
    if begun is not None:
        return begun
    posts = ",".join(map(str, delivery.remaining(form)))
    chat = delivery.chat
    local = f"{chat.language}|{chat.timezone}|{delivery.format.look}"
    name = f"{delivery.broadcast_id}|{posts}|{chat.place.platform}|{form}|{local}"
    if form is Form.RICH:  # whether a chat gets it depends on its kind and its choice
        name += f"|{chat.kind}|{chat.format.rich}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


class Renderings:
    """Rendered messages, in memory and in the store, so that a broadcast is resumed as it was begun."""

    def __init__(self, store: Store, platform: Sender, compose: Composer) -> None:
        self._store, self._platform, self._compose = store, platform, compose
        self._rich = platform if isinstance(platform, HasRichForm) else None
        self._cache: OrderedDict[str, Rendering] = OrderedDict()
        self._lookup = asyncio.Lock()  # when many deliveries begin at once, one of them asks the store

    async def get(self, delivery: Delivery, form: Form) -> Rendering:
        """The rendering of a delivery in a form; without messages when its posts are gone.

        Where the rich form is not possible or not preferred, it is the full one.
        """
        if form is Form.RICH and not self._may_be_rich(delivery):
            form = Form.FULL
        key = _key_of(delivery, form)
        if key not in self._cache:
            async with self._lookup:
                if key not in self._cache:
                    self._cache[key] = await self._load_or_render(key, delivery, form)
                    if len(self._cache) > CACHED:
                        self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return self._cache[key]

    def _may_be_rich(self, delivery: Delivery) -> bool:
        """A delivery that was begun in the full form goes on in it."""
        begun = {part.form for part in delivery.parts}
        return self._rich is not None and (not begun or Form.RICH in begun)

    async def _load_or_render(self, key: str, delivery: Delivery, form: Form) -> Rendering:
        async with self._store.read() as work:
            stored = await work.outbox.rendering(key)
            if stored is not None:
                return Rendering(key, form, tuple(stored))
            posts = await work.posts.by_ids(delivery.remaining(form))
        if not posts and delivery.posts:
            return Rendering(key, form, ())
        messages = await asyncio.to_thread(self._render, delivery, posts, form)
        if messages is None:
            return await self._load_or_render(_key_of(delivery, Form.FULL), delivery, Form.FULL)
        async with self._store.write() as work:
            await work.outbox.keep_rendering(key, delivery.broadcast_id, messages)
            await work.commit()
        return Rendering(key, form, messages)

    def _render(self, delivery: Delivery, posts: Sequence[Post], form: Form) -> tuple[Message, ...] | None:
        """The messages in a form; None if the chat should not get these posts in `Form.RICH`.

        Runs in a thread, because a long post can take a second.
        """
        document = self._compose(delivery, posts)
        if form is Form.RICH and not (self._rich and self._rich.prefers_rich(document, delivery.chat)):
            return None
        return tuple(self._platform.render(document, form))
