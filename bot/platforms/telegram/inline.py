"""Inline queries: the answer to an app in which a person types the bot's name and some words.

Limits: core.telegram.org/bots/api#answerinlinequery.
"""

from collections.abc import Callable, Mapping, Sequence

from bot.commands.inline import Offer, Offers
from content.document import Document
from scheduler.types import Form, Message

CACHED = 30  # seconds for which Telegram gives the same person the same answer
NOTE = 64  # characters of the button above the results
START = "inline"  # what /start gets if that button is pressed

Render = Callable[[Document, Form], Sequence[Message]]


def answer_to(query_id: str, offers: Offers, render: Render) -> Mapping[str, object]:
    """The fields of answerInlineQuery. It is for one person, because others may see other posts."""
    return {
        "inline_query_id": query_id,
        "results": [_article(offer, render) for offer in offers.posts],
        "cache_time": CACHED,
        "is_personal": True,
        "next_offset": offers.following,
        "button": {"text": offers.note[:NOTE], "start_parameter": START} if offers.note else None,
    }


def _article(offer: Offer, render: Render) -> Mapping[str, object]:
    payload = render(offer.document, Form.FULL)[0].payload
    content = {name: value for name, value in payload.items() if name != "text"}
    url = {"url": offer.url} if offer.url else {}
    return {
        "type": "article",
        "id": offer.key,
        "title": offer.title,
        "description": offer.summary,
        "input_message_content": {"message_text": payload["text"], **content},
        **url,
    }
