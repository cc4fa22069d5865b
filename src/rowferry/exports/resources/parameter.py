"""What a form and the API's documents need to know about one key of `filters`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_CHOICES = 200
YES_NO = ((True, "Yes"), (False, "No"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of `filters`. `type` is id, text, boolean, date or choice; `multiple` = a list is welcome."""

    name: str
    label: str
    type: str
    multiple: bool = False
    nullable: bool = False
    choices: tuple[tuple[Any, str], ...] | None = None
    """(value, label) pairs; None = anything of the type. At most MOST_CHOICES are listed."""
    widens: str | None = None  # the key whose condition this switch widens, and without which it says nothing

    @property
    def more(self) -> bool:
        """Whether there may be choices beyond those that are listed."""
        return self.choices is not None and len(self.choices) >= MOST_CHOICES


def label_of(name: str) -> str:
    """The label of a key that declares none: `warranty_status` reads "Warranty status"."""
    return name.replace("_", " ").capitalize()
