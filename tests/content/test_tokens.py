import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.tokens import (
    GAP,
    MAX_POSITION,
    MAX_REPEATS,
    MAX_TOKEN,
    TOKENIZER_VERSION,
    fold,
    index_text,
    runs,
    stem,
    tokens,
    variants,
)

WORDS = st.sampled_from(
    (
        "running",
        "ran",
        "DeepSeek-V3",
        "C++",
        "don't",
        "1,000",
        "微调大模型",
        "データ",
        "🇨🇳",
        "a" * 300,
        "x_y",
        "é",
    )
)


@given(st.lists(WORDS, max_size=9), st.lists(WORDS, max_size=400), st.lists(WORDS, max_size=3))
def test_a_post_is_indexed_by_the_tokens_and_variants_of_its_parts(
    title: list[str], text: list[str], tags: list[str]
) -> None:
    parts = (" ".join(title), " ".join(text), *tags)
    indexed = index_text(parts[0], parts[1], tags)
    expected = [tokens(part) for part in parts]
    assert list(indexed.title) == expected[0]
    body = [token for n, part in enumerate(expected[1:]) for token in ([GAP] if n else []) + part]
    counts: Counter[str] = Counter(expected[0])
    counts[GAP] += 1
    for n, token in enumerate(body):
        counts[token] += 1
        body[n] = token if counts[token] <= MAX_REPEATS else GAP
    assert list(indexed.body) == body
    others = dict.fromkeys(other for part in parts for other in variants(part))
    assert list(indexed.variants) == [one for one in others if one not in {*indexed.title, *indexed.body}]


cjk = st.text(st.sampled_from("微调对齐大模型数据庫資料ひらカーナ한국어々〇𠮷𰀁"), min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("大模型", ["大模", "模型", "型"]),
        ("用LoRA微调", ["用", "lora", "微调", "调"]),
        ("資料庫", ["资料", "料库", "库"]),
        ("ＬｏＲＡ　１２３", ["lora", "123"]),
        ("C++ c# C++17 Ｃ＋＋", ["cpp", "csharp", "cpp", "17", "cpp"]),
        ("abc++", ["abc"]),
        ("LoRA-tuned DeepSeek-V3", ["lora", "tuned", "deepseek", "v3"]),
        ("gpt-4.1 file_name don't", ["gpt", "4", "1", "file", "name", "don", "t"]),
        ("データベース", ["デー", "ータ", "タベ", "ベー", "ース", "ス"]),
        ("ﾃﾞｰﾀ", ["デー", "ータ", "タ"]),
        ("한국어 검색", ["한국", "국어", "어", "검색", "색"]),
        ("Straße ΟΔΟΣ", ["strasse", "οδοσ"]),
        ("हिन्दी", ["हिन्दी"]),
        ("soft\u00adware 葛\U000e0100城", ["software", "葛城", "城"]),
        ("。，!? ~ ' \" \\ \ud800 \ue000", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tokens running", {"token", "run"}),
        ("tokenizer", set()),
        ("DeepSeek-V3", {"deepseekv3"}),
        ("fine-tuning", {"tune", "finetuning", "finetun"}),
        ("Qwen2.5-VL", {"qwen", "qwen25vl"}),
        ("gpt-4.1 3.14", {"gpt41"}),
        ("h100 v3", set()),
        ("大模型", set()),
        ("-".join(["tokens"] * 20), {"token"}),
        ("-".join(["tokens"] * 50), set()),
    ],
)
def test_variants(text: str, expected: set[str]) -> None:
    found = variants(text)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_the_tokenizer_is_not_the_token() -> None:
    assert stem("tokenizers") == stem("tokenizer") != stem("tokens") == "token"
    assert stem("tokenization") == stem("tokenize") not in (stem("tokenizer"), stem("token"))


def test_stems_are_those_that_stored_indexes_hold() -> None:
    """Red after an update of snowballstemmer: raise the number in TOKENIZER_VERSION, then mend this."""
    words = "languages models embedding generative inference quantized dying skis news happily agreed"
    stems = "languag model embed generat infer quantiz die ski news happili agre"
    assert " ".join(stem(word) for word in words.split()) == stems


def test_version_names_the_unicode_data() -> None:
    assert TOKENIZER_VERSION.endswith(unicodedata.unidata_version)


@given(st.text())
def test_any_text_gives_clean_tokens(text: str) -> None:
    for token in [*tokens(text), *variants(text)]:
        assert 0 < len(token) <= MAX_TOKEN
        assert not any(sign.isspace() for sign in token)
        assert all(sign.isalnum() for sign in token if sign.isascii())
        assert GAP not in token


@given(st.text())
def test_normal_forms_give_the_same_tokens(text: str) -> None:
    expected = tokens(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert tokens(unicodedata.normalize(form, text)) == expected
    assert tokens(text.casefold()) == expected
    assert tokens(fold(text)) == expected


@given(st.text(st.sampled_from("abcXYZ ÄÉ àç09-_.+#微調庫")))
def test_case_gives_the_same_tokens(text: str) -> None:
    assert tokens(text.upper()) == tokens(text.lower()) == tokens(text)


@given(st.text(), cjk, st.text(), st.data())
def test_every_stretch_of_cjk_is_a_phrase(before: str, run: str, after: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(run) - 2))
    end = data.draw(st.integers(start + 2, len(run)))
    *phrase, _ = tokens(run[start:end])
    stream = tokens(f"{before} {run} {after}")
    assert any(stream[i : i + len(phrase)] == phrase for i in range(len(stream)))


@given(st.text())
def test_spans_stand_where_the_tokens_come_from(text: str) -> None:
    folded = fold(text)
    for run in runs(folded):
        assert folded[run.start :].startswith(run.text)
        for token, (start, end) in zip(run.tokens(), run.spans(), strict=True):
            assert folded[start:end][:MAX_TOKEN] == token or token in ("cpp", "csharp")


def test_indexed_text_keeps_title_body_and_tags_apart() -> None:
    indexed = index_text("Tokens", "微调 tokens", ["machine learning", "AI"])
    assert indexed.title == ("tokens",)
    assert indexed.body == ("微调", "调", "tokens", GAP, "machine", "learning", GAP, "ai")
    assert set(indexed.variants) == {"token", "machin", "learn"}


def test_variants_that_are_tokens_are_not_stored_twice() -> None:
    assert index_text("", "tokens token", []).variants == ()


def test_tags_are_kept_when_the_text_is_too_long() -> None:
    indexed = index_text("title", "字" * 30_000, ["kept"])
    assert len(indexed.title) + 1 + len(indexed.body) == MAX_POSITION
    assert indexed.body[-2:] == (GAP, "kept")


def test_the_256th_repetition_leaves_a_gap() -> None:
    body = index_text("the", "the " * 300 + "end", []).body
    assert body.count("the") == MAX_REPEATS - 1
    assert len(body) == 301 and body[-2:] == (GAP, "end")
