"""Random faults: every fault of both platforms, on a share of the calls.

The weights keep a run going: most faults pass, and only few stop a chat or the whole bot.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.emulators.base import Answer, Fault, FaultQueue
from tests.emulators.discord import faults as dc_faults
from tests.emulators.telegram import faults as tg_faults


class Effect(StrEnum):
    """The effect of a fault on the chat that gets it."""

    AMBIGUOUS = "ambiguous"  # an unknown outcome
    PASSES = "passes"  # the call had no effect or was only late
    CONTENT = "content"  # the platform refuses this form of the message
    PAUSED = "paused"  # the bot may not write in the chat for now
    GONE = "gone"  # the chat counts as gone
    STOPS = "stops"  # the token is refused: the platform stops until a restart


WEIGHTS: Mapping[Effect, int] = {
    Effect.AMBIGUOUS: 350,
    Effect.PASSES: 350,
    Effect.CONTENT: 180,
    Effect.PAUSED: 60,
    Effect.GONE: 55,
    Effect.STOPS: 5,
}
# Faults of calls that are not sends: any server or network may cause them.
ELSEWHERE = ("drop", "bad-gateway", "html", "server-error", "retry-after-1", "conflict")
ELSEWHERE_DISCORD = ("500", "502", "503", "504", "drop", "retry-after-1")

Table = Mapping[Effect, Sequence[tuple[str, Fault]]]


def telegram_table() -> Table:
    """Every fault of Telegram, by its effect on the chat."""
    table: dict[Effect, list[tuple[str, Fault]]] = {effect: [] for effect in Effect}
    gone = ("blocked", "deactivated", "cannot-initiate", "group-deleted", "chat-not-found")
    paused = ("thread-not-found", "topic-closed", "no-rights", "need-admin", "no-write-access")
    for kind, (status, _) in tg_faults.REFUSALS.items():
        if status in (401, 404):
            effect = Effect.STOPS
        elif status >= 500 or kind == "conflict":
            effect = Effect.AMBIGUOUS
        elif kind in gone or kind.startswith(("kicked-", "not-member-")):
            effect = Effect.GONE
        elif kind in paused or kind == "write-forbidden":
            effect = Effect.PAUSED
        else:
            effect = Effect.CONTENT
        table[effect].append((kind, tg_faults.refused(kind)))
    for kind in ("drop", "delivered-drop", "bad-gateway", "html", "delivered-server-error"):
        table[Effect.AMBIGUOUS].append((kind, tg_faults.named(kind)))
    table[Effect.AMBIGUOUS] += [
        ("delivered-bad-gateway", tg_faults.bad_gateway(processed=True)),
        ("delivered-html", tg_faults.html(processed=True)),
    ]
    for kind in ("retry-after-1", "retry-after-2", "hold-1", "hold-2", "delay-1", "delay-2"):
        table[Effect.PASSES].append((kind, tg_faults.named(kind)))
    return table


# Discord gives this answer only to a repeated nonce whose message was deleted.
IMPOSSIBLE = (10008,)
_GONE = (10003, 10004, 10013, 50007, 50278)
_PAUSED = (50001, 50008, 50013, 50024, 50083, 160002, 160005, 40067)


def discord_table() -> Table:
    """Every fault of Discord, by its effect on the channel."""
    table: dict[Effect, list[tuple[str, Fault]]] = {effect: [] for effect in Effect}
    for code, (status, _) in dc_faults.REFUSALS.items():
        if code in IMPOSSIBLE:
            continue
        if status == 401:
            effect = Effect.STOPS
        elif code in _GONE:
            effect = Effect.GONE
        elif code in _PAUSED or status == 403:
            effect = Effect.PAUSED
        elif status in (400, 413):
            effect = Effect.CONTENT
        else:
            effect = Effect.PASSES
        table[effect].append((str(code), dc_faults.refused(code)))
    for kind in ("500", "502", "503", "504", "delivered-500", "delivered-502", "delivered-503"):
        table[Effect.AMBIGUOUS].append((kind, dc_faults.named(kind)))
    for kind in ("delivered-504", "drop", "delivered-drop"):
        table[Effect.AMBIGUOUS].append((kind, dc_faults.named(kind)))
    for kind in ("retry-after-1", "global-1", "shared-1", "hold-1", "hold-2", "delay-1", "delay-2"):
        table[Effect.PASSES].append((kind, dc_faults.named(kind)))
    # The block of an IP address has no `Via` header. The real one lasts longer.
    blocked = Answer(429, b"error code: 1015", "text/plain", (("Retry-After", "2"),))
    table[Effect.PASSES].append(("banned", Fault(processed=False, answer=blocked)))
    return table


@dataclass(slots=True)
class Storm(FaultQueue):
    """A fault queue that gives random faults of `table` to a share of the calls to `sends`.

    Faults that a test has added come first. `befell` is called for each fault with its effect and place.
    """

    rng: random.Random = field(default_factory=random.Random)
    table: Table = field(default_factory=dict)
    sends: tuple[str, ...] = ()
    elsewhere: Sequence[Fault] = ()
    befell: Callable[[Effect, str], None] = lambda effect, place: None
    share: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    passed: int = 0
    """Faults of calls that are not sends."""
    taken: list[Fault] = field(default_factory=list)
    """Faults that a test had added and that were used."""

    def take(self, method: str, chat: str | int) -> Fault | None:
        """Return the fault for this request, if it gets one."""
        # dataclass(slots=True) creates a new class, for which a bare super() does not work
        planned = FaultQueue.take(self, method, chat)
        if planned is not None:
            self.taken.append(planned)
            return planned
        if self.rng.random() >= self.share:
            return None
        if method in self.sends:
            return self._of_table(str(chat))
        if not self.elsewhere or self.rng.random() >= 0.3:
            return None
        self.passed += 1
        return self.rng.choice(self.elsewhere)

    def _of_table(self, place: str) -> Fault:
        effects = list(WEIGHTS)
        effect = self.rng.choices(effects, [WEIGHTS[e] for e in effects])[0]
        kind, fault = self.rng.choice(self.table[effect])
        self.counts[kind] += 1
        self.befell(effect, place)
        return fault
