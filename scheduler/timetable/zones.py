"""Time zones as people name them: by a city, an offset or a place on the map. Pure."""

import re
from functools import cache
from zoneinfo import available_timezones

from babel import Locale

from content.i18n import LANGUAGES

OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\u2212-])\s*(\d{1,2})(?:[:.](\d\d)|(\d\d))?", re.IGNORECASE)
# A location, as RFC 5870 writes its address: latitude, then longitude.
LOCATION = re.compile(r"geo:(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")
WEST, EAST = -12, 14  # the whole hours for which the IANA has a zone
ETC = "Etc/GMT"

# Offsets that are no whole hours, in minutes. A zone without daylight saving is the same as its offset.
SAME = {
    -570: "Pacific/Marquesas",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
}
# These change their clocks, so they are only suggested.
NEAR = {-210: "America/St_Johns", 630: "Australia/Lord_Howe", 765: "Pacific/Chatham"}

# Large cities that name no zone of the IANA, by zone.
CITIES = {
    "Asia/Shanghai": (
        "beijing peking shenzhen guangzhou hangzhou chengdu nanjing wuhan tianjin xian suzhou"
        " 北京 深圳 广州 廣州 杭州 成都 南京 武汉 武漢 天津 西安 苏州 蘇州 中国 中國"
    ),
    "Asia/Tokyo": "osaka kyoto yokohama 大阪 京都 日本",
    "Asia/Kolkata": "delhi new_delhi mumbai bangalore bengaluru chennai hyderabad pune",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Asia/Dubai": "abu_dhabi",
    "Europe/Berlin": "munich münchen hamburg frankfurt cologne köln stuttgart germany deutschland",
    "Europe/London": "manchester edinburgh birmingham glasgow",
    "Europe/Paris": "lyon marseille toulouse",
    "Europe/Madrid": "barcelona valencia sevilla",
    "Europe/Rome": "milan milano naples turin",
    "Europe/Zurich": "geneva basel bern",
    "Europe/Moscow": "saint_petersburg st_petersburg петербург санкт-петербург",
    "America/New_York": "washington boston miami philadelphia atlanta",
    "America/Los_Angeles": "san_francisco seattle san_diego portland las_vegas",
    "America/Chicago": "houston dallas austin",
    "America/Toronto": "montreal ottawa",
    "America/Sao_Paulo": "rio_de_janeiro brasilia brasília",
    "Australia/Sydney": "canberra",
}


def known(words: str) -> str:
    """The IANA time zone for an offset, a location or a city in any of our languages; empty if none is."""
    name = words.strip()
    minutes = _minutes(name)
    if minutes is not None:
        return _of_offset(minutes)
    if place := LOCATION.fullmatch(name):
        return _of_place(float(place[1]), float(place[2]))
    return _cities().get(name.casefold().replace(" ", "_"), "")


def nearest(words: str) -> str:
    """A zone that has an offset at some time of the year, or the nearest offset; empty for other words."""
    minutes = _minutes(words.strip())
    if minutes is None:
        return ""
    return NEAR.get(minutes) or f"UTC{min(max(round(minutes / 60), WEST), EAST):+d}"


def shown(zone: str) -> str:
    """A zone as people read it: the signs of `Etc/GMT-8` are those of POSIX, so it is eight hours ahead."""
    ahead = zone.removeprefix(ETC)
    if ahead == zone or not ahead[1:].isdecimal():
        return zone
    return f"UTC{'+' if ahead[0] == '-' else '-'}{ahead[1:]}"


def _minutes(name: str) -> int | None:
    """How far an offset is ahead of UTC, in minutes; None for other words."""
    if name.casefold() in ("utc", "gmt", "z"):
        return 0
    found = OFFSET.fullmatch(name)
    if not found:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or found[4] or 0)
    return minutes if found[1] == "+" else -minutes


def _of_offset(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if rest:
        return SAME.get(minutes, "")
    if not WEST <= hours <= EAST:
        return ""
    return f"{ETC}{-hours:+d}" if hours else "Etc/UTC"


def _of_place(latitude: float, longitude: float) -> str:
    # Here, because the map takes a quarter of a second to load, and 34 MB.
    from tzfpy import get_tz

    if abs(latitude) > 90 or abs(longitude) > 180:
        return ""
    return get_tz(longitude, latitude)


@cache
def _cities() -> dict[str, str]:
    """Zones by the names of their cities in each of our languages, and by those of other large cities."""
    zones, cities = available_timezones(), dict[str, str]()
    for language in LANGUAGES:
        for zone, names in Locale.parse(language).time_zones.items():
            if zone in zones and "city" in names:
                cities.setdefault(names["city"].casefold().replace(" ", "_"), zone)
    for zone, large in CITIES.items():
        cities |= dict.fromkeys(large.split(), zone)
    return cities
