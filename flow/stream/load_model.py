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


def built_from(path, device=None):
    """The build of a project folder, or the loadable one of a model.

    Args:
        path: of either. device: FPGA whose budget counts, None for the folder's or the board's.

    Returns:
        ``(compiled, cpu)``: CompiledModel, name of the CPU or None.
    Raises:
        LiteFormerError: no model there.
    """
    board = read_manifest(path)["board"] if (Path(path) / MANIFEST).is_file() else None
    cpu, overrides = inputs.hardware_of(path, board=board, device=device)
    return hardware.compile_model(inputs.load_model(path), **({"loadable": True} | overrides)), cpu


def run_load(model, built, *, port=None, baudrate=115200, sim=False, device=None, windows=16, seed=1):
    """Load a model and check it.

    Args:
        model: model file or directory. built: project folder or model that the device was built from. port, baudrate: serial
        port; sim: the simulated SoC in its place. device: of ``built_from``. windows: random ones to compare with the golden
        model afterwards.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.accel.compiler.loading import loader_words, replace_model
    from liteformer.flow.stream.device import open_line
    if bool(port) == bool(sim):
        raise LiteFormerError("name one device: --port /dev/ttyUSB0, or --sim for the simulated SoC")
    new = inputs.load_model(model)
    with console.step("Compile the model for the build"):
        compiled, cpu = built_from(built, device)
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
