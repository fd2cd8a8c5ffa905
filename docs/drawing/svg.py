"""The shapes of the pictures, with colours for the reader's light or dark scheme."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from drawing.text import Line

SCREEN = 880  # height of a window, pixels

STYLE = """
text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; fill: #17212b; white-space: pre }
.mono { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC",
  monospace }
.room { fill: #d5e3ec } .bar { fill: #ffffff } .bubble { fill: #ffffff } .mine { fill: #e2f7cb }
.button { fill: #7d9bb0 } .press { fill: #ffffff; text-anchor: middle }
.small { font-size: 12px; fill: #6d7f8f } .end { text-anchor: end } .name { font-weight: 600 }
.bold { font-weight: 600 } .italic { font-style: italic } .text_link { fill: #1c6fb5 }
.code, .pre { fill: #7a3e9d; font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas,
  "Noto Sans Mono CJK SC", monospace } .blockquote { fill: #4c6072 }
.strike { text-decoration: line-through } .marker { fill: #8a6d00 } .spoiler { fill: #8b9dad }
.math { font-style: italic; font-family: "Latin Modern Math", "Cambria Math", Georgia, serif }
.sheet { fill: #eef2f5 } .edge { fill: #b3c3d0 }
.d-room { fill: #ffffff; stroke: #c9cdd3; stroke-width: 2 }
.d-line { fill: #e3e5e8 } .d-embed { fill: #f2f3f5 } .d-edge { fill: #b9bec7 }
.d-text { fill: #313338; font-size: 14px } .d-h1 { font-size: 21px; font-weight: 700 }
.d-h2 { font-size: 18px; font-weight: 700 } .d-strong { font-weight: 700 } .d-emphasis { font-style: italic }
.d-link { fill: #006ce7 } .d-code { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace }
.d-name { font-weight: 600; fill: #060607 } .d-faint { fill: #5c5e66; font-size: 12px }
.d-badge { fill: #5865f2 } .d-on-badge { fill: #ffffff; font-size: 10px; font-weight: 600 }
.d-command { fill: #4752c4; font-size: 13px; font-weight: 600 } .d-pill { fill: #e6e8fd }
.d-button { fill: #d7d9dc } .d-press { fill: #1c1d20; font-size: 14px; text-anchor: middle }
.d-secret { fill: #eef0fd } .d-curve { fill: none; stroke: #b9bec7; stroke-width: 2 }
.screen { fill: #14191f } .screen-text { fill: #d8dee6 } .prompt { fill: #7fd18b }
.strong { font-weight: 700; fill: #ffffff }
.wide { font-size: 15.5px }
.bar-complete { fill: #f92672 } .bar-finished { fill: #729c1f } .bar-back { fill: #4a525c }
.grid { fill: none; stroke: #b9bec7; stroke-opacity: .5 } .middle { text-anchor: middle }
.series-a, .series-b { fill: none; stroke-width: 2 }
.series-a { stroke: #1c6fb5 } .series-b { stroke: #c2571a }
.series-a.dot { fill: #1c6fb5 } .series-b.dot { fill: #c2571a }
.link { text-decoration: underline } .emphasis { font-style: italic } .quote { fill: #9fb0c0 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eef3 } .room { fill: #0e1621 } .bar { fill: #17212b } .bubble { fill: #182533 }
  .sheet { fill: #22303f } .edge { fill: #3d5166 } .marker { fill: #e8c860 }
  .mine { fill: #2b5278 } .button { fill: #2b3d50 } .press { fill: #ffffff } .small { fill: #8b9dad }
  .d-room { fill: #313338; stroke: #26272b }
  .d-line { fill: #26272b } .d-embed { fill: #2b2d31 } .d-edge { fill: #1e1f22 }
  .d-text { fill: #dbdee1 } .d-link { fill: #00a8fc } .d-name { fill: #f2f3f5 } .d-faint { fill: #949ba4 }
  .d-on-badge, .d-press { fill: #ffffff } .d-command { fill: #c9cdfb } .d-pill { fill: #3c4270 }
  .d-button { fill: #4e5058 } .d-secret { fill: #383b4d } .d-curve { stroke: #4e5058 }
  .screen-text { fill: #d8dee6 } .prompt { fill: #7fd18b } .strong { fill: #ffffff }
  .bar-complete { fill: #f92672 } .bar-finished { fill: #729c1f } .bar-back { fill: #4a525c }
  .text_link { fill: #6ab3f3 } .code, .pre { fill: #d3a6ee } .blockquote { fill: #a9bac8 }
}
"""


def spans(line: Line) -> str:
    parts = []
    for classes, characters in groupby(line, lambda one: one.classes):
        content = escape("".join(one.character for one in characters), quote=False)
        parts.append(f'<tspan class="{" ".join(classes)}">{content}</tspan>' if classes else content)
    return "".join(parts)


def text_at(x: float, y: float, content: str, classes: str = "") -> str:
    named = f' class="{classes}"' if classes else ""
    return f'<text xml:space="preserve" x="{x:g}" y="{y:g}"{named}>{content}</text>'


def box(x: float, y: float, width: float, height: float, classes: str, radius: float = 12) -> str:
    return (
        f'<rect class="{classes}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'
    )


def scrolled(shapes: Sequence[str], width: float, top: float, bottom: float, height: float) -> list[str]:
    """Shift and clip shapes that end at `height`, so that a window from `top` to `bottom` shows their end."""
    hidden = height - bottom
    if hidden <= 0:
        return list(shapes)
    window = f'<rect y="{top:g}" width="{width:g}" height="{bottom - top:g}"/>'
    return [
        f'<clipPath id="window">{window}</clipPath>',
        f'<g clip-path="url(#window)"><g transform="translate(0 {-hidden:g})">',
        *shapes,
        "</g></g>",
    ]


def document(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )
