"""The commands. To add one, write its handler in a module of this package and list it in COMMANDS."""

from bot.access import Act
from bot.commands import afar, choices, listing, welcome
from bot.commands.address import follow_address
from bot.commands.audit import AUDIT, audit, turn_audit
from bot.commands.browse import latest, page, read, search_posts, sources
from bot.commands.complete import format_choices, language_names, recent_titles, source_names
from bot.commands.digest import digest
from bot.commands.digest import press as press_digest
from bot.commands.digest_card import PREFIX as DIGEST
from bot.commands.exchange import export, import_
from bot.commands.filter import PREFIX as FILTER
from bot.commands.filter import confirm as confirm_filter
from bot.commands.filter import filter_
from bot.commands.forget import FORGET, confirm_forget, forget
from bot.commands.format import format_
from bot.commands.language import PREFIX as LANGUAGE
from bot.commands.language import choose, language
from bot.commands.listing import subscribe
from bot.commands.operator import OPERATOR, allow, ban, operate, operator, unban
from bot.commands.panels.presses import pressed, show_settings, show_subscriptions
from bot.commands.panels.show import SETTINGS, SUBSCRIPTIONS
from bot.commands.pause import pause, resume
from bot.commands.post import PREFIX, confirm, post
from bot.commands.quiet import PREFIX as QUIET
from bot.commands.quiet import press_quiet, quiet_
from bot.commands.start import help_, start
from bot.commands.status import status_
from bot.commands.subscriptions import unsubscribe
from bot.commands.types import Command, Parameter, Press, Work
from bot.commands.views import LIKE_IT, ViewKind, more, similar, turn
from bot.commands.why import why_
from content.i18n import Msgid

SOURCE = Parameter("source", "the name of a source", completer=source_names)
FOLLOWED = Parameter("source", "the name of a source, or an address", completer=source_names)
WORDS = Parameter("words", "what to look for", required=True, completer=recent_titles)
NUMBER = Parameter("number", "the number of the page", required=True)
PLACE = Parameter("number", "the place of the post on the page: 1 for the first", required=True)
SCHEDULE = Parameter(
    "schedule", "like daily 09:00 Asia/Shanghai; or list, add, edit, preview, now, pause, off"
)
POST = Parameter("post", "its link, its title, or its number on the page", completer=recent_titles)
CHAT = Parameter("chat", "like telegram:-100123; by default this chat")
HOURS = Parameter("hours", "like 22:00-08:00, or off")
UNTIL = Parameter("source", "the name of a source, and until when: Field notes until tomorrow 9:00")
CHOICES = Parameter("choices", "like full, no pictures, silent; or default", completer=format_choices)
CONDITIONS = Parameter("words", "like python -job tag:news; or off; first a source and a colon")
NAME = Parameter("name", "the name of a language, like English", completer=language_names)
MANAGED = Parameter("chat", "a channel or group that you administer, or done")
TEXT = Parameter(
    "text", "a title line, then text in Markdown; start with at 18:30 to send it at that time", required=True
)
FILE = Parameter("file", "an OPML file, as feed readers export it", required=True, is_file=True)

