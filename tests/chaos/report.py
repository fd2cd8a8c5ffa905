"""The figures of a run, and the limits that they must not exceed."""

from collections.abc import Iterator, Mapping, Sequence

from tests.chaos.run import Run
from tests.chaos.verdict import MOST_A_KILL, Account, Verdict, not_from_forums

SHOWN = 8
# For this moment the driver holds answers back, so more messages than usual are in flight at the kill.
HELD = "in_flight"


def at_kills(run: Run, verdict: Verdict, account: Account) -> Mapping[str, int]:
    """For each moment of a kill, the most parts that were `sending` on Telegram and arrived twice."""
    pairs, most = verdict.pairs_doubled, dict[str, int]()
    for moment, parts in run.tally.sending:
        doubled = sum(
            part.platform == "telegram"
            and any((part.chat_id, account.names.get(post, "")) in pairs for post in part.posts)
            for part in parts
        )
        most[moment] = max(most.get(moment, 0), doubled)
    return most


def report(run: Run, verdict: Verdict, account: Account) -> Iterator[str]:
    """The report, line by line."""
    tally, world = run.tally, run.world
    yield f"kills: {sum(tally.kills.values())} {dict(tally.kills)}"
    yield f"other ends: {dict(tally.ends)}; troubles: {dict(tally.troubles)}"
    yield f"people: {run.happenings.counts}"
    for storm, name in zip(world.storms, ("telegram", "discord"), strict=True):
        total = sum(storm.counts.values())
        yield f"faults on {name}: {total} of {len(storm.counts)} kinds, {world.ambiguous[name]} ambiguous"
    sent = {"telegram": len(world.tg.sent), "discord": len(world.dc.sent)}
    yield f"chats: {len(world.spots)}, posts: {world.published}, messages: {sent}"
    yield f"arrived {verdict.arrived}, listed {verdict.listed}, while away {verdict.excused}"
    on_the_way = {name: tally.sending_on(name) for name in sent}
    yield f"sending at the kills: {on_the_way}, at most {tally.most_sending()} on Telegram"
    yield f"sends on Telegram that outages cut: {tally.cut}"
    yield f"unknown, by the program: {account.unknowns}"
    yield f"let in twice: {tally.let_in_again}; left sending by SIGTERM: {tally.left_sending}"
    edited = run.edited
    yield f"edits: {edited.shown} shown, {edited.listed} listed, {edited.repeated} repeated on Discord"
    found = {
        "edits lost": edited.lost,
        "edits before a new post": edited.overtook,
        "lost": verdict.lost,
        "only in the books": verdict.only_in_the_books,
        "unrecorded": verdict.unrecorded,
        "doubled on telegram": verdict.doubled["telegram"],
        "doubled on discord": verdict.doubled["discord"],
        "doubled and not counted unknown": verdict.uncounted,
        "out of order": verdict.misplaced,
        "stranded": verdict.stranded,
        "faults of its own": run.broken(),
    }
    for name, lines in found.items():
        yield f"{name}: {len(lines)}"
        yield from (f"    {line}" for line in lines[:SHOWN])
    yield f"most doubled on telegram by one kill, by its moment: {at_kills(run, verdict, account)}"


def failures(run: Run, verdict: Verdict, account: Account) -> Sequence[str]:
    """The limits that were exceeded."""
    tally, world = run.tally, run.world
    possible = tally.sending_on("telegram") + world.ambiguous["telegram"] + tally.cut
    on_discord = list(not_from_forums(verdict.doubled["discord"]))
    freely = {moment: most for moment, most in at_kills(run, verdict, account).items() if moment != HELD}
    bars = {
        "nothing is lost": not verdict.lost,
        "nothing is sent in the ledger alone": not verdict.only_in_the_books,
        "no edit is lost": not run.edited.lost,
        "no edit goes before a new post": not run.edited.overtook,
        "edits are repeated only after unknown outcomes": run.edited.repeated <= run.edited.most_repeated,
        "nothing is left open": not verdict.left_open,
        "nothing is doubled on Discord outside forums": not on_discord,
        "what is doubled was counted unknown": not verdict.uncounted,
        "what was sending at the kills was counted unknown": account.unknowns["telegram"]
        >= tally.sending_on("telegram"),
        "doubled on Telegram is at most what could not be known": len(verdict.doubled["telegram"])
        <= possible,
        f"at most {MOST_A_KILL} doubled a kill": max(freely.values(), default=0) <= MOST_A_KILL,
        "every chat keeps its order": not verdict.misplaced,
        "every chat that can be reached is active": not verdict.stranded,
        "it has no fault of its own": not run.broken(),
        "an orderly end leaves nothing `sending`": not tally.left_sending,
    }
    return [name for name, passed in bars.items() if not passed]
