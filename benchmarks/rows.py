"""The rows that Skywave makes, written by plain SQL: its outbox is compared with this."""

import sqlite3
from contextlib import closing
from pathlib import Path

# The rows of a fan-out of one post, in the shortest way; :broadcast, :post, :key and :now are bound.
DELIVERIES = """
INSERT INTO deliveries (broadcast_id, chat_id, platform, state, form, attempts, due_at, epoch, reason)
SELECT :broadcast, id, platform, 'pending', 'full', 0, :now, 0, '' FROM chats
"""
LEDGER = """
INSERT INTO ledger (chat_id, post_key, post_id, delivery_id, state, reason)
SELECT chat_id, :key, :post, id, 'reserved', '' FROM deliveries WHERE broadcast_id = :broadcast
"""
# Many chats, in a database that has one source, one post to send and its broadcast.
MANY_CHATS = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
INSERT INTO chats
  (platform, address, topic, title, kind, language, timezone, on_unknown, state, reason)
SELECT 'telegram', CAST(n AS TEXT), '', 'Chat', 'private', '', '', 'resend', 'active', '' FROM numbers
"""
POSTPONE = "UPDATE deliveries SET due_at = '2100-01-01 00:00:00.000000' WHERE id <= :count"
MARK = "UPDATE deliveries SET state = :state WHERE id = :id"


def path_of(url: str) -> Path:
    """The file of a SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def run(url: str, *statements: str, **values: object) -> None:
    """Run statements on a SQLite file, in one transaction."""
    with closing(sqlite3.connect(path_of(url), timeout=30)) as database, database:
        for statement in statements:
            database.execute(statement, values)


def one_by_one(url: str, count: int) -> None:
    """Claim and end deliveries with a commit for each step, as durably as Skywave does."""
    with closing(sqlite3.connect(path_of(url), isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")
        for number in range(1, count + 1):
            for state in ("claimed", "sending", "sent"):
                database.execute(MARK, {"state": state, "id": number})
