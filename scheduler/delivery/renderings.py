"""The messages that a delivery becomes: looked up, or rendered once for all chats that get the same."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

from content.document import Document
from content.types import Post
from scheduler.ports import Sender, Store
from scheduler.types import Delivery, Form, Message

# How many renderings are kept in memory; a broadcast needs one for each language and form.
CACHED = 128

Composer = Callable[[Delivery, Sequence[Post]], Document]


def rendering_key(delivery: Delivery, form: Form, language: str) -> str:
    """Names what is shown: the edition, which of its posts, to whom and how."""
    posts = ",".join(map(str, delivery.remaining(form)))
    name = f"{delivery.broadcast_id}|{posts}|{delivery.chat.place.platform}|{language}|{form}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


class Renderings:
    """Rendered messages, in memory and in the store, so that an edition is resumed as it was begun."""

    def __init__(self, store: Store, platform: Sender, compose: Composer) -> None:
        self._store, self._platform, self._compose = store, platform, compose
        self._cache: OrderedDict[str, tuple[Message, ...]] = OrderedDict()
        self._one = asyncio.Lock()  # of all that begin at once, one looks it up

    async def of(self, delivery: Delivery, form: Form) -> tuple[str, tuple[Message, ...]]:
        """The key and the messages of a delivery in a form; no messages when its posts are gone."""
        begun = next((part.fingerprint for part in delivery.parts if part.form is form), None)
        key = begun or rendering_key(delivery, form, delivery.chat.language)
        if key not in self._cache:
            async with self._one:
                if key not in self._cache:
                    self._cache[key] = await self._stored(key, delivery, form)
                    if len(self._cache) > CACHED:
                        self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return key, self._cache[key]

    async def _stored(self, key: str, delivery: Delivery, form: Form) -> tuple[Message, ...]:
        async with self._store.read() as work:
            stored = await work.outbox.rendering(key)
            if stored is not None:
                return tuple(stored)
            posts = await work.posts.by_ids(delivery.remaining(form))
        if not posts and delivery.posts:
            return ()
        messages = tuple(self._platform.render(self._compose(delivery, posts), form))
        async with self._store.write() as work:
            await work.outbox.keep_rendering(key, delivery.broadcast_id, messages)
            await work.commit()
        return messages
