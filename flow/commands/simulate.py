# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer simulate`: a model on the full SoC, with its firmware, window by window."""

from typing import Annotated

import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.commands.tables import soc_table
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least, hardware_of, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.runs.simulate import run_simulation
from liteformer.flow.stream.terminal import serve_terminal


def simulate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    windows: Annotated[int, typer.Option(help="Windows to run.")] = 16,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC: vexriscv, serv, or another of LiteX; if left out the one in "
                                                "the model's folder, otherwise vexriscv.")] = None,
    device: options.Device = None,
    trace: Annotated[str | None, typer.Option(metavar="FILE.fst", help="Write the waveforms of the whole SoC.")] = None,
    pty: Annotated[bool, typer.Option("--pty", help="Offer the SoC's serial line as a pseudo-terminal to other programs, until "
                                      "Ctrl-C; prints the name of the device.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    netlist: Annotated[str | None, typer.Option(metavar="KIND", help="Simulate the FPGA's cells that the SoC was mapped to: "
                                                "synthesis, as Yosys maps it, routed, as the ECP5's router "
                                                "leaves it, or bitstream, read back of an iCE40's. Takes minutes.")] = None,
    as_json: options.Json = False,
):
    """Run a model on the full SoC with its firmware and compare every output with the golden model.

    Examples:

    liteformer simulate build/airu4 --windows 64

    liteformer simulate build/airu4 --cpu serv --windows 8 --json

    liteformer simulate build/airu4 --windows 1 --trace build/one.fst

    liteformer simulate build/airu4 --netlist synthesis --windows 4

    liteformer simulate build/airu4 --netlist routed --device lfe5u-25f --windows 4

    liteformer simulate build/airu4 --pty        # then: liteformer run build/airu4 --port /dev/pts/N
    """
    at_least("windows", windows, 1)
    if trace and not trace.endswith(".fst"):
        raise LiteFormerError(f"--trace {trace} does not end in .fst; name a file such as build/trace.fst")
    if pty:
        if trace:
            raise LiteFormerError("--trace records windows, --pty runs until Ctrl-C; drop one of them")
        if netlist is not None:
            raise LiteFormerError("--netlist compares windows, --pty runs until Ctrl-C; drop one of them")
        loaded = load_model(model)
        cpu, overrides = hardware_of(model, cpu, device=device)
        serve_terminal(loaded, hardware.compile_model(loaded, **overrides), cpu or "vexriscv", as_json)
        return
    with console.work():
        result = run_simulation(model, windows=windows, cpu=cpu, trace=trace, seed=seed, device=device,
                                netlist=netlist)
    title = f"Netlist of the SoC with {result['cpu']} on {result['device']}" if netlist else f"SoC with {result['cpu']}"
    console.emit(result, as_json, lambda result: soc_table(title, result))
