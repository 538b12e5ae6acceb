"""`liteformer load-model`: another model into a board that runs, over its serial line, without synthesis."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from liteformer.accel import golden
from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console, hardware, inputs
from liteformer.flow.project import MANIFEST, read_manifest

SIMULATED_CPU = "vexriscv"


def built_from(path):
    """The build of a project folder, or the loadable one of a model.

    Returns:
        ``(compiled, cpu)``: CompiledModel, name of the CPU or None.
    Raises:
        LiteFormerError: no model there.
    """
    device = None
    if (Path(path) / MANIFEST).is_file():
        from liteformer.boards import load_board
        device = load_board(read_manifest(path)["board"]).DEVICE
    cpu, overrides = inputs.hardware_of(path, device=device)
    return hardware.compile_model(inputs.load_model(path), **({"loadable": True} | overrides)), cpu


def run_load(model, built, *, port=None, baudrate=115200, sim=False, windows=16, seed=1):
    """Load a model and check it.

    Args:
        model: model file or directory. built: project folder or model that the device was built from. port, baudrate: serial
        port; sim: the simulated SoC in its place. windows: random ones to compare with the golden model afterwards.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.accel.compiler.loading import loader_words, replace_model
    from liteformer.flow.device import open_line
    if bool(port) == bool(sim):
        raise LiteFormerError("name one device: --port /dev/ttyUSB0, or --sim for the simulated SoC")
    new = inputs.load_model(model)
    with console.step("Compile the model for the build"):
        compiled, cpu = built_from(built)
        loaded = replace_model(compiled, new)
    with open_line(compiled, port=port, baudrate=baudrate, cpu=cpu or SIMULATED_CPU) as client:
        before = client.info()
        with console.step("Load the model") as step:
            client.load(loaded, progress=step.update)
        after, raw = client.info(), inputs.random_windows(new, windows, seed)
        if after.model_id != new.id[:8]:
            raise LiteFormerError("the device does not say that it holds the new model; load it again")
        outputs = [client.infer(window).outputs for window in raw]
        client.reset()
    return {"model_id": new.id, "replaced": before.model_id, "build": f"{after.build:08x}", "self_test": after.self_test,
            "parts": sum(map(len, loader_words(loaded))), "cycles": loaded.cycles, "windows": windows,
            "mismatches": int(np.count_nonzero(np.array(outputs) != golden.infer(new, raw)))}


def _render(result):
    table = Table(title="Model loaded", show_header=False)
    table.add_row("model in the device", f"{result['model_id'][:8]}, before {result['replaced']}")
    table.add_row("sent", f"{4 * result['parts']:,} bytes")
    table.add_row("self-test", result["self_test"])
    table.add_row(f"outputs of {result['windows']} random windows that differ from the golden model", str(result["mismatches"]))
    table.add_row("inference", f"{result['cycles']:,} cycles")
    return table


def load_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    into: Annotated[str, typer.Option(metavar="BUILD", help="What the device was built from: the project folder of "
                                      "`liteformer build --loadable`, or the model.")],
    port: Annotated[str | None, typer.Option(help="Serial port of the board, such as /dev/ttyUSB0.")] = None,
    baudrate: Annotated[int, typer.Option(help="Of the serial port; the design's.")] = 115200,
    sim: Annotated[bool, typer.Option("--sim", help="Try it on the simulated SoC.")] = False,
    windows: Annotated[int, typer.Option(help="Random windows to compare with the golden model afterwards.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Replace the model of a board that runs, in seconds; the new one has the same shape, or a smaller d_model or ffn.

    The device refuses to run until the checksum over all its memories is right; a broken transfer leaves it without a model.

    Examples:

    liteformer build build/airu4 --board seeed_spartan_edge --loadable --no-compile --out build/board

    liteformer load-model build/airu4-june --into build/board --port /dev/ttyUSB0

    liteformer load-model build/airu4-june --into build/airu4 --sim --json
    """
    inputs.at_least("windows", windows, 1)
    inputs.at_least("baudrate", baudrate, 1)
    with console.work():
        result = run_load(model, into, port=port, baudrate=baudrate, sim=sim, windows=windows)
    console.emit(result, as_json, _render)
