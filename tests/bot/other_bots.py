"""Small files as other bots write them, made after their schemas."""

import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

# No test connects there: feeds of people reach public addresses only.
RADIO, WAVES, GONE = (f"http://10.0.0.1/{name}" for name in ("radio", "waves", "gone"))

Rows = Sequence[Sequence[object]]


def sqlite_file(file: Path, tables: Mapping[str, tuple[str, Rows]]) -> Path:
    """A file with tables, each with the names of its columns and its rows."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # as tortoise sets it
        for name, (columns, rows) in tables.items():
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            marks = ", ".join("?" for _ in columns.split(","))
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)
        connection.commit()
    return file


def pg_dump(file: Path, tables: Mapping[str, tuple[str, Rows]]) -> Path:
    """The same tables as `pg_dump` writes them."""
    lines = ["SET client_encoding = 'UTF8';"]
    for name, (columns, rows) in tables.items():
        lines += [f"CREATE TABLE public.{name} (", *(f"    {one} text," for one in columns.split(", ")), ");"]
        quoted = f'public."{name}"' if name == "user" else f"public.{name}"
        lines.append(f"COPY {quoted} ({columns}) FROM stdin;")
        lines += ["\t".join("\\N" if cell is None else str(cell) for cell in row) for row in rows] + ["\\."]
    file.write_text("\n".join(lines) + "\n")
    return file


def mysql_dump(file: Path, tables: Mapping[str, tuple[str, Rows]]) -> Path:
    """The same tables as `mysqldump` writes them."""
    lines = ["-- MySQL dump"]
    for name, (columns, rows) in tables.items():
        defined = ",\n".join(f"  `{one}` text" for one in columns.split(", "))
        lines += [f"CREATE TABLE `{name}` (\n{defined},\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;"]
        values = ",".join(f"({','.join(map(_literal, row))})" for row in rows)
        lines.append(f"INSERT INTO `{name}` VALUES {values};")
    file.write_text("\n".join(lines))
    return file


def _literal(cell: object) -> str:
    if isinstance(cell, str):
        return "'" + cell.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "NULL" if cell is None else str(cell)


def rsstt(subs: Rows = (), users: Rows = ()) -> dict[str, tuple[str, Rows]]:
    """Two feeds; a person with all choices, and a channel that a person administers."""
    sub_columns = (
        "user_id, feed_id, state, title, tags, interval, notify, send_mode, display_author, display_via"
    )
    return {
        "user": (
            "id, state, lang, admin, notify, display_media",
            users or ((7, 1, "zh-Hans", None, 1, -1), (-1005, 50, "xx", 7, 0, 0), (9, -1, "en", None, 1, 0)),
        ),
        "feed": ("id, link, title", ((1, RADIO, "Radio"), (2, WAVES, "Waves"), (3, GONE, "Gone"))),
        "sub": (
            sub_columns + ", display_title, display_entry_tags, display_media",
            subs
            or (
                (7, 1, 1, "My radio", "short waves", None, 0, 2, 1, -2, 0, 1, 0),
                (7, 2, 1, "My waves", None, 30, -100, 1, 0, 0, 1, -100, -100),
                (-1005, 2, 1, None, "", None, -100, -100, -100, -100, -100, -100, -100),
                (-1005, 3, 0, None, "", None, 1, 0, 0, 0, 0, 0, 0),
                (9, 3, 1, None, "", None, 1, 0, 0, 0, 0, 0, 0),
                (7, 99, 1, None, "", None, 1, 0, 0, 0, 0, 0, 0),
            ),
        ),
    }


FLOWERSS: Mapping[str, tuple[str, Rows]] = {
    "sources": ("id, link, title, error_count", ((1, RADIO, "It's Radio", 0), (2, WAVES, "Waves", 101))),
    "subscribes": (
        "id, user_id, source_id, enable_notification, enable_telegraph, tag, interval",
        ((1, 7, 1, 1, 1, "#short #waves", 10), (2, -1005, 2, 0, 0, "", 60), (3, 7, 5, 1, 0, "", 10)),
    ),
}
NODERSS: Mapping[str, tuple[str, Rows]] = {
    "rss_feed": (
        "feed_id, url, feed_title, recent_hash_list",
        ((1, "http://10.0.0.1/收音机 a", "Radio", "[]"), (2, WAVES, "Waves", "[]")),
    ),
    "subscribes": ("subscribe_id, feed_id, user_id", ((1, 1, 7), (2, 2, 7), (3, 2, -1005))),
    "users": ("user_id, lang", ((7, "zh-cn"),)),
}


def _connection(channel: str, **more: Any) -> dict[str, Any]:
    details = {"channel": {"id": channel, "guildId": "5"}, "embeds": [], "formatter": {"stripImages": True}}
    return {"name": "news", "details": {**details, **more.pop("details", {})}, **more}


MONITORSS: Sequence[dict[str, Any]] = (
    {
        "_id": {"$oid": "65f0c0ffee0123456789abcd"},
        "title": "Radio",
        "url": RADIO,
        "user": {"discordUserId": "77"},
        "formatOptions": {"dateTimezone": "Asia/Shanghai"},
        "userRefreshRateSeconds": 600,
        "connections": {
            "discordChannels": [
                _connection("501", filters={"expression": {"type": "LOGICAL"}}, mentions={"targets": []}),
                _connection("502", disabledCode="MANUAL"),
            ]
        },
    },
    {
        "title": "Waves",
        "url": WAVES,
        "user": {"discordUserId": "77"},
        "connections": {
            "discordChannels": [
                _connection("501"),
                {"details": {"webhook": {"id": "9", "channelId": "503", "token": "secret-token"}}},
                {"details": {"webhook": {"id": "9", "token": "secret-token"}}},
            ]
        },
    },
    {"title": "Old", "url": GONE, "guild": "5", "channel": "504"},
)


def json_file(file: Path, documents: Iterable[object], *, lines: bool = False) -> Path:
    written = "\n".join(map(json.dumps, documents)) if lines else json.dumps(list(documents))
    file.write_text(written)
    return file


def bson_file(file: Path, documents: Iterable[dict[str, Any]]) -> Path:
    file.write_bytes(b"".join(map(bson, documents)))
    return file


def bson(document: Mapping[str, Any]) -> bytes:
    """A document in BSON (bsonspec.org), with the types that MonitoRSS uses."""
    inner = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(inner) + 5) + inner + b"\0"


def _element(name: str, value: Any) -> bytes:
    key = name.encode() + b"\0"
    match value:
        case {"$oid": str(oid)}:
            return b"\x07" + key + bytes.fromhex(oid)
        case bool():
            return b"\x08" + key + bytes([value])
        case int():
            return b"\x10" + key + struct.pack("<i", value)
        case str():
            text = value.encode() + b"\0"
            return b"\x02" + key + struct.pack("<i", len(text)) + text
        case dict():
            return b"\x03" + key + bson(value)
        case list():
            return b"\x04" + key + bson({str(n): one for n, one in enumerate(value)})
    raise TypeError(type(value))
