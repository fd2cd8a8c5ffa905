"""Authors of feeds and entries as feedparser understands them. See `fastfeed`."""

import re
from xml.etree.ElementTree import Element

from content.sources.fastcontext import Context, Handler, check_base, ignore, repaired, repaired_uri, text_of
from content.sources.feednames import Unclear, name_of

_EMAIL = re.compile(
    r"[a-zA-Z0-9_.+-]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9-]+\.)+)"
    r"(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?(?:\?subject=\S+)?"
)


def author(context: Context, element: Element, depth: int) -> None:
    check_base(element)
    context.authors.append({})
    context.read_all(element, depth, _PERSON)
    if len(element) and _has_own_text(element):
        raise Unclear
    context.store("author", repaired((element.text or "").strip()), depth)
    _sync_author(context)


def _has_own_text(element: Element) -> bool:
    """Whether there is text beside the parts of a person, in an element that is passed over for instance."""
    others = (inner for child in element if name_of(child.tag)[0] not in _PERSON for inner in child.iter())
    texts = [element.text, *(child.tail for child in element), *(other.text for other in others)]
    return any(text and text.strip() for text in texts)


def _person_of(name: str) -> Handler:
    def about(context: Context, element: Element, _depth: int) -> None:
        check_base(element)
        value = text_of(element)
        value = repaired(repaired_uri(value)) if name == "href" else value
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


def ignore_person(context: Context, element: Element, depth: int) -> None:
    check_base(element)
    context.read_all(element, depth, _IGNORED_PERSON)


_IGNORED_PERSON: dict[str, Handler] = dict.fromkeys(
    ("name", "email", "uri", "url", "homepage", "itunes_name", "itunes_email"), ignore
)
