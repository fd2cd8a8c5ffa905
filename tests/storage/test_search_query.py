"""SQLite's FTS5 and PostgreSQL find the same posts, and those that reading the tokens one by one finds."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content import relaxing
from content.search import AnyOf, Most, Phrase, Query, Term, Unit, parse
from content.tokens import IndexedText, index_text, tokens
from storage.search_query import to_fts5, to_fts5_row, to_tsquery, to_tsvector
from tests.conftest import Postgres

FTS5 = (
    "CREATE VIRTUAL TABLE post_fts USING fts5(title, body, variants, content='', tokenize='ascii')",
    "CREATE VIRTUAL TABLE post_terms USING fts5vocab(post_fts, 'row')",
)
POSTS = [
    ("大模型微调", "用LoRA微调大语言模型,显存要求更低。", ["LLM"]),
    ("微調指南", "我們介紹資料庫與對齊。", []),
    ("LoRA-tuned models", "DeepSeek-V3 was fine-tuned with LoRA.", ["machine learning"]),
    ("DeepSeekV3", "A DeepSeek V3 report on tokens and the tokenizer.", []),
    ("Tokenizers", "How a tokenizer splits text", []),
    ("One token", "The model reads a token at a time", []),
    ("Qwen2.5", "Qwen2 and gpt-4.1 and GPT4 compared", ["qwen"]),
    ("gpt", "4 o'clock, pi is 3.14", []),
    ("C++17", "Modern C++ and C# for everyone", []),
    ("c", "plain c language", []),
    ("alpha beta", "gamma delta", ["epsilon", "zeta"]),
    ("beta", "alpha gamma", ["delta epsilon"]),
    ("gamma", "beta. Alpha beta, gamma", []),
    ("型", "微", []),
    ("微", "调", ["大", "模型"]),
    ("大模", "型微调", []),
    ("データベース", "検索エンジンとデータ", []),
    ("한국어 검색", "한국어 문서를 검색한다", []),
    ("𠮷野家", "𰀁𰀂𰀃 and ᦰᦱ", []),
    ("", "", []),
    ("-", "\"'\\ : * ~lora & | ! <->", []),
    ("x", "~ variants title body AND OR NOT NEAR", []),
    ("I don't know", "dont say isn't", []),
    ("file_name", "filename and file name", []),
    ("Straße", "STRASSE café cafe\u0301 naïve", []),
    ("the", "the " * 300 + "late end", []),
    ("late", "字" * 17_000 + "end", ["kept"]),
    ("many", " ".join(f"w{n}" for n in range(20_000)), []),
    ("runs", "running run ran runner", []),
    ("universities", "a university in the universe", []),
    ("fine tuning", "finetuning fine-tuning finetuned", []),
    ("a b c d", "a a b b a b", []),
    ("url", "https://example.com/a_b-c?d=e.f", []),
    ("数据", "数据库和大数据", ["数据"]),
    ("对齐", "对 齐", []),
    ("long", "y" * 200 + " " + "z" * 70, []),
    ("emoji", "to space 👩🏽‍🚀 with ❤️ go 🎉🎉 🇫🇷!", []),
]
INDEXED = {number: index_text(*post) for number, post in enumerate(POSTS, 1)}


@dataclass(frozen=True)
class Engines:
    sqlite: sqlite3.Connection
    fetch: Callable[[str], list[int]]
    fetch_size: Callable[[str], int]

    def fts5(self, expression: str) -> set[int]:
        rows = self.sqlite.execute("SELECT rowid FROM post_fts WHERE post_fts MATCH ?", (expression,))
        return {row[0] for row in rows}

    def postgres(self, expression: str) -> set[int]:
        return set(self.fetch(expression))


def fts5_database() -> sqlite3.Connection:
    sqlite = sqlite3.connect(":memory:")
    for statement in FTS5:
        sqlite.execute(statement)
    insert = "INSERT INTO post_fts (rowid, title, body, variants) VALUES (?, ?, ?, ?)"
    sqlite.executemany(insert, [(number, *to_fts5_row(indexed)) for number, indexed in INDEXED.items()])
    return sqlite


async def fill(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TABLE posts (id integer PRIMARY KEY, tsv tsvector NOT NULL)")
    rows = [(number, to_tsvector(indexed)) for number, indexed in INDEXED.items()]
    await connection.executemany("INSERT INTO posts VALUES ($1, $2::text::tsvector)", rows)
    await connection.execute("CREATE INDEX ON posts USING gin (tsv)")
    await connection.execute("SET enable_seqscan = off")


@pytest.fixture(scope="module")
def engines(postgres: Postgres) -> Iterator[Engines]:
    with (
        closing(fts5_database()) as sqlite,
        postgres.database("template1") as url,
        asyncio.Runner() as runner,
    ):
        connection = runner.run(asyncpg.connect(url))
        runner.run(fill(connection))

        def fetch(expression: str) -> list[int]:
            sql = "SELECT id FROM posts WHERE tsv @@ $1::text::tsquery"
            return [row["id"] for row in runner.run(connection.fetch(sql, expression))]

        def fetch_size(vector: str) -> int:
            return int(runner.run(connection.fetchval("SELECT pg_column_size($1::text::tsvector)", vector)))

        yield Engines(sqlite, fetch, fetch_size)
        runner.run(connection.close())


def in_a_row(tokens: tuple[str, ...]) -> str:
    """Tokens as one text, each between line feeds, which no token holds."""
    return "".join(f"\n{token}" for token in tokens) + "\n"


STREAMS = {number: (in_a_row(one.title), in_a_row(one.body)) for number, one in INDEXED.items()}


def has(number: int, term: Term) -> bool:
    if not isinstance(term, Phrase):
        return term.token in INDEXED[number].variants
    wanted = in_a_row(term.tokens)
    return any((wanted[:-1] if term.prefix else wanted) in stream for stream in STREAMS[number])


def has_unit(number: int, unit: Unit) -> bool:
    if isinstance(unit, Most):
        return sum(has_unit(number, inner) for inner in unit.units) >= len(unit.units) - unit.missing
    return any(has(number, term) for term in unit.terms)


def naive(query: Query) -> set[int]:
    return {
        number
        for number in INDEXED
        if not query.empty
        and all(has_unit(number, unit) for unit in query.units)
        and not any(has_unit(number, unit) for unit in query.excluded)
    }


def agreed(engines: Engines, text: str) -> set[int]:
    """The numbers that both databases and the naive reading find."""
    return agreed_on(engines, parse(text))


def agreed_on(engines: Engines, query: Query) -> set[int]:
    expected = naive(query)
    assert engines.fts5(to_fts5(query)) == expected
    assert engines.postgres(to_tsquery(query)) == expected
    return expected


def titles(engines: Engines, text: str) -> set[str]:
    return {POSTS[number - 1][0] for number in agreed(engines, text)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("微调", {"大模型微调", "微調指南", "大模"}),
        ("微調", {"大模型微调", "微調指南", "大模"}),
        ("對齊", {"微調指南", "对齐"}),
        ("资料库", {"微調指南"}),
        ("库", {"微調指南", "数据"}),
        ("大模型", {"大模型微调"}),
        ("用lora微调", {"大模型微调"}),
        ('"用lora微调"', {"大模型微调"}),
        ("deepseekv3", {"LoRA-tuned models", "DeepSeekV3"}),
        ("DeepSeek-V3", {"LoRA-tuned models", "DeepSeekV3"}),
        ("deepseek v3", {"LoRA-tuned models", "DeepSeekV3"}),
        ("tokens", {"DeepSeekV3", "One token"}),
        ("token", {"DeepSeekV3", "One token"}),
        ('"token"', {"One token"}),
        ("token*", {"DeepSeekV3", "One token", "Tokenizers"}),
        ("tokenizer", {"DeepSeekV3", "Tokenizers"}),
        ("qwen", {"Qwen2.5"}),
        ("qwen2", {"Qwen2.5"}),
        ("gpt4", {"Qwen2.5"}),
        ("3.14", {"gpt"}),
        ("314", set()),
        ("C++", {"C++17"}),
        ("c#", {"C++17"}),
        ("c", {"c", "a b c d", "url"}),
        ('"alpha beta"', {"alpha beta", "gamma"}),
        ('"beta gamma"', {"gamma"}),
        ('"delta epsilon"', {"beta"}),
        ('"epsilon zeta"', set()),
        ("alpha -epsilon", {"gamma"}),
        ("finetuning", {"LoRA-tuned models", "fine tuning"}),
        ("fine-tuned", {"LoRA-tuned models", "fine tuning"}),
        ("university", {"universities"}),
        ("universal", set()),
        ("filename", {"file_name"}),
        ("strasse", {"Straße"}),
        ("cafe\u0301", {"Straße"}),
        ('"late end"', {"the"}),
        ('"the late"', set()),
        ("kept", {"late"}),
        ("w19999", set()),
        ("w16000", {"many"}),
        ("검색", {"한국어 검색"}),
        ("データ", {"データベース"}),
        ("𠮷野", {"𠮷野家"}),
        ("𰀁𰀂𰀃", {"𠮷野家"}),
        ("~lora", {"大模型微调", "LoRA-tuned models", "-"}),
        ("NOT NEAR", {"x"}),
        ("y" * 90, {"long"}),
        ("👩‍🚀", {"emoji"}),
        ("👩🏿‍🚀", {"emoji"}),
        ("👩", set()),
        ("❤", {"emoji"}),
        ("❤️", {"emoji"}),
        ("🇫🇷", {"emoji"}),
        ("🇩🇪", set()),
        ('"go 🎉"', {"emoji"}),
        ("🎉*", {"emoji"}),
    ],
)
def test_both_find(engines: Engines, query: str, expected: set[str]) -> None:
    assert titles(engines, query) == expected


def test_no_phrase_reaches_from_title_to_body_or_tags(engines: Engines) -> None:
    assert titles(engines, '"beta alpha"') == {"gamma"}
    assert "微" not in titles(engines, '"微 调"')
    assert "大模" not in titles(engines, "模型")


PIECES = r"""
    微 调 微调 微調 大模型 模型 型 数据库 对齐 lora LoRA token tokens tokenizer run running fine-tuning
    gpt-4.1 gpt 4 1 deepseek v3 c c++ c# alpha beta gamma delta epsilon the late end a b 𰀁𰀂 データ 한국
    👩🏽‍🚀 🚀 ❤️ café don't file_name ᦰ x ~ ' \ & | ! ( ) : , . * - " “ ” ： AND OR NOT source:x before:y
