"""Inline queries and their answers.

Limits: core.telegram.org/bots/api#answerinlinequery, #inlinequeryresultarticle and #inputtextmessagecontent.
"""

import json
import re

from tests.emulators.telegram.content import read_text
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.types import ApiError, InlineAnswer, InlineResult

RESULTS, ID_BYTES, OFFSET_BYTES, QUERY = 50, 64, 64, 256
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_answer(params: Params) -> InlineAnswer:
    """The answer of the bot. The emulator takes articles with a text."""
    given = params.parsed("results", "inline query results")
    if not isinstance(given, list):
        raise ApiError(400, "Bad Request: can't parse inline query results: expected an Array")
    if len(given) > RESULTS:
        raise ApiError(400, "Bad Request: RESULTS_TOO_MUCH")
    results = tuple(map(_result, given))
    if len({result.id for result in results}) < len(results):
        raise ApiError(400, "Bad Request: RESULT_ID_DUPLICATE")
    offset = params.text("next_offset")
    if len(offset.encode()) > OFFSET_BYTES:
        raise ApiError(400, "Bad Request: NEXT_OFFSET_INVALID")
    cached = params.integer("cache_time") if params.text("cache_time") else 300
    return InlineAnswer(
        params.text("inline_query_id"), results, offset, cached, params.flag("is_personal"), _button(params)
    )


def _result(given: object) -> InlineResult:
    if not isinstance(given, dict) or given.get("type") != "article":
        raise ApiError(400, "Bad Request: can't parse inline query result: the emulator takes articles")
    number, title = str(given.get("id", "")), str(given.get("title", ""))
    if not 1 <= len(number.encode()) <= ID_BYTES:
        raise ApiError(400, "Bad Request: RESULT_ID_INVALID")
    if not title:
        raise ApiError(400, "Bad Request: ARTICLE_TITLE_EMPTY")
    content = given.get("input_message_content")
    if not isinstance(content, dict):
        raise ApiError(400, "Bad Request: inline query result must have input_message_content")
    fields = {"text": content.get("message_text", ""), "entities": json.dumps(content.get("entities") or [])}
    text, entities = read_text(Params(fields))
    summary, url = str(given.get("description", "")), str(given.get("url", ""))
    return InlineResult(number, title, summary, url, text, entities)


def _button(params: Params) -> str:
    """The text of the button above the results; empty without one."""
    button = params.parsed("button", "inline query results button")
    if button is None:
        return ""
    if not isinstance(button, dict) or not button.get("text"):
        raise ApiError(400, "Bad Request: can't parse inline query results button")
    if not _PARAMETER.fullmatch(str(button.get("start_parameter", ""))):
        raise ApiError(400, "Bad Request: START_PARAM_INVALID")
    return str(button["text"])


def check_query(text: str) -> None:
    """An app sends no longer query."""
    if len(text) > QUERY:
        raise ValueError(f"an inline query has at most {QUERY} characters")
