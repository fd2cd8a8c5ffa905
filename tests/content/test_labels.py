"""A link's label that names a host names that of its link, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.labels import other_host

EVIL = "https://evil.example/p"


def shown(label: str, url: str = EVIL, before: str = "", after: str = "") -> str:
    return other_host(before + label + after, len(before), len(before) + len(label), url)


@pytest.mark.parametrize(
    "label",
    [
        "https://bank",
        "https://bank.com",
        "HTTPS://BANK.COM/",
        "bank.com",
        "Bank.Com",
        "www.bank.com",
        "www.bank",
        "bank.com/login?next=1#top",
        "bank.com:8443/login",
        "sub.bank.co.uk",
        "https://bank.com@evil.example/",
        "https://user:word@bank.com/",
        "b\u200ban\u2060k.c\u00adom",
        "h\u200bttps://bank",
        "bank\uff0ecom",
        "bank\uff61com",
        "bank\u3002com",
        "\uff42\uff41\uff4e\uff4b.\uff43\uff4f\uff4d",
        "https\uff1a\uff0f\uff0fbank",
        "https:\u2215\u2215bank.com",
        "https:\\\\bank.com",
        "http://10.0.0.1/",
        "http://[::1]/",
        "银行.com",
        "银行.中国",
        "登录bank.com",
        "bank.com的首页",
        "xn--bcher-kva.example",
        "bücher.de",
        "банк.рф",
        "(bank.com)",
        "“bank.com”",
        "log in at https://bank.com now",
        "log in at www.bank.com now",
        "see bank.com/login now",
        " bank.com ",
        "evil.example.bank.com",
        "bank.com-login",
        "b\u0430nk.com",
        "bank\u200a.com",
        "bank.com:/evil.example",
        "x.yhttps://bank",
        "bank\ufe0f.com",
    ],
)
def test_a_label_that_names_another_host_is_found(label: str) -> None:
    assert shown(label) == "evil.example"


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("https://evil.example/p", EVIL),
        ("evil.example", EVIL),
        ("EVIL.EXAMPLE/other", EVIL),
        ("www.evil.example", EVIL),
        ("evil.example", "https://www.evil.example/"),
        ("见evil.example的文章", EVIL),
        ("evil.example/a/readme.md", EVIL),
        ("evil.example/?u=https://bank.com", EVIL),
        ("e\uff0evil.example", "https://e.vil.example/"),
        ("bücher.de", "https://xn--bcher-kva.de/"),
        ("xn--bcher-kva.de", "https://bücher.de/"),
        ("银行.中国", "https://银行.中国/x"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("Read more", EVIL),
        ("今天。明天", EVIL),
        ("模型v2.新功能", EVIL),
        ("Qwen2.5发布", EVIL),
        ("第3.5节", EVIL),
        ("Node.js", EVIL),
        ("report.pdf", EVIL),
        ("version 1.2.3", EVIL),
        ("1.2.3.4", EVIL),
        ("Amazon.com raises its prices", EVIL),
        ("U.S.", EVIL),
        ("...", EVIL),
        ("", EVIL),
    ],
)
def test_other_labels_stay(label: str, url: str) -> None:
    assert shown(label, url) == ""


@pytest.mark.parametrize(
    ("before", "label", "after"),
    [("", "bank", ".com"), ("bank.", "com", ""), ("https://", "bank", ""), ("ww", "w.bank.com", "/x")],
)
def test_an_address_is_read_over_the_ends_of_its_link(before: str, label: str, after: str) -> None:
    assert shown(label, before=before, after=after) == "evil.example"


def test_a_part_of_a_foreign_name_is_no_host() -> None:
    assert shown("b\u0430nk.com", "https://nk.com/") == "nk.com"
    assert shown("bücher.de", "https://cher.de/") == "cher.de"


def test_an_address_beside_a_link_is_not_its_label() -> None:
    assert shown("这里", before="见 bank.com的") == ""
    assert shown("here", before="bank.com ", after=" www.bank.com") == ""


def test_a_host_is_shown_in_letters_that_look_like_no_others() -> None:
    assert shown("bank.com", "https://b\u0430nk.com/") == "xn--bnk-6cd.com"
    assert shown("bank.com", "http://[::1]/") == "[::1]"


HOSTS = st.from_regex(
    r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8}){0,2}\.(com|org|cn|io|example)", fullmatch=True
)
HIDDEN = st.sampled_from(["", "\u200b", "\u2060", "\u00ad", "\ufeff", "\u200d"])
DOTS = st.sampled_from([".", "\uff0e", "\uff61", "\u3002"])


@st.composite
def disguised(draw: st.DrawFn, host: str) -> str:
    """A host as somebody writes it who wants nobody but people to read it."""
    letters = ""
    for ch in host:
        forms = [ch, ch.upper(), chr(ord(ch) + 0xFEE0)] if ch != "." else [draw(DOTS)]
        letters += draw(HIDDEN) + draw(st.sampled_from(forms))
    scheme = draw(st.sampled_from(["", "", "https://", "HTTP://", "www."]))
    return scheme + letters + draw(st.sampled_from(["", "/", "/login", ":443/", "?a=b", "!"]))


@given(st.data(), HOSTS, HOSTS)
def test_no_disguise_hides_a_host(data: st.DataObject, named: str, target: str) -> None:
    same = named.removeprefix("www.") == target.removeprefix("www.")
    assert shown(data.draw(disguised(named)), f"https://{target}/p") == ("" if same else target)


def test_an_endless_label_costs_little() -> None:
    for label in (
        "a" * 200_000,
        "a." * 100_000,
        "a-" * 100_000,
        "https:" * 30_000,
        "www." * 50_000,
        "@" * 200_000,
    ):
        shown(label)
