"""Plots as SVG text: no library in the page, and sharp in print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10

from markupsafe import Markup, escape

from python_scoring.report.inputs import Row
from python_scoring.report.texts import Words

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 10, 24
MOST_TICKS = 4


def days_chart(past: Sequence[Row], ahead: Sequence[Row], label: str, words: Words) -> Markup:
    """Values by day as a line, the days to come as a line in a band; Mondays on the axis."""
    points = [*past, *ahead]
    if not points:
        return Markup("")
    top = max([point["value"] for point in points] + [point["high"] for point in ahead] + [1e-9])
    ticks = axis_ticks(top)
    height = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)
    x = {point["day"]: LEFT + step * number for number, point in enumerate(points)}

    def y(value: float) -> float:
        return TOP + height * (1 - value / ticks[-1])

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"'
        f'/><text x="{LEFT - 5}" y="{y(tick) + 3.5:.1f}" text-anchor="end">'
        f"{escape(words.number(tick, 0 if ticks[-1] >= MOST_TICKS else 1))}</text>"
        for tick in ticks
    ]
    parts += _mondays([point["day"] for point in points], x, words)
    if ahead:
        band = [(x[p["day"]], y(p["high"])) for p in ahead]
        band += [(x[p["day"]], y(p["low"])) for p in reversed(ahead)]
        parts.append(f'<polygon class="band" points="{_path(band)}"/>')
        begin = x[ahead[0]["day"]] - step / 2
        parts.append(
            f'<line class="now" x1="{begin:.1f}" x2="{begin:.1f}" y1="{TOP}" y2="{TOP + height}"/>'
        )
        line = [(x[p["day"]], y(p["value"])) for p in ahead]
        parts.append(f'<polyline class="ahead" points="{_path(line)}"/>')
    sure = [point for point in past if not point["open"]]
    still_open = past[len(sure) - 1 if sure else 0 :]
    for kind, own in (("past", sure), ("open", still_open if len(sure) < len(past) else [])):
        line = [(x[point["day"]], y(point["value"])) for point in own]
        if line:
            parts.append(f'<polyline class="{kind}" points="{_path(line)}"/>')
    return Markup(  # noqa: S704 (numbers and escaped labels)
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def axis_ticks(top: float) -> list[float]:
    """Zero and round values up to `top` or just above it, at most MOST_TICKS steps."""
    rough = top / MOST_TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    return [step * number for number in range(ceil(top / step * 0.999) + 1)]


def _mondays(days: Sequence[date], x: dict[date, float], words: Words) -> list[str]:
    """A tick for each Monday, a date for every other one."""
    mondays = [day for day in days if day.weekday() == 0]
    bottom = HEIGHT - BOTTOM
    parts = []
    for number, day in enumerate(mondays):
        parts.append(
            f'<line class="tick" x1="{x[day]:.1f}" x2="{x[day]:.1f}" y1="{bottom}"'
            f' y2="{bottom + 4}"/>'
        )
        if number % 2 == 0:
            parts.append(
                f'<text x="{x[day]:.1f}" y="{bottom + 15}" text-anchor="middle">'
                f"{escape(words.day(day))}</text>"
            )
    return parts


def interval_bar(low: float, middle: float, high: float, reach: float, label: str) -> Markup:
    """A dot with its interval on a scale from -reach to reach, zero in the middle."""
    width, height = 160, 18

    def x(value: float) -> float:
        return width / 2 + max(-1.0, min(1.0, value / reach)) * (width / 2 - 6)

    kind = "up" if low > 0 else "down" if high < 0 else "same"
    return Markup(  # noqa: S704 (numbers and escaped labels)
        f'<svg class="interval" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(label)}">'
        f'<line class="grid" x1="{width / 2}" x2="{width / 2}" y1="0" y2="{height}"/>'
        f'<line class="{kind}" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="9" y2="9"/>'
        f'<circle class="{kind}" cx="{x(middle):.1f}" cy="9" r="4"/></svg>'
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
