"""The elements of feeds and entries as feedparser understands them. See `fastfeed`."""

import re
from xml.etree.ElementTree import Element

from content.sources.dates import to_utc
from content.sources.fastcontext import (
    Attributes,
    Context,
    Fields,
    Handler,
    attributes,
    check_base,
    ignore,
    pass_over,
    repaired,
    repaired_uri,
    text_of,
    value_of,
)
from content.sources.fastpeople import author, ignore_person
from content.sources.feednames import Unclear, looks_like_html, name_of

_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}
_TEXT_TYPES = ("text/plain", "text/html")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")


# ---------------------------------------------------------------- texts


def _content(element: Element, context: Context, default: str) -> Fields:
    """A text and its type, which feedparser guesses in RSS."""
    given = attributes(element)
    kind = given.get("type", default)
    kind = _TYPES.get(kind, kind)
    if kind not in _TEXT_TYPES or "mode" in given:  # XHTML and base64
        raise Unclear
    text = text_of(element)
    if kind == "text/plain" and not context.is_atom and looks_like_html(text):
        kind = "text/html"
    return {"type": kind, "value": repaired(text)}


def _store_content(context: Context, name: str, content: Fields, depth: int) -> None:
    context.store(name, str(content["value"]), depth)
    context.fields[f"{name}_detail"] = content


def _title(context: Context, element: Element, depth: int) -> None:
    content = _content(element, context, "text/plain")
    if not -1 < context.title <= depth:
        _store_content(context, "title", content, depth)
    if content["value"]:
        context.title = depth


def _media_title(context: Context, element: Element, depth: int) -> None:
    counts = context.title
    _title(context, element, depth)
    context.title = counts


def _summary_of(default: str) -> Handler:
    def summary(context: Context, element: Element, depth: int) -> None:
        if "summary" not in context.fields or context.has_content:
            _store_content(context, "summary", _content(element, context, default), depth)
        else:
            _plain_content(context, element, depth)

    return summary


def _content_of(default: str) -> Handler:
    def content(context: Context, element: Element, _depth: int) -> None:
        context.has_content = True
        found = _content(element, context, default)
        contents = context.fields.setdefault("content", [])
        assert isinstance(contents, list)
        contents.append(found)
        context.fields.setdefault("summary", found["value"])

    return content


_plain_content = _content_of("text/plain")


def _feed_text(context: Context, element: Element, depth: int) -> None:
    """A description of the feed. After a summary, feedparser takes it for the content of an entry."""
    if "summary" in context.fields:
        raise Unclear
    ignore(context, element, depth)


def _feed_summary(context: Context, element: Element, depth: int) -> None:
    _feed_text(context, element, depth)
    context.fields["summary"] = ""


# ---------------------------------------------------------------- links and guids


def _link(context: Context, element: Element, _depth: int) -> None:
    given = _with_href(attributes(element))
    rel = given.setdefault("rel", "alternate")
    kind = given.setdefault("type", "application/atom+xml" if rel == "self" else "text/html")
    context.links.append(given)
    if "href" in given:
        given["href"] = repaired_uri(given["href"])
        if len(element):
            raise Unclear
        if rel == "alternate" and _TYPES.get(kind, kind) in _PAGE_TYPES:
            context.fields["link"] = given["href"]
        return
    url = repaired(repaired_uri(text_of(element)))
    if context.is_entry:
        url = url.replace("&amp;", "&")
    context.fields["link"] = url = _REFERENCE.sub(r"&\1", url)
    if url or not context.is_entry:
        given["href"] = url


def _with_href(given: Attributes) -> Attributes:
    href = given.get("url", given.get("uri", given.get("href", "")))
    if href:
        given.pop("url", None)
        given.pop("uri", None)
        given["href"] = href
    return given


def _guid(context: Context, element: Element, depth: int) -> None:
    is_link = attributes(element).get("ispermalink", "true") == "true"
    text = text_of(element)
    guid = repaired(repaired_uri(text) if is_link else text)
    context.store("id", guid, depth)
    if is_link:
        context.fields.setdefault("link", guid)


def _enclosure(context: Context, element: Element, _depth: int) -> None:
    text_of(element)
    context.links.append(_with_href(attributes(element)) | {"rel": "enclosure"})


# ---------------------------------------------------------------- dates


def _date_of(name: str) -> Handler:
    def date(context: Context, element: Element, depth: int) -> None:
        check_base(element)
        value = value_of(element)
        # feedparser knows more formats.
        if value and to_utc(value) is None:
            raise Unclear
        if context.is_entry:
            context.store(name, value, depth)

    return date


# ---------------------------------------------------------------- tags and media


def _add_tag(context: Context, term: str | None, scheme: str | None, label: str | None) -> None:
    tag: Fields = {"term": term, "scheme": scheme, "label": label}
    if (term or scheme or label) and tag not in context.tags:
        context.tags.append(tag)


def _category(context: Context, element: Element, _depth: int) -> None:
    given = attributes(element)
    _add_category(context, element, given, given.get("scheme", given.get("domain")))


def _media_category(context: Context, element: Element, _depth: int) -> None:
    given = attributes(element)
    _add_category(
        context, element, given, given.get("scheme", "http://search.yahoo.com/mrss/category_schema")
    )


def _add_category(context: Context, element: Element, given: Attributes, scheme: str | None) -> None:
    _add_tag(context, given.get("term"), scheme, given.get("label"))
    value = value_of(element)
    if value and context.tags and not context.tags[-1]["term"]:
        context.tags[-1]["term"] = value
    elif value:
        _add_tag(context, value, None, None)


