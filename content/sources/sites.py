"""Addresses that people have, and the feeds that these sites offer for them. Pure functions over one table.

The forms of the addresses are those of July 2026; docs/addresses.md lists them for people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from content.errors import UsageError
from content.urls import is_web_url


@dataclass(frozen=True, slots=True)
class Site:
    """A form of addresses, and the feeds behind it, best first.

    `address` matches the host, path and query of an address; its groups fill the `feeds`. A feed may also
    need a group of `clues`: these are looked for on the page, and the first that is found counts.
    """

    address: re.Pattern[str]
    feeds: tuple[str, ...]
    clues: tuple[re.Pattern[str], ...] = ()


def _site(address: str, *feeds: str, clues: tuple[str, ...] = ()) -> Site:
    return Site(re.compile(address, re.IGNORECASE), feeds, tuple(map(re.compile, clues)))


_REST = r"(?:[/?].*)?"
_CHANNEL = r"UC[\w-]{22}"
_YOUTUBE = "https://www.youtube.com/feeds/videos.xml"
# The page of a channel names it in its head; the page of a video only in its data. Other channels come later.
_CHANNELS = (
    rf'/feeds/videos\.xml\?channel_id=(?P<channel>{_CHANNEL})"',
    rf'<link[^<>]{{0,200}} rel="canonical"[^<>]{{0,200}}/channel/(?P<channel>{_CHANNEL})"',
    rf'"externalId":"(?P<channel>{_CHANNEL})"',
    rf'itemprop="(?:channelId|identifier)" content="(?P<channel>{_CHANNEL})"',
    rf'"channelId":"(?P<channel>{_CHANNEL})"',
)
_PROJECT = r"\w[\w.-]*(?:/\w[\w.-]*)"  # GitLab has groups in groups
_REPOSITORY = r"(?P<repo>[\w-]+/[\w.-]+)"

SITES = (
    _site(
        rf"(?:music\.)?youtube\.com/channel/(?P<channel>{_CHANNEL}){_REST}",
        _YOUTUBE + "?channel_id={channel}",
    ),
    _site(
        r"(?:music\.)?youtube\.com/playlist\?(?:.*&)?list=(?P<list>[\w-]+)(?:&.*)?",
        _YOUTUBE + "?playlist_id={list}",
    ),
    _site(
        rf"youtube\.com/user/(?P<user>[\w.-]+){_REST}",
        *(_YOUTUBE + "?user={user}", _YOUTUBE + "?channel_id={channel}"),
        clues=_CHANNELS,
    ),
    _site(
        r"(?:(?:music\.)?youtube\.com/(?:@|c/|watch\?|shorts/|live/).+|youtube\.com/[\w.-]+|youtu\.be/.+)",
        _YOUTUBE + "?channel_id={channel}",
        clues=_CHANNELS,
    ),
    # The feed of releases may be empty where there are only tags.
    _site(
        rf"github\.com/{_REPOSITORY}(?:/(?:releases|tree|blob)(?:/.*)?)?(?:\?.*)?",
        *("https://github.com/{repo}/releases.atom", "https://github.com/{repo}/tags.atom"),
    ),
    _site(
        rf"github\.com/{_REPOSITORY}/(?P<list>tags|commits(?:/[\w./-]+)?|discussions|wiki)(?:\?.*)?",
        "https://github.com/{repo}/{list}.atom",
    ),
    _site(r"github\.com/(?P<user>[\w-]+)(?:\?.*)?", "https://github.com/{user}.atom"),
    _site(
        rf"gitlab\.com/(?P<repo>{_PROJECT}+?)(?:/-/(?:releases|tree|blob)(?:/.*)?)?(?:\?.*)?",
        *("https://gitlab.com/{repo}/-/releases.atom", "https://gitlab.com/{repo}/-/tags?format=atom"),
        "https://gitlab.com/{repo}.atom",
    ),
    _site(
        rf"gitlab\.com/(?P<repo>{_PROJECT}+)/-/(?P<list>tags|commits/[\w./-]+)(?:\?.*)?",
        "https://gitlab.com/{repo}/-/{list}?format=atom",
    ),
    _site(r"gitlab\.com/(?P<user>[\w-]+)(?:\?.*)?", "https://gitlab.com/{user}.atom"),
    _site(
        rf"(?P<host>codeberg\.org|gitea\.com)/{_REPOSITORY}(?:/(?:releases|src)(?:/.*)?)?(?:\?.*)?",
        *(
            "https://{host}/{repo}/releases.rss",
            "https://{host}/{repo}/tags.rss",
            "https://{host}/{repo}.rss",
        ),
    ),
    _site(
        rf"(?P<host>codeberg\.org|gitea\.com)/{_REPOSITORY}/tags(?:\?.*)?", "https://{host}/{repo}/tags.rss"
    ),
    _site(r"(?P<host>codeberg\.org|gitea\.com)/(?P<user>[\w-]+)(?:\?.*)?", "https://{host}/{user}.rss"),
    _site(
        r"reddit\.com/(?P<path>r/[\w+-]+(?:/(?:new|hot|rising|top|controversial))?)(?:\?.*)?",
        "https://www.reddit.com/{path}/.rss",
    ),
    _site(
        r"reddit\.com/(?P<path>r/[\w-]+/comments/\w+)(?:/\w+)?(?:\?.*)?", "https://www.reddit.com/{path}/.rss"
    ),
    _site(
        r"reddit\.com/(?:u|user)/(?P<user>[\w-]+)(?:/(?:submitted|overview|comments))?(?:\?.*)?",
        "https://www.reddit.com/user/{user}/.rss",
    ),
    _site(
        r"bsky\.app/profile/(?P<who>[\w.:-]+)(?:/post/\w+)?(?:\?.*)?", "https://bsky.app/profile/{who}/rss"
    ),
    # Mastodon on any host, then GoToSocial: some versions name an empty address on their pages. The second
    # form is an account of another server, as one's own server shows it.
    _site(
        r"[^/]+/@(?P<user>\w+)(?:/(?:\d+|media|with_replies))?",
        *("{base}/@{user}.rss", "{base}/@{user}/feed.rss"),
    ),
    _site(r"[^/]+/(?:web/)?@(?P<user>\w+)@(?P<host>[\w.-]+\.\w+)(?:/\d+)?", "https://{host}/@{user}.rss"),
)

_RSSHUB = re.compile(r"rsshub://(?P<path>.+)|https?://rsshub\.app/(?P<public>.+)", re.IGNORECASE)
_ACCOUNT = re.compile(r"@(?P<user>\w+)@(?P<host>[\w-]+(?:\.[\w-]+)*\.[^\W\d_]\w+)")
# How git writes addresses; those of SSH are refused with what to give instead.
_GIT = re.compile(r"(?:git|ssh|git\+\w+)://\S+|[\w.-]+@[\w.-]+:\S+\.git", re.IGNORECASE)
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]*(?::\d+)?/\S*")
# Hosts that show the same pages for other screens.
_SCREENS = re.compile(r"(?:www|m|mobile|old|new|np)\.")
_FEED = re.compile(r"\.(?:atom|rss|xml|json)$|/rss$", re.IGNORECASE)


def is_address(typed: str) -> bool:
    """Whether a text is surely the address of something to read, not the name of a source."""
    return is_web_url(typed) or any(form.fullmatch(typed) for form in (_RSSHUB, _ACCOUNT, _GIT))


def may_be_address(typed: str) -> bool:
    """Whether a text can be an address whose scheme was left out, like t.me/name."""
    return bool(_BARE.fullmatch(typed))


def web_address(typed: str, rsshub: str = "") -> str:
    """The URL of an address that is no URL: an account like @user@host, or rsshub://path; others stay.

    `rsshub` is the URL of the RSSHub instance. Raises UsageError if one is needed.
    """
    if account := _ACCOUNT.fullmatch(typed):
        return f"https://{account['host'].lower()}/@{account['user']}"
    if found := _RSSHUB.fullmatch(typed):
        if rsshub:
            return f"{rsshub.rstrip('/')}/{(found['path'] or found['public']).lstrip('/')}"
        if found["path"]:
            raise UsageError(
                "{url} needs an instance of {service}, which the operator of this bot names with {setting}",
                url=typed[:200],
                service="RSSHub",
                setting="SKYWAVE_RSSHUB_URL",
            )
    return typed


def feeds_at(url: str) -> tuple[str, ...]:
    """The feeds that a known site has for an address, best first; empty if the address does not tell them."""
    found = _found(url)
    if found is None:
        return ()
    site, groups = found
    return tuple(feed for one in site.feeds if (feed := _filled(one, groups)))


def told_by(url: str, text: str) -> str:
    """The feed that the page in `text` tells, on a site where the address does not; empty without one."""
    found = _found(url)
    if found is None:
        return ""
    site, groups = found
    clue = next((clue for one in site.clues if (clue := one.search(text))), None)
    feeds = [_filled(one, {**groups, **clue.groupdict()}) for one in site.feeds] if clue else []
    return feeds[-1] if feeds else ""


def needs_page(url: str) -> bool:
    """Whether only the page at an address tells the feed."""
    found = _found(url)
    return found is not None and bool(found[0].clues)


def _found(url: str) -> tuple[Site, Mapping[str, str]] | None:
    """The site of an address, with what its groups match."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return None
    if _FEED.search(parts.path):
        return None
    plain = (
        _SCREENS.sub("", host, count=1) + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    )
    for site in SITES:
        if match := site.address.fullmatch(plain):
            return site, match.groupdict() | {"base": f"{parts.scheme}://{parts.netloc}"}
    return None


def _filled(feed: str, groups: Mapping[str, str]) -> str:
    """The address of a feed; empty if a group is missing."""
    try:
        return feed.format_map(groups)
    except KeyError:
        return ""
