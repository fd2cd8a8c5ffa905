"""A column of text, boxes and tables, drawn from the top down: the body of a rich message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from unicodedata import bidirectional

from drawing.svg import box, spans, text_at
from drawing.text import Line, Styled, ems, plain, wrapped

SIZE, LEADING = 15, 22  # of text, pixels
PICTURE = 130  # height of a picture, pixels
INDENT = 22


def text_of(line: Iterable[Styled]) -> str:
    return "".join(one.character for one in line)


def is_rtl(line: Iterable[Styled]) -> bool:
    """Whether the first letter of a line is of a script that runs from right to left."""
    strong = (bidirectional(one.character) for one in line)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


@dataclass(slots=True)
class Column:
    """Shapes between `x` and `x + room`; `y` is where the next one begins."""

    x: float
    room: float
    y: float
    classes: tuple[str, ...] = ()
    shapes: list[str] = field(default_factory=list)

    def text(self, styled: Sequence[Styled], *, size: float = SIZE, gap: float = 6, lead: str = "") -> None:
        """A paragraph; `lead` is a bullet to the left of its first line."""
        styled = [Styled(one.character, (*one.classes, *self.classes)) for one in styled]
        for number, line in enumerate(wrapped(styled, self.room / size, ems)):
            self.y += size + LEADING - SIZE
            if lead and not number:
                self.shapes.append(text_at(self.x - INDENT + 4, self.y - 5, escape(lead)))
            if line:
                self._line(line, size)
        self.y += gap

    def _line(self, line: Line, size: float) -> None:
        style = f' style="font-size:{size:g}px"' if size != SIZE else ""
        x, extra = (self.x + self.room, ' direction="rtl"') if is_rtl(line) else (self.x, "")
        shape = text_at(x, self.y - 5, spans(line))
        self.shapes.append(shape.replace("<text ", f"<text{extra}{style} ", 1))

    def inner(self, indent: float = INDENT) -> "Column":
        """A column inside this one; `close` goes on below it."""
        return Column(self.x + indent, self.room - indent, self.y, self.classes)

    def close(self, inner: "Column") -> None:
        self.shapes += inner.shapes
        self.y = inner.y

    def quoted(self, inner: "Column", classes: str = "edge") -> None:
        """Go on below `inner`, with a bar to its left."""
        self.shapes.append(box(self.x, self.y, 3, max(inner.y - self.y - 4, 8), classes, 1.5))
        self.close(inner)

    def code(self, content: str, language: str) -> None:
        lines = content.split("\n")
        height = 19 * len(lines) + 14 + (16 if language else 0)
        self.shapes.append(box(self.x, self.y + 2, self.room, height, "sheet", 6))
        y = self.y + 2
        if language:
            y += 16
            self.shapes.append(text_at(self.x + 10, y + 2, escape(language), "small"))
        for line in lines:
            y += 19
            self.shapes.append(text_at(self.x + 10, y + 2, spans(plain(line, "pre"))))
        self.y += height + 10

    def pictures(self, names: Sequence[str], *, sign: str = "🖼") -> None:
        """Pictures side by side. A drawing cannot load them, so each is a box with its description."""
        each = (self.room - 4 * (len(names) - 1)) / len(names)
        for number, name in enumerate(names):
            left = self.x + number * (each + 4)
            self.shapes.append(box(left, self.y + 2, each, PICTURE, "sheet", 6))
            words = next(iter(wrapped(plain(name), (each - 16) / 12, ems)), ())
            self.shapes.append(text_at(left + each / 2, self.y + PICTURE / 2, sign, "middle"))
            self.shapes.append(
                text_at(left + each / 2, self.y + PICTURE / 2 + 24, escape(text_of(words)), "small middle")
            )
        self.y += PICTURE + 10

    def player(self, name: str, sign: str) -> None:
        self.shapes.append(box(self.x, self.y + 2, self.room, 44, "sheet", 8))
        self.shapes.append(text_at(self.x + 14, self.y + 29, sign))
        self.shapes.append(text_at(self.x + 42, self.y + 29, escape(name), "name"))
        self.y += 54

    def line(self) -> None:
        self.shapes.append(box(self.x, self.y + 6, self.room, 1, "edge", 0))
        self.y += 14

    def table(self, rows: Sequence[Sequence[tuple[Sequence[Styled], int]]]) -> None:
        """Rows of cells; each is its text and how many columns it covers."""
        count = max((sum(span for _, span in row) for row in rows), default=0)
        if not count:
            return
        each, top = self.room / count, self.y + 4
        for row in rows:
            at = 0
            for content, span in row:
                line = next(iter(wrapped(content, (each * span - 10) / SIZE, ems)), ())
                self.shapes.append(text_at(self.x + at * each + 8, self.y + 22, spans(line)))
                at += span
            self.y += 28
            self.shapes.append(box(self.x, self.y, self.room, 1, "edge", 0))
        self.shapes.append(box(self.x, top - 2, self.room, 1, "edge", 0))
        self.y += 10
