# SPDX-License-Identifier: BSD-2-Clause
"""Another model into a running device, and its check."""

from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console, inputs
from liteformer.flow.measure import hardware
from liteformer.flow.project.files import MANIFEST, read_manifest

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
    from liteformer.flow.stream.device import open_line
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
            raise LiteFormerError("the device does not report the new model; load it again")
        outputs = [client.infer(window).outputs for window in raw]
        client.reset()
    return {"model_id": new.id, "replaced": before.model_id, "build": f"{after.build:08x}", "self_test": after.self_test,
            "parts": sum(map(len, loader_words(loaded))), "cycles": loaded.cycles, "windows": windows,
            "mismatches": int(np.count_nonzero(np.array(outputs) != golden.infer(new, raw)))}
