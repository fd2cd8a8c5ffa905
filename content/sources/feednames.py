"""Names of elements in feeds as feedparser spells them (`dc_creator`), and when that is not sure.

feedparser goes by namespaces where it knows them, and by prefixes elsewhere. A prefix can be declared in ways
that make it take one element for another. What might be such a way is `Unclear` here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html.entities import entitydefs

ATOM = "http://www.w3.org/2005/Atom"
RSS_1 = "http://purl.org/rss/1.0/"
RSS_090 = "http://my.netscape.com/rdf/simple/0.9/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"

# In lower case. The first ones are those of feeds themselves, whose elements have no prefix.
_NAMESPACES = {
    **dict.fromkeys(
        (
            "",
            "http://backend.userland.com/rss",
            "http://blogs.law.harvard.edu/tech/rss",
            RSS_1,
            RSS_090,
            "http://example.com/newformat#",
            "http://example.com/necho",
            "http://purl.org/echo/",
            "uri/of/echo/namespace#",
            "http://purl.org/pie/",
            "http://purl.org/atom/ns#",
            ATOM.lower(),
            "http://purl.org/rss/1.0/modules/rss091#",
        ),
        "",
    ),
    "http://webns.net/mvcb/": "admin",
    "http://creativecommons.org/ns#license": "cc",
    "http://web.resource.org/cc/": "cc",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativecommons",
    "http://backend.userland.com/creativecommonsrssmodule": "creativecommons",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    RDF.lower(): "rdf",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.w3.org/1999/xhtml": "xhtml",
    XML.lower(): "xml",
    "http://podlove.org/simple-chapters": "psc",
}
_USERLAND = "backend.userland.com/rss"  # feedparser takes every namespace with this for that of RSS
# Prefixes of other namespaces that feedparser knows. Under one of them it looks no further.
_OTHER_PREFIXES = (
    "ag annotate audio blogchannel co cp email ev fm foaf geo icbm image l pingback prism rdfs ref reqv "
    "search slash soap ss str sub szf taxo thr ti trackback wfw wiki xlink"
)
_PREFIXES = frozenset(filter(None, _NAMESPACES.values())).union(_OTHER_PREFIXES.split())
# What feedparser calls some elements: one that has another name of these would take its place.
_TAKEN_NAMES = (
    "author authors channel category content copyright created date description enclosures entries "
    "expired feed guid guidislink href id image issued items license link links media modified published "
    "sourcedata source subtitle summary tagline tags title ttl updated url"
)
_TAKEN = frozenset(_TAKEN_NAMES.split())
# All elements that feedparser does something about.
_HANDLED_NAMES = (
    "abstract author body category cc_license channel cloud content content_encoded contributor "
    "copyright created creativecommons_license dc_author dc_contributor dc_creator dc_date "
    "dc_description dc_language dc_publisher dc_rights dc_subject dc_title dcterms_created "
    "dcterms_issued dcterms_modified dcterms_valid description email enclosure entry expirationdate feed "
    "feedburner_browserfriendly fullitem generator geom georss_box georss_line georss_point "
    "georss_polygon georss_where georssgeom gml_exterior gml_linearring gml_linestring gml_point "
    "gml_polygon gml_pos gml_poslist guid height homepage id image info issued item itunes_author "
    "itunes_block itunes_category itunes_email itunes_explicit itunes_image itunes_keywords itunes_link "
    "itunes_name itunes_owner itunes_subtitle itunes_summary keywords language lastbuilddate link "
    "managingeditor media_category media_content media_credit media_description media_group "
    "media_keywords media_license media_player media_rating media_restriction media_thumbnail "
    "media_title modified name newlocation psc_chapter psc_chapters pubdate published rights rss source "
    "subtitle summary tagline tags textinput title updated uri url webmaster where width xhtml_body"
)
HANDLED = frozenset(_HANDLED_NAMES.split())
_DECLARED = re.compile(r"""\sxmlns(?::([^\s=>"']+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_HEAD = 2000  # characters in which namespaces are usually declared
_NAME = re.compile(r"(?:\{([^\s}]*)\})?([A-Za-z_][\w.-]{0,99})", re.ASCII)

# Elements of HTML. A text with any other one in it is plain text.
_HTML_NAMES = (
    "a abbr acronym address area article aside audio b big blockquote br button canvas caption center "
    "cite code col colgroup command datagrid datalist dd del details dfn dialog dir div dl dt em "
    "event-source fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i img input "
    "ins kbd keygen label legend li m map menu meter multicol nav nextid noscript ol optgroup option "
    "output p pre progress q s samp section select small sound source spacer span strike strong sub sup "
    "table tbody td textarea tfoot th thead time tr tt u ul var video"
)
HTML = frozenset(_HTML_NAMES.split())
_END_TAG = re.compile(r"</\w+>")
_REFERENCE = re.compile(r"&#?\w+;")
_TAG_NAME = re.compile(r"</?(\w+)")
_ENTITY_NAME = re.compile(r"&(\w+);")


class Unclear(Exception):
    """feedparser might read this feed differently from us."""


@lru_cache(maxsize=2048)
def name_of(tag: str) -> tuple[str, str]:
    """The name of an element by its tag (`{namespace}local`), and its namespace if that is a strange one.

    An element of a strange namespace has only its local name. Raises Unclear.
    """
    found = _NAME.fullmatch(tag)
    if found is None:
        raise Unclear
    uri, local = found[1] or "", found[2].lower()
    if _USERLAND in uri.lower():
        raise Unclear
    prefix = _NAMESPACES.get(uri.lower())
    if prefix is None:
        return local, uri
    return (f"{prefix}_{local}" if prefix else local), ""


def declared(text: str) -> Iterator[tuple[str, str]]:
    """The prefixes (empty: none) and namespaces that a feed declares, and perhaps some in its texts."""
    found = _DECLARED.findall(text, 0, _HEAD)
    if len(found) != text.count("xmlns"):
        found = _DECLARED.findall(text)
    return ((prefix, double or single) for prefix, double, single in found)


def check_prefixes(text: str) -> tuple[dict[str, set[str]], set[str]]:
    """The prefixes of each namespace that feedparser does not know, and the known ones, in lower case.

    Raises Unclear if prefixes are ambiguous.
    """
    strange: dict[str, set[str]] = {}
    known: set[str] = set()
    meanings: dict[str, str] = {}
    for prefix, uri in set(declared(text)):
        standard = _NAMESPACES.get(uri.lower())
        if "&" in uri or len(uri.split()) != 1 or _USERLAND in uri.lower():
            raise Unclear
        if prefix and meanings.setdefault(prefix.lower(), uri) != uri:
            raise Unclear
        if standard is None:
            strange.setdefault(uri, set()).add(prefix)
            is_taken = prefix.lower() in _TAKEN or prefix.lower() in _NAMESPACES.values()
        else:
            known.add(uri.lower())
            is_taken = prefix in _PREFIXES and prefix != standard
        if prefix and is_taken:
            raise Unclear
    return strange, known


def is_passed_over(tag: str, strange: Mapping[str, set[str]]) -> bool:
    """Whether feedparser does nothing with an element but to keep it under a name that nobody reads.

    `strange` has the prefixes of namespaces that feedparser does not know. Raises Unclear.
    """
    name, uri = name_of(tag)
    if uri:
        prefixes = strange.get(uri, set())
        if prefixes and "" not in prefixes:
            return True
        # Without a prefix, feedparser takes it for an element of the feed's own.
        if prefixes != {""}:
            raise Unclear
    prefix, _, local = name.rpartition("_")
    if name in HANDLED or name in _TAKEN:
        return False
    return not prefix or (prefix in _NAMESPACES.values() and "_" not in local and not uri)


def looks_like_html(text: str) -> bool:
    """Whether plain text is meant as HTML: it has an end tag or an entity, and nothing that is not HTML."""
    if "&" not in text and "</" not in text:
        return False
    if not (_END_TAG.search(text) or _REFERENCE.search(text)):
        return False
    if any(tag.lower() not in HTML for tag in _TAG_NAME.findall(text)):
        return False
    return all(name in entitydefs for name in _ENTITY_NAME.findall(text))
