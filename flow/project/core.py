# SPDX-License-Identifier: BSD-2-Clause
"""The stand-alone core on disk: Verilog, test bench, register map, driver."""

import json

from liteformer.accel import golden
from liteformer.flow.common import console
from liteformer.flow.common.cache import file_names, whole_directory
from liteformer.flow.common.inputs import at_least, hardware_of
from liteformer.flow.measure import hardware
from liteformer.flow.project.files import MANIFEST
from liteformer.flow.runs.simulate import windows_for

CLK2X = "| `clk2x` | 1 | a clock of twice the frequency that rises with `clk`, from the same PLL |\n"


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
    compiled = hardware.compile_fitting(model, **hardware_of(path, simulated=False, **(overrides or {}))[1])
    expected = golden.infer(model, raw)
    with whole_directory(out, MANIFEST, "liteformer generate") as folder, console.step("Write the core"):
        write_core(compiled, folder, raw, expected)
        manifest = {"core": NAME, "model_id": model.id, "cycles": compiled.cycles, "port_bytes": PORT_BYTES, "windows": windows}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=4) + "\n")
        (folder / "README.md").write_text(_readme(manifest, bool(compiled.hw.quads)))
        files = file_names(folder)
    return manifest | {"out": str(out), "files": files}


def _readme(manifest, pumped):
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
{CLK2X if pumped else ''}| `irq` | 1 | high while an enabled event is pending |
| `wb_adr` | 11 | word address within {manifest['port_bytes'] >> 10} KiB |
| `wb_dat_w`, `wb_dat_r` | 32 | data; whole words only |
| `wb_cyc`, `wb_stb`, `wb_we`, `wb_ack`, `wb_err`, `wb_sel`, `wb_cti`, `wb_bte` | | Wishbone B4, classic cycles |
"""
