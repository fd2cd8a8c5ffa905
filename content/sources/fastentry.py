"""The elements of feeds and entries as feedparser understands them. See `fastfeed`."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from content.sources.dates import to_utc
from content.sources.feednames import RDF, XML, Unclear, is_passed_over, looks_like_html, name_of

Fields = dict[str, object]
Attributes = dict[str, str]

_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}
_TEXT_TYPES = ("text/plain", "text/html")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_CP1252 = {n: bytes([n]).decode("cp1252") for n in range(0x80, 0xA0) if n not in _UNDEFINED}
_C1 = re.compile("[\x80-\x9f]")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)/+")
_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")
_EMAIL = re.compile(
    r"[a-zA-Z0-9_.+-]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9-]+\.)+)"
    r"(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?(?:\?subject=\S+)?"
)
_KEPT_ATTRIBUTES = {f"{{{RDF}}}about": "rdf:about", f"{{{RDF}}}resource": "rdf:resource"}
_NEUTRAL = (f"{{{XML}}}lang", f"{{{XML}}}space")


@dataclass(slots=True)
class Context:
    """A feed or an entry that is being read. `strange` are namespaces that feedparser does not know.

    Depths are numbers of enclosing elements; `title` is that of the title that counts, -1 before there is
    one.
    """

    is_entry: bool
    is_atom: bool
    strange: Mapping[str, set[str]]
    title: int = -1
    has_content: bool = False
    fields: Fields = field(default_factory=dict)
    links: list[Attributes] = field(default_factory=list)
    tags: list[Fields] = field(default_factory=list)
    authors: list[Attributes] = field(default_factory=list)
    depths: dict[str, int] = field(default_factory=dict)

    def store(self, name: str, value: str, depth: int) -> None:
        """Of two values of an entry the one further out counts, else the later one."""
        if not self.is_entry or depth <= self.depths.get(name, depth):
            self.depths[name] = depth
            self.fields[name] = value

    def read(self, element: Element, depth: int, handlers: Mapping[str, "Handler"]) -> None:
        """Read an element at `depth`. Raises Unclear."""
        name, namespace = name_of(element.tag)
        handler = None if namespace else handlers.get(name)
        if handler is None:
            pass_over(self, element)
        else:
            handler(self, element, depth)

    def read_all(self, element: Element, depth: int, handlers: Mapping[str, "Handler"]) -> None:
        """Read the children of an element at `depth`. Raises Unclear."""
        for child in element:
            self.read(child, depth + 1, handlers)


Handler = Callable[[Context, Element, int], None]


def attributes(element: Element) -> Attributes:
    """The attributes of an element by their names in lower case. Raises Unclear."""
    found: Attributes = {}
    if not element.attrib:
        return found
    for name, value in element.attrib.items():
        if name in _NEUTRAL:
            continue
        key = _KEPT_ATTRIBUTES.get(name) or name.lower()
        if key in found or key == "base" or "{" in key or not key.isascii():
            raise Unclear
        found[key] = value.lower() if key in ("rel", "type") else value
    return found


def pass_over(context: Context, element: Element) -> None:
    """An element that changes nothing, nor do those in it."""
    for inner in element.iter():
        if not is_passed_over(inner.tag, context.strange):
            raise Unclear
        _check_base(inner)


def _check_base(element: Element) -> None:
    # A base URL would count for all that follows.
    if element.attrib and any(name.lower().endswith("base") for name in element.attrib):
        raise Unclear


def _ignore(_context: Context, element: Element, _depth: int) -> None:
    """An element that changes nothing that is read here, as long as nothing is in it."""
    _text(element)
    _check_base(element)


def _text(element: Element) -> str:
    """The text of an element that has no others in it."""
    if len(element):
        raise Unclear
    return (element.text or "").strip()


def _repaired(text: str) -> str:
    """`text` with UTF-8 that was taken for ISO 8859-1, and the characters of Windows-1252, set right."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.translate(_CP1252) if _C1.search(text) else text


def _value(element: Element) -> str:
    return _repaired(_text(element))


def _uri(text: str) -> str:
    return _SLASHES.sub(r"\1", text) if ":///" in text else text


# ---------------------------------------------------------------- texts


