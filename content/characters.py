"""Characters that readers do not see, but that move a cursor, reorder text, or hide one text in another."""

import re

import regex

_TAGS = "\U000e0020-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# Alphabets in which joiners shape letters: all but these. Elsewhere joiners are only used between emoji.
_PLAIN = r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
_JOINED = rf"[[\p{{L}}\p{{M}}--[{_PLAIN}]]\p{{Emoji_Modifier}}\p{{Extended_Pictographic}}\ufe0f]"
_MARKS = r"\u061c\u200e\u200f"  # say how the characters beside them are ordered
_UNSPACED = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Javanese}\p{Balinese}"
_SUSPECT = regex.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb"
    rf"\ufeff\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f{_SELECTORS}]"
)
_PRINTABLE_SUSPECT = re.compile(f"[\u034f{_SELECTORS}]")  # Python takes the other ones for unprintable
_UNSAFE = regex.compile(
    r"(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)"  # of England, say
    r"|[\x00-\x08\x0e-\x1f\x7f-\x9f]"  # control characters, which a terminal interprets
    r"|[\u202a-\u202e\u2066-\u206f]"  # embeddings, overrides, isolates: they reorder what follows (UAX #9)
    rf"|(?<=[{_PLAIN}\d])[{_MARKS}]+(?=[{_PLAIN}\d])|(?<=[{_MARKS}])[{_MARKS}]+"
    r"|[\u00ad\u034f\u180e\u2060-\u2065\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a]"  # nothing to see
    rf"|\U000e0001|[{_TAGS}]"  # an alphabet without glyphs
    r"|[\ud800-\udfff]"  # surrogates, which UTF-8 refuses
    rf"|(?<!{_JOINED})[\u200c\u200d]"
    rf"|(?<![{_UNSPACED}])\u200b"
    rf"|(?<=[{_SELECTORS}])[{_SELECTORS}]+",  # one selects a glyph, the others only carry data
    regex.VERSION1,
)


def harmless(text: str) -> str:
    """`text` without such characters.

    It keeps what writing needs: joiners in emoji and in scripts such as Persian and Hindi, zero-width spaces
    in scripts without spaces such as Thai, direction marks beside Hebrew and Arabic, and one variation
    selector after a character.
    """
    if _is_harmless(text):
        return text
    # What a character does to its neighbours ends at a space, and most words have none of them.
    words = text.split(" ")
    return " ".join(word if _is_harmless(word) else _without_unsafe(word) for word in words)


def _is_harmless(text: str) -> bool:
    printable = text.replace("\n", "").isprintable()
    return printable and (text.isascii() or not _PRINTABLE_SUSPECT.search(text))


def _without_unsafe(text: str) -> str:
    return _UNSAFE.sub(lambda found: found["flag"] or "", text) if _SUSPECT.search(text) else text
