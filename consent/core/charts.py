"""Bar charts as inline SVG: no script, no request, readable without colour and by a screen reader."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, TOP, FOOT, GAP = 420, 150, 18, 20, 8
NARROW = 280  # of a chart that stands beside three others


def bars(
    values: Sequence[int], labels: Sequence[str], *, name: str, title: str, summary: str, hatched: bool = False
) -> SafeString:
    """A column per value with its number on top and its label below.

    Args:
        values, labels: as many of each.
        name: an id unique in the page.
        title, summary: what the chart shows, for those who do not see it.
        hatched: fill with a pattern, so that two charts differ without colour.
    """
    step = WIDTH / max(1, len(values))
    room = HEIGHT - TOP - FOOT
    most = max([*values, 1])
    columns = []
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        height = round(room * value / most)
        left, middle, top = index * step + GAP / 2, (index + 0.5) * step, TOP + room - height
        columns.append((f"{left:.1f}", top, f"{step - GAP:.1f}", height, f"{middle:.1f}", top - 5, value, label))
    fill = f"url(#{name}-hatch)" if hatched else ""
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}'
        '<line class="chart__axis" x1="0" x2="{}" y1="{}" y2="{}"/></svg>',
        WIDTH, HEIGHT, name, name, name, title, name, summary,
        _hatch(name) if hatched else "",
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}" rx="2" class="chart__bar{}"{}/>'
            '<text x="{}" y="{}" text-anchor="middle" class="chart__value">{}</text>'
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            (
                (
                    left, top, width, height, " chart__bar--hatched" if hatched else "",
                    format_html(' fill="{}"', fill) if hatched else "", middle, above, value, middle, HEIGHT - 5, label,
                )
                for left, top, width, height, middle, above, value, label in columns
            ),
        ),
        WIDTH, TOP + room, TOP + room,
    )  # fmt: skip


def series(
    values: Sequence[int], labels: Sequence[str], *, name: str, title: str, summary: str, hatched: bool = False
) -> SafeString:
    """Many narrow columns, such as one per hour: only the highest carries its number, labels stand where there is room.

    Args:
        values, labels: as many of each; an empty label is left out.
        name: an id unique in the page.
        title, summary: what the chart shows, for those who do not see it.
        hatched: fill with a pattern, so that two charts differ without colour.
    """
    step = min(NARROW / max(1, len(values)), NARROW / 6)
    room, most = HEIGHT - TOP - FOOT, max([*values, 1])
    peak = values.index(max(values)) if any(values) else -1
    every = max(1, -(-len(labels) * 36 // NARROW)) if step < 52 else 1
    gap = min(GAP / 2, step / 4)
    columns: list[tuple[str, int, str, int]] = []
    words: list[tuple[str, int, str, int | str]] = []
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        height = max(1, round(room * value / most)) if value else 0
        middle, top = (index + 0.5) * step, TOP + room - height
        columns.append((f"{index * step + gap / 2:.1f}", top, f"{step - gap:.1f}", height))
        if index == peak:
            words.append((f"{min(max(middle, 12), NARROW - 16):.1f}", top - 5, " class=chart__value", value))
        if label and index % every == 0:
            words.append((f"{min(max(middle, 17), NARROW - 17):.1f}", HEIGHT - 5, "", label))
    bar = " chart__bar--hatched" if hatched else ""
    fill = format_html(' fill="url(#{}-hatch)"', name) if hatched else ""
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}{}'
        '<line class="chart__axis" x1="0" x2="{}" y1="{}" y2="{}"/></svg>',
        NARROW, HEIGHT, name, name, name, title, name, summary,
        _hatch(name) if hatched else "",
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}" rx="1" class="chart__bar{}"{}/>',
            ((*column, bar, fill) for column in columns),
        ),
        format_html_join("", '<text x="{}" y="{}" text-anchor="middle"{}>{}</text>', words),
        NARROW, TOP + room, TOP + room,
    )  # fmt: skip


def _hatch(name: str) -> SafeString:
    return format_html(
        '<defs><pattern id="{}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="chart__hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>',
        name,
    )


def rate(percent: float, low: float, high: float) -> SafeString:
    """A bar of a share between 0 and 100 with the expected range marked; the number stands beside it as text."""
    return format_html(
        '<svg class="chart chart--rate" viewBox="0 0 100 12" width="100" height="12" aria-hidden="true">'
        '<rect class="chart__bar" x="0" y="3" width="{}" height="6"/>'
        '<rect class="chart__band" x="{}" y="0.5" width="{}" height="11"/></svg>',
        f"{percent:.1f}",
        f"{low:.1f}",
        f"{max(0.5, high - low):.1f}",
    )
