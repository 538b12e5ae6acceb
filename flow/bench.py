"""`liteformer bench`: cycles, array utilisation and area of any shape, with random weights."""

from typing import Annotated, Literal

import numpy as np
import typer
from rich.console import Group
from rich.table import Table

from liteformer.accel.devices import DEVICES
from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.flow import console, hardware
from liteformer.flow.inputs import LOADABLE, at_least, check_bits, checked, random_windows
from liteformer.flow.simulate import figures_table

SHAPE, BUILD, MORE = "Model", "Hardware", "More results"
ESTIMATED = {"lut": "LUT", "bram36": "BRAM36", "dsp": "DSP48E1"}


def run_bench(shape, *, cpu="vexriscv", windows=16, overrides=None, device="xc7s15", seed=1, with_area=True, picture=None,
              quick=False):
    """Simulate a random model on the full SoC and measure the SoC's area.

    Args:
        shape: arguments of ``random_model`` (window, features, d_model, bits, ...). overrides: fields of HardwareOptions.
        picture: PNG to write of what the array does in each cycle. quick: build the simulator in less time.
    Returns:
        dict, the command's JSON.
    """
    check_bits(shape["bits"])
    at_least("windows", windows, 1)
    for name in ("features", "outputs", "ffn"):
        if shape.get(name) is not None:
            at_least(name, shape[name], 1)
    find_device(device)
    hardware.check_cpu(cpu)
    with checked():
        model = random_model(np.random.default_rng(seed), **shape)
    compiled = hardware.compile_model(model, **(overrides or {}), device=device)
    figures, _ = hardware.run_soc(model, compiled, random_windows(model, windows, seed), cpu, quick=quick)
    cycles = figures["cycles"]["accelerator"]
    synthesis = hardware.soc_synthesis(compiled, cpu, device) if with_area else {"area": None, "paths": None}
    result = {
        "shape": shape, "macs": model.config.macs, "lanes": compiled.hw.lanes,
        "array": {name: getattr(compiled.hw, name) for name in ("rows", "columns", "requantizers", "dsp_lanes")},
        "utilization": round(hardware.utilization(model, compiled, cycles), 4), **figures,
        "clock_mhz": hardware.CLOCK_MHZ, "latency_us": hardware.microseconds(cycles), "device": device, "cpu": cpu, **synthesis,
    }
    if picture:
        result["timeline"] = _picture(compiled, result, picture, seed)
    return result


def _picture(compiled, result, path, seed):
    """Record one inference and draw it; the timeline as a dict."""
    from liteformer.flow.timeline import measure
    from liteformer.flow.timeline_plot import draw
    measured, shape, array = measure(compiled, seed), result["shape"], result["array"]
    title = (f"window {shape['window']}, d {shape['d_model']}, {shape['bits']} bits, readout {shape['readout']}: "
             f"{measured.cycles:,} cycles, {array['rows']} x {array['columns']} lanes, "
             f"{100 * result['utilization']:.1f} % of all multiply-accumulate slots used")
    draw(measured, title, path)
    return measured.summary()


def _render(result):
    table = figures_table("Random weights, " + ", ".join(f"{key} {value}" for key, value in result["shape"].items()), result)
    table.add_row("multiply-accumulates", f"{result['macs']:,}")
    array = result["array"]
    table.add_row("lanes of the array, rows x columns", f"{result['lanes']} = {array['rows']} x {array['columns']}")
    table.add_row("of these made of DSP48E1s; requantizers", f"{array['dsp_lanes']}; {array['requantizers']}")
    table.add_row("array utilisation", f"{100 * result['utilization']:.1f} %")
    if result["area"]:
        for row in area_rows(result["area"], result["device"]):
            table.add_row(*row)
        if result["area"]["estimate"]:
            table.add_row("estimated before synthesis", ", ".join(
                f"{result['area']['estimate'][key]:,} {text}" for key, text in ESTIMATED.items()))
    return table


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
    """Rows ``(text, value)`` of a table: what the SoC takes of a device."""
    capacity = DEVICES[device]
    names = {"lut": "LUT", "lutram": "of these as memory", "ff": "flip-flops", "bram36": "BRAM36", "dsp": "DSP48E1"}
    rows = [(f"{text}, whole SoC" if key != "lutram" else text, f"{area[key]:,} of {getattr(capacity, key):,}")
            for key, text in names.items()]
    return [*rows, (f"fits {device}", "yes" if area["fits"] else "[red]no[/]")]


