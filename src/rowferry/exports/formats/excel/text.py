"""Text as a sheet can hold it: whole buffers of cells at a time, joined by CELL, NULL marked.

Excel reads XML 1.0, which has no place for most control characters; it takes `_x0041_` for an escape of its own, and at
most 32,767 UTF-16 units in a cell. What had to be changed is counted.
"""

from __future__ import annotations

import re
from collections import Counter

from rowferry.exports.encoding.blocks import CELL, NULL, REPLACEMENT, SPARE, SURROGATE, is_utf8

MAX_UNITS = 32_767
WINDOW = (MAX_UNITS + 1) // 2
"""A cell of more bytes than MAX_UNITS holds at least one whole window of this size, counted from the buffer's start."""
LEGAL = bytes(SPARE[0] if code < 0x20 and code not in b"\t\n\r" else code for code in range(256))
BLANK_MARKS = bytes(0x20 if code in CELL + NULL else code for code in range(256))
PLAIN = LEGAL.translate(BLANK_MARKS)
"""Makes ASCII of what needs no second look, and of nothing else."""
NONCHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
LOOKS_ESCAPED = re.compile(rb"_(?=x[0-9A-Fa-f]{4}_)")
ESCAPES = ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r", b"&#13;"))
EDGES = (b"\n", b"\t", b"\r", b" " + CELL, CELL + b" ")


def clean(data: bytes, counts: Counter[str]) -> bytes:
    """The buffer as XML; its marks stay. Adds to `replaced_characters` and `shortened_cells`."""
    if not data.translate(PLAIN).isascii():
        data = without_controls(unicode_only(data, counts), counts)
    if has_long_cell(data):
        data = CELL.join([shorten_cell(cell, counts) for cell in data.split(CELL)])
    return escape_xml(data)


def is_xml(text: bytes) -> bool:
    """Whether all of it is text, and what XML can hold; it has been made free of control characters."""
    return text.isascii() or (is_utf8(text) and not NONCHARACTER.search(text))


def has_edge_blanks(data: bytes) -> bool:
    """Whether some cell may begin or end with white space, which XML keeps only when told so."""
    return data.startswith(b" ") or data.endswith(b" ") or any(edge in data for edge in EDGES)


def unicode_only(data: bytes, counts: Counter[str]) -> bytes:
    """Valid UTF-8 without lone surrogates and the two noncharacters that XML excludes."""
    try:
        data.translate(BLANK_MARKS).decode()
    except UnicodeDecodeError:
        data = CELL.join([cell if cell == NULL else repair_surrogates(cell, counts) for cell in data.split(CELL)])
    if b"\xef\xbf" in data:
        data, replaced = NONCHARACTER.subn(REPLACEMENT, data)
        count(counts, "replaced_characters", replaced)
    return data


def repair_surrogates(cell: bytes, counts: Counter[str]) -> bytes:
    text = SURROGATE.sub(REPLACEMENT, cell).decode(errors="replace").encode()
    count(counts, "replaced_characters", text.count(REPLACEMENT) - cell.count(REPLACEMENT))
    return text


def without_controls(data: bytes, counts: Counter[str]) -> bytes:
    data = data.translate(LEGAL)
    if SPARE in data:
        count(counts, "replaced_characters", data.count(SPARE))
        data = data.replace(SPARE, REPLACEMENT)
    return data


def has_long_cell(data: bytes) -> bool:
    """False = certainly none; true = look at each. Some twenty searches tell for a whole block."""
    starts = range(0, len(data) - WINDOW + 1, WINDOW)
    return any(data.find(CELL, start, start + WINDOW) < 0 for start in starts)


def shorten_cell(cell: bytes, counts: Counter[str]) -> bytes:
    if len(cell) <= MAX_UNITS:
        return cell
    text = cell.decode()
    shortened = cut(text, MAX_UNITS)
    count(counts, "shortened_cells", shortened != text)
    return shortened.encode()


def cut(text: str, units: int) -> str:
    """At most so many UTF-16 units of the text, and never half of a surrogate pair."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")


def xml_text(value: str) -> str:
    """Any string, such as a title, as the text of an element or an attribute; not counted, since it is no cell."""
    cleaned = clean(value.encode("utf-8", "surrogatepass"), Counter())
    return cleaned.decode().replace('"', "&quot;")


def escape_xml(data: bytes) -> bytes:
    for character, escape in ESCAPES:
        if character in data:
            data = data.replace(character, escape)
    return LOOKS_ESCAPED.sub(b"_x005F_", data) if b"_x" in data else data


def count(counts: Counter[str], name: str, number: int) -> None:
    """Zero leaves no trace: a file without adjustments has an empty counter."""
    if number:
        counts[name] += number