COMMANDS = (
    Command("latest", "/latest [source]", "show the newest posts", latest, parameters=(SOURCE,)),
    Command("page", "/page N", "jump to page N", page, parameters=(NUMBER,)),
    Command(
        "search",
        "/search words",
        'find posts; "…" for an exact phrase, -word to exclude',
        search_posts,
        parameters=(WORDS,),
        work=Work.SEARCH,
    ),
    Command("more", "/more", "show the next page", more, work=Work.SEARCH),
    Command("read", "/read N", "show post N of the page in full", read, parameters=(PLACE,)),
    Command("sources", "/sources", "list the sources", sources),
    Command(
        "subscribe",
        "/subscribe [source or URL]",
        "send new posts to this chat",
        subscribe,
        Act.MANAGE,
        (FOLLOWED,),
        work=Work.REMOTE,
    ),
    Command(
        "unsubscribe",
        "/unsubscribe [source]",
        "stop sending new posts",
        unsubscribe,
        Act.MANAGE,
        (SOURCE,),
    ),
    Command(
        "subscriptions",
        "/subscriptions",
        "list and change the subscriptions of this chat",
        show_subscriptions,
        Act.MANAGE,
        alone=True,
    ),
    Command(
        "settings",
        "/settings",
        "show and change the settings of this chat",
        show_settings,
        Act.MANAGE,
        alone=True,
    ),
    Command(
        "digest",
        "/digest daily 09:00",
        "receive posts as a scheduled digest",
        digest,
        Act.MANAGE,
        (SCHEDULE,),
    ),
    Command("quiet", "/quiet 22:00-08:00", "send nothing at night", quiet_, Act.MANAGE, (HOURS,)),
    Command(
        "pause",
        "/pause [source] [until tomorrow 9:00]",
        "send no posts for some time",
        pause,
        Act.MANAGE,
        (UNTIL,),
    ),
    Command("resume", "/resume [source]", "end a pause", resume, Act.MANAGE, (SOURCE,)),
    Command(
        "format",
        "/format [choices]",
        "choose how posts look here",
        format_,
        Act.MANAGE,
        (CHOICES,),
    ),
    Command(
        "filter",
        "/filter [source:] [words]",
        "choose which posts come here",
        filter_,
        Act.MANAGE,
        (CONDITIONS,),
    ),
    Command(
        "why",
        "/why [link, title or number]",
        "say why a post came here, or why not",
        why_,
        parameters=(POST,),
        work=Work.SEARCH,
        about_message=Msgid("Why was this sent?"),
        alone=True,
    ),
    Command("post", "/post [at 18:30] text", "publish an update of your own", post, Act.MANAGE, (TEXT,)),
    Command("status", "/status", "show what comes here, and what waits or failed", status_),
    Command("audit", "/audit", "show who changed what in this chat", audit, Act.MANAGE),
    Command(
        "forget", "/forget [export]", "erase all that is stored about this chat", forget, Act.MANAGE, (CHAT,)
    ),
    Command("operator", "/operator", "see access, quotas and all chats", operator, Act.OPERATE),
    Command("allow", "/allow CHAT", "let a chat use this bot", allow, Act.OPERATE, (CHAT,)),
    Command("ban", "/ban CHAT", "neither answer a chat nor send to it", ban, Act.OPERATE, (CHAT,)),
    Command("unban", "/unban CHAT", "lift a ban", unban, Act.OPERATE, (CHAT,)),
    Command(
        "import",
        "/import",
        "subscribe to the feeds of an OPML file",
        import_,
        Act.MANAGE,
        (FILE,),
        work=Work.REMOTE,
    ),
    Command("export", "/export", "get the feeds of this chat as an OPML file", export, Act.MANAGE),
    Command(
        "language",
        "/language [name]",
        "choose the language of this chat",
        language,
        Act.MANAGE,
        (NAME,),
    ),
    Command(
        "manage",
        "/manage [chat]",
        "manage a channel or group from here; /manage done ends that",
        afar.manage,
        Act.MANAGE,
        (MANAGED,),
        here=True,
    ),
    Command("help", "/help", "list all commands", help_, here=True),
    Command("start", "/start", "show the first steps", start),
)

# What menus list for everybody.
MENU = tuple(command for command in COMMANDS if not command.for_operators)

PRESSES = (
    Press(ViewKind.LATEST, turn),
    Press(ViewKind.SEARCH, turn, work=Work.SEARCH),
    Press(LIKE_IT, similar, work=Work.SEARCH),
    Press(PREFIX, confirm, Act.MANAGE),
    Press(afar.PREFIX, afar.choose, Act.MANAGE),
    Press(FILTER, confirm_filter, Act.MANAGE),
    Press(AUDIT, turn_audit, Act.MANAGE),
    Press(FORGET, confirm_forget, Act.MANAGE),
    Press(OPERATOR, operate, Act.OPERATE),
    Press(DIGEST, press_digest, Act.MANAGE),
    Press(QUIET, press_quiet, Act.MANAGE),
    Press(LANGUAGE, choose, Act.MANAGE),
    Press(SUBSCRIPTIONS, pressed, Act.MANAGE),
    Press(SETTINGS, pressed, Act.MANAGE),
    Press(welcome.PREFIX, welcome.choose, Act.MANAGE),
    Press(choices.ADDRESS, follow_address, Act.MANAGE, Work.REMOTE),
    Press(listing.PREFIX, listing.press, Act.MANAGE, Work.REMOTE),
)
