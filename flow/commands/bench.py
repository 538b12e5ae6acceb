# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer bench`: cycles, MAC utilization and area of any shape, with random weights."""

from typing import Annotated, Literal

import typer
from rich.console import Group

from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.commands.tables import area_rows, estimated_text, paths_table, soc_table
from liteformer.flow.common import console
from liteformer.flow.runs.bench import run_bench

SHAPE, MORE = options.SHAPE, "More results"
# Cells of the router's report that say nothing about the design's size.
UNTOLD = ("TRELLIS_IO", "DCCA", "SB_IO", "SB_GB", "IOB", "GND", "VCC", "GSR")


def _render(result):
    table = soc_table("Random weights, " + ", ".join(f"{key} {value}" for key, value in result["shape"].items()), result)
    table.add_row("multiply-accumulates", f"{result['macs']:,}")
    array = result["array"]
    table.add_row("lanes of the array, rows x columns", f"{result['lanes']} = {array['rows']} x {array['columns']}")
    table.add_row(f"of these made of {DEVICES[result['device']].family.dsp}s; requantizers",
                  f"{array['dsp_lanes']}{' at twice the clock' * array['pump']}; {array['requantizers']}")
    table.add_row("MAC utilization", f"{100 * result['utilization']:.1f} %")
    if result["exceeds"]:
        table.add_row(f"does not fit {result['device']}", "[red]" + "\n".join(result["exceeds"]) + "[/]")
    if result["area"]:
        for row in area_rows(result["area"], result["device"]):
            table.add_row(*row)
        if result["area"]["estimate"]:
            table.add_row("estimated before synthesis", estimated_text(result["area"]["estimate"], result["device"]))
    for entry in result.get("software", ()):
        name = " ".join(filter(None, (entry["cpu"], entry["variant"])))
        table.add_row(f"as C on {name}, {'with' if entry['multiplier'] else 'no'} multiplier",
                      f"{entry['cycles']:,} cycles: the core is {entry['times_faster']:,.0f} times faster")
    if "route" in result:
        route = result["route"]
        table.add_row(f"routed, aim {route['clock_mhz']:g} MHz", f"{route['fmax_mhz']:g} MHz"
                      + ("" if route["met"] else ", not met")
                      + (f", the best of {len(route['seeds'])} seeds" if len(route["seeds"]) > 1 else ""))
        table.add_row("cells routed", ", ".join(f"{site['used']:,} of {site['available']:,} {kind}"
                                                for kind, site in route["cells"].items() if kind not in UNTOLD))
        table.add_row("core at the routed clock", f"{result['latency_us']:.2f} µs")
    return table


