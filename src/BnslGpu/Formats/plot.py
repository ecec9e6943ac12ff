#!/usr/bin/env python3
"""Draws scaling curves with their fits and forecasts, from the CSV of this script's name beside it.

    python3 NAME.py                 writes NAME.png
    python3 NAME.py figure.pdf      writes that; .png, .svg and .pdf are known, a PDF has a page for every twelve curves

Written by bnsl fit --plot-script; change it as you like. It needs matplotlib and nothing else.
The CSV has a row a point: kind is fitted, held-out, off-envelope, law (the chosen fit) or forecast, which has the ends
of the 50, 80 and 95 % intervals of a measurement.
"""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # writes files; take this line out to look at figures in a window
import matplotlib.pyplot as plt
from matplotlib.ticker import LogFormatterSciNotation

COLUMNS, ROWS = 3, 4  # panels on a page, at most
WIDTH, HEIGHT = 4.2, 3.2  # of a panel, in inches
BLUE, SKY, VERMILION, BLACK, GREY = "#0072B2", "#56B4E9", "#D55E00", "#000000", "#999999"  # Okabe and Ito's


def read(path):
    """Curves by name, in the order of the file: of each kind a list of rows, whose numbers are floats."""
    curves = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, cell in row.items():
                if column not in ("curve", "x_name", "y_name", "kind"):
                    row[column] = float(cell) if cell else float("nan")
            curves.setdefault(row["curve"], {}).setdefault(row["kind"], []).append(row)
    return curves


def column(rows, name):
    return [row[name] for row in rows]


def text(name):
    """A name as it is: a dollar sign would begin a formula, and an apostrophe keeps spreadsheets from one."""
    if name.startswith("'") and name[1:2] in tuple("=+-@\uff1d\uff0b\uff0d\uff20"):
        name = name[1:]
    return name.replace("$", r"\$")


def draw(axes, name, kinds):
    points = kinds.get("fitted", []) + kinds.get("held-out", [])
    shown = points or [row for rows in kinds.values() for row in rows]
    for axis, scale, values in ((axes.xaxis, axes.set_xscale, column(shown, "x")), (axes.yaxis, axes.set_yscale, column(shown, "y"))):
        if all(value > 0 for value in values):
            scale("log")
            axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.6, 0.6)))  # labels between powers of ten where there are few of these
        axis.set_tick_params(which="both", labelsize=8)

    forecast = kinds.get("forecast", [])
    if forecast:
        x = column(forecast, "x")
        for level, alpha in ((95, 0.18), (80, 0.28)):
            axes.fill_between(
                x, column(forecast, f"lower_{level}"), column(forecast, f"upper_{level}"),
                color=SKY, alpha=alpha, linewidth=0, label=f"{level} %")

    if "off-envelope" in kinds:
        rows = kinds["off-envelope"]
        axes.plot(column(rows, "x"), column(rows, "y"), ".", color=GREY, alpha=0.5, markersize=3, label="off the envelope")
    if "fitted" in kinds:
        rows = kinds["fitted"]
        axes.plot(column(rows, "x"), column(rows, "y"), "o", color=BLACK, markersize=3.5, label="fitted", zorder=3)
    if "held-out" in kinds:
        rows = kinds["held-out"]
        axes.plot(
            column(rows, "x"), column(rows, "y"), "o", markerfacecolor="white", markeredgecolor=VERMILION,
            markersize=4.5, label="held out", zorder=3)
    if "law" in kinds:
        rows = kinds["law"]
        axes.plot(column(rows, "x"), column(rows, "y"), color=BLUE, linewidth=1, linestyle=":" if forecast else "-")
        last = max(column(kinds.get("fitted", rows), "x"))
        rows = [row for row in rows if row["x"] <= last]
        axes.plot(column(rows, "x"), column(rows, "y"), color=BLUE, linewidth=1.8, label="fit")
    if forecast:
        axes.plot(column(forecast, "x"), column(forecast, "y"), "--", color=BLUE, linewidth=1.5, label="forecast")

    if axes.get_yscale() == "log" and points:  # a wide band is not worth more than the height of the points again on either side
        low, high = min(column(points, "y")), max(column(points, "y"))
        bottom, top = axes.get_ylim()
        height = max(high / low, 1.2)
        axes.set_ylim(max(bottom, low / height), min(top, high * height))

    one = shown[0]
    axes.set_title(text(name), fontsize=9)
    axes.set_xlabel(text(one["x_name"]))
    axes.set_ylabel(text(one["y_name"]))
    axes.grid(True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)


def page(curves):
    """A figure of some curves, with one legend for all of them."""
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH * columns, HEIGHT * rows), squeeze=False, constrained_layout=True)
    panels = list(axes.flat)
    for panel, (name, kinds) in zip(panels, curves):
        draw(panel, name, kinds)
    for panel in panels[len(curves):]:
        panel.set_axis_off()
    handles = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    panels[0].legend(handles.values(), handles.keys(), loc="best", fontsize=7)
    return figure


def main():
    source = Path(__file__).with_suffix(".csv")
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".png")
    curves = list(read(source).items())
    if not curves:
        sys.exit(f"{source} has no rows.")
    pages = [curves[i:i + COLUMNS * ROWS] for i in range(0, len(curves), COLUMNS * ROWS)]
    if target.suffix == ".pdf":
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(target) as pdf:
            for some in pages:
                pdf.savefig(page(some))
                plt.close()
        print(target)
        return
    for number, some in enumerate(pages, 1):
        file = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        page(some).savefig(file, dpi=150)
        plt.close()
        print(file)


if __name__ == "__main__":
    main()
