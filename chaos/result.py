"""What a command of chaos finds, beside what it has to find."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: `what` was done, what was `found`, the `goal`, and whether it is met."""

    number: int
    name: str
    what: str
    found: str
    goal: str
    met: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def line(self) -> str:
        """The one line that a command prints."""
        verdict = "reached" if self.met else "MISSED"
        return f"{self.number} {self.name}: {self.what}: {self.found} (goal: {self.goal}): {verdict}"


def percentile(values: list[float], part: float) -> float:
    """The value that so large a part of all values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
