# SPDX-License-Identifier: BSD-2-Clause
"""A model on the full SoC, with its firmware, window by window."""

from contextlib import nullcontext

from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import whole_file
from liteformer.flow.common.inputs import hardware_of, is_run, load_model, random_windows
from liteformer.flow.measure import hardware
from liteformer.flow.runs.evaluate import open_run


def windows_for(path, count, seed):
    """A model and windows to run: the first of its test set, or random ones for a model file without a run.

    Returns:
        ``(model, raw)``: QuantizedModel, int64 ``(count, window, features)``.
    Raises:
        LiteFormerError: no model there, or more windows than the test set has.
    """
    if is_run(path):
        run = open_run(path)
        if count > len(run.test_raw):
            raise LiteFormerError(f"the test set has {len(run.test_raw)} windows, fewer than the {count} asked for")
        return run.model, run.test_raw[:count]
    model = load_model(path)
    return model, random_windows(model, count, seed)


def run_simulation(path, *, windows=16, cpu=None, device=None, trace=None, seed=1):
    """Simulate a model and compare every output with the golden model.

    Args:
        path: model file or directory. windows: how many. cpu: of the SoC, None for the one in the model's folder, else
        vexriscv; device: likewise, else xc7s15. trace: FST file to write, or None. seed: of random windows.
    Returns:
        dict, the command's JSON.
    """
    model, raw = windows_for(path, windows, seed)
    cpu, overrides = hardware_of(path, cpu, device=device)
    cpu = cpu or "vexriscv"
    with whole_file(trace) if trace else nullcontext() as waveforms:
        result, _ = hardware.run_soc(model, hardware.compile_model(model, **overrides), raw, cpu, waveforms)
    return result | {"cpu": cpu, "device": overrides.get("device", DEFAULT_DEVICE), "model_id": model.id}
