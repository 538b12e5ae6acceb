# SPDX-License-Identifier: BSD-2-Clause
"""The table of `liteformer bench --grid paper`."""

from rich import box
from rich.table import Table

from liteformer.flow.runs.grid import CONFIGURATION


def grid_table(result):
    """The grid as a table."""
    table = Table(title=f"Grid of the paper on {result['device']}, readout {result['readout']}, whole SoC with {result['cpu']}",
                  caption=f"{result['csv']}, {result['plot']}; {result['seconds'] / 60:.1f} min", box=box.SIMPLE_HEAD,
                  padding=(0, 1, 0, 0))
    for name in ("n", "d", "bits", "lanes", "cycles", "µs", "used", "LUT", "sites", "FF", "BRAM", "DSP", "fits", "differ"):
        table.add_column(name, justify="right", no_wrap=True)

    def show(value, form="{:,}"):
        return "-" if value is None else form.format(value)

    for row in result["rows"]:
        if row["error"]:
            table.add_row(*(str(row[name]) for name in CONFIGURATION), "[red]none[/]", *["-"] * 8, "[red]no[/]", "-")
            continue
        fits = {None: "-", True: "yes", False: "[red]no[/]"}[row["fits"]]
        table.add_row(*(str(row[name]) for name in CONFIGURATION), f"{row['rows']}x{row['columns']}",
                      show(row["cycles"]), show(row["latency_us"], "{:.1f}"), f"{100 * row['utilization']:.0f} %",
                      *(show(row[name]) for name in ("lut", "lut_sites", "ff", "bram36", "dsp")), fits,
                      f"[red]{row['mismatches']}[/]" if row["mismatches"] else "0")
    return table
