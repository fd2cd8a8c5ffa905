"""Random acts of people in their chats: they block, mute, move or delete, as the seed decides."""

import random
from collections.abc import Callable, Mapping

from tests.chaos.places import Spot
from tests.chaos.world import World

# At most so many chats of a platform may be deleted for good.
DELETED = 4


class Happenings:
    """Acts for the people of a world."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.counts: dict[str, int] = {}
        self._acts: Mapping[Callable[[], bool], int] = {
            self.block: 4,
            self.close_topic: 4,
            self.take_rights: 2,
            self.migrate: 1,
            self.delete: 1,
            self.archive: 2,
            self.drop_gateway: 2,
        }

    def one(self) -> None:
        """Do one random act."""
        acts = list(self._acts)
        act = self.rng.choices(acts, [self._acts[a] for a in acts])[0]
        if act():
            self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1

    def _pick(self, *kinds: str) -> Spot | None:
        fitting = [s for s in self.world.spots if s.kind in kinds and not s.deleted and not s.hindered]
        return self.rng.choice(fitting) if fitting else None

    def block(self) -> bool:
        spot = self._pick("private")
        if spot is None or spot.chat is None or spot.chat.user is None:
            return False
        self.world.tg.block(spot.chat.user)
        spot.left()
        spot.hindered = True
        return True

    def close_topic(self) -> bool:
        spot = self._pick("topic")
        if spot is None or spot.chat is None:
            return False
        self.world.tg.close_topic(spot.chat, int(spot.topic))
        spot.closed = spot.hindered = True
        return True

    def take_rights(self) -> bool:
        spot = self._pick("group", "supergroup", "channel")
        if spot is None or spot.chat is None:
            return False
        self.world.tg.mute_bot(spot.chat)
        spot.hindered = True
        return True

    def migrate(self) -> bool:
        spot = self._pick("group")
        if spot is None or spot.chat is None:
            return False
        spot.chat = self.world.tg.migrate(spot.chat)
        spot.addresses.append(str(spot.chat.id))
        spot.kind = "supergroup"
        return True

    def delete(self) -> bool:
        spot = self._pick("channel", "text")
        gone = sum(s.deleted for s in self.world.spots)
        if spot is None or gone >= 2 * DELETED or gone >= len(self.world.spots) // 10:
            return False
        spot.left()
        spot.deleted = True
        if spot.chat is not None:
            self.world.tg.delete_chat(spot.chat)
        elif spot.channel is not None:
            self.world.dc.delete(spot.channel)
        return True

    def archive(self) -> bool:
        spot = self._pick("thread")
        if spot is None or spot.channel is None:
            return False
        self.world.dc.archive(spot.channel)
        return True

    def drop_gateway(self) -> bool:
        self.world.dc.gateway.drop()
        return True

    def let_in(self, spot: Spot) -> None:
        """Let the bot write again in this place, and let the platform report it."""
        if spot.deleted:
            return
        if spot.chat is not None:
            self._let_in_telegram(spot)
        elif spot.channel is not None and spot.kind == "dm":
            if self.world.dc.gateway.ready:
                self.world.dc.slash(spot.channel, "help")
        elif spot.channel is not None:
            self.world.dc.rename(
                spot.channel, f"{spot.channel.name.partition('+')[0]}+{self.rng.random():.6f}"
            )
        spot.hindered = False

    def _let_in_telegram(self, spot: Spot) -> None:
        tg, chat = self.world.tg, spot.chat
        assert chat is not None
        if chat.user is not None:
            tg.unblock(chat.user)
            return
        tg.mute_bot(chat, False)
        if spot.topic:
            tg.reopen_topic(chat, int(spot.topic))
            spot.closed = False
        tg.add_bot(chat, admin=chat.type == "channel")
