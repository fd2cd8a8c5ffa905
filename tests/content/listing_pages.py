"""Web pages that list posts, in the shapes that real sites have, and the posts that a reader sees there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

SITE = "https://example.org"
NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """A post of these pages. `day` is a day of July 2026."""

    slug: str
    title: str
    day: int
    excerpt: str


POSTS = (
    Told(
        "kettle", "A kettle that hums in B flat", 14, "We measured four kettles and one of them is a tenor."
    ),
    Told(
        "ladder",
        "The ladder nobody owns",
        13,
        "It has stood in the yard since spring, and every tenant thinks well of it.",
    ),
    Told(
        "fog",
        "Fog over the third bridge",
        11,
        "Ferries slowed down, and the bell on the pier rang for two hours.",
    ),
    Told(
        "seeds",
        "Which seeds survived the move",
        9,
        "Beans did, basil did not; the table below has all thirty kinds.",
    ),
    Told(
        "stamp", "Sorting stamps by colour", 6, "The blue ones fill a drawer, and green turns out to be rare."
    ),
    Told(
        "lamp", "How the reading lamp was mended", 2, "A loose wire, a new plug, and ten minutes of patience."
    ),
)
NEWS = (
    Told("a1", "关于调整图书馆开放时间的通知", 14, "自下周一起，阅览室每天延长两小时开放，周末照常。"),
    Told("a2", "夏季用水高峰期间的供水安排", 13, "高峰时段分区供水，请各小区提前储水并留意公告。"),
    Told("a3", "社区花园认领活动开始报名", 10, "共有三十二块地可供认领，每户限报一块，先到先得。"),
    Told("a4", "旧书交换日的时间和地点", 8, "请带上不再需要的书，换走一本您想读的，数量不限。"),
    Told("a5", "河边步道第二期完工验收", 5, "新铺的路面采用透水材料，雨后不再积水，欢迎散步。"),
)
MENU = (
    '<nav class="site-nav"><ul><li><a href="/">Home</a></li><li><a href="/about">About this site</a></li>'
    '<li><a href="/contact">Contact the editors</a></li><li><a href="/join">Become a member</a>'
    "</li></ul></nav>"
)
PAGES = (
    '<div class="pagination"><a href="/news?page=1">1</a><a href="/news?page=2">2</a>'
    '<a href="/news?page=3">3</a><a href="/news?page=2">Next</a></div>'
)
FOOTER = (
    '<footer><ul><li><a href="/privacy">How we handle your data</a></li><li><a href="/terms">'
    "Terms of use of this "
    'site</a></li><li><a href="/press">Press and pictures</a></li></ul><p>© 2026 The Yard</p></footer>'
)
TAGS = (
    '<div class="tag-cloud">'
    + "".join(f'<a href="/t/{n}">a tag of topic {n}</a> ' for n in range(12))
    + "</div>"
)
POPULAR = "".join(
    f'<li><a href="/old/{name}">{title}</a></li>'
    for name, title in (
        ("rope", "Ten knots that hold a boat"),
        ("jam", "Jam without sugar, tried and eaten"),
        ("clock", "Why the tower clock runs late"),
        ("wall", "The wall that keeps moving"),
    )
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what is to be found on it: the posts, and whether they have dates and excerpts there."""

    name: str
    html: str
    posts: Sequence[Told] = POSTS
    dates: bool = True
    excerpts: bool = True


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>The Yard</title>{head}</head><body>{body}</body></html>"


def around(content: str) -> str:
    return page(f"{MENU}<main>{content}{PAGES}</main>{FOOTER}")


def each(form: str, posts: Iterable[Told] = POSTS) -> str:
    """The form filled with each post: {slug}, {title}, {excerpt}, {day}, {iso}, {english}, {chinese}."""
    return "".join(
        form.format(
            slug=post.slug,
            title=post.title,
            excerpt=post.excerpt,
            day=post.day,
            iso=f"2026-07-{post.day:02}",
            english=f"July {post.day}, 2026",
            chinese=f"2026年7月{post.day}日",
            ago=f"{20 - post.day} days ago",
            number=100 + post.day,
        )
        for post in posts
    )


