"""What panels look like: documents, with rows of buttons below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from bot.commands.panels.data import Pressed, Verb, brief, hour_of
from bot.commands.panels.line import Line, Subject
from bot.commands.panels.lines import OF_CHAT, OF_SUBSCRIPTION, rhythm_of
from bot.commands.types import Button, Question, Reply, Request, Rows, Services
from content import present
from content.document import Document
from content.i18n import Translator
from content.types import Source
from scheduler.types import Digest, Subscription

SUBSCRIPTIONS, SETTINGS = "u", "e"  # the prefixes of their buttons
PAGE = 8  # subscriptions on a page
SHORT = 18  # columns of a label that leaves room for a second button in its row
NAME = 40  # characters of a name on a button
TABLES: Mapping[str, Mapping[str, Line]] = {SUBSCRIPTIONS: OF_SUBSCRIPTION, SETTINGS: OF_CHAT}


@dataclass(frozen=True, slots=True)
class Followed:
    """A subscription with its source (None: all public ones) and its digest (None: at once)."""

    subscription: Subscription
    source: Source | None
    digest: Digest | None


def _button(label: str, pressed: Pressed, question: Question | None = None) -> Button:
    return Button(label, pressed.encode(), question)


def _pressed(subject: Subject, verb: Verb, line: str = "", shown: str = "", new: str = "") -> Pressed:
    source = subject.source.id if subject.source else 0
    return Pressed(prefix_of(subject), verb, hour_of(subject.now), source, line, shown, new)


def prefix_of(subject: Subject) -> str:
    return SUBSCRIPTIONS if subject.subscription else SETTINGS


def panel(subject: Subject, said: str = "") -> Reply:
    """All lines of a chat or a subscription. `said`: what has just happened."""
    t, table = subject.tr.t, TABLES[prefix_of(subject)]
    rows = [_says(line, subject) for line in table.values()]
    buttons = [_button(t(line.about), _pressed(subject, Verb.CHOICES, line.name)) for line in table.values()]
    listed = Pressed(SUBSCRIPTIONS, Verb.LIST, hour_of(subject.now), 1)
    last = [_button(t("‹ Subscriptions"), listed)]
    if subject.subscription:
        last.append(_button(t("Unsubscribe"), _pressed(subject, Verb.END)))
    return Reply(_document(_heading(subject), rows, said), (*_grid(buttons), tuple(last)))


def choices(subject: Subject, line: Line, said: str = "") -> Reply:
    """The values of one line, each on a button that carries which one is stored now."""
    t, now = subject.tr.t, line.stored(subject)
    shown, buttons = brief(now), list[Button]()
    for key, label in line.values(subject).items():
        name = f"✓ {label}" if key == now else label
        buttons.append(_button(name, _pressed(subject, Verb.SET, line.name, shown, key)))
    if line.prompt:
        question = Question(t(line.prompt), line.placeholder)
        typed = _pressed(subject, Verb.TYPE, line.name, shown)
        buttons.append(_button(t("Type it"), typed, question))
    back = _button(t("‹ Back"), _pressed(subject, Verb.OPEN))
    return Reply(_document(_heading(subject), [_says(line, subject)], said), (*_grid(buttons), (back,)))


def _says(line: Line, subject: Subject) -> str:
    t = subject.tr.t
    return t("• {about}: {chosen}", about=t(line.about), chosen=line.says(subject))


def _heading(subject: Subject) -> str:
    return subject.name if subject.subscription else subject.tr.t("Settings of this chat")


def listed(
    followed: Sequence[Followed], page: int, request: Request, services: Services, said: str = ""
) -> Reply:
    """A page of a chat's subscriptions, each with a button that opens its panel."""
    t, hour = request.translator.t, hour_of(services.clock.now())
    pages = max(1, -(-len(followed) // PAGE))
    page = min(max(page, 1), pages)
    names = [_name(one, request)[:NAME] for one in followed]
    here = list(zip(names, followed, strict=True))[(page - 1) * PAGE : page * PAGE]
    rows = [_listed(name, one, request.translator) for name, one in here] or [
        t("No subscriptions yet. Add one with /subscribe.")
    ]
    if pages > 1:
        rows.append(t("Page {page} of {pages}", page=page, pages=pages))
    opens = [
        _button(name, Pressed(SUBSCRIPTIONS, Verb.OPEN, hour, one.source.id if one.source else 0))
        for name, one in here
    ]
    turns = [
        _button(label, Pressed(SUBSCRIPTIONS, Verb.LIST, hour, to))
        for label, to in ((t("‹ Previous"), page - 1), (t("Next ›"), page + 1))
        if 1 <= to <= pages
    ]
    settings = _button(t("Settings of this chat"), Pressed(SETTINGS, Verb.OPEN, hour))
    return Reply(_document(t("Subscriptions"), rows, said), (*_grid(opens), tuple(turns), (settings,)))


def _listed(name: str, followed: Followed, tr: Translator) -> str:
    """When the posts of a subscription come, and whether it is paused."""
    digest = followed.digest
    when = rhythm_of(digest, tr) if digest else tr.t("at once")
    row = tr.t("• {about}: {chosen}", about=name, chosen=when)
    return tr.sentences(row, tr.t("(paused)")) if followed.subscription.paused_until else row


def undo_button(number: int, request: Request, services: Services) -> Button:
    hour = hour_of(services.clock.now())
    return _button(request.translator.t("Undo"), Pressed(SUBSCRIPTIONS, Verb.UNDO, hour, number))


def _name(followed: Followed, request: Request) -> str:
    tr = request.translator
    return present.source_name(followed.source.name, tr) if followed.source else tr.t("all sources")


def _document(heading: str, rows: Iterable[str], said: str) -> Document:
    above = present.notice(said).blocks if said else ()
    return Document((*above, *present.lines(heading, rows).blocks))


def _grid(buttons: Iterable[Button]) -> Rows:
    """Rows of buttons: two short ones share a row."""
    rows: list[tuple[Button, ...]] = []
    for button in buttons:
        if rows and len(rows[-1]) == 1 and max(_columns(rows[-1][0]), _columns(button)) <= SHORT:
            rows[-1] = (*rows[-1], button)
        else:
            rows.append((button,))
    return tuple(rows)


def _columns(button: Button) -> int:
    """How wide a label is: a Chinese character takes two columns."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in button.label)