"""
pieces = st.sampled_from(PIECES.split())
typed = st.lists(
    st.tuples(pieces, st.sampled_from(["", " ", " ", " -", "*", '"', ' "', '" ', "-"])), max_size=6
)
QUERIES = typed.map(lambda items: "".join(piece + glue for piece, glue in items))
steady = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(QUERIES)
@steady
def test_both_find_the_same(engines: Engines, query: str) -> None:
    agreed(engines, query)


@given(QUERIES)
@settings(steady, max_examples=25)
def test_each_rung_finds_what_the_one_before_finds(engines: Engines, query: str) -> None:
    parsed = parse(query)
    found = agreed_on(engines, parsed)
    for _, looser in relaxing.looser(parsed):
        more = agreed_on(engines, looser)
        assert more >= found
        found = more


@pytest.mark.parametrize("missing", range(9))
def test_most_of_many_units(engines: Engines, missing: int) -> None:
    words = [
        unit
        for word in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "late", "the", "微调"]
        for unit in parse(word).units
    ]
    agreed_on(engines, Query(units=(Most(tuple(words), missing), *parse("a").units)))
    assert agreed_on(engines, Query(units=(Most(tuple(words), missing),))) or missing < 3


@given(st.text())
@steady
def test_any_text_can_be_asked(engines: Engines, query: str) -> None:
    agreed(engines, query)


@given(st.sampled_from(sorted(INDEXED)), st.data())
@steady
def test_every_stretch_of_a_post_finds_it(engines: Engines, number: int, data: st.DataObject) -> None:
    title, text, _ = POSTS[number - 1]
    part = data.draw(st.sampled_from([title[:200], text[:200]]))
    start = data.draw(st.integers(0, len(part)))
    words = part[start : data.draw(st.integers(start, len(part)))].split()[1:-1]
    if tokens(" ".join(words)):
        cleaned = " ".join(words).replace('"', " ").replace("*", " ")
        assert number in agreed(engines, f'"{cleaned}"')


@pytest.mark.parametrize("glue", ["", "-"])
def test_the_largest_text_fits(engines: Engines, glue: str) -> None:
    """Distinct words of letters of four bytes each, as long as tokens and joined compounds may be."""
    adlam = [chr(0x1E922 + n) for n in range(34)]
    halves = [(adlam[n % 34] + adlam[n // 34 % 34] + adlam[n // 34**2]) * 10 for n in range(20_000)]
    words = " ".join(first + glue + second for first, second in zip(halves[::2], halves[1::2], strict=True))
    indexed = index_text(words, words, [words])
    assert engines.fetch_size(to_tsvector(indexed)) > 450_000
    insert = "INSERT INTO post_fts (rowid, title, body, variants) VALUES (1000, ?, ?, ?)"
    with closing(fts5_database()) as sqlite:
        sqlite.execute(insert, to_fts5_row(indexed))


def test_a_row_is_deleted_with_its_own_tokens() -> None:
    with closing(fts5_database()) as sqlite:
        delete = "INSERT INTO post_fts (post_fts, rowid, title, body, variants) VALUES ('delete', ?, ?, ?, ?)"
        for number, post in enumerate(POSTS, 1):
            sqlite.execute(delete, (number, *to_fts5_row(index_text(*post))))
        assert sqlite.execute("SELECT count(*) FROM post_terms").fetchone() == (0,)


def test_an_empty_query_finds_nothing(engines: Engines) -> None:
    assert agreed(engines, "") == set()
    assert agreed(engines, "-lora") == set()


def test_lexemes_are_escaped() -> None:
    query = Query(units=(AnyOf((Phrase(("o'c\\k",)),)),))
    assert to_tsquery(query) == "'o''c\\\\k'"
    assert to_tsvector(IndexedText(("o'c\\k",), (), ())) == "'o''c\\\\k':1A"


def test_positions_and_weights() -> None:
    assert to_tsvector(IndexedText(("a", "b"), ("b", "c"), ("v",))) == "'a':1A 'b':2A,4 'c':5 '~v'"