CARDS = Page(
    "a list of cards",
    around(
        "<h1>News</h1><ul class='cards'>"
        + each(
            '<li class="card"><a class="thumb" href="/p/{slug}"><img src="/i/{slug}.jpg" alt="">'
            '</a><h2><a href="/p/{slug}">'
            '{title}</a></h2><time datetime="{iso}T08:00:00Z">{day} Jul</time><p class="teaser">{excerpt}</p>'
            '<a class="more" href="/p/{slug}">Read more</a></li>'
        )
        + "</ul>"
    ),
)
TABLE = Page(
    "rows of a table",
    around(
        "<table class='list'><tr><th>Date</th><th>Title</th><th>By</th></tr>"
        + each('<tr><td>{iso}</td><td><a href="/doc?id={number}">{title}</a></td><td>The editors</td></tr>')
        + "</table>"
    ),
    excerpts=False,
)
ARTICLES = Page(
    "article elements",
    around(
        each(
            '<article class="entry"><header><h2><a href="/p/{slug}" rel="bookmark">{title}</a>'
            '</h2><p class="meta">Posted on '
            '{english} by <a href="/who/ann" rel="author">Ann</a> in <a href="/c/yard">Yard</a></p></header>'
            '<div class="summary"><p>{excerpt}</p></div></article>'
        )
    ),
)
SOUP = Page(
    "div elements with class names, and a twin list of popular posts",
    page(
        '<div class="top"><div class="daohang"><a href="/a">首页新闻</a><a href="/b">本地生活</a>'
        '<a href="/c">读者来信</a></div></div>'
        '<div class="wrap"><div class="left-col"><div class="hd">最新消息</div><div class="bd">'
        + each(
            '<div class="item clearfix"><div class="pic"><a href="/n/{slug}.html"><img '
            'src="/{slug}.png"></a></div><div '
            'class="txt"><div class="tit"><a href="/n/{slug}.html">{title}</a></div><div '
            'class="desc">{excerpt}</div><div '
            'class="info"><span class="time">{chinese}</span><span class="views">阅读 '
            "{number}</span></div></div></div>",
            NEWS,
        )
        + '</div></div><div class="right-col"><div class="hd">阅读排行</div><div class="bd">'
        + "".join(
            f'<div class="item clearfix"><div class="txt"><div class="tit"><a href="/n/x{n}.html">'
            f"往年最受欢迎的文章第{n}篇</a>"
            "</div></div></div>"
            for n in range(8)
        )
        + "</div></div></div>"
    ),
    posts=NEWS,
)
TERMS = Page(
    "a list of terms",
    around(
        "<dl>"
        + each('<dt><a href="/p/{slug}">{title}</a> <small>{iso}</small></dt><dd>{excerpt}</dd>')
        + "</dl>"
    ),
)
THEME = Page(
    "a theme of a well-known program",
    page(
        '<div id="page" class="site"><header id="masthead" class="site-header"><div '
        'id="site-navigation" class="main-navigation">'
        '<ul class="menu"><li class="menu-item menu-item-1"><a href="/">Home page</a></li><li '
        'class="menu-item menu-item-2">'
        '<a href="/archive">All the archive</a></li></ul></div></header><div id="content" '
        'class="site-content"><main id="main" '
        'class="site-main">'
        + each(
            '<article id="post-{number}" class="post-{number} post type-post status-publish '
            "format-standard hentry "
            'category-yard tag-tags tag-{slug}"><header class="entry-header"><h2 '
            'class="entry-title"><a href="/2026/07/{slug}/" '
            'rel="bookmark">{title}</a></h2><div class="entry-meta"><span class="posted-on">'
            '<time class="entry-date published" '
            'datetime="{iso}T09:30:00+00:00">{english}</time></span><span class="byline"> by '
            '<span class="author vcard">'
            '<a class="url fn n" href="/author/ann/">Ann</a></span></span></div></header><div '
            'class="entry-content"><p>{excerpt} '
            '<a href="/2026/07/{slug}/" class="more-link">Continue reading</a></p></div><footer '
            'class="entry-footer"><span '
            'class="cat-links"><a href="/category/yard/" rel="category tag">Yard</a></span>'
            "</footer></article>"
        )
        + '</main><nav class="navigation posts-navigation"><div class="nav-links"><a '
        'href="/page/2/">Older posts</a></div></nav>'
        '</div><div id="secondary" class="widget-area sidebar"><section class="widget '
        'widget_recent_entries"><h2 '
        f'class="widget-title">Recent Posts</h2><ul>{POPULAR}</ul></section></div></div>'
    ),
)
NOTICES = Page(
    "notices with a date in brackets",
    page(
        '<div class="menu"><ul><li><a href="/gk/">政务公开</a></li><li><a href="/bs/">'
        '办事服务</a></li><li><a href="/hd/">互动交流</a>'
        '</li></ul></div><div class="main"><ul class="news_list">'
        + each(
            '<li><span class="dot">·</span><a href="./t2026/{slug}.htm" title="{title}">'
            "{title}</a><span>[{iso}]</span></li>",
            NEWS,
        )
        + '</ul><div class="page">共 12 页 <a href="index_1.htm">下一页</a> <a '
        'href="index_11.htm">尾页</a></div></div>'
        '<div class="youlian"><ul><li><a href="https://a.example/">某某市人民政府门户网站</a>'
        '</li><li><a href="https://b.example/x">'
        "某某省政务服务网</a></li><li><a href='https://c.example/y'>国家公共文化服务平台</a></li></ul></div>"
    ),
    posts=NEWS,
    excerpts=False,
)
BARE_NOTICES = Page(
    "notices with a bare date after the link",
    around("<ul>" + each('<li><a href="/n/{slug}.htm">{title}</a> ({iso})</li>', NEWS) + "</ul>"),
    posts=NEWS,
    excerpts=False,
)
INDEX = Page(
    "an index without dates",
    page(
        "<h1>Notes</h1><p>Everything that was worth writing down.</p><ul>"
        + each('<li><a href="notes/{slug}.html">{title}</a></li>')
        + '</ul><p>Made by hand. <a href="/about.html">About</a></p>'
    ),
    dates=False,
    excerpts=False,
)
RELEASES = Page(
    "a list of releases",
    around(
        "<div data-hpc>"
        + each(
            '<section aria-labelledby="hd-{number}"><h2 class="sr-only" id="hd-{number}">'
            'v0.{day}</h2><div class="Box-body"><div '
            'class="d-flex"><span class="f1 text-bold"><a '
            'href="/yard/tool/releases/tag/v0.{day}" class="Link--primary Link">'
            '{title}</a></span><relative-time datetime="{iso}T10:00:00Z">{ago}</relative-time><a '
            'href="/yard/tool/tree/v0.{day}" '
            'class="Link">v0.{day}</a></div><div class="markdown-body"><ul><li>{excerpt}</li><li>'
            'And <a href="/yard/tool/pull/'
            '{number}">one fix</a>.</li></ul></div><details><summary>Assets</summary><a '
            'href="/yard/tool/archive/{number}.zip">'
            "Source code</a></details></div></section>"
        )
        + "</div>"
    ),
)
SIDEBAR = Page(
    "a twin list beside the posts, without telling names",
    page(
        f'{MENU}<div class="row"><div class="box"><h3>News from the yard</h3><ul class="list">'
        + each('<li><a href="/p/{slug}">{title}</a><span class="when">{ago}</span></li>')
        + f'</ul></div><div class="box"><h3>Popular posts</h3><ul class="list">'
        f"{POPULAR}{POPULAR.replace('old', 'older')}"
        f"</ul></div></div>{FOOTER}"
    ),
    excerpts=False,
)
GRID = Page(
    "a grid whose cards are links",
    around(
        '<div class="grid">'
        + "".join(
            '<div class="row">'
            + each(
                '<div class="col-md-4"><a class="tile" href="/p/{slug}"><img src="/{slug}.png">'
                '<h3>{title}</h3><span class="date">'
                "{day} July 2026</span><p>{excerpt}</p></a></div>",
                POSTS[start : start + 3],
            )
            + "</div>"
            for start in (0, 3)
        )
        + f"</div>{TAGS}"
    ),
)
MONTHS = Page(
    "posts by month",
    around(
        "".join(
            f"<section><h2>Part {part} of the year</h2><ul>"
            + each('<li><time>{english}</time> <a href="/p/{slug}">{title}</a></li>', posts)
            + "</ul></section>"
            for part, posts in enumerate((POSTS[:2], POSTS[2:5], POSTS[5:]))
        )
    ),
    excerpts=False,
)
FLAT = Page(
    "headings and paragraphs side by side",
    around(each('<h2><a href="/p/{slug}">{title}</a></h2><p class="date">{english}</p><p>{excerpt}</p><hr>')),
)
PAIRS = Page(
    "pairs of table rows",
    page(
        '<table><tr class="bar"><td><a href="/new">new</a> | <a href="/ask">ask</a></td></tr>'
        '</table><table class="itemlist">'
        + each(
            '<tr class="athing"><td class="rank">{day}.</td><td><span class="titleline"><a '
            'href="https://other.example/{slug}">'
            '{title}</a></span></td></tr><tr><td></td><td class="subtext"><span class="score">'
            "{number} points</span> by "
            '<a href="/user?id=mira">mira</a> <span class="age" title="{iso}T05:00:00">'
            '{ago}</span> | <a href="/item?id={number}">'
            '{number} comments</a></td></tr><tr class="spacer"></tr>'
        )
        + "</table>"
    ),
    excerpts=False,
)
MORE = Page(
    "headings that are no links",
    around(
        each(
            '<div class="teaser"><h3>{title}</h3><p class="when">{iso}</p><p class="text">'
            '{excerpt}</p><a class="btn" '
            'href="/p/{slug}">Read more</a></div>'
        )
    ),
)
MIXED = Page(
    "a banner, a heading, long excerpts in two languages, and page numbers",
    page(
        '<div class="app"><div class="banner">THE YARD CALLING</div><h1>Newest entries</h1><div class="feed">'
        + each(
            '<a class="entry" href="/e/{slug}"><div class="name">{title}</div><div class="body">'
            "{excerpt} {excerpt} {excerpt} "
            "{excerpt} {excerpt}</div></a>",
            (*POSTS, *NEWS),
        )
        + '</div><div class="numbers"><a href="?p=1">1</a> <a href="?p=2">2</a></div></div>'
    ),
    posts=(*POSTS, *NEWS),
    dates=False,
)
FEATURED = Page(
    "a featured post with another heading, and an advertisement",
    around(
        each(
            '<article class="post featured"><h1><a href="/p/{slug}">{title}</a></h1><time>{iso}</time>'
            "<p>{excerpt}</p></article>",
            POSTS[:1],
        )
        + '<article class="ad"><h2><a href="https://ad.example/x">Something to buy</a></h2></article>'
        + each(
            '<article class="post"><h2><a href="/p/{slug}">{title}</a></h2><time>{iso}</time>'
            "<p>{excerpt}</p></article>",
            POSTS[1:],
        )
    ),
)
SPLIT = Page(
    "dates whose day stands beside the month",
    page(
        "<ul class='l'>"
        + each(
            '<li><div class="date"><b>{day}</b><span>2026-07</span></div><div class="r"><h3>'
            '<a href="/n/{slug}">{title}</a></h3><p>{excerpt}</p></div></li>',
            NEWS,
        )
        + "</ul>"
    ),
    posts=NEWS,
)
LINES = Page(
    "links and dates side by side, a line each",
    page(
        '<div class="hd"><a href="/">首页</a> <a href="/x">关于我们</a></div><div class="c">'
        + each('· <a href="/n/{slug}.htm">{title}</a> <font color="gray">({iso})</font><br>', NEWS)
        + "</div>"
    ),
    posts=NEWS,
    excerpts=False,
)
FORUM = Page(
    "the topics of a forum, by their last answer",
    page(
        '<table><thead><tr><th><a href="?s=t">Topic title</a><th><a href="?s=r">Replies</a></thead><tbody>'
        + each(
            '<tr><td class="t"><a href="/t/{slug}">{title}</a><br><small>by <a href="/u/ann">ann</a></small>'
            '</td><td>{number}</td><td class="last"><a href="/t/{slug}#last">{ago}</a></td></tr>'
        )
        + "</table>"
    ),
    excerpts=False,
)
SHAPES = (
    CARDS,
    TABLE,
    ARTICLES,
    SOUP,
    TERMS,
    THEME,
    NOTICES,
    BARE_NOTICES,
    INDEX,
    RELEASES,
    SIDEBAR,
    GRID,
    MONTHS,
    FLAT,
    PAIRS,
    MORE,
    MIXED,
    FEATURED,
    SPLIT,
    LINES,
    FORUM,
)
