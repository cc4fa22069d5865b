"""How seconds and memory grow with the rows, as an SVG of two panels. Both axes are logarithmic in the rows; seconds
are too, so that a straight line of slope one means: twice the rows, twice the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.interleaved_runs import Result

COLOURS = {"csv": "#1b6ca8", "excel": "#2e8b57", "json": "#c2571a"}
WIDTH, HEIGHT, MARGIN = 400, 260, 56
Points = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to pixels: `low` to `high` on `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    scale: Callable[[float], float] = math.log10

    def at(self, value: float) -> float:
        low, high = self.scale(self.low), self.scale(self.high)
        return self.start + (self.scale(value) - low) / (high - low) * (self.end - self.start)


def draw(growth: Mapping[str, Mapping[int, Result]]) -> str:
    """The whole picture."""
    seconds, memory = points(growth, "seconds"), points(growth, "peak")
    body = [
        panel(0, "Seconds of work", seconds, time_axis(seconds), decades(seconds)),
        panel(WIDTH + MARGIN, "Peak memory of the process, MB", memory, memory_axis(memory), steps(memory)),
    ]
    size = f"0 0 {2 * WIDTH + 2 * MARGIN} {HEIGHT + 2 * MARGIN}"
    style = "text{font:12px sans-serif;fill:#333}.title{font-size:14px;font-weight:bold}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img">',
            "<title>Seconds and peak memory of one export by the number of rows</title>",
            f"<style>{style}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *body,
            "</svg>\n",
        ]
    )


def points(growth: Mapping[str, Mapping[int, Result]], name: str) -> Points:
    return {
        format_name: [(rows, result.median(name)) for rows, result in sorted(by_rows.items()) if result.runs]
        for format_name, by_rows in growth.items()
    }


def values(found: Points) -> list[float]:
    return [value for line in found.values() for _, value in line]


def decades(found: Points) -> list[float]:
    low, high = math.floor(math.log10(min(values(found)))), math.ceil(math.log10(max(values(found))))
    return [10.0**power for power in range(low, high + 1)]


def time_axis(found: Points) -> Axis:
    ticks = decades(found)
    return Axis(ticks[0], ticks[-1], HEIGHT + MARGIN, MARGIN)


def steps(found: Points) -> list[float]:
    return [float(step) for step in range(0, math.ceil(max(values(found)) / 25) * 25 + 1, 25)]


def memory_axis(found: Points) -> Axis:
    return Axis(0, steps(found)[-1], HEIGHT + MARGIN, MARGIN, scale=float)


def panel(left: float, title: str, found: Points, vertical: Axis, ticks: Sequence[float]) -> str:
    rows = sorted({rows for line in found.values() for rows, _ in line})
    across = Axis(rows[0], rows[-1], left + MARGIN, left + WIDTH)
    parts = [f'<text class="title" x="{left + MARGIN}" y="{MARGIN - 24}">{title}</text>']
    parts += [level(left, vertical.at(tick), f"{tick:g}") for tick in ticks]
    parts += [centre_text(across.at(count), HEIGHT + MARGIN + 20, f"{count:,.0f}") for count in rows]
    parts.append(centre_text(left + (WIDTH + MARGIN) / 2, HEIGHT + MARGIN + 42, "rows"))
    parts += [curve(name, line, across, vertical) for name, line in found.items()]
    parts += [legend(left, number, name) for number, name in enumerate(found)]
    return "\n".join(parts)


def level(left: float, y: float, label: str) -> str:
    grid = f'<line x1="{left + MARGIN}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return f'{grid}<text x="{left + MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def centre_text(x: float, y: float, label: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{label}</text>'


def curve(name: str, line: Sequence[tuple[float, float]], across: Axis, vertical: Axis) -> str:
    places = [(across.at(rows), vertical.at(value)) for rows, value in line]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[name]}"/>' for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>{dots}'


def legend(left: float, number: int, name: str) -> str:
    x = left + MARGIN + 70 * number
    return (
        f'<rect x="{x}" y="{MARGIN - 14}" width="10" height="10" fill="{COLOURS[name]}"/>'
        f'<text x="{x + 14}" y="{MARGIN - 5}">{name}</text>'
    )