def bench(
    window: Annotated[int, typer.Option(help="Time steps the model sees.", rich_help_panel=SHAPE)] = 12,
    d_model: Annotated[int, typer.Option(help="Channels of a token.", rich_help_panel=SHAPE)] = 32,
    bits: Annotated[int, typer.Option(help="Width of weights and activations, 2 to 8.", rich_help_panel=SHAPE)] = 4,
    features: Annotated[int, typer.Option(help="Values of a sample.", rich_help_panel=SHAPE)] = 7,
    outputs: Annotated[int, typer.Option(help="Values forecast.", rich_help_panel=SHAPE)] = 1,
    heads: Annotated[int, typer.Option(help="Attention heads.", rich_help_panel=SHAPE)] = 1,
    layers: Annotated[int, typer.Option(help="Encoder layers.", rich_help_panel=SHAPE)] = 1,
    ffn: Annotated[int | None, typer.Option(help="Feed-forward channels; 4 x d_model if left out.",
                                            rich_help_panel=SHAPE)] = None,
    readout: Annotated[Literal["last", "mean"] | None, typer.Option(
        help="Last token, or mean over all; last if left out, for the grid mean.", rich_help_panel=SHAPE)] = None,
    cpu: Annotated[str, typer.Option(help="CPU of the SoC.", rich_help_panel=BUILD)] = "vexriscv",
    rows: Annotated[int | None, typer.Option(help="Rows (tokens) of the array.", rich_help_panel=BUILD)] = None,
    columns: Annotated[int | None, typer.Option(help="Columns (channels) of the array.", rich_help_panel=BUILD)] = None,
    requantizers: Annotated[int | None, typer.Option(help="Requantizers side by side.", rich_help_panel=BUILD)] = None,
    dsp_lanes: Annotated[int | None, typer.Option(help="Lanes built from DSP48E1s.", rich_help_panel=BUILD)] = None,
    device: Annotated[str, typer.Option(help=f"FPGA: {', '.join(DEVICES)}.", rich_help_panel=BUILD)] = "xc7s15",
    loadable: Annotated[bool, typer.Option("--loadable", help=LOADABLE, rich_help_panel=BUILD)] = False,
    windows: Annotated[int, typer.Option(help="Random windows to run; the grid runs at most 4 of each shape.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of weights and windows.")] = 1,
    no_area: Annotated[bool, typer.Option("--no-area", help="Leave the synthesis with Yosys out.")] = False,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Measure any shape with random weights: the full SoC is simulated and compared, then synthesised.

    Examples:

    liteformer bench --window 12 --d-model 32 --bits 4

    liteformer bench --window 10 --d-model 24 --bits 5 --features 3 --heads 2 --layers 2 --no-area --json

    liteformer bench --window 12 --d-model 64 --bits 6 --readout mean --timeline build/timeline.png --timing

    liteformer bench --grid paper --out build/grid
    """
    overrides = {"rows": rows, "columns": columns, "requantizers": requantizers, "dsp_lanes": dsp_lanes,
                 "loadable": loadable or None}
    if timeline and not timeline.endswith(".png"):
        raise LiteFormerError(f"--timeline {timeline} does not end in .png; name a file such as build/timeline.png")
    if timing and no_area:
        raise LiteFormerError("--timing needs the synthesis that --no-area leaves out; drop one of them")
    if grid:
        if timeline:
            raise LiteFormerError("--timeline draws one shape; leave --grid out")
        shape = {"features": features, "outputs": outputs, "heads": heads, "layers": layers, "readout": readout or "mean"}
        from liteformer.flow import grid as paper
        with console.work():
            result = paper.run_grid(shape, out, jobs=jobs, cpu=cpu, windows=min(windows, 4), overrides=overrides, device=device,
                                    seed=seed, with_area=not no_area)
        console.emit(result, as_json, paper.render)
        return
    shape = {"window": window, "features": features, "d_model": d_model, "bits": bits, "outputs": outputs, "heads": heads,
             "layers": layers, "ffn": ffn, "readout": readout or "last"}
    with console.work():
        result = run_bench(shape, cpu=cpu, windows=windows, overrides=overrides, device=device, seed=seed,
                           with_area=not no_area, picture=timeline)
    console.emit(result, as_json, lambda result: Group(_render(result), *([paths_table(result["paths"])] if timing else [])))
