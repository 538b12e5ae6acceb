"""`liteformer generate`: the stand-alone core as Verilog, for a system that is no LiteX SoC."""

import json
from typing import Annotated

import typer
from rich.table import Table

from liteformer.accel import golden
from liteformer.flow import console, hardware
from liteformer.flow.cache import whole_directory
from liteformer.flow.inputs import LOADABLE, at_least, hardware_of
from liteformer.flow.project import MANIFEST
from liteformer.flow.simulate import windows_for

HARDWARE = "Hardware"


def run_generate(path, out, *, windows=16, seed=1, overrides=None):
    """Write the stand-alone core and its test bench.

    Args:
        path: model file or directory. out: folder. windows: of the test bench. overrides: fields of HardwareOptions.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.soc.standalone import NAME, PORT_BYTES, write_core
    at_least("windows", windows, 1)
    model, raw = windows_for(path, windows, seed)
    compiled = hardware.compile_model(model, **hardware_of(path, **(overrides or {}))[1])
    expected = golden.infer(model, raw)
    with whole_directory(out, MANIFEST) as folder, console.step("Write the core"):
        write_core(compiled, folder, raw, expected)
        manifest = {"core": NAME, "model_id": model.id, "cycles": compiled.cycles, "port_bytes": PORT_BYTES, "windows": windows}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=4) + "\n")
        (folder / "README.md").write_text(_readme(manifest))
        files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    return manifest | {"out": str(out), "files": files}


def _readme(manifest):
    return f"""# LiteFormer core, stand-alone

Model {manifest['model_id'][:8]}; an inference takes {manifest['cycles']} clock cycles.

`make test` runs the test bench in Verilator 5: {manifest['windows']} windows are pushed, every output is compared with the
golden integer model; it ends with a non-zero exit code if one differs.

| file | content |
|---|---|
| `liteformer_core.v`, `*.init` | the core and its memory images, which it reads by these names |
| `liteformer_core_tb.v`, `samples.hex`, `expected.hex` | test bench, its stimuli and what it expects |
| `registers.md`, `csr.json`, `liteformer_core.svd` | register map |
| `software/` | C driver `liteformer.h`, headers; flags `-Isoftware -DCSR_BASE=... -DLITEFORMER_BASE=...` |

| port | width | meaning |
|---|---|---|
| `clk`, `rst` | 1 | clock, synchronous reset (active high) |
| `irq` | 1 | high while an enabled event is pending |
| `wb_adr` | 11 | word address within {manifest['port_bytes'] >> 10} KiB |
| `wb_dat_w`, `wb_dat_r` | 32 | data; whole words only |
| `wb_cyc`, `wb_stb`, `wb_we`, `wb_ack`, `wb_err`, `wb_sel`, `wb_cti`, `wb_bte` | | Wishbone B4, classic cycles |
"""


def _render(result):
    table = Table(title=f"Stand-alone core in {result['out']}", show_header=False)
    table.add_row("module", result["core"])
    table.add_row("inference", f"{result['cycles']:,} cycles")
    table.add_row("files", str(len(result["files"])))
    table.add_row("next", f"make -C {result['out']} test")
    return table


def generate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Folder for the core.")],
    windows: Annotated[int, typer.Option(help="Windows of the test bench.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    device: Annotated[str, typer.Option(help="FPGA whose budget counts.", rich_help_panel=HARDWARE)] = "xc7s15",
    rows: Annotated[int | None, typer.Option(help="Rows (tokens) of the array.", rich_help_panel=HARDWARE)] = None,
    columns: Annotated[int | None, typer.Option(help="Columns (channels) of the array.", rich_help_panel=HARDWARE)] = None,
    requantizers: Annotated[int | None, typer.Option(help="Requantizers side by side.", rich_help_panel=HARDWARE)] = None,
    dsp_lanes: Annotated[int | None, typer.Option(help="Lanes built from DSP48E1s.", rich_help_panel=HARDWARE)] = None,
    loadable: Annotated[bool, typer.Option("--loadable", help=LOADABLE, rich_help_panel=HARDWARE)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Write the core as one Verilog module with a Wishbone port, with register map, C driver and test bench.

    Examples:

    liteformer generate build/airu4 -o build/core

    make -C build/core test
    """
    overrides = {"device": device, "rows": rows, "columns": columns, "requantizers": requantizers, "dsp_lanes": dsp_lanes,
                 "loadable": loadable or None}
    with console.work():
        result = run_generate(model, out, windows=windows, seed=seed, overrides=overrides)
    console.emit(result, as_json, _render)
