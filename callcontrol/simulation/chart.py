"""The service levels of a report as bars with their intervals: for a terminal, and as SVG."""

from __future__ import annotations

from html import escape

from callcontrol.simulation.report import Estimate, Report

_BAR = 40
_ROW, _LEFT, _WIDTH = 34, 220, 420


def terminal(report: Report) -> str:
    rows = [f"{'queue':26} {'contacts':>9} {'SL':>15}  {'ASA s':>15} {'waits':>14} {'abandon':>14}"]
    rows += [
        f"{q.queue:26} {q.offered.mean:9.0f} {_percent(q.service_level):>15}  {_plain(q.asa_s):>15} "
        f"{_percent(q.wait_probability):>14} {_percent(q.abandoned):>14}"
        for q in report.queues
    ]
    bars = [f"{q.queue:26} |{_bar(q.service_level)}| {_mean(q.service_level)}" for q in report.queues]
    rows += ["", *bars, ""]
    rows += [f"occupancy of {crew:15} {_percent(value)}" for crew, value in report.occupancy.items()]
    definitions = sorted({q.definition for q in report.queues})
    rows += [f"SL = {definition}" for definition in definitions]
    for q in (q for q in report.queues if q.counted):
        counted = ", ".join(f"{name} {value.mean:.4g} ± {value.half:.2g}" for name, value in q.counted.items())
        rows.append(f"{q.queue}: chance is taken off by an Erlang queue of the same contacts; as counted: {counted}")
    rows.append(
        f"{report.replications} replications, {report.contacts} contacts, {report.events} events; "
        "± is the 95 % interval"
    )
    return "\n".join(rows)


def svg(report: Report, title: str) -> str:
    height = _ROW * len(report.queues) + 90
    size = f'width="{_LEFT + _WIDTH + 90}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="26" font-size="16" fill="#222">{escape(title)}</text>',
    ]
    for tick in range(0, 101, 20):
        x = _LEFT + _WIDTH * tick / 100
        parts.append(f'<line x1="{x}" x2="{x}" y1="42" y2="{height - 34}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{height - 16}" text-anchor="middle" fill="#555">{tick} %</text>')
    for n, q in enumerate(report.queues):
        parts += _svg_row(q.queue, q.service_level, 50 + n * _ROW)
    return "\n".join([*parts, "</svg>\n"])


def _svg_row(name: str, value: Estimate, y: int) -> list[str]:
    label = f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end" fill="#222">{escape(name)}</text>'
    if value.mean != value.mean:
        return [label]
    low, high = (_LEFT + _WIDTH * min(1.0, max(0.0, value.mean + side * value.half)) for side in (-1, 1))
    return [
        label,
        f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH * value.mean:.1f}" height="20" fill="#2a6f97"/>',
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 10}" y2="{y + 10}" stroke="#d1495b" stroke-width="3"/>',
        f'<text x="{_LEFT + _WIDTH + 12}" y="{y + 15}" fill="#222">{100 * value.mean:.1f} %</text>',
    ]


def _bar(value: Estimate) -> str:
    if value.mean != value.mean:
        return " " * _BAR
    full = round(_BAR * value.mean)
    return "█" * full + "·" * (_BAR - full)


def _mean(value: Estimate) -> str:
    return "-" if value.mean != value.mean else f"{100 * value.mean:.1f} %"


def _percent(value: Estimate) -> str:
    if value.mean != value.mean:
        return "-"
    return f"{100 * value.mean:.2f} ± {100 * value.half:.2f} %"


def _plain(value: Estimate) -> str:
    if value.mean != value.mean:
        return "-"
    return f"{value.mean:.2f} ± {value.half:.2f}"
