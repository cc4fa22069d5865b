"""One file per format: blocks in, bytes out. A new format is one new module in this folder; nothing else is edited.

A module here that defines a concrete `FormatWriter` subclass with a `name` is found there. A format whose library is
not installed still appears: its `missing` names the extra to install.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, ClassVar, Protocol

from rowferry.exports.encoding import compression
from rowferry.exports.encoding.blocks import IRREGULAR, CellBlock
from rowferry.exports.encoding.pushdown import PushDown
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.encoding.value_types import STRICT, Representation, Severity, ValueType
from rowferry.exports.translation import gettext_noop as _


class Stream(Protocol):
    """Where bytes go. `write` takes all of them or raises."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class FormatColumn:
    """One column of the file. `nest` = (object, key) where JSON may nest it: `("status", "id")`."""

    name: str
    label: str
    kind: ValueType
    nest: tuple[str, str] | None = None
    digits: tuple[int, int] | None = None
    """Of a decimal: most digits, and how many of them stand after the point; None = not known."""
    tones: Mapping[str, Severity] = field(default_factory=dict, hash=False)
    """What single values mean, where the format has colours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """All that a file says of itself. `item_count` is None where only the end of the read will tell."""

    export_id: str
    resource: str
    resource_label: str
    format: str
    exported_at: datetime
    item_count: int | None
    columns: tuple[FormatColumn, ...]
    filters: Mapping[str, Any] = field(default_factory=dict)
    sort_by: str = ""
    sort_order: str = "asc"
    time_zone: str = "UTC"
    headers: str = "names"
    nested: bool = False
    actor: str = ""
    on_behalf_of: str = ""
    program: str = "Rowferry"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def titles(self) -> list[str]:
        """The header row: names or labels, as asked."""
        return [column.label if self.headers == "labels" else column.name for column in self.columns]


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a format. `default` also tells its type (bool or str); `choices` = the only values, None = any of
    that type.

    `missing` = what to install before a choice can be used, by the choice. `titles` = what a form calls a choice.
    """

    name: str
    default: bool | str
    label: str
    choices: tuple[bool | str, ...] | None = None
    missing: Mapping[str, str] = field(default_factory=dict, hash=False)
    titles: Mapping[bool | str, str] = field(default_factory=dict, hash=False)

    @property
    def type(self) -> str:
        """ "boolean", "text", or "choice" where there are choices of both."""
        types = sorted({"boolean" if isinstance(value, bool) else "text" for value in self.choices or (self.default,)})
        return types[0] if len(types) == 1 else "choice"

    def accepts(self, value: object) -> bool:
        """Whether it is a value of this option: 1 is not true."""
        if self.choices is None:
            return type(value) is type(self.default)
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


COMPRESS = Option(
    "compress",
    compression.NONE,
    _("Compression of the whole file"),
    (compression.NONE, *compression.PACKINGS),
    {name: packing.missing for name, packing in compression.PACKINGS.items() if packing.missing},
)
"""For a format to offer, and for nothing in it to heed: the bytes are compressed behind its back."""
FORMULA_GUARD = Option(
    "formula_guard",
    True,
    _("Put ' before what a spreadsheet would take for a formula"),
    (True, STRICT, False),
    titles={
        True: _("At the start of a text"),
        STRICT: _("Also behind every separator and line break in it"),
        False: _("Nowhere"),
    },
)
"""For formats that spreadsheets read as text. The engine guards the start of a text, the format what is within."""


class FormatWriter(ABC):
    """Writes one file. Used as: construct, `open()`, `write(block)`*, `close()`. The stream is the caller's to
    close."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]
    forms: ClassVar[Mapping[ValueType, Representation]] = {}
    """The form wanted for a kind; PLAIN where it is not named."""
    options: ClassVar[tuple[Option, ...]] = ()
    max_rows: ClassVar[int | None] = None
    """Rows on one sheet, where the format has such a limit (more go to a further sheet)."""
    max_cell: ClassVar[int | None] = None
    """UTF-16 units in one cell, where the format has such a limit (longer text is shortened and counted)."""
    can_nest: ClassVar[bool] = False
    missing: ClassVar[str | None] = None
    """What to install before this format can be used; None = ready."""

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        self.order = order
        self.stream = stream
        self.rows = 0
        self.pushdown: PushDown | None = None
        """Set by a format to whose lines nothing is to be added: a reader that can write them hands them to
        `write_encoded`."""
        self.adjustments: Counter[str] = Counter()
        """How many values could not be written as they were: `irregular_values`, `replaced_characters`,
        `shortened_cells`, `emptied_cells`."""

    @property
    def width(self) -> int:
        return len(self.order.columns)

    @property
    def chosen(self) -> dict[str, Any]:
        """The options of the order, with the defaults of those that it leaves out."""
        return {option.name: option.default for option in self.options} | dict(self.order.options)

    def open(self) -> None:
        """Write what stands before the first row."""

    def write_block(self, block: CellBlock) -> None:
        """Write the rows of one block, one at least: as lines, if it holds lines that the format can use, else as
        cells."""
        if block.is_encoded:
            if self.write_encoded(block):
                return
            assert block.cells is not None
            block = block.cells()
        if IRREGULAR in block.data:
            self.adjustments["irregular_values"] += block.data.count(IRREGULAR)
        self.write(block)

    @abstractmethod
    def write(self, block: CellBlock) -> None:
        """Write the rows of one block, in one or few `stream.write` calls, and add them to `rows`."""

    def write_encoded(self, lines: CellBlock) -> bool:
        """Write rows, one at least, that the source has written as `pushdown` says. False: nothing is written, because
        some row is not plain."""
        self.stream.write(lines.data)
        self.rows += lines.rows
        return True

    def close(self) -> None:
        """Write what stands after the last row."""

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount | None:  # noqa: ARG003
        """Count the rows of a finished file by other means than it was written with, as a stream; None = not offered.

        `file` is no longer compressed; `spec` = what was asked for. Raises ValueError, KeyError, OSError or EOFError
        if the file is not of this format, ImportError if what reads it is not installed.
        """
        return None


@cache
def format_writers() -> dict[str, type[FormatWriter]]:
    """Every format by its name, in the order of the names."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    writers = _concrete_classes(FormatWriter)  # type: ignore[type-abstract]
    return {one.name: one for one in sorted(writers, key=lambda one: one.name)}


def file_type(name: str, options: Mapping[str, Any]) -> tuple[str, str]:
    """Extension and content type of the files of a format with these options; of any file, if it is not known here."""
    if name not in format_writers():
        return "bin", "application/octet-stream"
    writer_class = format_writers()[name]
    packing = compression.PACKINGS.get(options.get(COMPRESS.name) or compression.NONE)
    if packing is None:
        return writer_class.extension, writer_class.content_type
    return writer_class.extension + packing.suffix, packing.content_type


def _concrete_classes(base: type[FormatWriter]) -> list[type[FormatWriter]]:
    own = [base] if "name" in vars(base) else []
    return own + [one for child in base.__subclasses__() for one in _concrete_classes(child)]