def _keywords_of(scheme: str | None) -> Handler:
    def keywords(context: Context, element: Element, _depth: int) -> None:
        if element.attrib:
            raise Unclear
        for term in filter(None, map(str.strip, value_of(element).split(","))):
            _add_tag(context, term, scheme, None)

    return keywords


def _append(context: Context, name: str, given: Attributes) -> None:
    found = context.fields.setdefault(name, [])
    assert isinstance(found, list)
    found.append(given)


def _media_content(context: Context, element: Element, depth: int) -> None:
    _append(context, "media_content", attributes(element))
    context.read_all(element, depth, _MEDIA)


def _media_group(context: Context, element: Element, depth: int) -> None:
    check_base(element)
    context.read_all(element, depth, _MEDIA)


def _thumbnail(context: Context, element: Element, _depth: int) -> None:
    given = attributes(element)
    if text_of(element):
        raise Unclear
    _append(context, "media_thumbnail", given)


def _itunes_image(context: Context, element: Element, _depth: int) -> None:
    text_of(element)
    given = attributes(element)
    if href := given.get("href") or given.get("url"):
        context.fields["image"] = {"href": href}


def _source(context: Context, element: Element, depth: int) -> None:
    """Where an entry of RSS was taken from. After it, feedparser takes another title."""
    ignore(context, element, depth)
    context.title = -1


def read_image(context: Context, element: Element, depth: int) -> None:
    """The picture of a feed, whose title counts like that of a feed."""
    check_base(element)
    context.title = -1
    for child in element:
        name, namespace = name_of(child.tag)
        if namespace or name not in ("title", "link", "description", "url", "width", "height"):
            raise Unclear
        ignore(context, child, depth + 1)
        if name == "title" and text_of(child):
            context.title = depth + 1


def _items(context: Context, element: Element, _depth: int) -> None:
    """The table of contents of RSS 1.0."""
    check_base(element)
    for child in element:
        pass_over(context, child)


def _itunes_categories(_context: Context, element: Element, _depth: int) -> None:
    for inner in element.iter():
        check_base(inner)
        if name_of(inner.tag) != ("itunes_category", ""):
            raise Unclear


def _kept(context: Context, element: Element, _depth: int) -> None:
    """A text that feedparser has no rule for."""
    if element.attrib:
        raise Unclear
    context.fields[name_of(element.tag)[0]] = value_of(element)


_IGNORED_NAMES = (
    "cc_license creativecommons_license cloud copyright dc_contributor dc_language dc_publisher "
    "dc_rights feedburner_browserfriendly generator itunes_block itunes_email itunes_explicit "
    "itunes_name itunes_subtitle language media_credit media_license media_player media_rating "
    "media_restriction rights subtitle tagline webmaster"
)
_IGNORED: dict[str, Handler] = dict.fromkeys(_IGNORED_NAMES.split(), ignore)
_DATES: dict[str, Handler] = {
    **dict.fromkeys(("published", "issued", "pubdate", "dcterms_issued"), _date_of("published")),
    **dict.fromkeys(
        ("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified"), _date_of("updated")
    ),
    **dict.fromkeys(("created", "dcterms_created"), _date_of("created")),
}
_MEDIA: dict[str, Handler] = {
    **{name: ignore for name in _IGNORED if name.startswith("media_")},
    "media_title": _media_title,
    "media_description": _summary_of("text/html"),
    "media_category": _media_category,
    "media_keywords": _keywords_of(None),
    "media_content": _media_content,
    "media_group": _media_group,
    "media_thumbnail": _thumbnail,
}
_BOTH: dict[str, Handler] = {
    **_IGNORED,
    **_DATES,
    **dict.fromkeys(("title", "dc_title"), _title),
    **dict.fromkeys(("guid", "id"), _guid),
    "link": _link,
    "contributor": ignore_person,
}
ENTRY: dict[str, Handler] = {
    **_BOTH,
    **_MEDIA,
    **dict.fromkeys(("description", "dc_description"), _summary_of("text/html")),
    **dict.fromkeys(("summary", "itunes_summary"), _summary_of("text/plain")),
    "content": _plain_content,
    "content_encoded": _content_of("text/html"),
    **dict.fromkeys(("author", "managingeditor", "dc_author", "dc_creator", "itunes_author"), author),
    **dict.fromkeys(("category", "keywords", "dc_subject"), _category),
    "itunes_keywords": _keywords_of("http://www.itunes.com/"),
    "itunes_image": _itunes_image,
    "enclosure": _enclosure,
    "source": _source,
}
FEED: dict[str, Handler] = {
    **_BOTH,
    **dict.fromkeys(("author", "managingeditor", "dc_author", "dc_creator", "itunes_author"), ignore_person),
    **dict.fromkeys(("description", "dc_description"), _feed_text),
    **dict.fromkeys(("summary", "itunes_summary"), _feed_summary),
    **dict.fromkeys(
        ("category", "keywords", "dc_subject", "itunes_keywords", "itunes_image", "enclosure"), ignore
    ),
    **dict.fromkeys(("ttl", "sy_updateperiod", "sy_updatefrequency"), _kept),
    "image": read_image,
    "items": _items,
    "itunes_owner": ignore_person,
    "itunes_category": _itunes_categories,
}
