# SPDX-License-Identifier: BSD-2-Clause
"""Tables that several commands show: the SoC's figures, its area, its longest paths."""

from rich.table import Table

from liteformer.accel.devices import DEVICES, SERIES_7
from liteformer.flow.measure import hardware

ESTIMATED = {"lut": "LUT", "lut_sites": "sites", "bram36": "BRAM36", "dsp": "DSP48E1"}


def estimated_text(estimate, device):
    """The compiler's own account of an area in the words of the device's family."""
    family = DEVICES[device].family
    if family is SERIES_7:
        return ", ".join(f"{estimate[key]:,} {text}" for key, text in ESTIMATED.items())
    return (f"{estimate['lut']:,} {family.cell}, {family.rams_per_36 * estimate['bram36']:g} {family.ram}, "
            f"{estimate['dsp']} {family.dsp}")


def paths_table(paths):
    """Longest paths of a synthesis, list of dicts, as a table."""
    table = Table(title="Longest paths by the block they end in; time estimated before placement")
    for name, justify in (("block", "left"), ("LUT levels", "right"), ("CARRY4", "right"), ("ns", "right"), ("from", "left"),
                          ("to", "left")):
        table.add_column(name, justify=justify, overflow="fold")
    for path in paths:
        table.add_row(path["block"], str(path["levels"]), str(path["carries"]), f"{path['ns']:.2f}", path["start"], path["end"])
    return table


def area_rows(area, device):
    """Rows ``(text, value)`` of a table: resources of the SoC on a device."""
    capacity = DEVICES[device]
    family = capacity.family
    fits = "yes" if area["fits"] else "[red]no[/]"
    if area["crowded"]:
        fits = f"[yellow]by count; it {area['crowded']}[/]"
    names = {"lut": (family.lut, 1), "lutram": ("of these as memory", 1), "ff": ("flip-flops", 1),
             "bram36": (family.ram, family.rams_per_36), "dsp": (family.dsp, 1)}
    rows = [(f"{text}, whole SoC" if key != "lutram" else text,
             f"{_amount(area[key], times)} of {times * getattr(capacity, key):,}")
            for key, (text, times) in names.items()]
    if family is not SERIES_7:
        rows.insert(1, (f"{family.cell}, at most", f"{area['limits']['lut_sites']:,}"))
        return [*rows, (f"fits {device}", fits)]
    rows.insert(1, ("LUT sites of a packer, at most", f"{area['lut_sites']:,} of {capacity.lut:,}"))
    rows.insert(2, ("slices at least; control sets", f"{area['slices']:,} of {capacity.lut // 4:,}; {area['control_sets']}"))
    return [*rows, (f"fits {device}", fits)]


def _amount(number, times):
    return f"{number:,}" if times == 1 else f"{times * number:,.0f}"


def soc_table(title, result):
    """The figures of ``hardware.run_soc`` as a table, with those of a netlist where there is one."""
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    cycles = result["cycles"]
    table.add_row("windows", str(result["windows"]))
    table.add_row("outputs that differ from the golden model", str(result["mismatches"]))
    for key, text in (("accelerator", "core, start to done"), ("end_to_end", "firmware, sample in memory to result")):
        table.add_row(f"{text}, slowest window",
                      f"{cycles[key]:,} cycles = {hardware.microseconds(cycles[key]):.2f} µs at {hardware.CLOCK_MHZ} MHz")
    table.add_row("speed of the simulation", f"{result['cycles_per_second']:,} cycles per second")
    if "cells" in result:
        table.add_row("cells simulated", f"{sum(result['cells'].values()):,} of {len(result['cells'])} kinds")
    if "route" in result:
        table.add_row("routed", f"{result['route']['fmax_mhz']:g} MHz")
    return table
