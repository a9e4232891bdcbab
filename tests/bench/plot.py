"""Where measurements go: a picture of rates, and tables between their marks in docs/growth.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
END = "<!-- end -->"

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 380, 70, 50, 150, 60
COLOURS = {500: "#1d4ed8", 50: "#b45309", 1: "#047857"}
NAMES = {500: "batches of 500", 50: "batches of 50", 1: "live orders"}
HIGHEST = 1.2


def draw(points: Sequence[tuple[int, Mapping[int, float]]]) -> str:
    """An SVG of a line per batch size; `points` are (orders in the tables, ratio by batch size)."""
    most = max(orders for orders, _ in points) or 1

    def x(orders: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * orders / most

    def y(ratio: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(ratio, HIGHEST) / HIGHEST

    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" '
        'role="img" aria-label="Rate of intake by orders in the tables, as a share of an empty service beside it">'
    )
    parts = [
        opening,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-size="16" font-weight="bold">Intake, as a share of an empty service beside it</text>',
    ]
    for ratio in (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2):
        parts.append(f'<path d="M{LEFT} {y(ratio):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(ratio) + 4:.1f}" text-anchor="end">{ratio:.1f}</text>')
    parts.append(f'<path d="M{LEFT} {y(0.9):.1f}H{WIDTH - RIGHT}" stroke="#b91c1c" stroke-dasharray="5 4"/>')
    parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y(0.9) + 4:.1f}" fill="#b91c1c">0.9: the target</text>')
    for orders, _ in points:
        name = f"{orders / 1e6:.1f} M" if orders >= 100_000 else f"{orders:,}"
        parts.append(f'<text x="{x(orders):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{name}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">orders in the tables</text>'
    )
    for place, batch in enumerate(points[0][1]):
        path = " ".join(
            f"{'L' if number else 'M'}{x(orders):.1f} {y(ratios[batch]):.1f}"
            for number, (orders, ratios) in enumerate(points)
        )
        parts.append(f'<path d="{path}" fill="none" stroke="{COLOURS[batch]}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{x(orders):.1f}" cy="{y(ratios[batch]):.1f}" r="4" fill="{COLOURS[batch]}"/>'
            for orders, ratios in points
        ]
        line = HEIGHT - BOTTOM - 24 - 22 * place
        parts.append(f'<path d="M{WIDTH - RIGHT + 8} {line - 4}h18" stroke="{COLOURS[batch]}" stroke-width="2.5"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 32}" y="{line}">{NAMES[batch]}</text>')
    return "\n".join([*parts, "</svg>\n"])


def write(text: str, begin: str) -> None:
    """Puts a text between the mark `begin` and the next end mark of docs/growth.md."""
    page = DOCS / "growth.md"
    before, found, rest = page.read_text().partition(begin)
    assert found, begin
    page.write_text(f"{before}{begin}\n\n{text}\n\n{END}{rest.partition(END)[2]}")
