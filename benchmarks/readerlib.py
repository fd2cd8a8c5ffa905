"""The library `reader` as a reader of feeds, see `intake`: `python readerlib.py DATABASE PORTS FEEDS INDEX`.

It runs in an environment of its own, so it imports nothing of ours. INDEX is `yes` or `no`: without a search
index it writes less.
"""

import json
import resource
import sys
import time

from reader import make_reader

WORKERS = 10


def spent() -> float:
    """Seconds of CPU so far."""
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def memory() -> float:
    """Resident memory of this process, MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def main(database: str, ports: list[int], count: int, index: bool) -> None:
    """Read all feeds as often as asked, and bring the search index up to date."""
    reader = make_reader(database, search_enabled=index)
    for n in range(count):
        reader.add_feed(f"http://127.0.0.1:{ports[n % len(ports)]}/{n}")
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        began, before = time.monotonic(), spent()
        reader.update_feeds(scheduled=False, workers=WORKERS)
        if index:
            reader.update_search()
        took = {"wall": time.monotonic() - began, "cpu": spent() - before, "memory": memory()}
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "yes")