def _content(element: Element, context: Context, default: str) -> Fields:
    """A text and its type, which feedparser guesses in RSS."""
    given = attributes(element)
    kind = given.get("type", default)
    kind = _TYPES.get(kind, kind)
    if kind not in _TEXT_TYPES or "mode" in given:  # XHTML and base64
        raise Unclear
    text = _text(element)
    if kind == "text/plain" and not context.is_atom and looks_like_html(text):
        kind = "text/html"
    return {"type": kind, "value": _repaired(text)}


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
    _ignore(context, element, depth)


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
        given["href"] = _uri(given["href"])
        if len(element):
            raise Unclear
        if rel == "alternate" and _TYPES.get(kind, kind) in _PAGE_TYPES:
            context.fields["link"] = given["href"]
        return
    url = _repaired(_uri(_text(element)))
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
    text = _text(element)
    guid = _repaired(_uri(text) if is_link else text)
    context.store("id", guid, depth)
    if is_link:
        context.fields.setdefault("link", guid)


def _enclosure(context: Context, element: Element, _depth: int) -> None:
    _text(element)
    context.links.append(_with_href(attributes(element)) | {"rel": "enclosure"})


# ---------------------------------------------------------------- dates


def _date_of(name: str) -> Handler:
    def date(context: Context, element: Element, depth: int) -> None:
        _check_base(element)
        value = _value(element)
        # feedparser knows more formats.
        if value and to_utc(value) is None:
            raise Unclear
        if context.is_entry:
            context.store(name, value, depth)

    return date


# ---------------------------------------------------------------- people


def _author(context: Context, element: Element, depth: int) -> None:
    _check_base(element)
    context.authors.append({})
    context.read_all(element, depth, _PERSON)
    if len(element) and _has_own_text(element):
        raise Unclear
    context.store("author", _repaired((element.text or "").strip()), depth)
    _sync_author(context)


def _has_own_text(element: Element) -> bool:
    """Whether there is text beside the parts of a person, in an element that is passed over for instance."""
    others = (inner for child in element if name_of(child.tag)[0] not in _PERSON for inner in child.iter())
    texts = [element.text, *(child.tail for child in element), *(other.text for other in others)]
    return any(text and text.strip() for text in texts)


def _person_of(name: str) -> Handler:
    def about(context: Context, element: Element, _depth: int) -> None:
        _check_base(element)
        value = _text(element)
        value = _repaired(_uri(value)) if name == "href" else value
        detail = context.fields.setdefault("author_detail", {})
        assert isinstance(detail, dict)
        detail[name] = value
        _sync_author(context)
        context.authors[-1][name] = value

    return about


_PERSON: dict[str, Handler] = {
    "name": _person_of("name"),
    "email": _person_of("email"),
    **dict.fromkeys(("uri", "url", "homepage"), _person_of("href")),
}


