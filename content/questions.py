"""Takes the question out of a query: 怎么做红烧肉 looks for 红烧肉, “how do I season pans” season pans."""

import re
from collections.abc import Sequence
from functools import cache

from content.tokens import fold

# What a question or request in English begins with, up to its first word that says what it is about.
_POLITE = (
    r"(?:(?:please|pls|hi|hello|hey)\s+|(?:can|could|would|will) you\s+|(?:tell|show|help|teach) me\s+"
    r"|explain\s+|(?:i|we) (?:want|need|wish|would like) to (?:know|learn)\s+|i'd like to (?:know|learn)\s+"
    r"|do you know\s+|does (?:anyone|anybody|someone) know\s+|any idea\s+)"
)
_IS = r"(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have)"
_ASKED = (
    rf"(?:(?:how|what|why|where|when|who|which)(?: {_IS}|'s)(?:n't)?|how (?:to|come|much|many|often|long)"
    r"|what about|(?:is|are|was|were) there|(?:can|could|should|may) (?:i|we)"
    r"|(?:does|do|did) (?:anyone|anybody|someone)|which|why)\s+"
)
_ABOUT = (
    r"(?:(?:i|you|we|one|people|they|it|there|about)\s+)?(?:(?:a|an|the|my|some|any)\s+)?"
    r"(?:(?:best|easiest|right|fastest) way (?:to|of|for)\s+)?"
)
_OPENING = re.compile(rf"(?:{_POLITE}+(?:{_ASKED})?|{_ASKED}){_ABOUT}")
# Words that say nothing by themselves; in a question they were not chosen.
_SMALL = (
    "a an the my your our their its this that these those some any of to in on at for from with without by "
    "as and or it is are was were be been do does did not i you we they me us them there if about into than "
    "so very really best good against between please pls thanks thank mean means work works"
)
SMALL_WORDS = frozenset(_SMALL.split())

_VERB = r"(?:[做弄办用走去写选学搞看治](?=[^一-鿿]|$|[一-鿿]{2}))?"
_QUESTION = (
    rf"(?:怎么样|怎么|怎样|如何)(?:才能|可以|能够|能|才)?(?:使用|进行|制作|实现|理解)?{_VERB}"
    r"|(?:请问|请教|想问|问)一下|请问|请教|想问"
    r"|我?想(?:知道|了解)一?下?|(?:谁|大家|有人)知道|麻烦(?:帮我|问一?下?)|帮我(?:找|查|搜)?一?下?|有没有"
    r"|什么是|(?:是|有)什么(?:意思)?|什么意思|为什么|为何|为啥|是啥|啥是|何为|哪里|哪些|哪个|多少|几个"
    r"|能不能|可不可以|能否|是否|可以|可否|要不要|应该|谢谢"
)
_PARTICLE = re.compile(r"(?:了?[吗呢]|了没)+(?=\W|$)")
# 的 joins what belongs together in meaning, but not in words.
_JOIN = re.compile(r"(?<=[一-鿿])(?<!目)的(?![士确])")


def without_question(items: Sequence[str]) -> tuple[list[str], bool]:
    """The plain words of a query without those that only ask, and whether there were any.

    Each item, folded, stays in its place, though it may be empty now.
    """
    items = [fold(item) for item in items]
    line = " ".join(items) + " "
    opening = _OPENING.match(line)
    asked = opening is not None
    done = line[: opening.end()].count(" ") if opening else 0
    kept = ["" if n < done or (asked and _is_small(item)) else item for n, item in enumerate(items)]
    plain = [_PARTICLE.sub(" ", _question().sub(" ", item)) for item in kept]
    if plain != kept:
        asked = True
        plain = [_JOIN.sub(" ", item) for item in plain]
    return plain, asked


@cache
def _question() -> re.Pattern[str]:
    """The pattern, folded like the text that it is compared with: 么 becomes another character."""
    return re.compile(fold(_QUESTION))


def _is_small(item: str) -> bool:
    return item.strip("?!.,;:'\"") in SMALL_WORDS
