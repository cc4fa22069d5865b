"""Values that break files, and what each format makes of a text."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from tests.exports.formats.files import HOSTILE, hostile_text, in_excel

LONGEST = 32_767
"""UTF-16 units in a cell of a sheet."""
PLANES = {
    f"plane {plane}": "".join(chr(plane << 16 | low) for low in range(0x0A00, 0x10000, 0x511)) for plane in range(17)
}
PLANES["plane 0"] = "".join(char for char in PLANES["plane 0"] if not "\ud800" <= char <= "\udfff")
TEXTS = PLANES | {
    "bidi marks": "\u202eevil\u202c \u200f\u200e\u061c \u2066x\u2069 \u202a\u202b\u202d\u2067\u2068",
    "joiners": "👩\u200d👩\u200d👧 e\u0301 \u200b\u2060\ufeff \ufe0f",
    "byte order mark": "\ufeff=1",
    "noncharacters": "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff",
    "NUL": "\x00 in \x00 the middle \x00",
    "controls": "".join(map(chr, [*range(1, 0x20), *range(0x7F, 0xA0)])),
    "line breaks": "a\r\nb\nc\rd\r\n\u2028\u2029\x85\x0b\x0c",
    "only a line break": "\r\n",
    "leading zeros": "007",
    "twenty digits": "12345678901234567890",
    "exponent": "1E5",
    "date": "1-2-3",
    "true": "TRUE",
    "null": "NULL",
    "not a number": "NaN",
    "command": "=cmd|' /C calc'!A0",
    "link": '=HYPERLINK("http://example.com","x")',
    "phone": "+49 30 123456",
    "negative": "-1",
    "at": "@SUM(1)",
    "tab first": "\t=1",
    "return first": "\r=1",
    "escape of Excel": "_x0041_ _x005F_ _x000D_",
    "markup": "<c><f>1+1</f></c>&amp;]]><!--",
    "quotes": '"""\'`;,|\t\\\\\\"',
    "blanks": "  \t two  ",
    "empty": "",
    "longest": "x" * LONGEST,
    "too long by one": "y" * (LONGEST + 1),
    "emoji up to the limit": "x" + "🚀" * 16_383,
    "emoji across the limit": "🚀" * 16_384,
}
IN_FORMAT = {"excel": in_excel}
"""What becomes of a text where a format cannot hold it; in the others it stays."""
ATOMS = (*HOSTILE, *(text for text in TEXTS.values() if len(text) < 100))
some_text = hostile_text | st.sampled_from(ATOMS)

Texts = Sequence[str | None]


def in_format(name: str, text: str) -> str:
    return IN_FORMAT.get(name, str)(text)


def count_replacements(text: str) -> int:
    """How many characters a sheet has no place for."""
    return sum(a != b for a, b in zip(text, in_excel(text), strict=False))


def many_rows(seed: int, drawn: Sequence[str], count: int) -> list[tuple[str | None, str, str | None]]:
    """Rows of (text, number, text) in which the drawn texts, the worst ones and any characters come up mixed."""
    random = Random(seed)
    atoms = [*drawn, *ATOMS, None]
    return [(one_text(random, atoms), str(number), one_text(random, atoms)) for number in range(count)]


def one_text(random: Random, atoms: Texts) -> str | None:
    kind = random.randrange(4)
    if kind == 0:
        return "".join(map(any_character, [random] * random.randrange(12)))
    if kind == 1:
        return "".join(random.choice(atoms) or "" for _ in range(3))
    return random.choice(atoms)


def any_character(random: Random) -> str:
    """Of all planes alike, surrogates left out: they are no characters."""
    code = random.randrange(0x110000) if random.random() < 0.5 else random.randrange(0x3000)
    return "\ud7ff" if 0xD800 <= code <= 0xDFFF else chr(code)
