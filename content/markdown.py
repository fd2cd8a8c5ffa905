"""Markdown to HTML. Feeds do without it, so this is loaded only where there is Markdown."""

from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

_EXPANSION = 4  # rendered Markdown may be this many times as long as its source
_ROOM = 4096  # characters that a short text may become anyway
_FOOTNOTE = 80  # characters of a reference to a footnote, or of a link back


def markdown_to_html(text: str) -> str:
    """Render CommonMark with tables, strikethrough, footnotes, task lists and formulas between dollar signs.

    The result is not sanitised: raw HTML is kept.
    """
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.use(footnote_plugin).use(tasklists_plugin)
    # As in pandoc, so that prices are no formulas.
    reader.use(dollarmath_plugin, allow_space=False, allow_digits=False, renderer=_delimited)
    tokens = reader.parse(text)
    # A reference definition of a few characters can be used again and again, each time with a long URL.
    if sum(map(_weight, tokens)) > _ROOM + _EXPANSION * len(text):
        return f"<p>{escape(text)}</p>"
    html: str = reader.renderer.render(tokens, reader.options, {})
    return html


def _delimited(tex: str, _options: dict[str, object]) -> str:
    return f"\\({escape(tex.strip())}\\)"


def _weight(token: Token) -> int:
    """The number of characters in what a token and its children become beside their text."""
    is_footnote = token.type in ("footnote_ref", "footnote_anchor")
    own = sum(len(str(value)) for value in token.attrs.values()) + _FOOTNOTE * is_footnote
    return own + sum(map(_weight, token.children or ()))
