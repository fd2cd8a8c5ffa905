"""What the tests of the workers call there. A worker loads this module, so it imports little."""

import os
import signal
import time

from content.errors import FetchError


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def tell_and_sleep(pipe: str) -> None:
    with open(pipe, "w") as opened:
        opened.write("working")
    time.sleep(1000)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def whoami() -> int:
    return os.getpid()


def hoard() -> int:
    return len(bytearray(2 << 30))


def recurse() -> None:
    recurse()


def key_error() -> None:
    raise KeyError("a parser's own")


def type_error() -> None:
    raise TypeError("a parser's own")


class Trojan:
    def __reduce__(self) -> tuple[object, ...]:
        return os.putenv, ("SKYWAVE_TROJAN", "1")


def betray() -> Trojan:
    return Trojan()


def refuse() -> None:
    raise FetchError("the folder is locked: unlock it")


def surroundings() -> tuple[list[str], list[str]]:
    print("a parser that prints")
    files = [
        os.readlink(path) for path in map("/proc/self/fd/{}".format, range(100)) if os.path.lexists(path)
    ]
    return sorted(os.environ), files
