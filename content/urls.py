"""Which URLs can be links. Apart from `document.py`, because few who ask need its many types."""

import re
from urllib.parse import urlsplit

# What nearly all URLs are like; to split one takes ten times as long.
_USUAL_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:[/?#][!-~]*)?")


def is_web_url(url: str) -> bool:
    """Whether `url` is an absolute http(s) URL with a host and no control or white-space characters."""
    if _USUAL_URL.fullmatch(url):
        return True
    if " " in url or not url.isprintable():  # no other white space is printable
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:  # for instance an IPv6 address without its closing bracket
        return False