def bench(
    window: Annotated[int, typer.Option(help="Time steps the model sees.", rich_help_panel=SHAPE)] = 12,
    patch: options.Patch = 1,
    stride: options.Stride = 1,
    d_model: Annotated[int, typer.Option(help="Channels of a token.", rich_help_panel=SHAPE)] = 32,
    bits: Annotated[int, typer.Option(help="Width of weights and activations, 2 to 8.", rich_help_panel=SHAPE)] = 4,
    features: Annotated[int, typer.Option(help="Values of a sample.", rich_help_panel=SHAPE)] = 7,
    outputs: Annotated[int, typer.Option(help="Values forecast.", rich_help_panel=SHAPE)] = 1,
    heads: Annotated[int, typer.Option(help="Attention heads.", rich_help_panel=SHAPE)] = 1,
    layers: Annotated[int, typer.Option(help="Encoder layers.", rich_help_panel=SHAPE)] = 1,
    ffn: Annotated[int | None, typer.Option(help="Feed-forward channels; 4 x d_model if left out.",
                                            rich_help_panel=SHAPE)] = None,
    readout: Annotated[Literal["last", "mean"] | None, typer.Option(
        help="Pooling: last token, or mean over all; last if left out, for the grid mean.", rich_help_panel=SHAPE)] = None,
    cpu: Annotated[str, typer.Option(help="CPU of the SoC.", rich_help_panel=options.HARDWARE)] = "vexriscv",
    rows: options.Rows = None,
    columns: options.Columns = None,
    requantizers: options.Requantizers = None,
    dsp_lanes: options.DspLanes = None,
    pump: options.Pump = None,
    device: Annotated[str, typer.Option(help=f"FPGA: {', '.join(DEVICES)}.", rich_help_panel=options.HARDWARE)] = "xc7s15",
    loadable: options.Loadable = False,
    windows: Annotated[int, typer.Option(help="Random windows to run; the grid runs at most 4 of each shape.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of weights and windows.")] = 1,
    no_area: Annotated[bool, typer.Option("--no-area", help="Skip the synthesis with Yosys.")] = False,
    route: Annotated[bool, typer.Option("--route", help="Place and route with the open router of the device's family; times "
                                        "are then at the routed clock. Minutes.")] = False,
    software: Annotated[bool, typer.Option("--software", help="Run the model as portable C on the SoC's CPU too, and on a "
                                           "VexRiscv with multiplier and caches.")] = False,
    timeline: Annotated[str | None, typer.Option(metavar="FILE.png", help="Draw what the array does in each cycle.",
                                                 rich_help_panel=MORE)] = None,
    timing: Annotated[bool, typer.Option("--timing", help="Show the longest path into each block.",
                                         rich_help_panel=MORE)] = False,
    grid: Annotated[Literal["paper"] | None, typer.Option(
        help="Measure all 48 shapes of the paper instead of one: window 6 to 24, d 8 to 64, 4 to 8 bits.",
        rich_help_panel=MORE)] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Where the grid's CSV and picture go.",
                                     rich_help_panel=MORE)] = "build/grid",
    jobs: Annotated[int, typer.Option(help="Shapes of the grid measured at a time.", rich_help_panel=MORE)] = 2,
    as_json: options.Json = False,
):
    """Measure any shape with random weights: the full SoC is simulated and compared, then synthesised.

    Examples:

    liteformer bench --window 12 --d-model 32 --bits 4

    liteformer bench --window 10 --d-model 24 --bits 5 --features 3 --heads 2 --layers 2 --no-area --json

    liteformer bench --window 12 --d-model 64 --bits 6 --readout mean --timeline build/timeline.png --timing

    liteformer bench --device lfe5u-25f --route

    liteformer bench --no-area --software

    liteformer bench --grid paper --out build/grid
    """
    overrides = options.array(rows, columns, requantizers, dsp_lanes, pump, loadable)
    if timeline and not timeline.endswith(".png"):
        raise LiteFormerError(f"--timeline {timeline} does not end in .png; name a file such as build/timeline.png")
    if timing and no_area:
        raise LiteFormerError("--timing needs the synthesis that --no-area leaves out; drop one of them")
    if route and (no_area or grid):
        raise LiteFormerError(f"--route needs {'the synthesis that --no-area leaves out' if no_area else 'one shape'}; drop "
                              f"{'--no-area' if no_area else '--grid'}")
    if software and grid:
        raise LiteFormerError("--software measures one shape; leave --grid out")
    if grid and (patch, stride) != (1, 1):
        raise LiteFormerError("the paper's shapes have a token for each row; leave --patch and --stride out, or --grid")
    if grid:
        if timeline:
            raise LiteFormerError("--timeline draws one shape; leave --grid out")
        shape = {"features": features, "outputs": outputs, "heads": heads, "layers": layers, "readout": readout or "mean"}
        from liteformer.flow.commands.grid_table import grid_table
        from liteformer.flow.runs.grid import run_grid
        with console.work():
            result = run_grid(shape, out, jobs=jobs, cpu=cpu, windows=min(windows, 4), overrides=overrides, device=device,
                                    seed=seed, with_area=not no_area)
        console.emit(result, as_json, grid_table)
        return
    shape = {"window": window, "patch": patch, "stride": stride, "features": features, "d_model": d_model,
             "bits": bits, "outputs": outputs, "heads": heads,
             "layers": layers, "ffn": ffn, "readout": readout or "last"}
    with console.work():
        result = run_bench(shape, cpu=cpu, windows=windows, overrides=overrides, device=device, seed=seed,
                           with_area=not no_area, picture=timeline, route=route, software=software)
    console.emit(result, as_json, lambda result: Group(_render(result), *([paths_table(result["paths"])] if timing else [])))