def _sync_author(context: Context) -> None:
    """The author as one text from its parts, or its parts from the text."""
    fields, detail = context.fields, context.authors[-1]
    if detail:
        name, email = detail.get("name", ""), detail.get("email", "")
        if name or email:
            fields["author"] = f"{name} ({email})" if name and email else name or email
        return
    author, email = str(fields.get("author") or ""), ""
    if not author:
        return
    if len(author) > 500:
        raise Unclear
    if found := _EMAIL.search(author):
        email = found[0]
        author = author.replace(email, "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "").strip()
        author = author.removeprefix("(").removesuffix(")").strip()
    fields.setdefault("author_detail", detail)
    detail.update({name: value for name, value in (("name", author), ("email", email)) if value})


def _ignore_person(context: Context, element: Element, depth: int) -> None:
    _check_base(element)
    context.read_all(element, depth, _IGNORED_PERSON)


_IGNORED_PERSON: dict[str, Handler] = dict.fromkeys(
    ("name", "email", "uri", "url", "homepage", "itunes_name", "itunes_email"), _ignore
)


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
    value = _value(element)
    if value and context.tags and not context.tags[-1]["term"]:
        context.tags[-1]["term"] = value
    elif value:
        _add_tag(context, value, None, None)


def _keywords_of(scheme: str | None) -> Handler:
    def keywords(context: Context, element: Element, _depth: int) -> None:
        if element.attrib:
            raise Unclear
        for term in filter(None, map(str.strip, _value(element).split(","))):
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
    _check_base(element)
    context.read_all(element, depth, _MEDIA)


def _thumbnail(context: Context, element: Element, _depth: int) -> None:
    given = attributes(element)
    if _text(element):
        raise Unclear
    _append(context, "media_thumbnail", given)


def _itunes_image(context: Context, element: Element, _depth: int) -> None:
    _text(element)
    given = attributes(element)
    if href := given.get("href") or given.get("url"):
        context.fields["image"] = {"href": href}


def _source(context: Context, element: Element, depth: int) -> None:
    """Where an entry of RSS was taken from. After it, feedparser takes another title."""
    _ignore(context, element, depth)
    context.title = -1


def read_image(context: Context, element: Element, depth: int) -> None:
    """The picture of a feed, whose title counts like that of a feed."""
    _check_base(element)
    context.title = -1
    for child in element:
        name, namespace = name_of(child.tag)
        if namespace or name not in ("title", "link", "description", "url", "width", "height"):
            raise Unclear
        _ignore(context, child, depth + 1)
        if name == "title" and _text(child):
            context.title = depth + 1


def _items(context: Context, element: Element, _depth: int) -> None:
    """The table of contents of RSS 1.0."""
    _check_base(element)
    for child in element:
        pass_over(context, child)


def _itunes_categories(_context: Context, element: Element, _depth: int) -> None:
    for inner in element.iter():
        _check_base(inner)
        if name_of(inner.tag) != ("itunes_category", ""):
            raise Unclear


def _kept(context: Context, element: Element, _depth: int) -> None:
    """A text that feedparser has no rule for."""
    if element.attrib:
        raise Unclear
    context.fields[name_of(element.tag)[0]] = _value(element)


_IGNORED_NAMES = (
    "cc_license creativecommons_license cloud copyright dc_contributor dc_language dc_publisher "
    "dc_rights feedburner_browserfriendly generator itunes_block itunes_email itunes_explicit "
    "itunes_name itunes_subtitle language media_credit media_license media_player media_rating "
    "media_restriction rights subtitle tagline webmaster"
)
_IGNORED: dict[str, Handler] = dict.fromkeys(_IGNORED_NAMES.split(), _ignore)
_DATES: dict[str, Handler] = {
    **dict.fromkeys(("published", "issued", "pubdate", "dcterms_issued"), _date_of("published")),
    **dict.fromkeys(
        ("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified"), _date_of("updated")
    ),
    **dict.fromkeys(("created", "dcterms_created"), _date_of("created")),
}
_MEDIA: dict[str, Handler] = {
    **{name: _ignore for name in _IGNORED if name.startswith("media_")},
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
    "contributor": _ignore_person,
}
ENTRY: dict[str, Handler] = {
    **_BOTH,
    **_MEDIA,
    **dict.fromkeys(("description", "dc_description"), _summary_of("text/html")),
    **dict.fromkeys(("summary", "itunes_summary"), _summary_of("text/plain")),
    "content": _plain_content,
    "content_encoded": _content_of("text/html"),
    **dict.fromkeys(("author", "managingeditor", "dc_author", "dc_creator", "itunes_author"), _author),
    **dict.fromkeys(("category", "keywords", "dc_subject"), _category),
    "itunes_keywords": _keywords_of("http://www.itunes.com/"),
    "itunes_image": _itunes_image,
    "enclosure": _enclosure,
    "source": _source,
}
FEED: dict[str, Handler] = {
    **_BOTH,
    **dict.fromkeys(("author", "managingeditor", "dc_author", "dc_creator", "itunes_author"), _ignore_person),
    **dict.fromkeys(("description", "dc_description"), _feed_text),
    **dict.fromkeys(("summary", "itunes_summary"), _feed_summary),
    **dict.fromkeys(
        ("category", "keywords", "dc_subject", "itunes_keywords", "itunes_image", "enclosure"), _ignore
    ),
    **dict.fromkeys(("ttl", "sy_updateperiod", "sy_updatefrequency"), _kept),
    "image": read_image,
    "items": _items,
    "itunes_owner": _ignore_person,
    "itunes_category": _itunes_categories,
}
