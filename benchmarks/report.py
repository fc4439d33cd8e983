"""Turn speed.json, speed_avx512.json and growth.json into the tables and pictures of the book's page "How fast is it".

python benchmarks/report.py
"""

import json
import re
import statistics
from pathlib import Path

import matplotlib.pyplot as plt
import speed
from matplotlib.ticker import StrMethodFormatter

BOOK = speed.FOLDER.parent / "book"
AXES = {"batch_size": "images per batch", "hidden_dim": "hidden units", "num_images": "images"}
OURS, THEIRS, FLOOR = "#1f77b4", "#8c939b", "#555555"


def main():
    """Write the table into the page, and the two pictures."""
    race, growth = (json.loads((speed.FOLDER / f"{name}.json").read_text()) for name in ("speed", "growth"))
    put(BOOK / "speed.md", "race", table(race))
    put(BOOK / "speed.md", "race with AVX-512", table(json.loads((speed.FOLDER / "speed_avx512.json").read_text())))
    save(dots(race["results"]), BOOK / "static/speed.png")
    save(curves(growth["rows"]), BOOK / "static/growth.png")


def put(page, name, text):
    """Write a text into a page of the book between the two comments that bear its name."""
    begin, end = rf"(<!-- {name}: .* -->\n\n)", rf"(\n<!-- end of {name} -->)"
    old = page.read_text()
    new, number = re.subn(f"{begin}.*?{end}", lambda match: match[1] + text + match[2], old, flags=re.DOTALL)
    if number != 1:
        raise ValueError(f"{page.name} must have one place for {name!r}, between two comments; found {number}.")
    page.write_text(new)


def table(race):
    """Return the race as a Markdown table, with its date and machine."""
    results, machine = race["results"], race["machine"]
    ours = statistics.median(results[speed.OURS]["seconds"])
    lines = [
        "| tool | min | **median** | max | first | ours / theirs | aim | version |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (title, aim) in speed.CONTENDERS.items():
        if name in results:
            seconds = results[name]["seconds"]
            median = statistics.median(seconds)
            ratio = "" if name == speed.OURS else f"{ours / median:.2f}"
            numbers = (
                f"{min(seconds):.2f} | **{median:.2f}** | {max(seconds):.2f} | {results[name]['first_seconds']:.1f}"
            )
            lines.append(f"| {title} | {numbers} | {ratio} | {aim or ''} | {results[name]['version']} |")
    rounds = len(results[speed.OURS]["seconds"])
    lines += [
        "",
        f"Seconds per epoch of {race['work']['images']:,} images, {rounds} rounds in turn, {race['date']}, on "
        f"{machine['cores']} cores of an {machine['cpu']} ({machine['system']}, Python {machine['python']}). "
        "*First* is the epoch that compiles.",
    ]
    return "\n".join(lines) + "\n"


def dots(results):
    """Draw medians as dots, from min to max as lines, the floor as a dashed line."""
    names = [name for name in speed.CONTENDERS if name in results and not name.startswith("sgemm")]
    floor = min(statistics.median(results[name]["seconds"]) for name in results if name.startswith("sgemm"))
    figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
    for y, name in enumerate(reversed(names)):
        seconds = results[name]["seconds"]
        color = OURS if name == speed.OURS else THEIRS
        ax.plot([min(seconds), max(seconds)], [y, y], color=color, linewidth=3)
        ax.plot(statistics.median(seconds), y, "o", color=color, markersize=9)
    ax.axvline(floor, color=FLOOR, linestyle="--")
    ax.text(floor, len(names) - 0.4, " matrix products alone", color=FLOOR, va="bottom")
    ax.set_yticks(range(len(names)), [speed.CONTENDERS[name][0] for name in reversed(names)])
    ax.set(xlabel="seconds per epoch", xscale="log")
    doubling_ticks(ax.xaxis)
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def curves(rows):
    """Draw seconds against each of the three sizes, ours and the floor."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
    for ax, (axis, label) in zip(axes, AXES.items(), strict=True):
        points = sorted((row[axis], row["seconds"], row["floor"]) for row in rows if row["axis"] == axis)
        sizes, seconds, floors = zip(*points, strict=True)
        ax.plot(sizes, seconds, "o-", color=OURS, label="vaelib.fit")
        ax.plot(sizes, floors, "--", color=FLOOR, label="matrix products alone")
        ax.set(xscale="log", yscale="log", xlabel=label)
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
        ax.set_xticks([], minor=True)
        ax.set_ylim(min(floors) / 1.5, max(seconds) * 1.5)
        doubling_ticks(ax.yaxis)
    axes[0].set_ylabel("seconds per epoch")
    axes[0].legend(frameon=False)
    return figure


def doubling_ticks(axis):
    """Set ticks at 0.25, 0.5, 1, 2, 4 and so on."""
    low, high = axis.get_view_interval()
    axis.set_ticks([2.0**n for n in range(-4, 8) if low <= 2.0**n <= high], minor=False)
    axis.set_ticks([], minor=True)
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def save(figure, file: Path):
    """Write a picture on white, which the page's dark mode leaves alone."""
    figure.savefig(file, dpi=150, facecolor="white")
    plt.close(figure)


if __name__ == "__main__":
    main()
